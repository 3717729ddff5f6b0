"""What labels teach a model: trained further on crystals that it has not seen, as campaigns do, and judged on others of their kind.

    python -m tamiz.studies.further_training judged.safetensors judged.h5 quick-judged.h5 --world world.h5 --config campaign.toml other.toml -o further.json

For every draw some crystals of `--world` give all geometries of their relaxations; the model is trained further on them and on the frames
that it is of, with each configuration, and judged on the ends of the other crystals and on the test frames of its own data sets. Labels are
repeated until they are `--share` of the frames. The configuration has the steps, the batch and the weights of the loss. Energies are per atom.
Results are written as they come, and go on where they were stopped.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import tamiz
from tamiz.studies.kept_results import file_hash, replace_json
from tamiz.studies.left_out_systems import known_results, without_split
from tamiz.studies.model_errors import residuals, with_labels
from tamiz.studies.relaxed import relaxed_ends


@dataclass(frozen=True)
class Task:
    """What is the same for all draws."""

    model: Path
    first: list  # frames that the model was trained on
    validation: list  # of its data sets
    test: list
    world: list  # frames of relaxations
    ends: dict[str, tamiz.Frame]
    share: float
    threads: int


def repeated(own: list, n_first: int, share: float) -> list:
    """Labels so often that they are at least `share` of all frames (`with_share` of campaigns)."""
    return own * max(1, math.ceil(share / (1.0 - share) * n_first / len(own)))


def energy_errors(potential, frames: list) -> dict:
    errors = np.array([row["energy"] for row in residuals(potential, frames)])
    return {"n": len(errors), "mae": float(np.abs(errors).mean()), "median": float(np.median(np.abs(errors))), "bias": float(errors.mean())}


def judged(potential, task: Task, drawn: set[str]) -> dict:
    others = with_labels([end for name, end in task.ends.items() if name not in drawn])
    return {"others": energy_errors(potential, others), "test": energy_errors(potential, task.test)}


def trained_further(task: Task, drawn: set[str], config: Path, seed: int):
    own = [without_split(frame) for frame in task.world if frame.info["id"] in drawn]
    with tempfile.TemporaryDirectory() as folder:
        trained = tamiz.train(task.first + repeated(own, len(task.first), task.share), Path(folder) / "model.safetensors", config=config,
                              initial=task.model, validation=task.validation, seed=seed, threads=task.threads)
        return tamiz.load(trained.path)


def draw(names: list[str], n_crystals: int, seed: int) -> list[str]:
    return sorted(np.random.default_rng(seed).choice(sorted(names), n_crystals, replace=False).tolist())


def line(config: str, seed: int, errors: dict) -> str:
    cells = [f"{1000 * errors[kind][key]:.0f}" for kind in ("others", "test") for key in ("mae", "median", "bias")]
    return f"| {config} | {seed} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path, nargs="+", help="data sets that it was trained on (.h5)")
    parser.add_argument("--world", type=Path, required=True, help="data set of relaxations that it has not seen, with every geometry")
    parser.add_argument("--config", type=Path, nargs="+", required=True, help="train.toml")
    parser.add_argument("--crystals", type=int, default=24, help="that are labelled (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the draws (default: 1 2 3)")
    parser.add_argument("--share", type=float, default=0.3, help="of the frames that are labels, at least (default: %(default)s, as in campaigns)")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, help="results as JSON")
    arguments = parser.parse_args()
    data = [frame for path in arguments.data for frame in tamiz.datasets.load(path)]
    world = list(tamiz.datasets.load(arguments.world))
    first, validation, test = ([frame for frame in data if frame.info.get("split") == split] for split in ("train", "validation", "test"))
    task = Task(arguments.model, first, validation, with_labels(test), world, relaxed_ends(world), arguments.share, arguments.threads)
    if len(task.ends) <= arguments.crystals:
        parser.error(f"{arguments.world} has {len(task.ends)} crystals: fewer than --crystals {arguments.crystals} and one to judge on")
    about = {"files": {path.name: file_hash(path) for path in [arguments.model, *arguments.data, arguments.world]}, "crystals": arguments.crystals, "share": arguments.share,
             "configs": {path.name: path.read_text() for path in arguments.config}}
    results = known_results(arguments.output, about, parser)
    print("| configuration | draw | energy of others: mean error [meV/atom] | median | bias | of the first test frames: mean | median | bias |\n" + 8 * "|---" + "|")
    model = tamiz.load(task.model)
    for seed in arguments.seeds:
        drawn = set(draw(list(task.ends), arguments.crystals, seed))
        print(line("none", seed, judged(model, task, drawn)), flush=True)
        for config in arguments.config:
            key = {"config": config.name, "seed": seed}
            found = next((one for one in results if key.items() <= one.items()), None)
            if found is None:
                found = key | {"errors": judged(trained_further(task, drawn, config, seed), task, drawn)}
                results.append(found)
                if arguments.output:
                    replace_json(arguments.output, {"about": about, "results": results})
            print(line(config.stem, seed, found["errors"]), flush=True)


if __name__ == "__main__":
    main()
