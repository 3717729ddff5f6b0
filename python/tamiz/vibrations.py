"""Phonons: vibrations of crystals in the harmonic approximation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _tamiz
from .convert import Structure, require_no_constraints, require_usual_masses, to_structure
from .errors import CapabilityError, ConvergenceError, ShapeError, UnitError
from .potential import Potential

MESH_LENGTH = 50.0  # [Å] that meshes for sums over the zone resolve


@dataclass
class Bands:
    """Frequencies along a path of wave vectors."""

    distances: np.ndarray  #: (n_points,) along the path [1/Å], with 2π
    frequencies: np.ndarray  #: (n_points, n_modes) [THz], imaginary ones negative
    wave_vectors: np.ndarray  #: (n_points, 3), in units of the reciprocal lattice vectors
    labels: list[tuple[float, str]]  #: of special points: where along the path, and names, as "G" for the zone centre


class Phonons:
    """Phonons of a crystal, as :func:`phonons` makes them.

    Wave vectors are in units of the reciprocal lattice vectors of `structure`; frequencies are in THz, imaginary ones negative. The
    splitting of longitudinal and transverse optical modes by the electric field is left out.
    """

    TOLERANCE = _tamiz.phonon_tolerance  #: imaginary frequencies up to here do not count unless said otherwise [THz]

    def __init__(self, native: _tamiz.Phonons):
        self._native = native

    @property
    def structure(self) -> Structure:
        """What vibrates, as it was given or relaxed."""
        return self._native.structure

    @property
    def copies(self) -> tuple[int, int, int]:
        """Of the cell in the supercell."""
        return tuple(self._native.copies)

    @property
    def largest_force(self) -> float:
        """On an atom at rest [eV/Å]: where it is not small, frequencies are not those of a minimum."""
        return self._native.largest_force

    def frequencies(self, wave_vectors: Any) -> np.ndarray:
        """(n_modes,) for one wave vector, (n, n_modes) for many [THz], ascending."""
        points = np.asarray(wave_vectors, dtype=float)
        if points.shape[-1:] != (3,) or points.ndim > 2:
            raise ShapeError(f"wave vectors must have the shape (3,) or (n, 3), got {points.shape}")
        found = self._native.frequencies(points.reshape(-1, 3))
        return found[0] if points.ndim == 1 else found

    def dynamical_matrix(self, wave_vector: Sequence[float]) -> np.ndarray:
        """(n_modes, n_modes), complex, hermitian, weighted by masses [eV/(Å² u)]; its eigenvectors are the modes."""
        return self._native.dynamical_matrix(np.asarray(wave_vector, dtype=float))

    def lowest(self) -> tuple[float, np.ndarray]:
        """Lowest frequency [THz] and its wave vector, of those that fit into the supercell, where nothing is interpolated.

        Translations, and rotations of molecules, are not counted.
        """
        frequency, point = self._native.lowest()
        return frequency, np.asarray(point)

    def along_lowest(self, wave_vector: Sequence[float] | None = None, amplitude: float = 0.1) -> Structure:
        """The crystal along its lowest mode, in the smallest supercell that the wave fits into; the atom that moves furthest moves by `amplitude` [Å].

        Of an unstable crystal, ``tamiz.relax`` makes of it what the crystal distorts into. Without `wave_vector` that of :meth:`lowest`.
        Raises ShapeError for a wave that does not fit into the supercell.
        """
        point = self.lowest()[1] if wave_vector is None else np.asarray(wave_vector, dtype=float)
        return self._native.along_lowest(point, amplitude)

    def is_stable(self, tolerance: float = TOLERANCE) -> bool:
        """Whether no mode of the supercell has an imaginary frequency beyond `tolerance` [THz]."""
        return bool(self.lowest()[0] > -tolerance)

    def bands(self, path: str | None = None, points: int = 100) -> Bands:
        """Along a path of special points, by default that of ASE for the Bravais lattice (``"GXWKGLUWLK,UX"``); `points` in all."""
        from ase.cell import Cell

        band = Cell(self.structure.cell).bandpath(path, npoints=points, pbc=self.structure.pbc)
        distances, places, names = band.get_linear_kpoint_axis()
        return Bands(distances, self.frequencies(band.kpts), band.kpts, list(zip(places.tolist(), names)))

    def mesh(self, numbers: Sequence[int] | None = None) -> np.ndarray:
        """(n_points, n_modes) [THz] on a mesh about the zone centre that does not hold it; by default one that resolves 50 Å."""
        return self._native.mesh([int(n) for n in (_tamiz.supercell_copies(self.structure, MESH_LENGTH) if numbers is None else numbers)])

    def density_of_states(self, width: float = 0.1, points: int = 400, mesh: Sequence[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Frequencies [THz] and states per THz and cell, each mode a Gaussian of `width` [THz]; their integral is the number of modes."""
        if not width > 0.0:
            raise UnitError(f"width must be above 0 THz, got {width}")
        modes = self.mesh(mesh)
        grid = np.linspace(modes.min() - 5.0 * width, modes.max() + 5.0 * width, points)
        density = np.zeros(points)
        for row in modes:
            density += np.exp(-0.5 * ((grid[:, None] - row) / width) ** 2).sum(axis=1)
        return grid, density / (len(modes) * width * np.sqrt(2.0 * np.pi))

    def thermal(self, temperatures: Iterable[float] = range(0, 1001, 50), mesh: Sequence[int] | None = None) -> Any:
        """Vibrational free energy [eV], with the energy of the zero point, entropy and heat capacity at constant volume [eV/K] of one cell.

        One row per temperature [K]: a pandas DataFrame. Imaginary modes have no part in them. Raises UnitError for temperatures below 0, CapabilityError
        for molecules, whose rotations are no vibrations.
        """
        import pandas

        if not any(self.structure.pbc):
            raise CapabilityError("a molecule turns, too: its free energy is not that of its vibrations (ase.thermochemistry has both)")

        rows = _tamiz.harmonic_properties(self.mesh(mesh), [float(t) for t in temperatures])
        return pandas.DataFrame(rows, columns=["temperature", "free_energy", "entropy", "heat_capacity"])

    def __repr__(self) -> str:
        frequency, point = self.lowest()
        return f"Phonons({self.structure.formula}, supercell {self.copies}, lowest {frequency:.3f} THz at {np.round(point, 4).tolist()})"


