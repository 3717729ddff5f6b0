"""Alloys of the closed world: its crystals with a related element on some sites, relaxed with a model and shaken, for a quick level.

    python -m tamiz.studies.alloys MODEL.safetensors --frames 800 --without Ge-Mg-N Ca-P-Sn -o alloys.xyz

Mg, Ca and Zn stand for each other, so do Si, Ge and Sn, and N and P. Cells are those of `closed_world` and their supercells up to `--max-atoms`; of the
sites of one element some, but not all, are given to its relative. None of them has a composition of the closed world, yet the same surroundings:
a model that is judged on that world may learn from them how its elements get on with each other. Charges add up where they do in the closed world, so that
many have a gap and small cells of k-points do. What has all elements of a system in `--without` (tests of a data set) is left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import write

import tamiz
from tamiz.studies.closed_world import FIVE, FOUR, TWO, closed_world
from tamiz.studies.shaken_prototypes import AT_ONCE, drawn_supercell, numbered, relaxed_with, shaken_frames

RELATIVES = {element: [other for other in family if other != element] for family in (TWO, FOUR, FIVE) for element in family}


def alloyed(crystal: Atoms, max_atoms: int, random) -> Atoms | None:
    """A supercell or the cell itself, some sites of an element given to a relative that is not there; None where no element has two sites."""
    cell = drawn_supercell(crystal, max_atoms, random) if random.random() < 0.5 else crystal.copy()
    symbols = np.array(cell.get_chemical_symbols(), dtype="U2")
    hosts = [element for element in sorted(set(symbols)) if (symbols == element).sum() > 1 and set(RELATIVES[element]) - set(symbols)]
    if not hosts:
        return None
    host = random.choice(hosts)
    sites = random.permutation(np.flatnonzero(symbols == host))
    symbols[sites[: random.integers(1, len(sites))]] = random.choice(sorted(set(RELATIVES[host]) - set(symbols)))
    cell.set_chemical_symbols(list(symbols))
    return cell


def some_alloys(world: list[Atoms], n_drawn: int, max_atoms: int, left_out: list[set[str]], random) -> list[tuple[str, Atoms]]:
    drawn = []
    for _ in range(n_drawn):
        crystal = world[random.integers(len(world))]
        atoms = alloyed(crystal, max_atoms, random)
        if atoms is not None and not any(system <= set(atoms.symbols) for system in left_out):
            drawn.append((f"alloy/{crystal.info['id'].removeprefix('closed/')}", atoms))
    return drawn


def alloys(potential, n_frames: int, max_atoms: int, left_out: list[set[str]], seed: int) -> list[Atoms]:
    """Relaxed and shaken, in random order."""
    world = [crystal for crystal in closed_world() if len(crystal) <= max_atoms]
    random, frames = np.random.default_rng(seed), []
    while len(frames) < n_frames:
        drawn = some_alloys(world, min(AT_ONCE, 2 * n_frames), max_atoms, left_out, random)
        frames += shaken_frames(relaxed_with(potential, drawn, random), seed, random)
    return numbered(frames, n_frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--frames", type=int, default=800)
    parser.add_argument("--max-atoms", type=int, default=8)
    parser.add_argument("--without", nargs="+", default=[], metavar="SYSTEM", help="as Ge-Mg-N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    left_out = [set(system.split("-")) for system in arguments.without]
    if arguments.max_atoms < 4:
        parser.error("the least cell with two sites of an element has 4 atoms: --max-atoms 4 or more")
    frames = alloys(tamiz.load(arguments.model), arguments.frames, arguments.max_atoms, left_out, arguments.seed)
    write(arguments.output, frames, format="extxyz")
    print(f"{len(frames)} frames")


if __name__ == "__main__":
    main()
