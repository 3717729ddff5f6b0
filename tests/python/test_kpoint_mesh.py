"""Meshes of the GPAW worker: against GPAW's own count of points, and spglib's symmetries."""

import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell

from support import ROOT

sys.path.insert(0, str(ROOT / "python" / "tamiz" / "workers"))
import kpoint_mesh  # noqa: E402
import kpoint_sampling  # noqa: E402

LEVEL = {"kpoint_length": {"metal": 30.0}}


def sharp_rhombohedral():
    """Three layers far apart, in their primitive cell of 28°."""
    x, y, c = 1.8, 3.6 / 12**0.5, 22.0
    cell = [[x, y, c / 3], [-x, y, c / 3], [0, -2 * y, c / 3]]
    return Atoms("NCa2", cell=cell, pbc=True, scaled_positions=[[0, 0, 0], [0.27] * 3, [-0.27] * 3])


def body_centred():
    """Chalcopyrite in its primitive cell."""
    from ase.spacegroup import crystal

    return crystal(["Zn", "Si", "P"], [(0, 0, 0), (0, 0, 0.5), (0.27, 0.25, 0.125)], spacegroup=122,
                   cellpar=[5.4, 5.4, 10.5, 90, 90, 90], primitive_cell=True)


def trigonal_selenium():
    """P3_121: a screw axis, whose translations of a third have a sign."""
    cell = [[4.37, 0, 0], [-2.185, 2.185 * 3**0.5, 0], [0, 0, 4.96]]
    return Atoms("Se3", cell=cell, pbc=True, scaled_positions=[[0.22, 0, 1 / 3], [0, 0.22, 2 / 3], [-0.22, -0.22, 0]])


CRYSTALS = {
    "simple cubic": Atoms("Po", cell=[3.3] * 3, pbc=True), "fcc": bulk("Al", "fcc", 4.05), "bcc": bulk("Fe", "bcc", 2.87),
    "hcp": bulk("Mg", "hcp", 3.2, 5.2), "diamond": bulk("Si", "diamond", 5.43), "bct": bulk("In", "bct", 3.3, 4.9),
    "rhombohedral": sharp_rhombohedral(), "chalcopyrite": body_centred(),
    "trigonal": trigonal_selenium(),
    "triclinic": Atoms("SiC", cell=[[3.1, 0.2, 0.1], [0.7, 3.9, 0.3], [1.1, 0.4, 5.2]], pbc=True, scaled_positions=[[0, 0, 0], [0.4, 0.55, 0.6]]),
}  # fmt: skip


def shortest_vector(cell, reach=12):
    steps = np.indices([2 * reach + 1] * 3).reshape(3, -1).T - reach
    lengths = np.linalg.norm(steps[np.any(steps != 0, axis=1)] @ cell, axis=1)
    return lengths.min()


def as_gpaw_sees_it(cell, symmetry):
    """Raises where the operations are no group."""
    from gpaw.new.symmetry import create_symmetries_object

    found = create_symmetries_object(cell, rotation_scc=symmetry["rotations"], translation_sc=symmetry["translations"],
                                     atommap_sa=symmetry["atommaps"])
    found.check_positions(cell.get_scaled_positions())  # and where they do not map the atoms as it says
    return found


def gpaws_points(mesh):
    from gpaw.new.brillouin import MonkhorstPackKPoints

    return MonkhorstPackKPoints(mesh, [0.5 / n if n % 2 == 0 else 0.0 for n in mesh])


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("kind", ["cheapest", "all symmetries", "even"])
def test_a_mesh_resolves_the_length_and_is_as_symmetric_as_what_is_used(name, kind):
    crystal = CRYSTALS[name]
    if kind == "cheapest":
        sampling = kpoint_sampling.Sampling.of(crystal, LEVEL, 30.0)
    else:
        sampling = kpoint_sampling.Sampling.with_all_symmetries(crystal, LEVEL, 30.0, even=kind == "even")
    cell = sampling.cell(crystal)
    symmetries = as_gpaw_sees_it(cell, sampling.symmetry)

    points = gpaws_points(sampling.mesh).reduce(symmetries)  # raises where the mesh is less symmetric

    assert shortest_vector(np.diag(sampling.mesh) @ cell.cell.array) >= 0.97 * 30.0 - 1e-9
    assert kpoint_mesh.irreducible(sampling.mesh, symmetries.rotation_scc) == len(points)
    assert kind != "even" or all(n == 1 or n % 2 == 0 for n in sampling.mesh)
    assert sampling.whole is None or kind == "cheapest"
    assert sampling.fits(crystal)


@pytest.mark.parametrize("name", CRYSTALS)
def test_another_cell_of_the_crystal_has_the_same_mesh(name):
    crystal = CRYSTALS[name]
    skewed = make_supercell(crystal, [[1, 0, 0], [1, 1, 0], [-1, 2, 1]], wrap=False)

    one, other = (kpoint_sampling.Sampling.of(each, LEVEL, 30.0) for each in (crystal, skewed))

    assert sorted(one.mesh) == sorted(other.mesh)
    lengths = [np.sort(np.linalg.norm(s.cell(each).cell.array, axis=1)) for s, each in ((one, crystal), (other, skewed))]
    assert lengths[0] == pytest.approx(lengths[1])
    assert np.allclose(other.cell(skewed).positions, skewed.positions)


