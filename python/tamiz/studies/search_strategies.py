"""How many labels a search needs on the closed world, whose answers are all known, beside chance and the model alone.

    python -m tamiz.studies.closed_world --other-shapes -o closed.xyz
    python -m tamiz.studies.search_strategies MODEL.safetensors --known hull.h5 --world closed.tz --starts closed.xyz \
        -o search.json --plot search.png

Every crystal of the closed world is a candidate, and a label is a relaxation with DFT and its gap; the replay oracle answers from the
ledger `--world` by ids, failures among them; candidates that it has no answer for are left out and counted. The model relaxes them from
`--starts`: prototypes, and not what DFT was given, which knows of other answers; of several starts of a crystal (``NAME/open``) the lowest is the answer. Wanted are crystals within
`--window` of the hull of the known phases and the whole world, with a gap between `--gap`. Crystals that became the same one
with DFT are found once. The model must not have seen these compositions; known phases of them are part of the true hull, and
no strategy knows of them.

random         any order
model          by the probability of being wanted, from the model relaxed with itself: E_hull and σ of its committee, gap and σ of a
               Gaussian process on the known phases
learning       the same, corrected after every batch by what the labels said: a Gaussian process on (DFT − model)/σ for E_hull, and the
               new gaps among those of the gap model
learning/cost  the same per cost, which is guessed from electrons and symmetry as campaigns do

Every seed sees a random `--share` of the world, so that strategies without chance of their own have a spread, too. Enrichment is the share of
the wanted that were found over the share of the world that was labelled; it is given as a fraction of the most that it could be. Failed labels
count as labels.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist

import numpy as np

import tamiz
from tamiz import _tamiz
from tamiz.studies.closed_world import crystal_of
from tamiz.studies.judge_closed_world import crystal_numbers, known_by_model, lowest_by_model, per_atom
from tamiz.studies.kept_results import replace_json
from tamiz.studies.relaxed import relaxed_ends

STRATEGIES = ("random", "model", "learning", "learning/cost")
SIGMA_FLOOR = 0.005  # [eV/atom], as `probability_below` has it
UNKNOWN = (0.2, 0.5)  # [eV/atom] E_hull and σ of what the model does not relax
NO_ANSWER = "not in the replay set"
FEWEST = 8  # labels that a correction is fitted to
SHARES = (0.1, 0.2)  # of the world, at which enrichment is given
PHI = np.vectorize(NormalDist().cdf)


@dataclass
class World:
    """One row per candidate; what is not known beforehand is in the last block."""

    names: list[str]
    formulas: list[str]
    e_hull: np.ndarray  # by the model, on the hull of the known phases [eV/atom]
    sigma: np.ndarray
    features: np.ndarray
    cost: np.ndarray  # guessed, in any unit
    known_features: np.ndarray  # of crystals whose gap is known from the start
    known_formulas: list[str]
    known_gaps: np.ndarray

    failed: np.ndarray
    true_e_hull: np.ndarray  # on the hull of everything [eV/atom]; NaN where failed
    true_e_known: np.ndarray  # on the hull of the known phases
    true_gap: np.ndarray
    true_cost: np.ndarray  # [core-seconds]
    crystal: np.ndarray  # number of the crystal that it becomes

    def wanted(self, window: float, gap: tuple[float, float]) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return ~self.failed & (self.true_e_hull <= window) & (self.true_gap >= gap[0]) & (self.true_gap <= gap[1])


@dataclass
class Run:
    """What one strategy found with one seed, label by label."""

    found: list[int] = field(default_factory=list)  # wanted crystals so far
    core_seconds: list[float] = field(default_factory=list)


def corrected(world: World, labelled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E_hull and its σ [eV/atom] when the labelled ones are known."""
    sigma = np.maximum(world.sigma, SIGMA_FLOOR)
    done = labelled[~world.failed[labelled]]
    if len(done) < FEWEST:
        return world.e_hull, sigma
    # Errors in units of what the committee expects: where it is unsure, a correction is large.
    process = _tamiz.GaussianProcess(world.features[done], np.ones((len(done), 1)), ((world.true_e_known - world.e_hull) / sigma)[done])
    mean, variance = process.predict(world.features, np.ones((len(sigma), 1)))
    return world.e_hull + mean * sigma, np.sqrt(variance) * sigma


