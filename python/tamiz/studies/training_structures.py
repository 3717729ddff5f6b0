"""Structures that the first model of Ca-Mg-Si-N was trained on.

    python -m tamiz.studies.training_structures > datasets/labels/ca-mg-si-n/start.xyz

Elements and simple structure types of the binaries at several volumes, shaken ones, random cells of up to seven
atoms, and nitrogen molecules. Neither CaMg2N2 nor MgSiN2 is among the compositions: a campaign has to find them.
Frames of Ca and Mg alone name the mesh class `covalent`, N2 in a box `molecule`.
"""

from __future__ import annotations

import sys

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.geometry import cellpar_to_cell
from ase.io import write

SEED = 20261123
VOLUME = {"Ca": 22.0, "Mg": 11.5, "Si": 7.0, "N": 13.5}  # [Å³], of an ion in a nitride
METAL_VOLUME = {"Ca": 42.0, "Mg": 23.0, "Si": 20.0, "N": 13.0}  # [Å³]
RADIUS = {"Ca": 1.5, "Mg": 1.25, "Si": 1.0, "N": 0.75}  # [Å], for the shortest distance of random cells
FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * 5
RANDOM_TERNARIES = (
    "CaMgN Ca2MgN2 CaMgN2 Mg2SiN Mg2Si2N3 MgSi2N2 Mg2Si2N2 Ca2MgN CaMg3N CaMg2N CaMgN3 MgSiN3 Mg4SiN2 MgSiN"
).split()
RANDOM_BINARIES = "MgN CaN SiN Mg3N2 Ca3N2 Si3N4 Si2N3 Mg2Si Si2N2".split()
N2_LENGTHS = (0.95, 1.02, 1.08, 1.11, 1.16, 1.25, 1.4, 1.7)  # [Å]


def layered(a, b, x, ratio=1.72, u=0.63, v=0.265):
    """CaAl2Si2 type, P-3m1."""
    cell = hexagonal(3.5, ratio * 3.5)
    third, two = 1 / 3, 2 / 3
    places = [[0, 0, 0], [third, two, u], [two, third, 1 - u], [third, two, v], [two, third, 1 - v]]
    return Atoms([a, b, b, x, x], cell=cell, pbc=True, scaled_positions=places)


def hexagonal(a, c):
    return [[a, 0, 0], [-a / 2, a * 3**0.5 / 2, 0], [0, 0, c]]


def fluorite(one, two):
    return Atoms([one, two, two], cell=FCC, pbc=True, scaled_positions=[[0, 0, 0], [0.25] * 3, [0.75] * 3])


def cdi2(one, two, ratio=1.6, z=0.25):
    places = [[0, 0, 0], [1 / 3, 2 / 3, z], [2 / 3, 1 / 3, 1 - z]]
    return Atoms([one, two, two], cell=hexagonal(3.5, ratio * 3.5), pbc=True, scaled_positions=places)


def half_heusler(a, b, x):
    return Atoms([a, b, x], cell=FCC, pbc=True, scaled_positions=[[0.5] * 3, [0.25] * 3, [0, 0, 0]])


