"""Molecular dynamics of crystals that are solid: whether a model holds them together, conserves energy, and what it errs by there.

    python -m tamiz.studies.solids MODEL.safetensors --relaxed hull.h5 --crystals Si Mg2Si --frames last.xyz -o solids.json

Every crystal at every temperature: `--equilibrate` ps with a Langevin bath, then `--ps` ps without one. Given are the drift of the
conserved energy (means of the last and the first tenth) [meV/atom], and the smallest distance of two atoms over the sum of their
covalent radii. The last geometries are written to `--frames`; with labels they tell the errors of forces there:

    tamiz label last.xyz --oracle gpaw --level pbe-600g -o labelled.xyz
    tamiz evaluate MODEL.safetensors labelled.xyz
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from ase.data import covalent_radii
from ase.io import write
from ase.neighborlist import neighbor_list

import tamiz
from tamiz.studies.kept_results import replace_json
from tamiz.studies.relaxed import ends_named

LOOK = 1.35  # of the largest sum of two covalent radii: up to there pairs are looked at
SAMPLES = 100  # steps between two


def supercell(structure: tamiz.Structure, n_atoms: int) -> tamiz.Structure:
    """The least that has `n_atoms`: always the shortest axis is repeated next."""
    copies, lengths = [1, 1, 1], np.linalg.norm(structure.cell, axis=1)
    while len(structure) * np.prod(copies) < n_atoms:
        copies[int(np.argmin(lengths * copies))] += 1
    return structure.supercell(copies)


def closest(structure: tamiz.Structure) -> float:
    """Smallest distance of two atoms over the sum of their covalent radii; infinite where all are further apart than 1.35 times the largest of these."""
    atoms = tamiz.to_ase(structure)
    radii = covalent_radii[atoms.numbers]
    first, second, distances = neighbor_list("ijd", atoms, LOOK * 2.0 * float(radii.max()))
    return float((distances / (radii[first] + radii[second])).min()) if len(distances) else np.inf


def run(potential, crystal: tamiz.Structure, temperature: float, ps: float, equilibrate: float, timestep: float) -> dict:
    """What is printed of a run and its ``last`` structure, or its ``failure``."""
    about = {"temperature": temperature, "n_atoms": len(crystal)}
    try:
        return about | measured_run(potential, crystal, temperature, ps, equilibrate, timestep)
    except tamiz.NumericsError as error:
        return about | {"failure": str(error)}


def measured_run(potential, crystal: tamiz.Structure, temperature: float, ps: float, equilibrate: float, timestep: float) -> dict:
    n = round(1000 * equilibrate / timestep)
    warm = tamiz.md(crystal, potential, n, ensemble="langevin", temperature=temperature, timestep=timestep, every=SAMPLES)
    steps = n + round(1000 * ps / timestep)
    free = tamiz.md(warm.structure, potential, steps, ensemble="nve", timestep=timestep, velocities=warm.velocities, start=n, every=SAMPLES)
    energies = np.array([sample.conserved_energy for sample in free.samples]) / len(crystal)
    tenth = max(1, len(energies) // 10)
    return {"drift": 1000 * float(energies[-tenth:].mean() - energies[:tenth].mean()),
            "mean_temperature": float(np.mean([sample.temperature for sample in free.samples])),
            "closest": min(closest(sample.structure) for sample in [*warm.samples, *free.samples]), "last": free.structure}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--relaxed", type=Path, required=True, help="data set of relaxed crystals")
    parser.add_argument("--crystals", nargs="+", required=True, help="names in it, without competing/")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[300.0, 900.0], help="[K]")
    parser.add_argument("--ps", type=float, default=20.0)
    parser.add_argument("--equilibrate", type=float, default=2.0, help="[ps]")
    parser.add_argument("--timestep", type=float, default=1.0, help="[fs]")
    parser.add_argument("--atoms", type=int, default=16, help="least number in a cell (default: 16, which DFT can still label)")
    parser.add_argument("--frames", type=Path, help="the last geometries")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    potential = tamiz.load(arguments.model)
    ends = ends_named(arguments.relaxed, arguments.crystals, parser)
    rows, frames = {}, []
    print("| crystal | bath [K] | mean temperature [K] | drift [meV/atom] | closest pair over the sum of radii |\n|---|---|---|---|---|")
    for name in arguments.crystals:
        for temperature in arguments.temperatures:
            one = run(potential, supercell(ends[name].structure, arguments.atoms), temperature, arguments.ps, arguments.equilibrate, arguments.timestep)
            rows[f"{name} {temperature:g} K"] = one
            if "failure" in one:
                print(f"| {name} | {temperature:g} | {one['failure']} | | |", flush=True)
            else:
                frames.append(tamiz.to_ase(one.pop("last")))
                frames[-1].info["id"] = f"solid/{name}/{temperature:g}K"
                print(f"| {name} | {temperature:g} | {one['mean_temperature']:.0f} | {one['drift']:+.3f} | {one['closest']:.2f} |", flush=True)
            if arguments.output:
                replace_json(arguments.output, {"model": str(arguments.model), "runs": rows})
            if arguments.frames and frames:
                write(arguments.frames, frames, format="extxyz")


if __name__ == "__main__":
    main()
