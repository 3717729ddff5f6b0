"""Relaxation of atoms and cell with GPAW: roughly on coarse meshes first, and from where it was cut off."""

from __future__ import annotations

import sys
from typing import Callable

import numpy as np
from ase import Atoms
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

import protocol
from first_hessian import STIFFNESS, cell_factor, first_hessian
from gpaw_level import CycleFailure, Level, residuals, start_level
from kpoint_sampling import chosen_mesh, mesh_table

# Lengths [Å] that the meshes resolve on which relaxations of compounds begin, and the multiples of the thresholds to which they go
# there: about the errors of such meshes. Points of a mesh go with the cube of its length.
ROUGH = ((12.0, 10.0), (18.0, 3.0))
UNSUITED = 3.0  # multiple of the thresholds on a class of mesh that turns out not to suit


class Optimizer(BFGS):
    """BFGS that calls `after_step` when it has moved the atoms, before the new geometry is calculated."""

    def __init__(self, target, after_step: Callable[[], None]):
        super().__init__(target, logfile=None, alpha=STIFFNESS, maxstep=0.15)
        self.after_step = after_step

    def step(self, gradient=None):
        super().step(gradient)
        self.after_step()


class Relaxation:
    """Moves atoms and cell, on one mesh after the other: what the optimiser knows of the energy stays.

    `stage` counts the coarse meshes of ROUGH; after them comes the level's own mesh of the class `mesh`.
    """

    def __init__(self, atoms: Atoms, settings: dict, keep: Callable[[dict], None], stage: int, curvature=None):
        self.atoms, self.settings, self.keep, self.stage = atoms, settings, keep, stage
        self.mesh = chosen_mesh(atoms, settings)
        moves_cell = all(atoms.pbc) and mesh_table(settings)[self.mesh] > 0.0
        scale = cell_factor(atoms.get_volume()) if moves_cell else 1.0
        target = FrechetCellFilter(atoms, exp_cell_factor=scale) if moves_cell else atoms
        self.optimizer = Optimizer(target, lambda: self.keep(self.state()))
        if curvature is not None:
            self.optimizer.H0 = first_hessian(curvature, len(atoms), scale if moves_cell else None)
        self.first_step = 0  # of the run on this mesh, by the optimiser's count
        self.is_resumed = False

    @property
    def n_steps(self) -> int:
        return self.optimizer.nsteps

    def run(self, level: Level, loose: float = 1.0) -> None:
        """To `loose` times the thresholds of the level, and no further on a mesh that does not suit than makes sense there."""
        limits = level.settings["relax"]
        is_last = loose == 1.0
        if not self.is_resumed:
            self.first_step = self.n_steps
        self.is_resumed = False
        for _ in self.optimizer.irun(fmax=1e-9, steps=limits["max_steps"] - (self.n_steps - self.first_step)):
            fmax, smax = residuals(level)
            times = UNSUITED if is_last and not level.suits() else loose
            if fmax <= times * limits["fmax"] and smax <= times * limits["smax_gpa"]:
                # Taken note of, so that a step between meshes, at one place, is not taken for a curvature.
                place = self.optimizer.optimizable
                self.optimizer.prepare_step(place.get_x(), place.get_gradient())
                return
        if level.suits() and is_last:
            raise protocol.LabelFailure(f"relaxation not converged after {limits['max_steps']} steps")

    def run_roughly(self) -> None:
        """On the coarser meshes; the gap on each says for which class of mesh to go on."""
        for k in range(self.stage, len(ROUGH)):
            self.stage = k
            length, loose = ROUGH[k]
            if 1.3 * length > self.settings["kpoint_length"][self.mesh]:
                continue
            lengths = self.settings["kpoint_length"] | {self.mesh: length}
            level = start_level(self.atoms, self.settings | {"kpoint_length": lengths}, self.mesh, None)
            self.run(level, loose)
            if not level.suits():
                self.mesh = level.next_mesh()
        self.stage = len(ROUGH)

    def run_to_the_end(self, on_result) -> Level:
        """On the class of mesh that suits the atoms, as fine as the level asks for at the end."""
        while True:
            # The mesh belongs to the cell that it starts with, which may grow a shorter side.
            level = start_level(self.atoms, self.settings, self.mesh, on_result)
            self.run(level)
            if not level.suits():
                self.mesh = level.next_mesh()
            elif level.fits(self.atoms):
                return level

    def state(self) -> dict:
        """What `restore` needs: the geometry that is calculated next, and what the optimiser has learnt before."""
        optimizer = self.optimizer
        return {
            "stage": self.stage,
            "mesh": self.mesh,
            "first_step": self.first_step,
            "n_steps": optimizer.nsteps + 1,
            "x": optimizer.optimizable.get_x().tolist(),
            "hessian": optimizer.H.tolist(),
        }

    def restore(self, state: dict) -> None:
        """Goes on from a state of a relaxation of the same atoms; raises KeyError, TypeError or ValueError where it is none.

        The forces of the step before are not in it: the mesh is chosen anew for the cell as it is now, and what changes between two
        meshes would be taken for a curvature.
        """
        n = self.optimizer.optimizable.ndofs()
        x, hessian = np.asarray(state["x"], dtype=float).reshape(n), np.asarray(state["hessian"], dtype=float).reshape(n, n)
        stage, mesh, first_step, n_steps = int(state["stage"]), str(state["mesh"]), int(state["first_step"]), int(state["n_steps"])
        if mesh not in mesh_table(self.settings) or not 0 <= stage <= len(ROUGH) or not 0 <= first_step <= n_steps:
            raise ValueError(f"no state of a relaxation: stage {stage} on mesh {mesh}, steps {first_step} to {n_steps}")
        self.optimizer.optimizable.set_x(x)
        self.stage, self.mesh, self.first_step, self.is_resumed = stage, mesh, first_step, True
        self.optimizer.H0, self.optimizer.nsteps = hessian, n_steps
        nothing = np.zeros(n)
        self.optimizer.update(x, nothing, None, None)  # the first time it takes H0 over
        self.optimizer.pos0, self.optimizer.forces0 = x, nothing  # and learns nothing from a step that leads nowhere


