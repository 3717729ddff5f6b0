"""Convex hulls: which compounds are stable against falling apart into others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import _tamiz
from .convert import to_frames, to_structure
from .errors import ShapeError


def _formula(compound: Any) -> str:
    """Of a formula or of a structure (tamiz, ASE or pymatgen)."""
    return compound if isinstance(compound, str) else to_structure(compound).formula


class ConvexHull:
    """Lower convex hull of energy over composition, of any number of elements.

        hull = tamiz.ConvexHull({"Mg": ("Mg", -1.5), "Si": ("Si", -5.4), "Mg2Si": ("Mg2Si", -3.0)})
        hull.energy_above("MgSi", -3.2)        # eV/atom
        hull.decompose("MgSi")                 # {"Mg2Si": 0.75, "Si": 0.25}, shares of atoms

    All energies must be of one level. Compounds are formulas or structures.
    """

    def __init__(self, phases: Mapping[str, tuple[Any, float]]):
        """`phases`: compound and energy [eV/atom] by a name; each element needs a phase of itself alone.

        Raises ShapeError where an element has none, NumericsError for an energy that is not finite, FormatError and
        SpeciesError for a formula.
        """
        self.names = list(phases)
        self._native = _tamiz.ConvexHull(self.names, [_formula(compound) for compound, _ in phases.values()],
                                         [float(energy) for _, energy in phases.values()])

    @classmethod
    def of_frames(cls, frames: Iterable[Any]) -> ConvexHull:
        """Of labelled frames (or ASE Atoms with energies), named by their ``info["id"]``, else by formula.

        Of a name and formula the lowest counts; a name that several formulas have gets the formula behind it.
        """
        lowest: dict[tuple[str, str], tuple[Any, float]] = {}
        for frame in to_frames(list(frames)):
            if frame.energy is None:
                raise ShapeError(f"a frame of {frame.structure.formula} has no energy")
            formula, energy = frame.structure.reduced_formula, frame.energy / len(frame.structure)
            key = frame.info.get("id", formula), formula
            if key not in lowest or energy < lowest[key][1]:
                lowest[key] = (frame.structure, energy)
        uses = Counter(name for name, _ in lowest)
        return cls({name if uses[name] == 1 else f"{name} {formula}": phase for (name, formula), phase in lowest.items()})

    def __len__(self) -> int:
        """Number of phases."""
        return len(self._native)

    def _known(self, without: Sequence[str]) -> list[str]:
        if unknown := sorted(set(without) - set(self.names)):
            raise ShapeError(f"no phase of the hull is named {', '.join(unknown)}")
        return list(without)

    def energy_above(self, compound: Any, energy: float, without: Sequence[str] = ()) -> float:
        """How far `energy` [eV/atom] of a compound lies above the hull, negative below it, the phases `without` left out.

        The last phase of an element stays, for without it there is no hull. Raises SpeciesError for an element that is not in
        the hull, ShapeError for a name in `without` that no phase has.
        """
        return self._native.decompose(_formula(compound), energy, self._known(without))[0]

    def decompose(self, compound: Any, without: Sequence[str] = ()) -> dict[str, float]:
        """The phases of lowest energy that a compound can become, with the share of atoms of each."""
        return self._native.decompose(_formula(compound), 0.0, self._known(without))[1]

    def formation_energy(self, compound: Any, energy: float) -> float:
        """Energy less that of the elements [eV/atom]."""
        return self._native.formation_energy(_formula(compound), energy)

    def chemical_potential_range(self, compound: Any, energy: float, element: str) -> tuple[float, float] | None:
        """Lowest and highest chemical potential of an element, relative to its elemental phase [eV], at which the compound is
        stable; None where it never is. Raises SpeciesError for an element that is not in the compound."""
        return self._native.potential_range(_formula(compound), energy, element)
