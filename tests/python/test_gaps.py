"""tamiz.GapModel, `tamiz train-gaps` and `tamiz gaps`."""

import json
import subprocess

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

import tamiz
from support import BUILD, ROOT

TAMIZ = BUILD / "bin" / "tamiz"
MODEL = ROOT / "datasets" / "models" / "ca-mg-si-n.safetensors"


def call(folder, *arguments, fails=None):
    done = subprocess.run([TAMIZ, *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=folder)
    if fails is None:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode != 0 and fails in done.stderr, done.stderr
    return done.stdout


def crystals():
    """Nitrides at several volumes; a wide lattice closes the gap, which is twice as large in zincblende."""
    found = []
    for metal in ("Mg", "Ca", "Si"):
        for structure, width in (("rocksalt", 2.0), ("zincblende", 4.0)):
            for scale in np.linspace(0.94, 1.06, 7):
                atoms = bulk(metal + "N", structure, 4.6 * scale)
                atoms.info["gap"] = max(0.0, width * (1.0 - 12.0 * (scale - 0.95)))
                atoms.info["gap_level"] = "GLLB-SC"
                atoms.info["gap_pbe"] = max(0.0, 0.6 * atoms.info["gap"] - 0.1)
                found.append(atoms)
    return found


@pytest.fixture(scope="module")
def potential():
    return tamiz.load(MODEL, threads=1)


@pytest.fixture(scope="module")
def trained(potential):
    known = crystals()
    return tamiz.GapModel.train(potential, known, [a.info["gap"] for a in known], [a.info["gap_pbe"] for a in known])


def test_gaps_of_crystals_between_known_ones_are_found(trained):
    unknown = [bulk("MgN", structure, 4.6 * 0.97) for structure in ("rocksalt", "zincblende")]

    table = trained.predict(unknown)

    assert list(table.columns) == ["formula", "probability", "gap", "sigma"]
    assert table["gap"].to_numpy() == pytest.approx([1.52, 3.04], abs=0.25)
    assert (table["probability"] > 0.6).all() and (table["sigma"] > 0).all()


def test_metals_are_told_from_the_others(trained):
    known = crystals()
    table = trained.predict(known)
    has_gap = np.array([atoms.info["gap"] > 0 for atoms in known])

    assert 0 < has_gap.sum() < len(known)
    assert ((table["probability"] > 0.5) == has_gap).mean() > 0.9


def test_a_plain_gap_makes_the_prediction_better(trained):
    assert trained.errors.n == 42 and trained.errors.n_plain > 20
    assert trained.errors.mae_with_plain < 0.5 * trained.errors.mae
    row = trained.predict(bulk("CaN", "zincblende", 4.5), [1.4]).iloc[0]
    assert row["probability"] == 1 and row["gap"] == pytest.approx(2.5, abs=0.1)


def test_errors_are_those_of_compositions_that_were_left_out(potential):
    """Gaps that hang on the metal alone cannot be known of a metal that was never seen."""
    known = crystals()
    gaps = [{"Mg": 1.0, "Ca": 3.0, "Si": 5.0}[atoms.get_chemical_symbols()[0]] for atoms in known]

    errors = tamiz.GapModel.train(potential, known, gaps).errors

    assert errors.mae > 0.5 * errors.mae_of_mean


def test_the_commands_do_what_python_does(tmp_path, trained, potential):
    write(tmp_path / "known.xyz", crystals(), format="extxyz")
    unknown = [bulk("SiN", "zincblende", 4.4), bulk("CaN", "rocksalt", 5.1)]
    unknown[1].info["gap_pbe"] = 0.4
    write(tmp_path / "unknown.xyz", unknown, format="extxyz")

    call(tmp_path, "train-gaps", MODEL, "known.xyz", "-o", "gaps.h5", "--json", "errors.json", "--threads", "1")
    said = call(tmp_path, "gaps", MODEL, "gaps.h5", "unknown.xyz", "-o", "predicted.xyz", "--threads", "1")
    errors = json.loads((tmp_path / "errors.json").read_text())
    predicted = read(tmp_path / "predicted.xyz", ":")
    table = trained.predict(unknown, [None, 0.4])

    assert errors["cross_validated"]["mae"] == pytest.approx(trained.errors.mae, rel=1e-3)
    assert "SiN" in said and "GLLB-SC" in said
    for atoms, (_, row) in zip(predicted, table.iterrows(), strict=True):
        assert atoms.info["gap_predicted"] == pytest.approx(row["gap"], abs=1e-3)
        assert atoms.info["gap_probability"] == pytest.approx(row["probability"], abs=1e-3)
        assert atoms.info["gap_sigma"] == pytest.approx(row["sigma"], abs=1e-3)
    assert tamiz.GapModel.load(tmp_path / "gaps.h5", potential).predict(unknown)["gap"][0] == pytest.approx(table["gap"][0], abs=1e-3)
    assert "gap model" in call(tmp_path, "info", "gaps.h5") and "42" in call(tmp_path, "info", "gaps.h5")


def test_the_test_split_is_left_alone(tmp_path):
    known = crystals()
    for atoms in known:
        atoms.info["split"] = "test" if "Ca" in atoms.symbols else "train"
    write(tmp_path / "known.xyz", known, format="extxyz")

    call(tmp_path, "train-gaps", MODEL, "known.xyz", "-o", "gaps.h5", "--json", "errors.json")
    errors = json.loads((tmp_path / "errors.json").read_text())

    assert errors["cross_validated"]["crystals"] == 28 and errors["test"]["crystals"] == 14


def test_a_model_of_few_crystals_does_not_know_its_errors(potential):
    few = crystals()[:8]

    model = tamiz.GapModel.train(potential, few, [atoms.info["gap"] for atoms in few])

    assert model.errors is None and len(model.predict(few)) == 8


def test_what_does_not_fit_is_refused(tmp_path, potential, trained):
    known = crystals()
    write(tmp_path / "known.xyz", known, format="extxyz")
    write(tmp_path / "few.xyz", known[:5], format="extxyz")
    trained.save(tmp_path / "gaps.h5")
    (tmp_path / "other.safetensors").write_bytes(
        (ROOT / "datasets/runs/nitrides-16-example/models/round_0.safetensors").read_bytes())
    (tmp_path / "cut.h5").write_bytes((tmp_path / "gaps.h5").read_bytes()[:5000])

    call(tmp_path, "train-gaps", MODEL, "known.xyz", "-o", "g.h5", "--level", "HSE06", fails="none of the 42 frames has a gap of level HSE06")
    call(tmp_path, "train-gaps", MODEL, "few.xyz", "-o", "g.h5", fails="expected at least 8 crystals")
    call(tmp_path, "train-gaps", MODEL, "known.xyz", "-o", "nowhere/g.h5", fails="there is no folder nowhere")
    call(tmp_path, "gaps", "other.safetensors", "gaps.h5", "known.xyz", fails="another potential than other.safetensors")
    call(tmp_path, "gaps", MODEL, "cut.h5", "known.xyz", fails="cut.h5")
    call(tmp_path, "gaps", MODEL, "known.xyz", "known.xyz", fails="known.xyz")
    assert not (tmp_path / "g.h5").exists()
    with pytest.raises(tamiz.ShapeError, match="42 structures"):
        tamiz.GapModel.train(potential, known, [1.0])
    for folds in (-1, 0, 1):
        with pytest.raises(tamiz.ShapeError, match="folds"):
            tamiz.GapModel.train(potential, known, [1.0] * len(known), folds=folds)
    with pytest.raises(tamiz.ShapeError, match="a plain gap"):
        trained.predict(known, [0.1])
    with pytest.raises(tamiz.SpeciesError, match="Ga"):
        trained.predict(bulk("GaN", "zincblende", 4.5))
    with pytest.raises(tamiz.CapabilityError, match="another potential"):
        tamiz.GapModel.load(tmp_path / "gaps.h5", tamiz.load(tmp_path / "other.safetensors"))
