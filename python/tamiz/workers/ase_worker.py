"""Worker process that answers label requests with any ASE calculator.

    python ase_worker.py ase.calculators.emt:EMT

The argument is ``module:callable``; the callable makes a calculator. Modules are also looked up in the
folder where Tamiz was started. Settings of a request, all optional:

kwargs    keyword arguments of the callable
relax     fmax [eV/Å] (0.03), smax_gpa [GPa] (0.5), max_steps (200), cell (true: relax the cell too,
          where it is periodic in all directions)

A calculator that writes files finds itself in a scratch folder of its own.
"""

from __future__ import annotations

import importlib
import os
import sys

import protocol
from first_hessian import cell_factor, first_hessian

RELAX_DEFAULTS = {"fmax": 0.03, "smax_gpa": 0.5, "max_steps": 200, "cell": True}
LABELS = ("energy", "free_energy", "forces", "stress")


def find_factory(name: str):
    """The callable that ``module:callable`` names."""
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        sys.exit(f"expected module:callable, got {name!r}")
    sys.path.append(os.getcwd())
    factory = getattr(importlib.import_module(module), attribute, None)
    if not callable(factory):
        sys.exit(f"module {module} has no callable {attribute}")
    return factory


def frame_of(atoms) -> dict:
    """Frame F of the protocol, with whatever labels the calculator has."""
    frame = protocol.structure_from_atoms(atoms)
    values = {name: label(atoms, name) for name in LABELS}
    return frame | {name: value for name, value in values.items() if value is not None}


def label(atoms, name: str):
    """One label, or None where the calculator does not offer it or the cell has no volume."""
    from ase.calculators.calculator import PropertyNotImplementedError

    if name == "stress" and not all(atoms.pbc):
        return None
    try:
        if name == "energy":
            return atoms.get_potential_energy()
        if name == "free_energy":
            return atoms.get_potential_energy(force_consistent=True)
        if name == "forces":
            return atoms.get_forces().tolist()
        return atoms.get_stress(voigt=False).tolist()
    except PropertyNotImplementedError:
        return None


def residuals(frame: dict) -> dict:
    """Largest force on an atom [eV/Å] and largest component of the stress [GPa]."""
    import numpy as np
    from ase.units import GPa

    values = {}
    if "forces" in frame:
        values["fmax"] = float(np.linalg.norm(frame["forces"], axis=1).max())
    if "stress" in frame:
        values["smax_gpa"] = float(np.abs(frame["stress"]).max() / GPa)
    return values


def relax(atoms, limits: dict, report, curvature=None) -> tuple[dict, int]:
    """Moves atoms, and the cell where asked, to the thresholds; returns the last frame and the steps."""
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    moves_cell = limits["cell"] and all(atoms.pbc)
    if curvature is None:
        optimizer = BFGS(FrechetCellFilter(atoms) if moves_cell else atoms, logfile=None)
    else:
        factor = cell_factor(atoms.get_volume()) if moves_cell else None
        optimizer = BFGS(FrechetCellFilter(atoms, exp_cell_factor=factor) if moves_cell else atoms, logfile=None)
        optimizer.H0 = first_hessian(curvature, len(atoms), factor)
    # The thresholds are checked here: the optimiser's own would mix forces with stress times volume.
    for _ in optimizer.irun(fmax=0.0, steps=limits["max_steps"]):
        frame = frame_of(atoms)
        report.step(frame)
        left = residuals(frame)
        if left["fmax"] <= limits["fmax"] and (not moves_cell or left["smax_gpa"] <= limits["smax_gpa"]):
            return frame, optimizer.nsteps
    raise protocol.LabelFailure(f"relaxation not converged after {limits['max_steps']} steps", left)


def relax_limits(settings: dict) -> dict:
    given = settings.get("relax", {})
    unknown = sorted(set(given) - set(RELAX_DEFAULTS))
    if unknown:
        raise protocol.LabelFailure(f"unknown relax settings {', '.join(unknown)}, known: {', '.join(RELAX_DEFAULTS)}")
    return RELAX_DEFAULTS | given


def make_handler(factory):
    def handle(request: dict, report) -> tuple[dict, dict]:
        settings = request["settings"]
        if request["task"] == "gap":
            raise protocol.LabelFailure("an ASE calculator has no band gap, ask for single_point or relax")
        atoms = protocol.atoms_from_structure(request["structure"])
        atoms.calc = factory(**settings.get("kwargs", {}))
        if request["task"] == "relax":
            frame, steps = relax(atoms, relax_limits(settings), report, request.get("curvature"))
            return frame, residuals(frame) | {"relax_steps": steps}
        frame = frame_of(atoms)
        return frame, residuals(frame)

    return handle


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python ase_worker.py module:callable")
    protocol.claim_stdout()
    import ase

    factory = find_factory(sys.argv[1])
    if scratch := os.environ.get("TAMIZ_SCRATCH"):
        os.chdir(scratch)
    protocol.serve(sys.argv[1], ase.__version__, make_handler(factory))


if __name__ == "__main__":
    main()
