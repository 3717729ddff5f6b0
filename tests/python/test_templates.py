"""The templates that CONTRIBUTING.md names exist, and the worker among them answers."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write

import tamiz

ROOT = Path(__file__).resolve().parents[2]
TAMIZ = Path(os.environ.get("TAMIZ_BUILD_DIR", ROOT / "build")).resolve() / "bin" / "tamiz"


def test_links_of_contributing_exist():
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "CONTRIBUTING.md").read_text())

    assert "tests/templates/template_worker.py" in links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_worker_answers(tmp_path):
    atoms = Atoms("CO", positions=[[0, 0, 0.5], [1, 0, 0]], cell=[5, 5, 5], pbc=True)
    write(tmp_path / "in.xyz", [atoms, atoms])
    worker = f"{sys.executable} {ROOT / 'tests' / 'templates' / 'template_worker.py'}"

    done = subprocess.run([TAMIZ, "label", "in.xyz", "--oracle", worker, "-o", "out.xyz"], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    labelled = read(tmp_path / "out.xyz", ":")
    assert len(labelled) == 2
    assert np.isclose(labelled[0].get_potential_energy(), 0.5 * 3.0 * 1.25)
    assert np.allclose(labelled[0].get_forces(), -3.0 * atoms.positions)


def test_python_and_the_command_ask_the_same(tmp_path):
    atoms = Atoms("CO", positions=[[0, 0, 0.5], [1, 0, 0]], cell=[5, 5, 5], pbc=True, info={"id": "a box", "mesh": "molecule"})
    write(tmp_path / "in.xyz", [atoms, atoms])
    (tmp_path / "level.json").write_text('{"name": "level"}')
    worker = f"{sys.executable} {ROOT / 'tests' / 'templates' / 'template_worker.py'}"
    by_command = subprocess.run([TAMIZ, "label", "in.xyz", "--oracle", worker, "--level", tmp_path / "level.json", "--ledger", "l.tz", "-o", "out.xyz"],
                                cwd=tmp_path, capture_output=True, text=True)  # fmt: skip
    assert by_command.returncode == 0, by_command.stderr

    by_python = tamiz.label(tamiz.read(tmp_path / "in.xyz"), tmp_path / "l.tz", oracle=worker, level=str(tmp_path / "level.json"))

    assert by_python.n_calculated == 0 and [result.id for result in by_python.results] == ["a box", "a box#1"]
    asked = [record for record in map(json.loads, tamiz._tamiz.ledger_records(tmp_path / "l.tz")) if record["kind"] == "label"]
    assert asked[0]["settings"]["mesh"] == "molecule"
