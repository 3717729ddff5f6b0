"""PAW sets that GPAW's own generator makes, where a level asks for others than those of gpaw-data.

``"paw": {"Ca": 10}`` in a level file stands for the set of calcium with ten valence electrons among the parameters of
``gpaw.atom.generator2``, made by ``gpaw dataset Ca -e 10``, and ``"Zn": {"electrons": 20, "radius": 1.8}`` for one whose
projectors end at another radius [Bohr] than there. Sets are made once, into ``$TAMIZ_PAW``, by default
``~/.cache/tamiz/paw`` and there a folder of the version of GPAW; the same version makes the same file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import protocol


def folder() -> Path:
    import gpaw

    base = os.environ.get("TAMIZ_PAW") or Path.home() / ".cache" / "tamiz" / "paw"
    return Path(base) / f"gpaw-{gpaw.__version__}"


@dataclass(frozen=True)
class PawSet:
    """Of an element: how many electrons are valence, and where its projectors end if not where GPAW says [Bohr]."""

    electrons: int
    radius: float | None = None

    @classmethod
    def of(cls, entry: int | dict) -> PawSet:
        return cls(**entry) if isinstance(entry, dict) else cls(entry)

    @property
    def tag(self) -> str:
        return f"tamiz{self.electrons}" + (f"r{self.radius:g}" if self.radius else "")

    @property
    def arguments(self) -> list[str]:
        return ["-e", str(self.electrons), *(["-r", f"{self.radius:g}"] if self.radius else [])]


def make(symbol: str, paw_set: PawSet, xc: str) -> Path:
    """Makes a set unless it is there; several processes may do so at once."""
    target = folder() / f"{symbol}.{paw_set.tag}.{xc}"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        command = [sys.executable, "-m", "gpaw", "dataset", symbol, *paw_set.arguments, "-f", xc, "-w", "-t", paw_set.tag]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
        made = Path(scratch) / target.name
        if done.returncode != 0 or not made.exists():
            reason = (done.stderr.strip().splitlines() or ["no file was written"])[-1]
            raise protocol.LabelFailure(
                f"GPAW cannot make a PAW set of {symbol} with {paw_set.electrons} valence electrons: {reason}")
        os.replace(made, target)
    return target


def provide(settings: dict, symbols) -> dict[str, str]:
    """The argument ``setups`` of GPAW for these elements, whose sets are there then."""
    from gpaw import setup_paths

    wanted = {symbol: PawSet.of(entry) for symbol, entry in settings.get("paw", {}).items() if symbol in set(symbols)}
    for symbol, paw_set in wanted.items():
        make(symbol, paw_set, settings["xc"])
    if wanted and str(folder()) not in map(str, setup_paths):
        setup_paths.insert(0, str(folder()))
    return {symbol: paw_set.tag for symbol, paw_set in wanted.items()}
