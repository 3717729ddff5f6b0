"""A campaign of seconds: a data folder with its own level (Morse pairs), and competing phases, labels and a small model
of that level."""

import json
import os
from pathlib import Path

import tamiz
from support import ROOT

DATASETS = ROOT / "datasets"
COMPETING = DATASETS / "competing" / "start.xyz"
MISSING = [str(COMPETING)] if not COMPETING.exists() else []
ORACLE = "ase:ase.calculators.morse:MorsePotential"
LEVEL = {"name": "morse", "kwargs": {"epsilon": 0.15, "r0": 2.6, "rho0": 4.0},
         "relax": {"fmax": 0.03, "smax_gpa": 0.5, "max_steps": 200}}
CAMPAIGN = f"""
[campaign]
name = "small"
question = "Which magnesium nitride do Morse pairs prefer?"
systems = ["Mg-N"]
seed = 3
model = "models/small.safetensors"
competing = "competing/morse.tz"
training = "labels/few"
[propose]
max_atoms = 10
random_per_formula = 4
max_candidates = 12
[relax]
max_steps = 200
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
min_held_out = 1
"""
TRAIN = """
[model]
cutoff = 4.5
channels = 8
l_max = 1
correlation = 2
n_interactions = 1
n_radial = 6
radial_mlp = [16]
readout_hidden = 8
n_members = 3
[train]
steps = 400
batch_size = 8
"""


def frame_of(structure, factor, seed):
    """A structure, scaled and shaken, as ASE Atoms with what the calculator of the level says."""
    from ase.calculators.morse import MorsePotential

    atoms = tamiz.to_ase(structure)
    atoms.set_cell(atoms.cell * factor, scale_atoms=True)
    atoms.rattle(0.05, seed=seed)
    atoms.calc = MorsePotential(**LEVEL["kwargs"])
    atoms.get_potential_energy()
    return atoms


class SmallCampaign:
    """Data folder and campaign file in `folder`; `os.environ` names them while it is entered."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "small.toml"
        self.config.write_text(CAMPAIGN)
        (self.data / "levels").mkdir(parents=True)
        (self.data / "levels" / "morse.json").write_text(json.dumps(LEVEL))
        for name in ("known", "prototypes", "tables"):
            (self.data / name).symlink_to(DATASETS / name)
        self._make_model()

    def _make_model(self):
        """Labels proposals and elements at a few volumes, and trains a small model on them."""
        structures = [candidate.structure for candidate in tamiz.propose(self.config).candidates]
        structures += [frame.structure for frame in self._phases() if len(frame.structure) < 10]
        frames = [frame_of(structure, factor, seed) for seed, structure in enumerate(structures)
                  for factor in (0.85, 0.92, 1.0, 1.1)]
        few = self.data / "labels" / "few"
        few.mkdir(parents=True)
        tamiz.write(few / "train.xyz", frames)
        tamiz.write(few / "test.xyz", frames[::5])
        (self.data / "models").mkdir()
        (self.folder / "train.toml").write_text(TRAIN)
        tamiz.train(frames, self.data / "models" / "small.safetensors", config=self.folder / "train.toml", seed=1)

    @staticmethod
    def _phases():
        return [frame for frame in tamiz.read(COMPETING) if set(frame.structure.symbols) <= {"Mg", "N"}]

    def label_competing(self) -> tamiz.screening.LabelRun:
        """Relaxes the known phases of Mg and N with the calculator of the level."""
        (self.data / "competing").mkdir(exist_ok=True)
        phases = {frame.info["id"]: frame.structure for frame in self._phases()}
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
