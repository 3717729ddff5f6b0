"""One model: starts the codes, checks that they agree, and times them in turns."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Callable, Iterator

from .agreement import differences, largest, objection
from .client import Worker, WorkerError, environment_of
from .codes import Code
from .models import Model
from .works import Work

Say = Callable[[str], None]


class Session:
    """Workers of one model. A code that fails or disagrees leaves, with the reason in `refused`."""

    def __init__(self, model: Model, threads: int, folder: Path, say: Say):
        self.model, self.threads, self.folder, self.say = model, threads, folder, say
        self.workers: dict[str, Worker] = {}
        self.loaded: dict[str, dict] = {}
        self.refused: dict[str, str] = {}
        self.stack = ExitStack()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def spawn(self, code: Code, dtype: str) -> Worker:
        log = self.folder / f"{code.name}-{dtype}.log"
        return self.stack.enter_context(Worker(code.command, environment_of(self.threads, **code.variables), log))

    def load(self, code: Code, worker: Worker, dtype: str) -> dict:
        model = str(self.model.files[code.reads].resolve())
        return worker.ask("load", model=model, dtype=dtype, threads=self.threads)

    def start(self, codes: list[Code]) -> None:
        """All at once: most of them import PyTorch first, for seconds."""
        for code in codes:
            if code.reads in self.model.files:
                self.workers[code.name] = self.spawn(code, "float32")
            else:
                self.refuse(code.name, self.model.missing.get(code.reads, "there is no model that it reads"))
        for code in codes:
            if code.name in self.workers:
                self.say(f"loading {code.title}")
                with self.refusing(code.name):
                    self.loaded[code.name] = self.load(code, self.workers[code.name], "float32")

    @contextmanager
    def refusing(self, name: str) -> Iterator[None]:
        """A failure of one code ends that code only."""
        try:
            yield
        except WorkerError as error:
            self.refuse(name, str(error))

    def refuse(self, name: str, why: str) -> None:
        self.say(f"{name} is refused: {why}")
        self.refused[name] = why
        if name in self.workers:
            self.workers.pop(name).close()


def reference_results(session: Session, code: Code, works: list[Work]) -> dict[str, list[dict]]:
    """In float64, of every work's structures."""
    session.say(f"reference: {code.title} in float64")
    worker = session.spawn(code, "float64")
    session.load(code, worker, "float64")
    results = {work.name: worker.ask("evaluate", structures=work.checked)["results"] for work in works}
    worker.close()
    return results


def check(session: Session, work: Work, reference: list[dict]) -> dict:
    """Refuses who disagrees; what each code differs by, and the largest force and stress."""
    found = {}
    for name in list(session.workers):
        with session.refusing(name):
            results = session.workers[name].ask("evaluate", structures=work.checked)["results"]
            found[name] = differences(work.checked, results, reference)
            if why := objection(found[name]):
                session.refuse(name, why)
    return {"differences": found, "largest_force": largest("forces", reference), "largest_stress": largest("stress", reference)}


def time_in_turns(session: Session, work: Work, repeats: int, seconds: float) -> dict[str, dict]:
    """Readings of every code; one round of all after the other, so that a drift of the machine hits each."""
    readings = prepare(session, work)
    for turn in range(repeats):
        session.say(f"{work.title}, L = {session.model.hidden_l}: repeat {turn + 1} of {repeats}")
        for name in [name for name in readings if name in session.workers]:
            with session.refusing(name):
                answer = session.workers[name].ask("measure", seconds=seconds)
                readings[name]["wall"].append(answer["wall"])
                readings[name]["cpu"].append(answer["cpu"])
                readings[name]["volumes"] = answer["volumes"]
    return {name: readings[name] for name in readings if name in session.workers}


def prepare(session: Session, work: Work) -> dict[str, dict]:
    readings = {}
    for name in list(session.workers):
        with session.refusing(name):
            answer = session.workers[name].ask(**work.preparation(warm_up=4))
            readings[name] = {"warm_up": answer["warm_up"], "settings": answer.get("settings", {}), "wall": [], "cpu": [],
                              "volumes": []}
    return readings
