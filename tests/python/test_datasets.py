"""tamiz.datasets, `tamiz dataset`, and training on what is split."""

import json
import subprocess

import numpy as np
import pytest

import tamiz
from support import BUILD, ROOT, silicon

TAMIZ = BUILD / "bin" / "tamiz"
LEDGER = ROOT / "datasets" / "labels" / "ca-mg-si-n" / "metals.tz"


def call(*arguments):
    done = subprocess.run([TAMIZ, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def made(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'ledgers = ["{LEDGER}"]\n[card]\nname = "metals"\nlicence = "CC0-1.0"\n'
                      '[split]\ntest_systems = ["Mg-Si-N"]\nvalidation = 0.1\n')
    call("dataset", recipe, "-o", tmp_path / "metals.h5", "--quiet")
    return tmp_path / "metals.h5"


def test_a_ledger_becomes_a_data_set(made):
    data = tamiz.datasets.load(made)

    assert len(data) == 71
    assert data.card == {"name": "metals", "licence": "CC0-1.0"}
    assert {frame.info["level"] for frame in data} == {"pbe-600"}
    assert all(frame.energy is not None and frame.forces.shape == (len(frame.structure.symbols), 3) for frame in data)
    assert all(frame.structure.system == "Mg-N-Si" for frame in data.split("test"))
    splits = [set(frame.structure.reduced_formula for frame in data.split(name)) for name in ("train", "validation", "test")]
    assert not splits[0] & splits[1] and not splits[0] & splits[2] and not splits[1] & splits[2]
    with pytest.raises(KeyError, match="no frame is of the split 'holdout'"):
        data.split("holdout")


def test_info_tells_the_card_and_the_counts(made):
    info = json.loads(call("info", made, "--quiet", "--json", "-"))

    assert info["kind"] == "data set" and info["frames"] == 71 and info["card"]["licence"] == "CC0-1.0"
    assert sum(info["splits"].values()) == 71
    assert info["core_hours"] == pytest.approx(3332 / 3600, rel=0.01)


def test_a_data_set_reads_back_as_it_was_saved(made, tmp_path):
    data = tamiz.datasets.load(made)

    data.save(tmp_path / "again.h5")

    assert (tmp_path / "again.h5").read_bytes() == made.read_bytes()
    table = data.table()
    assert len(table) == 71 and table["core_seconds"].sum() == pytest.approx(3332, rel=0.01)
    assert data.to_ase()[0].get_potential_energy() == data[0].energy
    assert len(data[:5]) == 5 and data[:5].card == data.card


def test_frames_of_any_kind_can_be_saved(tmp_path):
    frame = tamiz.Frame(tamiz.to_structure(silicon()), energy=-10.0, info={"split": "train", "id": "0003", "gap": "1.1"})
    failure = tamiz.Frame(tamiz.to_structure(silicon()), info={"reason": "no convergence"})

    tamiz.datasets.DataSet([frame], {"name": "one"}, [failure]).save(tmp_path / "one.h5")
    data = tamiz.datasets.load(tmp_path / "one.h5")

    assert repr(data) == "DataSet('one', 1 frames, 1 failures)"
    assert data.table()["id"][0] == "0003" and data.table()["gap"][0] == 1.1
    assert data[0].energy == -10.0 and data[0].forces is None and data.failures[0].info["reason"] == "no convergence"
    assert np.array_equal(data[0].structure.positions, frame.structure.positions)


def test_what_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(tamiz.FileError, match="nothing.h5"):
        tamiz.datasets.load(tmp_path / "nothing.h5")
    (tmp_path / "text.h5").write_text("energies")
    with pytest.raises(tamiz.FormatError, match="text.h5"):
        tamiz.datasets.load(tmp_path / "text.h5")


def test_h5py_reads_the_columns_as_they_are_described(made):
    h5py = pytest.importorskip("h5py")
    data = tamiz.datasets.load(made)

    with h5py.File(made) as file:
        frames = file["frames"]
        ends = np.cumsum(frames["n_atoms"])
        for k in (0, 30, 70):
            atoms = slice(ends[k] - frames["n_atoms"][k], ends[k])
            assert np.array_equal(frames["positions"][atoms], data[k].structure.positions)
            assert np.array_equal(frames["forces"][atoms], data[k].forces)
            assert frames["energy"][k] == data[k].energy
            assert frames["info/core_seconds"][k] == float(data[k].info["core_seconds"])
            level = frames["info/level"]
            assert level["values"][level["codes"][k]].decode() == data[k].info["level"]
        assert frames["positions"].compression == "gzip"


def test_training_leaves_the_test_frames_alone(made, tmp_path):
    config = tmp_path / "train.toml"
    config.write_text("[model]\nchannels = 4\nl_max = 1\nhidden_l = 0\n")
    data = tamiz.datasets.load(made)

    out = json.loads(call("train", made, "--config", config, "--steps", 2, "--out", tmp_path / "m.safetensors", "--quiet", "--json", "-"))
    errors = json.loads(call("evaluate", tmp_path / "m.safetensors", made, "--split", "test", "--quiet", "--json", "-"))

    assert out["training"]["n_frames"] == len(data.split("train"))
    assert out["test"]["n_frames"] == len(data.split("test"))
    assert out["validation"]["n_frames"] == len(data.split("validation"))
    assert errors["n_frames"] == len(data.split("test"))
