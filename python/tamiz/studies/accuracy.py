"""Errors of models that were trained for a fixed time with the default settings on public data sets.

    python -m tamiz.studies.accuracy --data DATA --minutes 30 --seeds 1 2 3 -o accuracy

`DATA` is a folder with the files below, in extended XYZ with REF_energy [eV] and REF_forces [eV/Å]. Every model, its
predictions and the errors are kept in the output folder as they are made, so that a study that was stopped goes on.
Writes accuracy.json, accuracy.md and a plot of predicted against reference values.

mlearn   crystalline silicon, mlearn_Si_train.xyz, judged on mlearn_Si_test.xyz (doi:10.1021/acs.jpca.9b08723)
acac     acetylacetone at 300 K, acac_train_300K.xyz, judged on acac_test_MD_300K.xyz (doi:10.1038/s42256-024-00956-x)
aln      wurtzite AlN, ph_AlN_wz_PBEsol_first180.xyz: every sixth frame is left out and judged on
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from tamiz.studies.kept_results import replace_json

SETS = {
    "mlearn": ("mlearn_Si_train.xyz", "mlearn_Si_test.xyz"),
    "acac": ("acac_train_300K.xyz", "acac_test_MD_300K.xyz"),
    "aln": ("ph_AlN_wz_PBEsol_first180.xyz", None),
}


def frames_of(name: str, data: Path) -> tuple[list, list]:
    """Training and test frames of a set."""
    import tamiz

    train, test = SETS[name]
    frames = tamiz.read(data / train)
    if test is not None:
        return frames, tamiz.read(data / test)
    return [f for k, f in enumerate(frames) if k % 6], frames[::6]


def predict(model: Path, frames: list) -> list[dict]:
    """Reference and predicted energy per atom [eV] and forces [eV/Å] of every frame."""
    import tamiz

    potential = tamiz.load(model)
    prediction = potential.evaluate([f.structure for f in frames], forces=True)
    rows = []
    for k, frame in enumerate(frames):
        n = len(frame.structure)
        rows.append({
            "config_type": str(frame.info.get("config_type", "all")),
            "energy": [frame.consistent_energy / n, float(prediction.energies[k]) / n],
            "forces": [np.asarray(frame.forces).ravel().tolist(), np.asarray(prediction.forces[k]).ravel().tolist()],
        })
    return rows


def errors(rows: list[dict]) -> dict:
    """MAE of energy per atom [meV/atom] and of force components [meV/Å], and that as a share of the mean |component|."""
    energies = np.array([row["energy"] for row in rows])
    reference = np.concatenate([row["forces"][0] for row in rows])
    predicted = np.concatenate([row["forces"][1] for row in rows])
    force_mae = float(np.abs(predicted - reference).mean())
    return {
        "n_frames": len(rows),
        "energy_mae": 1000.0 * float(np.abs(energies[:, 1] - energies[:, 0]).mean()),
        "force_mae": 1000.0 * force_mae,
        "force_share": force_mae / float(np.abs(reference).mean()),
    }


def errors_by_type(rows: list[dict]) -> dict[str, dict]:
    types = sorted({row["config_type"] for row in rows})
    groups = {"all": rows}
    if "Elastic" in types:  # three of these test frames are mirror images of training frames
        groups["without Elastic"] = [row for row in rows if row["config_type"] != "Elastic"]
    if len(types) > 1:
        groups |= {kind: [row for row in rows if row["config_type"] == kind] for kind in types}
    return {label: errors(group) for label, group in groups.items()}


def run(name: str, seed: int, arguments: argparse.Namespace) -> list[dict]:
    """Predictions of the model of one set and seed, which is trained where it is not there yet."""
    import tamiz

    train, test = frames_of(name, arguments.data)
    model = arguments.output / f"{name}-{seed}.safetensors"
    if not model.exists():
        print(f"{name}, seed {seed}: training for {arguments.minutes:g} minutes", flush=True)
        checkpoint = model.with_name(model.name + ".checkpoint")
        begun = time.perf_counter()
        trained = tamiz.train(train, model, config=arguments.config, minutes=arguments.minutes, seed=seed,
                              threads=arguments.threads, resume=checkpoint.exists(), progress=say_each_minute(begun),
                              card={"training_set": SETS[name][0], "name": f"{name}-{seed}"})
        print(f"{name}, seed {seed}: {trained.steps} steps in {(time.perf_counter() - begun) / 60.0:.1f} minutes", flush=True)
    return predict(model, test)


def say_each_minute(begun: float):
    """A callback for the progress of a training."""
    last = begun

    def say(step: int, total: int, loss: float) -> None:
        nonlocal last
        if time.perf_counter() - last >= 60.0:
            last = time.perf_counter()
            print(f"  {(last - begun) / 60.0:.0f} min: step {step} of {total}, loss {loss:.3g}", flush=True)

    return say


def mean_over_seeds(per_seed: list[dict[str, dict]]) -> dict[str, dict]:
    return {
        label: {key: float(np.mean([one[label][key] for one in per_seed])) for key in per_seed[0][label]}
        for label in per_seed[0]
    }


def table(results: dict) -> str:
    lines = ["| set | test frames | energy, meV/atom | forces, meV/Å | share of the mean force |", "|---|---|---|---|---|"]
    for name, result in results["sets"].items():
        for label, value in result["mean"].items():
            lines.append(f"| {name} | {label} ({value['n_frames']:.0f}) | {value['energy_mae']:.2f} | {value['force_mae']:.0f} | "
                         f"{100 * value['force_share']:.1f} % |")
    return "\n".join(lines) + "\n"


def plot(rows_of: dict[str, list[dict]], path: Path) -> None:
    """Predicted against reference values of the first seed, a row of two panels per set."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(rows_of), 2, figsize=(9, 4.2 * len(rows_of)), squeeze=False)
    for (name, rows), (left, right) in zip(rows_of.items(), axes):
        energies = np.array([row["energy"] for row in rows])
        forces = np.array([np.concatenate([row["forces"][k] for row in rows]) for k in (0, 1)])
        for axis, (x, y), unit in ((left, energies.T, "energy (eV/atom)"), (right, forces, "force component (eV/Å)")):
            ends = [min(x.min(), y.min()), max(x.max(), y.max())]
            axis.plot(ends, ends, color="0.7", zorder=0)
            axis.plot(x, y, ".", markersize=3)
            axis.set(xlabel=f"reference {unit}", ylabel=f"predicted {unit}", title=name)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--config", type=Path, help="train.toml; otherwise the default settings")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    missing = [file for name in arguments.sets for file in SETS[name] if file and not (arguments.data / file).exists()]
    if missing:
        parser.error(f"{arguments.data} has no {', '.join(missing)}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    how = {"minutes": arguments.minutes, "config": arguments.config.read_text() if arguments.config else ""}
    known = arguments.output / "accuracy.json"
    if known.exists() and how != {key: json.loads(known.read_text()).get(key) for key in how}:
        parser.error(f"{arguments.output} holds models of other minutes or another configuration: name another folder")
    results = how | {"seeds": arguments.seeds, "sets": {}}
    if not known.exists():
        replace_json(known, results)
    rows_of = {}
    for name in arguments.sets:
        per_seed = []
        for seed in arguments.seeds:
            rows = run(name, seed, arguments)
            rows_of.setdefault(name, rows)
            per_seed.append(errors_by_type(rows))
            results["sets"][name] = {"seeds": per_seed, "mean": mean_over_seeds(per_seed)}
            replace_json(arguments.output / "accuracy.json", results)
    (arguments.output / "accuracy.md").write_text(table(results))
    plot(rows_of, arguments.output / "accuracy.png")
    print(table(results), end="")


if __name__ == "__main__":
    main()
