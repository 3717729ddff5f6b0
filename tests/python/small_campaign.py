"""A campaign of seconds: a data folder with its own level (Morse pairs), competing phases and labels of that level."""

import json
import os
from pathlib import Path

import tamiz
from support import ROOT

DATASETS = ROOT / "datasets"
NEEDED = [DATASETS / "competing" / "start.xyz", DATASETS / "models" / "ca-mg-si-n.safetensors",
          DATASETS / "labels" / "ca-mg-si-n" / "train.xyz"]
MISSING = [str(path) for path in NEEDED if not path.exists()]
ORACLE = "ase:ase.calculators.morse:MorsePotential"
LEVEL = {"name": "morse", "kwargs": {"epsilon": 1.2, "r0": 2.2, "rho0": 4.0},
         "relax": {"fmax": 0.03, "smax_gpa": 0.5, "max_steps": 200}}
CAMPAIGN = f"""
[campaign]
name = "small"
question = "Which magnesium nitride do Morse pairs prefer?"
systems = ["Mg-N"]
seed = 3
model = "models/ca-mg-si-n.safetensors"
competing = "competing/morse.tz"
training = "labels/few"
[propose]
max_atoms = 10
random_per_formula = 4
max_candidates = 12
[relax]
max_steps = 30
[decide]
rounds = 2
labels_per_round = 3
explore = 1
window = 0.5
[label]
oracle = "{ORACLE}"
level = "morse"
timeout = 60.0
gaps = 0
[learn]
steps = 12
held_out = 0.4
"""


class SmallCampaign:
    """Data folder and campaign file in `folder`; `os.environ` names them while it is entered."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "small.toml"
        self.config.write_text(CAMPAIGN)
        (self.data / "levels").mkdir(parents=True)
        (self.data / "levels" / "morse.json").write_text(json.dumps(LEVEL))
        for name in ("known", "models", "prototypes", "tables"):
            (self.data / name).symlink_to(DATASETS / name)
        few = self.data / "labels" / "few"
        few.mkdir(parents=True)
        for name, count in (("train.xyz", 12), ("test.xyz", 6)):
            tamiz.write(few / name, tamiz.read(DATASETS / "labels" / "ca-mg-si-n" / name)[:count])

    def label_competing(self) -> tamiz.screening.LabelRun:
        """Relaxes the known phases of Mg and N with the calculator of the level."""
        (self.data / "competing").mkdir(exist_ok=True)
        phases = {frame.info["id"]: frame.structure for frame in tamiz.read(NEEDED[0])
                  if set(frame.structure.symbols) <= {"Mg", "N"}}
        return tamiz.label(phases, self.data / "competing" / "morse.tz", oracle=ORACLE, task="relax", level="morse")

    def __enter__(self):
        self._before = os.environ.get("TAMIZ_DATA")
        os.environ["TAMIZ_DATA"] = str(self.data)
        return self

    def __exit__(self, *_):
        if self._before is None:
            del os.environ["TAMIZ_DATA"]
        else:
            os.environ["TAMIZ_DATA"] = self._before
