"""Errors of mace-torch models that were trained for the same time as `python -m tamiz.studies.accuracy` takes.

    .venv/bin/python tests/bench/accuracy_mace.py --data DATA --minutes 30 --threads 2 -o accuracy-mace

The same frames, cores and minutes; 32 channels, L = 0, a cutoff of 5 Å, and for the rest what mace_run_train does by itself with
its exponential average and its last stage (`--swa`). The number of epochs follows from the time of the first two. Models,
predictions and errors are kept in the output folder, so that a run that was stopped goes on with the next set.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from pathlib import Path

import ase.io
import numpy as np
from comparison.environments import ensure
from comparison.training import run

import tamiz
from tamiz.studies import accuracy

ROOT = Path(__file__).resolve().parents[2]
SHAPE = ["--model=MACE", "--num_channels=32", "--max_L=0", "--r_max=5.0"]
RUN = ["--name=mace", "--batch_size=8", "--valid_batch_size=8", "--valid_fraction=0.1", "--device=cpu", "--default_dtype=float32",
       "--E0s=average", "--energy_key=REF_energy", "--forces_key=REF_forces", "--ema", "--ema_decay=0.99", "--amsgrad", "--swa",
       "--plot=False", "--work_dir=."]


def write_frames(path: Path, frames: list) -> None:
    """Energies and forces under the names that mace_run_train is told."""
    images = []
    for frame in frames:
        atoms = tamiz.to_ase(frame.structure)
        atoms.info["REF_energy"] = float(frame.energy)
        atoms.arrays["REF_forces"] = np.asarray(frame.forces)
        images.append(atoms)
    ase.io.write(path, images, format="extxyz")


def train(python: Path, folder: Path, epochs: int, threads: int, seed: int) -> float:
    """Seconds that it took."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # The last quarter weighs energies more, as mace-torch's own examples have it.
    last = [f"--start_swa={max(1, 3 * epochs // 4)}"]
    command = [str(python.parent / "mace_run_train"), *SHAPE, *RUN, *last, "--train_file=../train.xyz", f"--seed={seed}",
               f"--max_num_epochs={epochs}"]
    return run(command, folder, threads)[0]


def epochs_within(python: Path, folder: Path, minutes: float, threads: int) -> int:
    one, three = (train(python, folder / "timing", epochs, threads, seed=1) for epochs in (1, 3))
    per_epoch = (three - one) / 2
    return max(4, int((60.0 * minutes - (one - per_epoch)) / per_epoch))


def predict(python: Path, folder: Path, model: Path, frames: list, threads: int) -> list[dict]:
    command = [str(python.parent / "mace_eval_configs"), "--configs=../test.xyz", f"--model={model.absolute()}",
               "--output=predictions.xyz", "--device=cpu", "--default_dtype=float32", "--batch_size=8"]
    run(command, folder, threads)
    return [
        {
            "config_type": str(frame.info.get("config_type", "all")),
            "energy": [float(frame.energy) / len(atoms), float(atoms.info["MACE_energy"]) / len(atoms)],
            "forces": [np.asarray(frame.forces).ravel().tolist(), atoms.arrays["MACE_forces"].ravel().tolist()],
        }
        for frame, atoms in zip(frames, ase.io.read(folder / "predictions.xyz", index=":"), strict=True)
    ]


def judge(name: str, python: Path, arguments: argparse.Namespace) -> dict:
    """Errors and cost of a set, from the output folder where they are there."""
    folder = (arguments.output / name).absolute()
    stored = folder / "errors.json"
    if stored.exists():
        return json.loads(stored.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    frames, test = accuracy.frames_of(name, arguments.data)
    write_frames(folder / "train.xyz", frames)
    write_frames(folder / "test.xyz", test)
    epochs = epochs_within(python, folder, arguments.minutes, arguments.threads)
    print(f"{name}: {epochs} epochs from {time.strftime('%H:%M:%S')}", flush=True)
    seconds = train(python, folder / "run", epochs, arguments.threads, arguments.seed)
    models = sorted((folder / "run").glob("mace*stagetwo.model")) or sorted((folder / "run").glob("mace*.model"))
    rows = predict(python, folder / "run", models[0], test, arguments.threads)
    result = {"epochs": epochs, "seconds": seconds, "threads": arguments.threads, "errors": accuracy.errors_by_type(rows)}
    stored.write_text(json.dumps(result, indent=1) + "\n")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    parser.add_argument("--sets", nargs="+", choices=accuracy.SETS, default=list(accuracy.SETS))
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--envs", type=Path, default=Path(os.environ.get("TAMIZ_PEERS", ROOT / "build" / "peers")))
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    python = ensure("mace", arguments.envs / "mace", True, print).absolute()
    results = {"sets": {name: {"mean": judge(name, python, arguments)["errors"]} for name in arguments.sets}}
    (arguments.output / "accuracy-mace.md").write_text(accuracy.table(results))
    print(accuracy.table(results), end="")


if __name__ == "__main__":
    main()
