"""tamiz potentials as ASE calculators."""

from __future__ import annotations

import numpy as np
from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.calculator import all_changes
from ase.outputs import Properties

from .convert import stress_to_voigt
from .potential import Potential


class Calculator(AseCalculator):
    """An ASE calculator by a tamiz potential::

        atoms.calc = tamiz.ase.Calculator(tamiz.load("model.safetensors"))

    Gives energy and free_energy (the same: forces derive from it) [eV], energies per atom [eV], forces [eV/Å], and for
    periodic cells the stress [eV/Å³] in ASE's order and sign. ``results["energy_uncertainty"]`` [eV] is there for a
    potential with a committee.
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]

    def __init__(self, potential: Potential, **options):
        super().__init__(**options)
        self.potential = potential

    def export_properties(self):
        """Of the results those that ASE has a name for."""
        known = {name: self.results[name] for name in self.implemented_properties if name in self.results}
        return Properties(known)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        periodic = bool(np.all(self.atoms.pbc))
        has_committee = self.potential.n_members > 1
        prediction = self.potential.evaluate(self.atoms, forces=True, stress=periodic, atom_energies=True,
                                             uncertainty=has_committee)
        energy = float(prediction.energies[0])
        self.results = {"energy": energy, "free_energy": energy, "energies": np.array(prediction.atom_energies[0]),
                        "forces": np.array(prediction.forces[0])}
        if periodic:
            self.results["stress"] = stress_to_voigt(prediction.stresses[0])
        if has_committee:
            self.results["energy_uncertainty"] = float(prediction.uncertainties[0])
