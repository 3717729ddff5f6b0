"""The closed world that searches are judged on: 219 crystals of {Mg, Ca, Zn}, {Si, Ge, Sn} and {N, P}.

    python -m tamiz.studies.closed_world -o closed.xyz

Every one is to be relaxed with DFT, so that a search can be asked how many labels it needs to find those that are stable
and have a gap in a window. ABX2 in seven orders and delafossite with either metal between the layers (162), AB2X2 of
two of {Mg, Ca, Zn} in two types (24), antiperovskites (15) and half-Heuslers of two of {Mg, Ca, Zn}, either of which
may build the zincblende lattice with Si, Ge or Sn (18). Structures have their prototype's shape and a volume from their
elements: they are the start of a relaxation, not its end. Which of them become the same crystal is seen after it.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tomllib
from pathlib import Path

from ase import Atoms
from ase.io import write

import tamiz
from tamiz.studies.known_structures import conventional_cell, primitive_cell

TWO, FOUR, FIVE = ("Mg", "Ca", "Zn"), ("Si", "Ge", "Sn"), ("N", "P")
ORDERS = ("chalcopyrite", "beta-NaFeO2", "Pmc2_1", "CuAu-like", "alpha-NaFeO2", "gamma-LiFeO2")
# [Å³] of an atom in compounds with N or P, where it is an ion, and in others
ION_VOLUME = {"Mg": 11.5, "Ca": 22.0, "Zn": 10.5, "Si": 7.0, "Ge": 8.5, "Sn": 13.5, "N": 13.5, "P": 24.0}
METAL_VOLUME = {"Mg": 20.0, "Ca": 34.0, "Zn": 15.0, "Si": 18.0, "Ge": 20.0, "Sn": 27.0}

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


def decorated(kind: str, prototype: dict, elements: dict[str, str]) -> Atoms:
    """The primitive cell of a prototype whose labels stand for these elements."""
    sites = [{"element": elements[site["label"]], "at": site["at"]} for site in prototype["sites"]]
    atoms = conventional_cell({"lattice": prototype["lattice"], "hall_number": prototype["hall_number"], "sites": sites})
    volumes = ION_VOLUME if set(atoms.symbols) & set(FIVE) else METAL_VOLUME
    scale = (sum(volumes[symbol] for symbol in atoms.symbols) / atoms.get_volume()) ** (1 / 3)
    atoms.set_cell(scale * atoms.cell.array, scale_atoms=True)
    atoms = primitive_cell(atoms)
    decoration = " ".join(f"{label}={element}" for label, element in elements.items())
    atoms.info = {"id": f"closed/{kind}/{'-'.join(elements.values())}", "config_type": kind, "decoration": decoration}
    return atoms


def closed_world() -> list[Atoms]:
    known = prototypes()
    world = []
    for a, b, x in itertools.product(TWO, FOUR, FIVE):
        elements = {"A": a, "B": b, "X": x}
        world += [decorated(kind, known[kind], elements) for kind in ORDERS]
        world.append(decorated("rocksalt-order", ROCKSALT_ORDER, elements))
        world.append(decorated("delafossite", known["delafossite"], elements))
        world.append(decorated("delafossite-exchanged", known["delafossite"], {"A": b, "B": a, "X": x}))
    for (a, b), x, kind in itertools.product(itertools.permutations(TWO, 2), FIVE, ("CaAl2Si2", "ThCr2Si2")):
        world.append(decorated(kind, known[kind], {"A": a, "B": b, "X": x}))
    for a, (b, x) in itertools.product(TWO, [*((four, "N") for four in FOUR), ("P", "N"), ("N", "P")]):
        world.append(decorated("antiperovskite", ANTIPEROVSKITE, {"A": a, "B": b, "X": x}))
    for (a, b), x in itertools.product(itertools.permutations(TWO, 2), FOUR):
        world.append(decorated("half-Heusler", known["half-Heusler"], {"A": x, "B": b, "X": a}))
    return world


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    world = closed_world()
    write(arguments.output, world, format="extxyz")
    print(f"{len(world)} structures of {sum(map(len, world))} atoms", file=sys.stderr)


if __name__ == "__main__":
    main()
