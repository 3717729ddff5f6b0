"""The ends of the relaxations in a data set."""

from __future__ import annotations

import argparse

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
