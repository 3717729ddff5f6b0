"""What is calculated: seeded structures as plain numbers, the same for every code."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import bulk

RATTLE = 0.03  # Å, of the first positions
STEP = 0.002   # Å, of the frames after: as in molecular dynamics, so that lists of neighbours may be kept
N_FRAMES = 8


def crystals() -> list[Atoms]:
    """Primitive cells of two to four atoms."""
    return [
        bulk("Si", "diamond", 5.431), bulk("GaAs", "zincblende", 5.653), bulk("MgO", "rocksalt", 4.212),
        bulk("CsCl", "cesiumchloride", 4.123), bulk("Ti", "hcp", 2.951, 4.684), bulk("ZnO", "wurtzite", 3.250, c=5.207),
        bulk("GaN", "wurtzite", 3.189, c=5.185), bulk("PbTe", "rocksalt", 6.462),
    ]


def simple_crystals() -> list[Atoms]:
    """Of the elements of the small models."""
    return [bulk("Si", "diamond", 5.431), bulk("SiC", "zincblende", 4.360), bulk("FeO", "rocksalt", 4.332)]


def rattled(atoms: Atoms, seed: int, width: float) -> Atoms:
    moved = atoms.copy()
    moved.positions += np.random.default_rng(seed).normal(0.0, width, moved.positions.shape)
    return moved


def as_numbers(atoms: Atoms) -> dict:
    return {"numbers": atoms.numbers.tolist(), "positions": atoms.positions.tolist(), "cell": atoms.cell.tolist()}


def silicon_frames(repeat: int) -> list[dict]:
    """Rattled silicon of 8·repeat³ atoms, and again as it moves on."""
    first = rattled(bulk("Si", "diamond", 5.431, cubic=True) * (repeat, repeat, repeat), 1, RATTLE)
    return [as_numbers(first)] + [as_numbers(rattled(first, 1 + k, STEP)) for k in range(1, N_FRAMES)]


def cells(kinds: list[Atoms], multiples: list[tuple[int, int, int]]) -> list[dict]:
    """One rattled supercell of every kind and multiple."""
    many = [kind * multiple for multiple in multiples for kind in kinds]
    return [as_numbers(rattled(atoms, seed, RATTLE)) for seed, atoms in enumerate(many)]


def small_cells() -> list[dict]:
    """24 crystals of 2 to 16 atoms."""
    return cells(crystals(), [(1, 1, 1), (2, 1, 1), (2, 2, 1)])


def few_cells() -> list[dict]:
    """Six crystals of 2 to 4 atoms."""
    return cells(simple_crystals(), [(1, 1, 1), (2, 1, 1)])


def n_atoms(structures: list[dict]) -> int:
    return sum(len(structure["numbers"]) for structure in structures)


def volumes(structures: list[dict]) -> list[float]:
    return [abs(float(np.linalg.det(structure["cell"]))) for structure in structures]
