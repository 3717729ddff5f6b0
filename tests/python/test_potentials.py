"""Potentials through the package: against ASE, against finite differences, in batches and in threads."""

import gc
import json
import subprocess
import threading

import ase
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.calculators.lj import LennardJones
from ase.io import write

import tamiz
from support import CELLS, LENNARD_JONES, MODEL, STILLINGER_WEBER, TAMIZ, silicon

EPSILON, SIGMA = 0.010323565, 3.405  # of the shipped argon, eV and Å
# A cutoff so far that the switch does not reach the cluster below.
PLAIN_LENNARD_JONES = f"""
kind = "lennard-jones"
cutoff = 30.0
[[pair]]
elements = ["Ar", "Ar"]
epsilon = {EPSILON}
sigma = {SIGMA}
"""


@pytest.fixture(scope="module")
def stillinger_weber():
    return tamiz.load(STILLINGER_WEBER)


@pytest.fixture(scope="module")
def lennard_jones():
    return tamiz.load(LENNARD_JONES)


def argon(rattle=0.1):
    atoms = bulk("Ar", "fcc", 5.3, cubic=True) * (2, 2, 2)
    atoms.rattle(rattle, seed=7)
    return atoms


def test_lennard_jones_is_that_of_ase_on_a_cluster(tmp_path):
    (tmp_path / "plain.toml").write_text(PLAIN_LENNARD_JONES)
    atoms = argon()
    cluster = ase.Atoms(atoms.symbols, atoms.positions)

    prediction = tamiz.load(tmp_path / "plain.toml").evaluate(cluster, atom_energies=True)
    cluster.calc = LennardJones(sigma=SIGMA, epsilon=EPSILON, rc=1e4)

    assert prediction.energies[0] == pytest.approx(cluster.get_potential_energy(), rel=1e-12)
    assert prediction.forces[0] == pytest.approx(cluster.get_forces(), abs=1e-12)
    assert prediction.atom_energies[0] == pytest.approx(cluster.get_potential_energies(), rel=1e-12)


@pytest.mark.parametrize(("fixture", "atoms"), [("stillinger_weber", silicon(rattle=0.1)), ("lennard_jones", argon())])
def test_forces_and_stress_are_derivatives_of_the_energy(fixture, atoms, request):
    atoms.calc = tamiz.ase.Calculator(request.getfixturevalue(fixture))
    chosen = [0, 3, 5]

    forces = calculate_numerical_forces(atoms, eps=1e-4, iatoms=chosen)
    stress = calculate_numerical_stress(atoms, eps=1e-5)

    assert np.abs(forces).max() > 1e-3
    assert atoms.get_forces()[chosen] == pytest.approx(forces, abs=1e-6)
    assert atoms.get_stress() == pytest.approx(stress, abs=1e-8)


def test_stillinger_weber_silicon_is_bound_by_two_epsilon_per_atom(stillinger_weber):
    # In the diamond structure every angle is tetrahedral and the pair term is at its minimum.
    spacing = 2 ** (1 / 6) * 2.0951  # [Å]

    prediction = stillinger_weber.evaluate(bulk("Si", "diamond", spacing * 4 / np.sqrt(3)))

    assert prediction.energies[0] / 2 == pytest.approx(-2 * 2.1683, abs=1e-4)


def test_a_batch_gives_each_structure_what_it_gets_alone(stillinger_weber):
    structures = [silicon(rattle=0.1, seed=k) for k in range(3)] + [bulk("Si"), silicon(2)]

    together = stillinger_weber.evaluate(structures, stress=True, atom_energies=True)

    assert len(together) == len(structures) == len(together.forces)
    for k, structure in enumerate(structures):
        alone = stillinger_weber.evaluate(structure, stress=True, atom_energies=True)
        assert alone.energies[0] == together.energies[k]
        assert np.array_equal(alone.forces[0], together.forces[k])
        assert np.array_equal(alone.stresses[0], together.stresses[k])
        assert np.array_equal(alone.atom_energies[0], together.atom_energies[k])


def test_structures_of_all_three_packages_share_a_batch(stillinger_weber):
    atoms = silicon(rattle=0.05)
    own = tamiz.to_structure(atoms)

    energies = stillinger_weber.evaluate([atoms, own, tamiz.to_pymatgen(own)]).energies

    assert energies[0] == energies[1]
    assert energies[2] == pytest.approx(energies[0], rel=1e-12)


