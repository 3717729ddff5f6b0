"""Relaxations by an oracle that begin with the second derivatives of a model."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

import tamiz
from support import STILLINGER_WEBER, TAMIZ, run_study

sys.path.insert(0, str(Path(tamiz.__file__).parent / "workers"))  # programs beside the package, whose folder is their path
from first_hessian import SOFTEST, first_hessian  # noqa: E402

ORACLE = "ase:silicon_calculator:make"  # what the model knows exactly


def crystals():
    """Squeezed, sheared and shaken silicon in cells of two and eight atoms."""
    few = []
    for seed, cubic in enumerate((False, True)):
        atoms = bulk("Si", "diamond", 5.35, cubic=cubic)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + [[0.01, 0.02, 0.0], [0.0, -0.01, 0.0], [0.01, 0.0, 0.02]]), scale_atoms=True)
        atoms.rattle(0.04, seed=seed)
        few.append(atoms)
    return few


def steps_and_energies(run):
    assert all(result.status == "finished" for result in run.results), [result.reason for result in run.results]
    return [json.loads(result.properties_json)["relax_steps"] for result in run.results], [result.frame.energy for result in run.results]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    path = tmp_path / "tight.json"
    path.write_text('{"name": "tight", "relax": {"fmax": 0.01, "smax_gpa": 0.1}}')
    return path


def test_a_relaxation_that_knows_the_curvature_takes_fewer_steps_to_the_same_end(tmp_path, settings):
    potential = tamiz.load(STILLINGER_WEBER)

    plain = tamiz.label(crystals(), tmp_path / "plain.tz", oracle=ORACLE, task="relax", level=str(settings))
    knowing = tamiz.label(crystals(), tmp_path / "knowing.tz", oracle=ORACLE, task="relax", level=str(settings), potential=potential)

    (slow, there), (fast, here) = steps_and_energies(plain), steps_and_energies(knowing)
    assert here == pytest.approx(there, abs=2e-3)
    assert all(2 * few <= many for few, many in zip(fast, slow)), (fast, slow)


def test_the_program_does_the_same_and_labels_are_found_again_without_a_model(tmp_path, settings):
    write(tmp_path / "in.xyz", crystals())
    command = [TAMIZ, "label", "in.xyz", "--oracle", ORACLE, "--settings", settings, "--task", "relax", "--ledger", "l.tz", "-o", "out.xyz"]

    first = subprocess.run([*command, "--model", STILLINGER_WEBER], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    assert first.returncode == 0, first.stderr
    assert max(int(atoms.info["relax_steps"]) for atoms in read(tmp_path / "out.xyz", ":")) <= 4
    assert again.returncode == 0 and "0 calculated now" in again.stderr


def test_what_the_model_does_not_know_is_relaxed_as_without_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    copper = bulk("Cu", "fcc", 3.5)
    level = tmp_path / "emt.json"
    level.write_text('{"name": "emt", "relax": {"fmax": 0.01, "smax_gpa": 0.1}}')

    runs = [tamiz.label(copper, tmp_path / f"{k}.tz", oracle="ase:ase.calculators.emt:EMT", task="relax", level=str(level), potential=potential)
            for k, potential in enumerate((None, tamiz.load(STILLINGER_WEBER)))]

    assert runs[0].results[0].frame.energy == runs[1].results[0].frame.energy


def test_the_study_of_steps_compares_both(tmp_path):
    write(tmp_path / "in.xyz", crystals())

    said = run_study("relaxation_steps", tmp_path / "in.xyz", "--model", STILLINGER_WEBER, "--true-model", STILLINGER_WEBER, "-o", tmp_path / "steps.json")

    kept = json.loads((tmp_path / "steps.json").read_text())
    assert "median" in said and kept["structures"] == 2
    assert max(kept["with"]) <= 5 < max(kept["without"])


def test_the_hessian_is_positive_definite_in_the_coordinates_of_the_optimiser():
    random = np.random.default_rng(3)
    curvature = random.normal(size=(15, 15))
    curvature = 20.0 * (curvature + curvature.T)

    moving, fixed = first_hessian(curvature.tolist(), 2, 4.0), first_hessian(curvature.tolist(), 2, None)

    assert moving.shape == (15, 15) and fixed.shape == (6, 6)
    for matrix in (moving, fixed):
        assert np.allclose(matrix, matrix.T) and np.linalg.eigvalsh(matrix).min() >= SOFTEST - 1e-9
    values = np.linalg.eigvalsh(curvature[:6, :6])
    assert np.linalg.eigvalsh(fixed) == pytest.approx(np.sort(np.maximum(np.abs(values), SOFTEST)))
    stiff = np.diag(np.concatenate([np.full(6, 30.0), np.full(9, 160.0)]))
    assert np.diag(first_hessian(stiff, 2, 2.0)) == pytest.approx([30.0] * 6 + [40.0] * 9)


@pytest.mark.parametrize("wrong", [np.zeros((9, 9)), np.full((15, 15), np.nan), "no matrix"])
def test_another_shape_is_refused(wrong):
    with pytest.raises(ValueError):
        first_hessian(wrong, 2, 1.0)
