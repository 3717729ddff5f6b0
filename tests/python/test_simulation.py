"""Relaxation and dynamics through the package."""

import subprocess

import numpy as np
import pytest
from ase.build import bulk

import tamiz
from support import LENNARD_JONES, STILLINGER_WEBER, TAMIZ, silicon

K_BOLTZMANN = 8.617333262e-5  # [eV/K]


@pytest.fixture(scope="module")
def potential():
    return tamiz.load(STILLINGER_WEBER)


def test_a_squeezed_cell_relaxes_to_the_known_lattice_constant(potential):
    starts = [bulk("Si", "diamond", a, cubic=True) for a in (5.1, 5.3, 5.6, 5.8)]

    results = tamiz.relax(starts, potential, fmax=1e-3, smax=1e-5)

    for result in results:
        assert result.status == "converged" and result.converged and result.reason == ""
        assert result.structure.volume ** (1 / 3) == pytest.approx(5.431, abs=1e-3)
        assert result.energy / 8 == pytest.approx(-4.3366, abs=1e-4)


def test_a_fixed_cell_stays_and_only_atoms_move(potential):
    start = silicon(rattle=0.15)

    [result] = tamiz.relax(start, potential, cell=False, fmax=1e-3)

    assert result.converged and result.fmax <= 1e-3
    assert np.array_equal(result.structure.cell, start.cell.array)
    assert np.abs(result.structure.positions - start.positions).max() > 0.01


def test_pressure_compresses(potential):
    free, pressed = (tamiz.relax(silicon(), potential, pressure=p, smax=1e-5)[0] for p in (0.0, 0.05))

    assert free.converged and pressed.converged
    assert pressed.structure.volume < 0.97 * free.structure.volume


def test_what_cannot_be_relaxed_is_a_result_with_a_reason(potential):
    collapsed = bulk("Si", "diamond", 1.5, cubic=True)

    results = tamiz.relax([collapsed, bulk("Cu"), silicon()], potential)

    assert [result.status for result in results] == ["collapsed", "unknown species", "converged"]
    assert "Cu" in results[1].reason and results[0].reason


def test_too_few_steps_are_said(potential):
    [result] = tamiz.relax(silicon(rattle=0.2), potential, max_steps=2, fmax=1e-6)

    assert result.status == "out of steps" and result.steps == 2 and result.fmax > 1e-6


def test_energy_is_conserved_without_a_thermostat(potential):
    run = tamiz.md(silicon(2), potential, 1000, timestep=1.0, temperature=600.0, seed=3, every=20)

    total = run.table()["conserved_energy"].to_numpy()
    assert len(total) == 50 and run.step == 1000
    # Equipartition leaves half of the first kinetic energy; velocity Verlet at 1 fs keeps the sum.
    assert run.table()["temperature"].tail(25).mean() == pytest.approx(300.0, abs=60.0)
    assert np.ptp(total) / 64 < 1e-4
    slope = np.polyfit(np.arange(len(total)), total, 1)[0] * len(total)
    assert abs(slope) / 64 < 2e-5


def test_a_shorter_step_conserves_energy_quadratically_better(potential):
    spreads = []
    for timestep in (2.0, 1.0):
        run = tamiz.md(silicon(2), potential, int(400 / timestep), timestep=timestep, temperature=600.0, seed=3, every=1)
        spreads.append(run.table()["conserved_energy"].std())

    assert spreads[0] / spreads[1] == pytest.approx(4.0, rel=0.3)


def test_a_run_in_two_parts_is_the_run_in_one(potential):
    options = {"ensemble": "langevin", "temperature": 400.0, "friction": 0.02, "seed": 11, "every": 10}

    whole = tamiz.md(silicon(), potential, 60, **options)
    half = tamiz.md(silicon(), potential, 25, **options)
    rest = tamiz.md(half.structure, potential, 60, velocities=half.velocities, start=half.step, **options)

    assert rest.structure == whole.structure
    assert np.array_equal(rest.velocities, whole.velocities)
    assert [sample.step for sample in rest.samples] == [30, 40, 50, 60]


def test_langevin_reaches_the_temperature_of_its_bath():
    argon = bulk("Ar", "fcc", 5.3, cubic=True) * (2, 2, 2)

    run = tamiz.md(argon, tamiz.load(LENNARD_JONES), 6000, ensemble="langevin", timestep=4.0, temperature=40.0,
                   friction=0.01, seed=5, every=10)

    temperatures = run.table()["temperature"].tail(500)
    # 500 samples, correlated over about 1/(2·friction·every·timestep) of them, of 93 degrees of freedom each.
    independent = 500 * 2 * 0.01 * 4.0 * 10 / 2
    bound = 4 * 40.0 * np.sqrt(2 / (93 * independent))
    assert temperatures.mean() == pytest.approx(40.0, abs=bound)


def test_an_observer_sees_each_sample_and_can_stop(potential):
    seen = []

    def observer(sample):
        seen.append(sample.step)
        return sample.step < 6

    run = tamiz.md(silicon(), potential, 100, every=2, observer=observer)

    assert seen == [2, 4, 6] and run.step == 6
    assert [sample.step for sample in run.samples] == seen


