"""Frames at the edges of what a potential meets, so that no relaxation falls into a hole there.

    python -m tamiz.studies.edge_frames Mg Ca Zn Si Ge Sn N P --crystals hull.h5 --max-atoms 5 -o edges.xyz

Every element alone in a box, whose energies are the reference energies of a model. For every pair of the elements, two atoms in a box at 0.5 to 3 times the sum of their covalent radii (mesh ``molecule``), and the
crystals of two atoms with four and six neighbours, zincblende and rocksalt, at 0.85 to 1.4 times it, some with one atom moved; of every crystal that is
given, 0.6 to 1.6 times its volume at its own shape. Crystals are the ends of the relaxations in a data set (``tamiz dataset``). The frames
are the input of ``tamiz label``.
"""

from __future__ import annotations

import argparse
import itertools
import math
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_numbers, covalent_radii
from ase.io import write

import tamiz
from tamiz import _tamiz
from tamiz.studies.relaxed import relaxed_ends

RATIOS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.35, 1.6, 2.0, 2.5, 3.0)  # of the sum of the radii
SPACINGS = (1.05, 0.95, 1.18, 0.85, 1.4)  # of neighbours in crystals of two atoms, of the sum of the radii; likely ones first
MOVED = ("/1.05", "/1.18")  # spacings at which one atom is moved, too
NEAR_VOLUMES = (0.87, 0.94, 1.0, 1.07, 1.15)  # of the crystal's, for bulk moduli
FAR_VOLUMES = (0.6, 0.7, 0.8, 1.25, 1.4, 1.6)
CLOSED_WORLD = "closed/"  # of names
ALONE = 11.0  # [Å] between an atom and its images
EMPTY = 8.0  # [Å] between the images of a pair: farther than a potential looks


def radii(first: str, second: str) -> float:
    """Sum of two covalent radii [Å] (doi:10.1039/b801115j)."""
    return covalent_radii[atomic_numbers[first]] + covalent_radii[atomic_numbers[second]]


def pair(first: str, second: str, ratio: float) -> Atoms:
    """Two atoms in a box of their own; its edges differ, so that no symmetry makes levels degenerate across them."""
    distance = ratio * radii(first, second)
    atoms = Atoms([first, second], positions=[[0, 0, 0], [0, 0, distance]], cell=[EMPTY, EMPTY + 0.1, EMPTY + 0.2 + distance], pbc=True)
    atoms.center()
    atoms.info.update(id=f"pair/{first}-{second}/{ratio:g}", mesh="molecule")
    return atoms


def isolated(element: str) -> Atoms:
    atoms = Atoms([element], cell=[ALONE, ALONE + 0.1, ALONE + 0.2], pbc=True)
    atoms.center()
    atoms.info.update(id=f"isolated/{element}", mesh="molecule")
    return atoms


def pairs(elements) -> list[Atoms]:
    return [pair(*two, ratio) for two in itertools.combinations_with_replacement(elements, 2) for ratio in RATIOS]


def pair_crystal(first: str, second: str, structure: str, spacing: float) -> Atoms:
    """Of one element, diamond and simple cubic. Far from equilibrium a mesh for small gaps is enough for compounds that are metals."""
    edge = spacing * radii(first, second) * {"zincblende": 4 / math.sqrt(3), "rocksalt": 2.0}[structure]
    atoms = bulk("NaCl", structure, edge)
    atoms.symbols = [first, second]
    mesh = "intermetallic" if first == second else "anion"
    atoms.info.update(id=f"{structure}/{first}-{second}/{spacing:g}", mesh=mesh)
    return atoms


def moved(crystal: Atoms) -> Atoms:
    """With one atom a tenth of the way to a neighbour and the cell 4 % longer along it: forces and shear at a third of the symmetry."""
    atoms = crystal.copy()
    way = atoms.get_distance(0, 1, mic=True, vector=True)
    along = np.outer(way, way) / (way @ way)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.04 * along), scale_atoms=True)
    atoms.positions[1] -= 0.1 * way
    atoms.info["id"] += "/moved"
    return atoms


def pair_crystals(elements) -> list[Atoms]:
    kinds = itertools.product(SPACINGS, itertools.combinations_with_replacement(elements, 2), ("zincblende", "rocksalt"))
    crystals = [pair_crystal(*two, structure, spacing) for spacing, two, structure in kinds]
    return crystals + [moved(crystal) for crystal in crystals if crystal.info["id"].endswith(MOVED)]


def at_volume(crystal: Atoms, factor: float, name: str) -> Atoms:
    """Near its own volume on the class of mesh that the crystal was relaxed on, so that energies make one curve."""
    atoms = Atoms(crystal.numbers, cell=crystal.cell * factor ** (1 / 3), scaled_positions=crystal.get_scaled_positions(), pbc=True)
    atoms.info.update(id=f"volume/{name}/{factor:g}")
    if "mesh" in crystal.info and factor in NEAR_VOLUMES:
        atoms.info["mesh"] = crystal.info["mesh"]
    return atoms


def relaxed_crystals(data, elements, max_atoms: int) -> dict[str, Atoms]:
    """By the name of the phase, known phases first and what DFT is expected to be quick with; molecules have no volume."""
    ends = {name: frame for name, frame in relaxed_ends(data, molecules=False).items()
            if len(frame.structure) <= max_atoms and set(frame.structure.symbols) <= set(elements)}
    costs = {name: _tamiz.relative_cost(frame.structure, frame.structure.space_group().number) for name, frame in ends.items()}
    crystals = {}
    for name in sorted(ends, key=lambda name: (name.startswith(CLOSED_WORLD), costs[name])):
        crystals[name] = tamiz.to_ase(ends[name].structure)
        if mesh := ends[name].info.get("mesh_used"):
            crystals[name].info["mesh"] = mesh
    return crystals


def edge_frames(elements, crystals: dict[str, Atoms]) -> list[Atoms]:
    near, far = ([at_volume(crystal, factor, name) for name, crystal in crystals.items() for factor in volumes] for volumes in (NEAR_VOLUMES, FAR_VOLUMES))
    return [isolated(element) for element in elements] + pair_crystals(elements) + near + far + pairs(elements)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("elements", nargs="+", choices=sorted(atomic_numbers), metavar="ELEMENT")
    parser.add_argument("--crystals", type=Path, help="data set of relaxations")
    parser.add_argument("--max-atoms", type=int, default=5, help="of a crystal's cell (default: 5)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    crystals = {}
    if arguments.crystals:
        crystals = relaxed_crystals(tamiz.datasets.load(arguments.crystals), arguments.elements, arguments.max_atoms)
    frames = edge_frames(arguments.elements, crystals)
    write(arguments.output, frames, format="extxyz")
    print(f"{len(frames)} frames, of {len(crystals)} crystals")


if __name__ == "__main__":
    main()
