"""Writes MACE models with pseudo-random weights as mace-torch saves them: `make_model.py SHAPE.json OUT.model`.

Runs in an environment with mace-torch. The weights follow from the seed and know no physics: what an evaluation costs does
not depend on them. The contractions are strengthened and the energies scaled so that the largest forces are 0.003 to 0.1 eV/Å, far
enough above rounding for a comparison; the repulsion between nuclei (ZBL) keeps cells that relax from collapsing.
"""

import json
import os
import sys

import numpy as np
import torch
from e3nn import o3
from mace import modules

BLOCK = "RealAgnosticResidualInteractionBlock"  # in both layers, as in the published MP-0 models and by mace_run_train's default
CONTRACTIONS = 10.0
SCALE = 2.0


def build(shape):
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(shape["seed"])
    block = modules.interaction_classes[BLOCK]
    hidden = "+".join(f"{shape['channels']}x{l}{'eo'[l % 2]}" for l in range(shape["hidden_l"] + 1))
    elements = shape["elements"]
    model = modules.ScaleShiftMACE(
        r_max=shape["cutoff"], num_bessel=8, num_polynomial_cutoff=5, max_ell=3, correlation=3, num_interactions=2,
        interaction_cls=block, interaction_cls_first=block, hidden_irreps=o3.Irreps(hidden),
        MLP_irreps=o3.Irreps("16x0e"), radial_MLP=[64, 64, 64], gate=torch.nn.functional.silu, avg_num_neighbors=50.0,
        pair_repulsion=True,
        num_elements=len(elements), atomic_numbers=elements, atomic_energies=np.zeros(len(elements)),
        atomic_inter_scale=SCALE, atomic_inter_shift=0.0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "symmetric_contractions" in name:
                parameter *= CONTRACTIONS
    return model


def main():
    shape_file, out = sys.argv[1:]
    with open(shape_file) as file:
        shape = json.load(file)
    torch.save(build(shape), out + ".part")
    os.replace(out + ".part", out)


if __name__ == "__main__":
    main()