def test_operations_that_make_grids_too_fine_are_left_to_the_average_afterwards():
    crystal = sharp_rhombohedral()
    sampling = kpoint_sampling.Sampling.of(crystal, LEVEL, 30.0)
    cell = sampling.cell(crystal)
    vectors = np.linalg.norm(cell.cell.array, axis=1)

    assert 1 < len(sampling.symmetry["rotations"]) < len(sampling.whole["rotations"]) == 12
    whole_mesh = kpoint_mesh.by_length(cell, 30.0, sampling.whole["rotations"])
    saved = kpoint_mesh.irreducible(whole_mesh, sampling.whole["rotations"]) * vectors.max() ** 3
    assert kpoint_mesh.irreducible(sampling.mesh, sampling.symmetry["rotations"]) * vectors.prod() < 0.5 * saved
    for name in ("fcc", "hcp", "chalcopyrite", "diamond"):
        assert kpoint_sampling.Sampling.of(CRYSTALS[name], LEVEL, 30.0).whole is None


@pytest.mark.parametrize("name", ["trigonal", "rhombohedral", "chalcopyrite"])
def test_an_average_over_all_operations_has_their_symmetry(name):
    crystal = CRYSTALS[name]
    random = np.random.default_rng(5)
    forces, stress = random.normal(size=(len(crystal), 3)), random.normal(size=(3, 3))
    symmetry = kpoint_mesh.symmetries(crystal)

    mean_forces, mean_stress = kpoint_mesh.symmetrized(crystal, symmetry, forces, stress + stress.T)

    moved = crystal.copy()
    moved.positions += 1e-3 * mean_forces / np.abs(mean_forces).max()
    moved.set_cell(moved.cell.array @ (np.eye(3) + 1e-3 * mean_stress), scale_atoms=True)
    assert len(kpoint_mesh.symmetries(moved)["rotations"]) == len(symmetry["rotations"])
    again = kpoint_mesh.symmetrized(crystal, symmetry, mean_forces, mean_stress)
    assert np.allclose(again[0], mean_forces) and np.allclose(again[1], mean_stress) and np.trace(mean_stress) == pytest.approx(2 * np.trace(stress))


def test_the_cell_of_the_mesh_is_of_the_same_lattice():
    crystal = sharp_rhombohedral()
    sampling = kpoint_sampling.Sampling.of(crystal, LEVEL, 30.0)

    assert abs(round(np.linalg.det(sampling.basis))) == 1
    assert min(sampling.cell(crystal).cell.angles()) > 59.0 and crystal.cell.angles().max() < 29.0


def test_meshes_take_a_quarter_of_the_points_in_a_body_centred_cell():
    from gpaw.new.symmetry import create_symmetries_object

    crystal = body_centred()
    by_density = kpoint_mesh.by_density(crystal, 30.0 / (2 * np.pi))
    old = len(gpaws_points(by_density).reduce(create_symmetries_object(crystal), strict=False))
    sampling = kpoint_sampling.Sampling.of(crystal, LEVEL, 30.0)

    assert kpoint_mesh.irreducible(sampling.mesh, sampling.symmetry["rotations"]) < 0.3 * old


@pytest.mark.parametrize(("name", "n_operations"), [("hcp", 24), ("diamond", 48), ("chalcopyrite", 8), ("trigonal", 6), ("triclinic", 1)])
def test_fractional_translations_are_found_through_the_noise_of_coordinates(name, n_operations):
    crystal = CRYSTALS[name].copy()
    crystal.positions += np.random.default_rng(3).normal(scale=1e-8, size=crystal.positions.shape)
    symmetry = kpoint_mesh.symmetries(crystal)

    assert len(symmetry["rotations"]) == n_operations
    assert np.array_equal(24 * symmetry["translations"], np.rint(24 * symmetry["translations"]))
    as_gpaw_sees_it(crystal, symmetry)


def test_operations_about_any_point_leave_a_group():
    crystal = CRYSTALS["diamond"].copy()
    crystal.positions += [0.123, 0.234, 0.345]
    symmetry = kpoint_mesh.symmetries(crystal)

    assert 1 <= len(symmetry["rotations"]) < 48
    as_gpaw_sees_it(crystal, symmetry)


def test_atoms_in_one_place_have_no_symmetry_and_no_error():
    crystal = Atoms("Si2", cell=[4, 4, 4], pbc=True)
    symmetry = kpoint_mesh.symmetries(crystal)

    assert len(symmetry["rotations"]) == 1 and np.array_equal(symmetry["rotations"][0], np.eye(3))
    assert kpoint_sampling.Sampling.of(crystal, LEVEL, 30.0).mesh == (8, 8, 8)


def test_a_smaller_cell_takes_another_mesh_when_it_is_much_smaller():
    crystal = bulk("Al", "fcc", 4.05)
    sampling = kpoint_sampling.Sampling.of(crystal, LEVEL, 30.0)
    resolved = kpoint_mesh.resolved_length(sampling.cell(crystal), sampling.mesh)
    for factor, fits in ((0.97 * 30.0 / resolved, True), (0.92 * 30.0 / resolved, False)):
        other = crystal.copy()
        other.set_cell(crystal.cell * factor, scale_atoms=True)
        assert sampling.fits(other) == fits


def test_what_does_not_repeat_has_one_point():
    slab = Atoms("Al", cell=[2.9, 2.9, 20.0], pbc=[True, True, False])
    molecule = Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.1]], cell=[7, 7, 7], pbc=True)

    assert kpoint_sampling.Sampling.of(slab, LEVEL, 30.0).mesh == (11, 11, 1)
    assert kpoint_sampling.Sampling.of(molecule, LEVEL, 0.0).mesh == (1, 1, 1)
