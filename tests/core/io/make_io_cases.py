"""Writes the structure files in golden/ with ASE (and CIF files with symmetry with pymatgen), and what they hold into
golden/expected.json.

    .venv/bin/python tests/core/io/make_io_cases.py

Made with ASE 3.29.0 and pymatgen 2026.10.24; only this script writes into golden/.
"""

import json
import warnings
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.spacegroup import crystal

warnings.filterwarnings("ignore")
FOLDER = Path(__file__).parent / "golden"
RANDOM = np.random.default_rng(20260101)


def with_labels(atoms: Atoms, stress: bool = True, free_energy: bool = True) -> Atoms:
    results = {"energy": RANDOM.normal(), "forces": RANDOM.normal(size=(len(atoms), 3))}
    if stress:
        results["stress"] = RANDOM.normal(size=6) / 100
    if free_energy:
        results["free_energy"] = results["energy"] - 0.01
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def triclinic() -> Atoms:
    cell = [[4.0, 0.1, -0.2], [1.9, 3.5, 0.3], [0.7, -1.6, 5.1]]
    return Atoms("CaZn2N2", scaled_positions=RANDOM.random((5, 3)), cell=cell, pbc=True)


def structures() -> dict[str, list[Atoms]]:
    left = triclinic()
    left.set_cell(left.cell[[1, 0, 2]], scale_atoms=False)
    slab = Atoms("Al2O", positions=RANDOM.random((3, 3)) * 4 - 2, cell=[4, 5, 20], pbc=(True, True, False))
    outside = triclinic()
    outside.positions += 17.3
    decorated = with_labels(triclinic())
    decorated.set_initial_magnetic_moments([0.5, -0.5, 0.0, 1.0, 2.0])
    decorated.set_tags([0, 1, 2, 3, 4])
    decorated.info.update(config_type="bulk with blanks", level="pbe-600", count=3, accepted=True, vector=[1.0, 2.0, 3.5])
    water = with_labels(molecule("H2O"), stress=False)
    fixed = bulk("Mg", "hcp", a=3.2, c=5.2) * (2, 1, 1)
    fixed.set_constraint(FixAtoms([1, 2]))
    return {
        "labelled.xyz": [with_labels(triclinic()), with_labels(bulk("Si", cubic=True)), water, with_labels(slab, free_energy=False)],
        "geometry.xyz": [triclinic(), left, outside, molecule("CH3CH2OH"), slab],
        "decorated.extxyz": [decorated],
        "triclinic.cif": [triclinic()],
        "left_handed.vasp": [left],
        "POSCAR_direct": [triclinic()],
        "POSCAR_cartesian": [outside],
        "POSCAR_selective": [fixed],
        "wurtzite.cif": [bulk("ZnO", "wurtzite", a=3.25, c=5.2)],
    }


def expected(atoms: Atoms) -> dict:
    entry = {"symbols": atoms.get_chemical_symbols(), "cell": atoms.cell.array.tolist(), "pbc": atoms.pbc.tolist(),
             "positions": atoms.positions.tolist()}
    if atoms.calc is not None:
        entry |= {"energy": atoms.get_potential_energy(force_consistent=False), "forces": atoms.get_forces().tolist()}
        if "free_energy" in atoms.calc.results:
            entry["free_energy"] = atoms.calc.results["free_energy"]
        if "stress" in atoms.calc.results:
            entry["stress"] = atoms.get_stress(voigt=False).tolist()
    return entry


def write_with_symmetry(name: str, atoms: Atoms) -> None:
    """A CIF of the asymmetric unit with the operations of the group, as databases give them."""
    from pymatgen.io.ase import AseAtomsAdaptor
    from pymatgen.io.cif import CifWriter

    CifWriter(AseAtomsAdaptor.get_structure(atoms), symprec=0.01).write_file(FOLDER / name)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    cases = {}
    for name, frames in structures().items():
        if name.startswith("POSCAR") or name.endswith(".vasp"):
            ase.io.write(FOLDER / name, frames[0], format="vasp", direct="direct" in name, vasp5=True)
        else:
            ase.io.write(FOLDER / name, frames if len(frames) > 1 else frames[0])
        # What ASE itself reads back is what the file says, to the digits that it holds.
        form = "vasp" if name.startswith("POSCAR") or name.endswith(".vasp") else None
        cases[name] = [expected(atoms) for atoms in ase.io.read(FOLDER / name, ":", format=form)]
    symmetric = {
        "corundum_symmetry.cif": crystal(["Al", "O"], [(0, 0, 0.35219), (0.30624, 0, 0.25)], spacegroup=167, cellpar=[4.757, 4.757, 12.988, 90, 90, 120]),
        "fluorite_symmetry.cif": crystal(["Ca", "F"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225, cellpar=[5.463] * 3 + [90] * 3),
        "pna21_symmetry.cif": crystal(["Zn", "Ge", "N", "N"], [(0.083, 0.62, 0.0), (0.083, 0.125, 0.0), (0.095, 0.12, 0.365), (0.07, 0.63, 0.385)], spacegroup=33,
                                      cellpar=[5.45, 6.44, 5.19, 90, 90, 90]),
    }
    for name, atoms in symmetric.items():
        write_with_symmetry(name, atoms)
        cases[name] = [expected(ase.io.read(FOLDER / name))]
    (FOLDER / "expected.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
