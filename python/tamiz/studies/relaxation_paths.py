"""Structures on the relaxation paths of a model, to be labelled next: where it is used and where it errs.

    python -m tamiz.studies.relaxation_paths CAMPAIGN.toml MODEL OUT.xyz --without CaMg2N2 MgSiN2

Relaxes the candidates of a campaign with the model and takes one geometry of each: a random part of the way from the
proposal to the end (cell and fractional coordinates interpolated). A share of them (`--shaken`) is shaken by up to
`--shake` Å and strained by up to 3 %; the others keep their symmetry, which makes DFT several times cheaper but leaves
most forces zero. Where atoms come too close or the volume leaves sensible bounds, an earlier geometry is taken. The
order is random, so that a part of the labels already covers everything.
"""

from __future__ import annotations

import argparse

import numpy as np
from ase.data import covalent_radii
from ase.formula import Formula
from ase.io import write

import tamiz

WAYS = (0.0, 0.5, 0.8, 1.0, 1.0)
STRAIN = 0.015  # standard deviation of the strain of what is shaken
CLOSEST = 0.6  # of the sum of covalent radii
VOLUME_RATIO = (0.5, 2.0)  # to the volume of the proposal


def between(start, end, way):
    """The geometry at a fraction of the way."""
    step = end.get_scaled_positions(wrap=False) - start.get_scaled_positions(wrap=False)
    step -= np.round(step)
    atoms = start.copy()
    places = start.get_scaled_positions(wrap=False) + way * step
    atoms.set_cell(start.cell.array + way * (end.cell.array - start.cell.array))
    atoms.set_scaled_positions(places)
    return atoms


def has_room(atoms):
    """Nothing closer than CLOSEST, with images."""
    several = atoms.repeat((2, 2, 2))
    radii = covalent_radii[several.numbers]
    near = several.get_all_distances(mic=True) < CLOSEST * (radii[:, None] + radii[None, :])
    return not near[~np.eye(len(several), dtype=bool)].any()


def shaken(atoms, amplitude, random):
    """The atoms at other places, in a strained cell."""
    atoms = atoms.copy()
    strain = random.normal(0, STRAIN, (3, 3))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    atoms.positions += random.normal(0, amplitude, atoms.positions.shape)
    return atoms


def furthest(start, end, way, amplitude, random):
    """The geometry at this fraction of the way, or at a smaller one where that is outside the limits, or None."""
    for part in sorted({part for part in WAYS if part <= way}, reverse=True):
        atoms = between(start, end, part)
        if amplitude > 0:
            atoms = shaken(atoms, amplitude, random)
        ratio = atoms.get_volume() / start.get_volume()
        if VOLUME_RATIO[0] < ratio < VOLUME_RATIO[1] and has_room(atoms):
            atoms.info = {"config_type": "path", "way": float(part)}
            return atoms
    return None


def composition(formula):
    return Formula(formula).reduce()[0].count()


def paths(candidates, potential, without, share, largest_shake, seed):
    random = np.random.default_rng(seed)
    without = [composition(formula) for formula in without]
    starts = [atoms for atoms in candidates if composition(str(atoms.symbols)) not in without]
    results = tamiz.relax(starts, potential, fmax=0.05, max_steps=150)
    found = []
    for start, result in zip(starts, results):
        amplitude = random.uniform(0.2, 1.0) * largest_shake if random.random() < share else 0.0
        atoms = furthest(start, tamiz.to_ase(result.structure), random.choice(WAYS), amplitude, random)
        if atoms is not None:
            found.append(atoms)
    return [found[k] for k in random.permutation(len(found))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("campaign")
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--without", nargs="*", default=[], help="compositions to leave out")
    parser.add_argument("--shaken", type=float, default=0.2, help="share of the structures that are shaken")
    parser.add_argument("--shake", type=float, default=0.05, help="largest standard deviation of their displacements [Å]")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    candidates = [tamiz.to_ase(candidate.structure) for candidate in tamiz.propose(arguments.campaign).candidates]
    potential = tamiz.load(arguments.model)
    found = paths(candidates, potential, arguments.without, arguments.shaken, arguments.shake, arguments.seed)
    write(arguments.out, found)
    print(f"{len(found)} structures of {len(candidates)} candidates")


if __name__ == "__main__":
    main()
