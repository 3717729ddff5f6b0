"""ASE calculators that misbehave, for tests of the ASE worker."""

from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones


class Endless(Calculator):
    """Never comes to an end."""

    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        while True:
            pass


class Chatty(LennardJones):
    """Prints to standard output from Python and from a program it runs."""

    def calculate(self, *args, **kwargs):
        import os

        print("iteration 1", flush=True)
        os.system("echo from a program")
        super().calculate(*args, **kwargs)


class NotANumber(Calculator):
    """Its energy is not finite."""

    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": float("nan"), "forces": 0.0 * atoms.positions}


def fails():
    """Cannot even be made."""
    raise RuntimeError("no such\n pseudopotential")