def _relaxed(cell: Structure, potential: Potential) -> Structure:
    result = _tamiz.relax_before_phonons(potential._native, cell)
    if not result.converged:
        raise ConvergenceError(f"{cell.formula} did not relax ({result.reason or result.status}), so that there is no minimum to vibrate about; "
                               "relax=False takes the structure as it is")
    return result.structure


def phonons(structure: Any, potential: Potential, *, length: float = _tamiz.phonon_length, copies: Sequence[int] | None = None, relax: bool = True,
            primitive: bool = True, displacement: float = 0.01, atoms_per_batch: int = 2048) -> Phonons:
    """Phonons of one structure by a potential, from force constants in a supercell.

        phonons = tamiz.phonons(atoms, potential)
        phonons.is_stable(), phonons.lowest()
        tamiz.plots.phonon_bands(phonons)

    Args:
        length: least distance between opposite faces of the supercell [Å].
        copies: of the cell in the supercell, instead of `length`.
        relax: relax atoms and cell before, to 0.001 eV/Å and 0.0001 eV/Å³.
        primitive: take the primitive cell of a crystal, not the cell as it is given.
        displacement: of atoms, for potentials without second derivatives [Å]. The fused engine has them, in closed form.
        atoms_per_batch: that are evaluated together.

    Raises ConvergenceError where the relaxation did not converge, CapabilityError for atoms that are held and for masses other than those
    of the elements, which are not kept to. Ctrl-C ends the call.
    """
    require_no_constraints(structure)
    require_usual_masses(structure)
    cell = to_structure(structure)
    if primitive:
        cell = _tamiz.phonon_cell(cell)
    if relax:
        cell = _relaxed(cell, potential)
    copies = list(copies) if copies is not None else _tamiz.supercell_copies(cell, length)
    return Phonons(_tamiz.Phonons(potential._native, cell, copies, displacement, atoms_per_batch))