def relax(atoms: Atoms, settings: dict, on_result, state: dict | None = None, keep=lambda state: None, curvature=None) -> tuple[Level, int]:
    """Relaxes the atoms, compounds roughly on coarse meshes before; returns the level and the number of steps.

    `on_result` is given every frame. `keep` is given a state after every step; with one of them as `state`, and the atoms as they were at
    the start, a relaxation that was cut off goes on, gives its earlier frames again and ends after as many steps, on each of its meshes, as it may take in all.
    `curvature` is that of the request, by a model.
    """
    start, frames = atoms.copy(), []
    is_compound = "kpoint_length" in settings and len(set(atoms.symbols)) > 1 and all(atoms.pbc)
    first_stage = 0 if is_compound else len(ROUGH)

    def on_frame(frame: dict) -> None:
        frames.append(frame)
        on_result(frame)

    def begun(stage: int) -> Relaxation:
        atoms.set_cell(start.cell)
        atoms.positions = start.positions
        return Relaxation(atoms, settings, lambda last: keep(last | {"frames": frames}), stage, curvature)

    relaxation = begun(first_stage)
    if state:
        try:
            relaxation.restore(state)
            for frame in state["frames"]:
                on_frame(frame)
        except (KeyError, TypeError, ValueError) as error:
            print(f"begun anew, what was kept of it cannot be used: {error!r}", file=sys.stderr)
            relaxation = begun(first_stage)
    n_before = relaxation.n_steps
    try:
        relaxation.run_roughly()
        return relaxation.run_to_the_end(on_frame), relaxation.n_steps
    except protocol.LabelFailure as failure:
        # Coarse meshes may be too coarse; and the first cycle of what goes on has not the density of the step before.
        is_cold = isinstance(failure, CycleFailure) and 0 < n_before == relaxation.n_steps
        if relaxation.stage == len(ROUGH) and not is_cold:
            raise
    relaxation = begun(len(ROUGH))
    return relaxation.run_to_the_end(on_frame), relaxation.n_steps
