"""What the tests of the Python package share."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TAMIZ_BUILD_DIR", ROOT / "build")).resolve()
TAMIZ = BUILD / "bin" / "tamiz"
POTENTIALS = ROOT / "datasets" / "potentials"
STILLINGER_WEBER = POTENTIALS / "stillinger-weber-si.toml"
LENNARD_JONES = POTENTIALS / "lennard-jones-ar.toml"
MODEL = ROOT / "datasets" / "models" / "ca-mg-si-n.safetensors"
EXAMPLE_RUN = ROOT / "datasets" / "runs" / "nitrides-example"

# A triclinic, a left-handed and a partly periodic cell beside the cubic one.
CELLS = {
    "cubic": (np.diag([5.43, 5.43, 5.43]), (True, True, True)),
    "triclinic": (np.array([[4.0, 0.1, -0.2], [1.9, 3.5, 0.3], [0.7, -1.6, 5.1]]), (True, True, True)),
    "left-handed": (np.array([[0.0, 4.1, 0.3], [3.9, 0.2, 0.0], [0.1, 0.0, 4.6]]), (True, True, True)),
    "slab": (np.array([[4.2, 0.0, 0.0], [0.5, 4.4, 0.0], [0.0, 0.0, 12.0]]), (True, True, False)),
}


def silicon(repeat=1, rattle=0.0, seed=1):
    """Cubic diamond silicon as ASE Atoms."""
    from ase.build import bulk

    atoms = bulk("Si", "diamond", 5.431, cubic=True) * (repeat, repeat, repeat)
    if rattle:
        atoms.rattle(rattle, seed=seed)
    return atoms


def run_study(module, *arguments):
    """Standard output of `python -m tamiz.studies.<module>`."""
    command = [sys.executable, "-m", f"tamiz.studies.{module}", *(str(each) for each in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout
