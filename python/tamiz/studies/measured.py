"""Relaxed crystals of a level beside measured properties: what the level is worth.

    python -m tamiz.studies.measured hull.h5 datasets/known/measured.csv

The data set holds relaxations of known phases (``tamiz dataset``), elements among them. Lattice constants [Å] are those
of the conventional cell, gaps [eV] by GLLB-SC where they were calculated, else by PBE. Formation enthalpies [eV/atom]
are differences of energies at rest to the elements that the data set has; measured ones are of 298 K and are
taken over to grey tin and black phosphorus, which the table lists from white tin and white phosphorus. Neither
zero-point motion nor heat capacities are corrected for, and spin–orbit coupling is absent.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from ase.formula import Formula

import tamiz
from tamiz.studies.kept_results import replace_json
from tamiz.studies.relaxed import relaxed_ends

REFERENCES = {"Ca": "Ca", "Mg": "Mg", "Zn": "Zn", "Si": "Si", "Ge": "Ge", "Sn": "Sn", "N": "N2", "P": "P"}
KJ_PER_MOL = 1 / 96.48533212  # [eV]
LATTICE = ("lattice_a", "lattice_b", "lattice_c")


def lattice(structure):
    """a, b, c [Å] of the conventional cell."""
    return np.linalg.norm(structure.conventional_cell(0.05).cell, axis=1)


def formation_energy(frame, ends):
    """From the elements [eV/atom]; None where one is missing."""
    symbols = frame.structure.symbols
    if any(REFERENCES[symbol] not in ends for symbol in symbols):
        return None
    elements = [ends[REFERENCES[symbol]] for symbol in symbols]
    return (frame.energy - sum(each.energy / len(each.structure.symbols) for each in elements)) / len(symbols)


def read_measured(path):
    """Phase → property → value; enthalpies in eV/atom from the elements that REFERENCES names."""
    table = {}
    for row in csv.DictReader(path.open()):
        table.setdefault(row["id"].removeprefix("competing/"), {})[row["property"]] = float(row["value"])
    shifts = {symbol: table.get(phase, {}).get("formation_enthalpy", 0.0) for symbol, phase in REFERENCES.items()}
    for phase, properties in table.items():
        if "formation_enthalpy" in properties and phase not in REFERENCES.values():
            symbols = list(Formula(phase.split("-")[0]))
            shift = sum(shifts[symbol] for symbol in symbols) / len(symbols)
            properties["formation_enthalpy"] = (properties["formation_enthalpy"] - shift) * KJ_PER_MOL
        elif "formation_enthalpy" in properties:
            del properties["formation_enthalpy"]  # a form of an element
    return table


def compare(data, measured):
    """Rows of phase, property, calculated and measured value."""
    ends, rows = relaxed_ends(data), []
    for phase, properties in measured.items():
        if phase not in ends:
            continue
        frame = ends[phase]
        if LATTICE[0] in properties and phase != "N2":
            ours = lattice(frame.structure)
            theirs = [properties[name] for name in LATTICE if name in properties]
            if len(theirs) == 3:  # which axis is which is a matter of setting
                ours, theirs = sorted(ours), sorted(theirs)
            else:
                ours = ours[[0, 2]] if len(theirs) == 2 else ours[:1]
            rows += [(phase, name, our, their) for name, our, their in zip(LATTICE if len(theirs) == 3 else ("lattice_a", "lattice_c"), ours, theirs)]
        if "formation_enthalpy" in properties and (energy := formation_energy(frame, ends)) is not None:
            rows.append((phase, "formation_enthalpy", energy, properties["formation_enthalpy"]))
        if "gap" in properties:
            rows.append((phase, "gap, " + frame.info["gap_level"], float(frame.info["gap"]), properties["gap"]))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="data set (.h5) of relaxed phases")
    parser.add_argument("measured", type=Path, help="table of measured properties (CSV)")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = compare(tamiz.datasets.load(arguments.data), read_measured(arguments.measured))
    print("| phase | property | calculated | measured | difference |\n|---|---|---|---|---|")
    for phase, name, ours, theirs in rows:
        difference = f"{100 * (ours / theirs - 1):+.1f} %" if name.startswith("lattice") else f"{ours - theirs:+.2f} eV"
        print(f"| {phase} | {name} | {ours:.3f} | {theirs:.3f} | {difference} |")
    if arguments.json:
        keys = ("phase", "property", "calculated", "measured")
        replace_json(arguments.json, [dict(zip(keys, row)) for row in rows])


if __name__ == "__main__":
    main()
