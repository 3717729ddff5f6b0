"""How well a model tells which crystals of the closed world are stable, beside DFT.

    python -m tamiz.studies.closed_world --other-shapes -o closed.xyz
    python -m tamiz.studies.judge_closed_world MODEL.safetensors --known hull.h5 --world closed.h5 --starts closed.xyz \
        -o judged.json --plot judged.png

`--known` holds the known phases relaxed with DFT, `--world` the closed world (``tamiz dataset``), `--starts` the geometries from
which the model relaxes its crystals, by the same ids: prototypes, and not what DFT was given, which knows of other answers of DFT. Where a crystal has
several (``NAME/open``), its answer is the lowest.
Known phases are relaxed from where DFT left them, and count there where the model does not converge. Both energies above the hull are of hulls of the known phases and the closed world, each of its own
energies: zero-width ones of DFT, free ones of the model, which differ by some meV/atom in metals; the error against the hull of DFT's
free energies is given beside. Crystals that failed with DFT have no truth and are counted; what the model does not relax has no answer
and counts as missed. Where DFT has labelled the known phases, as before a campaign, their energies make a hull for the model's crystals; how it does on
that one is given, too. Starts that became one crystal with DFT are one, with the model's lowest answer.

Beside the model's mean absolute error stands that of the mean of the same true values; precision and recall are those of finding
crystals within `--window` of the hull. A ground state is the lowest crystal of a composition.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import tamiz
from tamiz.studies.closed_world import crystal_of
from tamiz.studies.kept_results import replace_json
from tamiz.studies.relaxed import relaxed_ends

Energies = dict[str, tuple[tamiz.Structure, float]]  # [eV/atom], by name


def per_atom(frames: dict[str, tamiz.Frame], energy: str = "energy") -> Energies:
    return {name: (frame.structure, getattr(frame, energy) / len(frame.structure)) for name, frame in frames.items()}


def relaxed_by_model(potential, structures: dict[str, tamiz.Structure]) -> Energies:
    """Of those that converge."""
    results = tamiz.relax(list(structures.values()), potential, fmax=0.02, max_steps=1000)
    return {name: (result.structure, result.energy / len(result.structure)) for name, result in zip(structures, results) if result.converged}


def lowest_by_model(potential, starts: dict[str, tamiz.Structure]) -> Energies:
    """Of every crystal, by its name, the lowest that its starts are relaxed to."""
    lowest: Energies = {}
    for name, answer in relaxed_by_model(potential, starts).items():
        crystal = crystal_of(name)
        if crystal not in lowest or answer[1] < lowest[crystal][1]:
            lowest[crystal] = answer
    return lowest


def known_by_model(potential, ends: dict[str, tamiz.Structure]) -> tuple[Energies, list[str]]:
    """Of all known phases, so that no hull lacks one; and the names of those that are not relaxed."""
    relaxed = relaxed_by_model(potential, ends)
    lost = [name for name in ends if name not in relaxed]
    if lost:
        energies = potential.evaluate([ends[name] for name in lost], forces=False).energies
        relaxed |= {name: (ends[name], float(energy) / len(ends[name])) for name, energy in zip(lost, energies)}
    return relaxed, lost


def crystal_numbers(structures: dict[str, tamiz.Structure]) -> dict[str, int]:
    """The same number for those that are one crystal."""
    return dict(zip(structures, tamiz.group_duplicates(list(structures.values()))))


def energies_above_hull(phases: Energies, names) -> dict[str, float]:
    """Of the named phases on the hull of all [eV/atom]."""
    hull = tamiz.ConvexHull(phases)
    return {name: hull.energy_above(*phases[name]) for name in names if name in phases}


def lowest_of_each(values: dict[str, float], crystals: dict[str, int]) -> dict[int, float]:
    lowest: dict[int, float] = {}
    for name, value in values.items():
        lowest[crystals[name]] = min(value, lowest.get(crystals[name], np.inf))
    return lowest


def ground_states(truth: Energies, predicted: Energies, crystals: dict[str, int]) -> dict:
    """For every composition with several crystals, the lowest of each, and what the model's choice costs with DFT [eV/atom]."""
    compositions: dict[str, list[str]] = {}
    for name, (structure, _) in truth.items():
        compositions.setdefault(structure.reduced_formula, []).append(name)
    result = {}
    for formula, names in sorted(compositions.items()):
        answered = [name for name in names if name in predicted]
        if len({crystals[name] for name in names}) < 2 or not answered:
            continue
        true = min(names, key=lambda name: truth[name][1])
        found = min(answered, key=lambda name: predicted[name][1])
        result[formula] = {"true": true, "model": found, "right": crystals[true] == crystals[found], "lost": truth[found][1] - truth[true][1]}
    return result


