"""The Hessian that a relaxation begins with, of second derivatives that a model has for the crystal.

What an optimiser would have to find out by steps of DFT is known then.
"""

from __future__ import annotations

import math

import numpy as np

STIFFNESS = 40.0  # [eV/Å²], first guess of an optimiser for a bond
# [eV/Å²] Nothing counts as softer, however soft a model holds it: a step along a mode goes with one over its curvature.
SOFTEST = 2.0


def cell_factor(volume: float) -> float:
    """``exp_cell_factor`` of ASE's FrechetCellFilter with which a bulk modulus of 120 GPa looks as stiff to an optimiser as a bond.

    E = (9/2) B V ε² is ½·(3 B V)·|strain|² for an isotropic strain, |strain|² = 3 ε². `volume` in Å³.
    """
    return math.sqrt(3.0 * volume * 120.0 / 160.21766339999998 / STIFFNESS)


def first_hessian(curvature, n_atoms: int, cell_factor: float | None) -> np.ndarray:
    """In the coordinates of an optimiser [eV/Å²], positive definite; (3n, 3n), or (3n + 9, 3n + 9) where the cell moves.

    `curvature` is that of the request (``screening/oracle/README.md``), `cell_factor` the ``exp_cell_factor`` of ASE's FrechetCellFilter, or
    None where only atoms move. Raises ValueError for another shape and for numbers that are not finite.
    """
    n = 3 * n_atoms
    matrix = np.asarray(curvature, dtype=float)
    if matrix.shape != (n + 9, n + 9) or not np.isfinite(matrix).all():
        raise ValueError(f"no curvature of {n_atoms} atoms: shape {matrix.shape}")
    scale = np.ones(n + 9)
    if cell_factor is None:
        matrix, scale = matrix[:n, :n], scale[:n]
    else:
        scale[n:] = 1.0 / cell_factor
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T) * scale[:, None] * scale[None, :])
    return (vectors * np.maximum(np.abs(values), SOFTEST)) @ vectors.T