def test_an_error_in_an_observer_comes_out_as_it_is(potential):
    def observer(sample):
        raise KeyError("from the observer")

    with pytest.raises(KeyError, match="from the observer"):
        tamiz.md(silicon(), potential, 10, every=1, observer=observer)


def test_a_sample_has_kinetic_energy_and_temperature_of_its_velocities(potential):
    run = tamiz.md(silicon(), potential, 5, every=5)

    sample = run.samples[-1]
    kinetic = 0.5 * 28.085 * (sample.velocities**2).sum() / 9.648533212331e-3
    assert sample.kinetic_energy == pytest.approx(kinetic, rel=1e-12)
    assert sample.temperature == pytest.approx(2 * kinetic / ((3 * 8 - 3) * K_BOLTZMANN), rel=1e-9)


@pytest.mark.parametrize(("options", "error"), [
    ({"ensemble": "nvt"}, tamiz.CapabilityError), ({"every": 0}, tamiz.UnitError),
    ({"velocities": np.zeros((3, 3))}, tamiz.ShapeError), ({"timestep": 1e200}, tamiz.NumericsError)])
def test_misuse_of_dynamics_is_refused(potential, options, error):
    with pytest.raises(error):
        tamiz.md(silicon(), potential, 50, **options)


def test_a_result_is_written_with_its_energy_and_what_became_of_it(potential, tmp_path):
    [result] = tamiz.relax(silicon(rattle=0.1), potential, max_steps=2)

    tamiz.write(tmp_path / "relaxed.xyz", [result])
    [frame] = tamiz.read(tmp_path / "relaxed.xyz")

    assert frame.energy == result.energy
    assert (frame.info["relax_status"], frame.info["relax_steps"], frame.info["relax_reason"]) == (result.status, "2", result.reason)


def test_constraints_are_refused_and_not_forgotten(potential):
    from ase.constraints import FixAtoms

    held = silicon()
    held.set_constraint(FixAtoms([0]))
    for call in (lambda: tamiz.relax([silicon(), held], potential), lambda: tamiz.relax(held, potential), lambda: tamiz.md(held, potential, 1)):
        with pytest.raises(tamiz.CapabilityError, match="constraints of Si8"):
            call()


def test_the_command_stops_with_what_there_is(tmp_path):
    tamiz.write(tmp_path / "many.xyz", 10 * [silicon(repeat=2, rattle=0.15, seed=k) for k in range(300)])
    command = subprocess.Popen([TAMIZ, "relax", STILLINGER_WEBER, "many.xyz", "-o", "relaxed.xyz", "--fmax", "1e-7", "--smax", "1e-9", "--threads", "1"],
                               cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    begun = command.stderr.readline()
    command.terminate()
    said = begun + command.communicate(timeout=60)[1]

    assert command.returncode == 3 and "stopped" in said, said
    statuses = [frame.info["relax_status"] for frame in tamiz.read(tmp_path / "relaxed.xyz")]
    assert len(statuses) == 3000 and "stopped" in statuses


def test_the_command_begins_with_the_velocities_of_its_file_and_keeps_what_is_no_run(tmp_path):
    def md(*arguments):
        return subprocess.run([TAMIZ, "md", STILLINGER_WEBER, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    tamiz.write(tmp_path / "cell.xyz", silicon())
    assert md("cell.xyz", "--steps", "20", "--temperature", "900", "-o", "hot.xyz", "--ensemble", "langevin").returncode == 0
    last = tamiz.read(tmp_path / "hot.xyz")[-1]
    tamiz.write(tmp_path / "last.xyz", [last])

    kept = md("last.xyz", "--steps", "1", "--every", "1", "-o", "on.xyz")
    drawn = md("last.xyz", "--steps", "1", "-o", "new.xyz", "--new-velocities", "--temperature", "10")
    foreign = md("cell.xyz", "--steps", "1", "-o", "last.xyz", "--resume")

    assert kept.returncode == 0 and "velocities of last.xyz" in kept.stderr
    assert np.array_equal(tamiz.read(tmp_path / "on.xyz")[0].arrays["velocities"], last.arrays["velocities"])
    assert drawn.returncode == 0 and float(tamiz.read(tmp_path / "new.xyz")[0].info["temperature"]) < 50.0
    assert foreign.returncode == 1 and len(tamiz.read(tmp_path / "last.xyz")) == 1
    cut = (tmp_path / "cell.xyz").read_text().rstrip("\n")
    (tmp_path / "cut.xyz").write_text(cut)
    assert md("cell.xyz", "--steps", "1", "-o", "cut.xyz", "--resume").returncode == 1
    assert (tmp_path / "cut.xyz").read_text() == cut


def test_masses_of_isotopes_are_refused_and_not_forgotten(potential):
    heavy = bulk("Si")
    heavy.set_masses([28.085, 30.0])
    with pytest.raises(tamiz.CapabilityError, match="atom 1 has a mass of 30 u"):
        tamiz.md(heavy, potential, 1)
    heavy.set_masses([28.0855, 28.085])
    tamiz.md(heavy, potential, 1)