def test_only_what_was_asked_for_is_there(stillinger_weber):
    prediction = stillinger_weber.evaluate(silicon(), forces=False)

    assert (prediction.forces, prediction.stresses, prediction.atom_energies) == (None, None, None)
    assert prediction.uncertainties is None


def test_what_was_asked_for_is_there_without_atoms_too(stillinger_weber):
    p = stillinger_weber.evaluate([], forces=True, stress=True)

    assert len(p) == 0 and p.forces == [] and p.stresses.shape == (0, 3, 3)
    assert p.atom_energies is None and p.descriptors is None


def test_arrays_outlive_the_prediction(stillinger_weber):
    atoms = silicon(rattle=0.1)
    expected = stillinger_weber.evaluate(atoms, stress=True)
    forces, stress = expected.forces[0].copy(), expected.stresses[0].copy()

    views = [stillinger_weber.evaluate([atoms] * 50, stress=True) for _ in range(20)]
    views = [(prediction.forces[49], prediction.stresses[49]) for prediction in views]
    gc.collect()

    for view, stress_view in views:
        assert np.array_equal(view, forces) and np.array_equal(stress_view, stress)


def test_threads_evaluate_one_potential_side_by_side(stillinger_weber):
    structures = [silicon(2, rattle=0.1, seed=k) for k in range(8)]
    expected = stillinger_weber.evaluate(structures).energies
    energies = [None] * 8

    def evaluate(k):
        energies[k] = stillinger_weber.evaluate(structures[k]).energies[0]

    threads = [threading.Thread(target=evaluate, args=(k,), daemon=True) for k in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert energies == list(expected)


def test_the_calculator_knows_what_it_cannot_give(stillinger_weber):
    from ase.calculators.calculator import PropertyNotImplementedError

    cluster = ase.Atoms("Si2", [[0, 0, 0], [0, 0, 2.4]], calculator=tamiz.ase.Calculator(stillinger_weber))

    assert cluster.get_forces()[0, 2] == -cluster.get_forces()[1, 2]
    with pytest.raises(PropertyNotImplementedError):
        cluster.get_stress()


def test_an_optimiser_of_ase_finds_the_same_minimum_as_tamiz(stillinger_weber):
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    atoms = silicon(rattle=0.05)
    [relaxed] = tamiz.relax(atoms, stillinger_weber, fmax=1e-4, smax=1e-6)

    atoms.calc = tamiz.ase.Calculator(stillinger_weber)
    BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-4, steps=200)

    assert relaxed.converged
    assert relaxed.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    assert relaxed.structure.volume == pytest.approx(atoms.get_volume(), rel=1e-4)


@pytest.fixture(scope="module")
def model():
    return tamiz.load(MODEL, dtype="float64", threads=1)


@pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not shipped")
class TestModel:
    """The shipped MACE model, with a committee."""

    @pytest.mark.parametrize("cell_name", CELLS)
    def test_forces_are_derivatives_in_every_kind_of_cell(self, model, cell_name):
        cell, pbc = CELLS[cell_name]
        fractions = np.array([[0.02, 0.9, 0.0], [0.5, 0.52, 0.31], [0.26, 0.7, 0.41]])
        atoms = ase.Atoms("MgSiN", positions=fractions @ cell, cell=cell, pbc=pbc, calculator=tamiz.ase.Calculator(model))

        forces = calculate_numerical_forces(atoms, eps=1e-4, iatoms=[1])

        # The radial functions are splines with continuous second derivatives.
        assert atoms.get_forces()[[1]] == pytest.approx(forces, rel=1e-5, abs=1e-5)

    def test_uncertainties_are_the_spread_of_the_members(self, model):
        prediction = model.evaluate([bulk("Mg"), bulk("Si")], uncertainty=True)

        assert prediction.member_energies.shape == (2, model.n_members)
        assert (prediction.uncertainties > 0).all()
        assert prediction.member_energies.mean(axis=1) == pytest.approx(prediction.energies, abs=1e-8)

    def test_ase_may_ask_for_all_properties_at_once(self, model):
        atoms = bulk("Mg")
        atoms.calc = tamiz.ase.Calculator(model)

        assert atoms.get_properties(["energy", "forces"])["energy"] == atoms.get_potential_energy()
        assert atoms.calc.results["energy_uncertainty"] > 0.0

    def test_descriptors_turn_with_nothing_and_tell_surroundings_apart(self, model):
        silicon = bulk("Si", cubic=True)
        turned = silicon.copy()
        turned.rotate(35.0, (1, 2, 3), rotate_cell=True)
        larger = bulk("Si", a=5.6, cubic=True)

        one, same, other = model.evaluate([silicon, turned, larger], forces=False, descriptors=True).descriptors

        assert one.shape == (8, 2 * tamiz.model_info(MODEL)["description"]["channels"])
        assert same == pytest.approx(one, rel=1e-4, abs=1e-5)
        assert abs(other - one).max() > 1e-2 * abs(one).max()

    def test_the_header_names_what_the_model_is_for(self, model):
        info = tamiz.model_info(MODEL)

        assert info["description"]["n_members"] == model.n_members
        assert set(model.elements) == {"Mg", "Si", "N", "Ca"}


