"""Codes that are ASE calculators: one calculator for all structures, as its users would have it."""

import ase
import numpy as np
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE


class AseCode:
    """`self.calculator` is made by `load`."""

    def hold(self, structure):
        atoms = ase.Atoms(structure["numbers"], structure["positions"], cell=structure["cell"], pbc=True)
        atoms.calc = self.calculator
        return atoms

    def evaluate(self, held, positions):
        held.positions = positions
        return held.get_potential_energy(), held.get_forces(), held.get_stress(voigt=False)

    def relax(self, structures, steps):
        return [self.relax_one(self.hold(structure), steps) for structure in structures]

    def relax_one(self, atoms, steps):
        optimizer = FIRE(FrechetCellFilter(atoms), logfile=None)
        optimizer.run(fmax=0.0, steps=steps)
        if optimizer.get_number_of_steps() != steps or not np.isfinite(atoms.positions).all():
            raise RuntimeError(f"FIRE made {optimizer.get_number_of_steps()} of {steps} steps")
        return atoms.get_volume()

    def tune(self, structures):
        return {}
