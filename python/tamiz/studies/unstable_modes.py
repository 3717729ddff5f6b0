"""Frames along the modes that make a model hold relaxed crystals for dynamically unstable.

    python -m tamiz.studies.unstable_modes MODEL.safetensors --crystals shipped.h5 --split train --max-atoms 16 -o modes.xyz
    tamiz label modes.xyz --oracle gpaw --level pbe-600g --ledger frames.tz -o labelled.xyz

At the geometry that DFT relaxed, its lowest mode is followed until the atom that moves furthest has moved by 0.2 Å, in the smallest supercell that the wave fits into.
Whether the energy falls there is what the model says and DFT is asked. Of a crystal that is right, a label teaches a model that its modes are stiff; of a saddle point, where
it leads. Crystals are the ends of the relaxations in a data set.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ase.io import write

import tamiz
from tamiz.studies.relaxed import relaxed_ends

AMPLITUDE = 0.2  # [Å]


def along_unstable(crystal: tamiz.Structure, potential: tamiz.Potential, tolerance: float) -> tuple[tamiz.Structure, float] | None:
    """The crystal along its lowest mode and the frequency of that [THz], where it is imaginary beyond `tolerance`."""
    phonons = tamiz.phonons(crystal, potential, relax=False)
    frequency, point = phonons.lowest()
    return (phonons.along_lowest(point, AMPLITUDE), frequency) if frequency < -tolerance else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--crystals", type=Path, required=True, help="data set with relaxations")
    parser.add_argument("--split", help="only its crystals of this split")
    parser.add_argument("--max-atoms", type=int, default=16, help="of a frame")
    parser.add_argument("--tolerance", type=float, default=tamiz.Phonons.TOLERANCE, help="imaginary frequencies up to here do not count [THz]")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    potential, frames, n_unstable = tamiz.load(arguments.model), [], 0
    data = tamiz.datasets.load(arguments.crystals)
    ends = relaxed_ends(data.split(arguments.split) if arguments.split else data, molecules=False)
    for name, end in ends.items():
        if len(end.structure) > arguments.max_atoms or (found := along_unstable(end.structure, potential, arguments.tolerance)) is None:
            continue
        n_unstable += 1
        structure, frequency = found
        if len(structure) <= arguments.max_atoms:
            frames.append(tamiz.to_ase(structure))
            frames[-1].info.update(id=f"mode/{name}", config_type="along an unstable mode", frequency=round(frequency, 3))
    if frames:
        write(arguments.output, frames, format="extxyz")
    print(f"{n_unstable} of {len(ends)} crystals are unstable by the model, {len(frames)} frames of at most {arguments.max_atoms} atoms")


if __name__ == "__main__":
    main()
