"""Symmetric crystals of every three elements, from which a potential learns how three of them go together.

    python -m tamiz.studies.triple_crystals Mg Ca Zn Si Ge Sn N P -o triples.xyz

Half-Heusler XYZ (three atoms; Y has four X and four Z around it), each element as Y once, and cubic perovskite ABX3 (five atoms), two of
the six orders at random. Their edge is the mean of those at which each kind of neighbours touches, times a random spacing. Symmetry makes them
ten times as cheap for DFT as crystals without it, but leaves no forces, so that in every second half-Heusler, at random, an atom is moved along a
threefold axis. The order is random, the smaller ones first. The frames are the input of ``tamiz label``.
"""

from __future__ import annotations

import argparse
import itertools
import math
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io import write

from tamiz.studies.edge_frames import moved, radii

SPACINGS = (0.92, 1.15)  # of neighbours, of the sum of the radii
PEROVSKITES = 2  # of three elements


def half_heusler(x: str, y: str, z: str, spacing: float) -> Atoms:
    """Y has X and Z as neighbours at √3/4 of the edge, and they each other at a half of it."""
    edge = spacing * np.mean([4 / math.sqrt(3) * radii(x, y), 4 / math.sqrt(3) * radii(y, z), 2 * radii(x, z)])
    places = [[0.25, 0.25, 0.25], [0, 0, 0], [0.5, 0.5, 0.5]]
    cell = edge / 2 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    return named(Atoms([y, x, z], scaled_positions=places, cell=cell, pbc=True), f"half-heusler/{x}-{y}-{z}/{spacing:.3f}")


def perovskite(a: str, b: str, x: str, spacing: float) -> Atoms:
    """B has six X at half the edge, A has twelve."""
    edge = spacing * np.mean([2 * radii(b, x), math.sqrt(2) * radii(a, x)])
    places = [[0.5, 0.5, 0.5], [0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    return named(Atoms([a, b, x, x, x], scaled_positions=places, cell=[edge] * 3, pbc=True), f"perovskite/{a}-{b}-{x}/{spacing:.3f}")


def named(atoms: Atoms, name: str) -> Atoms:
    # Far from equilibrium a mesh for small gaps is enough for compounds that are metals.
    atoms.info.update(id=name, mesh="anion")
    return atoms


def triple_crystals(elements, seed: int) -> list[Atoms]:
    random, frames = np.random.default_rng(seed), []
    for three in itertools.combinations(elements, 3):
        for k in range(3):
            crystal = half_heusler(three[k - 2], three[k], three[k - 1], random.uniform(*SPACINGS))
            frames.append(moved(crystal) if random.random() < 0.5 else crystal)
        orders = list(itertools.permutations(three))
        frames += [perovskite(*orders[k], random.uniform(*SPACINGS)) for k in random.choice(len(orders), PEROVSKITES, replace=False)]
    frames = [frames[k] for k in random.permutation(len(frames))]
    return sorted(frames, key=len)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("elements", nargs="+", choices=sorted(atomic_numbers), metavar="ELEMENT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    frames = triple_crystals(arguments.elements, arguments.seed)
    write(arguments.output, frames, format="extxyz")
    print(f"{len(frames)} frames")


if __name__ == "__main__":
    main()
