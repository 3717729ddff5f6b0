"""Single stages of a campaign: proposing candidates, labelling structures."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from typing import Any

from . import _tamiz
from .convert import Frame, is_structure, to_frame

Candidate = _tamiz.Candidate
Proposal = _tamiz.Proposal
LabelRun = _tamiz.LabelRun


def propose(campaign: str | os.PathLike) -> Proposal:
    """Candidates of the chemical systems of a campaign file, before any energy is known, and what was left out.

    Raises FormatError and SpeciesError naming file, line and key.
    """
    return _tamiz.propose(campaign)


def prototype_names() -> list[str]:
    """Names of the shipped prototypes."""
    return _tamiz.prototype_names()


def _named(frames: list[Frame]) -> list[tuple[str, Frame]]:
    """With the ids that they bring along, else their places."""
    ids = [frame.info.get("id") or frame.info.get("candidate") or f"{k:04d}" for k, frame in enumerate(frames)]
    uses: Counter[str] = Counter()
    named = []
    for name, frame in zip(ids, frames):
        named.append((f"{name}#{uses[name]}" if uses[name] else name, frame))
        uses[name] += 1
    return named


def label(structures: Any, ledger: str | os.PathLike, *, oracle: str = "gpaw", task: str = "single_point",
          level: str | None = None, timeout: float = 0.0, workers: int = 0, retry_failed: bool = False) -> LabelRun:
    """Calculates energies, forces and stresses of structures in worker processes.

    Args:
        structures: one or many (tamiz frames or structures, ASE, pymatgen), or a dict of them by id. Else the ``info`` of a frame or
            of Atoms may hold an "id"; a "mesh" names the class of k-point mesh, as "molecule".
        ledger: file that keeps the labels; what it holds already is not calculated again.
        oracle: "gpaw", "ase:module:callable", "replay:LEDGER", or a command that speaks the worker protocol.
        task: "single_point", "relax" or "gap".
        level: settings by name or JSON file; for "gpaw" pbe-600 unless given, for others none.
        timeout: CPU time of one label [core-seconds], and ten times as much on the clock; 0: none.
        workers: side by side; 0: one per core that the machine grants.

    A label may fail: then its result has a ``reason`` and no ``frame``. Ctrl-C stops; the same call goes on.
    Raises OracleError when the oracle cannot be started, FileError for the ledger.
    """
    if isinstance(structures, dict):
        named = [(str(key), to_frame(item, labels=False)) for key, item in structures.items()]
    else:
        items = [structures] if is_structure(structures) else list(structures)
        named = _named([to_frame(item, labels=False) for item in items])
    if level is None:
        level = "pbe-600" if oracle == "gpaw" else ""
    with tempfile.TemporaryDirectory(prefix="tamiz-label-") as scratch:
        return _tamiz.label(named, oracle, task, level, timeout, workers, ledger, scratch, retry_failed)
