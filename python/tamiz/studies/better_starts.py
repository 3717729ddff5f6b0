"""Starts of relaxations with DFT, relaxed by a model before, which saves steps of DFT.

    python -m tamiz.studies.better_starts closed.xyz MODEL.safetensors --ledger closed.tz -o closed.xyz

Where the model moves a crystal so far that it is more likely to be lost than right (`--most-volume`, `--most-stretch`, `--most-way`), or
does not converge, the old start stays. Starts that the ledger has an answer to stay as well: their labels are kept by the geometry.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write

import tamiz
from tamiz.studies.ledgers import finished_labels


@dataclass(frozen=True)
class Trust:
    """How far a model may move a crystal."""

    volume: float  # of one, either way
    stretch: float  # of any direction, of one
    way: float  # of an atom in the cell [Å]

    def allows(self, before: Atoms, after: Atoms) -> bool:
        stretches = np.linalg.svd(np.linalg.solve(before.cell.array, after.cell.array))[1]
        moves = after.get_scaled_positions(wrap=False) - before.get_scaled_positions(wrap=False)
        moves -= np.rint(moves)
        ways = np.linalg.norm((moves - moves.mean(axis=0)) @ before.cell.array, axis=1)
        return bool(abs(stretches.prod() - 1.0) <= self.volume and np.abs(stretches - 1.0).max() <= self.stretch and ways.max() <= self.way)


def better_starts(starts: list[Atoms], potential, known: set[str], trust: Trust) -> tuple[list[Atoms], list[str]]:
    """The starts, moved where the model is trusted; and the ids of those that were left where they were though not answered."""
    open_starts = [atoms for atoms in starts if atoms.info["id"] not in known]
    results = tamiz.relax(open_starts, potential, fmax=0.02) if open_starts else []
    moved, left = {}, []
    for atoms, result in zip(open_starts, results):
        after = tamiz.to_ase(result.structure)
        if result.converged and trust.allows(atoms, after):
            after.info = dict(atoms.info)
            moved[atoms.info["id"]] = after
        else:
            left.append(atoms.info["id"])
    return [moved.get(atoms.info["id"], atoms) for atoms in starts], left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("starts", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--ledger", type=Path, help="labels that are there already")
    parser.add_argument("--most-volume", type=float, default=0.2, help="change of the volume, relative (default: %(default)s)")
    parser.add_argument("--most-stretch", type=float, default=0.2, help="of any direction, relative (default: %(default)s)")
    parser.add_argument("--most-way", type=float, default=0.8, help="of an atom [Å] (default: %(default)s)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    starts = read(arguments.starts, ":")
    trust = Trust(arguments.most_volume, arguments.most_stretch, arguments.most_way)
    known = {record["id"] for record in finished_labels(arguments.ledger)} if arguments.ledger else set()
    better, left = better_starts(starts, tamiz.load(arguments.model), known, trust)
    write(arguments.output, better, format="extxyz")
    n_open = sum(atoms.info["id"] not in known for atoms in starts)
    print(f"{len(starts)} starts, {len(starts) - n_open} answered, {n_open - len(left)} moved; left: {', '.join(left) or 'none'}")


if __name__ == "__main__":
    main()
