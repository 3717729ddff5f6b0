"""The ends of the relaxations in a data set.

    python -m tamiz.studies.relaxed shipped.h5 --split train --max-atoms 5 -o ends.xyz

writes them with their labels, except for molecules.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ase.io import write

import tamiz

PREFIX = "competing/"  # of known phases, left off


def is_molecule(frame: tamiz.Frame) -> bool:
    """Whether it was calculated as a molecule in a box."""
    return "molecule" in (frame.info.get("mesh"), frame.info.get("mesh_used"))


def relaxed_ends(data, molecules: bool = True) -> dict[str, tamiz.Frame]:
    """The last frame of every relaxation, by the name of what was relaxed."""
    return {frame.info["id"].removeprefix(PREFIX): frame for frame in data
            if frame.info.get("task", "relax") == "relax" and "relax_steps" in frame.info and (molecules or not is_molecule(frame))}


def ends_named(path, names: list[str], parser: argparse.ArgumentParser) -> dict[str, tamiz.Frame]:
    """Those in a data set that a command line names; the parser says which there are not."""
    ends = relaxed_ends(tamiz.datasets.load(path))
    if missing := sorted(set(names) - set(ends)):
        parser.error(f"{path} has no relaxation of {', '.join(missing)}")
    return {name: ends[name] for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="data set")
    parser.add_argument("--split", help="only its frames of this split")
    parser.add_argument("--max-atoms", type=int, help="only crystals of so many")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    data = tamiz.datasets.load(arguments.data)
    ends = relaxed_ends(data.split(arguments.split) if arguments.split else data, molecules=False).values()
    most = arguments.max_atoms or max(len(end.structure) for end in ends)
    frames = tamiz.datasets.DataSet([end for end in ends if len(end.structure) <= most]).to_ase()
    write(arguments.output, frames, format="extxyz")
    print(f"{len(frames)} frames")


if __name__ == "__main__":
    main()
