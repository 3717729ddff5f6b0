"""The program's side of a worker: a process in an environment of its own, asked by JSON lines."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from pathlib import Path

# glibc gives large blocks back to the system at once, and PyTorch asks for them again at every evaluation; kept, they make
# mace-torch up to twice as fast on a large structure. It is said to all codes.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(32 << 30), "MALLOC_MMAP_THRESHOLD_": str(32 << 30),
               "MALLOC_TOP_PAD_": str(256 << 20)}
END_S = 20
ANSWER_S = 3600  # the first start of symmetrix-xl compiles kernels for minutes


class WorkerError(RuntimeError):
    """A worker that could not start, answered with an error, or ended."""


def environment_of(threads: int, **more: str) -> dict[str, str]:
    """Of a worker or a training: threads said to everyone, nothing of this process's Python."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    counts = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR")}
    # mace-torch loads its models as pickles of whole objects.
    return kept | counts | KEEP_MEMORY | {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "PYTHONNOUSERSITE": "1"} | more


class Worker:
    """`with Worker(...) as worker: worker.ask("load", model=...)`. What it prints goes to `log`."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path):
        self.log = log
        self.pending = b""
        self.answers: int | None
        self.answers, theirs = os.pipe()
        try:
            with open(log, "w") as out:
                self.process = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=out, stderr=out,
                                                pass_fds=[theirs], env=environment | {"COMPARE_ANSWERS": str(theirs)})
        finally:
            os.close(theirs)

    def ask(self, what: str, limit_s: float = ANSWER_S, **arguments) -> dict:
        self.send((json.dumps({"do": what, **arguments}) + "\n").encode())
        answer = json.loads(self.line(time.monotonic() + limit_s, what))
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def send(self, text: bytes) -> None:
        try:
            while text:
                text = text[self.process.stdin.write(text) :]
        except BrokenPipeError:
            raise self.ended() from None

    def line(self, deadline: float, what: str) -> bytes:
        while b"\n" not in self.pending:
            if not select.select([self.answers], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise WorkerError(f"no answer to '{what}' in time")
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise self.ended()
            self.pending += more
        line, self.pending = self.pending.split(b"\n", 1)
        return line

    def ended(self) -> WorkerError:
        """Why, by the last line that it printed."""
        self.end()
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return WorkerError(f"the worker ended: {lines[-1] if lines else f'nothing was printed to {self.log}'}")

    def end(self) -> None:
        """By itself, as a worker does that is asked nothing more, or else killed."""
        self.process.stdin.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        if self.answers is not None:
            self.end()
            os.close(self.answers)
            self.answers = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
