"""Convergence study behind a DFT level: cutoff, mesh, Pulay constants and their check.

    python -m tamiz.studies.level_convergence datasets/levels/pbe-600.json > convergence.json

Writes one JSON object with, for elements and compounds of Ca, Mg, Si and N:

cutoff   formation energies [eV/atom] at several cutoffs
mesh     energies [eV/atom] at several k-point densities
pulay    dE/dE_cut per atom [eV/eV], fitted to energies at 0.95 and 1.05 of the level's cutoff
stress   corrected stress against −dE/dV at fixed cutoff [GPa]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.units import GPa

sys.path.insert(0, str(Path(__file__).parents[1] / "workers"))
import gpaw_worker  # noqa: E402

SYMMETRY = {"symmorphic": True}  # as the worker's for small cells
ELEMENTS = {"Ca": "Ca", "Mg": "Mg", "Si": "Si", "N": "N2"}


def test_set() -> dict[str, Atoms]:
    """Metals, a molecule in a box, a narrow-gap and wider-gap compounds, near their measured lattices."""
    n2 = Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.1]], cell=[7.0, 7.1, 7.2], pbc=True)
    n2.center()
    a, c = 3.54, 6.09
    layered = Atoms(
        "CaMgMgNN",
        cell=[[a, 0, 0], [-a / 2, a * 3**0.5 / 2, 0], [0, 0, c]],
        pbc=True,
        scaled_positions=[[0, 0, 0], [1 / 3, 2 / 3, 0.63], [2 / 3, 1 / 3, 0.37], [1 / 3, 2 / 3, 0.265], [2 / 3, 1 / 3, 0.735]],
    )
    fcc = 6.35 * np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    mg2si = Atoms("SiMg2", cell=fcc, pbc=True, scaled_positions=[[0, 0, 0], [0.25] * 3, [0.75] * 3])
    return {
        "Ca": bulk("Ca", "fcc", 5.53),
        "Mg": bulk("Mg", "hcp", 3.19, 5.18),
        "Si": bulk("Si", "diamond", 5.47),
        "N2": n2,
        "CaMg2N2": layered,
        "Mg2Si": mg2si,
        "SiN": bulk("SiN", "zincblende", 4.3),
        "MgN": bulk("MgN", "rocksalt", 4.5),
    }


def calculate(atoms: Atoms, level: dict, **changes) -> tuple[float, float]:
    """Free energy [eV] and uncorrected mean stress [eV/Å³]; a coarse mesh, equal for all cutoffs."""
    settings = level | changes
    density = settings.pop("density", 2.0)
    kpoints = (1, 1, 1) if len(set(atoms.symbols)) == 1 and "N" in atoms.symbols else gpaw_worker.mesh_size(atoms, density)
    work = atoms.copy()
    work.calc = gpaw_worker.make_gpaw(work, settings, kpoints, SYMMETRY)
    energy = work.get_potential_energy(force_consistent=True)
    return energy, float(np.mean(work.get_stress()[:3]))


def cutoff_study(level: dict, cutoffs: list[float]) -> dict:
    atoms = test_set()
    energies = {(name, cutoff): calculate(atoms[name], level, cutoff=cutoff)[0] for cutoff in cutoffs for name in atoms}
    formation = {}
    for name in ("CaMg2N2", "Mg2Si", "SiN", "MgN"):
        formation[name] = {}
        for cutoff in cutoffs:
            of_elements = sum(
                energies[ELEMENTS[symbol], cutoff] / len(atoms[ELEMENTS[symbol]]) for symbol in atoms[name].symbols
            )
            formation[name][cutoff] = (energies[name, cutoff] - of_elements) / len(atoms[name])
    return formation


def pulay_study(level: dict) -> dict:
    atoms = {name: a for name, a in test_set().items() if name != "N2"}
    low, high = 0.95 * level["cutoff"], 1.05 * level["cutoff"]
    slopes, counts = [], []
    for structure in atoms.values():
        difference = calculate(structure, level, cutoff=high)[0] - calculate(structure, level, cutoff=low)[0]
        slopes.append(difference / (high - low))
        counts.append([structure.symbols.count(symbol) for symbol in ELEMENTS])
    constants = np.linalg.lstsq(np.array(counts, float), np.array(slopes), rcond=None)[0]
    return dict(zip(ELEMENTS, constants.tolist()))


def stress_study(level: dict, constants: dict) -> dict:
    """Corrected stress and its reference, dE/dV by central difference at 1 % of the volume, at fixed mesh."""
    result = {}
    for name in ("Si", "CaMg2N2", "Mg2Si", "SiN"):
        atoms = test_set()[name]
        kpoints = gpaw_worker.mesh_size(atoms, 2.0)
        energies = []
        for factor in (0.99, 1.01):
            strained = atoms.copy()
            strained.set_cell(atoms.cell * factor ** (1 / 3), scale_atoms=True)
            strained.calc = gpaw_worker.make_gpaw(strained, level, kpoints, SYMMETRY)
            energies.append(strained.get_potential_energy(force_consistent=True))
        reference = (energies[1] - energies[0]) / (0.02 * atoms.get_volume())
        raw = calculate(atoms, level)[1]
        correction = gpaw_worker.pulay_stress(atoms, level | {"pulay": constants})[0, 0]
        result[name] = {"raw": raw / GPa, "corrected": (raw + correction) / GPa, "energy_derivative": reference / GPa}
    return result


def mesh_study(level: dict, densities: list[float]) -> dict:
    atoms = test_set()
    result = {}
    for name in ("Ca", "Mg", "Si", "CaMg2N2", "Mg2Si", "SiN"):
        result[name] = {d: calculate(atoms[name], level, cutoff=350.0, density=d)[0] / len(atoms[name]) for d in densities}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("level", type=Path)
    parser.add_argument("--parts", nargs="+", default=["cutoff", "mesh", "pulay", "stress"])
    arguments = parser.parse_args()
    level = json.loads(arguments.level.read_text())
    result = {}
    if "cutoff" in arguments.parts:
        result["cutoff"] = cutoff_study(level, [500.0, 600.0, 750.0])
    if "mesh" in arguments.parts:
        result["mesh"] = mesh_study(level, [2.0, 3.0, 4.0, 5.0, 6.0])
    constants = pulay_study(level) if "pulay" in arguments.parts else level["pulay"]
    result["pulay"] = constants
    if "stress" in arguments.parts:
        result["stress"] = stress_study(level, constants)
    json.dump(result, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
