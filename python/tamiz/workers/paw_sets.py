"""PAW sets that GPAW's own generator makes, where a level asks for others than those of gpaw-data.

``"paw": {"Ca": 10}`` in a level file stands for the set of calcium with ten valence electrons among the parameters of
``gpaw.atom.generator2``, made by ``gpaw dataset Ca -e 10``. Sets are made once, into ``$TAMIZ_PAW``, by default
``~/.cache/tamiz/paw`` and there a folder of the version of GPAW; the same version makes the same file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import protocol


def folder() -> Path:
    import gpaw

    base = os.environ.get("TAMIZ_PAW") or Path.home() / ".cache" / "tamiz" / "paw"
    return Path(base) / f"gpaw-{gpaw.__version__}"


def tag(electrons: int) -> str:
    return f"tamiz{electrons}"


def file_name(symbol: str, electrons: int, xc: str) -> str:
    return f"{symbol}.{tag(electrons)}.{xc}"


def make(symbol: str, electrons: int, xc: str) -> Path:
    """Makes a set unless it is there; several processes may do so at once."""
    target = folder() / file_name(symbol, electrons, xc)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        command = [sys.executable, "-m", "gpaw", "dataset", symbol, "-e", str(electrons), "-f", xc, "-w", "-t", tag(electrons)]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
        made = Path(scratch) / target.name
        if done.returncode != 0 or not made.exists():
            reason = (done.stderr.strip().splitlines() or ["no file was written"])[-1]
            raise protocol.LabelFailure(f"GPAW cannot make a PAW set of {symbol} with {electrons} valence electrons: {reason}")
        os.replace(made, target)
    return target


def provide(settings: dict, symbols) -> dict[str, str]:
    """The argument ``setups`` of GPAW for these elements, whose sets are there then."""
    from gpaw import setup_paths

    wanted = {symbol: n for symbol, n in settings.get("paw", {}).items() if symbol in set(symbols)}
    for symbol, electrons in wanted.items():
        make(symbol, electrons, settings["xc"])
    if wanted and str(folder()) not in map(str, setup_paths):
        setup_paths.insert(0, str(folder()))
    return {symbol: tag(electrons) for symbol, electrons in wanted.items()}
