"""How well a model tells which crystals of the closed world are stable, beside DFT.

    python -m tamiz.studies.judge_closed_world MODEL.safetensors --known hull.h5 --world closed.h5 --starts closed.xyz \
        -o judged.json --plot judged.png

`--known` holds the known phases relaxed with DFT, `--world` the closed world (``tamiz dataset``), `--starts` the geometries from
which the model relaxes its crystals, by the same ids; known phases are relaxed from where DFT left them. Both energies above
the hull are of hulls of the known phases and the closed world, each of its own energies. Crystals that failed with DFT have no
truth and are counted; what the model does not relax has no answer and counts as missed.

Beside the model's mean absolute error stands that of the mean of all true values; precision and recall are those of finding
crystals within `--window` of the hull. A ground state is the lowest crystal of a composition, and right where the model has
the same one lowest, or one that became the same crystal with DFT.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import tamiz

PREFIX = "closed/"
SAME = 0.001  # [eV/atom] crystals of a composition closer than this are one, where their shapes agree


def relaxed_ends(data) -> dict[str, tamiz.Frame]:
    """The end of every relaxation by its id."""
    return {frame.info["id"]: frame for frame in data if "relax_steps" in frame.info}


def relaxed_by_model(potential, structures: dict[str, tamiz.Structure]) -> dict[str, tuple[tamiz.Structure, float]]:
    """Structure and energy per atom [eV], of those that converge."""
    results = tamiz.relax(list(structures.values()), potential, fmax=0.02, max_steps=1000)
    return {name: (result.structure, result.energy / len(result.structure))
            for name, result in zip(structures, results) if result.converged}


def energies_above_hull(phases: dict[str, tuple[tamiz.Structure, float]], names) -> dict[str, float]:
    """Of the named phases on the hull of all [eV/atom]."""
    hull = tamiz.ConvexHull(phases)
    return {name: hull.energy_above(*phases[name]) for name in names if name in phases}


def ground_states(truth: dict[str, tuple[tamiz.Structure, float]], predicted: dict[str, tuple[tamiz.Structure, float]]) -> dict:
    """For every composition with several crystals, the lowest of each; those that are the same crystal with DFT count alike."""
    compositions: dict[str, list[str]] = {}
    for name, (structure, _) in truth.items():
        compositions.setdefault(structure.reduced_formula, []).append(name)
    result = {}
    for formula, names in sorted(compositions.items()):
        answered = [name for name in names if name in predicted]
        if len(names) < 2 or not answered:
            continue
        true = min(names, key=lambda name: truth[name][1])
        found = min(answered, key=lambda name: predicted[name][1])
        groups = tamiz.group_duplicates([truth[true][0], truth[found][0]])
        same = true == found or (groups[0] == groups[1] and truth[found][1] - truth[true][1] < SAME)
        result[formula] = {"true": true, "model": found, "right": bool(same), "lost": truth[found][1] - truth[true][1]}
    return result


def judged(truth: dict[str, float], predicted: dict[str, float], window: float) -> dict:
    """Errors over crystals with both values, precision and recall over all that have a true one."""
    both = [name for name in truth if name in predicted]
    true, ours = np.array([truth[name] for name in both]), np.array([predicted[name] for name in both])
    stable = {name for name in truth if truth[name] <= window}
    chosen = {name for name in both if predicted[name] <= window}
    hits = len(stable & chosen)
    return {"n": len(both), "n_without_answer": len(truth) - len(both), "mae": float(np.abs(ours - true).mean()),
            "mae_of_mean": float(np.abs(true - true.mean()).mean()), "window": window, "n_stable": len(stable), "n_chosen": len(chosen),
            "precision": hits / len(chosen) if chosen else None, "recall": hits / len(stable) if stable else None}


def plot(truth: dict[str, float], predicted: dict[str, float], result: dict, path: Path) -> None:
    import matplotlib.pyplot as plt

    both = [name for name in truth if name in predicted]
    figure, axes = plt.subplots(figsize=(5, 4.5), layout="constrained")
    for kind in sorted({name.split("/")[1] for name in both}):
        members = [name for name in both if name.split("/")[1] == kind]
        axes.plot([1000 * truth[name] for name in members], [1000 * predicted[name] for name in members], "o", markersize=3.5, label=kind)
    top = 1000 * max(max(truth[name], predicted[name]) for name in both)
    axes.plot([0, top], [0, top], color="black", linewidth=0.8)
    axes.set(xlabel="E above hull, DFT [meV/atom]", ylabel="E above hull, model [meV/atom]",
             title=f"mean absolute error {1000 * result['mae']:.0f} meV/atom, of the mean {1000 * result['mae_of_mean']:.0f}")
    axes.legend(frameon=False, fontsize=7)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--known", type=Path, required=True)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--starts", type=Path, required=True)
    parser.add_argument("--window", type=float, default=0.05, help="[eV/atom]")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    potential = tamiz.load(arguments.model)
    world = tamiz.datasets.load(arguments.world)
    known_ends, world_ends = relaxed_ends(tamiz.datasets.load(arguments.known)), relaxed_ends(world)
    ends = {name: (frame.structure, frame.energy / len(frame.structure)) for name, frame in (known_ends | world_ends).items()}
    starts = {frame.info["id"]: frame.structure for frame in tamiz.read(arguments.starts) if frame.info["id"] in world_ends}
    by_model = relaxed_by_model(potential, {name: frame.structure for name, frame in known_ends.items()} | starts)
    truth = energies_above_hull(ends, world_ends)
    predicted = energies_above_hull(by_model, world_ends)
    states = ground_states({n: ends[n] for n in world_ends}, {n: by_model[n] for n in world_ends if n in by_model})
    result = judged(truth, predicted, arguments.window) | {
        "model": str(arguments.model), "n_failed_with_dft": len(world.failures),
        "ground_states": {"n": len(states), "right": sum(one["right"] for one in states.values()), "by_composition": states},
        "energies_above_hull": {name: {"dft": truth[name], "model": predicted.get(name)} for name in sorted(truth)}}
    print(f"{result['n']} crystals: mean absolute error {1000 * result['mae']:.0f} meV/atom, of the mean {1000 * result['mae_of_mean']:.0f}")
    print(f"within {1000 * arguments.window:.0f} meV/atom: {result['n_stable']} with DFT, {result['n_chosen']} with the model, "
          f"precision {result['precision']}, recall {result['recall']}")
    print(f"ground states: {result['ground_states']['right']} of {len(states)} right")
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    if arguments.plot:
        plot(truth, predicted, result, arguments.plot)


if __name__ == "__main__":
    main()
