"""The study of search strategies on worlds whose answers are made here."""

import json
import sys

import numpy as np
import pytest

import tamiz
from support import MODEL
from tamiz.studies import search_strategies as study
from tamiz.studies.search_strategies import Run, World

WINDOW, GAP = 0.05, (0.5, 2.5)


def world(n=160, bias=0.0, noise=0.05, sigma=0.1, seed=0):
    """Truth is smooth in the features; the model is off by `bias`, up in one half of feature space and down in the other, and by `noise` everywhere."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(n, 3))
    e_hull = np.abs(0.08 + 0.1 * features[:, 0] + 0.03 * random.normal(size=n))
    gap = np.maximum(0.0, 1.0 + 1.2 * features[:, 1])
    failed = random.random(n) < 0.05
    model = e_hull + bias * np.sign(features[:, 2]) + noise * random.normal(size=n)
    nan = np.where(failed, np.nan, 1.0)
    known = random.normal(size=(30, 3))
    return World(
        names=[str(k) for k in range(n)], formulas=[f"c{k // 4}" for k in range(n)], e_hull=model, sigma=np.full(n, sigma), features=features,
        cost=random.uniform(1.0, 4.0, n), known_features=known, known_formulas=[f"k{k}" for k in range(30)],
        known_gaps=np.maximum(0.0, 1.0 + 1.2 * known[:, 1]), failed=failed, true_e_hull=e_hull * nan, true_e_known=e_hull * nan, true_gap=gap * nan,
        true_cost=random.uniform(10.0, 40.0, n), crystal=np.arange(n))


def test_every_strategy_labels_all_and_finds_all():
    one = world(60, seed=1)
    members = np.arange(len(one.names))
    for strategy in study.STRATEGIES:
        run = study.search(strategy, one, members, WINDOW, GAP, 15, np.random.default_rng(1))
        assert len(run.found) == len(members) and run.found == sorted(run.found)
        assert run.found[-1] == one.wanted(WINDOW, GAP).sum() > 5
        assert run.core_seconds[-1] == pytest.approx(one.true_cost.sum())


def test_enrichment_by_hand():
    run = Run(found=[1, 1, 2, 2, 3, 3, 3, 3, 4, 4])
    assert study.enrichment(run, 0.1) == 1.0  # one label, one found
    assert study.enrichment(run, 0.2) == 0.5
    assert study.enrichment(run, 0.5) == 0.75  # three of four
    assert np.isnan(study.enrichment(Run(found=[0] * 10), 0.1))


def test_a_model_beats_chance_and_labels_mend_its_bias():
    result = study.compare(world(160, bias=0.15, noise=0.02, seed=1), WINDOW, GAP, seeds=2, batch=8, share=0.8,
                           strategies=("random", "model", "learning"))
    mean = {strategy: np.mean(one["enrichment"]["0.2"]) for strategy, one in result.items()}
    half = {strategy: np.mean(one["labels_for_half"]) for strategy, one in result.items()}

    assert all(len(one["found"]) == 2 for one in result.values())
    assert mean["model"] > 1.5 * mean["random"] and half["learning"] < 0.7 * half["model"] and half["model"] < half["random"]
    assert "| learning |" in study.table(result)


def test_chance_finds_its_share():
    result = study.compare(world(), WINDOW, GAP, seeds=40, batch=8, share=0.8, strategies=("random",))["random"]
    found = np.array([np.array(run) / run[-1] for run in result["found"]]).mean(0)

    assert found == pytest.approx(np.arange(1, len(found) + 1) / len(found), abs=0.06)


def test_a_crystal_that_two_candidates_become_is_found_once():
    one = world()
    both = np.flatnonzero(one.wanted(WINDOW, GAP))[:2]
    one.crystal[both[1]] = one.crystal[both[0]]
    run = study.search("random", one, np.arange(len(one.names)), WINDOW, GAP, 8, np.random.default_rng(0))

    assert run.found[-1] == one.wanted(WINDOW, GAP).sum() - 1


def test_failed_labels_teach_nothing_and_count():
    one = world()
    labelled = np.flatnonzero(one.failed)
    assert study.corrected(one, labelled)[0] == pytest.approx(one.e_hull)
    with_failures = np.concatenate([labelled, np.flatnonzero(~one.failed)[:12]])
    assert np.isfinite(study.corrected(one, with_failures)[0]).all()
    assert not one.wanted(WINDOW, GAP)[labelled].any()


def test_a_correction_brings_the_energies_closer():
    one = world(bias=0.12)
    labelled = np.flatnonzero(~one.failed)[:40]
    rest = np.setdiff1d(np.flatnonzero(~one.failed), labelled)
    e_hull, sigma = study.corrected(one, labelled)
    before, after = (np.abs(e[rest] - one.true_e_hull[rest]).mean() for e in (one.e_hull, e_hull))

    assert after < 0.6 * before
    assert 0.5 < (np.abs(e_hull - one.true_e_hull)[rest] < sigma[rest]).mean() < 0.85


WORKER = """
import json, os, sys
sys.path.insert(0, {workers!r})
import protocol

