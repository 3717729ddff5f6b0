"""Training a small model on what Stillinger-Weber says of silicon."""

import json
import os
import re
import resource
import signal
import subprocess
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

import tamiz
from support import STILLINGER_WEBER, TAMIZ, silicon

CONFIG = """
[model]
cutoff = 4.0
channels = 4
l_max = 1
correlation = 2
n_interactions = 1
n_radial = 4
radial_mlp = [8]
readout_hidden = 4
n_members = 2
[train]
steps = 60
batch_size = 4
"""


def labelled(count, seed):
    """Rattled and strained silicon as ASE Atoms that carry their labels."""
    frames = []
    potential = tamiz.load(STILLINGER_WEBER)
    for k in range(count):
        atoms = silicon(rattle=0.02 + 0.02 * (k % 5), seed=seed + k)
        atoms.set_cell(atoms.cell * (0.97 + 0.01 * (k % 7)), scale_atoms=True)
        atoms.calc = tamiz.ase.Calculator(potential)
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        atoms.calc = SinglePointCalculator(atoms, **results)
        frames.append(atoms)
    return frames


@pytest.fixture(scope="module")
def frames():
    return labelled(24, seed=1)


@pytest.fixture
def config(tmp_path):
    (tmp_path / "train.toml").write_text(CONFIG)
    return tmp_path / "train.toml"


def test_training_lowers_the_errors_on_frames_it_did_not_see(frames, config, tmp_path):
    unseen = labelled(8, seed=100)

    short = tamiz.train(frames, tmp_path / "short.safetensors", config=config, steps=1)
    long = tamiz.train(frames, tmp_path / "long.safetensors", config=config, steps=600, card={"name": "tiny"})

    before, after = (tamiz.evaluate(model.load(), unseen) for model in (short, long))
    assert after.n_frames == 8 and after.n_atoms == 64
    assert after.force_mae < 0.7 * before.force_mae
    assert after.energy_mae < before.energy_mae
    assert tamiz.model_info(long.path)["card"]["name"] == "tiny"
    assert long.load().name == "tiny"


def test_of_a_data_set_the_split_test_is_not_trained_on(frames, config, tmp_path):
    def of(split, atoms):
        return [tamiz.Frame(f.structure, energy=f.energy, forces=f.forces, stress=f.stress, info={"split": split}) for f in map(tamiz.to_frame, atoms)]

    data = of("train", frames[:10]) + of("validation", frames[10:16]) + of("test", frames[16:])

    whole = tamiz.train(tamiz.datasets.DataSet(data), tmp_path / "whole.safetensors", config=config, steps=3)
    joined = tamiz.train(data + frames[16:18], tmp_path / "joined.safetensors", config=config, steps=3)
    parts = tamiz.train(frames[:10], tmp_path / "parts.safetensors", config=config, steps=3, validation=frames[10:16])

    assert (whole.training.n_frames, whole.validation.n_frames) == (10, 6)
    assert whole.path.read_bytes() == parts.path.read_bytes()
    assert joined.training.n_frames == 12  # frames of no split are trained on
    other = tamiz.train(frames[:10], tmp_path / "other.safetensors", config=config, steps=3, validation=data)
    assert other.path.read_bytes() == parts.path.read_bytes()  # of a data set its split validates
    with pytest.raises(tamiz.FormatError, match="split train"):
        tamiz.train(of("test", frames), tmp_path / "none.safetensors", config=config, steps=3)


def test_calibration_says_what_error_bars_are_worth(frames, config, tmp_path):
    model = tamiz.train(frames, tmp_path / "model.safetensors", config=config, validation=labelled(6, seed=100)).load()

    found = tamiz.calibration(model, labelled(12, seed=200))

    assert found.n_frames == 12
    assert len(found.expected) == len(found.observed) == 19
    assert sorted(found.observed) == list(found.observed)
    assert 0.0 < found.miscalibration_area <= 0.5
    assert found.sharpness > 0.0
    assert -1.0 <= found.spearman <= 1.0
    assert tamiz.plots.calibration(found).get_xlabel() == "expected share of errors"
    assert tamiz.calibration(model, labelled(3, seed=300)) is None


