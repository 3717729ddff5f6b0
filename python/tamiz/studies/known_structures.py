"""Starting structures of the known phases, for their relaxation with DFT.

    python -m tamiz.studies.known_structures Mg Ca Zn Si Ge Sn N P -o start.xyz

Every competitor of `datasets/known/known_phases.toml` between these elements that comes with coordinates, as its
primitive cell, small ones first. Frames name their mesh where the worker's rule does not do: molecules, and compounds
without an anion of more than `--large` atoms in the cell, which take the mesh of the class `anion`.
Competitors without coordinates are listed on standard error.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import spglib
from ase import Atoms
from ase.formula import Formula
from ase.geometry import cellpar_to_cell
from ase.io import write

import tamiz

NONMETALS = {"N", "P", "O", "S"}
SAME_PLACE = 1e-3  # [Å]


def place(text):
    return np.array([float(Fraction(number)) for number in text.split()])


def conventional_cell(phase):
    """All atoms of the cell that the entry gives."""
    cell = cellpar_to_cell(phase["lattice"])
    symmetry = spglib.get_symmetry_from_database(phase["hall_number"])
    symbols, places = [], []
    for site in phase["sites"]:
        orbit = []
        for rotation, translation in zip(symmetry["rotations"], symmetry["translations"]):
            image = (rotation @ place(site["at"]) + translation) % 1.0
            apart = (np.array(orbit).reshape(-1, 3) - image + 0.5) % 1.0 - 0.5
            if not orbit or np.linalg.norm(apart @ cell, axis=1).min() > SAME_PLACE:
                orbit.append(image)
        symbols += [site["element"]] * len(orbit)
        places += orbit
    return Atoms(symbols, cell=cell, scaled_positions=places, pbc=True)


def primitive_cell(atoms):
    """In the standard setting, in which symmetry saves most."""
    kinds = atoms.get_atomic_numbers()
    cell, places, kinds = spglib.standardize_cell((atoms.cell.array, atoms.get_scaled_positions(), kinds), to_primitive=True,
                                                  no_idealize=True, symprec=SAME_PLACE)
    return Atoms(kinds, cell=cell, scaled_positions=places, pbc=True)


def mesh_of(atoms, large):
    """The class of mesh, where the frame has to name it."""
    elements = set(atoms.symbols)
    if len(atoms) == 2 and elements == {"N"}:
        return "molecule"
    if len(atoms) <= large:
        return None
    return None if elements & NONMETALS else "anion"


def listed_phases():
    """The entries of `known_phases.toml`."""
    return tomllib.loads((Path(tamiz.data_directory()) / "known" / "known_phases.toml").read_text())["phase"]


def start_of(phase, large):
    whole = conventional_cell(phase)
    is_molecule = mesh_of(whole, large) == "molecule"
    atoms = whole if is_molecule else primitive_cell(whole)
    if len(atoms) != phase["atoms"]:
        sys.exit(f"{phase['id']}: {len(atoms)} atoms in the primitive cell, the list says {phase['atoms']}")
    atoms.info["id"] = phase["id"]
    if mesh := mesh_of(atoms, large):
        atoms.info["mesh"] = mesh
    return atoms


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("elements", nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--large", type=int, default=11, help="largest cell of a compound without an anion on the mesh of its class (default: 11 atoms)")
    arguments = parser.parse_args()
    wanted = [p for p in listed_phases() if p["role"] == "competitor" and set(Formula(p["formula"]).count()) <= set(arguments.elements)]
    starts = [start_of(phase, arguments.large) for phase in wanted if "lattice" in phase]
    for phase in wanted:
        if "lattice" not in phase:
            print(f"{phase['id']} has no coordinates in the list", file=sys.stderr)
    write(arguments.output, sorted(starts, key=len), format="extxyz")
    print(f"{len(starts)} structures of {sum(map(len, starts))} atoms", file=sys.stderr)


if __name__ == "__main__":
    main()
