"""Errors of a model on labelled frames: by number of elements, by chemistry, by element, by distance from equilibrium, of what is torn apart, and what its
uncertainty says.

    python -m tamiz.studies.model_errors MODEL.safetensors DATA.h5 --split test -o errors.json --plot errors.png

Energies are per atom and those that forces derive from (free energies, where there are any), forces by component; frames that lack either
are left out and counted. The error of forces is also given as a share of their mean |component|. Distance from
equilibrium is the energy above the lowest frame of the same composition in the whole data set [eV/atom]. The model's card
says what it was trained on; whether the split was left out then is for the caller to know.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import tamiz
from tamiz.studies.kept_results import replace_json
from tamiz.studies.relaxed import is_molecule

BATCH = 128  # frames
NO_FORCE = 1e-3  # [eV/Å] mean component below which a share of it says nothing: symmetry holds the atoms
FAR = (0.02, 0.1, 0.5)  # [eV/atom], borders of the bins of distance
TORN = 50.0  # [Å³] per atom, in no crystal
ANIONS = {"N": "nitride", "P": "phosphide"}


def chemistry(symbols: Iterable[str]) -> str:
    """element, nitride, phosphide, nitride phosphide, or intermetallic for compounds of neither."""
    elements = set(symbols)
    if len(elements) == 1:
        return "element"
    return " ".join(word for symbol, word in ANIONS.items() if symbol in elements) or "intermetallic"


def number_of_elements(symbols: Iterable[str]) -> str:
    n = len(set(symbols))
    return {1: "of one element", 2: "binary", 3: "ternary"}.get(n, f"of {n} elements")


def distance_bin(distance: float) -> str:
    for border in FAR:
        if distance < border:
            return f"below {border:g} eV/atom"
    return f"{FAR[-1]:g} eV/atom and more"


def with_labels(frames) -> list:
    return [frame for frame in frames if frame.consistent_energy is not None and frame.forces is not None]


def lowest_energies(data) -> dict[str, float]:
    """Energy of the lowest frame of each reduced composition [eV/atom]."""
    lowest: dict[str, float] = {}
    for frame in data:
        formula, energy = frame.structure.reduced_formula, frame.consistent_energy / len(frame.structure)
        lowest[formula] = min(energy, lowest.get(formula, np.inf))
    return lowest


def residuals(potential, frames) -> list[dict]:
    """Of every frame: error of the energy per atom [eV], and by atom the errors of its force components and they themselves [eV/Å]."""
    rows = []
    for first in range(0, len(frames), BATCH):
        batch = frames[first : first + BATCH]
        prediction = potential.evaluate([frame.structure for frame in batch], forces=True)
        for k, frame in enumerate(batch):
            energy = (prediction.energies[k] - frame.consistent_energy) / len(frame.structure)
            rows.append({"energy": float(energy), "forces": prediction.forces[k] - frame.forces, "labels": np.asarray(frame.forces)})
    return rows


def summary(energies, errors, labels) -> dict:
    """MAE of energies [eV/atom] and of force components [eV/Å], and that as a share of the mean |component|."""
    size, mae = float(np.abs(labels).mean()), float(np.abs(errors).mean())
    return {"n_frames": len(energies), "n_atoms": len(labels), "energy_mae": float(np.abs(energies).mean()), "force_mae": mae,
            "mean_force": size, "force_share": mae / size if size > NO_FORCE else None}


def errors_by_group(frames, rows: list[dict], lowest: dict[str, float]) -> dict[str, dict[str, dict]]:
    """Kind of group → group → :func:`summary`. Of an element they are the forces on its atoms, and energies of frames that have it."""
    groups: dict[tuple[str, str], list[tuple[float, np.ndarray, np.ndarray]]] = {}
    for frame, row in zip(frames, rows):
        symbols = np.array(frame.structure.symbols)
        everything = np.ones(len(symbols), bool)
        distance = frame.consistent_energy / len(symbols) - lowest[frame.structure.reduced_formula]
        sort = "molecule" if is_molecule(frame) else chemistry(symbols)
        members = [("all", "all", everything), ("number of elements", number_of_elements(symbols), everything), ("chemistry", sort, everything),
                   ("distance", distance_bin(distance), everything)]
        members += [("element", element, symbols == element) for element in set(symbols)]
        if frame.structure.volume > TORN * len(symbols):
            members.append(("room", f"more than {TORN:g} Å³ per atom", everything))
        for kind, name, mask in members:
            groups.setdefault((kind, name), []).append((row["energy"], row["forces"][mask], row["labels"][mask]))
    result: dict[str, dict[str, dict]] = {}
    for (kind, name), parts in sorted(groups.items()):
        energies, errors, labels = zip(*parts)
        result.setdefault(kind, {})[name] = summary(np.array(energies), np.concatenate(errors), np.concatenate(labels))
    return result


def calibration_of(potential, frames) -> dict | None:
    """What the committee's spread says of the errors of energies; None without a committee or with too few frames."""
    measured = tamiz.calibration(potential, frames) if potential.n_members > 1 else None
    if measured is None:
        return None
    return {"n_frames": measured.n_frames, "expected": list(measured.expected), "observed": list(measured.observed),
            "miscalibration_area": measured.miscalibration_area, "spearman": measured.spearman}


