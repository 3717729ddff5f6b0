"""Phonons by a model and with DFT, at the zone centre and its boundary.

    python -m tamiz.studies.phonons --relaxed hull.h5 --crystals Si Mg2Si --write displaced.xyz
    tamiz label displaced.xyz --oracle gpaw --level pbe-600g -o labelled.xyz
    python -m tamiz.studies.phonons --relaxed hull.h5 --crystals Si Mg2Si --labels labelled.xyz --model MODEL.safetensors -o phonons.json

Displacements are those of phonopy (doi:10.7566/JPSJ.92.012001) in supercells of twice the primitive cell along every axis; wave vectors whose
coordinates are 0 or 1/2 fit into them, so that their frequencies take no interpolation. Both are calculated at the geometry that DFT
relaxed, less the forces that are left there. The splitting of longitudinal and transverse optical modes at the zone centre is left out. The
three acoustic modes at the zone centre are not counted. An imaginary frequency is given as a negative one.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
from ase.io import write
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

import tamiz
from tamiz.studies.kept_results import replace_json
from tamiz.studies.relaxed import ends_named

COPIES = 2
DISPLACEMENT = 0.02  # [Å]
IMAGINARY = -0.1  # [THz] below it a mode counts as unstable
POINTS = [np.array(q) / 2 for q in itertools.product((0, 1), repeat=3)]


def phonons_of(structure: tamiz.Structure) -> Phonopy:
    """With displacements, of the primitive cell."""
    crystal = PhonopyAtoms(symbols=structure.symbols, cell=structure.cell, scaled_positions=structure.fractional)
    phonon = Phonopy(crystal, supercell_matrix=np.eye(3, dtype=int) * COPIES, primitive_matrix=np.eye(3))
    phonon.generate_displacements(distance=DISPLACEMENT)
    return phonon


def to_structure(cell: PhonopyAtoms) -> tamiz.Structure:
    return tamiz.Structure(cell.symbols, cell.positions, cell.cell, (True, True, True))


def displaced(name: str, phonon: Phonopy) -> dict[str, tamiz.Structure]:
    return {f"phonon/{name}/{k}": to_structure(cell) for k, cell in enumerate(phonon.supercells_with_displacements)}


def on_supercell(phonon: Phonopy, forces: np.ndarray) -> np.ndarray:
    """Forces of the crystal on the atoms of its supercell."""
    cell = phonon.supercell
    return forces[[cell.u2u_map[k] for k in cell.s2u_map]]


def frequencies(phonon: Phonopy, forces: list[np.ndarray]) -> np.ndarray:
    """(number of points, modes) [THz], ascending; imaginary ones negative."""
    phonon.forces = np.array(forces)
    phonon.produce_force_constants()
    phonon.symmetrize_force_constants()
    return np.array([np.sort(modes) for modes in phonon.run_qpoints(POINTS).frequencies])


def without_acoustic(modes: np.ndarray) -> np.ndarray:
    """All modes but the three nearest to zero of the first point, the zone centre."""
    return np.concatenate([np.delete(modes[0], np.argsort(np.abs(modes[0]))[:3]), modes[1:].ravel()])


def compare(ours: np.ndarray, theirs: np.ndarray) -> dict:
    """Model and DFT, (number of points, modes) [THz]."""
    counted, true = without_acoustic(ours), without_acoustic(theirs)
    return {"mae": float(np.abs(counted - true).mean()), "largest": float(np.abs(counted - true).max()),
            "highest": [float(true.max()), float(counted.max())], "lowest": [float(true.min()), float(counted.min())],
            "falsely_imaginary": bool(counted.min() < IMAGINARY <= true.min()), "dft": theirs.tolist(), "model": ours.tolist()}


def problem(cells: dict[str, tamiz.Structure], labels: dict, end) -> str:
    """Why there are no frequencies with DFT; empty where there are."""
    lacking = [key for key in cells if key not in labels or labels[key].forces is None]
    if lacking:
        return f"{len(lacking)} of {len(cells)} supercells have no forces"
    if end.forces is None:
        return "the relaxed crystal has no forces"
    if any(np.abs(labels[key].structure.positions - cell.positions).max() > 0.1 * DISPLACEMENT for key, cell in cells.items()):
        return "the labelled supercells are of another relaxation"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relaxed", type=Path, required=True, help="data set of relaxed crystals")
    parser.add_argument("--crystals", nargs="+", required=True, help="names in it, without competing/")
    parser.add_argument("--write", type=Path, help="displaced supercells, to be labelled")
    parser.add_argument("--labels", type=Path, help="the same with forces")
    parser.add_argument("--model", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    ends = ends_named(arguments.relaxed, arguments.crystals, parser)
    phonons = {name: phonons_of(ends[name].structure) for name in arguments.crystals}
    if arguments.write:
        frames = []
        for name, phonon in phonons.items():
            for key, structure in displaced(name, phonon).items():
                frames.append(tamiz.to_ase(structure))
                frames[-1].info["id"] = key
        write(arguments.write, frames, format="extxyz")
        print(f"{len(frames)} supercells of {len(phonons)} crystals")
    if not (arguments.labels and arguments.model):
        return
    potential, result = tamiz.load(arguments.model, dtype="float64"), {}
    labels = {frame.info["id"]: frame for frame in tamiz.read(arguments.labels)}
    print("| crystal | mean absolute error [THz] | largest [THz] | highest, DFT and model [THz] | falsely imaginary |\n|---|---|---|---|---|")
    for name, phonon in phonons.items():
        cells = displaced(name, phonon)
        if why := problem(cells, labels, ends[name]):
            result[name] = {"failure": why}
            print(f"| {name} | {why} | | | |")
            continue
        at_rest = on_supercell(phonon, np.asarray(ends[name].forces))
        dft = frequencies(phonon, [labels[key].forces - at_rest for key in cells])
        rest = potential.evaluate(to_structure(phonon.supercell)).forces[0]
        ours = frequencies(phonon, [forces - rest for forces in potential.evaluate(list(cells.values())).forces])
        result[name] = one = compare(ours, dft)
        print(f"| {name} | {one['mae']:.2f} | {one['largest']:.2f} | {one['highest'][0]:.2f}, {one['highest'][1]:.2f} | "
              f"{'yes' if one['falsely_imaginary'] else 'no'} |")
    if arguments.output:
        replace_json(arguments.output, {"model": str(arguments.model), "crystals": result})


if __name__ == "__main__":
    main()
