"""Small crystals of all types and of all combinations of the elements, shaken out of symmetry, for a quick level.

    python -m tamiz.studies.shaken_prototypes Ca Mg Zn Sn Si Ge P N --frames 2000 -o shaken.xyz
    python -m tamiz.studies.shaken_prototypes Ca Mg Zn Sn Si Ge P N --frames 2000 --crystals shipped.h5 -o shaken.xyz
    python -m tamiz.studies.shaken_prototypes Ca Mg Zn Sn Si Ge P N --frames 4000 --max-atoms 8 --model MODEL.safetensors -o pool.xyz
    python -m tamiz.studies.shaken_prototypes Ca Mg Zn Sn Si Ge P N --frames 4000 --max-atoms 6 --model MODEL.safetensors --mixed 1 -o pool.xyz
    python -m tamiz.studies.shaken_prototypes Ca Mg Zn Sn Si Ge P N --frames 900 --n-elements 3 --model MODEL.safetensors --in-symmetry -o pool.xyz

Every frame is a prototype of campaigns or of the closed world with few atoms, elements on its sites, the closest two at a random
spacing, and a cell and places that are displaced at random: all forces and stresses differ from zero, from which a potential learns
more than from the energies of symmetric crystals. Elements are given from the most metallic on, and most frames have them on the sites in that
order, as compounds do. With crystals, ends of the relaxations of a data set, every second frame is one of them, shaken. With a model,
prototypes are relaxed with it before they are shaken: where it holds crystals to be is where its faults matter. Mixed prototypes are supercells
with another element on some of the sites, up to three elements in all: compositions and orders that no prototype has. In symmetry they are
resized and not shaken: as candidates of a search are.

The order is random, so that the first of the frames are a sample of them. They are the input of ``tamiz label`` and name their mesh.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from ase.data import atomic_numbers
from ase.io import write

import tamiz
from tamiz.studies.closed_world import ANTIPEROVSKITE, ROCKSALT_ORDER, on_sites, prototypes
from tamiz.studies.frame_pool import identity, shaken
from tamiz.studies.known_structures import primitive_cell
from tamiz.studies.left_out_systems import has_one_of
from tamiz.studies.relaxed import relaxed_ends
from tamiz.studies.solids import closest

SPACINGS = (0.88, 1.15)  # of the closest two atoms before they are shaken, of the sum of the radii
SHAKES = (0.05, 0.1, 0.2, 0.3)  # [Å] as in `frame_pool`
VOLUMES = (0.85, 1.25)  # of the volume of a crystal relaxed with DFT
MODEL_VOLUMES = (0.92, 1.12)  # of one relaxed with a model, which is off by itself
MODEL_STEPS = 100  # most of a relaxation, which need not come to its end
CLOSEST = 0.72, 1.3  # distance of the closest two atoms, of the sum of their radii
AT_ONCE = 500  # crystals drawn, and relaxed together
IN_ORDER = 0.7  # share of the prototypes with their elements in the order of metals


def small_types(max_atoms: int, max_elements: int) -> dict[str, dict]:
    known = prototypes() | {"rocksalt-order": ROCKSALT_ORDER, "antiperovskite": ANTIPEROVSKITE}
    types = {name: entry for name, entry in known.items() if len(labels_of(entry)) <= max_elements}
    any_elements = ("H", "He", "Li", "Be")  # different ones, or the cell would be smaller
    return {name: entry for name, entry in types.items() if len(primitive_cell(on_sites(entry, dict(zip(labels_of(entry), any_elements))))) <= max_atoms}


def labels_of(prototype: dict) -> list[str]:
    return sorted({site["label"] for site in prototype["sites"]})


def spaced(crystal: Atoms, spacing: float) -> Atoms:
    """With the closest two atoms at this part of the sum of their radii."""
    atoms = crystal.copy()
    atoms.set_cell(atoms.cell.array / atoms.cell.lengths().min() * 3.0, scale_atoms=True)  # the entries' sizes are arbitrary
    atoms.set_cell(atoms.cell.array * (spacing / closest(tamiz.to_structure(atoms))), scale_atoms=True)
    return atoms


def drawn_prototype(elements: list[str], types: dict[str, dict], random) -> tuple[str, Atoms]:
    name = random.choice(sorted(types))
    labels = labels_of(types[name])
    chosen = random.choice(len(elements), len(labels), replace=False)
    if random.random() < IN_ORDER:
        chosen = np.sort(chosen)
    drawn = {label: elements[k] for label, k in zip(labels, chosen)}
    crystal = spaced(primitive_cell(on_sites(types[name], drawn)), random.uniform(*SPACINGS))
    return f"prototype/{name}/{'-'.join(drawn.values())}", crystal


def drawn_supercell(atoms: Atoms, max_atoms: int, random) -> Atoms:
    """One of those with at most so many atoms, from twice the cell on: a matrix in Hermite's normal form."""
    most = max_atoms // len(atoms)
    if most < 2:
        return atoms.copy()
    times = int(random.integers(2, most + 1))
    sides = [(a, b, times // (a * b)) for a in range(1, times + 1) for b in range(1, times + 1) if times % (a * b) == 0]
    a, b, c = sides[random.integers(len(sides))]
    return make_supercell(atoms, [[a, 0, 0], [random.integers(b), b, 0], [random.integers(c), random.integers(c), c]])


def mixed(atoms: Atoms, elements: list[str], max_atoms: int, random) -> Atoms:
    """A supercell with a third element on some sites of the one next to it in the order of metals, or with two of three such exchanged."""
    result = drawn_supercell(atoms, max_atoms, random)
    symbols = np.array(result.get_chemical_symbols(), dtype="U2")
    present = [element for element in elements if element in symbols]
    others = [element for element in elements if element not in present]
    if len(present) < 3 and others:
        new = random.choice(others)
        host = min(present, key=lambda element: abs(elements.index(element) - elements.index(new)))
        sites = np.flatnonzero(symbols == host)
        symbols[random.permutation(sites)[: random.integers(1, max(len(sites), 2))]] = new
    elif len(present) > 1:
        first = random.integers(len(present) - 1)
        sites = np.flatnonzero(np.isin(symbols, present[first : first + 2]))
        symbols[sites] = symbols[random.permutation(sites)]
    result.set_chemical_symbols(list(symbols))
    return result


def resized(atoms: Atoms, volumes: tuple[float, float], random) -> Atoms:
    atoms.set_cell(atoms.cell.array * random.uniform(*volumes) ** (1 / 3), scale_atoms=True)
    return atoms


def drawn_crystal(crystals: dict[str, tamiz.Structure], random) -> tuple[str, Atoms]:
    name = random.choice(sorted(crystals))
    return name, resized(tamiz.to_ase(crystals[name]), VOLUMES, random)


def relaxed_with(potential, drawn: list[tuple[str, Atoms]], random) -> list[tuple[str, Atoms]]:
    """Prototypes where the model brings them, at a random volume near that."""
    results = tamiz.relax([atoms for _, atoms in drawn], potential, max_steps=MODEL_STEPS)
    return [(f"relaxed-{name}", resized(tamiz.to_ase(result.structure), MODEL_VOLUMES, random)) for (name, _), result in zip(drawn, results)]


@dataclasses.dataclass
class Source:
    """What crystals are drawn from."""

    elements: list[str]  # from the most metallic on
    types: dict[str, dict]  # prototypes
    max_atoms: int
    crystals: dict[str, tamiz.Structure]  # relaxed with DFT, may be none
    wanted: set[str]  # a crystal has one of these elements
    mixed: float  # share of the prototypes
    left_out: list[str]  # systems
    n_elements: int  # of a crystal; 0: any number
    potential: tamiz.Potential | None  # with which prototypes are relaxed

    def prototype(self, random) -> tuple[str, Atoms]:
        name, atoms = drawn_prototype(self.elements, self.types, random)
        if random.random() < self.mixed:
            return f"mixed-{name}", mixed(atoms, self.elements, self.max_atoms, random)
        return name, atoms

    def wants(self, symbols: set[str]) -> bool:
        return not self.wanted.isdisjoint(symbols) and self.n_elements in (0, len(symbols)) and not has_one_of(symbols, self.left_out)

    def some_crystals(self, n_drawn: int, random) -> list[tuple[str, Atoms]]:
        """With names, in random order."""
        some, to_relax = [], []
        for _ in range(n_drawn):
            is_crystal = bool(self.crystals) and random.random() < 0.5
            name, atoms = drawn_crystal(self.crystals, random) if is_crystal else self.prototype(random)
            if self.wants(set(atoms.symbols)):
                (to_relax if self.potential and not is_crystal else some).append((name, atoms))
        if to_relax:
            some += relaxed_with(self.potential, to_relax, random)
            random.shuffle(some)
        return some


def is_whole(atoms: Atoms) -> bool:
    """Neither with two atoms on each other nor torn."""
    return CLOSEST[0] <= closest(tamiz.to_structure(atoms)) <= CLOSEST[1]


def shaken_frames(crystals: list[tuple[str, Atoms]], seed: int, random, shakes: tuple[float, ...] = SHAKES) -> list[Atoms]:
    """Crystals whose cells and places are displaced; a shake of 0 leaves them as they are."""
    frames = []
    for name, atoms in crystals:
        shake = random.choice(shakes)
        frame = shaken(atoms, shake, identity(atoms), random) if shake > 0.0 else atoms.copy()
        if is_whole(frame):
            # At this level one class of mesh is as good as another, and with a name it is not looked for.
            frame.info = {"id": f"shaken/{name}/{shake:g}/{seed}", "mesh": "anion"}
            frames.append(frame)
    return frames


def numbered(frames: list[Atoms], n_frames: int) -> list[Atoms]:
    """The first so many, with names of which no two are the same."""
    for k, frame in enumerate(frames[:n_frames]):
        frame.info["id"] += f"-{k}"
    return frames[:n_frames]


def few_of_each(frames: list[Atoms], most: int) -> list[Atoms]:
    """At most so many of a reduced formula, the first of them."""
    seen, kept = Counter(), []
    for frame in frames:
        formula = tamiz.to_structure(frame).reduced_formula
        seen[formula] += 1
        if seen[formula] <= most:
            kept.append(frame)
    return kept


def shaken_prototypes(source: Source, n_frames: int, seed: int, per_formula: int = 0, shakes: tuple[float, ...] = SHAKES) -> list[Atoms]:
    random, frames, n_drawn = np.random.default_rng(seed), [], AT_ONCE if per_formula else min(AT_ONCE, 2 * n_frames)
    while len(frames) < n_frames:
        n_before = len(frames)
        drawn = source.some_crystals(n_drawn, random)
        if not drawn:
            raise SystemExit("no crystal is as asked for: allow other elements, another number of them, or more systems")
        frames += shaken_frames(drawn, seed, random, shakes)
        if per_formula:
            frames = few_of_each(frames, per_formula)
            if len(frames) == n_before:  # every formula has its share
                break
    return numbered(frames, n_frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("elements", nargs="+", choices=sorted(atomic_numbers), metavar="ELEMENT")
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--crystals", type=Path, help="data set of relaxations")
    parser.add_argument("--model", type=Path, help="with which prototypes are relaxed before they are shaken")
    parser.add_argument("--mixed", type=float, default=0.0, metavar="SHARE", help="of the prototypes, from 0 to 1 (default: %(default)s)")
    parser.add_argument("--max-atoms", type=int, default=5)
    parser.add_argument("--with", dest="wanted", nargs="+", metavar="ELEMENT", help="only frames with one of these")
    parser.add_argument("--without", nargs="+", default=[], metavar="SYSTEM", help="as Ge-Mg-N, none of whose crystals is drawn")
    parser.add_argument("--n-elements", type=int, default=0, metavar="N", help="only crystals of so many elements (default: any number)")
    parser.add_argument("--in-symmetry", action="store_true", help="resized, but not shaken")
    parser.add_argument("--per-formula", type=int, default=0, metavar="N", help="at most so many frames of a formula, so that there may be fewer than asked for")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    crystals = {}
    if arguments.crystals:
        ends = relaxed_ends(tamiz.datasets.load(arguments.crystals), molecules=False)
        crystals = {name: end.structure for name, end in ends.items() if len(end.structure) <= arguments.max_atoms}
    wanted = set(arguments.wanted or arguments.elements)
    if not wanted <= set(arguments.elements):
        parser.error(f"--with names what is not among the elements: {', '.join(sorted(wanted - set(arguments.elements)))}")
    types = small_types(arguments.max_atoms, len(arguments.elements))
    if not types:
        parser.error("no prototype has so few atoms and elements")
    if not 0.0 <= arguments.mixed <= 1.0:
        parser.error("--mixed is a share, from 0 to 1")
    potential = tamiz.load(arguments.model) if arguments.model else None
    source = Source(arguments.elements, types, arguments.max_atoms, crystals, wanted, arguments.mixed, arguments.without, arguments.n_elements, potential)
    shakes = (0.0,) if arguments.in_symmetry else SHAKES
    frames = shaken_prototypes(source, arguments.frames, arguments.seed, arguments.per_formula, shakes)
    write(arguments.output, frames, format="extxyz")
    print(f"{len(frames)} frames")


if __name__ == "__main__":
    main()