def gap_probability(world: World, labelled: np.ndarray, gap: tuple[float, float]) -> np.ndarray:
    """That the gap is in the window; 1 where there are too few gaps to tell."""
    done = labelled[~world.failed[labelled]]
    features = np.vstack([world.known_features, world.features[done]])
    gaps = np.concatenate([world.known_gaps, world.true_gap[done]])
    if len(gaps) < FEWEST or (gaps > 0).sum() < 4:
        return np.ones(len(world.names))
    formulas = world.known_formulas + [world.formulas[k] for k in done]
    model = _tamiz.GapModel(features, formulas, gaps.tolist(), [None] * len(gaps), "", "")
    probability, middle, sigma = model.predict(world.features, [None] * len(world.names)).T
    metal = (1.0 - probability) * (gap[0] <= 0.0)
    return metal + probability * (PHI((gap[1] - middle) / sigma) - PHI((gap[0] - middle) / sigma))


def scores(strategy: str, world: World, labelled: np.ndarray, window: float, gap: tuple[float, float]) -> np.ndarray:
    """What is labelled next is what scores highest."""
    known = labelled if strategy.startswith("learning") else labelled[:0]
    e_hull, sigma = corrected(world, known)
    score = _tamiz.probability_below(window, e_hull, sigma) * gap_probability(world, known, gap)
    return score / world.cost if strategy == "learning/cost" else score


def search(strategy: str, world: World, members: np.ndarray, window: float, gap: tuple[float, float], batch: int, random) -> Run:
    """Labels all `members`, batch by batch."""
    wanted, run, found = world.wanted(window, gap), Run(), set()
    left, labelled, spent = members.copy(), np.array([], int), 0.0
    score = random.permutation(len(world.names)).astype(float)
    while len(left):
        if strategy.startswith("learning") or strategy == "model" and not len(labelled):
            score = scores(strategy, world, labelled, window, gap)
        chosen = left[np.argsort(-score[left], kind="stable")][:batch]
        for k in chosen:
            spent += world.true_cost[k]
            if wanted[k]:
                found.add(int(world.crystal[k]))
            run.found.append(len(found))
            run.core_seconds.append(spent)
        labelled = np.concatenate([labelled, chosen])
        left = left[~np.isin(left, chosen)]
    return run


def enrichment(run: Run, share: float) -> float:
    """Found share of the wanted over the labelled share, as a fraction of the most that it could be; NaN without wanted ones."""
    n, total = len(run.found), run.found[-1]
    labels = max(1, round(share * n))
    if total == 0:
        return math.nan
    return run.found[labels - 1] / min(total, labels)


def compare(world: World, window: float, gap: tuple[float, float], seeds: int, batch: int, share: float, strategies=STRATEGIES) -> dict:
    """Curves and enrichments of strategies; every seed shows the same part of the world to all."""
    result: dict = {}
    for seed in range(seeds):
        members = np.sort(np.random.default_rng(seed).choice(len(world.names), round(share * len(world.names)), replace=False))
        for strategy in strategies:
            run = search(strategy, world, members, window, gap, batch, np.random.default_rng(1000 + seed))
            one = result.setdefault(strategy, {"found": [], "core_seconds": [], "enrichment": {f"{s:g}": [] for s in SHARES}, "labels_for_half": []})
            one["found"].append(run.found)
            one["core_seconds"].append([round(t, 1) for t in run.core_seconds])
            for s in SHARES:
                one["enrichment"][f"{s:g}"].append(enrichment(run, s))
            one["labels_for_half"].append(int(np.searchsorted(run.found, run.found[-1] / 2) + 1) if run.found[-1] else math.nan)
    return result