def table(groups: dict[str, dict[str, dict]]) -> str:
    lines = ["| frames | number | energy [meV/atom] | forces [meV/Å] | of the mean force component |", "|---|---|---|---|---|"]
    for kind in ("all", "number of elements", "chemistry", "element", "distance", "room"):
        for name, one in groups.get(kind, {}).items():
            share = "" if one["force_share"] is None else f"{100 * one['force_share']:.0f} %"
            lines.append(f"| {name} | {one['n_frames']} | {1000 * one['energy_mae']:.1f} | {1000 * one['force_mae']:.0f} | {share} |")
    return "\n".join(lines)


def plot(frames, rows: list[dict], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    labels = np.concatenate([row["labels"].ravel() for row in rows])
    left.plot(labels, labels + np.concatenate([row["forces"].ravel() for row in rows]), ".", markersize=2, alpha=0.4)
    left.plot([labels.min(), labels.max()], [labels.min(), labels.max()], color="black", linewidth=0.8)
    left.set(xlabel="force component, DFT [eV/Å]", ylabel="force component, model [eV/Å]")
    right.plot([frame.consistent_energy / len(frame.structure) for frame in frames], [1000 * row["energy"] for row in rows], ".", markersize=4, alpha=0.5)
    right.axhline(0.0, color="black", linewidth=0.8)
    right.set(xlabel="energy, DFT [eV/atom]", ylabel="error of the model [meV/atom]")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path, help="data set (.h5)")
    parser.add_argument("--split", default="test", help="train, validation, test (default) or all")
    parser.add_argument("-o", "--output", type=Path, help="results as JSON")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    potential, data = tamiz.load(arguments.model), tamiz.datasets.load(arguments.data)
    asked = list(data if arguments.split == "all" else data.split(arguments.split))
    frames = with_labels(asked)
    if not frames:
        parser.error(f"no frame of the split {arguments.split} has an energy and forces")
    rows = residuals(potential, frames)
    groups = errors_by_group(frames, rows, lowest_energies(with_labels(data)))
    print(table(groups))
    if len(frames) < len(asked):
        print(f"{len(asked) - len(frames)} frames without an energy or forces are left out")
    if arguments.output:
        result = {"model": str(arguments.model), "data": str(arguments.data), "split": arguments.split, "n_left_out": len(asked) - len(frames),
                  "errors": groups, "calibration": calibration_of(potential, frames)}
        replace_json(arguments.output, result)
    if arguments.plot:
        plot(frames, rows, arguments.plot)


if __name__ == "__main__":
    main()
