"""What different uncertainties of one model say of its errors, on held-out frames and on frames far from the training.

    python -m tamiz.studies.uncertainty MODEL.safetensors --train TRAIN.xyz --test HELD_OUT.xyz FAR.xyz

committee     standard deviation over the read-outs of the model, per atom
gradient      mean component of its derivative by positions: it vanishes where forces do by symmetry
last layer    sqrt(f·(FᵀF + λ)⁻¹·f) of the mean descriptors f of a structure, F being those of the training
              (doi:10.1088/2632-2153/ad805f)
surroundings  the same of each atom's descriptors against those of all atoms of the training, its mean over the structure

For every file: the rank correlation (Spearman) with the error of the energy per atom and with the mean error of a force component,
and the miscalibration area after one factor that was fitted to the first file of `--test`. Below the table: in how many of the
frames all forces vanish.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

RIDGE = 1e-4  # of the mean of the diagonal
NO_FORCE = 1e-3  # [eV/Å]


@dataclass
class Judged:
    """Errors of a set of frames [eV/atom], [eV/Å], and what there is to tell them from."""

    energy_errors: np.ndarray
    force_errors: np.ndarray
    committee: np.ndarray
    gradient: np.ndarray
    without_forces: np.ndarray  # whether all components vanish
    descriptors: list[np.ndarray]


def judge(potential, frames: list) -> Judged:
    p = potential.evaluate([frame.structure for frame in frames], uncertainty_gradients=True, descriptors=True)
    sizes = np.array([len(frame.structure) for frame in frames])
    energies = np.array([frame.consistent_energy for frame in frames])
    force_errors = [np.abs(p.forces[k] - np.asarray(frame.forces)).mean() for k, frame in enumerate(frames)]
    without_forces = np.array([np.abs(np.asarray(frame.forces)).max() < NO_FORCE for frame in frames])
    gradients = np.array([np.abs(gradient).mean() for gradient in p.uncertainty_gradients])
    return Judged(np.abs(p.energies - energies) / sizes, np.array(force_errors), p.uncertainties / sizes, gradients,
                  without_forces, p.descriptors)


def with_constant(rows: np.ndarray) -> np.ndarray:
    return np.column_stack([rows, np.ones(len(rows))])


def distances(rows: np.ndarray, training: np.ndarray) -> np.ndarray:
    """sqrt(f·(FᵀF/n + λ)⁻¹·f) of every row f."""
    rows, training = with_constant(rows), with_constant(training)
    covariance = training.T @ training / len(training)
    covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return np.sqrt(np.einsum("ij,ij->i", rows, np.linalg.solve(covariance, rows.T).T))


def uncertainties(judged: Judged, training: Judged) -> dict[str, np.ndarray]:
    means, trained = (np.array([d.mean(axis=0) for d in each.descriptors]) for each in (judged, training))
    atoms = distances(np.concatenate(judged.descriptors), np.concatenate(training.descriptors))
    ends = np.cumsum([len(d) for d in judged.descriptors])[:-1]
    return {
        "committee": judged.committee,
        "last layer": distances(means, trained),
        "surroundings": np.array([part.mean() for part in np.split(atoms, ends)]),
    }


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    return float(spearmanr(a, b).statistic)


def one_sigma(errors: np.ndarray, sigma: np.ndarray) -> float:
    """The factor that puts 68.3 % of the errors below one standard deviation."""
    return float(np.quantile(errors / sigma, 0.683))


def miscalibration(errors: np.ndarray, sigma: np.ndarray) -> float:
    """Area between the expected and the observed share of errors in central intervals."""
    from math import erf, sqrt

    reached = np.sort([erf(z / sqrt(2.0)) for z in errors / sigma])
    shares = (np.arange(1000) + 0.5) / 1000
    return float(np.abs(np.searchsorted(reached, shares, side="right") / len(reached) - shares).mean())


def table(judged: dict[str, Judged], training: Judged) -> str:
    lines = ["| frames | uncertainty | with energy errors | with force errors | miscalibration area |", "|---|---|---|---|---|"]
    factors = {}
    for name, each in judged.items():
        for kind, sigma in uncertainties(each, training).items():
            factor = factors.setdefault(kind, one_sigma(each.energy_errors, sigma))
            lines.append(f"| {name} ({len(sigma)}) | {kind} | {spearman(sigma, each.energy_errors):.2f} | "
                         f"{spearman(sigma, each.force_errors):.2f} | {miscalibration(each.energy_errors, factor * sigma):.3f} |")
        lines.append(f"| {name} ({len(each.gradient)}) | gradient | | {spearman(each.gradient, each.force_errors):.2f} | |")
    still = [f"Forces vanish in {100 * each.without_forces.mean():.0f} % of {name}." for name, each in judged.items()]
    return "\n".join([*lines, "", *still]) + "\n"


def main() -> None:
    import tamiz

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, nargs="+", required=True)
    arguments = parser.parse_args()
    potential = tamiz.load(arguments.model)
    if potential.n_members < 2:
        parser.error(f"{arguments.model} has no committee")

    def judged(path: Path) -> Judged:
        frames = tamiz.read(path)
        labelled = [frame for frame in frames if frame.consistent_energy is not None and frame.forces is not None]
        if not labelled:
            parser.error(f"{path} has no frame with an energy and forces")
        return judge(potential, labelled)

    training = judged(arguments.train)
    print(table({path.stem: judged(path) for path in arguments.test}, training), end="")


if __name__ == "__main__":
    main()
