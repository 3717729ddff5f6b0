"""Structures of tamiz against those of ASE and pymatgen, both ways and through files."""

import copy
import gc
import pickle

import ase
import ase.io
import ase.units
import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator

import tamiz
from support import BUILD, CELLS, STILLINGER_WEBER, silicon

SYMBOLS = ["Mg", "Si", "N", "N"]
FRACTIONS = np.array([[0.02, -0.1, 0.0], [0.5, 0.52, 1.3], [0.26, 0.74, 0.41], [0.71, 0.22, -0.4]])


def atoms_in(cell_name):
    cell, pbc = CELLS[cell_name]
    return ase.Atoms(SYMBOLS, positions=FRACTIONS @ cell, cell=cell, pbc=pbc)


def test_the_package_is_the_one_of_this_build():
    from pathlib import Path

    assert Path(tamiz._tamiz.__file__).resolve().parent == BUILD / "lib", "run python cmake/link_package.py BUILD"


@pytest.mark.parametrize("cell_name", CELLS)
def test_ase_round_trip_keeps_every_bit(cell_name):
    atoms = atoms_in(cell_name)

    back = tamiz.to_ase(tamiz.to_structure(atoms))

    assert back.get_chemical_symbols() == SYMBOLS
    assert np.array_equal(back.positions, atoms.positions)
    assert np.array_equal(back.cell.array, atoms.cell.array)
    assert np.array_equal(back.pbc, atoms.pbc)


def test_a_molecule_has_no_cell_on_either_side():
    water = molecule("H2O")

    structure = tamiz.to_structure(water)
    back = tamiz.to_ase(structure)

    assert list(structure.pbc) == [False] * 3
    assert np.array_equal(back.positions, water.positions)
    assert not back.cell.array.any()


@pytest.mark.parametrize("cell_name", CELLS)
def test_pymatgen_round_trip_keeps_the_geometry(cell_name):
    structure = tamiz.to_structure(atoms_in(cell_name))

    there = tamiz.to_pymatgen(structure)
    back = tamiz.to_structure(there)

    assert [site.specie.symbol for site in there] == SYMBOLS
    assert list(back.pbc) == list(structure.pbc)
    assert back.positions == pytest.approx(structure.positions, abs=1e-12)
    assert back.cell == pytest.approx(structure.cell, abs=1e-12)


def test_pymatgen_molecule_round_trip():
    water = tamiz.to_structure(molecule("H2O"))

    there = tamiz.to_pymatgen(water)

    assert type(there).__name__ == "Molecule"
    assert tamiz.to_structure(there) == water


def test_a_disordered_pymatgen_structure_is_refused_by_name():
    from pymatgen.core import Lattice, Structure

    alloy = Structure(Lattice.cubic(4.0), [{"Si": 0.5, "Ge": 0.5}], [[0, 0, 0]])

    with pytest.raises(tamiz.CapabilityError, match="partly occupied"):
        tamiz.to_structure(alloy)


def test_oxidation_states_of_pymatgen_do_not_matter():
    from pymatgen.core import Lattice, Structure

    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]])

    assert tamiz.to_structure(salt).reduced_formula == "NaCl"


def test_something_else_is_a_type_error_that_names_it():
    with pytest.raises(TypeError, match="builtins.int"):
        tamiz.to_structure(3)


def test_labels_travel_from_ase_to_frames_and_back():
    atoms = silicon(rattle=0.05)
    forces, stress = np.linspace(-1, 1, 24).reshape(8, 3), np.arange(6) * 1e-3
    atoms.calc = SinglePointCalculator(atoms, energy=-3.0, free_energy=-3.5, forces=forces, stress=stress)

    frame = tamiz.to_frame(atoms)
    back = tamiz.to_ase(frame)

    assert (frame.energy, frame.free_energy) == (-3.0, -3.5)
    assert frame.stress[1, 2] == frame.stress[2, 1] == 3e-3
    assert np.array_equal(back.get_forces(), forces)
    assert np.array_equal(back.get_stress(), stress)


def test_ase_reads_what_tamiz_writes_and_the_reverse(tmp_path):
    atoms = atoms_in("triclinic")
    atoms.calc = SinglePointCalculator(atoms, energy=-7.25, forces=np.eye(4, 3))

    tamiz.write(tmp_path / "by_tamiz.xyz", [tamiz.to_frame(atoms)])
    ase.io.write(tmp_path / "by_ase.xyz", atoms)
    by_ase = ase.io.read(tmp_path / "by_tamiz.xyz")
    [by_tamiz] = tamiz.read(tmp_path / "by_ase.xyz")

    assert by_ase.positions == pytest.approx(atoms.positions, abs=1e-12)
    assert by_ase.get_potential_energy() == -7.25
    assert by_tamiz.structure.positions == pytest.approx(atoms.positions, abs=1e-7)  # ASE writes eight decimals
    assert np.array_equal(by_tamiz.forces, np.eye(4, 3))


def test_structures_compare_hash_and_pickle_by_content():
    structure = tamiz.to_structure(silicon())
    moved = structure.with_positions(structure.positions + 1e-9)

    again = pickle.loads(pickle.dumps(structure))

    assert again == structure and hash(again) == hash(structure)
    assert moved != structure


