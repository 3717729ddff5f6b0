"""Band gaps from structures: a Gaussian process on the descriptors of a potential."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _tamiz
from .convert import is_structure, to_structures
from .errors import CapabilityError, ShapeError
from .potential import Potential

if TYPE_CHECKING:
    import pandas

GapErrors = _tamiz.GapErrors


def _plain(plain_gaps: Sequence[float | None] | None, n: int) -> list[float | None]:
    """One per structure; what is missing or NaN is not known."""
    if plain_gaps is None:
        return [None] * n
    values = [None if gap is None or np.isnan(gap) else float(gap) for gap in plain_gaps]
    if len(values) != n:
        raise ShapeError(f"expected a plain gap, or None, for each of {n} structures, got {len(values)}")
    return values


class GapModel:
    """Whether a crystal has a gap, and how large it is.

    Attributes:
        potential: whose descriptors it looks at.
        level: of the gaps it was trained on, as "GLLB-SC".
        errors: of cross-validation with whole compositions left out, where it was trained here; None where it was loaded.
    """

    def __init__(self, native: Any, potential: Potential, errors: GapErrors | None = None):
        self._native = native
        self.potential = potential
        self.errors = errors

    @classmethod
    def train(cls, potential: Potential, structures: Any, gaps: Sequence[float],
              plain_gaps: Sequence[float | None] | None = None, level: str = "GLLB-SC", folds: int = 5) -> GapModel:
        """A model of the gaps of these crystals.

        Args:
            potential: a MACE model from a file.
            structures: crystals, eight or more, relaxed (tamiz, ASE or pymatgen); all are trained on, whatever their split.
            gaps: of each [eV], 0 for metals; four or more above 0. Its errors are known (``errors``) where so much is left without any of the folds.
            plain_gaps: of each with a cheaper functional, PBE say [eV], where known. They make gaps more certain.
            folds: parts of the cross-validation.

        Takes O(n³) time: seconds for 300 crystals. Raises ShapeError for fewer crystals, CapabilityError for a potential
        without descriptors, NumericsError for gaps that are negative or not finite.
        """
        if folds < 2:
            raise ShapeError(f"folds must be 2 or more, got {folds}")
        crystals = to_structures(structures)
        values = [float(gap) for gap in gaps]
        if len(values) != len(crystals):
            raise ShapeError(f"expected a gap for each of {len(crystals)} structures, got {len(values)}")
        data = (_tamiz.crystal_features(potential._native, crystals), [crystal.reduced_formula for crystal in crystals], values,
                _plain(plain_gaps, len(crystals)))
        try:
            errors = _tamiz.cross_validated_gaps(*data, folds)
        except ShapeError:  # too few to leave some out
            errors = None
        return cls(_tamiz.GapModel(*data, _tamiz.potential_hash(potential.path), level), potential, errors)

    @classmethod
    def load(cls, path: str | os.PathLike, potential: Potential) -> GapModel:
        """A model from a file, for the potential it was trained with. Raises CapabilityError for another one, FormatError."""
        native = _tamiz.GapModel.load(path)
        if native.potential != _tamiz.potential_hash(potential.path):
            raise CapabilityError(f"{os.fspath(path)} was trained on the descriptors of another potential than {potential.path}")
        return cls(native, potential)

    def save(self, path: str | os.PathLike) -> None:
        """Writes one HDF5 file, at once."""
        self._native.save(path)

    @property
    def level(self) -> str:
        return self._native.level

    def __len__(self) -> int:
        """Crystals that it was trained on."""
        return len(self._native)

    def predict(self, structures: Any, plain_gaps: Sequence[float | None] | None = None) -> pandas.DataFrame:
        """One row per structure: ``probability`` that there is a gap, ``gap`` if there is one [eV], and its ``sigma`` [eV].

        A plain gap above 0 says that there is one, and makes ``gap`` more certain. Far from the crystals it was trained on,
        ``sigma`` grows to the spread of all gaps. Raises SpeciesError for elements that the potential does not know.
        """
        import pandas

        crystals = to_structures([structures] if is_structure(structures) else structures)
        rows = self._native.predict(_tamiz.crystal_features(self.potential._native, crystals), _plain(plain_gaps, len(crystals)))
        table = pandas.DataFrame(rows, columns=["probability", "gap", "sigma"])
        table.insert(0, "formula", [crystal.reduced_formula for crystal in crystals])
        return table