def mean_of_most(errors: np.ndarray) -> float | None:
    """Without the worst twentieth, which a model may have relaxed into something else."""
    kept = np.sort(errors)[: len(errors) - len(errors) // 20]
    return float(kept.mean()) if len(kept) else None


def judged(truth: dict, predicted: dict, window: float) -> dict:
    """Errors over crystals with both values [eV/atom], precision and recall over all that have a true one."""
    both = [name for name in truth if name in predicted]
    true, ours = np.array([truth[name] for name in both]), np.array([predicted[name] for name in both])
    stable = {name for name in truth if truth[name] <= window}
    chosen = {name for name in both if predicted[name] <= window}
    hits = len(stable & chosen)
    return {"n": len(both), "n_without_answer": len(truth) - len(both), "mae": float(np.abs(ours - true).mean()) if both else None,
            "median": float(np.median(np.abs(ours - true))) if both else None, "mae_of_most": mean_of_most(np.abs(ours - true)),
            "mae_of_mean": float(np.abs(true - true.mean()).mean()) if both else None, "window": window, "n_stable": len(stable),
            "n_chosen": len(chosen), "precision": hits / len(chosen) if chosen else None, "recall": hits / len(stable) if stable else None}


def judge(potential, known_data, world_data, starts: dict[str, tamiz.Structure], window: float) -> dict:
    known, world = relaxed_ends(known_data), relaxed_ends(world_data)
    crystals = crystal_numbers({name: frame.structure for name, frame in world.items()})
    by_model, lost = known_by_model(potential, {name: frame.structure for name, frame in known.items()})
    by_model |= lowest_by_model(potential, {name: start for name, start in starts.items() if crystal_of(name) in world})
    dft = per_atom(known | world)
    truth, predicted = energies_above_hull(dft, world), energies_above_hull(by_model, world)
    free = energies_above_hull(per_atom(known | world, "consistent_energy"), world)
    answers = lowest_of_each(predicted, crystals)
    true = lowest_of_each(truth, crystals)
    result = judged(true, answers, window)
    of_world = {name: by_model[name] for name in world if name in by_model}
    with_dft = energies_above_hull(per_atom(known, "consistent_energy") | of_world, world)
    states = ground_states({name: dft[name] for name in world}, of_world, crystals)
    return result | {
        "mae_of_free_energies": judged(lowest_of_each(free, crystals), answers, window)["mae"],
        "known_with_dft": judged(true, lowest_of_each(with_dft, crystals), window),
        "known_not_relaxed": lost,
        "failed_with_dft": sorted({failure.info["id"] for failure in world_data.failures} - set(world)),
        "ground_states": {"n": len(states), "right": sum(one["right"] for one in states.values()), "by_composition": states},
        "energies_above_hull": {name: {"dft": truth[name], "model": predicted.get(name), "crystal": crystals[name]} for name in sorted(truth)}}


def by_type(result: dict) -> dict[str, float]:
    """Mean absolute errors [eV/atom] of the types, as `closed/TYPE/ELEMENTS` names them, where the model has an answer."""
    errors: dict[str, list[float]] = {}
    for name, one in result["energies_above_hull"].items():
        if one["model"] is not None:
            errors.setdefault(name.split("/")[1], []).append(abs(one["model"] - one["dft"]))
    return {kind: float(np.mean(some)) for kind, some in sorted(errors.items())}


def plot(result: dict, path: Path) -> None:
    import matplotlib.pyplot as plt

    points = {name: one for name, one in result["energies_above_hull"].items() if one["model"] is not None}
    figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
    kinds = sorted({name.split("/")[1] for name in points})
    for k, kind in enumerate(kinds):
        members = [one for name, one in points.items() if name.split("/")[1] == kind]
        axes.plot([1000 * one["dft"] for one in members], [1000 * one["model"] for one in members], "osD^v"[k % 5], color=f"C{k % 10}", markersize=3.5, label=kind)
    top = 1000 * max(max(one["dft"], one["model"]) for one in points.values())
    axes.plot([0, top], [0, top], color="black", linewidth=0.8)
    axes.set(xlabel="E above hull, DFT [meV/atom]", ylabel="E above hull, model [meV/atom]",
             title=f"mean absolute error {1000 * result['mae']:.0f} meV/atom, of the mean {1000 * result['mae_of_mean']:.0f}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=7)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def summary(result: dict) -> str:
    def share(value):
        return "none" if value is None else f"{value:.2f}"

    if result["mae"] is None:
        return f"the model relaxes none of {result['n_without_answer']} crystals"
    states, with_dft = result["ground_states"], result["known_with_dft"]
    return "\n".join([
        f"{result['n']} crystals, {result['n_without_answer']} more that the model does not relax, {len(result['failed_with_dft'])} that DFT does not",
        f"E above hull: mean absolute error {1000 * result['mae']:.0f} meV/atom, of the mean {1000 * result['mae_of_mean']:.0f}",
        f"median {1000 * result['median']:.0f}, mean without the worst twentieth {1000 * result['mae_of_most']:.0f} meV/atom",
        f"within {1000 * result['window']:.0f} meV/atom: {result['n_stable']} with DFT, {result['n_chosen']} with the model, precision "
        f"{share(result['precision'])}, recall {share(result['recall'])}",
        f"above the hull of known phases with DFT: {1000 * with_dft['mae']:.0f} meV/atom, precision {share(with_dft['precision'])}, recall {share(with_dft['recall'])}",
        f"ground states: {states['right']} of {states['n']} right",
        "by type: " + ", ".join(f"{kind} {1000 * error:.0f}" for kind, error in by_type(result).items())])


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
    starts = {frame.info["id"]: frame.structure for frame in tamiz.read(arguments.starts)}
    result = judge(tamiz.load(arguments.model), tamiz.datasets.load(arguments.known), tamiz.datasets.load(arguments.world), starts, arguments.window)
    print(summary(result))
    if arguments.output:
        replace_json(arguments.output, {"model": str(arguments.model)} | result)
    if arguments.plot and result["mae"] is not None:
        plot(result, arguments.plot)


if __name__ == "__main__":
    main()
