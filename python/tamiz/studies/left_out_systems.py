"""What a training says of chemical systems that it has not seen: cross-validation with whole systems left out.

    python -m tamiz.studies.left_out_systems shipped.h5 quick.h5 --config train.toml \
        --leave-out Ca-Ge-N Mg-P-Sn N-Si-Zn --leave-out Mg-N-Si Ca-Ge-P P-Sn-Zn -o left-out.json

For every `--leave-out` a model is trained on the frames that have not all elements of one of these systems, alloys neither, and judged on the
frames of these systems, each data set by itself, as they may be of different levels. Beside it stand the errors on every third of the frames that it was trained on: where they are hardly smaller, more steps or
a larger model help before more labels do. Frames of the split `test` take no part, so that nothing is chosen by them. Energies are per
atom and those that forces derive from; the bias is the model's mean error. Seeds differ by a fifth of an error and more: compare
two trainings with several of them (`--seeds`). Results are written as they come, and go on where they were stopped.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import tamiz
from tamiz.studies.kept_results import file_hash, replace_json
from tamiz.studies.model_errors import residuals, with_labels

SAMPLE = 3  # of the frames that a model was trained on, every so many are looked at


def without_tests(path: Path) -> list:
    return [frame for frame in tamiz.datasets.load(path) if frame.info.get("split") != "test"]


def without_split(frame):
    """Validation frames are drawn anew: those of the data set may be few without the left-out systems."""
    info = {key: value for key, value in frame.info.items() if key != "split"}
    return tamiz.Frame(frame.structure, energy=frame.energy, free_energy=frame.free_energy, forces=frame.forces, stress=frame.stress, info=info)


def errors_on(potential, frames: list) -> dict:
    rows = residuals(potential, frames)
    energies = np.array([row["energy"] for row in rows])
    forces, labels = (np.concatenate([row[key] for row in rows]) for key in ("forces", "labels"))
    return {"n_frames": len(frames), "energy_mae": float(np.abs(energies).mean()), "energy_bias": float(energies.mean()),
            "force_mae": float(np.abs(forces).mean()), "mean_force": float(np.abs(labels).mean())}


def has_one_of(symbols: Iterable[str], systems: Iterable[str]) -> bool:
    """Whether all elements of one of the systems, as Ca-Ge-N, are among them."""
    elements = set(symbols)
    return any(set(system.split("-")) <= elements for system in systems)


def trained_and_judged(data: dict[str, list], left_out: set[str], config: Path | None, seed: int, threads: int) -> dict[str, dict]:
    """Errors on the frames of the left-out systems and on some of the others, by the name of the data set."""
    kept = [without_split(frame) for frames in data.values() for frame in frames if not has_one_of(frame.structure.symbols, left_out)]
    with tempfile.TemporaryDirectory() as folder:
        model = tamiz.train(kept, Path(folder) / "model.safetensors", config=config, seed=seed, threads=threads)
        potential = tamiz.load(model.path)
    errors = {}
    for name, frames in data.items():
        asked = with_labels(frames)
        left = [frame for frame in asked if frame.structure.system in left_out]
        others = [frame for frame in asked if not has_one_of(frame.structure.symbols, left_out)]
        if left:
            errors[name] = {"left_out": errors_on(potential, left), "trained_on": errors_on(potential, others[::SAMPLE])}
    return errors


def line(name: str, seed, errors: dict[str, dict]) -> str:
    left, known = errors["left_out"], errors["trained_on"]
    return (f"| {name} | {seed} | {left['n_frames']} | {1000 * left['energy_mae']:.0f} | {1000 * left['energy_bias']:+.0f} | "
            f"{1000 * left['force_mae']:.0f} of {1000 * left['mean_force']:.0f} | {1000 * known['energy_mae']:.0f} | {1000 * known['force_mae']:.0f} |")


def mean_of(results: list[dict], name: str) -> dict:
    """Over the folds and seeds that have frames of a data set."""
    found = [one["errors"][name] for one in results if name in one["errors"]]
    means = {kind: {key: float(np.mean([one[kind][key] for one in found])) for key in values} for kind, values in found[0].items()}
    folds = {tuple(one["left_out"]): one["errors"][name]["left_out"]["n_frames"] for one in results if name in one["errors"]}
    means["left_out"]["n_frames"] = sum(folds.values())
    return means


def known_results(path: Path | None, about: dict, parser: argparse.ArgumentParser) -> list[dict]:
    if path is None or not path.exists():
        return []
    kept = json.loads(path.read_text())
    if kept.get("about") != about:
        parser.error(f"{path} is of other frames or another configuration: name another file")
    return kept["results"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+", help="data sets (.h5)")
    parser.add_argument("--leave-out", nargs="+", action="append", required=True, metavar="SYSTEM", help="as Ca-Ge-N; once for each fold")
    parser.add_argument("--config", type=Path, help="train.toml")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, help="results as JSON")
    arguments = parser.parse_args()
    data = {path.name: without_tests(path) for path in arguments.data}
    if len(data) < len(arguments.data):
        parser.error("two data sets have the same name")
    folds = [{"-".join(sorted(system.split("-"))) for system in fold} for fold in arguments.leave_out]
    there = {frame.structure.system for frames in data.values() for frame in frames}
    if missing := sorted(set().union(*folds) - there):
        parser.error(f"there are no frames of {', '.join(missing)}")
    for name, frames in data.items():
        if any(all(has_one_of(frame.structure.symbols, fold) for frame in frames) for fold in folds):
            parser.error(f"no frame of {name} would be left to train on")
    about = {"files": {path.name: file_hash(path) for path in arguments.data}, "config": arguments.config.read_text() if arguments.config else ""}
    results, asked = known_results(arguments.output, about, parser), []
    print("| data set, fold | seed | left out | energy [meV/atom] | bias | forces [meV/Å] | of those trained on: energy | forces |\n" + 8 * "|---" + "|")
    for seed in arguments.seeds:
        for fold in folds:
            key = {"left_out": sorted(fold), "seed": seed}
            found = next((one for one in results if key.items() <= one.items()), None)
            if found is None:
                found = key | {"errors": trained_and_judged(data, fold, arguments.config, seed, arguments.threads)}
                results.append(found)
                if arguments.output:
                    replace_json(arguments.output, {"about": about, "results": results})
            asked.append(found)
            for name, errors in found["errors"].items():
                print(line(f"{name}, {folds.index(fold) + 1}", seed, errors), flush=True)
    for name in data:
        if any(name in one["errors"] for one in asked):
            print(line(f"{name}, all", "all", mean_of(asked, name)))


if __name__ == "__main__":
    main()
