"""How many labels a search needs on the closed world, whose answers are all known, beside chance and the model alone.

    python -m tamiz.studies.search_strategies MODEL.safetensors --known hull.h5 --world closed.tz --starts closed.xyz \
        -o search.json --plot search.png

Every crystal of the closed world is a candidate, and a label is a relaxation with DFT and its gap; the replay oracle answers from the
ledger `--world`, failures among them. Wanted are crystals within `--window` of the hull with a gap between `--gap`. Crystals
that became the same one with DFT are found once. The model must not have seen these compositions.

random         any order
model          by the probability of being wanted, from the model relaxed with itself: E_hull and σ of its committee, gap and σ of a
               Gaussian process on the known phases
learning       the same, corrected after every batch by what the labels said: a Gaussian process on (DFT − model)/σ for E_hull, and the
               new gaps among those of the gap model
learning/cost  the same per core-second, which is guessed as the campaigns do

Every seed sees a random `--share` of the world, so that strategies without chance of their own have a spread, too. Enrichment is the share of
the wanted that were found over the share of the world that was labelled; it is given as a fraction of the most that it could be. Failed labels
count as labels.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist

import numpy as np

import tamiz
from tamiz import _tamiz
from tamiz.studies.judge_closed_world import relaxed_ends

STRATEGIES = ("random", "model", "learning", "learning/cost")
SIGMA_FLOOR = 0.01  # [eV/atom]
UNKNOWN = (0.2, 0.5)  # [eV/atom] E_hull and σ of what the model does not relax
FEWEST = 8  # labels that a correction is fitted to
SHARES = (0.1, 0.2)  # of the world, at which enrichment is given
PHI = np.vectorize(NormalDist().cdf)


@dataclass
class World:
    """One row per candidate; what is not known beforehand is in the last block."""

    names: list[str]
    formulas: list[str]
    e_hull: np.ndarray  # by the model [eV/atom]
    sigma: np.ndarray
    features: np.ndarray
    cost: np.ndarray  # guessed, in any unit
    known_features: np.ndarray  # of crystals whose gap is known from the start
    known_formulas: list[str]
    known_gaps: np.ndarray

    failed: np.ndarray
    true_e_hull: np.ndarray  # NaN where failed
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
    process = _tamiz.GaussianProcess(world.features[done], np.ones((len(done), 1)), ((world.true_e_hull - world.e_hull) / sigma)[done])
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
    return probability * (PHI((gap[1] - middle) / sigma) - PHI((gap[0] - middle) / sigma))


def scores(strategy: str, world: World, labelled: np.ndarray, window: float, gap: tuple[float, float]) -> np.ndarray:
    """What is labelled next is what scores highest."""
    known = labelled if strategy.startswith("learning") else labelled[:0]
    e_hull, sigma = corrected(world, known)
    score = PHI((window - e_hull) / sigma) * gap_probability(world, known, gap)
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
            one["labels_for_half"].append(int(np.searchsorted(run.found, run.found[-1] / 2) + 1))
    return result


def table(result: dict) -> str:
    head = " | ".join(f"enrichment at {100 * s:g} %, of the most" for s in SHARES)
    lines = [f"| strategy | {head} | labels for half of the wanted |", "|---" * (2 + len(SHARES)) + "|"]
    for strategy, one in result.items():
        values = [f"{np.nanmean(each):.2f} ± {np.nanstd(each):.2f}" for each in one["enrichment"].values()]
        lines.append(f"| {strategy} | {' | '.join(values)} | {np.mean(one['labels_for_half']):.0f} ± {np.std(one['labels_for_half']):.0f} |")
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
    """Relaxations by the replay oracle, and gaps of what they end in, by name; a relaxation that failed has no gap."""
    oracle = f"replay:{ledger}"
    relaxed = tamiz.label(starts, scratch / "relaxed.tz", oracle=oracle, task="relax", level=level)
    results = {result.id: result for result in relaxed.results}
    ends = {name: result.frame.structure for name, result in results.items() if result.frame is not None}
    gaps = tamiz.label(ends, scratch / "gaps.tz", oracle=oracle, task="gap", level=level)
    return results, {result.id: result for result in gaps.results}


def scaled(rows: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Features of mean 0 and width 1 over `by`, over the root of their number."""
    width = by.std(0)
    varies = width > 1e-8 * width.max()
    return (rows - by.mean(0))[:, varies] / (width[varies] * math.sqrt(varies.sum()))


