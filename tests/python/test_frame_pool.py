"""The pool of frames that active learning chooses from."""

import numpy as np
import pytest
import spglib
from ase.io import read

import tamiz
from support import STILLINGER_WEBER
from tamiz.studies import frame_pool
from tamiz.studies.closed_world import closed_world

WORLD = {atoms.info["id"]: atoms for atoms in closed_world()}
NAMES = ["closed/chalcopyrite/Mg-Si-N", "closed/CaAl2Si2/Ca-Mg-N", "closed/beta-NaFeO2/Zn-Ge-N", "closed/half-Heusler/Si-Mg-Ca"]


def operations(atoms):
    return len(spglib.get_symmetry((atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec=1e-5)["rotations"])


@pytest.mark.parametrize("name", NAMES)
def test_shaking_in_a_group_keeps_it_and_moves_atoms(name):
    atoms = WORLD[name]
    for seed in range(4):
        random = np.random.default_rng(seed)
        group = frame_pool.cyclic_group(atoms, random)
        result = frame_pool.shaken(atoms, 0.1, group, random)

        assert len(group) >= 2 and operations(result) % len(group) == 0
        moves = (result.get_scaled_positions(wrap=False) - atoms.get_scaled_positions(wrap=False)) @ atoms.cell.array
        size = np.sqrt((moves**2).mean())
        assert size == pytest.approx(0.1, rel=1e-6) or size < 1e-4
        assert np.abs(result.cell.array - atoms.cell.array).max() > 1e-3
        assert 0.8 < result.get_volume() / atoms.get_volume() < 1.25


def test_shaking_without_a_group_leaves_no_symmetry():
    atoms = WORLD[NAMES[0]]
    alone = frame_pool.cyclic_group(atoms, np.random.default_rng(1))[:1]
    result = frame_pool.shaken(atoms, 0.1, alone, np.random.default_rng(1))

    assert operations(result) == 1
    moved = np.linalg.norm(result.get_scaled_positions() - atoms.get_scaled_positions(), axis=1)
    assert moved.max() > 0.01


def test_a_relaxed_crystal_that_is_not_quite_symmetric_is_shaken_in_its_symmetry():
    potential = tamiz.load(STILLINGER_WEBER)
    from ase.build import bulk

    atoms = bulk("Si", "diamond", 5.43, cubic=True)
    atoms.rattle(1e-4, seed=3)
    frames = frame_pool.pool(potential, {"Si": tamiz.to_structure(atoms)}, seed=4, temperatures=())

    kept = [frame for frame in frames if frame.info["config_type"] == "shaken-in-symmetry"]
    assert len(kept) == 3 and all(operations(frame) >= 2 for frame in kept)


def test_the_pool_of_a_crystal_has_all_kinds_and_parents(tmp_path):
    import subprocess
    import sys

    from ase.build import bulk

    crystal = tamiz.to_structure(bulk("Si", "diamond", 5.43))
    path = tmp_path / "hull.h5"
    tamiz.datasets.DataSet([tamiz.Frame(crystal, energy=-8.67, info={"id": "competing/Si", "relax_steps": "1"})]).save(path)

    command = [sys.executable, "-m", "tamiz.studies.frame_pool", STILLINGER_WEBER, "--relaxed", path, "--temperatures", "300", "-o", tmp_path / "pool.xyz"]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    frames = read(tmp_path / "pool.xyz", ":")
    assert {a.info["config_type"] for a in frames} == {"shaken", "shaken-in-symmetry", "dynamics"}
    assert len(frames) == 7 and len({a.info["id"] for a in frames}) == 7 and {a.info["parents"] for a in frames} == {"Si"}
    potential = tamiz.load(STILLINGER_WEBER)
    assert np.ptp(potential.evaluate(frames, forces=False).energies) > 0.01
