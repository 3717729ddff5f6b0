"""Alloys of the closed world: its crystals with a related element on some sites, relaxed with a model and shaken, for a quick level.

    python -m tamiz.studies.alloys MODEL.safetensors --frames 800 --without Ge-Mg-N Ca-P-Sn -o alloys.xyz
    python -m tamiz.studies.alloys MODEL.safetensors --frames 300 --types delafossite CaAl2Si2 --crossed 0.3 -o more.xyz

Mg, Ca and Zn stand for each other, so do Si, Ge and Sn, and N and P. Cells are those of `closed_world` and their supercells up to `--max-atoms`; of the
sites of one element some, but not all, are given to its relative. None of them has a composition of the closed world, yet the same surroundings:
a model that is judged on that world may learn from them how its elements get on with each other. Charges add up where they do in the closed world, so that
many have a gap and small cells of k-points do. What has all elements of a system in `--without` (tests of a data set) is left out.

Crossed crystals are cells of the closed world whose one metal is replaced by a relative of the other, so that both are of one family, Mg and Zn
or Si and Ge: in the small cells of ABX2, whose metals have one site each, they tell what an element does on either site.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import write

import tamiz
from tamiz.studies.closed_world import FIVE, FOUR, TWO, closed_world
from tamiz.studies.left_out_systems import has_one_of
from tamiz.studies.shaken_prototypes import AT_ONCE, SHAKES, drawn_supercell, numbered, relaxed_with, shaken_frames

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


def crossed(crystal: Atoms, random) -> Atoms | None:
    """Both metals of one family; None where they are already."""
    symbols = np.array(crystal.get_chemical_symbols(), dtype="U2")
    metals = [next((element for element in family if element in symbols), None) for family in (TWO, FOUR)]
    if None in metals:
        return None
    kept, replaced = random.permutation(metals)
    symbols[symbols == replaced] = random.choice(RELATIVES[kept])
    result = crystal.copy()
    result.set_chemical_symbols(list(symbols))
    return result


@dataclasses.dataclass
class Draw:
    """What alloys are drawn from, and how."""

    world: list[Atoms]
    max_atoms: int
    share_crossed: float
    left_out: list[str]  # systems
    shakes: tuple[float, ...] = SHAKES  # [Å]

    def one(self, random) -> tuple[str, Atoms] | None:
        crystal = self.world[random.integers(len(self.world))]
        cross = self.share_crossed > 0.0 and random.random() < self.share_crossed
        atoms = crossed(crystal, random) if cross else alloyed(crystal, self.max_atoms, random)
        if atoms is None or has_one_of(atoms.symbols, self.left_out):
            return None
        return f"{'crossed' if cross else 'alloy'}/{crystal.info['id'].removeprefix('closed/')}", atoms


def alloys(potential, draw: Draw, n_frames: int, seed: int) -> list[Atoms]:
    """Relaxed and shaken, in random order."""
    random, frames = np.random.default_rng(seed), []
    while len(frames) < n_frames:
        drawn = [one for _ in range(min(AT_ONCE, 2 * n_frames)) if (one := draw.one(random)) is not None]
        if not drawn:
            raise SystemExit("none of these crystals gives an alloy: allow more atoms, other types, or fewer to be crossed")
        frames += shaken_frames(relaxed_with(potential, drawn, random), seed, random, draw.shakes)
    return numbered(frames, n_frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--frames", type=int, default=800)
    parser.add_argument("--max-atoms", type=int, default=8)
    parser.add_argument("--without", nargs="+", default=[], metavar="SYSTEM", help="as Ge-Mg-N")
    parser.add_argument("--types", nargs="+", metavar="TYPE", help="of crystals, as `config_type` of the closed world names them (default: all)")
    parser.add_argument("--crossed", type=float, default=0.0, metavar="SHARE", help="of what is drawn, from 0 to 1 (default: %(default)s)")
    parser.add_argument("--in-symmetry", action="store_true", help="relaxed and resized, but not shaken")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    if not 0.0 <= arguments.crossed <= 1.0:
        parser.error("--crossed is a share, from 0 to 1")
    if arguments.max_atoms < 4:
        parser.error("the least cell with two sites of an element has 4 atoms: --max-atoms 4 or more")
    world = [crystal for crystal in closed_world() if len(crystal) <= arguments.max_atoms]
    if unknown := set(arguments.types or ()) - (types := {crystal.info["config_type"] for crystal in world}):
        parser.error(f"there is no type {', '.join(sorted(unknown))} with so few atoms, but {', '.join(sorted(types))}")
    if arguments.types:
        world = [crystal for crystal in world if crystal.info["config_type"] in arguments.types]
    draw = Draw(world, arguments.max_atoms, arguments.crossed, arguments.without, (0.0,) if arguments.in_symmetry else SHAKES)
    frames = alloys(tamiz.load(arguments.model), draw, arguments.frames, arguments.seed)
    write(arguments.output, frames, format="extxyz")
    print(f"{len(frames)} frames")


if __name__ == "__main__":
    main()
