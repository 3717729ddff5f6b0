"""mace-torch as an ASE calculator."""

from importlib.metadata import version

import torch
from ase_code import AseCode
from mace.calculators import MACECalculator
from serving import serve


class Mace(AseCode):
    def load(self, model, dtype, threads):
        torch.set_num_threads(threads)
        self.calculator = MACECalculator(model_paths=model, device="cpu", default_dtype=dtype)
        return {"versions": {name: version(name) for name in ("mace-torch", "e3nn", "torch", "ase")},
                "settings": {"minimiser": "ASE FIRE, FrechetCellFilter, one cell after the other"}}


if __name__ == "__main__":
    serve(Mace())