def by_model(potential, known: dict[str, tamiz.Structure], starts: dict[str, tamiz.Structure]) -> tuple[np.ndarray, np.ndarray, list]:
    """E_hull and σ of the starts as the committee's hulls see them, and the geometries that the model relaxes them to."""
    phases = [r.structure for r in tamiz.relax(list(known.values()), potential, fmax=0.02, max_steps=1000)]
    relaxed = tamiz.relax(list(starts.values()), potential, fmax=0.02, max_steps=1000)
    structures = [r.structure if r.converged else start for r, start in zip(relaxed, starts.values())]
    energies = [potential.evaluate(all_of, forces=False, uncertainty=True).member_energies for all_of in (phases, structures)]
    sizes = [np.array([[len(s)] for s in all_of]) for all_of in (phases, structures)]
    members = []
    for of_phases, of_structures in zip((energies[0] / sizes[0]).T, (energies[1] / sizes[1]).T):
        hull = tamiz.ConvexHull({name: (s, e) for name, s, e in zip(known, phases, of_phases)})
        members.append([hull.energy_above(s, e) for s, e in zip(structures, of_structures)])
    mean, sigma = np.mean(members, 0), np.std(members, 0, ddof=1)
    lost = np.array([not r.converged for r in relaxed])
    return np.where(lost, UNKNOWN[0], mean), np.where(lost, UNKNOWN[1], sigma), structures


def crystals_of(names: list[str], ends: dict[str, tamiz.Structure]) -> np.ndarray:
    """Number of the crystal that each becomes; what failed is one of its own."""
    groups = iter(tamiz.group_duplicates([ends[name] for name in names if name in ends]))
    return np.array([next(groups) if name in ends else -1 - k for k, name in enumerate(names)])


def world_of(potential, known_data, starts: dict[str, tamiz.Structure], results: dict, gaps: dict) -> World:
    known = relaxed_ends(known_data)
    names = list(starts)
    e_hull, sigma, structures = by_model(potential, {name: frame.structure for name, frame in known.items()}, starts)
    with_gap = [frame for frame in known.values() if frame.info.get("gap_level") == "GLLB-SC"]
    raw = _tamiz.crystal_features(potential._native, structures)
    raw_known = _tamiz.crystal_features(potential._native, [f.structure for f in with_gap]) if with_gap else raw[:0]
    ends = {name: results[name].frame for name in names if results[name].frame is not None and gaps[name].frame is not None}
    energies = {name: (frame.structure, frame.energy / len(frame.structure)) for name, frame in (known | ends).items()}
    hull = tamiz.ConvexHull(energies)
    both = np.vstack([raw, raw_known])

    def truth(value):
        return np.array([value(name) if name in ends else math.nan for name in names])

    return World(
        names=names, formulas=[s.reduced_formula for s in structures], e_hull=e_hull, sigma=sigma, features=scaled(raw, both),
        cost=np.array([sum(min(12, int(z)) for z in s.numbers) ** 1.5 for s in structures]),
        known_features=scaled(raw_known, both), known_formulas=[f.structure.reduced_formula for f in with_gap],
        known_gaps=np.array([float(f.info["gap"]) for f in with_gap]),
        failed=np.array([name not in ends for name in names]),
        true_e_hull=truth(lambda name: hull.energy_above(*energies[name])),
        true_gap=truth(lambda name: json.loads(gaps[name].properties_json)["gap"]),
        true_cost=np.array([results[name].cost + (gaps[name].cost if name in gaps else 0.0) for name in names]),
        crystal=crystals_of(names, {name: frame.structure for name, frame in ends.items()}))


def main() -> None:
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--known", type=Path, required=True, help="data set of the known phases, with gaps")
    parser.add_argument("--world", type=Path, required=True, help="ledger (or a folder of them) of the closed world")
    parser.add_argument("--starts", type=Path, required=True, help="what was relaxed for the ledger")
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
    with tempfile.TemporaryDirectory() as scratch:
        results, gaps = replayed(starts, arguments.world, arguments.level, Path(scratch))
    world = world_of(tamiz.load(arguments.model), tamiz.datasets.load(arguments.known), starts, results, gaps)
    gap = tuple(arguments.gap)
    wanted = world.wanted(arguments.window, gap)
    n_wanted = len(set(world.crystal[wanted]))
    print(f"{len(world.names)} crystals, {world.failed.sum()} failed, {n_wanted} wanted")
    result = compare(world, arguments.window, gap, arguments.seeds, arguments.batch, arguments.share)
    print(table(result))
    if arguments.output:
        about = {"model": str(arguments.model), "n_crystals": len(world.names), "n_failed": int(world.failed.sum()), "n_wanted": n_wanted,
                 "window": arguments.window, "gap": list(gap), "batch": arguments.batch, "share": arguments.share}
        arguments.output.write_text(json.dumps(about | {"strategies": result}) + "\n")
    if arguments.plot:
        plot(result, arguments.plot)


if __name__ == "__main__":
    main()
