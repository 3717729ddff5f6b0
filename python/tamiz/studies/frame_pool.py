"""Geometries around crystals, of which `tamiz select` chooses those to label.

    python -m tamiz.studies.frame_pool MODEL.safetensors --relaxed hull.h5 closed.h5 --max-atoms 10 -o pool.xyz
    tamiz select MODEL.safetensors pool.xyz --known hull.h5 closed.h5 -n 200 -o next.xyz
    tamiz label next.xyz --oracle gpaw --level pbe-600g --ledger frames.tz -o labelled.xyz

Of every crystal that was relaxed with DFT: cells that are shaken and strained, half of them along displacements that keep a random
cyclic group of its symmetry, which makes DFT several times cheaper and leaves most forces; and the last geometries of short
molecular dynamics with the model at several temperatures, where it held the crystal together.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import spglib
from ase import Atoms
from ase.io import write

import tamiz
from tamiz.studies.relaxed import relaxed_ends
from tamiz.studies.solids import closest, supercell

STRAIN = 0.03  # standard deviation of its diagonal, without symmetry
SHAKES = (0.05, 0.1, 0.2)  # [Å] root mean squares of the components of the displacements
TEMPERATURES = (300.0, 900.0, 1500.0)  # [K]
PICOSECONDS = 1.0
CLOSEST = 0.6  # of the sum of covalent radii
SYMPREC = 0.01, 1e-5  # [Å] in what is symmetrized, and of the symmetry that it has then, which DFT will look for
FEWEST_ATOMS = 4  # in molecular dynamics: of fewer, hardly any move against each other


def identity(atoms: Atoms) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The group that keeps no symmetry, as `cyclic_group` gives them."""
    return [(np.eye(3, dtype=int), np.zeros(3), np.arange(len(atoms)))]


def cyclic_group(atoms: Atoms, random) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A random one of the crystal: rotations and translations of fractional coordinates, and the atom that each atom becomes."""
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_symmetry(cell, symprec=SYMPREC[1])
    rotations, translations = found["rotations"], found["translations"]
    others = [k for k, rotation in enumerate(rotations) if not (rotation == np.eye(3)).all()]
    one, group = np.eye(3, dtype=int), []
    generator = (rotations[k := random.choice(others)], translations[k]) if others else (one, np.zeros(3))
    rotation, translation = one, np.zeros(3)
    while True:
        group.append((rotation, translation, images_of(atoms, rotation, translation)))
        rotation, translation = generator[0] @ rotation, generator[0] @ translation + generator[1]
        # A screw axis of a centred cell comes to a translation before it comes back.
        if (rotation == one).all() and (images_of(atoms, rotation, translation) == np.arange(len(atoms))).all():
            return group


def images_of(atoms: Atoms, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    places = atoms.get_scaled_positions()
    apart = places[None] - (places @ rotation.T + translation)[:, None]
    apart -= np.round(apart)
    return np.linalg.norm(apart @ atoms.cell.array, axis=2).argmin(1)


def shaken(atoms: Atoms, shake: float, group, random) -> Atoms:
    """Displaced and strained at random, averaged over a group of operations and displacements scaled back to their size."""
    cell = atoms.cell.array
    moves = random.normal(scale=shake, size=(len(atoms), 3)) @ np.linalg.inv(cell)
    metric = random.normal(scale=STRAIN, size=(3, 3))
    strain = 0.5 * (metric + metric.T)
    mean_moves, mean_strain = np.zeros_like(moves), np.zeros((3, 3))
    for rotation, _, images in group:
        mean_moves[images] += moves @ rotation.T / len(group)
        cartesian = np.linalg.inv(cell) @ rotation.T @ cell  # of rows of positions
        mean_strain += cartesian.T @ strain @ cartesian / len(group)
    size = np.sqrt(((mean_moves @ cell) ** 2).mean())
    if size > 1e-3 * shake:  # else every atom is where symmetry holds it
        mean_moves *= shake / size
    result = atoms.copy()
    result.set_scaled_positions(atoms.get_scaled_positions(wrap=False) + mean_moves)
    result.set_cell(cell @ (np.eye(3) + mean_strain), scale_atoms=True)
    return result


def snapshot(potential, crystal: tamiz.Structure, temperature: float, seed: int) -> tamiz.Structure | None:
    """After a short run; None where the model let two atoms fall onto each other."""
    try:
        last = tamiz.md(supercell(crystal, FEWEST_ATOMS), potential, round(1000 * PICOSECONDS), ensemble="langevin", temperature=temperature, seed=seed, every=1000)
    except tamiz.NumericsError:
        return None
    return last.structure if closest(last.structure) >= CLOSEST else None


def pool(potential, crystals: dict[str, tamiz.Structure], seed: int, temperatures=TEMPERATURES) -> list[Atoms]:
    random, frames = np.random.default_rng(seed), []

    def keep(atoms: Atoms, name: str, kind: str, what: str) -> None:
        if closest(tamiz.to_structure(atoms)) >= CLOSEST:
            atoms.info = {"id": f"{kind}/{name}/{what}/{seed}", "config_type": kind, "parents": name}
            frames.append(atoms)

    for name, crystal in crystals.items():
        atoms = tamiz.to_ase(crystal.symmetrized(SYMPREC[0]))
        for shake in SHAKES:
            group = cyclic_group(atoms, random)
            if len(group) > 1:
                keep(shaken(atoms, shake, group, random), name, "shaken-in-symmetry", f"{shake:g}")
            keep(shaken(atoms, shake, identity(atoms), random), name, "shaken", f"{shake:g}")
        for temperature in temperatures:
            if (hot := snapshot(potential, crystal, temperature, int(random.integers(2**31)))) is not None:
                keep(tamiz.to_ase(hot), name, "dynamics", f"{temperature:g}K")
    return frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--relaxed", type=Path, nargs="+", required=True, help="data sets of relaxed crystals")
    parser.add_argument("--max-atoms", type=int, default=10)
    parser.add_argument("--temperatures", type=float, nargs="*", default=list(TEMPERATURES), help="[K]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    crystals = {}
    for path in arguments.relaxed:
        for name, frame in relaxed_ends(tamiz.datasets.load(path), molecules=False).items():
            if len(frame.structure) <= arguments.max_atoms:
                crystals[name] = frame.structure
    frames = pool(tamiz.load(arguments.model), crystals, arguments.seed, arguments.temperatures)
    write(arguments.output, frames, format="extxyz")
    print(f"{len(frames)} frames of {len(crystals)} crystals")


if __name__ == "__main__":
    main()
