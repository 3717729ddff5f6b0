"""Single stages of a campaign: proposing candidates, labelling structures."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from typing import Any

from . import _tamiz
from .convert import Frame, is_structure, to_frame, to_structures
from .errors import ShapeError
from .potential import Potential

Candidate = _tamiz.Candidate
Proposal = _tamiz.Proposal
LabelRun = _tamiz.LabelRun
Selected = _tamiz.Selected


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


def select(potential: Potential, structures: Any, *, n: int = 50, known: Any = (), min_sigma: float = 0.0, max_sigma: float = 1e9,
           per_cost: bool = False) -> list[Selected]:
    """Chooses structures to label, one after the other: those whose energy a committee doubts and that differ from what is known.

    Args:
        potential: with a committee (``n_members`` of 2 or more).
        structures: to choose from (tamiz, ASE, pymatgen).
        n: how many, at most; fewer where nothing is left that differs.
        known: structures that are labelled already.
        min_sigma, max_sigma: least and largest standard deviation of the energies [eV/atom]; what lies above is torn.
        per_cost: whether small and symmetric cells, which DFT calculates sooner, count for more.

    Each of the list has ``index`` among the structures, ``sigma`` [eV/atom], ``distance`` of its descriptors to the nearest that is chosen or
    known, and the ``cost`` that is expected, in any unit. They are in the order in which they were chosen, by the largest
    sigma · distance, with `per_cost` divided by the cost.
    Raises CapabilityError for a potential without a committee, SpeciesError for elements that it does not know.
    """
    if n < 1:
        raise ShapeError(f"expected to choose 1 or more structures, got n = {n}")
    if not min_sigma < max_sigma:
        raise ShapeError(f"nothing lies between min_sigma {min_sigma:g} and max_sigma {max_sigma:g}")
    return _tamiz.select(potential._native, to_structures(structures), to_structures(known), n, min_sigma, max_sigma, per_cost)


def label(structures: Any, ledger: str | os.PathLike, *, oracle: str = "gpaw", task: str = "single_point",
          level: str | None = None, timeout: float = 0.0, workers: int = 0, retry_failed: bool = False,
          potential: Potential | None = None) -> LabelRun:
    """Calculates energies, forces and stresses of structures in worker processes.

    Args:
        structures: one or many (tamiz frames or structures, ASE, pymatgen), or a dict of them by id. Else the ``info`` of a frame or
            of Atoms may hold an "id"; a "mesh" names the class of k-point mesh, as "molecule".
        ledger: file that keeps the labels; what it holds already is not calculated again.
        oracle: "gpaw", "ase:module:callable", "replay:LEDGER", "replay-names:LEDGER", or a command that speaks the worker protocol.
        task: "single_point", "relax" or "gap".
        level: settings by name or JSON file; for "gpaw" pbe-600g unless given, for others none.
        timeout: CPU time of one label [core-seconds], and ten times as much on the clock; 0: none.
        workers: side by side; 0: one per core that the machine grants.
        potential: whose second derivatives relaxations of crystals begin with: they take about half as many steps where it knows them.

    A label may fail: then its result has a ``reason`` and no ``frame``. Ctrl-C stops; the same call goes on.
    Raises OracleError when the oracle cannot be started, FileError for the ledger.
    """
    if isinstance(structures, dict):
        named = [(str(key), to_frame(item, labels=False)) for key, item in structures.items()]
    else:
        items = [structures] if is_structure(structures) else list(structures)
        named = _named([to_frame(item, labels=False) for item in items])
    if level is None:
        level = "pbe-600g" if oracle == "gpaw" else ""
    with tempfile.TemporaryDirectory(prefix="tamiz-label-") as scratch:
        return _tamiz.label(named, oracle, task, level, timeout, workers, ledger, scratch, retry_failed,
                            potential and potential._native)
