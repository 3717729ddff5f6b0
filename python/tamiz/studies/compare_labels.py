"""How far labels of the same structures are apart, for example from two meshes.

    python -m tamiz.studies.compare_labels ONE.xyz OTHER.xyz [--levels] [--widths 0.1 0.2]

Frames belong together by their `id`. Prints, for each formula and for all, the mean and the largest difference of energies
per atom, and the largest ones of a force component and of a stress component. With ``--levels`` the second file is of another level, whose
energies are moved by a constant for each element first; these, the mean difference of force components and the differences by chemistry and whether
there is a gap in the first file are printed, too. Energies are those at zero smearing; with ``--widths`` of the smearing [eV] in the two files they are
free energies, which forces derive from, those of the second file moved to the width of the first one, as `smearing` of a recipe does it.
"""

from __future__ import annotations

import argparse

import numpy as np
from ase import Atoms
from ase.io import read
from ase.units import GPa
from scipy.optimize import linprog

from tamiz.studies.model_errors import chemistry

NO_FORCE = 1e-3  # [eV/Å]: zero by symmetry


def differences(one: Atoms, other: Atoms) -> tuple[float, float, float]:
    """Energy [meV/atom], largest force component [meV/Å] and stress component [GPa; NaN where one has no stress]."""
    if len(one) != len(other) or not all(np.allclose(a, b, atol=1e-4) for a, b in ((one.positions, other.positions), (one.cell.array, other.cell.array))):
        raise SystemExit(f"{one.info['id']}: the two files have different structures of this id")
    both_stresses = "stress" in one.calc.results and "stress" in other.calc.results
    return (
        1000.0 * (other.get_potential_energy() - one.get_potential_energy()) / len(one),
        1000.0 * float(np.abs(other.get_forces() - one.get_forces()).max()),
        float(np.abs(other.get_stress() - one.get_stress()).max() / GPa) if both_stresses else np.nan,
    )


def moved_references(pairs: list[tuple[Atoms, Atoms]]) -> dict[str, float]:
    """What to add to the energy of the second of each pair for each of its elements [eV], by least absolute deviations: where some crystals
    are far worse sampled than others, squares would make constants of their errors."""
    elements = sorted({symbol for one, _ in pairs for symbol in one.symbols})
    counts = np.array([[one.symbols.count(symbol) for symbol in elements] for one, _ in pairs], float)
    apart = np.array([one.get_potential_energy() - other.get_potential_energy() for one, other in pairs])
    sizes = counts.sum(axis=1)
    # Σ|Xc − y| is the least Σt with −t <= Xc − y <= t.
    shares, n = counts / sizes[:, None], len(pairs)
    bounds = np.block([[shares, -np.eye(n)], [-shares, -np.eye(n)]])
    found = linprog(np.r_[np.zeros(len(elements)), np.ones(n)], bounds, np.r_[apart / sizes, -apart / sizes], bounds=(None, None))
    return dict(zip(elements, found.x[: len(elements)].tolist()))


def move(pairs: list[tuple[Atoms, Atoms]], constants: dict[str, float]) -> None:
    for _, other in pairs:
        other.calc.results["energy"] += sum(constants[symbol] for symbol in other.symbols)


def entropy_line(pairs: list[tuple[Atoms, Atoms]]) -> str:
    def below(frames):
        return 1000.0 * np.mean([(a.calc.results["energy"] - a.calc.results["free_energy"]) / len(a) for a in frames])

    return "Free energies lie {:.0f} and {:.0f} meV/atom below energies at zero smearing on average.".format(*map(below, zip(*pairs)))


def take_free_energies(pairs: list[tuple[Atoms, Atoms]], width: float, width_of_others: float) -> None:
    """In place of energies at zero smearing; those of the others fall with the square of the width."""
    for one, other in pairs:
        results, others = one.calc.results, other.calc.results
        results["energy"] = results["free_energy"]
        others["energy"] += (width / width_of_others) ** 2 * (others["free_energy"] - others["energy"])


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


def rows(names: list[str], values: list[tuple]) -> str:
    """One for each name."""
    return "\n".join(row(name, [value for other, value in zip(names, values) if other == name]) for name in sorted(set(names)))


def kind_of(atoms: Atoms) -> str:
    return chemistry(atoms.symbols) + (" with a gap" if float(atoms.info.get("gap", 0.0)) > 0.0 else " without a gap")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("one")
    parser.add_argument("other")
    parser.add_argument("--levels", action="store_true", help="the files are of two levels")
    parser.add_argument("--widths", type=float, nargs=2, metavar="EV", help="of the smearing: compare free energies at the first")
    arguments = parser.parse_args()
    others = {frame.info["id"]: frame for frame in read(arguments.other, ":")}
    pairs = [(frame, others[frame.info["id"]]) for frame in read(arguments.one, ":") if frame.info["id"] in others]
    if not pairs:
        parser.error("the two files have nothing in common")
    if arguments.widths:
        print(entropy_line(pairs))
        take_free_energies(pairs, *arguments.widths)
    if arguments.levels:
        constants = moved_references(pairs)
        move(pairs, constants)
    values = [differences(one, other) for one, other in pairs]
    print("| formula | frames | mean energy, meV/atom | largest | force, meV/Å | stress, GPa |\n|---|---|---|---|---|---|")
    print(rows([one.symbols.formula.reduce()[0].format("metal") for one, _ in pairs], values))
    print(row("all", values))
    if arguments.levels:
        print(rows([kind_of(one) for one, _ in pairs], values))
        print("\n" + force_line(pairs))
        print("Constants [eV]: " + ", ".join(f"{symbol} = {constant:.4f}" for symbol, constant in constants.items()))


if __name__ == "__main__":
    main()