def test_frames_and_potentials_are_copied_and_pickled():
    frame = tamiz.Frame(tamiz.to_structure(silicon()), energy=-2.5, forces=np.full((8, 3), 0.1), info={"id": "x"}, arrays={"charges": np.eye(8, 2)})
    potential = tamiz.load(STILLINGER_WEBER)

    again = pickle.loads(pickle.dumps([frame, potential]))

    assert again[0].structure == frame.structure and again[0].energy == -2.5 and again[0].free_energy is None and again[0].stress is None
    assert np.array_equal(again[0].forces, frame.forces) and again[0].info == {"id": "x"} and np.array_equal(again[0].arrays["charges"], np.eye(8, 2))
    assert again[1].evaluate(frame).energies == potential.evaluate(frame).energies
    calculator = copy.deepcopy(tamiz.ase.Calculator(potential))
    atoms = silicon(rattle=0.1)
    atoms.calc = calculator
    assert atoms.get_potential_energy() == potential.evaluate(atoms).energies[0]


def test_results_of_another_geometry_are_no_labels():
    from ase.build import bulk
    from ase.calculators.emt import EMT

    shared, cells = EMT(), [bulk("Cu", a=3.5 + 0.1 * k) for k in range(2)]
    for atoms in cells:
        atoms.calc = shared
        atoms.get_potential_energy()

    assert tamiz.to_frame(cells[1]).energy == cells[1].get_potential_energy()
    with pytest.raises(tamiz.CapabilityError, match="belong to other cell than those of Cu.*SinglePointCalculator"):
        tamiz.to_frame(cells[0])
    cells[0].calc = None
    assert tamiz.to_frame(cells[0]).energy is None


def test_positions_are_a_read_only_view_that_outlives_its_owner():
    structure = tamiz.to_structure(silicon())
    expected = structure.positions.copy()

    view = structure.positions
    del structure
    gc.collect()

    assert np.array_equal(view, expected)
    with pytest.raises(ValueError):
        view[0, 0] = 1.0


def test_symmetry_and_sameness():
    silicon_cell = tamiz.to_structure(silicon())

    group = silicon_cell.space_group()

    assert (group.number, group.symbol) == (227, "Fd-3m")
    assert len(silicon_cell.primitive_cell()) == 2
    assert tamiz.group_duplicates([silicon_cell, silicon_cell.supercell([2, 1, 1]), atoms_in("triclinic")]) == [0, 0, 2]
    assert silicon_cell.distance_to(silicon_cell.primitive_cell()) < 0.01


@pytest.mark.parametrize("arguments", [(["Si"], [[0.0, 0.0]]), (["Si"], [[0.0] * 3] * 2), (["Si"], [[0.0] * 3], np.eye(2))])
def test_arrays_of_the_wrong_shape_are_refused(arguments):
    with pytest.raises(tamiz.ShapeError):
        tamiz.Structure(*arguments)


@pytest.mark.skipif(not (BUILD / "bin" / "tamiz-babel").exists(), reason="tamiz-babel is not built here")
def test_molecular_formats_are_read_through_open_babel(tmp_path):
    (tmp_path / "ethanol.smi").write_text("CCO ethanol\n")

    ethanol = tamiz.read_structure(tmp_path / "ethanol.smi")

    assert sorted(ethanol.symbols) == sorted("CCO" + 6 * "H") and not any(ethanol.pbc)
    assert 0.9 < ethanol.shortest_distance() < 1.2


def test_numbers_per_atom_travel_with_ase_atoms_and_back(tmp_path):
    atoms = silicon()
    atoms.set_velocities(np.arange(24.0).reshape(8, 3) * 1e-2)
    atoms.set_tags(range(8))

    tamiz.write(tmp_path / "moving.xyz", atoms)
    [frame] = tamiz.read(tmp_path / "moving.xyz")
    back = tamiz.to_ase(frame)

    assert frame.arrays["velocities"] == pytest.approx(atoms.get_velocities() * ase.units.fs)  # Å/fs
    assert back.get_velocities() == pytest.approx(atoms.get_velocities())
    assert list(back.get_tags()) == list(range(8))


def test_a_frame_does_not_lose_what_is_written_to_it_it_refuses():
    frame = tamiz.Frame(tamiz.to_structure(silicon()), forces=np.zeros((8, 3)), stress=np.zeros((3, 3)), info={"id": "a"}, arrays={"x": np.ones((8, 1))})

    with pytest.raises(TypeError):
        frame.info["split"] = "test"
    with pytest.raises(TypeError):
        frame.arrays["y"] = np.ones((8, 1))
    for array in (frame.forces, frame.stress, frame.arrays["x"], frame.structure.cell, frame.structure.fractional):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0

    other = frame.with_info(split="test", config_weight=0.5)
    assert dict(other.info) == {"id": "a", "split": "test", "config_weight": "0.5"} and dict(frame.info) == {"id": "a"}
    assert dict(other.with_info(split=None).info) == {"id": "a", "config_weight": "0.5"}
    assert dict(tamiz.Frame(other.structure, info=other.info, arrays=frame.arrays).info) == dict(other.info)
