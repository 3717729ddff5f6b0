"""Training and test frames of the first model, from labelled single points and relaxations.

    python -m tamiz.studies.split_labels datasets/labels/ca-mg-si-n --level datasets/levels/pbe-600.json --single SINGLE.xyz ... --relaxed RELAXED.xyz

The card of the folder has the commands that make the files. Of a relaxation at most five geometries are taken. Frames with
a force above 30 eV/Å are left out, and everything of the compositions that a campaign has to find; so are stresses that
the worker would not give out as a label today. A tenth of the single points, chosen by a hash of their ids, is the test set;
relaxations of the competing phases, on which every hull stands, are all trained on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from ase.formula import Formula
from ase.io import read, write

sys.path.insert(0, str(Path(__file__).parents[1] / "workers"))
import gpaw_level  # noqa: E402

LARGEST_FORCE = 30.0  # [eV/Å]
TO_BE_FOUND = ("CaMg2N2", "MgSiN2")
FRAMES_OF_A_PATH = 5
TEST_SHARE = 10  # one in ten
KEPT = ("config_type", "id", "mesh", "level", "energy", "free_energy", "stress")


def is_to_be_found(atoms) -> bool:
    reduced = Formula(atoms.get_chemical_formula()).reduce()[0]
    return any(reduced.count() == Formula(name).count() for name in TO_BE_FOUND)


def thinned_paths(frames: list) -> list:
    """At most FRAMES_OF_A_PATH of each id, evenly spaced, named `competing`."""
    chosen = []
    for name in dict.fromkeys(frame.info["id"] for frame in frames):
        path = [frame for frame in frames if frame.info["id"] == name]
        for k in sorted({round(x) for x in np.linspace(0, len(path) - 1, min(FRAMES_OF_A_PATH, len(path)))}):
            path[k].info["config_type"] = "competing"
            chosen.append(path[k])
    return chosen


def labels_only(atoms, level: dict):
    """A copy with what training needs, and no more."""
    results = dict(atoms.calc.results)
    forces = results.pop("forces")
    bare = atoms.copy()
    bare.calc = None
    bare.info = {key: value for key, value in (atoms.info | results).items() if key in KEPT}
    if bare.info.get("mesh") == "molecule" or not gpaw_level.stress_is_reliable(bare, level):
        bare.info.pop("stress", None)
    bare.arrays["forces"] = forces
    return bare


def is_test(atoms) -> bool:
    digest = hashlib.sha256(str(atoms.info["id"]).encode()).hexdigest()
    return atoms.info["config_type"] != "competing" and int(digest, 16) % TEST_SHARE == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where train.xyz and test.xyz go")
    parser.add_argument("--level", type=Path, required=True, help="settings of the level, JSON")
    parser.add_argument("--single", type=Path, nargs="+", required=True, help="labelled single points")
    parser.add_argument("--relaxed", type=Path, required=True, help="relaxations, labelled with --trajectory")
    arguments = parser.parse_args()
    level = json.loads(arguments.level.read_text())
    frames = [frame for path in arguments.single for frame in read(path, ":")]
    frames += thinned_paths(read(arguments.relaxed, ":"))
    for frame in frames:
        if "mesh_used" in frame.info:
            frame.info["mesh"] = frame.info["mesh_used"]
    frames = [f for f in frames if not is_to_be_found(f) and np.abs(f.get_forces()).max() <= LARGEST_FORCE]
    for name, wanted in (("train", False), ("test", True)):
        chosen = [f for f in frames if is_test(f) == wanted]
        part = [labels_only(f, level) for f in chosen]
        coarse = sum(f.info.get("mesh") == "anion" and f.info.get("gap_kind") == "metal" for f in chosen)
        write(arguments.folder / f"{name}.xyz", part, columns=["symbols", "positions", "forces"])
        print(f"{name}: {len(part)} frames, {sum(map(len, part))} atoms; {coarse} are metals on the mesh for insulators")


if __name__ == "__main__":
    main()
