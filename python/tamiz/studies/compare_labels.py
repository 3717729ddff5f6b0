"""How far labels of the same structures are apart, for example from two meshes.

    python -m tamiz.studies.compare_labels ONE.xyz OTHER.xyz [--levels] [--with-gap]

Frames belong together by their `id`. Prints, for each formula and for all, the mean and the largest difference of energies
per atom, and the largest ones of a force component and of a stress component. With ``--levels`` the second file is of another level, whose
energies are moved by a constant for each element first, and these and the mean difference of force components are printed, too. With
``--with-gap`` only what has a gap in the first file is compared.
"""

from __future__ import annotations

import argparse

import numpy as np
from ase import Atoms
from ase.io import read
from ase.units import GPa

NO_FORCE = 1e-3  # [eV/Å]: zero by symmetry


def differences(one: Atoms, other: Atoms) -> tuple[float, float, float]:
    """Energy [meV/atom], largest force component [meV/Å] and stress component [GPa; NaN where one has no stress]."""
    if len(one) != len(other) or not np.allclose(one.positions, other.positions, atol=1e-4):
        raise SystemExit(f"{one.info['id']}: the two files have different structures of this id")
    both_stresses = "stress" in one.calc.results and "stress" in other.calc.results
    return (
        1000.0 * (other.get_potential_energy() - one.get_potential_energy()) / len(one),
        1000.0 * float(np.abs(other.get_forces() - one.get_forces()).max()),
        float(np.abs(other.get_stress() - one.get_stress()).max() / GPa) if both_stresses else np.nan,
    )


def moved_references(pairs: list[tuple[Atoms, Atoms]]) -> dict[str, float]:
    """What to add to the energy of the second of each pair for each of its elements [eV], by least squares."""
    elements = sorted({symbol for one, _ in pairs for symbol in one.symbols})
    counts = np.array([[one.symbols.count(symbol) for symbol in elements] for one, _ in pairs], float)
    apart = np.array([one.get_potential_energy() - other.get_potential_energy() for one, other in pairs])
    sizes = counts.sum(axis=1)
    return dict(zip(elements, np.linalg.lstsq(counts / sizes[:, None], apart / sizes, rcond=None)[0].tolist()))


def move(pairs: list[tuple[Atoms, Atoms]], constants: dict[str, float]) -> None:
    for _, other in pairs:
        other.calc.results["energy"] += sum(constants[symbol] for symbol in other.symbols)


def force_line(pairs: list[tuple[Atoms, Atoms]]) -> str:
    one, other = (np.concatenate([frames[k].get_forces().ravel() for frames in pairs]) for k in (0, 1))
    there = np.abs(one) > NO_FORCE
    apart, size = 1000.0 * np.abs(other - one)[there].mean(), 1000.0 * np.abs(one)[there].mean()
    return f"Force components that are not zero differ by {apart:.0f} meV/Å on average, and are {size:.0f} meV/Å."


def row(name: str, values: list[tuple]) -> str:
    energies, forces, stresses = np.array(values).T
    stress = f"{np.nanmax(stresses):.2f}" if np.isfinite(stresses).any() else ""
    return (f"| {name} | {len(values)} | {np.abs(energies).mean():.1f} | {np.abs(energies).max():.1f} "
            f"| {forces.max():.0f} | {stress} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("one")
    parser.add_argument("other")
    parser.add_argument("--levels", action="store_true", help="the files are of two levels")
    parser.add_argument("--with-gap", action="store_true", help="only what has a gap in the first file")
    arguments = parser.parse_args()
    others = {frame.info["id"]: frame for frame in read(arguments.other, ":")}
    pairs = [(frame, others[frame.info["id"]]) for frame in read(arguments.one, ":") if frame.info["id"] in others]
    if arguments.with_gap:
        pairs = [(one, other) for one, other in pairs if float(one.info.get("gap", 0.0)) > 0.0]
    if not pairs:
        parser.error("the two files have nothing in common" + (" that has a gap" if arguments.with_gap else ""))
    if arguments.levels:
        constants = moved_references(pairs)
        move(pairs, constants)
    by_formula: dict[str, list] = {}
    for one, other in pairs:
        by_formula.setdefault(one.symbols.formula.reduce()[0].format("metal"), []).append(differences(one, other))
    print("| formula | frames | mean energy, meV/atom | largest | force, meV/Å | stress, GPa |\n|---|---|---|---|---|---|")
    for name, values in sorted(by_formula.items()):
        print(row(name, values))
    print(row("all", [value for values in by_formula.values() for value in values]))
    if arguments.levels:
        print("\n" + force_line(pairs))
        print("Constants [eV]: " + ", ".join(f"{symbol} = {constant:.4f}" for symbol, constant in constants.items()))


if __name__ == "__main__":
    main()
