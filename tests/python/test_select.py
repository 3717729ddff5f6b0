"""`tamiz select`."""

import json
import subprocess

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

import tamiz
from support import MODEL, STILLINGER_WEBER, TAMIZ, silicon


def call(folder, *arguments, fails=None):
    done = subprocess.run([TAMIZ, *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=folder)
    if fails is None:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 1 and fails in done.stderr, done.stderr
    return done.stderr


@pytest.fixture
def pool(tmp_path):
    frames = [bulk(f"{metal}N", "rocksalt", edge) for metal in ("Mg", "Ca") for edge in np.linspace(3.9, 5.4, 11)]
    for number, atoms in enumerate(frames):
        atoms.info["origin"] = f"frame {number}"
    write(tmp_path / "pool.xyz", frames, format="extxyz")
    return tmp_path


def test_frames_are_chosen_in_turns_of_labelling(pool):
    call(pool, "select", MODEL, "pool.xyz", "-n", "4", "-o", "one.xyz", "--json", "one.json")
    call(pool, "select", MODEL, "pool.xyz", "--known", "one.xyz", "-n", "4", "-o", "two.xyz")
    one, two = read(pool / "one.xyz", ":"), read(pool / "two.xyz", ":")
    said = json.loads((pool / "one.json").read_text())

    assert len(one) == len(two) == 4 and said["frames"] == 22
    origins = [atoms.info["origin"] for atoms in one + two]
    assert len(set(origins)) == 8
    assert [f"frame {entry['index']}" for entry in said["selected"]] == origins[:4]
    assert all(atoms.info["select_sigma"] > 0 for atoms in one)
    assert "select_distance" not in one[0].info and all("select_distance" in atoms.info for atoms in one[1:] + two)


def test_python_chooses_what_the_command_chooses(pool):
    call(pool, "select", MODEL, "pool.xyz", "-n", "5", "--per-cost", "-o", "one.xyz", "--json", "one.json")
    said = json.loads((pool / "one.json").read_text())["selected"]

    chosen = tamiz.select(tamiz.load(MODEL), read(pool / "pool.xyz", ":"), n=5, per_cost=True)

    assert [one.index for one in chosen] == [entry["index"] for entry in said]
    assert [one.cost for one in chosen] == [entry["relative_cost"] for entry in said]
    assert chosen[0].sigma == pytest.approx(said[0]["sigma"], rel=1e-4)
    known = [read(pool / "pool.xyz", str(one.index)) for one in chosen]
    assert chosen[0].index not in {one.index for one in tamiz.select(tamiz.load(MODEL), read(pool / "pool.xyz", ":"), n=5, known=known)}
    for nonsense in ({"n": 0}, {"min_sigma": 0.2, "max_sigma": 0.1}):
        with pytest.raises(tamiz.ShapeError):
            tamiz.select(tamiz.load(MODEL), known, **nonsense)


def test_what_cannot_be_chosen_from_is_said(pool):
    write(pool / "silicon.xyz", silicon(), format="extxyz")
    call(pool, "select", STILLINGER_WEBER, "silicon.xyz", "-o", "o.xyz", fails="has no committee")
    call(pool, "select", MODEL, "pool.xyz", "--known", "pool.xyz", "-o", "o.xyz", fails="no structure is left to select")
    call(pool, "select", MODEL, "pool.xyz", "--min-sigma", "0.2", "--max-sigma", "0.1", "-o", "o.xyz", fails="nothing lies between")
    write(pool / "strange.xyz", bulk("GaN", "zincblende", 4.5), format="extxyz")
    call(pool, "select", MODEL, "strange.xyz", "-o", "o.xyz", fails="Ga")
    assert not (pool / "o.xyz").exists()