def handle(request, report):
    answer = request["settings"]["answers"][request["id"]]
    if request["task"] == "gap":
        return request["structure"], {{"gap": answer["gap"]}}
    if "energy" not in answer:
        raise protocol.LabelFailure("no")
    return request["structure"] | {{"energy": answer["energy"]}}, {{"relax_steps": 1}}

protocol.serve("table", "1", handle)
"""


def test_a_world_is_read_from_a_ledger_with_failures_and_without_what_it_lacks(tmp_path):
    from tamiz.studies.closed_world import closed_world
    from tamiz.studies.known_structures import listed_phases, start_of

    potential = tamiz.load(MODEL)
    world = {atoms.info["id"]: tamiz.to_structure(atoms) for atoms in closed_world() if atoms.info["id"].endswith("/Mg-Si-N")}
    fails, without_gap, not_asked, *others = world
    energies = potential.evaluate(list(world.values()), forces=False).energies
    answers = {name: {"energy": float(energy), "gap": 1.0 + k} for k, (name, energy) in enumerate(zip(world, energies))}
    del answers[fails]["energy"]
    deepest = min(float(energy) / len(structure) for energy, structure in zip(energies, world.values())) - 1.0
    answers[without_gap]["energy"] = deepest * len(world[without_gap])
    (tmp_path / "table.json").write_text(json.dumps({"name": "table", "answers": answers}))
    (tmp_path / "worker.py").write_text(WORKER.format(workers=str(tamiz.data_directory().parent / "python" / "tamiz" / "workers")))
    how = {"oracle": f"{sys.executable} {tmp_path / 'worker.py'}", "level": str(tmp_path / "table.json"), "workers": 1}
    asked = {name: structure for name, structure in world.items() if name != not_asked}
    tamiz.label(asked, tmp_path / "world.tz", task="relax", **how)
    tamiz.label({name: asked[name] for name in others}, tmp_path / "world.tz", task="gap", **how)
    known = []
    for phase in listed_phases():
        if phase["id"] in ("competing/Mg", "competing/Si", "competing/N2", "competing/Mg2Si", "competing/MgSiN2"):
            structure = tamiz.to_structure(start_of(phase, 11))
            info = {"id": phase["id"], "relax_steps": "1", "gap": "0.5", "gap_level": "GLLB-SC"}
            known.append(tamiz.Frame(structure, energy=float(potential.evaluate(structure).energies[0]), info=info))

    starts = world | {f"{others[0]}/open": world[others[0]]}
    results, gaps = study.replayed(starts, tmp_path / "world.tz", how["level"], tmp_path)
    one = study.world_of(potential, tamiz.datasets.DataSet(known), starts, results, gaps)

    assert one.names == [fails, *others]
    assert one.failed.tolist() == [True] + [False] * len(others) and np.isnan(one.true_e_hull[0]) and one.true_cost[0] > 0.0
    assert one.true_gap[1:].tolist() == [answers[name]["gap"] for name in others]
    assert "MgSiN2" not in one.known_formulas and len(one.known_formulas) == 4  # its gap would tell
    assert np.isfinite(one.e_hull).all() and (one.true_e_hull[1:] >= 0.0).all() and (one.sigma > 0.0).all()
    same = [formula == world[without_gap].reduced_formula for formula in one.formulas[1:]]
    assert sum(same) > 3 and (one.true_e_hull[1:][same] > 0.99).all()  # it stands on the hull though its gap is not known
    lower = one.true_e_known[1:] <= one.true_e_hull[1:] + 1e-9  # the known phases without MgSiN2 and the world
    assert lower.all() and (one.cost > 0.0).all() and one.features.shape[0] == len(one.names)
