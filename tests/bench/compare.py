"""Times Tamiz beside other programs: the same models, the same structures, one run, in turns.

    .venv/bin/python tests/bench/compare.py -o compare.json

Peers: ASE + mace-torch, TorchSim + mace-torch, ASE + symmetrix-xl. Each works in an environment of its own below `--envs`,
which the program makes where it is missing (some gigabytes of packages); one that cannot be made is reported absent, and the others
go on. Models have the shape of published ones and pseudo-random weights: this is about speed, no physics is claimed. Before
anything is timed, energies, forces and stresses of every code are compared with a calculation in float64, and who differs
by more than float32 explains is not timed. With one thread times are CPU time, which other programs on the machine disturb
least; with several, wall time. Progress goes to standard error, the table to standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from comparison import agreement, machine, report, structures, training, works
from comparison.client import WorkerError
from comparison.codes import PEERS, Code, absent_peer, other_code, peer_code, tamiz_code
from comparison.environments import PACKAGES, Absent, ensure, missing, wanted
from comparison.models import Model, ModelFolder
from comparison.options import parse
from comparison.rounds import Session, check, reference_results, time_in_turns

import tamiz

FORMAT = 1  # of the JSON file


def say(text: str) -> None:
    print(f"compare: {text}", file=sys.stderr, flush=True)


def list_all(options: argparse.Namespace) -> None:
    for name, environment in PEERS.items():
        lacking = missing(options.envs / environment, wanted(environment))
        state = f"not there: {options.envs / environment} lacks {', '.join(lacking)}" if lacking else "there"
        packages = " ".join(package for call in PACKAGES[environment] for package in call)
        print(f"peer {name}: {packages} ({state})")
    for name in works.NAMES:
        print(f"work {name}: {title(name, options)}")


def title(name: str, options: argparse.Namespace) -> str:
    if name == "train":
        return f"training, {training.ATOMS} atoms of {training.DATA}, per epoch"
    return work(name, options).title


def work(name: str, options: argparse.Namespace) -> works.Work:
    return works.quick(name) if options.quick else works.full(name, options.steps)


def pythons(options: argparse.Namespace) -> tuple[dict[str, Path], dict[str, str]]:
    """The Python of each environment that is there, and why others are not."""
    found, absent = {}, {}
    for name in dict.fromkeys(PEERS[peer] for peer in options.peers):
        try:
            found[name] = ensure(name, options.envs / name, not options.existing, say)
        except Absent as error:
            say(f"the environment {name} is absent: {error}")
            absent[name] = str(error)
    return found, absent


def chosen_codes(options: argparse.Namespace, found: dict[str, Path], absent: dict[str, str]) -> list[Code]:
    codes = [tamiz_code(engine) for engine in options.engine]
    codes += [other_code(name, script) for name, script in options.also]
    for peer in options.peers:
        environment = PEERS[peer]
        codes.append(peer_code(peer, found[environment], options.work_dir.absolute(), options.quick) if environment in found
                     else absent_peer(peer, absent[environment]))
    return codes


def reference_code(found: dict[str, Path], options: argparse.Namespace) -> Code:
    """mace-torch where it is there, since the models are its own; else the LibTorch engine."""
    if "mace" in found:
        return peer_code("mace", found["mace"], options.work_dir, options.quick)
    return tamiz_code("torch")


def compare_model(model: Model, codes: list[Code], reference: Code, options: argparse.Namespace) -> dict:
    """Everything that is read of one model."""
    items = [work(name, options) for name in options.work if name != "train"]
    say(model.description)
    result = {"hidden_l": model.hidden_l, "model": model.description, "reference": f"{reference.title}, float64", "works": {}}
    with Session(model, options.threads, options.work_dir, say) as session:
        expected = reference_results(session, reference, items)
        session.start([code for code in codes if not code.absent])
        for item in items:
            agreed = check(session, item, expected[item.name])
            readings = time_in_turns(session, item, options.repeats, options.seconds)
            result["works"][item.name] = {"title": item.title, "units": item.units, "steps": item.steps, "agreement": agreed,
                                          "readings": readings, "neighbors": neighbors(item, readings, model.cutoff)}
        return result | {"loaded": session.loaded, "refused": session.refused}


def neighbors(item: works.Work, readings: dict, cutoff: float) -> dict[str, float]:
    """Of an atom, before a relaxation and after that of each code; nothing for an evaluation."""
    if not item.steps:
        return {}
    volumes = {"before": structures.volumes(item.structures)} | {name: each["volumes"] for name, each in readings.items()}
    return {name: item.neighbors(each, cutoff) for name, each in volumes.items()}


def compare_training(found: dict[str, Path], options: argparse.Namespace) -> dict:
    """Readings of `tamiz train` and, where it takes part, mace_run_train; or why there are none."""
    if not (options.data / training.DATA).exists():
        say(f"training is skipped: there is no {options.data / training.DATA}")
        return {"skipped": f"no {training.DATA} in the folder of --data"}
    folder = (options.work_dir / "training").absolute()
    frames = training.training_set(options.data, folder, 400 if options.quick else training.ATOMS)
    commands = {"tamiz": lambda where, epochs: training.tamiz_command(options.program, frames, where, options.threads, epochs)}
    if "mace" in found and "mace" in options.peers:
        commands["mace"] = lambda where, epochs: training.mace_command(found["mace"], frames, where, epochs)
    result = {"n_frames": frames.n_frames, "n_atoms": frames.n_atoms, "readings": {}, "refused": {}}
    for turn in range(options.repeats):
        for name in [name for name in commands if name not in result["refused"]]:
            say(f"training with {name}: repeat {turn + 1} of {options.repeats}")
            train_once(name, commands[name], folder / name, options.threads, result)
    return result


def train_once(name: str, command, folder: Path, threads: int, result: dict) -> None:
    try:
        wall, cpu = training.seconds_per_epoch(command, folder, threads)
    except (training.TrainingFailed, OSError, subprocess.TimeoutExpired) as error:
        say(f"training with {name} failed: {error}")
        result["refused"][name] = str(error)
        result["readings"].pop(name, None)
        return
    readings = result["readings"].setdefault(name, {"wall": [], "cpu": []})
    readings["wall"].append([wall])
    readings["cpu"].append([cpu])


def measure(options: argparse.Namespace) -> dict:
    options.work_dir.mkdir(parents=True, exist_ok=True)
    found, absent = pythons(options)
    codes = chosen_codes(options, found, absent)
    result = {"format": FORMAT, "commit": tamiz.__commit__, "machine": machine.describe(options.program),
              "threads": options.threads, "repeats": options.repeats, "seconds": options.seconds, "quick": options.quick,
              "basis": "cpu" if options.threads == 1 else "wall", "tolerances": agreement.TOLERANCES,
              "absent": {code.name: code.absent for code in codes if code.absent}, "models": []}
    if set(options.work) - {"train"}:
        result["models"] = compare_models(options, found, codes)
    if "train" in options.work:
        result["training"] = compare_training(found, options)
    result["machine"]["load_after"] = os.getloadavg()
    titles = {code.name: code.title for code in codes}
    result["table"] = report.rows(result, titles)
    result["remarks"] = report.remarks(result, titles)
    return result


def compare_models(options: argparse.Namespace, found: dict[str, Path], codes: list[Code]) -> list[dict]:
    maker = found.get("mace") or found.get("symmetrix")
    if not (maker or options.quick):
        say("no environment with mace-torch is there, which makes the models: nothing is compared. Without --existing the "
            "program builds one; --quick takes a small model of the tests")
        return []
    extract = found["symmetrix"].absolute().parent / "symmetrix_extract_mace" if "symmetrix" in found else None
    folder = ModelFolder(options.work_dir, maker, extract, options.quick, say)
    levels = [int(text) for text in options.hidden_l] if maker else [0]
    reference = reference_code(found, options)
    return [compare_model(folder.model(level), codes, reference, options) for level in levels]


def main(given: list[str] | None = None) -> int:
    options = parse(given, __doc__)
    if options.list:
        list_all(options)
        return 0
    try:
        result = measure(options)
    except (Absent, WorkerError, tamiz.Error, OSError) as error:
        say(f"failed: {error}")
        return 1
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1) + "\n")
    print(report.markdown(result["table"]))
    print(*result["remarks"], sep="\n", end="\n" if result["remarks"] else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
