"""What frames keep of ASE Atoms, and Atoms of frames: labels, info, held atoms."""

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

import tamiz


def test_labels_under_the_names_of_files_are_taken():
    atoms = bulk("Si")
    atoms.info["REF_energy"] = -10.0
    atoms.arrays["REF_forces"] = np.full((2, 3), 0.5)
    atoms.info["REF_virial"] = -np.eye(3) * atoms.get_volume()
    frame = tamiz.to_frame(atoms)
    assert frame.energy == -10.0 and np.all(frame.forces == 0.5) and np.allclose(frame.stress, np.eye(3))
    assert "REF_energy" not in frame.info and "REF_forces" not in frame.arrays
    atoms.info["virials"] = atoms.info["REF_virial"].ravel()  # the same by another name
    assert np.allclose(tamiz.to_frame(atoms).stress, np.eye(3))


def test_two_labels_that_differ_are_asked_about():
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms = bulk("Si")
    atoms.info["REF_energy"] = -10.0
    atoms.calc = SinglePointCalculator(atoms, energy=-8.0)
    with pytest.raises(tamiz.CapabilityError, match="which is the label"):
        tamiz.to_frame(atoms)
    atoms.calc = SinglePointCalculator(atoms, energy=-10.0)
    assert tamiz.to_frame(atoms).energy == -10.0
    atoms.info["dft_energy"] = -9.0
    with pytest.raises(tamiz.CapabilityError, match="two labels"):
        tamiz.to_frame(atoms)


def test_arrays_of_info_keep_their_digits(tmp_path):
    atoms = bulk("Si")
    atoms.info["axis"] = np.array([1.0 / 3.0, -2.0e-12, 5.0])
    atoms.info["tensor"] = np.arange(9.0).reshape(3, 3) / 7.0
    atoms.info["table"] = np.arange(2400.0).reshape(2, 1200) / 7.0
    tamiz.write(tmp_path / "a.xyz", atoms)
    again = read(tmp_path / "a.xyz")
    for name in ("axis", "tensor", "table"):
        assert np.array_equal(np.asarray(again.info[name]), atoms.info[name]), name


def test_held_atoms_stay_held_on_the_way_through_a_file(tmp_path):
    from ase.constraints import FixAtoms, FixCartesian, FixScaled

    atoms = bulk("Si", cubic=True)
    atoms.set_constraint([FixAtoms([0, 3]), FixCartesian(5, (True, False, False))])
    for name in ("a.xyz", "POSCAR"):
        if name == "POSCAR":
            atoms.set_constraint([FixAtoms([0, 3]), FixScaled(5, (True, False, False))])
        write(tmp_path / name, atoms)
        frame = tamiz.read(tmp_path / name)[0]
        held = tamiz.to_ase(frame)
        moved = held.get_positions() + 1.0
        held.set_positions(moved)
        shift = np.abs(held.get_positions() - atoms.get_positions()) > 0.5
        expected = np.ones((8, 3), bool)
        expected[[0, 3]] = False
        expected[5, 0] = False
        assert np.array_equal(shift, expected), name
        with pytest.raises(tamiz.CapabilityError, match="held"):
            tamiz.convert.require_no_constraints(frame)
    atoms.set_constraint([FixAtoms([0, 3]), FixCartesian(5, (True, False, False))])
    tamiz.write(tmp_path / "b.xyz", atoms)
    assert np.array_equal(tamiz.read(tmp_path / "b.xyz")[0].arrays["move_mask"] > 0, expected)


def test_text_per_atom_that_is_left_out_is_said():
    atoms = bulk("Si")
    atoms.set_array("label", np.array(["a", "b"]))
    with pytest.warns(UserWarning, match="array label of Si2"):
        tamiz.to_frame(atoms)
