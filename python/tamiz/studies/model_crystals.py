"""Lattice constants and bulk moduli of known crystals, by a model and with DFT.

    python -m tamiz.studies.model_crystals MODEL.safetensors --relaxed hull.h5 --volumes edges.h5 -o crystals.json

`--relaxed` holds the crystals relaxed with DFT (``tamiz dataset``); the model relaxes them from there. Bulk moduli come from the
equation of Birch and Murnaghan through the frames ``volume/NAME/FACTOR`` of `--volumes` (``edge_frames``) between 0.87 and
1.15 of the volume, in which shape and fractional coordinates are those of the relaxed crystal: free energies of both at the same
geometries, all on one class of mesh, so that neither moduli need relaxations. What is left out is listed with its reason. With
`--phonons`, the lowest frequencies by the model of the crystals that stay what they are: those that exist have no imaginary ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from ase.units import GPa

import tamiz
from tamiz.studies.equations_of_state import fit
from tamiz.studies.kept_results import replace_json
from tamiz.studies.measured import lattice
from tamiz.studies.relaxed import relaxed_ends

RANGE = (0.87, 1.15)  # of the volume, in which the fit is one
FEWEST = 5  # volumes
TOLERANCE = 0.05  # [Å] of symmetry


def lattice_errors(potential, crystals: dict[str, tamiz.Structure]) -> dict[str, dict]:
    """Lattice constants [Å] and volume per atom [Å³] of both, or why they are no pair."""
    relaxed = tamiz.relax(list(crystals.values()), potential, fmax=0.005, smax=0.0003, max_steps=1000)
    rows = {}
    for (name, dft), result in zip(crystals.items(), relaxed):
        if not result.converged:
            rows[name] = {"failure": result.reason}
            continue
        groups = tamiz.group_duplicates([dft, result.structure])
        rows[name] = {"volume": [dft.volume / len(dft), result.structure.volume / len(dft)]}
        if groups[0] != groups[1]:
            rows[name]["failure"] = "becomes another crystal"
        elif dft.space_group(TOLERANCE).number != result.structure.space_group(TOLERANCE).number:
            rows[name]["failure"] = "has another symmetry, so that its axes are others"
        else:
            rows[name]["lattice"] = [lattice(dft).tolist(), lattice(result.structure).tolist()]
    return rows


def volume_curves(data) -> dict[str, list]:
    """Frames of each crystal at volumes within the range of the fit."""
    curves: dict[str, list] = {}
    for frame in data:
        kind, _, rest = frame.info["id"].partition("/")
        name, _, factor = rest.rpartition("/")
        if kind == "volume" and RANGE[0] <= float(factor) <= RANGE[1]:
            curves.setdefault(name, []).append(frame)
    return curves


def bulk_moduli(potential, curves: dict[str, list]) -> dict[str, dict]:
    """Volume per atom [Å³] and bulk modulus [GPa] of both."""
    rows = {}
    for name, frames in curves.items():
        if len(frames) < FEWEST or len({frame.info.get("mesh_used") for frame in frames}) > 1:
            rows[name] = {"failure": f"{len(frames)} volumes, of {FEWEST}" if len(frames) < FEWEST else "volumes on several meshes"}
            continue
        sizes = np.array([len(frame.structure) for frame in frames])
        volumes = np.array([frame.structure.volume for frame in frames]) / sizes
        dft = np.array([frame.consistent_energy for frame in frames]) / sizes
        model = potential.evaluate([frame.structure for frame in frames], forces=False).energies / sizes
        try:
            fits = [fit(volumes, energies) for energies in (dft, model)]
        except ValueError as error:
            rows[name] = {"failure": str(error)}
            continue
        rows[name] = {"volume": [f[0] for f in fits], "bulk_modulus": [f[1] / GPa for f in fits]}
    return rows


def lowest_phonons(potential, crystals: dict[str, tamiz.Structure]) -> dict[str, dict]:
    """Lowest frequency [THz], negative where it is imaginary, and its wave vector."""
    rows = {}
    for name, crystal in crystals.items():
        found = tamiz.phonons(crystal, potential)
        frequency, point = found.lowest()
        rows[name] = {"lowest": frequency, "at": point.tolist(), "stable": found.is_stable()}
    return rows


def relative_errors(rows: dict[str, dict], key: str) -> np.ndarray:
    """Of the model to DFT."""
    pairs = [np.array(row[key], float) for row in rows.values() if key in row]
    return np.concatenate([np.atleast_1d(ours / theirs - 1.0) for theirs, ours in pairs]) if pairs else np.array([])


def table(lattices: dict[str, dict], moduli: dict[str, dict]) -> str:
    lines = ["| crystal | lattice constants, DFT → model [Å] | bulk modulus, DFT → model [GPa] |", "|---|---|---|"]
    for name, row in lattices.items():
        said = ", ".join(f"{a:.3f} → {b:.3f}" for a, b in zip(*row["lattice"])) if "lattice" in row else row["failure"]
        modulus = moduli.get(name, {})
        pair = " → ".join(f"{b:.0f}" for b in modulus["bulk_modulus"]) if "bulk_modulus" in modulus else modulus.get("failure", "")
        lines.append(f"| {name} | {said} | {pair} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--relaxed", type=Path, required=True)
    parser.add_argument("--volumes", type=Path)
    parser.add_argument("--phonons", action="store_true")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    potential = tamiz.load(arguments.model)
    ends = relaxed_ends(tamiz.datasets.load(arguments.relaxed), molecules=False)
    lattices = lattice_errors(potential, {name: end.structure for name, end in ends.items()})
    moduli = bulk_moduli(potential, volume_curves(tamiz.datasets.load(arguments.volumes))) if arguments.volumes else {}
    print(table(lattices, moduli))
    result = {"model": str(arguments.model), "lattices": lattices, "bulk_moduli": moduli}
    for key, rows in (("lattice", lattices), ("bulk_modulus", moduli)):
        errors = relative_errors(rows, key)
        if len(errors):
            result[f"{key}_mean_absolute_percentage_error"] = 100 * float(np.abs(errors).mean())
            print(f"{key.replace('_', ' ')}: mean absolute error {100 * np.abs(errors).mean():.2f} % of {len(errors)} values; "
                  f"{sum('failure' in row for row in rows.values())} of {len(rows)} crystals are left out")
    if arguments.phonons:
        kept = {name: end.structure for name, end in ends.items() if "failure" not in lattices[name]}
        result["phonons"] = modes = lowest_phonons(potential, kept)
        unstable = ", ".join(f"{name} ({row['lowest']:.1f} THz)" for name, row in modes.items() if not row["stable"])
        print(f"dynamically stable: {sum(row['stable'] for row in modes.values())} of {len(modes)} crystals; unstable: {unstable or 'none'}")
    if arguments.output:
        replace_json(arguments.output, result)


if __name__ == "__main__":
    main()
