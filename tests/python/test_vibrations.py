"""Phonons: against phonopy, and through the program."""

import json
import subprocess

import numpy as np
import pytest
from ase.build import bulk

import tamiz
from support import MODEL, STILLINGER_WEBER, TAMIZ, silicon

phonopy = pytest.importorskip("phonopy", reason="phonopy is an extra of the development environment")

THZ = 2e-3  # displacements of phonopy are one-sided where symmetry allows, of 0.01 Å


@pytest.fixture(scope="module")
def potential():
    return tamiz.load(STILLINGER_WEBER)


@pytest.fixture(scope="module")
def model():
    return tamiz.load(MODEL, dtype="float64")


def by_phonopy(structure, potential, copies):
    """The same supercell, displaced and Fourier-transformed by phonopy."""
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    cell = PhonopyAtoms(symbols=structure.symbols, cell=structure.cell, scaled_positions=structure.fractional)
    found = Phonopy(cell, supercell_matrix=np.diag(copies), primitive_matrix=np.eye(3))
    found.generate_displacements(distance=0.01, is_plusminus=True)
    cells = [tamiz.Structure(each.symbols, each.positions, each.cell, (True, True, True)) for each in found.supercells_with_displacements]
    found.forces = np.array(potential.evaluate(cells).forces)
    found.produce_force_constants()
    found.symmetrize_force_constants()
    return found


POINTS = np.array([[0, 0, 0], [0.5, 0, 0], [0.5, 0.5, 0], [0.1, 0.2, 0.3], [-0.37, 0.11, 0.45]])


def test_silicon_vibrates_as_in_phonopy(potential):
    ours = tamiz.phonons(bulk("Si", "diamond", 5.43), potential)

    theirs = by_phonopy(ours.structure, potential, ours.copies)

    for point in POINTS:
        assert ours.frequencies(point) == pytest.approx(np.sort(theirs.run_qpoints([point]).frequencies[0]), abs=THZ)
    table = ours.thermal([0.0, 300.0], mesh=(12, 12, 12))
    theirs.run_mesh([12, 12, 12], is_gamma_center=False)
    theirs.run_thermal_properties(temperatures=[0.0, 300.0])
    expected = theirs.thermal_properties
    assert table["free_energy"].to_numpy() * 96.48533 == pytest.approx(expected.free_energy, rel=1e-3)
    assert table["entropy"][1] * 96485.33 == pytest.approx(expected.entropy[1], rel=1e-3)
    assert table["heat_capacity"][1] * 96485.33 == pytest.approx(expected.heat_capacity[1], rel=1e-3)


def test_a_model_has_the_frequencies_of_phonopy_in_a_skew_cell(model):
    cell = np.array([[4.2, 0.0, 0.0], [1.6, 4.0, 0.0], [0.9, 1.1, 4.4]])
    start = tamiz.Structure(["Mg", "Si", "N"], [[0, 0, 0], [2.2, 1.0, 1.9], [3.6, 3.0, 2.1]], cell, (True, True, True))

    ours = tamiz.phonons(start, model, copies=(2, 2, 3), relax=False, primitive=False)

    theirs = by_phonopy(start, model, (2, 2, 3))
    for point in POINTS:
        assert ours.frequencies(point) == pytest.approx(np.sort(theirs.run_qpoints([point]).frequencies[0]), abs=0.02)


def test_narrow_numbers_are_enough(model):
    crystal = bulk("MgN", "rocksalt", 4.3)
    narrow = tamiz.load(MODEL, dtype="float32")

    wide, same = (tamiz.phonons(crystal, each, copies=(3, 3, 3), relax=False) for each in (model, narrow))

    assert same.frequencies(POINTS) == pytest.approx(wide.frequencies(POINTS), abs=0.02)


def test_bands_begin_at_zero_and_name_their_points(potential):
    phonons = tamiz.phonons(silicon(), potential)

    bands = phonons.bands("GXL", points=30)

    assert len(phonons.structure) == 2  # the primitive cell
    assert [name for _, name in bands.labels] == ["G", "X", "L"]
    assert bands.frequencies.shape == (30, 6) and np.abs(bands.frequencies[0, :3]).max() < 1e-3
    assert phonons.is_stable() and phonons.lowest()[0] > 1.0
    axes = tamiz.plots.phonon_bands(phonons, path="GXL")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["Γ", "X", "L"]
    jumping = tamiz.plots.phonon_bands(phonons, path="GX,LG")
    assert [tick.get_text() for tick in jumping.get_xticklabels()] == ["Γ", "X|L", "Γ"]
    assert np.isnan(jumping.get_lines()[0].get_xdata()).sum() == 1


def test_states_add_up_to_the_modes(potential):
    frequencies, density = tamiz.phonons(silicon(), potential).density_of_states(width=0.2)

    assert np.trapezoid(density, frequencies) == pytest.approx(6.0, rel=1e-3)


def test_a_structure_that_is_no_minimum_is_found_unstable(potential):
    body_centred = bulk("Si", "bcc", 3.1)

    phonons = tamiz.phonons(body_centred, potential)

    frequency, point = phonons.lowest()
    assert frequency < -0.5 and not phonons.is_stable()
    assert phonons.frequencies(point)[0] == pytest.approx(frequency)


