"""A quick calculator for campaigns under test, with failures that depend on the structure alone."""

import os

from ase.calculators.morse import MorsePotential


class Morse(MorsePotential):
    """Morse pairs of one kind for all elements; refuses cells of four atoms."""

    def calculate(self, atoms=None, *args, **kwargs):
        if len(atoms) == 4:
            raise RuntimeError("four atoms are too many for this calculator")
        super().calculate(atoms, *args, **kwargs)


def make(**kwargs):
    return Morse(**kwargs)


def make_on_a_whole_machine(**kwargs):
    """As where a code finds its files only when the machine is in order."""
    if "MORSE_MACHINE_IS_WHOLE" not in os.environ:
        raise RuntimeError("the scratch disk is full")
    return MorsePotential(**kwargs)