def table(result: dict) -> str:
    head = " | ".join(f"enrichment at {100 * s:g} %, of the most" for s in SHARES)
    lines = [f"| strategy | {head} | labels for half of the wanted |", "|---" * (2 + len(SHARES)) + "|"]
    for strategy, one in result.items():
        values = [f"{np.nanmean(each):.2f} ± {np.nanstd(each):.2f}" for each in one["enrichment"].values()]
        lines.append(f"| {strategy} | {' | '.join(values)} | {np.nanmean(one['labels_for_half']):.0f} ± {np.nanstd(one['labels_for_half']):.0f} |")
    return "\n".join(lines)


def plot(result: dict, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
    for strategy, one in result.items():
        curves = np.array([np.array(found) / max(1, found[-1]) for found in one["found"]])
        labels = np.arange(1, curves.shape[1] + 1)
        axes.plot(labels, curves.mean(0), label=strategy)
        axes.fill_between(labels, *np.quantile(curves, [0.1, 0.9], axis=0), alpha=0.15)
    axes.set(xlabel="labels", ylabel="share of the wanted that was found", ylim=(0, 1.02))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def replayed(starts: dict[str, tamiz.Structure], ledger: Path, level: str, scratch: Path) -> tuple[dict, dict]:
    """Relaxations by the replay oracle, and gaps of what they end in, by name, as far as there are answers."""
    oracle = f"replay-names:{ledger}"
    crystals = {name: start for name, start in starts.items() if crystal_of(name) == name}
    relaxed = tamiz.label(crystals, scratch / "relaxed.tz", oracle=oracle, task="relax", level=level)
    results = {result.id: result for result in relaxed.results if result.reason != NO_ANSWER}
    ends = {name: result.frame.structure for name, result in results.items() if result.frame is not None}
    gaps = tamiz.label(ends, scratch / "gaps.tz", oracle=oracle, task="gap", level=level) if ends else None
    answered = {result.id: result for result in gaps.results if result.reason != NO_ANSWER} if gaps else {}
    return results, answered


def by_model(potential, known: dict[str, tamiz.Structure], starts: dict[str, tamiz.Structure]) -> tuple[np.ndarray, np.ndarray, list]:
    """E_hull and σ of the crystals of the starts as the committee's hulls see them, and the geometries that the model relaxes them to."""
    phases = {name: structure for name, (structure, _) in known_by_model(potential, known)[0].items()}
    relaxed = lowest_by_model(potential, starts)
    names = [name for name in starts if crystal_of(name) == name]
    structures = {name: relaxed[name][0] if name in relaxed else starts[name] for name in names}

    def members(of: dict[str, tamiz.Structure]) -> np.ndarray:
        energies = potential.evaluate(list(of.values()), forces=False, uncertainty=True).member_energies
        return energies.T / np.array([len(structure) for structure in of.values()])

    distances = []
    for of_phases, of_starts in zip(members(phases), members(structures)):
        hull = tamiz.ConvexHull({name: (structure, energy) for (name, structure), energy in zip(phases.items(), of_phases)})
        distances.append([hull.energy_above(structure, energy) for structure, energy in zip(structures.values(), of_starts)])
    lost = np.array([name not in relaxed for name in names])
    return (np.where(lost, UNKNOWN[0], np.mean(distances, 0)), np.where(lost, UNKNOWN[1], np.std(distances, 0, ddof=1)),
            list(structures.values()))


def world_of(potential, known_data, starts: dict[str, tamiz.Structure], results: dict, gaps: dict) -> World:
    """Of the starts that have an answer, a gap of what they end in among it; whatever was relaxed stands on the hull."""
    relaxed = {name: result.frame for name, result in results.items() if result.frame is not None}
    answered = {name for name in results if name in gaps or name not in relaxed}
    starts = {name: start for name, start in starts.items() if crystal_of(name) in answered}
    names = [name for name in starts if crystal_of(name) == name]
    formulas = [starts[name].reduced_formula for name in names]
    known = relaxed_ends(known_data)
    elsewhere = {name: frame for name, frame in known.items() if frame.structure.reduced_formula not in formulas}
    e_hull, sigma, structures = by_model(potential, {name: frame.structure for name, frame in elsewhere.items()}, starts)
    with_gap = [frame for frame in elsewhere.values() if frame.info.get("gap_level") == "GLLB-SC"]
    features = _tamiz.crystal_features(potential._native, structures + [frame.structure for frame in with_gap])
    features = _tamiz.scaled_features(features, features)
    ends = {name: relaxed[name] for name in names if name in gaps and gaps[name].frame is not None}
    hull, known_hull = tamiz.ConvexHull(per_atom(known | relaxed)), tamiz.ConvexHull(per_atom(elsewhere))
    crystals = crystal_numbers({name: frame.structure for name, frame in ends.items()})

    def truth(value) -> np.ndarray:
        return np.array([value(name, ends[name]) if name in ends else math.nan for name in names])

    return World(
        names=names, formulas=formulas, e_hull=e_hull, sigma=sigma, features=features[: len(names)],
        cost=np.array([_tamiz.relative_cost(structure, structure.space_group().number) for structure in structures]),
        known_features=features[len(names) :], known_formulas=[frame.structure.reduced_formula for frame in with_gap],
        known_gaps=np.array([float(frame.info["gap"]) for frame in with_gap]),
        failed=np.array([name not in ends for name in names], bool),
        true_e_hull=truth(lambda _, end: hull.energy_above(end.structure, end.energy / len(end.structure))),
        true_e_known=truth(lambda _, end: known_hull.energy_above(end.structure, end.energy / len(end.structure))),
        true_gap=truth(lambda name, _: json.loads(gaps[name].properties_json)["gap"]),
        true_cost=np.array([core_seconds(results[name]) + (gaps[name].cost if name in gaps else 0.0) for name in names]),
        crystal=np.array([crystals.get(name, -1) for name in names]))


def core_seconds(result) -> float:
    """Of a label, with the attempts that it went on from."""
    return result.cost + json.loads(result.properties_json).get("cost_before", 0.0)


def without_nan(value):
    """For JSON, which has none."""
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--known", type=Path, required=True, help="data set of the known phases, with gaps")
    parser.add_argument("--world", type=Path, required=True, help="ledger (or a folder of them) of the closed world")
    parser.add_argument("--starts", type=Path, required=True, help="what the model relaxes, by the ids of the ledger; second starts have /open behind them")
    parser.add_argument("--level", default="pbe-600g")
    parser.add_argument("--window", type=float, default=0.05, help="[eV/atom]")
    parser.add_argument("--gap", type=float, nargs=2, default=(0.5, 2.5), help="[eV]")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--share", type=float, default=0.8)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    starts = {frame.info["id"]: frame.structure for frame in tamiz.read(arguments.starts)}
    tamiz.set_log_level("error")  # what the ledger lacks is counted below
    with tempfile.TemporaryDirectory() as scratch:
        results, gaps = replayed(starts, arguments.world, arguments.level, Path(scratch))
    if not gaps:
        parser.error(f"{arguments.world} has no label of {arguments.starts} with its gap at {arguments.level}")
    world = world_of(tamiz.load(arguments.model), tamiz.datasets.load(arguments.known), starts, results, gaps)
    gap = tuple(arguments.gap)
    wanted = world.wanted(arguments.window, gap)
    n_wanted = len(set(world.crystal[wanted]))
    n_missing = len({crystal_of(name) for name in starts}) - len(world.names)
    print(f"{len(world.names)} crystals, {world.failed.sum()} failed, {n_wanted} wanted; {n_missing} more have no answer and are left out")
    result = compare(world, arguments.window, gap, arguments.seeds, arguments.batch, arguments.share)
    print(table(result))
    if arguments.output:
        about = {"model": str(arguments.model), "n_without_answer": n_missing, "n_crystals": len(world.names), "n_failed": int(world.failed.sum()), "n_wanted": n_wanted,
                 "window": arguments.window, "gap": list(gap), "batch": arguments.batch, "share": arguments.share}
        replace_json(arguments.output, without_nan(about | {"strategies": result}))
    if arguments.plot:
        plot(result, arguments.plot)


if __name__ == "__main__":
    main()
