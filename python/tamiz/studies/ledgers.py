"""The finished labels of a ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ase import Atoms

from tamiz import _tamiz


def finished_labels(ledger: Path, task: str = "") -> Iterator[dict[str, Any]]:
    """Its records of labels of a task, of any by default."""
    for record in map(json.loads, _tamiz.ledger_records(ledger)):
        if record["kind"] == "label" and record["status"] == "finished" and task in ("", record["task"]):
            yield record


def atoms_of(structure: dict[str, Any]) -> Atoms:
    """Of a record's "structure" or "frame"."""
    return Atoms(structure["symbols"], positions=structure["positions"], cell=structure["cell"], pbc=structure["pbc"])