def test_an_unstable_crystal_is_followed_down(potential):
    phonons = tamiz.phonons(bulk("Si", "bcc", 3.1), potential)

    along = phonons.along_lowest()
    [end] = tamiz.relax(along, potential, fmax=0.005)

    before = potential.evaluate(phonons.structure).energies[0] / len(phonons.structure)
    assert len(along) > len(phonons.structure) and end.converged
    assert end.energy / len(end.structure) < before - 0.005


def test_what_cannot_vibrate_is_refused(potential):
    with pytest.raises(tamiz.ConvergenceError, match="relax=False"):
        tamiz.phonons(bulk("Si", "diamond", 1.2), potential)
    with pytest.raises(tamiz.UnitError):
        tamiz.phonons(silicon(), potential, length=0.0)
    with pytest.raises(tamiz.UnitError, match="thousand"):
        tamiz.phonons(silicon(), potential, length=1e9)
    with pytest.raises(tamiz.ShapeError, match=r"\(3,\)"):
        tamiz.phonons(silicon(), potential, length=5.0).frequencies([0.0, 0.5])


def test_sheets_need_no_vector_along_their_open_direction(potential):
    sheet = tamiz.Structure(["Si", "Si"], [[0, 0, 0], [0, 2.2, 0.6]], [[3.84, 0, 0], [1.92, 3.3255, 0], [0, 0, 0]], (True, True, False))

    bare = tamiz.phonons(sheet, potential, relax=False)
    cell = sheet.cell.copy()
    cell[2] = [0.0, 0.0, 20.0]
    boxed = tamiz.phonons(tamiz.Structure(sheet.symbols, sheet.positions, cell, sheet.pbc), potential, relax=False)

    assert bare.copies[2] == 1 and bare.copies == boxed.copies
    assert bare.frequencies(POINTS * [1, 1, 0]) == pytest.approx(boxed.frequencies(POINTS * [1, 1, 0]), abs=1e-6)
    with pytest.raises(tamiz.ShapeError, match="not periodic"):
        tamiz.phonons(sheet, potential, copies=(2, 2, 2), relax=False)


def test_molecules_have_no_free_energy_of_vibrations_alone(potential):
    triangle = tamiz.Structure(["Si"] * 3, [[0, 0, 0], [2.4, 0, 0], [1.2, 2.1, 0]])

    phonons = tamiz.phonons(triangle, potential)

    assert phonons.lowest()[0] > 1.0  # without translations and rotations
    with pytest.raises(tamiz.CapabilityError, match="turns"):
        phonons.thermal([300.0])


def run(*arguments):
    return subprocess.run([str(TAMIZ), "phonon", *map(str, arguments)], capture_output=True, text=True, timeout=300)


def test_the_program_says_which_structures_are_stable(tmp_path, potential):
    from ase.io import write

    write(tmp_path / "in.xyz", [silicon(), bulk("Si", "bcc", 3.1), bulk("Cu")])

    done = run(STILLINGER_WEBER, tmp_path / "in.xyz", "-o", tmp_path / "out.xyz", "--json", tmp_path / "out.json", "--temperatures", 0, 300,
               "--follow", tmp_path / "down.xyz")

    assert done.returncode == 0, done.stderr
    assert "stable" in done.stdout and "unstable" in done.stdout and "unknown species" in done.stdout
    stable, unstable, refused = json.loads((tmp_path / "out.json").read_text())["structures"]
    ours = tamiz.phonons(silicon(), potential)
    assert stable["stable"] and stable["lowest_frequency"] == pytest.approx(ours.lowest()[0], abs=1e-3)
    assert stable["zone_centre"] == pytest.approx(ours.frequencies([0, 0, 0]), abs=1e-3)
    assert stable["thermal"][1]["free_energy"] == pytest.approx(ours.thermal([300.0])["free_energy"][0], abs=1e-6)
    assert not unstable["stable"] and unstable["lowest_frequency"] < -0.5
    assert refused["status"] == "unknown species" and "stable" not in refused
    frames = tamiz.read(tmp_path / "out.xyz")
    assert [frame.info.get("dynamically_stable") for frame in frames] == ["true", "false", None]
    assert len(frames[0].structure) == 2
    [down] = tamiz.read(tmp_path / "down.xyz")
    assert down.info["follows_frame"] == "1" and float(down.info["gain_per_atom"]) > 0.005


def test_the_program_fails_where_nothing_vibrates(tmp_path):
    from ase.io import write

    write(tmp_path / "in.xyz", bulk("Cu"))

    assert run(STILLINGER_WEBER, tmp_path / "in.xyz").returncode == 1
    assert run(STILLINGER_WEBER, tmp_path / "in.xyz", "--no-relax").returncode == 1
    write(tmp_path / "both.xyz", [bulk("Cu"), silicon()])
    both = run(STILLINGER_WEBER, tmp_path / "both.xyz", "--no-relax", "-o", tmp_path / "out.xyz")
    assert both.returncode == 0 and "failed: Cu is unknown" in both.stdout and len(tamiz.read(tmp_path / "out.xyz")) == 2
    refused = run(STILLINGER_WEBER, tmp_path / "both.xyz", "-o", tmp_path / "POSCAR")
    assert refused.returncode == 1 and "holds one structure" in refused.stderr and "relax" not in refused.stderr
    assert run(STILLINGER_WEBER, tmp_path / "nothing.xyz").returncode == 2
