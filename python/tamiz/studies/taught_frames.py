"""Frames that the mean of several models labels, from which one model learns what all of them know.

    python -m tamiz.studies.taught_frames A.safetensors B.safetensors --frames pool.xyz --without shipped.h5 -o taught.xyz
    tamiz train shipped.h5 quick.h5 taught.xyz --config train.toml -o student.safetensors

Models of the same labels differ where these say little, and their mean errs by less than each of them (doi:10.48550/arXiv.1503.02531). Its energies, forces and
stresses cost no DFT, so that a pool may have many more compositions than labels have. Geometries on which the models differ by more than
`--max-spread`, or whose mean force is torn, teach nothing and are left out; so are compositions of the test and validation splits of `--without`.
Frames weigh `--weight` in training (``config_weight``).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import tamiz

LARGEST_FORCE = 10.0  # [eV/Å] of a component


def means(potentials: list, structures: list[tamiz.Structure]) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], np.ndarray]:
    """Energies and what they differ by (standard deviation) [eV/atom], forces [eV/Å] and stresses [eV/Å³]."""
    predictions = [potential.evaluate(structures, stress=True) for potential in potentials]
    energies = np.array([p.energies for p in predictions]) / np.array([len(structure) for structure in structures])
    forces = [np.mean([p.forces[k] for p in predictions], axis=0) for k in range(len(structures))]
    return energies.mean(0), energies.std(0, ddof=1), forces, np.mean([p.stresses for p in predictions], axis=0)


def held_back(data_sets: list[Path]) -> set[str]:
    """Compositions of their tests and validation."""
    return {frame.structure.reduced_formula for path in data_sets for frame in tamiz.datasets.load(path) if frame.info.get("split") in ("test", "validation")}


def taught_frames(potentials: list, frames: list[tamiz.Frame], without: set[str], max_spread: float, weight: float) -> list[tamiz.Frame]:
    kept = [frame for frame in frames if frame.structure.reduced_formula not in without]
    if not kept:
        return []
    taught = []
    for frame, energy, spread, forces, stress in zip(kept, *means(potentials, [frame.structure for frame in kept])):
        if spread > max_spread or np.abs(forces).max() > LARGEST_FORCE:
            continue
        info = {"id": frame.info.get("id", ""), "config_type": "taught", "config_weight": str(weight)}
        taught.append(tamiz.Frame(frame.structure, energy=float(energy) * len(frame.structure), forces=forces, stress=stress, info=info))
    return taught


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, help="two or more")
    parser.add_argument("--frames", nargs="+", type=Path, required=True, help="geometries")
    parser.add_argument("--without", nargs="*", type=Path, default=[], help="data sets whose tests and validation are left out")
    parser.add_argument("--max-spread", type=float, default=0.1, help="standard deviation of the models [eV/atom]")
    parser.add_argument("--weight", type=float, default=0.3)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    if len(arguments.models) < 2:
        parser.error("the mean of two models or more is taken")
    frames = [frame for path in arguments.frames for frame in tamiz.read(path)]
    taught = taught_frames([tamiz.load(path) for path in arguments.models], frames, held_back(arguments.without), arguments.max_spread, arguments.weight)
    if not taught:
        parser.error("no frame is left")
    tamiz.write(arguments.output, taught)
    print(f"{len(taught)} of {len(frames)} frames")


if __name__ == "__main__":
    main()
