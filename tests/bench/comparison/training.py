"""Training of the same shape on the same frames: `mace_run_train` and `tamiz train`, seconds per epoch.

Each program is run for few and for more epochs; the difference has no start-up, compilation or closing table in it.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .client import environment_of

DATA = "mlearn_Si_train.xyz"
ATOMS = 12_600
BATCH = 4
EPOCHS = (1, 3)
RUN_S = 3600
TITLES = {"tamiz": "Tamiz", "mace": "mace-torch, mace_run_train"}

TAMIZ_CONFIG = """
[model]
cutoff = 5.0
channels = 32
hidden_l = 0
l_max = 3
correlation = 3
n_interactions = 2
n_radial = 8
radial_mlp = [64, 64, 64]
readout_hidden = 16
n_members = 1
repulsion = false
blocks = ["RealAgnosticResidual", "RealAgnosticResidual"]

[train]
batch_size = 4
validations = 1
last_stage_fraction = 0.0
dtype = "float32"

[loss]
energy = 1.0
forces = 100.0
stress = 0.0
"""

MACE_ARGUMENTS = [
    "--name=bench", "--model=MACE", "--num_channels=32", "--max_L=0", "--r_max=5.0", "--max_ell=3", "--correlation=3",
    "--num_interactions=2", "--batch_size=4", "--valid_batch_size=4", "--default_dtype=float32", "--device=cpu", "--E0s=average",
    "--energy_key=REF_energy", "--forces_key=REF_forces", "--energy_weight=1", "--forces_weight=100", "--ema", "--seed=1",
    "--eval_interval=1000", "--plot=False",
]


class TrainingFailed(RuntimeError):
    """A training that ended with an error; says which."""


@dataclass
class TrainingSet:
    """Files with frames to train on, a multiple of the batch, and few to validate on."""

    train: Path
    validation: Path
    n_frames: int
    n_atoms: int


def frames_of(file: Path) -> list[list[str]]:
    """Frames of an extended XYZ file as they stand there."""
    lines = file.read_text().splitlines(keepends=True)
    frames, begin = [], 0
    while begin < len(lines):
        end = begin + int(lines[begin]) + 2
        frames.append(lines[begin:end])
        begin = end
    return frames


def training_set(data: Path, folder: Path, atoms: int = ATOMS) -> TrainingSet:
    """The first frames of the file that hold no more than `atoms`, and the four after."""
    frames = frames_of(data / DATA)
    kept, total = 0, 0
    while kept < len(frames) - BATCH and total + len(frames[kept]) - 2 <= atoms:
        total += len(frames[kept]) - 2
        kept += 1
    kept -= kept % BATCH
    folder.mkdir(parents=True, exist_ok=True)
    files = {"train": frames[:kept], "validation": frames[kept : kept + BATCH]}
    for name, chosen in files.items():
        (folder / f"{name}.xyz").write_text("".join(line for frame in chosen for line in frame))
    return TrainingSet(folder / "train.xyz", folder / "validation.xyz", kept, sum(len(frame) - 2 for frame in frames[:kept]))


def tamiz_command(program: Path, frames: TrainingSet, folder: Path, threads: int, epochs: int) -> list[str]:
    config = folder / "train.toml"
    config.write_text(TAMIZ_CONFIG)
    steps = epochs * frames.n_frames // BATCH
    return [str(program.resolve()), "train", str(frames.train), "--validation", str(frames.validation), "--config", str(config),
            "--steps", str(steps), "--threads", str(threads), "--out", str(folder / "model.safetensors"), "--quiet"]


def mace_command(python: Path, frames: TrainingSet, folder: Path, epochs: int) -> list[str]:
    files = [f"--train_file={frames.train}", f"--valid_file={frames.validation}", f"--work_dir={folder}"]
    return [str(python.absolute().parent / "mace_run_train"), *MACE_ARGUMENTS, *files, f"--max_num_epochs={epochs}"]


def run(command: list[str], folder: Path, threads: int) -> tuple[float, float]:
    """Seconds of wall time and of CPU time of the process and its children."""
    log = folder / "log.txt"
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with open(log, "w") as out:
        done = subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment_of(threads), timeout=RUN_S)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise TrainingFailed(lines[-1] if lines else f"exit code {done.returncode}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def seconds_per_epoch(command: Callable[[Path, int], list[str]], folder: Path, threads: int,
                      epochs: tuple[int, int] = EPOCHS) -> tuple[float, float]:
    """(wall, CPU) of one epoch; `command` is told a folder that is new and a number of epochs."""
    spent = []
    for number in epochs:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        spent.append(run(command(folder, number), folder, threads))
    wall, cpu = ((many - few) / (epochs[1] - epochs[0]) for few, many in zip(*spent))
    if min(wall, cpu) <= 0.0:
        raise TrainingFailed("the epochs are too short to be told from the start of the program")
    return wall, cpu
