"""Studies that say what a model is worth: errors on frames, and a closed world."""

import json
import subprocess
import sys

import numpy as np
import pytest
from ase.io import write

import tamiz
from support import MODEL
from tamiz.studies import judge_closed_world, model_errors
from tamiz.studies.closed_world import closed_world
from tamiz.studies.known_structures import start_of


def run(module, *arguments):
    command = [sys.executable, "-m", f"tamiz.studies.{module}", *(str(each) for each in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def frame(structure, prediction, k, **info):
    return tamiz.Frame(structure, energy=float(prediction.energies[k]), forces=prediction.forces[k], info=info)


@pytest.fixture(scope="module")
def potential():
    return tamiz.load(MODEL)


def test_errors_of_groups_are_those_that_were_put_in(potential, tmp_path):
    world = [atoms for atoms in closed_world() if set(atoms.symbols) in ({"Mg", "Si", "N"}, {"Ca", "Mg", "Si"})]
    world = world[:6] + world[-2:]
    for k, atoms in enumerate(world):
        atoms.rattle(0.05, seed=k)
    structures = [tamiz.to_structure(atoms) for atoms in world]
    exact = potential.evaluate(structures, forces=True)
    frames = [frame(s, exact, k, id=str(k), split="test") for k, s in enumerate(structures)]
    # 10 meV/atom too low in nitrides, and 50 meV/Å on every component of silicon
    for k, one in enumerate(frames):
        nitride = "N" in one.structure.symbols
        forces = one.forces - 0.05 * (np.array(one.structure.symbols) == "Si")[:, None]
        frames[k] = tamiz.Frame(one.structure, energy=one.energy + 0.01 * nitride * len(one.structure), forces=forces, info=one.info)
    tamiz.datasets.DataSet(frames).save(tmp_path / "data.h5")

    said = run("model_errors", MODEL, tmp_path / "data.h5", "-o", tmp_path / "errors.json", "--plot", tmp_path / "errors.png")

    result = json.loads((tmp_path / "errors.json").read_text())
    groups = result["errors"]
    assert groups["chemistry"]["nitride"]["energy_mae"] == pytest.approx(0.01, abs=1e-5)
    assert groups["chemistry"]["intermetallic"]["energy_mae"] == pytest.approx(0.0, abs=1e-5)
    assert groups["element"]["Si"]["force_mae"] == pytest.approx(0.05, abs=1e-4)
    assert groups["element"]["Mg"]["force_mae"] == pytest.approx(0.0, abs=1e-4)
    share = np.abs(np.concatenate([one.forces for one in frames])).mean()
    assert groups["all"]["all"]["force_share"] == pytest.approx(groups["all"]["all"]["force_mae"] / share, rel=1e-4)
    assert sum(one["n_frames"] for one in groups["distance"].values()) == len(frames)
    assert result["calibration"]["n_frames"] == len(frames)
    assert "| nitride |" in said and (tmp_path / "errors.png").stat().st_size > 10_000


def test_distances_from_equilibrium_fall_into_their_bins():
    assert [model_errors.distance_bin(d) for d in (0.0, 0.05, 0.5)] == ["below 0.02 eV/atom", "below 0.1 eV/atom", "0.5 eV/atom and more"]
    assert model_errors.chemistry(["Mg", "N", "P"]) == "nitride phosphide" and model_errors.chemistry(["N", "N"], "molecule") == "molecule"


def test_a_model_judged_by_its_own_energies_is_right_about_a_closed_world(potential, tmp_path):
    import tomllib

    listed = tomllib.loads((tamiz.data_directory() / "known" / "known_phases.toml").read_text())["phase"]
    known = [start_of(phase, 11) for phase in listed if phase["id"] in ("competing/Mg", "competing/Si", "competing/N2", "competing/Mg2Si")]
    world = [atoms for atoms in closed_world() if atoms.info["id"].endswith("/Mg-Si-N")]
    relaxed = tamiz.relax(known + world, potential, fmax=0.02, max_steps=1000)
    ends = [tamiz.Frame(r.structure, energy=r.energy, info={"id": a.info["id"], "relax_steps": "1"})
            for a, r in zip(known + world, relaxed) if r.converged]
    tamiz.datasets.DataSet([end for end in ends if not end.info["id"].startswith("closed/")]).save(tmp_path / "known.h5")
    tamiz.datasets.DataSet([end for end in ends if end.info["id"].startswith("closed/")]).save(tmp_path / "closed.h5")
    write(tmp_path / "starts.xyz", world, format="extxyz")

    said = run("judge_closed_world", MODEL, "--known", tmp_path / "known.h5", "--world", tmp_path / "closed.h5", "--starts",
               tmp_path / "starts.xyz", "--window", "0.3", "-o", tmp_path / "judged.json", "--plot", tmp_path / "judged.png")

    result = json.loads((tmp_path / "judged.json").read_text())
    assert result["n"] >= 6 and result["n_without_answer"] == 0
    assert result["mae"] < 0.002 < result["mae_of_mean"]
    assert result["precision"] == result["recall"] == 1.0 and result["n_stable"] >= 1
    assert result["ground_states"]["n"] == result["ground_states"]["right"] >= 1
    assert "precision 1.0" in said and (tmp_path / "judged.png").stat().st_size > 10_000


def test_precision_recall_and_missing_answers_by_hand():
    truth = {"a": 0.0, "b": 0.04, "c": 0.2, "d": 0.01}
    result = judge_closed_world.judged(truth, {"a": 0.02, "b": 0.1, "c": 0.03}, 0.05)

    assert result["precision"] == 0.5 and result["recall"] == pytest.approx(1 / 3) and result["n_without_answer"] == 1
    assert result["mae"] == pytest.approx((0.02 + 0.06 + 0.17) / 3)
