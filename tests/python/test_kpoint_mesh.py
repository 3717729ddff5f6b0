"""Meshes of the GPAW worker: against GPAW's own count of points, and spglib's symmetries."""

import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell

from support import ROOT

sys.path.insert(0, str(ROOT / "python" / "tamiz" / "workers"))
import gpaw_worker  # noqa: E402
import kpoint_mesh  # noqa: E402

LEVEL = {"kpoint_length": {"metal": 30.0}}


def sharp_rhombohedral():
    """Three layers far apart, in their primitive cell of 28°."""
    x, y, c = 1.8, 3.6 / 12**0.5, 22.0
    cell = [[x, y, c / 3], [-x, y, c / 3], [0, -2 * y, c / 3]]
    return Atoms("NCa2", cell=cell, pbc=True, scaled_positions=[[0, 0, 0], [0.27] * 3, [-0.27] * 3])


def body_centred():
    """Chalcopyrite in its primitive cell."""
    a, c, x = 5.4, 10.5, 0.27
    cell = 0.5 * np.array([[-a, a, c], [a, -a, c], [a, a, -c]])
    places = [[0, 0, 0], [a / 2, 0, c / 4], [0, 0, c / 2], [a / 2, 0, 3 * c / 4]]
    anions = [[x * a, a / 4, c / 8], [-x * a, 3 * a / 4, c / 8], [3 * a / 4, x * a, 7 * c / 8], [a / 4, -x * a, 7 * c / 8]]
    return Atoms("ZnZnSiSiP4", cell=cell, pbc=True, positions=[places[0], places[1], places[2], places[3], *anions])


CRYSTALS = {
    "simple cubic": Atoms("Po", cell=[3.3] * 3, pbc=True), "fcc": bulk("Al", "fcc", 4.05), "bcc": bulk("Fe", "bcc", 2.87),
    "hcp": bulk("Mg", "hcp", 3.2, 5.2), "diamond": bulk("Si", "diamond", 5.43), "bct": bulk("In", "bct", 3.3, 4.9),
    "rhombohedral": sharp_rhombohedral(), "chalcopyrite": body_centred(),
    "triclinic": Atoms("SiC", cell=[[3.1, 0.2, 0.1], [0.7, 3.9, 0.3], [1.1, 0.4, 5.2]], pbc=True, scaled_positions=[[0, 0, 0], [0.4, 0.55, 0.6]]),
}  # fmt: skip


def shortest_vector(cell, reach=12):
    steps = np.indices([2 * reach + 1] * 3).reshape(3, -1).T - reach
    lengths = np.linalg.norm(steps[np.any(steps != 0, axis=1)] @ cell, axis=1)
    return lengths.min()


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("even", [False, True])
def test_a_mesh_resolves_the_length_and_is_as_symmetric_as_the_crystal(name, even):
    from gpaw.new.brillouin import MonkhorstPackKPoints
    from gpaw.new.symmetry import create_symmetries_object

    crystal = CRYSTALS[name]
    sampling = gpaw_worker.Sampling.of(crystal, LEVEL, 30.0, even=even)
    cell = sampling.cell(crystal)
    shift = [0.5 / n if n % 2 == 0 else 0.0 for n in sampling.mesh]
    symmetries = create_symmetries_object(cell)

    points = MonkhorstPackKPoints(sampling.mesh, shift).reduce(symmetries)  # raises where the mesh is less symmetric

    assert shortest_vector(np.diag(sampling.mesh) @ cell.cell.array) >= 0.97 * 30.0 - 1e-9
    assert kpoint_mesh.irreducible(sampling.mesh, symmetries.rotation_scc) == len(points)
    assert not even or all(n == 1 or n % 2 == 0 for n in sampling.mesh)
    assert sampling.fits(crystal)


@pytest.mark.parametrize("name", CRYSTALS)
def test_another_cell_of_the_crystal_has_the_same_mesh(name):
    crystal = CRYSTALS[name]
    skewed = make_supercell(crystal, [[1, 0, 0], [1, 1, 0], [-1, 2, 1]], wrap=False)

    one, other = (gpaw_worker.Sampling.of(each, LEVEL, 30.0) for each in (crystal, skewed))

    assert sorted(one.mesh) == sorted(other.mesh)
    lengths = [np.sort(np.linalg.norm(s.cell(each).cell.array, axis=1)) for s, each in ((one, crystal), (other, skewed))]
    assert lengths[0] == pytest.approx(lengths[1])
    assert np.allclose(other.cell(skewed).positions, skewed.positions)


def test_the_cell_of_the_mesh_is_of_the_same_lattice():
    crystal = sharp_rhombohedral()
    sampling = gpaw_worker.Sampling.of(crystal, LEVEL, 30.0)

    assert abs(round(np.linalg.det(sampling.basis))) == 1
    assert min(sampling.cell(crystal).cell.angles()) > 59.0 and crystal.cell.angles().max() < 29.0


def test_meshes_take_a_quarter_of_the_points_in_a_body_centred_cell():
    from gpaw.new.brillouin import MonkhorstPackKPoints
    from gpaw.new.symmetry import create_symmetries_object

    crystal = body_centred()
    by_density = kpoint_mesh.by_density(crystal, 30.0 / (2 * np.pi))
    shift = [0.5 / n if n % 2 == 0 else 0.0 for n in by_density]
    old = len(MonkhorstPackKPoints(by_density, shift).reduce(create_symmetries_object(crystal), strict=False))
    sampling = gpaw_worker.Sampling.of(crystal, LEVEL, 30.0)

    assert kpoint_mesh.irreducible(sampling.mesh, gpaw_worker.rotations_of(sampling.cell(crystal), True)) < 0.3 * old


def test_a_smaller_cell_takes_another_mesh_when_it_is_much_smaller():
    crystal = bulk("Al", "fcc", 4.05)
    sampling = gpaw_worker.Sampling.of(crystal, LEVEL, 30.0)
    resolved = kpoint_mesh.resolved_length(sampling.cell(crystal), sampling.mesh)
    for factor, fits in ((0.97 * 30.0 / resolved, True), (0.92 * 30.0 / resolved, False)):
        other = crystal.copy()
        other.set_cell(crystal.cell * factor, scale_atoms=True)
        assert sampling.fits(other) == fits


def test_what_does_not_repeat_has_one_point():
    slab = Atoms("Al", cell=[2.9, 2.9, 20.0], pbc=[True, True, False])
    molecule = Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.1]], cell=[7, 7, 7], pbc=True)

    assert gpaw_worker.Sampling.of(slab, LEVEL, 30.0).mesh == (11, 11, 1)
    assert gpaw_worker.Sampling.of(molecule, LEVEL, 0.0).mesh == (1, 1, 1)
