"""The closed world that searches are judged on: 219 crystals of {Mg, Ca, Zn}, {Si, Ge, Sn} and {N, P}.

    python -m tamiz.studies.closed_world -o closed.xyz
    python -m tamiz.studies.closed_world --other-shapes -o starts.xyz

Every one is to be relaxed with DFT, so that a search can be asked how many labels it needs to find those that are stable
and have a gap in a window. ABX2 in seven orders and delafossite with either metal between the layers (162), AB2X2 of
two of {Mg, Ca, Zn} in two types (24), antiperovskites (15) and half-Heuslers of two of {Mg, Ca, Zn}, either of which
may build the zincblende lattice with Si, Ge or Sn (18). Structures have their prototype's shape and a volume from their
elements: they are the start of a relaxation, not its end. Which of them become the same crystal is seen after it.
`--other-shapes` adds second starts for a model, which costs it little, where a type has two branches: ThCr2Si2 with and without bonds between X, as
``closed/ThCr2Si2/Mg-Ca-N/open``. A model's answer for a crystal is the lowest of its starts.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tomllib
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.io import write
from ase.neighborlist import neighbor_list

import tamiz
from tamiz.studies.known_structures import conventional_cell, primitive_cell

TWO, FOUR, FIVE = ("Mg", "Ca", "Zn"), ("Si", "Ge", "Sn"), ("N", "P")
ORDERS = ("chalcopyrite", "beta-NaFeO2", "Pmc2_1", "CuAu-like", "alpha-NaFeO2", "gamma-LiFeO2")
# [Å³] of an atom in compounds with P, with N but without P, and in others: the first two by least squares from the volumes of the
# known phases, of which they leave about 1.1 Å³ an atom
VOLUMES = {
    "P": {"Mg": 22.6, "Ca": 27.7, "Zn": 18.1, "Si": 22.3, "Ge": 21.9, "Sn": 27.9, "N": 3.5, "P": 19.6},
    "N": {"Mg": 18.0, "Ca": 28.3, "Zn": 16.9, "Si": 19.9, "Ge": 22.3, "Sn": 29.7, "N": 2.7},
    "": {"Mg": 21.0, "Ca": 37.0, "Zn": 16.0, "Si": 19.0, "Ge": 21.0, "Sn": 28.0},
}
OTHER_SHAPE = "/open"  # behind the name of a second start
DENSE, DENSITY = ("alpha-NaFeO2", "gamma-LiFeO2", "rocksalt-order"), 0.87  # most known phases have four neighbours, these six

# Types that are not among the prototypes of campaigns.
ROCKSALT_ORDER = {  # rocksalt with layers of A and B along one edge, CuAu-like
    "hall_number": 400, "lattice": [1.0, 1.0, 1.4142, 90, 90, 90],
    "sites": [{"label": "A", "at": "0 0 0"}, {"label": "B", "at": "1/2 1/2 1/2"}, {"label": "X", "at": "1/2 1/2 0"},
              {"label": "X", "at": "0 0 1/2"}],
}  # fmt: skip
ANTIPEROVSKITE = {  # A3BX: X in an octahedron of A
    "hall_number": 517, "lattice": [1.0, 1.0, 1.0, 90, 90, 90],
    "sites": [{"label": "A", "at": "1/2 0 0"}, {"label": "B", "at": "1/2 1/2 1/2"}, {"label": "X", "at": "0 0 0"}],
}  # fmt: skip


def prototypes():
    path = Path(tamiz.data_directory()) / "prototypes" / "prototypes.toml"
    return {entry["name"]: entry for entry in tomllib.loads(path.read_text())["prototype"]}


def on_sites(prototype: dict, elements: dict[str, str]) -> Atoms:
    """The conventional cell of a prototype whose labels stand for these elements, of the size of the entry."""
    sites = [{"element": elements[site["label"]], "at": site["at"]} for site in prototype["sites"]]
    return conventional_cell({"lattice": prototype["lattice"], "hall_number": prototype["hall_number"], "sites": sites})


def decorated(kind: str, prototype: dict, elements: dict[str, str]) -> Atoms:
    """The primitive cell of a prototype whose labels stand for these elements."""
    atoms = on_sites(prototype, elements)
    volumes = VOLUMES["P" if "P" in atoms.symbols else "N" if "N" in atoms.symbols else ""]
    volume = sum(volumes[symbol] for symbol in atoms.symbols) * (DENSITY if kind in DENSE else 1.0)
    scale = (volume / atoms.get_volume()) ** (1 / 3)
    atoms.set_cell(scale * atoms.cell.array, scale_atoms=True)
    atoms = primitive_cell(atoms)
    decoration = " ".join(f"{label}={element}" for label, element in elements.items())
    atoms.info = {"id": f"closed/{kind}/{'-'.join(elements.values())}", "config_type": kind, "decoration": decoration}
    return atoms


def crystal_of(name: str) -> str:
    """That a start is one of: its name without ``/open``."""
    return name.removesuffix(OTHER_SHAPE)


def of_two(known: dict, kind: str) -> list[Atoms]:
    """AB2X2 of two of the metals and N or P."""
    return [decorated(kind, known[kind], {"A": a, "B": b, "X": x}) for (a, b), x in itertools.product(itertools.permutations(TWO, 2), FIVE)]


def other_shapes() -> list[Atoms]:
    """Second starts of crystals of the closed world, whose shortest bonds of a metal to N or P are as long as covalent radii say, which leaves more room than in the first."""
    starts = of_two(prototypes(), "ThCr2Si2-open")
    for atoms in starts:
        first, second, distances = neighbor_list("ijd", atoms, 5.0)
        radii, is_anion = covalent_radii[atoms.numbers], np.isin(atoms.symbols, FIVE)
        bonds = is_anion[first] > is_anion[second]
        atoms.set_cell(atoms.cell.array * ((radii[first] + radii[second]) / distances)[bonds].max(), scale_atoms=True)
        atoms.info |= {"id": atoms.info["id"].replace("-open/", "/") + OTHER_SHAPE, "config_type": "ThCr2Si2"}
    return starts


def closed_world() -> list[Atoms]:
    known = prototypes()
    world = []
    for a, b, x in itertools.product(TWO, FOUR, FIVE):
        elements = {"A": a, "B": b, "X": x}
        world += [decorated(kind, known[kind], elements) for kind in ORDERS]
        world.append(decorated("rocksalt-order", ROCKSALT_ORDER, elements))
        world.append(decorated("delafossite", known["delafossite"], elements))
        world.append(decorated("delafossite-exchanged", known["delafossite"], {"A": b, "B": a, "X": x}))
    world += [atoms for both in zip(of_two(known, "CaAl2Si2"), of_two(known, "ThCr2Si2")) for atoms in both]
    for a, (b, x) in itertools.product(TWO, [*((four, "N") for four in FOUR), ("P", "N"), ("N", "P")]):
        world.append(decorated("antiperovskite", ANTIPEROVSKITE, {"A": a, "B": b, "X": x}))
    for (a, b), x in itertools.product(itertools.permutations(TWO, 2), FOUR):
        world.append(decorated("half-Heusler", known["half-Heusler"], {"A": x, "B": b, "X": a}))
    return world


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--other-shapes", action="store_true", help="second starts, too")
    arguments = parser.parse_args()
    world = closed_world() + (other_shapes() if arguments.other_shapes else [])
    write(arguments.output, world, format="extxyz")
    print(f"{len(world)} structures of {sum(map(len, world))} atoms", file=sys.stderr)


if __name__ == "__main__":
    main()