def test_an_uncertainty_that_could_not_be_calibrated_is_not_offered(frames, config, tmp_path):
    path = tamiz.train(frames, tmp_path / "model.safetensors", config=config, validation=labelled(4, seed=100)).path

    for engine in ["fused", "torch"] if tamiz._tamiz.torch_version else ["fused"]:
        model = tamiz.load(path, engine=engine)
        assert model.n_members == 0
        assert model.evaluate(silicon()).energies.shape == (1,)
        with pytest.raises(tamiz.CapabilityError, match="five validation frames"):
            model.evaluate(silicon(), uncertainty=True)


def test_energies_of_atoms_are_fitted_or_given(frames, config, tmp_path):
    given = tmp_path / "given.toml"
    given.write_text(CONFIG.replace("[train]", "atomic_energies = { Si = -1.25 }\n[train]"))
    missing = tmp_path / "missing.toml"
    missing.write_text(CONFIG.replace("[train]", "atomic_energies = { Ge = -1.25 }\n[train]"))
    unknown = tmp_path / "unknown.toml"
    unknown.write_text(CONFIG.replace("[train]", "atomic_energies = { Xx = -1.25 }\n[train]"))

    paths = [tamiz.train(frames, tmp_path / f"{each.stem}.safetensors", config=each, steps=1).path for each in (config, given)]

    fitted, fixed = (tamiz.model_info(path)["description"]["atomic_energies"] for path in paths)
    assert fixed == [-1.25]
    assert fitted[0] == pytest.approx(-4.3, abs=0.3)
    with pytest.raises(tamiz.SpeciesError, match="atomic_energies has no Si"):
        tamiz.train(frames, tmp_path / "m.safetensors", config=missing)
    with pytest.raises(tamiz.FormatError, match="Xx"):
        tamiz.train(frames, tmp_path / "m.safetensors", config=unknown)


def test_energies_of_atoms_stand_beside_those_of_cohesion(frames, config, tmp_path):
    def with_references(text):
        path = tmp_path / "references.toml"
        path.write_text(CONFIG.replace("[train]", f"{text}\n[train]"))
        return path

    atoms = "atomic_energies = { Si = -1.25 }"
    path = tamiz.train(frames, tmp_path / "m.safetensors", config=with_references(f'reference_energies = "both"\n{atoms}'), steps=1).path

    description = tamiz.model_info(path)["description"]
    assert description["atomic_energies"] == [-1.25]
    assert description["cohesion"][0] == pytest.approx(-4.3 + 1.25, abs=0.6)
    with pytest.raises(tamiz.SpeciesError, match="isolated atom of every element"):
        tamiz.train(frames, tmp_path / "m.safetensors", config=with_references('reference_energies = "both"'))
    with pytest.raises(tamiz.FormatError, match="expected isolated, fitted or both"):
        tamiz.train(frames, tmp_path / "m.safetensors", config=with_references('reference_energies = "fit"'))
    with pytest.raises(tamiz.FormatError, match="goes not together with atomic_energies"):
        tamiz.train(frames, tmp_path / "m.safetensors", config=with_references(f'reference_energies = "fitted"\n{atoms}'))


def test_calibration_needs_a_committee(frames):
    with pytest.raises(tamiz.CapabilityError, match="committee"):
        tamiz.calibration(tamiz.load(STILLINGER_WEBER), frames)


def test_the_same_call_gives_the_same_bytes(frames, config, tmp_path):
    models = [tamiz.train(frames, tmp_path / name, config=config, seed=5, threads=threads).path.read_bytes()
              for name, threads in (("a.safetensors", 1), ("b.safetensors", 2))]

    assert models[0] == models[1]


@pytest.mark.skipif(not tamiz._tamiz.torch_version, reason="LibTorch is not built here")
def test_both_engines_learn_the_same(frames, config, tmp_path):
    # In float64 a few steps do not blow the rounding up.
    models = [tamiz.train(frames, tmp_path / f"{engine}.safetensors", config=config, steps=20, dtype="float64", engine=engine)
              for engine in ("fused", "torch")]

    assert models[0].training.force_mae == pytest.approx(models[1].training.force_mae, rel=1e-6)
    assert models[0].training.energy_mae == pytest.approx(models[1].training.energy_mae, rel=1e-6)