@pytest.mark.skipif(not MODEL.exists(), reason="no model is shipped")
def test_products_with_second_derivatives_are_differences_of_forces():
    model = tamiz.load(MODEL, dtype="float64", threads=1)
    structures = [silicon(rattle=0.05, seed=3), silicon(rattle=0.1, seed=4), silicon(rattle=0.1, seed=4).repeat((2, 1, 1))]
    random = np.random.default_rng(5)
    directions = [random.normal(size=(len(atoms), 3)) for atoms in structures]

    def forces(atoms, direction, step):
        moved = atoms.copy()
        moved.positions += step * direction
        return model.evaluate(moved).forces[0]

    products = model.hessian_vector_products(structures, directions)

    for atoms, direction, product in zip(structures, directions, products, strict=True):
        step = 1e-4
        expected = -(forces(atoms, direction, step) - forces(atoms, direction, -step)) / (2 * step)
        # The third derivatives of splines jump at their knots.
        assert product == pytest.approx(expected, abs=2e-3 * np.abs(expected).max())
    assert model.hessian_vector_products(structures[0], directions[0])[0] == pytest.approx(products[0], abs=0.0)


@pytest.mark.skipif(not MODEL.exists(), reason="no model is shipped")
def test_directions_of_another_shape_are_refused(stillinger_weber):
    model = tamiz.load(MODEL, threads=1)

    with pytest.raises(tamiz.ShapeError, match="structure 0 has 8 atoms, its directions 7 rows"):
        model.hessian_vector_products(silicon(), np.zeros((7, 3)))
    with pytest.raises(tamiz.ShapeError, match="directions for 2 of 1 structures"):
        model.hessian_vector_products(silicon(), [np.zeros((8, 3))] * 2)
    with pytest.raises(tamiz.CapabilityError, match="second derivatives"):
        stillinger_weber.hessian_vector_products(silicon(), np.zeros((8, 3)))


def test_structures_without_labels_are_predicted_but_not_judged(tmp_path):
    crystals = [silicon(rattle=0.05, seed=k) for k in range(300)]  # more than are evaluated at once
    molecule = ase.Atoms("Si3", positions=[[0, 0, 0], [2.3, 0, 0], [0, 2.3, 0]])
    atoms = [*crystals[:150], molecule, *crystals[150:]]
    write(tmp_path / "bare.xyz", atoms, format="extxyz")
    command = [TAMIZ, "evaluate", STILLINGER_WEBER, "bare.xyz"]

    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    subprocess.run([*command, "--predictions", "p.xyz", "--json", "p.json"], cwd=tmp_path, capture_output=True, check=True)

    assert refused.returncode == 1 and "or ask for --predictions alone" in refused.stderr
    assert json.loads((tmp_path / "p.json").read_text())["n_frames"] == 301
    predicted = tamiz.read(tmp_path / "p.xyz")
    bare, alone = tamiz.read(tmp_path / "bare.xyz"), tamiz.load(STILLINGER_WEBER)
    for k in (0, 150, 300):
        expected = alone.evaluate(bare[k].structure, stress=k != 150)
        assert predicted[k].energy == pytest.approx(expected.energies[0], abs=1e-9)
        assert predicted[k].forces == pytest.approx(expected.forces[0], abs=1e-9)
        assert (predicted[k].stress is None) == (k == 150)
        if k != 150:
            assert predicted[k].stress == pytest.approx(expected.stresses[0], abs=1e-12)
