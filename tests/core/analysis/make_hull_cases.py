"""Writes hull_cases.json: random phase diagrams with the answers of pymatgen and SciPy.

Energies above the hull and decompositions come from pymatgen's PhaseDiagram (Qhull), formation energies too; the
ranges of chemical potential in which a phase is stable come from scipy.optimize.linprog on the inequalities
themselves. Run with the Python of the virtual environment: python tests/core/analysis/make_hull_cases.py
"""

import json
import pathlib
import random

import numpy as np
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition
from scipy.optimize import linprog

ELEMENTS = ["Mg", "Si", "N", "Zn"]


def random_formula(elements, rng):
    while True:
        counts = [rng.choice([0, 1, 1, 2, 3, 4]) for _ in elements]
        if sum(c > 0 for c in counts) >= 2:
            return "".join(f"{e}{c}" for e, c in zip(elements, counts) if c)


def random_phases(elements, n_compounds, rng):
    phases = [(e, rng.uniform(-8, -1)) for e in elements]
    phases.append((elements[0] + "2", phases[0][1] + 0.1))  # a second polymorph of an element
    for _ in range(n_compounds):
        formula = random_formula(elements, rng)
        composition = Composition(formula).fractional_composition
        reference = sum(composition[e] * energy for e, energy in phases[: len(elements)])
        phases.append((formula, reference + rng.uniform(-1.0, 0.3)))
    return phases


def entry(formula, energy_per_atom):
    composition = Composition(formula)
    return PDEntry(composition, energy_per_atom * composition.num_atoms)


def answers(diagram, entries, formula, energy):
    query = entry(formula, energy)
    products, above = diagram.get_decomp_and_e_above_hull(query, allow_negative=True)
    return {
        "formula": formula,
        "energy": energy,
        "above": above,
        "formation": diagram.get_form_energy_per_atom(query),
        "products": sorted([entries.index(e), f] for e, f in products.items()),
    }


def stability_range(elements, phases, formation, target, element):
    """Lowest and highest chemical potential of `element` where nothing beats phase `target`."""
    fractions = np.array([[Composition(f).get_atomic_fraction(e) for e in elements] for f, _ in phases])
    goal = np.eye(len(elements))[elements.index(element)]
    ends = []
    for sign in (1, -1):
        found = linprog(sign * goal, A_ub=fractions, b_ub=formation, A_eq=fractions[[target]],
                        b_eq=[formation[target]], bounds=(None, None), method="highs-ds")
        assert found.status == 0, found.message
        ends.append(float(found.x @ goal))
    return {"phase": target, "element": element, "low": ends[0], "high": ends[1]}


def case(n_elements, n_compounds, seed):
    rng = random.Random(seed)
    elements = ELEMENTS[:n_elements]
    phases = random_phases(elements, n_compounds, rng)
    entries = [entry(f, e) for f, e in phases]
    diagram = PhaseDiagram(entries)
    formation = [diagram.get_form_energy_per_atom(e) for e in entries]
    queries = [answers(diagram, entries, f, e) for f, e in phases]
    for _ in range(8):
        formula = random_formula(elements, rng)
        queries.append(answers(diagram, entries, formula, rng.uniform(-8, -1)))
    ranges = [
        stability_range(elements, phases, formation, k, e.symbol)
        for k, stable in enumerate(entries)
        if stable in diagram.stable_entries and len(stable.composition) == n_elements
        for e in stable.composition
    ]
    return {"phases": phases, "queries": queries, "ranges": ranges}


def main():
    sizes = [(2, 4), (2, 12), (3, 8), (3, 25), (4, 12), (4, 30)]
    cases = [case(n, m, 7 + k) for k, (n, m) in enumerate(sizes)]
    assert all(c["ranges"] for c in cases if c), [len(c["ranges"]) for c in cases]
    text = json.dumps({"made_by": "make_hull_cases.py", "cases": cases})
    pathlib.Path(__file__).with_name("hull_cases.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
