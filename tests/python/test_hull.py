"""tamiz.ConvexHull beside pymatgen's and by hand."""

import numpy as np
import pytest
from ase import Atoms

import tamiz

PHASES = {"Mg": ("Mg", -1.5), "Si": ("Si", -5.4), "N2": ("N2", -8.3), "Mg2Si": ("Mg2Si", -3.1), "Mg3N2": ("Mg3N2", -4.9), "Si3N4": ("Si3N4", -8.2)}


def test_energies_above_the_hull_by_hand():
    hull = tamiz.ConvexHull(PHASES)
    between = 0.75 * -3.1 + 0.25 * -5.4

    assert len(hull) == 6
    assert hull.energy_above("MgSi", -3.0) == pytest.approx(-3.0 - between)
    assert hull.decompose(Atoms("MgSi")) == pytest.approx({"Mg2Si": 0.75, "Si": 0.25})
    assert hull.formation_energy("Mg2Si", -3.1) == pytest.approx(-3.1 - (2 * -1.5 - 5.4) / 3)
    assert hull.energy_above("Mg2Si", -3.1) == pytest.approx(0.0, abs=1e-12)
    assert hull.energy_above("Mg2Si", -3.1, without=["Mg2Si"]) == pytest.approx(-3.1 - (2 * -1.5 - 5.4) / 3)


def test_hulls_of_three_elements_are_those_of_pymatgen():
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
    from pymatgen.core import Composition

    hull = tamiz.ConvexHull(PHASES)
    entries = [PDEntry(Composition(formula), energy * Composition(formula).num_atoms) for formula, energy in PHASES.values()]
    diagram = PhaseDiagram(entries)
    for formula, energy in (("MgSiN2", -6.4), ("Mg4SiN4", -6.0), ("MgSi2N3", -5.0), ("Mg2Si", -3.1)):
        entry = PDEntry(Composition(formula), energy * Composition(formula).num_atoms)
        assert hull.energy_above(formula, energy) == pytest.approx(diagram.get_decomp_and_e_above_hull(entry, allow_negative=True)[1], abs=1e-9)


def test_the_range_of_a_chemical_potential():
    hull = tamiz.ConvexHull(PHASES)
    low, high = hull.chemical_potential_range("Mg2Si", -3.1, "Mg")
    formation = 3 * hull.formation_energy("Mg2Si", -3.1)

    assert (low, high) == pytest.approx((formation / 2, 0.0))
    assert hull.chemical_potential_range("MgSi", -3.0, "Mg") is None


def test_a_hull_of_frames_takes_the_lowest_of_each_name():
    def frame(formula, energy_per_atom, name):
        atoms = Atoms(formula, positions=np.arange(3 * len(Atoms(formula))).reshape(-1, 3), cell=[9, 9, 9], pbc=True)
        return tamiz.Frame(tamiz.to_structure(atoms), energy=energy_per_atom * len(atoms), info={"id": name})

    hull = tamiz.ConvexHull.of_frames([frame("Mg", -1.5, "Mg"), frame("Si2", -5.0, "Si"), frame("Si2", -5.4, "Si")])

    assert len(hull) == 2 and hull.energy_above("Si", -5.0) == pytest.approx(0.4)
    elements = [frame("Mg", -1.5, "Mg"), frame("Si", -5.4, "Si")]
    shared = tamiz.ConvexHull.of_frames([*elements, frame("Mg2Si", -3.1, "0000"), frame("MgSi", -4.0, "0000")])
    assert set(shared.names) == {"Mg", "Si", "0000 Mg2Si", "0000 MgSi"} and shared.energy_above("Mg2Si", -3.1) < 0.1


def test_what_is_no_hull_is_said():
    with pytest.raises(tamiz.ShapeError, match="Si"):
        tamiz.ConvexHull({"Mg": ("Mg", -1.5), "Mg2Si": ("Mg2Si", -3.1)})
    with pytest.raises(tamiz.NumericsError):
        tamiz.ConvexHull({"Mg": ("Mg", float("nan"))})
    with pytest.raises(tamiz.SpeciesError):
        tamiz.ConvexHull(PHASES).energy_above("CaN", 0.0)
    with pytest.raises(tamiz.ShapeError, match="Mg9"):
        tamiz.ConvexHull(PHASES).energy_above("Mg2Si", 0.0, without=["Mg9"])
    with pytest.raises(tamiz.ShapeError, match="no energy"):
        tamiz.ConvexHull.of_frames([tamiz.Frame(tamiz.to_structure(Atoms("Mg", cell=[3, 3, 3], pbc=True)))])
