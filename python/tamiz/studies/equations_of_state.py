"""Equations of state of the elements at a level, beside all-electron ones: what the PAW sets are worth.

    python -m tamiz.studies.equations_of_state datasets/levels/pbe-600g.json datasets/levels/all_electron_unaries.csv \
        -o datasets/levels/pbe-600g.eos.json --table

Face-centred, body-centred and simple cubic and diamond crystals at seven volumes from 0.94 to 1.06 of the all-electron
one, on a mesh that resolves 60 Å in the middle one, at the level's cutoff; energies at zero smearing are fitted with the
equation of Birch and Murnaghan. Most of these crystals are metals whatever the element, and on a mesh that is too coarse the mesh
shows and not the PAW set: where ε is above 0.1 all is calculated again on a mesh of 90 Å. The reference is the average of two all-electron codes of Bosoni et al., Nat. Rev. Phys. 6, 45 (2024),
doi:10.1038/s42254-023-00655-3, whose measures are used: ε, the distance of the two curves E(V) over these volumes
in units of their spread, and ν, that of V0, B0 and B0' in percent with weights 1, 1/20 and 1/400. There, ε below 0.06
and ν below 0.10 is excellent agreement, and 0.20 and 0.33 is good.

Calculations are kept in the output as they end; a study that was stopped goes on.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.units import GPa

from tamiz.studies.kept_results import KeptResults

sys.path.insert(0, str(Path(__file__).parents[1] / "workers"))
import gpaw_level  # noqa: E402
import kpoint_sampling  # noqa: E402

FACTORS = np.linspace(0.94, 1.06, 7)
CELLS = {  # in units of the cube's edge, and the volume per atom in units of its cube
    "FCC": ([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], [[0, 0, 0]]),
    "BCC": ([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]], [[0, 0, 0]]),
    "SC": (np.eye(3), [[0, 0, 0]]),
    "Diamond": ([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], [[0, 0, 0], [0.25, 0.25, 0.25]]),
}
WEIGHTS = np.array([1.0, 1 / 20, 1 / 400])  # of V0, B0, B0' in ν
LENGTHS = (60.0, 90.0)  # [Å] that meshes resolve, whatever the level has: these are sets under test, not meshes
GOOD, FLAGGED = 0.1, 0.2  # ε of what is used without a word, and of what is used at all


def birch_murnaghan(parameters, volumes):
    """E(V) − E0 [eV] of V0 [Å³], B0 [eV/Å³] and B0'."""
    v0, b0, b1 = parameters
    x = (v0 / volumes) ** (2 / 3) - 1
    return 9 * v0 * b0 / 16 * (x**3 * b1 + x**2 * (6 - 4 * (x + 1)))


def fit(volumes, energies):
    """V0 [Å³], B0 [eV/Å³], B0' by least squares: the equation is a cubic in V^(−2/3)."""
    y = volumes ** (-2 / 3)
    curve = np.polynomial.Polynomial.fit(y, energies, 3).convert()
    roots = curve.deriv().roots()
    minima = [r.real for r in roots if abs(r.imag) < 1e-12 and y.min() < r.real < y.max() and curve.deriv(2)(r.real) > 0]
    if len(minima) != 1:
        raise ValueError("the energies have no minimum among the volumes")
    y0 = minima[0]
    v0 = y0**-1.5
    second, third = curve.deriv(2)(y0), curve.deriv(3)(y0)
    b0 = 4 / 9 * y0 * second / v0 * y0
    b1 = 4 + 2 / 3 * y0 * third / second
    return np.array([v0, b0, b1])


def epsilon(ours, theirs):
    """Distance of two curves with their minima at zero over 0.94 to 1.06 of their mean volume, in units of their spread."""
    volumes = (ours[0] + theirs[0]) / 2 * np.linspace(FACTORS[0], FACTORS[-1], 2001)
    curves = [birch_murnaghan(each, volumes) for each in (ours, theirs)]
    difference = ((curves[0] - curves[1]) ** 2).mean()
    return float(np.sqrt(difference / np.sqrt(curves[0].var() * curves[1].var())))