def test_an_unknown_engine_is_named(frames, config, tmp_path):
    with pytest.raises(tamiz.CapabilityError, match="'gpu' is not known, expected fused or torch"):
        tamiz.train(frames, tmp_path / "m.safetensors", config=config, engine="gpu")


def test_training_further_starts_from_the_model_that_is_given(frames, config, tmp_path):
    first = tamiz.train(frames, tmp_path / "first.safetensors", config=config, steps=150)

    further = tamiz.train(frames, tmp_path / "further.safetensors", initial=first.path, steps=1, learning_rate=1e-6)

    errors = [tamiz.evaluate(model.load(), frames).force_mae for model in (first, further)]
    assert errors[1] == pytest.approx(errors[0], rel=0.05)


def test_ctrl_c_leaves_a_checkpoint_that_resumes_to_the_same_bytes(frames, config, tmp_path):
    options = {"config": config, "steps": 400, "seed": 3}
    begin = time.monotonic()
    whole = tamiz.train(frames, tmp_path / "whole.safetensors", **options).path.read_bytes()
    timer = threading.Timer(0.2 * (time.monotonic() - begin), os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        tamiz.train(frames, tmp_path / "cut.safetensors", **options)
    timer.join()
    assert (tmp_path / "cut.safetensors.checkpoint").exists() and not (tmp_path / "cut.safetensors").exists()
    with pytest.raises(tamiz.FileError, match="resume=True"):
        tamiz.train(frames, tmp_path / "cut.safetensors", **options)

    resumed = tamiz.train(frames, tmp_path / "cut.safetensors", resume=True, **options)

    assert resumed.path.read_bytes() == whole
    assert not (tmp_path / "cut.safetensors.checkpoint").exists()


def test_ctrl_c_that_a_callback_notices_leaves_a_checkpoint(frames, config, tmp_path):
    def interrupted(steps, resume):
        seen = []

        def progress(step, total, loss):
            seen.append(step)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            tamiz.train(frames, tmp_path / "cut.safetensors", config=config, steps=steps, progress=progress, resume=resume)
        assert len(seen) == 1
        return seen[0]

    first = interrupted(10**6, False)  # after a second
    assert (tmp_path / "cut.safetensors.checkpoint").exists() and not (tmp_path / "cut.safetensors").exists()
    assert interrupted(10**6, True) > first


def test_killed_again_and_again_it_ends_with_the_same_bytes(frames, config, tmp_path):
    write(tmp_path / "frames.xyz", frames, format="extxyz")

    def start(out, *options):
        return subprocess.Popen([TAMIZ, "train", tmp_path / "frames.xyz", "--out", out, "--config", config, "--steps", "3000",
                                 "--seed", "3", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    assert start(tmp_path / "whole.safetensors").wait() == 0
    cut = tmp_path / "cut.safetensors"
    checkpoint, kills = cut.with_name(cut.name + ".checkpoint"), 0
    for kill in range(4):
        before = checkpoint.stat().st_mtime_ns if kill else None
        training = start(cut, *(["--resume"] if kill else []))
        while training.poll() is None and (not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before):
            time.sleep(0.001)
        training.send_signal(signal.SIGKILL)
        kills += training.wait() == -signal.SIGKILL
    assert kills == 4 and not cut.exists()

    assert start(cut, "--resume").wait() == 0

    assert cut.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


def test_a_training_goes_on_to_the_steps_that_it_was_begun_with_or_not_at_all(frames, config, tmp_path):
    def stop(step, total, loss):
        if step >= 1:
            raise KeyboardInterrupt

    path = tmp_path / "cut.safetensors"
    with pytest.raises(KeyboardInterrupt):
        tamiz.train(frames, path, config=config, steps=400, progress=stop)

    with pytest.raises(tamiz.FormatError, match="400 steps, and not 800"):
        tamiz.train(frames, path, config=config, steps=800, resume=True)
    with pytest.raises(tamiz.FormatError, match="exclude each other"):
        tamiz.train(frames, path, config=config, steps=800, minutes=1.0)


def test_the_card_of_a_model_that_was_trained_further_is_of_that_training(frames, config, tmp_path):
    first = tamiz.train(frames, tmp_path / "first.safetensors", config=config, steps=3, seed=7, card={"licence": "CC0-1.0"})
    further = tamiz.train(frames[:8], tmp_path / "further.safetensors", initial=first.path, validation=frames[8:16], steps=2, seed=9)

    card = tamiz.model_info(further.path)["card"]
    assert {key: card[key] for key in ("training_frames", "training_steps", "training_seed")} == {
        "training_frames": "8", "training_steps": "2", "training_seed": "9"}
    assert card["licence"] == "CC0-1.0" and "training_files_xxh3" not in card


def test_errors_of_what_has_no_label_are_none(frames, config, tmp_path):
    model = tamiz.train(frames, tmp_path / "model.safetensors", config=config, steps=3)
    bare = tamiz.Frame(tamiz.to_structure(frames[0]), energy=-1.0)

    errors = tamiz.evaluate(model.load(), [bare])

    assert errors.energy_mae > 0.0 and errors.force_mae is None and errors.stress_mae is None and errors.mean_force is None


def test_one_torn_geometry_does_not_decide_a_score(frames, config, tmp_path):
    potential = tamiz.train(frames, tmp_path / "model.safetensors", config=config, steps=3).load()

    def score_off_by(*errors):
        """Of energies that are off by so much per atom."""
        structures = [tamiz.to_structure(atoms) for atoms in frames[: len(errors)]]
        energies = potential.evaluate(structures, forces=False).energies
        labelled = [tamiz.Frame(s, energy=float(e) + off * len(s)) for s, e, off in zip(structures, energies, errors)]
        return tamiz.evaluate(potential, labelled).score

    assert score_off_by(0.02, 0.02) == pytest.approx(np.log(2.0), abs=1e-4)  # theory.md, eq. 20
    assert score_off_by(0.01, 0.01, 6.0) < score_off_by(0.03, 0.03, 5.0)


def test_a_budget_of_minutes_that_is_killed_at_once_keeps_its_number_of_steps(frames, config, tmp_path):
    write(tmp_path / "frames.xyz", frames, format="extxyz")
    model = tmp_path / "m.safetensors"
    command = [TAMIZ, "train", tmp_path / "frames.xyz", "--out", model, "--config", config, "--minutes", "0.02"]
    checkpoint = model.with_name(model.name + ".checkpoint")

    training = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while training.poll() is None and not checkpoint.exists():
        time.sleep(0.001)
    training.send_signal(signal.SIGKILL)
    training.wait()
    planned = json.loads(checkpoint.read_bytes().split(b"\n")[1])["steps"]
    # Another budget: what was planned at first goes before it.
    subprocess.run([*command[:-1], "10", "--resume", "--quiet"], check=True)

    assert int(tamiz.model_info(model)["card"]["training_steps"]) <= planned
    steps = [json.loads(line)["step"] for line in Path(f"{model}.metrics.jsonl").read_text().splitlines() if "loss" in line]
    assert steps == sorted(set(steps)) and steps[-1] <= planned


def test_metrics_tell_of_every_step_once_after_a_kill(frames, config, tmp_path):
    write(tmp_path / "frames.xyz", frames, format="extxyz")
    model = tmp_path / "m.safetensors"
    command = [TAMIZ, "train", tmp_path / "frames.xyz", "--out", model, "--config", config, "--steps", "1000", "--quiet"]
    metrics = Path(f"{model}.metrics.jsonl")

    training = subprocess.Popen(command)
    while training.poll() is None and (not metrics.exists() or '"step":330' not in metrics.read_text()):
        time.sleep(0.001)
    training.send_signal(signal.SIGKILL)
    assert training.wait() == -signal.SIGKILL
    subprocess.run([*command, "--resume"], check=True)

    steps = [json.loads(line)["step"] for line in metrics.read_text().splitlines() if "loss" in line]
    assert steps == list(range(10, 1001, 10))


def test_progress_is_told(frames, config, tmp_path):
    told = []

    tamiz.train(frames, tmp_path / "m.safetensors", config=config, progress=lambda *now: told.append(now))

    assert told[-1][:2] == (60, 60)


def test_frames_without_forces_are_refused_unless_the_loss_has_none(frames, config, tmp_path):
    bare = [atoms.copy() for atoms in frames]
    for atoms, labelled_atoms in zip(bare, frames):
        atoms.calc = SinglePointCalculator(atoms, energy=labelled_atoms.get_potential_energy())
    energies_only = tmp_path / "energies.toml"
    energies_only.write_text(CONFIG + "[loss]\nforces = 0.0\n[loss_last_stage]\nforces = 0.0\n")

    with pytest.raises(tamiz.ShapeError, match="none of the 24 training frames has forces.*loss"):
        tamiz.train(bare, tmp_path / "m.safetensors", config=config)

    assert tamiz.train(bare, tmp_path / "m.safetensors", config=energies_only).path.exists()


@pytest.mark.parametrize(("entry", "value", "message"), [
    ("forces", float("nan"), ":53: forces: expected a finite number"),
    ("forces", 4000.0, " frame 5: a force of 4000.* check the units"),
    ("stress", float("nan"), ":52: stress: expected a finite number"),
    ("energy", float("nan"), ":52: energy: expected a finite number"),
])
def test_a_bad_label_is_named_with_its_file_and_place(frames, config, tmp_path, entry, value, message):
    bad = [atoms.copy() for atoms in frames[:8]]
    for k, (atoms, good) in enumerate(zip(bad, frames)):
        results = {key: good.calc.results[key] for key in ("energy", "forces", "stress")}
        if k == 5:
            results[entry] = value if entry == "energy" else np.full_like(results[entry], value)
        atoms.calc = SinglePointCalculator(atoms, **results)
    write(tmp_path / "good.xyz", frames, format="extxyz")
    write(tmp_path / "bad.xyz", bad, format="extxyz")

    done = subprocess.run([TAMIZ, "train", "good.xyz", "bad.xyz", "--out", "m.safetensors", "--config", config], cwd=tmp_path,
                          capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert re.search("bad.xyz" + message, done.stderr), done.stderr
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(("change", "message"), [
    (lambda data: data[: len(data) // 2], "checksum differs.*truncated"),
    (lambda data: data.replace(b"tamiz-checkpoint 3", b"tamiz-checkpoint 9"), "format version 3"),
])
def test_a_checkpoint_that_is_truncated_or_of_another_version_is_refused(frames, config, tmp_path, change, message):
    stopped = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    stopped.start()
    with pytest.raises(KeyboardInterrupt):
        tamiz.train(frames, tmp_path / "m.safetensors", config=config, steps=100_000)
    stopped.join()
    checkpoint = tmp_path / "m.safetensors.checkpoint"
    checkpoint.write_bytes(change(checkpoint.read_bytes()))

    with pytest.raises(tamiz.FormatError, match=message):
        tamiz.train(frames, tmp_path / "m.safetensors", config=config, steps=100_000, resume=True)


@pytest.mark.parametrize("role", ["frames", "validation"])
def test_an_element_that_the_initial_model_does_not_know_is_named(frames, config, tmp_path, role):
    first = tamiz.train(frames, tmp_path / "first.safetensors", config=config, steps=1).path
    other = [atoms.copy() for atoms in frames[:6]]
    for atoms, good in zip(other, frames):
        atoms.symbols[0] = "Ge"
        atoms.calc = SinglePointCalculator(atoms, energy=good.get_potential_energy(), forces=good.get_forces())

    with pytest.raises(tamiz.SpeciesError, match="does not know Ge"):
        tamiz.train(other if role == "frames" else frames, tmp_path / "m.safetensors", initial=first, steps=1,
                    validation=other if role == "validation" else ())


def test_an_imported_model_is_trained_further(tmp_path):
    with tarfile.open(Path(__file__).parents[1] / "parity" / "mace_cases.tar.xz") as archive:
        (tmp_path / "m.model").write_bytes(archive.extractfile("mp_0a_small.model").read())
    imported = tamiz.import_mace(tmp_path / "m.model", tmp_path / "imported.safetensors")
    element = tamiz.model_info(imported)["description"]["elements"][0]
    atoms = []
    for frame in labelled(12, seed=5):
        frame.symbols[:] = element
        frame.calc = SinglePointCalculator(frame, **{key: frame.calc.results[key] for key in ("energy", "forces", "stress")})
        atoms.append(frame)

    further = tamiz.train(atoms, tmp_path / "further.safetensors", initial=imported, steps=60, learning_rate=1e-3)

    errors = [tamiz.evaluate(tamiz.load(path), atoms).force_mae for path in (imported, further.path)]
    assert errors[1] < 0.9 * errors[0]
    assert tamiz.model_info(further.path)["description"]["n_members"] == 1


def test_frames_without_labels_are_refused(config, tmp_path):
    with pytest.raises(tamiz.ShapeError):
        tamiz.train([silicon()] * 4, tmp_path / "m.safetensors", config=config)
    with pytest.raises(tamiz.ShapeError):
        tamiz.train([], tmp_path / "m.safetensors", config=config)


def test_an_unknown_key_of_the_configuration_is_named(frames, tmp_path):
    (tmp_path / "bad.toml").write_text("[train]\nstep = 3\n")

    with pytest.raises(tamiz.FormatError, match=r"bad\.toml:2.*steps"):
        tamiz.train(frames, tmp_path / "m.safetensors", config=tmp_path / "bad.toml")


def train_within(folder, batch_size, options, address_space=None):
    """Runs `tamiz train`; returns its exit code, what it said and the most address space [bytes] that it took."""
    def limit():
        if address_space is not None:
            resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))

    larger = {"channels = 4": "channels = 16\nhidden_l = 1", "l_max = 1": "l_max = 3", "n_interactions = 1": "n_interactions = 2",
              "steps = 60": "steps = 2", "batch_size = 4": f"batch_size = {batch_size}\nvalidation_fraction = 0.0"}
    text = CONFIG
    for small, large in larger.items():
        text = text.replace(small, large)
    (folder / "train.toml").write_text(text)
    command = [TAMIZ, "train", "data.xyz", "--out", "model.safetensors", "--config", "train.toml", *options]
    with open(folder / "log", "w+") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, preexec_fn=limit)
        peak = 0
        while process.poll() is None:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            peak = max([peak] + [1024 * int(line.split()[1]) for line in lines if line.startswith("VmPeak")])
            time.sleep(0.01)
        log.seek(0)
        return process.returncode, log.read(), peak


def silicon_frames(path, count, repeat):
    """Writes shaken silicon with the labels of a classical potential."""
    frames = [silicon(repeat=repeat, rattle=0.05, seed=k) for k in range(count)]
    labels = tamiz.load(STILLINGER_WEBER).evaluate(frames, forces=True)
    for k, frame in enumerate(frames):
        frame.calc = SinglePointCalculator(frame, energy=float(labels.energies[k]), forces=labels.forces[k])
    write(path, frames)
    return frames


@pytest.mark.skipif(not tamiz._tamiz.torch_version, reason="this build has no LibTorch, whose batches take the most memory")
def test_a_batch_that_does_not_fit_into_memory_is_split(tmp_path):
    frames = silicon_frames(tmp_path / "data.xyz", 16, repeat=3)
    options = ["--engine", "torch", "--threads", "1"]

    *_, peak = train_within(tmp_path, 16, options)
    whole = tamiz.load(tmp_path / "model.safetensors").evaluate(frames).energies
    # How much of the peak belongs to the batch is not known: the bound goes down until it is felt.
    # In small steps, for below some 60 MiB less not even one frame fits beside LibTorch.
    for bound in range(peak, peak // 3, -(8 << 20)):
        code, log, _ = train_within(tmp_path, 16, options, address_space=bound)
        if code != 0 or "out of memory" in log:
            break

    assert code == 0, log
    assert "out of memory in a batch of 16 frames: it is split into 2 parts" in log
    assert tamiz.load(tmp_path / "model.safetensors").evaluate(frames).energies == pytest.approx(whole, abs=1e-3)


def test_the_fused_engine_holds_no_more_than_a_frame_of_a_large_batch(tmp_path):
    silicon_frames(tmp_path / "data.xyz", 8, repeat=7)
    options = ["--engine", "fused", "--threads", "1"]

    one, all_of_them = (train_within(tmp_path, batch_size, options)[2] for batch_size in (1, 8))

    assert all_of_them < 1.1 * one
