"""Data sets: labelled structures with a card, in one compressed HDF5 file.

    data = tamiz.datasets.load("nitrides.h5")
    data.card["licence"]
    for frame in data.split("train"):
        frame.structure, frame.energy, frame.forces, frame.info["level"]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from . import _tamiz
from .convert import Frame, to_ase, to_frames

if TYPE_CHECKING:
    import pandas


class DataSet(Sequence[Frame]):
    """A sequence of :class:`tamiz.Frame`: structures with their labels.

    Attributes:
        card: texts that say what the set is: "name", "level", "licence", ...
        failures: structures whose calculation failed; ``info["reason"]`` says why.

    ``info`` of a frame holds what is known of its label as texts: "id", "task", "level", "settings" (JSON), "version",
    "split", "parents", "core_seconds", "gap" [eV], ... A slice and :meth:`split` give a smaller data set.
    """

    def __init__(self, frames: Sequence[Any], card: dict[str, str] | None = None, failures: Sequence[Any] = ()):
        self._frames = to_frames(list(frames))
        self.card = dict(card or {})
        self.failures = to_frames(list(failures))

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> DataSet: ...
    def __getitem__(self, index):
        if isinstance(index, slice):
            return DataSet(self._frames[index], self.card)
        return self._frames[index]

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)

    def split(self, name: str) -> DataSet:
        """The frames of the split "train", "validation" or "test". Raises KeyError where no frame is of it."""
        members = [frame for frame in self._frames if frame.info.get("split") == name]
        if not members:
            raise KeyError(f"no frame is of the split {name!r}; there are {sorted({f.info.get('split', '') for f in self._frames})}")
        return DataSet(members, self.card)

    def to_ase(self) -> list[Any]:
        """ASE Atoms whose calculators give the labels."""
        return [to_ase(frame) for frame in self._frames]

    def table(self) -> pandas.DataFrame:
        """One row per frame: formula, n_atoms, energy, free_energy [eV], fmax [eV/Å] and all of ``info``, numbers as such but for names."""
        import pandas

        def row(frame: Frame) -> dict[str, Any]:
            forces = frame.forces
            return {"formula": frame.structure.formula, "n_atoms": len(frame.structure.symbols), "energy": frame.energy,
                    "free_energy": frame.free_energy, "fmax": None if forces is None else float((forces**2).sum(1).max() ** 0.5),
                    **{key: text if key in NAMES else _number(text) for key, text in frame.info.items()}}

        return pandas.DataFrame([row(frame) for frame in self._frames])

    def save(self, path: str | Path) -> None:
        """Writes the set to a file (.h5), atomically.

        Raises FileError; FormatError for frames that a data set cannot hold: with per-atom arrays, or labels that are not
        finite.
        """
        _tamiz.write_data_set(path, {key: str(value) for key, value in self.card.items()}, self._frames, self.failures)

    def __repr__(self) -> str:
        return f"DataSet({self.card.get('name', '')!r}, {len(self)} frames, {len(self.failures)} failures)"


NAMES = {"id", "parents", "split", "level", "version", "task", "settings", "mesh", "reason"}  # texts, also where they look like numbers


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def load(path: str | Path) -> DataSet:
    """A data set from a file (.h5) that ``tamiz dataset`` or :meth:`DataSet.save` wrote.

    Raises FileError; FormatError where the file is no data set, of another version, or not what was written ("checksum").
    """
    card, frames, failures = _tamiz.read_data_set(path)
    return DataSet(frames, card, failures)
