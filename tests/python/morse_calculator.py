"""A quick calculator for campaigns under test, with failures that depend on the structure alone."""

from ase.calculators.morse import MorsePotential


class Morse(MorsePotential):
    """Morse pairs of one kind for all elements; refuses cells of four atoms."""

    def calculate(self, atoms=None, *args, **kwargs):
        if len(atoms) == 4:
            raise RuntimeError("four atoms are too many for this calculator")
        super().calculate(atoms, *args, **kwargs)


def make(**kwargs):
    return Morse(**kwargs)
