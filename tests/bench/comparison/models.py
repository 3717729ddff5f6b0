"""The models that all codes evaluate, each in the file that the code reads; made once and kept in a folder."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import tamiz

from .client import environment_of
from .environments import Absent

HERE = Path(__file__).parent
PARITY_CASES = HERE.parents[1] / "parity" / "mace_cases.tar.xz"
FULL = {"channels": 128, "cutoff": 6.0, "elements": list(range(1, 90)), "seed": 1}
QUICK = {"channels": 16, "cutoff": 4.5, "elements": [1, 6, 8, 14, 26, 55], "seed": 1}
CONVERSION_S = 1800


@dataclass
class Model:
    """Files of one model by the code that reads them; `missing` says why there is none."""

    hidden_l: int
    cutoff: float
    description: str
    files: dict[str, Path]
    missing: dict[str, str] = field(default_factory=dict)


class ModelFolder:
    """Makes models in `folder` with the mace-torch of `python`, or takes those of the parity tests where that is None."""

    def __init__(self, folder: Path, python: Path | None, extract: Path | None, quick: bool, say: Callable[[str], None]):
        self.folder, self.python, self.extract, self.quick, self.say = folder, python, extract, quick, say
        folder.mkdir(parents=True, exist_ok=True)

    def model(self, hidden_l: int) -> Model:
        checkpoint, description = self.made(hidden_l) if self.python else self.stored()
        imported = tamiz.import_mace(checkpoint, checkpoint.with_suffix(".safetensors"))
        cutoff = tamiz.model_info(imported)["description"]["cutoff"]
        model = Model(hidden_l, cutoff, description, {"mace": checkpoint, "tamiz": imported})
        if self.extract:
            try:
                model.files["symmetrix"] = self.extracted(checkpoint)
            except Absent as error:
                model.missing["symmetrix"] = str(error)
        return model

    def made(self, hidden_l: int) -> tuple[Path, str]:
        shape = (QUICK if self.quick else FULL) | {"hidden_l": hidden_l}
        checkpoint = self.folder / f"channels-{shape['channels']}-L{hidden_l}.model"
        if self.stale(checkpoint, shape):
            self.say(f"making {checkpoint.name}")
            described(checkpoint).unlink(missing_ok=True)
            request = self.folder / "request.json"
            request.write_text(json.dumps(shape))
            self.call([self.python, HERE / "make_model.py", request, checkpoint])
            described(checkpoint).write_text(identity(shape))
        text = (f"MACE, {shape['channels']} channels, L = {hidden_l}, l_max 3, correlation 3, two layers, cutoff "
                f"{shape['cutoff']:g} Å, {len(shape['elements'])} elements, ZBL, pseudo-random weights")
        return checkpoint, text

    def stale(self, checkpoint: Path, shape: dict) -> bool:
        stamp = described(checkpoint)
        return not (checkpoint.exists() and stamp.exists() and stamp.read_text() == identity(shape))

    def stored(self) -> tuple[Path, str]:
        checkpoint = self.folder / "mp_0a_small.model"
        with tarfile.open(PARITY_CASES) as archive:
            checkpoint.write_bytes(archive.extractfile(checkpoint.name).read())
        return checkpoint, "mp_0a_small of tests/parity, two channels"

    def extracted(self, checkpoint: Path) -> Path:
        out = checkpoint.with_suffix(".json")
        if not out.exists() or out.stat().st_mtime < checkpoint.stat().st_mtime:
            self.say(f"converting {checkpoint.name} for symmetrix")
            part = out.with_suffix(".part.json")
            self.call([self.extract, "-m", checkpoint, "--radial-format", "compact", "-o", part])
            os.replace(part, out)
        return out

    def call(self, command: list) -> None:
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment_of(1),
                                  timeout=CONVERSION_S)
        except subprocess.TimeoutExpired:
            raise Absent(f"{Path(command[0]).name} took more than {CONVERSION_S} s") from None
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
            raise Absent(f"{Path(command[0]).name} failed: {last}")


def described(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".shape")


def identity(shape: dict) -> str:
    """What the file depends on: the shape, and the program that made it."""
    return json.dumps(shape) + (HERE / "make_model.py").read_text()