def perovskite(a, b, x):
    places = [[0.5] * 3, [0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    return Atoms([a, b, x, x, x], cell=np.eye(3) * 4.0, pbc=True, scaled_positions=places)


def rhenium_trioxide(x, m):
    places = [[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0, 0, 0]]
    return Atoms([x, x, x, m], cell=np.eye(3) * 4.0, pbc=True, scaled_positions=places)


def scaled(atoms, metal=False, factor=1.0):
    """At `factor` times the volume that ions, or atoms of a metal, usually take."""
    table = METAL_VOLUME if metal else VOLUME
    volume = sum(table[symbol] for symbol in atoms.symbols) * factor
    atoms = atoms.copy()
    atoms.set_cell(atoms.cell * (volume / atoms.get_volume()) ** (1 / 3), scale_atoms=True)
    return atoms


class Collection:
    def __init__(self):
        self.random = np.random.default_rng(SEED)
        self.frames = []

    def add(self, atoms, config_type):
        atoms = atoms.copy()
        atoms.info = {"config_type": config_type}
        elements = set(atoms.symbols)
        if elements == {"N"} and len(atoms) == 2:
            atoms.info["mesh"] = "molecule"
        elif elements <= {"Ca", "Mg"}:
            atoms.info["mesh"] = "covalent"
        self.frames.append(atoms)

    def shaken(self, atoms, amplitude, strain):
        atoms = atoms.copy()
        e = self.random.normal(0, strain, (3, 3))
        atoms.set_cell(atoms.cell[:] @ (np.eye(3) + (e + e.T) / 2), scale_atoms=True)
        atoms.positions += self.random.normal(0, amplitude, atoms.positions.shape)
        return atoms

    def family(self, atoms, config_type, metal=False, n_shaken=2, factors=(0.9, 1.0, 1.12)):
        for factor in factors:
            self.add(scaled(atoms, metal, factor), config_type)
        for _ in range(n_shaken):
            self.add(self.shaken(scaled(atoms, metal, self.random.uniform(0.92, 1.12)), 0.12, 0.03), config_type)

    def random_cell(self, symbols, factor):
        for _ in range(6000):
            lengths, angles = self.random.uniform(0.75, 1.3, 3), self.random.uniform(65, 115, 3)
            try:
                cell = cellpar_to_cell([*lengths, *angles])
            except (AssertionError, ValueError):
                continue
            atoms = Atoms(symbols, cell=cell, pbc=True)
            if abs(np.linalg.det(cell)) < 0.35:
                continue
            atoms = scaled(atoms, factor=factor)
            atoms.set_scaled_positions(self.random.random((len(symbols), 3)))
            if has_room(atoms) and min(atoms.cell.lengths()) > 2.6:
                return atoms
        raise RuntimeError(f"found no room for {symbols}")


def has_room(atoms):
    distances = atoms.get_all_distances(mic=True)
    radii = np.array([RADIUS[symbol] for symbol in atoms.symbols])
    apart = ~np.eye(len(atoms), dtype=bool)
    return bool((distances > 0.74 * (radii[:, None] + radii[None, :]))[apart].all())


def add_binaries(c):
    for m in ("Mg", "Ca", "Si"):
        c.family(bulk(m + "N", "rocksalt", 4.5), f"{m}N")
        c.family(bulk(m + "N", "zincblende", 4.5), f"{m}N", n_shaken=1)
        c.family(fluorite("N", m), f"{m}2N", n_shaken=1)
        c.family(layered(m, m, "N"), f"{m}3N2", n_shaken=3)
        c.family(cdi2("N", m), f"{m}2N", n_shaken=1)
        c.family(bulk(m + "N", "wurtzite", a=3.2, c=5.2), f"{m}N", n_shaken=2, factors=(1.0,))
    for m in ("Mg", "Ca"):
        c.family(rhenium_trioxide(m, "N"), f"{m}3N", factors=(1.0,), n_shaken=1)
    c.family(fluorite("Si", "N"), "SiN2", factors=(1.0, 1.1), n_shaken=1)
    c.family(fluorite("Si", "Mg"), "Mg2Si", True, factors=(0.92, 1, 1.08), n_shaken=2)
    c.family(bulk("MgCa", "cesiumchloride", a=3.8), "CaMg", True, factors=(0.93, 1.05), n_shaken=1)
    c.family(bulk("MgSi", "rocksalt", a=5.0), "MgSi", True, factors=(1.0,), n_shaken=1)


def add_elements(c):
    elements = [
        bulk("Mg", "hcp", 3.19, 5.18), bulk("Mg", "bcc", 3.58), bulk("Ca", "fcc", 5.53), bulk("Ca", "bcc", 4.38),
        bulk("Si", "diamond", 5.47), bulk("Si", "sc", 2.53),
    ]  # fmt: skip
    for atoms in elements:
        for factor in (0.92, 1.0, 1.1):
            larger = atoms.copy()
            larger.set_cell(atoms.cell * factor ** (1 / 3), scale_atoms=True)
            c.add(larger, "element")
    silicon = bulk("Si", "diamond", 5.47)
    for atoms in (bulk("Mg", "hcp", 3.19, 5.18), bulk("Ca", "hcp", 3.9, 6.4), silicon, silicon):
        c.add(c.shaken(atoms, 0.12, 0.02), "element")


def add_nitrogen(c):
    for d in N2_LENGTHS:
        c.add(Atoms("N2", positions=[[0, 0, 0], [d * 0.6, d * 0.48, d * 0.64]], cell=[6.2, 6.5, 6.8], pbc=True), "N2")
    for s in (0.9, 1.0, 1.15):
        places = np.array([[0, 0, 0], [0.6, 0.6, 0.7], [2.1, 2, 2.2], [1.5, 2.6, 2.9]])
        atoms = Atoms("N4", cell=np.diag([4.2, 4.0, 4.4]) * s, pbc=True, positions=places)
        atoms.positions[2:] *= s
        atoms.positions[3] = atoms.positions[2] + [-0.6, 0.6, 0.69]
        c.add(atoms, "N2")


def add_random_cells(c):
    for formula in RANDOM_TERNARIES:
        for _ in range(2):
            c.add(c.random_cell(list(Atoms(formula).symbols), c.random.uniform(0.9, 1.15)), "ternary_random")
    for formula in RANDOM_BINARIES:
        c.add(c.random_cell(list(Atoms(formula).symbols), c.random.uniform(0.95, 1.15)), "binary_random")


def add_ternaries(c):
    for a, b, x in (("Ca", "Mg", "N"), ("Mg", "Ca", "N"), ("Mg", "Si", "N"), ("Si", "Mg", "N")):
        atoms = scaled(half_heusler(a, b, x), factor=1.05)
        c.add(atoms, "ternary_hh")
        c.add(c.shaken(atoms, 0.1, 0.03), "ternary_hh")
    # Cations of CaMg2N2's type exchanged: Ca2MgN2.
    c.add(c.shaken(scaled(layered("Mg", "Ca", "N"), factor=1.02), 0.1, 0.03), "ternary_layer")
    for a, b in (("Si", "Mg"), ("Mg", "Si")):
        c.add(c.shaken(scaled(perovskite(a, b, "N")), 0.05, 0.02), "ternary_perovskite")
    atoms = scaled(perovskite("Si", "N", "Mg"), factor=1.15)
    c.add(atoms, "antiperovskite")
    c.add(c.shaken(atoms, 0.1, 0.03), "antiperovskite")


def training_structures() -> list[Atoms]:
    """All structures, mixed, so that the first labels already cover everything."""
    c = Collection()
    for add in (add_binaries, add_elements, add_nitrogen, add_random_cells, add_ternaries):
        add(c)
    return [c.frames[k] for k in c.random.permutation(len(c.frames))]


if __name__ == "__main__":
    write(sys.stdout, training_structures(), format="extxyz")
