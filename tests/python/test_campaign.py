"""Campaigns through the package: run, interrupted, resumed and read."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import small_campaign
import tamiz
from support import EXAMPLE_RUN, TAMIZ

matplotlib.use("Agg")
needs_data = pytest.mark.skipif(bool(small_campaign.MISSING), reason=f"not shipped: {small_campaign.MISSING}")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    if small_campaign.MISSING:
        pytest.skip(f"not shipped: {small_campaign.MISSING}")
    with small_campaign.SmallCampaign(tmp_path_factory.mktemp("small")) as small:
        small.competing = small.label_competing()
        yield small


@pytest.fixture(scope="module")
def finished(small):
    """A campaign that ran without interruption, and how long it took [s]."""
    begin = time.monotonic()
    campaign = tamiz.Campaign.start(small.config, small.folder / "run")
    assert campaign.run() is True
    campaign.duration = time.monotonic() - begin
    return campaign


def test_labels_of_competing_phases_are_kept_in_their_ledger(small):
    assert small.competing.complete and small.competing.n_calculated >= 3
    assert all(result.status == "finished" for result in small.competing.results)

    again = small.label_competing()

    assert again.n_calculated == 0 and all(result.cached for result in again.results)
    assert [result.frame.energy for result in again.results] == [r.frame.energy for r in small.competing.results]


def test_proposals_come_from_the_campaign_file(small):
    proposal = tamiz.propose(small.config)

    assert 3 <= len(proposal.candidates) <= 12
    assert {candidate.structure.system for candidate in proposal.candidates} == {"Mg-N"}
    assert proposal.candidates[0].id == "c0001"
    assert all(rejection.reason for rejection in proposal.rejections)


def test_the_table_has_one_row_per_candidate_in_the_order_of_the_ranking(finished):
    table = finished.table()

    ranked = table[table["outcome"] == "ranked"]
    assert len(table) == len(finished.ledger()[1]["candidates"]) and table["id"].is_unique
    assert list(ranked["rank"]) == list(range(1, len(ranked) + 1))
    # A model's energy below its hull counts as on the hull.
    assert (np.diff(np.maximum(ranked["e_hull"], 0.0)) >= 0).all()
    assert set(ranked["status"]) <= {"predicted", "known phase", "DFT-checked", "DFT-confirmed"}
    assert finished.table(ranked_only=True).equals(ranked)
    confirmed = ranked[ranked["status"] == "DFT-confirmed"]
    assert len(confirmed) and (confirmed["e_hull"] == confirmed["e_hull_dft"]).all()
    predicted = ranked[ranked["status"] == "predicted"]
    assert len(predicted) and (predicted["e_hull"] == predicted["e_hull_model"]).all()


def test_labels_budget_and_cost_agree_with_the_ledger(finished):
    records = [record for record in finished.ledger() if record["kind"] == "label"]
    labels, budget, cost = finished.labels(), finished.budget(), finished.cost()

    assert len(labels) == len(records) == cost["n_labels"] == budget["labels"].sum() > 0
    assert (budget["labels"] <= budget["allowed"]).all()
    assert labels["cost"].sum() == pytest.approx(cost["labels"]) == pytest.approx(budget["cost"].sum())
    assert set(labels["candidate"]) <= set(finished.table()["id"])


def test_the_best_are_asked_how_they_vibrate(finished):
    records = [record for record in finished.ledger() if record["kind"] == "vibrations"]
    table = finished.table(ranked_only=True)

    assert [each["candidate"] for each in records] == list(table["id"])[:20]
    words = dict(zip(table["id"], table["dynamic_stability"]))
    models = [each["model_file"] for each in finished.ledger() if each["kind"] == "trained" and each["adopted"]]
    model = finished.folder / models[-1] if models else Path(os.environ["TAMIZ_DATA"]) / "models/small.safetensors"
    potential, n_tested = tamiz.load(model), 0
    for each in records:
        if "reason" in each:
            assert words[each["candidate"]] == "not tested" and each["reason"]
            continue
        n_tested += 1
        assert words[each["candidate"]] == ("stable" if each["lowest"] > -0.2 else "unstable")
        ours = tamiz.phonons(finished.structure(each["candidate"]), potential, copies=each["copies"], primitive=False)
        assert each["lowest"] == pytest.approx(ours.lowest()[0], abs=0.1)
    assert n_tested


def test_a_structure_of_the_table_can_be_worked_on(finished):
    row = finished.table(ranked_only=True).iloc[0]

    structure = finished.structure(row["id"])

    assert structure.reduced_formula == row["formula"] and len(structure) == row["n_atoms"]
    assert structure.volume / len(structure) == pytest.approx(row["volume_per_atom"])
    with pytest.raises(tamiz.Error, match="c9999"):
        finished.structure("c9999")


def test_a_candidate_that_was_lost_has_no_geometry(finished, monkeypatch):
    monkeypatch.setattr(tamiz.Campaign, "candidate", lambda self, name: {"id": name, "status": "predicted", "reason": "exploded"})

    with pytest.raises(tamiz.Error, match="no geometry: exploded"):
        finished.structure("c0001")


def test_later_labels_of_competing_phases_do_not_replace_their_relaxations(small, finished, tmp_path):
    more = small.data / "competing" / "more.tz"
    shutil.copy(small.data / "competing" / "morse.tz", more)
    squeezed = {result.id: result.frame.structure.strained(-0.02 * np.eye(3)) for result in small.competing.results}
    assert tamiz.label(squeezed, more, oracle=small_campaign.ORACLE, level="morse").n_calculated == len(squeezed)
    config = tmp_path / "more.toml"
    config.write_text(small.config.read_text().replace("morse.tz", "more.tz").replace("rounds = 2", "rounds = 1"))

    campaign = tamiz.Campaign.start(config, tmp_path / "run")
    campaign.run()

    assert list(campaign.competing()["e_hull"]) == list(finished.competing()["e_hull"])


@pytest.mark.parametrize("right, wrong, error", [
    (small_campaign.ORACLE, "/no/such/program", tamiz.OracleError),
    ("[propose]", '[propose]\nfiles = ["nowhere.xyz"]', tamiz.FileError)])
def test_a_campaign_whose_oracle_or_structures_are_not_there_can_be_mended(small, tmp_path, right, wrong, error):
    config = tmp_path / "wrong.toml"
    assert right in small.config.read_text()
    config.write_text(small.config.read_text().replace(right, wrong))
    with pytest.raises(error):
        tamiz.Campaign.start(config, tmp_path / "run").run()

    assert not tamiz.Campaign.start(small.config, tmp_path / "run").finished


def test_reading_does_not_need_the_data_of_the_objects_that_ran_it(finished):
    reopened = tamiz.Campaign.open(finished.folder)

    assert reopened.finished and reopened.name == "small" and reopened.question.startswith("Which")
    assert reopened.table().equals(finished.table())
    assert len(reopened.competing()) >= 3


def test_the_report_can_be_written_again(finished):
    page = finished.report.read_bytes()
    finished.report.unlink()

    assert finished.write_report() == finished.report
    assert finished.report.read_bytes() == page


def test_ctrl_c_leaves_a_campaign_that_goes_on_to_the_same_end(small, finished):
    folder = small.folder / "interrupted"
    campaign = tamiz.Campaign.start(small.config, folder)
    timer = threading.Timer(0.3 * finished.duration, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    timer.join()
    between = tamiz.Campaign.open(folder)
    assert not between.finished
    between.table(), between.labels(), between.budget()

    assert between.run() is True

    assert between.finished
    assert (folder / "ranking.csv").read_bytes() == (finished.folder / "ranking.csv").read_bytes()


def test_ctrl_c_does_not_wait_for_the_end_of_a_stage(small):
    endless = small.folder / "endless.toml"
    endless.write_text(small_campaign.CAMPAIGN.replace("max_steps = 200", "max_steps = 1000000\nfmax = 1e-12"))
    campaign = tamiz.Campaign.start(endless, small.folder / "endless")

    def interrupt_when_proposed():
        while not (campaign.folder / "ledger.tz").exists() or len(campaign.ledger()) < 2:
            time.sleep(0.05)
        time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Thread(target=interrupt_when_proposed, daemon=True)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    timer.join()

    assert [record["kind"] for record in campaign.ledger()] == ["campaign", "proposed"]


def test_a_signal_during_training_keeps_what_was_trained(small):
    config = small.folder / "trains.toml"
    config.write_text(small_campaign.CAMPAIGN.replace("rounds = 2", "rounds = 1").replace("steps = 12", "steps = 4000"))
    straight = small.folder / "straight"
    assert run_discover(config, straight).wait(300) == 0
    folder = small.folder / "stopped"
    process = run_discover(config, folder)
    while process.poll() is None and not (folder / "models").exists():
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 3
    checkpoint = folder / "models" / "round_0.checkpoint"
    assert checkpoint.exists() and tamiz.Campaign.open(folder).ledger()[-1]["kind"] == "label"

    assert run_discover(config, folder, "--resume").wait(300) == 0
    assert not checkpoint.exists()
    for name in ["ranking.csv", *[str(path.relative_to(straight)) for path in (straight / "models").glob("*")]]:
        assert (folder / name).read_bytes() == (straight / name).read_bytes()
    records = [[record for record in tamiz.Campaign.open(run).ledger() if record["kind"] == "trained"] for run in (straight, folder)]
    assert records[0] == records[1] and len(records[0]) == 1


def test_a_relaxation_ends_after_the_steps_that_the_campaign_allows(small, tmp_path):
    config = tmp_path / "short.toml"
    config.write_text(small.config.read_text().replace("timeout = 60.0", "relax_steps = 1\ntimeout = 60.0"))

    run = tamiz.Campaign.start(config, tmp_path / "run")
    assert run.run() is True

    relaxed = [record for record in run.ledger() if record["kind"] == "label" and record["task"] == "relax"]
    assert relaxed
    for record in relaxed:
        assert record["status"] == "failed" and "not converged after 1 step" in record["reason"]
        assert 1 <= len(record["trajectory"]) <= 2
    assert any(record["kind"] == "trained" for record in run.ledger())


def test_a_machine_that_calculates_nothing_does_not_use_up_the_rounds(small, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    config = tmp_path / "whole.toml"
    config.write_text(small.config.read_text().replace(small_campaign.ORACLE, "ase:morse_calculator:make_on_a_whole_machine")
                      .replace("competing/morse.tz", str(small.data / "competing" / "morse.tz")))
    run = tamiz.Campaign.start(config, tmp_path / "run")
    with pytest.raises(tamiz.OracleError, match="the scratch disk is full.*--resume"):
        run.run()

    monkeypatch.setenv("MORSE_MACHINE_IS_WHOLE", "1")
    assert run.run() is True
    labels = [record for record in run.ledger() if record["kind"] == "label"]
    assert {record["status"] for record in labels if record["round"] == 0} == {"failed", "finished"}
    assert any(record["kind"] == "trained" and record["n_frames"] for record in run.ledger())


def run_discover(config, folder, *more):
    return subprocess.Popen([TAMIZ, "discover", config, "-o", folder, "--quiet", *more], stdout=subprocess.DEVNULL)


def test_standard_output_is_json_alone_where_it_is_asked_for(small, tmp_path):
    config = tmp_path / "json.toml"
    config.write_text(small_campaign.CAMPAIGN.replace("rounds = 2", "rounds = 1"))

    def output_of(*arguments):
        return json.loads(subprocess.run([TAMIZ, *arguments, "--json", "-"], capture_output=True, check=True, timeout=300).stdout)

    assert output_of("propose", config, "-o", tmp_path / "proposed.xyz")["candidates"] == 12
    assert output_of("discover", config, "-o", tmp_path / "run", "--threads", "1")["finished"] is True
    assert output_of("report", tmp_path / "run") == {"report": str(tmp_path / "run" / "report.html")}
    assert [path.name for path in (tmp_path / "run" / "workers").iterdir()] == ["worker-0"]


def test_the_report_says_how_many_labels_judged_a_model(finished):
    trainings = [training for entry in finished.summary()["rounds"] if "held_out_after" in (training := entry.get("training") or {})]

    assert trainings
    for training in trainings:
        assert 1 <= training["n_held_out"] <= len(finished.labels())
        assert "held out from training" in training["reason"] or "forgot" in training["reason"]


def test_all_candidates_but_failed_ones_are_compared_with_the_known_phases(finished):
    for candidate in finished.summary()["candidates"]:
        assert ("known" in candidate) == (candidate["outcome"] != "failed"), candidate["id"]


def test_a_campaign_that_was_only_begun_can_be_read(finished, tmp_path):
    shutil.copy(finished.folder / "campaign.toml", tmp_path)
    lines = (finished.folder / "ledger.tz").read_bytes().split(b"\n")
    (tmp_path / "ledger.tz").write_bytes(lines[0] + b"\n")

    begun = tamiz.Campaign.open(tmp_path)

    assert len(begun.table()) == len(begun.labels()) == len(begun.budget()) == 0
    assert not begun.finished


def test_a_finished_campaign_needs_no_data_but_its_own(finished, tmp_path, monkeypatch):
    moved = tmp_path / finished.folder.name
    shutil.copytree(finished.folder, moved)
    before = finished.table(), finished.report.read_bytes()
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("TAMIZ_DATA", str(tmp_path / "nothing"))

    reopened = tamiz.Campaign.open(moved)

    assert reopened.table().equals(before[0])
    assert reopened.run() is True
    assert reopened.report.read_bytes() == before[1]


def other_model(data):
    shutil.copy(small_campaign.DATASETS / "models" / "ca-mg-si-n.safetensors", data / "models" / "small.safetensors")


def one_label_more(data):
    train = data / "labels" / "few" / "train.xyz"
    train.write_text(train.read_text() + (data / "labels" / "few" / "test.xyz").read_text())


def other_settings(data):
    level = data / "levels" / "morse.json"
    level.write_text(level.read_text().replace("0.15", "0.16"))


def one_phase_less(data):
    ledger = data / "competing" / "morse.tz"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-1]))


@pytest.mark.parametrize("change, said", [(other_model, "the starting model is another"), (one_label_more, "labels that it was trained on"),
                                          (other_settings, "other settings .kwargs."), (one_phase_less, "competing phases: competing/.* is gone")])
def test_a_campaign_goes_on_only_with_what_it_began_with(small, finished, tmp_path, monkeypatch, change, said):
    begun = tmp_path / "begun"
    begun.mkdir()
    shutil.copy(finished.folder / "campaign.toml", begun)
    (begun / "ledger.tz").write_bytes(b"".join((finished.folder / "ledger.tz").read_bytes().splitlines(keepends=True)[:2]))
    shutil.copytree(small.data, tmp_path / "data", symlinks=True)
    monkeypatch.setenv("TAMIZ_DATA", str(tmp_path / "data"))
    change(tmp_path / "data")

    with pytest.raises(tamiz.FormatError, match=said):
        tamiz.Campaign.open(begun).run()

    assert len(tamiz.Campaign.open(begun).ledger()) == 2


def test_first_labels_without_tests_are_refused_before_any_work(small, tmp_path):
    config = tmp_path / "small.toml"
    config.write_text(small.config.read_text().replace('"labels/few"', '"labels/few/train.xyz"'))

    with pytest.raises(tamiz.FormatError, match="none of the frames is of the split test"):
        tamiz.Campaign.start(config, tmp_path / "run").run()

    assert tamiz.Campaign.start(small.config, tmp_path / "run").ledger() == []  # the folder is free for a better one


def test_an_adopted_model_that_was_exchanged_is_noticed(small, finished, tmp_path):
    models = sorted((finished.folder / "models").glob("round_*.safetensors"))
    if not models:
        pytest.skip("this campaign adopted no model")
    copy = tmp_path / "copy"
    shutil.copytree(finished.folder, copy)
    lines = (copy / "ledger.tz").read_bytes().splitlines(keepends=True)
    adopted = next(k for k, record in enumerate(finished.ledger()) if record["kind"] == "trained" and record["adopted"])
    (copy / "ledger.tz").write_bytes(b"".join(lines[: adopted + 1]))
    shutil.copy(small.data / "models" / "small.safetensors", copy / "models" / models[0].name)

    with pytest.raises(tamiz.FormatError, match="is not the model that this campaign goes on with"):
        tamiz.Campaign.open(copy).run()


def test_a_ledger_of_labels_is_no_campaign(small, finished, tmp_path):
    shutil.copy(finished.folder / "campaign.toml", tmp_path)
    shutil.copy(small.data / "competing" / "morse.tz", tmp_path / "ledger.tz")

    with pytest.raises(tamiz.FormatError, match="holds no campaign"):
        tamiz.Campaign.open(tmp_path).table()


def test_a_folder_holds_one_campaign(small, finished):
    with pytest.raises(tamiz.FileError, match="holds a campaign already"):
        tamiz.Campaign.start(small.config, finished.folder)


def test_another_thread_runs_beside_a_campaign(small, finished):
    ticks = []
    campaign = tamiz.Campaign.start(small.config, small.folder / "beside")
    worker = threading.Thread(target=campaign.run, daemon=True)
    worker.start()
    while worker.is_alive():
        worker.join(0.01)
        ticks.append(time.monotonic())

    assert np.diff(ticks).max() < 1.0
    assert tamiz.Campaign.open(campaign.folder).finished


def drawn(campaign):
    """What the three plots show."""
    from matplotlib import pyplot

    axes = [tamiz.plots.parity(campaign), tamiz.plots.hull_distance(campaign), tamiz.plots.budget(campaign)]
    points = sum(len(collection.get_offsets()) for collection in axes[0].collections if hasattr(collection, "get_offsets")
                 and collection.get_label().startswith("round"))
    bars = [len(axis.patches) for axis in axes[1:]]
    for axis in axes:
        axis.figure.canvas.draw()
        pyplot.close(axis.figure)
    return points, *bars


def test_plots_show_every_label_and_candidate(finished):
    points, distances, costs = drawn(finished)

    assert points == len(finished.parity()) > 0
    assert distances == min(25, len(finished.table(ranked_only=True))) > 0
    assert costs == len(finished.labels()) > 0


@pytest.mark.skipif(not EXAMPLE_RUN.exists(), reason=f"{EXAMPLE_RUN} is not shipped")
def test_the_shipped_example_can_be_read(monkeypatch):
    monkeypatch.delenv("TAMIZ_DATA", raising=False)
    campaign = tamiz.Campaign.open(EXAMPLE_RUN)

    assert campaign.finished
    assert len(campaign.labels()) >= 10
    assert len(campaign.table()) >= 150
    assert (campaign.table()["status"] == "DFT-confirmed").any()
    assert min(drawn(campaign)) > 0


def test_a_campaign_is_played_against_a_world_that_was_labelled_before(small, tmp_path):
    from ase.io import write

    world = {f"world/{k}": candidate.structure for k, candidate in enumerate(tamiz.propose(small.config).candidates)}
    labelled = tamiz.label(world, tmp_path / "world.tz", oracle=small_campaign.ORACLE, task="relax", level="morse")
    truth = {result.id: result.frame.energy / len(result.frame.structure) for result in labelled.results if result.frame is not None}
    frames = [tamiz.to_ase(structure) for structure in world.values()]
    for atoms, name in zip(frames, world):
        atoms.set_cell(1.02 * atoms.cell, scale_atoms=True)  # the model relaxes from elsewhere, and to elsewhere
        atoms.info["id"] = name
    write(tmp_path / "world.xyz", frames, format="extxyz")
    text = small_campaign.CAMPAIGN.replace("[propose]", '[propose]\nfiles = ["world.xyz"]\nonly_files = true')
    text = text.replace(small_campaign.ORACLE, f"replay-names:{tmp_path / 'world.tz'}").replace("explore = 1", "explore = 0")
    (tmp_path / "played.toml").write_text(text)

    campaign = tamiz.Campaign.start(tmp_path / "played.toml", tmp_path / "run")
    assert campaign.run() is True

    names = {candidate["id"]: candidate["decoration"] for candidate in campaign.ledger()[1]["candidates"]}
    labels = [record for record in campaign.ledger() if record["kind"] == "label"]
    answered = [record for record in labels if record["status"] == "finished"]
    assert len(answered) >= 3 and all(record["task"] == "relax" for record in answered)
    for record in answered:
        frame = record["frame"]
        assert frame["energy"] / len(frame["symbols"]) == pytest.approx(truth[names[record["candidate"]]])
