"""Results of a study of one level in a JSON file that is replaced after each calculation, so that a study goes on."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path


def replace_json(path: Path, value: dict | list) -> None:
    """Writes a file that is whole at any moment."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(value, indent=1) + "\n")
    os.replace(new, path)


def calculated_with(level: dict) -> dict:
    """What of a level decides about its calculations: the Pulay correction comes after them."""
    return {key: value for key, value in level.items() if key not in ("pulay", "stress_gate_gpa")}


def file_hash(path: Path) -> str:
    """Of its bytes, so that results are not taken for those of another file of the same name."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


class KeptResults:
    """`results` of the study and what was `done` for them, by description; `done_key` is its name in the file."""

    done_key = "calculations"

    def __init__(self, level: dict, path: Path):
        self.level, self.path = level, path
        stored = json.loads(path.read_text()) if path.exists() else {}
        if stored and calculated_with(stored["level"]) != calculated_with(level):
            sys.exit(f"{path} belongs to other settings than the level file has now: remove it, or name another output")
        self.results = stored.get("results", {})
        self.done = stored.get(self.done_key, {})

    def write(self) -> None:
        replace_json(self.path, {"level": self.level, "results": self.results, self.done_key: self.done})