def nu(ours, theirs):
    relative = 2 * (ours - theirs) / (ours + theirs)
    return float(100 * np.sqrt(((WEIGHTS * relative) ** 2).sum()))


def references(path, elements):
    """(element, structure) → V0 [Å³/atom], B0 [eV/Å³], B0'."""
    found = {}
    for row in csv.DictReader(path.open()):
        element, _, structure = row["system"].partition("-X/")
        if row["set"] == "unaries" and element in elements and structure in CELLS:
            found[element, structure] = np.array([float(row["V0_A3_per_atom"]), float(row["B0_GPa"]) * GPa, float(row["B0prime"])])
    return found


def crystal(element, structure, volume):
    """With this volume per atom."""
    cell, places = CELLS[structure]
    cell = np.array(cell, float)
    edge = (volume * len(places) / abs(np.linalg.det(cell))) ** (1 / 3)
    return Atoms(f"{element}{len(places)}", cell=edge * cell, scaled_positions=places, pbc=True)


class Study(KeptResults):
    """Energies per atom [eV] by description, in a file that is replaced after each."""

    done_key = "energies"

    def energy(self, element, structure, volume, factor, length):
        key = f"{element} {structure} {factor:.2f}" + (f" length={length:g}" if length != LENGTHS[0] else "")
        if key not in self.done:
            print(key, file=sys.stderr, flush=True)
            middle, atoms = crystal(element, structure, volume), crystal(element, structure, factor * volume)
            sampling = kpoint_sampling.Sampling.of(middle, {"kpoint_length": length}, length)
            atoms = sampling.cell(atoms)
            atoms.calc = gpaw_level.make_gpaw(atoms, self.level, sampling.mesh, sampling.symmetry)
            self.done[key] = atoms.get_potential_energy() / len(atoms)
            self.write()
        return self.done[key]

    def compare(self, element, structure, theirs):
        """On the first mesh that finds agreement, else on the last."""
        for length in LENGTHS:
            result = self.compare_on(element, structure, theirs, length)
            self.results[f"{element} {structure}"] = {"length": length} | result
            self.write()
            if result.get("epsilon", np.inf) <= GOOD:
                return

    def compare_on(self, element, structure, theirs, length):
        volumes = FACTORS * theirs[0]
        energies = np.array([self.energy(element, structure, theirs[0], factor, length) for factor in FACTORS])
        try:
            ours = fit(volumes, energies)
        except ValueError as error:  # so far off that nothing can be compared
            return {"failure": str(error)}
        return {"V0": ours[0], "B0_GPa": ours[1] / GPa, "B0prime": ours[2], "reference": [theirs[0], theirs[1] / GPa, theirs[2]],
                "epsilon": epsilon(ours, theirs), "nu": nu(ours, theirs)}


def table(results):
    lines = ["| crystal | mesh [Å] | V0 [Å³] | of all electrons | B0 [GPa] | of all electrons | ε | ν | |", "|---|---|---|---|---|---|---|---|---|"]
    for name, r in results.items():
        length = f"{r.get('length', LENGTHS[0]):g}"
        if "failure" in r:
            lines.append(f"| {name} | {length} | | | | | | | {r['failure']} |")
            continue
        word = "" if r["epsilon"] <= GOOD else "flagged" if r["epsilon"] <= FLAGGED else "worse"
        lines.append(f"| {name} | {length} | {r['V0']:.3f} | {r['reference'][0]:.3f} | {r['B0_GPa']:.1f} | {r['reference'][1]:.1f} "
                     f"| {r['epsilon']:.3f} | {r['nu']:.2f} | {word} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("level", type=Path)
    parser.add_argument("references", type=Path, help="table of all-electron equations of state (CSV)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON file, gone on with where it exists")
    parser.add_argument("--elements", nargs="+", help="(default: those of the level)")
    parser.add_argument("--table", action="store_true", help="print the results as a Markdown table")
    arguments = parser.parse_args()
    study = Study(json.loads(arguments.level.read_text()), arguments.output)
    elements = arguments.elements or list(study.level["pulay"])
    for (element, structure), theirs in references(arguments.references, elements).items():
        study.compare(element, structure, theirs)
    if arguments.table:
        print(table(study.results))


if __name__ == "__main__":
    main()
