"""Virtual environments of the peers: made on demand, and left alone where they hold what is asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable

# Each line is one call of pip. torch comes first and at this exact version, so that every code has the same one.
PACKAGES = {
    "mace": [["torch==2.13.0"], ["mace-torch==0.3.16", "torch-sim-atomistic==0.3.0"]],
    "symmetrix": [["torch==2.13.0"], ["symmetrix-xl==0.1.1", "e3nn==0.4.4", "mace-torch==0.3.16"]],
}
INSTALL_S = 3600
PROBE = """
import importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


class Absent(RuntimeError):
    """An environment that is not there; says why."""


def wanted(name: str) -> dict[str, str]:
    return dict(package.split("==") for call in PACKAGES[name] for package in call)


def python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def missing(folder: Path, versions: dict[str, str]) -> list[str]:
    """Packages that the environment lacks or has in another version (a suffix as +cpu is none)."""
    if not python_of(folder).exists():
        return list(versions)
    done = subprocess.run([python_of(folder), "-I", "-c", PROBE, *versions], capture_output=True, text=True)
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    return [name for name, version in versions.items() if found.get(name, "").split("+")[0] != version]


def ensure(name: str, folder: Path, build: bool, say: Callable[[str], None]) -> Path:
    """The Python of the environment, which is made where `build` allows; raises Absent."""
    lacking = missing(folder, wanted(name))
    if lacking and not build:
        raise Absent(f"{folder} lacks {', '.join(lacking)}")
    if lacking:
        make(name, folder, say)
        if still := missing(folder, wanted(name)):
            raise Absent(f"after the installation {folder} lacks {', '.join(still)}")
    return python_of(folder)


def make(name: str, folder: Path, say: Callable[[str], None]) -> None:
    if not python_of(folder).exists():
        say(f"making the environment {folder}")
        run([sys.executable, "-m", "venv", str(folder)])
    for packages in PACKAGES[name]:
        say(f"installing {' '.join(packages)} into {folder}")
        run([str(python_of(folder)), "-m", "pip", "--disable-pip-version-check", "install", "-q", "--retries", "2", *packages])


def run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Absent(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        raise Absent(f"the installation failed: {reason(done.stderr + done.stdout)}")


def reason(output: str) -> str:
    """The line of pip's output that says why: its first error."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(ERROR|error|Error)\b", line)]
    return (errors or lines or ["it printed nothing"])[0]
