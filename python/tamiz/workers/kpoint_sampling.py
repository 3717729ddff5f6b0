"""Which mesh of k-points a structure is calculated on: its class by composition, and the mesh and symmetry that GPAW is given."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

import kpoint_mesh
import protocol

ANIONS = {"H", "C", "N", "O", "F", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"}
METALLOIDS = {"B", "Si", "Ge", "Sn", "Sb"}


def mesh_class(symbols: list[str], classes=()) -> str:
    """Class of k-point mesh for a composition, the coarsest that it may have among those of a level."""
    counts = Counter(symbols)
    elements = set(counts)
    if elements & ANIONS and len(elements) > 1:
        coarsest = "insulator" if "insulator" in classes else "anion"
        # An odd number of electrons half fills a band: in the cell for sure, in the formula nearly always, and where a
        # first try costs little nothing is said before it.
        formula_units = 1 if coarsest == "insulator" else math.gcd(*counts.values())
        electrons = sum(n // formula_units * atomic_numbers[symbol] for symbol, n in counts.items())
        return known_class("intermetallic", classes) if electrons % 2 else coarsest
    if "intermetallic" in classes and len(elements) > 1:
        return "intermetallic"
    return "covalent" if elements & (ANIONS | METALLOIDS) else "metal"


def known_class(mesh: str, classes) -> str:
    """A level without a class for compounds that are metals calculates them on that for semiconductors without an anion."""
    return "covalent" if mesh == "intermetallic" and mesh not in classes else mesh


def mesh_table(settings: dict) -> dict:
    """By class of mesh, how fine it is in the level's measure, a length [Å] or a density; 0: one point, of a molecule."""
    return settings["kpoint_length"] if "kpoint_length" in settings else settings["kpoint_density"]


def chosen_mesh(atoms: Atoms, settings: dict) -> str:
    """Class of mesh to begin with: the settings name it, else the composition."""
    mesh = settings.get("mesh") or mesh_class(list(atoms.symbols), mesh_table(settings))
    if mesh not in mesh_table(settings):
        known = ", ".join(sorted(mesh_table(settings)))
        raise protocol.LabelFailure(f"unknown mesh class {mesh!r}, level {settings['name']} has {known}")
    return mesh


@dataclass(frozen=True)
class Sampling:
    """A mesh, the cell that it belongs to, which is `basis` times that of the atoms, and GPAW's parameter `symmetry`; in `whole`
    all operations of the crystal, where `symmetry` has a part of them."""

    mesh: tuple[int, int, int]
    basis: np.ndarray
    symmetry: dict
    whole: dict | None = None
    length: float = 0.0  # that the level asks for [Å]; 0: it asks for a density
    density: float = 0.0

    @classmethod
    def of(cls, atoms: Atoms, settings: dict, fineness: float, symmorphic: bool = True) -> Sampling:
        """The cheapest, which may leave a part of the symmetry to an average afterwards. `settings` say which measure `fineness` is in;
        where it is a density, fractional translations count as symmetries only where `symmorphic` is false."""
        if "kpoint_length" not in settings:
            return cls._by_density(atoms, fineness, symmorphic)
        if fineness == 0.0 or not all(atoms.pbc):
            return cls._by_density(atoms, fineness / (2.0 * math.pi), symmorphic)
        basis, cell, symmetry = reduced_with_symmetry(atoms)
        mesh, used = kpoint_mesh.cheapest(cell, fineness, symmetry["rotations"])
        part = {name: values[used] for name, values in symmetry.items()}
        return cls(mesh, basis, part, None if used.all() else symmetry, length=fineness)

    @classmethod
    def with_all_symmetries(cls, atoms: Atoms, settings: dict, fineness: float, even: bool = False) -> Sampling:
        """Leaves nothing to an average; with `even` the numbers of the mesh are even or one."""
        if "kpoint_length" in settings and fineness > 0.0 and all(atoms.pbc):
            basis, cell, symmetry = reduced_with_symmetry(atoms)
            return cls(kpoint_mesh.by_length(cell, fineness, symmetry["rotations"], even), basis, symmetry, length=fineness)
        sampling = cls.of(atoms, settings, fineness)
        return replace(sampling, mesh=tuple(n + n % 2 if even and n > 1 else n for n in sampling.mesh))

    @classmethod
    def _by_density(cls, atoms: Atoms, density: float, symmorphic: bool) -> Sampling:
        mesh = kpoint_mesh.by_density(atoms, density)
        return cls(mesh, np.eye(3, dtype=int), {"symmorphic": symmorphic}, density=density)

    def cell(self, atoms: Atoms) -> Atoms:
        """The atoms in the cell of the mesh."""
        return kpoint_mesh.reduced(atoms, self.basis)

    def fits(self, atoms: Atoms) -> bool:
        """Whether the mesh is as fine as the level asks for when the cell has become that of `atoms`."""
        if self.length > 0.0:
            return kpoint_mesh.resolved_length(self.cell(atoms), self.mesh) >= (1.0 - kpoint_mesh.KEPT) * self.length
        return all(have >= want for have, want in zip(self.mesh, kpoint_mesh.by_density(atoms, self.density)))


def reduced_with_symmetry(atoms: Atoms) -> tuple[np.ndarray, Atoms, dict]:
    """What times the cell gives the reduced one, the atoms in it, and all their symmetries there."""
    basis = kpoint_mesh.reduction(atoms)
    cell = kpoint_mesh.reduced(atoms, basis)
    return basis, cell, kpoint_mesh.symmetries(cell)
