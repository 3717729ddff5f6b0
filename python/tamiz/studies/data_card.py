"""Counts of a data set, what they cost, and plots of what is in it, for its card.

    python -m tamiz.studies.data_card shipped.h5 --table --plot frames.png -o card.json

Frames are counted by their kind, which is how their name begins (``volume/Mg2Si/1.07``), by element and by chemistry, for each split. A label of
a relaxation gives several frames and costs once; core-seconds are per label. Energies are above the lowest frame of the same
composition, distances those of the closest two atoms as a share of the sum of their covalent radii.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

import tamiz
from tamiz.studies.kept_results import replace_json
from tamiz.studies.model_errors import chemistry, lowest_energies, with_labels
from tamiz.studies.solids import closest

KINDS = {
    "competing": "relaxations of known phases", "closed": "relaxations of the closed world", "zincblende": "pairs as zincblende",
    "rocksalt": "pairs as rocksalt", "half-heusler": "triples as half-Heusler", "perovskite": "triples as perovskite",
    "volume": "volumes of crystals", "pair": "pairs in boxes", "shaken": "shaken crystals", "shaken-in-symmetry": "shaken within symmetry",
    "dynamics": "snapshots of dynamics",
}
SPLITS = ("train", "validation", "test")


def kind_of(frame: tamiz.Frame) -> str:
    first = frame.info["id"].split("/", 1)[0]
    return KINDS.get(first, first)


def counts(data, groups_of) -> dict[str, dict[str, int]]:
    """Frames of every group that `groups_of` names for a frame, by split, most frames first."""
    found: dict[str, Counter] = defaultdict(Counter)
    for frame in data:
        for group in groups_of(frame):
            found[group][frame.info.get("split", "")] += 1
    return {group: dict(found[group]) for group in sorted(found, key=lambda group: -found[group].total())}


def costs(data) -> dict[str, dict[str, float]]:
    """Labels of every kind and what they cost [core-h]. Frames of a relaxation before its end say no cost: it is the end's."""
    found: dict[str, list[float]] = defaultdict(list)
    for frame in data:
        if "core_seconds" in frame.info:
            found[kind_of(frame)].append(float(frame.info["core_seconds"]))
        if "gap_core_seconds" in frame.info:
            found["gaps"].append(float(frame.info["gap_core_seconds"]))
    return {kind: {"labels": len(seconds), "core_hours": sum(seconds) / 3600} for kind, seconds in found.items()}


def heights_of(labelled) -> np.ndarray:
    """Energies above the lowest frame of the same composition [eV/atom]."""
    lowest = lowest_energies(labelled)
    return np.array([f.consistent_energy / len(f.structure) - lowest[f.structure.reduced_formula] for f in labelled])


def card(data, heights: np.ndarray, forces: np.ndarray) -> dict:
    return {
        "frames": len(data), "atoms": sum(len(frame.structure) for frame in data),
        "kinds": counts(data, lambda frame: [kind_of(frame)]), "costs": costs(data),
        "chemistries": counts(data, lambda frame: [chemistry(frame.structure.symbols)]),
        "elements": counts(data, lambda frame: sorted(set(frame.structure.symbols))),
        "energy_above_lowest": percentiles(heights), "force": percentiles(forces),
        "closest": percentiles(np.array([closest(frame.structure) for frame in data if len(frame.structure) > 1])),
        "failures": dict(Counter(frame.info.get("reason", "") for frame in data.failures)),
    }


def percentiles(values: np.ndarray) -> dict[str, float]:
    """Of those that are finite: an atom far from all others has no distance."""
    return {f"p{p}": float(np.percentile(values[np.isfinite(values)], p)) for p in (0, 5, 50, 95, 100)}


def table(numbers: dict) -> str:
    lines = ["| frames | train | validation | test | labels | core-hours |", "|---|---|---|---|---|---|"]
    for part in ("kinds", "chemistries", "elements"):
        for name, splits in numbers[part].items():
            cost = numbers["costs"].get(name) if part == "kinds" else None
            paid = f"{cost['labels']} | {cost['core_hours']:.1f}" if cost else " | "
            lines.append(f"| {name} | {' | '.join(str(splits.get(split, 0)) for split in SPLITS)} | {paid} |")
    lines += ["", "| | least | 5 % | median | 95 % | most |", "|---|---|---|---|---|---|"]
    for name, key in (("energy above the lowest of the composition [eV/atom]", "energy_above_lowest"), ("force on an atom [eV/Å]", "force"),
                      ("closest two atoms, of the sum of the radii", "closest")):
        lines.append(f"| {name} | {' | '.join(f'{value:.2f}' for value in numbers[key].values())} |")
    return "\n".join(lines)


def plot(labelled, heights: np.ndarray, forces: np.ndarray, numbers: dict, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
    for axis, part in ((axes[0, 0], "kinds"), (axes[0, 1], "elements")):
        names = list(reversed(numbers[part]))
        left = np.zeros(len(names))
        for split in SPLITS:
            width = np.array([numbers[part][name].get(split, 0) for name in names])
            axis.barh(names, width, left=left, label=split)
            left += width
        axis.set_xlabel("frames")
    axes[0, 0].legend(loc="lower right")
    by_size = defaultdict(list)
    for frame, height in zip(labelled, heights):
        by_size[min(len(set(frame.structure.symbols)), 3)].append(height)
    bins = np.geomspace(1e-4, 10.0, 41)
    axes[1, 0].hist([np.clip(by_size[n], bins[0], bins[-1]) for n in (1, 2, 3)], bins, stacked=True, label=["elements", "binaries", "ternaries"])
    axes[1, 0].set(xscale="log", xlabel="energy above the lowest frame of the composition [eV/atom], left: itself", ylabel="frames")
    axes[1, 0].legend()
    bins = np.geomspace(1e-3, 30.0, 41)
    axes[1, 1].hist(forces[forces >= bins[0]], bins)
    axes[1, 1].set(xscale="log", xlabel=f"force on an atom [eV/Å], {100 * (forces < bins[0]).mean():.0f} % are below", ylabel="atoms")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--table", action="store_true", help="print it as Markdown")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="all numbers as JSON")
    arguments = parser.parse_args()
    data = tamiz.datasets.load(arguments.data)
    labelled = with_labels(data)
    heights = heights_of(labelled)
    forces = np.concatenate([np.linalg.norm(frame.forces, axis=1) for frame in labelled])
    numbers = card(data, heights, forces)
    hours = sum(cost["core_hours"] for cost in numbers["costs"].values())
    print(f"{numbers['frames']} frames of {numbers['atoms']} atoms, {len(data.failures)} failures, {hours:.1f} core-hours of labels that succeeded")
    if arguments.table:
        print("\n" + table(numbers))
    if arguments.plot:
        plot(labelled, heights, forces, numbers, arguments.plot)
    if arguments.output:
        replace_json(arguments.output, numbers)


if __name__ == "__main__":
    main()
