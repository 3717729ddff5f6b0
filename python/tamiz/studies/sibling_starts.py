"""Starts of relaxations of the closed world, moved as their siblings moved that were relaxed with DFT, which saves steps of DFT.

    python -m tamiz.studies.sibling_starts closed.xyz --ledger closed.tz --known known.tz -o closed.xyz

A start that is a known phase takes the geometry to which that was relaxed. Of the others, how far the cell is strained and atoms are displaced
from `closed_world` is taken as a sum of what the elements at the places of the type do to it, by ridge regression from all that
were relaxed; where leaving one out says that this is no better than the starts as they are, these stay. So do starts that the ledger has an answer to.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write
from scipy.linalg import expm, logm

import tamiz
from tamiz.studies.closed_world import closed_world
from tamiz.studies.ledgers import atoms_of, finished_labels

RIDGE = 0.5  # weight of an element at a place, against one crystal
FEWEST = 4  # crystals of a type that anything is learnt from
SAME_VOLUME = 0.7, 1.4  # of a known phase and a start, at least and at most: the matcher looks at the shape only
GAIN = 0.7  # of the error of the starts, at most, where the siblings' is used


def change(base: Atoms, end: Atoms) -> np.ndarray:
    """Logarithmic strain (3, 3) of the cell and displacements (n, 3) of fractional coordinates from `base` to `end`, as one row.

    Cells may be rotated against each other; the mean displacement, where an origin is arbitrary, is left out.
    """
    deformation = np.linalg.solve(base.cell.array, end.cell.array)
    strain = logm(deformation @ deformation.T).real / 2.0
    moves = end.get_scaled_positions(wrap=False) - base.get_scaled_positions(wrap=False)
    moves -= np.rint(moves - moves[0])
    return np.concatenate([strain.ravel(), (moves - moves.mean(axis=0)).ravel()])


def changed(base: Atoms, row: np.ndarray) -> Atoms:
    """What `change` gives this row for."""
    atoms = base.copy()
    atoms.set_scaled_positions(base.get_scaled_positions(wrap=False) + row[9:].reshape(-1, 3))
    atoms.set_cell(base.cell.array @ expm(row[:9].reshape(3, 3)), scale_atoms=True)
    return atoms


def kind_and_elements(name: str) -> tuple[str, list[str]]:
    """Of an id of the closed world, closed/<kind>/<element of each label>."""
    _, kind, elements = name.split("/")
    return kind, elements.split("-")


def predicted(elements: list[list[str]], rows: np.ndarray, wanted: list[str]) -> np.ndarray:
    """Ridge regression of rows on which element is at which place."""
    places = sorted({(k, element) for one in elements for k, element in enumerate(one)})
    design = np.array([[one[k] == element for k, element in places] for one in elements], float)
    middle = design.mean(axis=0)
    kernel = (design - middle) @ (design - middle).T + RIDGE * np.eye(len(rows))
    weights = np.linalg.solve(kernel, (design - middle) @ (np.array([wanted[k] == element for k, element in places], float) - middle))
    return rows.mean(axis=0) + weights @ (rows - rows.mean(axis=0))


def strain_error(rows: np.ndarray) -> float:
    """Root mean square of the strains that are left."""
    return float(np.sqrt((np.atleast_2d(rows)[:, :9] ** 2).sum(axis=1).mean()))


def relaxations(ledger: Path) -> dict[str, tuple[Atoms, Atoms]]:
    """By id, what was asked for and its end."""
    return {record["id"]: (atoms_of(record["structure"]), atoms_of(record["frame"])) for record in finished_labels(ledger, "relax")}


def in_the_setting_of(start: Atoms, crystals: list[Atoms]) -> Atoms | None:
    """The first of the crystals that is the same as `start`, in its cell and order of atoms."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher(primitive_cell=False)
    for crystal in crystals:
        if sorted(crystal.symbols) != sorted(start.symbols):
            continue
        if not SAME_VOLUME[0] < crystal.get_volume() / start.get_volume() < SAME_VOLUME[1]:
            continue
        found = matcher.get_s2_like_s1(tamiz.to_pymatgen(start), tamiz.to_pymatgen(crystal))
        if found is not None:
            return tamiz.to_ase(tamiz.to_structure(found))
    return None


def sibling_starts(starts: list[Atoms], ends: dict[str, tuple[Atoms, Atoms]], known: list[Atoms]) -> tuple[list[Atoms], dict[str, str]]:
    """The starts, some of them moved; and by id, for those that no end answers, where they are from."""
    bases = {atoms.info["id"]: atoms for atoms in closed_world()}
    ends = {name: end for name, end in ends.items() if name in bases}
    open_starts = {atoms.info["id"]: atoms for atoms in starts if atoms.info["id"] not in ends}
    moved = {name: found for name, atoms in open_starts.items() if (found := in_the_setting_of(atoms, known)) is not None}
    origin = {name: "known" if name in moved else "as before" for name in open_starts}
    families = defaultdict(list)
    for name in list(ends) + list(moved):
        families[kind_and_elements(name)[0]].append(name)
    for kind, names in families.items():
        if len(names) < FEWEST:
            continue
        rows = np.array([change(bases[name], ends[name][1] if name in ends else moved[name]) for name in names])
        elements = [kind_and_elements(name)[1] for name in names]
        others = [[k for k in range(len(names)) if k != one] for one in range(len(names))]
        left_out = [rows[k] - predicted([elements[j] for j in rest], rows[rest], elements[k]) for k, rest in enumerate(others)]
        before = [rows[k] - change(bases[name], ends[name][0]) for k, name in enumerate(names) if name in ends]
        if strain_error(left_out) > GAIN * strain_error(before or rows):
            continue
        for name in open_starts:
            if name not in moved and kind_and_elements(name)[0] == kind:
                moved[name] = changed(bases[name], predicted(elements, rows, kind_and_elements(name)[1]))
                origin[name] = "siblings"
    for name, atoms in moved.items():
        atoms.info = dict(open_starts[name].info)
        atoms.calc = None
    return [moved.get(atoms.info["id"], atoms) for atoms in starts], origin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("starts", type=Path)
    parser.add_argument("--ledger", type=Path, required=True, help="relaxations of the closed world")
    parser.add_argument("--known", type=Path, help="relaxations of known phases")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    known = [end for _, end in relaxations(arguments.known).values()] if arguments.known else []
    better, origin = sibling_starts(read(arguments.starts, ":"), relaxations(arguments.ledger), known)
    write(arguments.output, better, format="extxyz")
    for where in ("known", "siblings", "as before"):
        names = [name for name, one in origin.items() if one == where]
        print(f"{where}: {len(names)}  {' '.join(names)}")


if __name__ == "__main__":
    main()
