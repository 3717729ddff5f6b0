"""How many calculations a relaxation takes that begins with the second derivatives of a model, where another model plays the DFT code.

    python -m tamiz.studies.relaxation_steps starts.xyz --model MODEL.safetensors --true-model OTHER.safetensors -o steps.json

Structures are relaxed by the true model to 0.02 eV/Å and 0.1 GPa with the optimiser of the GPAW worker, on one mesh: once from one curvature for all bonds, once from
those that the model has for the structure. Starts should be relaxed with the model, as those of DFT are.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

import numpy as np
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.units import GPa

import tamiz
import tamiz.ase
from tamiz.studies.kept_results import replace_json

sys.path.insert(0, str(Path(tamiz.__file__).parent / "workers"))  # programs beside the package, whose folder is their path
from first_hessian import STIFFNESS, cell_factor, first_hessian  # noqa: E402

FMAX, SMAX = 0.02, 0.1  # [eV/Å], [GPa]
MOST = 100


def n_calculations(structure: tamiz.Structure, truth: tamiz.Potential, model: tamiz.Potential | None) -> int:
    """Until forces and stress are below the thresholds; `MOST` where they never are."""
    atoms = tamiz.to_ase(structure)
    atoms.calc = tamiz.ase.Calculator(truth)
    factor = cell_factor(atoms.get_volume())
    optimizer = BFGS(FrechetCellFilter(atoms, exp_cell_factor=factor), logfile=None, alpha=STIFFNESS, maxstep=0.15)
    if model is not None:
        optimizer.H0 = first_hessian(model.curvature(structure), len(structure), factor)
    for n, _ in enumerate(optimizer.irun(fmax=1e-9, steps=MOST - 1), start=1):
        force, stress = np.linalg.norm(atoms.get_forces(), axis=1).max(), np.abs(atoms.get_stress(voigt=False)).max() / GPa
        if force <= FMAX and stress <= SMAX:
            return n
    return MOST


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("starts", type=Path, help="crystals that the model has relaxed")
    parser.add_argument("--model", type=Path, required=True, help="whose second derivatives are known")
    parser.add_argument("--true-model", type=Path, required=True, help="which plays DFT")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    model, truth = (tamiz.load(path, dtype="float64") for path in (arguments.model, arguments.true_model))
    structures = [frame.structure for frame in tamiz.read(arguments.starts)]
    plain = [n_calculations(structure, truth, None) for structure in structures]
    knowing = [n_calculations(structure, truth, model) for structure in structures]
    print("| relaxations begin with | calculations, median | mean |\n|---|---|---|")
    for name, counts in (("one curvature for all bonds", plain), ("those of the model", knowing)):
        print(f"| {name} | {statistics.median(counts):g} | {statistics.mean(counts):.1f} |")
    fewer = sum(few < many for few, many in zip(knowing, plain))
    print(f"{len(structures)} structures, {fewer} take fewer calculations, {sum(few > many for few, many in zip(knowing, plain))} take more")
    if arguments.output:
        replace_json(arguments.output, {"structures": len(structures), "without": plain, "with": knowing})


if __name__ == "__main__":
    main()
