"""Fitting models to labelled structures, and their errors."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterable

from . import _tamiz
from ._torch import require_matching_torch
from .convert import Frame, to_frames
from .errors import CapabilityError, FileError, FormatError
from .potential import Potential, load

Calibration = _tamiz.Calibration
ErrorSummary = _tamiz.ErrorSummary


@dataclass
class TrainedModel:
    """A model that was just fitted."""

    path: Path
    steps: int
    training: ErrorSummary
    validation: ErrorSummary

    def load(self, **options: Any) -> Potential:
        """The model as a potential; options as for :func:`tamiz.load`."""
        return load(self.path, **options)


def _without_test(frames: list[Frame], validation: list[Frame]) -> tuple[list[Frame], list[Frame]]:
    """What to train and to validate on: by the split that frames name, as those of a data set do; what names none is trained on."""

    def of_split(name: str) -> list[Frame]:
        return [frame for frame in frames if frame.info.get("split", "train") == name]

    if frames and not of_split("train"):
        raise FormatError("none of the frames is of the split train")
    if any("split" in frame.info for frame in validation):
        validation = [frame for frame in validation if frame.info.get("split", "validation") == "validation"]
        if not validation:
            raise FormatError("none of the frames to validate on is of the split validation")
    return of_split("train"), validation or of_split("validation")


def train(frames: Iterable[Any], out: str | os.PathLike, *, config: str | os.PathLike | None = None,
          initial: str | os.PathLike | None = None, validation: Iterable[Any] = (), steps: int | None = None,
          minutes: float | None = None, learning_rate: float | None = None, batch_size: int | None = None,
          dtype: str | None = None, seed: int = 1, threads: int = 0, engine: str | None = None,
          card: dict[str, str] | None = None, resume: bool = False,
          progress: Callable[[int, int, float], None] | None = None) -> TrainedModel:
    """Fits a MACE model to labelled frames (tamiz frames, or ASE Atoms with results) and writes it to `out`.

    Of frames that name a split (``info["split"]``, as those of a data set do) it trains on "train" only and validates on "validation"
    unless told otherwise; frames that name none are trained on.

    Args:
        config: train.toml with the shape of the model, the steps and the loss; what is given here goes before it.
        initial: model to train further; its shape is kept, and its reference energies but for `shift_references` in `config`.
        validation: frames to validate and to calibrate the uncertainty on, of a data set its split "validation"; otherwise a tenth of `frames`.
        minutes: choose the steps so that training takes about this long; not together with `steps`.
        threads: 0: as many as the machine grants; does not change the result.
        engine: "fused" (kernels of tamiz) or "torch" (LibTorch, which is loaded then); they agree but for rounding. None: fused.
        card: entries for the model's card; how many frames and steps and which seed it says by itself.
        resume: go on from the checkpoint beside `out` that an interrupted call left.
        progress: called with step, total and present loss about once per second.

    The same frames, settings and seed give the same model. Ctrl-C writes the checkpoint and raises KeyboardInterrupt.
    Raises ShapeError (no frames, no labels), NumericsError (a label that is not finite), SpeciesError, FileError.
    """
    if steps is not None and minutes is not None:
        raise FormatError("steps and minutes exclude each other: give one of them")
    if engine == "torch":
        require_matching_torch()
    path = Path(out)
    checkpoint = path.with_name(path.name + ".checkpoint")
    if checkpoint.exists() and not resume:
        raise FileError(f"{checkpoint} is left from a training that was stopped: pass resume=True, or remove it")
    training, validation = _without_test(to_frames(frames), to_frames(validation))
    result = _tamiz.train(training, validation, config, initial, steps, minutes, learning_rate,
                          batch_size, dtype, seed, threads, engine or "", checkpoint, progress)
    result.write(path, {"created_by": "tamiz.train", **(card or {})})
    checkpoint.unlink(missing_ok=True)
    return TrainedModel(path, result.steps, result.training, result.validation)


def evaluate(potential: Potential, frames: Iterable[Any]) -> ErrorSummary:
    """Errors of energies [eV/atom], forces [eV/Å] and stresses [eV/Å³] over the frames that have them; None where none has."""
    return _tamiz.evaluate_errors(potential._native, to_frames(frames))


def calibration(potential: Potential, frames: Iterable[Any]) -> Calibration | None:
    """What the committee's standard deviations say of the errors of energies per atom.

    Over the frames with energies, which should lie outside of the training: `expected` and `observed` shares of errors in
    central intervals, `miscalibration_area` between both (0 to 0.5; doi:10.1088/2632-2153/ab7e1a), `sharpness` (root mean
    square of σ) [eV/atom] and `spearman`, the rank correlation of σ with the error. None for fewer than five frames.

    Raises CapabilityError for a potential without a committee.
    """
    if potential.n_members < 2:
        raise CapabilityError("this potential has no committee: load a model that was trained with n_members of 2 or "
                              "more and five validation frames or more")
    return _tamiz.calibration(potential._native, to_frames(frames))


def model_info(path: str | os.PathLike) -> dict[str, Any]:
    """Shape (``description``) and ``card`` of a model file; reads it whole and checks its checksum."""
    description, card = _tamiz.model_header(path)
    return {"description": json.loads(description), "card": card}
