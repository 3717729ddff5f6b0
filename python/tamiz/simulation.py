"""Relaxation and molecular dynamics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np

from . import _tamiz
from .convert import Structure, is_structure, require_no_constraints, require_usual_masses, to_structure, to_structures
from .errors import ShapeError, UnitError
from .potential import Potential

RelaxResult = _tamiz.RelaxResult


def relax(structures: Any, potential: Potential, cell: bool = True, fmax: float = 0.01, max_steps: int = 500, *,
          smax: float = 0.0006, pressure: float = 0.0, atoms_per_batch: int = 512) -> list[RelaxResult]:
    """Relaxes one or many structures as batches: those that finish leave, waiting ones enter.

    Args:
        cell: relax the lattice too.
        fmax: largest force on an atom at the end [eV/Å].
        max_steps: steps of one structure before it counts as not converged.
        smax: largest stress component at the end, with `cell` [eV/Å³]; 0.0006 is about 0.1 GPa.
        pressure: target [eV/Å³], positive compresses.
        atoms_per_batch: size of a batch in atoms.

    Returns one result per structure, in their order. A structure that does not converge, collapses or explodes is a
    result with ``status`` and ``reason``, not an exception. All atoms move: ASE constraints and files that hold atoms raise CapabilityError. Ctrl-C ends the call.
    """
    if not is_structure(structures):
        structures = list(structures)
    require_no_constraints(structures)
    return _tamiz.relax(potential._native, to_structures(structures), cell, fmax, smax, pressure, max_steps,
                        atoms_per_batch)


@dataclass
class Sample:
    """State of a run after one step."""

    step: int
    time: float  #: [fs]
    potential_energy: float  #: [eV]
    kinetic_energy: float  #: [eV]
    temperature: float  #: [K], of the motion relative to the centre of mass
    conserved_energy: float  #: [eV]; NVE: total, Langevin: total less the heat taken up in this call
    structure: Structure
    velocities: np.ndarray = field(repr=False)  #: (n_atoms, 3) [Å/fs]


@dataclass
class Trajectory:
    """What :func:`md` returns: the last state, and samples on the way."""

    structure: Structure
    velocities: np.ndarray  #: (n_atoms, 3) [Å/fs]
    step: int
    samples: list[Sample]

    def table(self) -> Any:
        """One row per sample, without structures and velocities: a pandas DataFrame."""
        import pandas

        columns = ["step", "time", "potential_energy", "kinetic_energy", "temperature", "conserved_energy"]
        return pandas.DataFrame([[getattr(sample, name) for name in columns] for sample in self.samples],
                                columns=columns)


def md(structure: Any, potential: Potential, steps: int, *, ensemble: str = "nve", timestep: float = 1.0,
       temperature: float = 300.0, friction: float = 0.01, seed: int = 0, velocities: np.ndarray | None = None,
       start: int = 0, every: int = 10, observer: Callable[[Sample], bool | None] | None = None) -> Trajectory:
    """Molecular dynamics of one structure: velocity Verlet ("nve") or Langevin in the BAOAB splitting ("langevin").

    Args:
        steps: step to reach, counted from the beginning of the run.
        timestep: [fs].
        temperature: of the first velocities and of the Langevin bath [K].
        friction: of the Langevin bath [1/fs].
        seed: of velocities and bath.
        velocities: (n_atoms, 3) [Å/fs] to start with; None: Maxwell–Boltzmann at `temperature`.
        start: step that `structure` and `velocities` belong to. A run split in two gives the same numbers as one.
        every: steps between two samples.
        observer: called with each sample; the run ends where it returns False.

    Raises NumericsError when an energy, force or position is not finite, CapabilityError for atoms that are held and for
    masses other than those of the elements, which are not kept to. Ctrl-C ends the call.
    """
    require_no_constraints(structure)
    require_usual_masses(structure)
    if every < 1:
        raise UnitError(f"every must be at least 1, got {every}")
    motion = _tamiz.Motion(to_structure(structure))
    if velocities is None:
        motion.set_thermal_velocities(temperature, seed)
    else:
        given = np.asarray(velocities, dtype=float)
        if given.shape != (len(motion.structure), 3):
            raise ShapeError(f"velocities must have the shape ({len(motion.structure)}, 3), got {given.shape}")
        motion.velocities = given
    motion.step = start
    samples: list[Sample] = []

    def observe(kinetic: float, energy: float, present_temperature: float, conserved: float) -> bool:
        sample = Sample(motion.step, motion.step * timestep, energy, kinetic, present_temperature, conserved,
                        motion.structure, motion.velocities)
        samples.append(sample)
        return observer is None or observer(sample) is not False

    motion.run(potential._native, ensemble, timestep, temperature, friction, seed, steps, every, observe)
    return Trajectory(motion.structure, motion.velocities, motion.step, samples)
