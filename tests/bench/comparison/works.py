"""The items that are timed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import structures


@dataclass
class Work:
    """An evaluation of frames, or a relaxation of cells where there are `steps`."""

    name: str
    title: str
    structures: list[dict]
    steps: int = 0

    @property
    def units(self) -> int:
        """What one reading is divided by: atoms, times the evaluations of a relaxation, which has one more than steps."""
        if self.steps:
            return structures.n_atoms(self.structures) * (self.steps + 1)
        return structures.n_atoms(self.structures[:1])

    @property
    def checked(self) -> list[dict]:
        """Structures on which the codes have to agree."""
        return self.structures if self.steps else self.structures[:1]

    def neighbors(self, volumes: list[float], cutoff: float) -> float:
        """Of an atom on average, by the densities: minimisers go different ways, and denser cells take longer."""
        counts = [len(structure["numbers"]) for structure in self.structures]
        ball = 4.0 / 3.0 * math.pi * cutoff**3
        return ball * sum(n * n / volume for n, volume in zip(counts, volumes, strict=True)) / sum(counts)

    def preparation(self, warm_up: int) -> dict:
        """The request that makes a worker ready."""
        if self.steps:
            return {"what": "prepare_relaxation", "structures": self.structures, "steps": self.steps}
        return {"what": "prepare_evaluation", "frames": self.structures, "warm_up": warm_up}


NAMES = ("si512", "si64", "relax", "train")


def full(name: str, steps: int) -> Work:
    if name == "relax":
        return Work(name, f"relaxing 24 cells of 2 to 16 atoms, {steps} steps", structures.small_cells(), steps)
    repeat = {"si512": 4, "si64": 2}[name]
    return Work(name, f"silicon, {8 * repeat**3} atoms", structures.silicon_frames(repeat))


def quick(name: str) -> Work:
    if name == "relax":
        return Work(name, "relaxing 6 cells of 2 to 4 atoms, 3 steps", structures.few_cells(), 3)
    repeat = {"si512": 2, "si64": 1}[name]
    return Work(name, f"silicon, {8 * repeat**3} atoms", structures.silicon_frames(repeat))
