"""symmetrix-xl as an ASE calculator, on a model in its compact format: its defaults are its fastest settings here.

`worker_symmetrix.py MODE`: "direct" compiles kernels for the model when it is loaded, "non-compiled" does not.
"""

import sys
from importlib.metadata import version

from ase_code import AseCode
from serving import serve
from symmetrix import Symmetrix


class SymmetrixXl(AseCode):
    def __init__(self, mode):
        self.mode = mode

    def load(self, model, dtype, threads):
        self.calculator = Symmetrix(model, dtype=dtype, streamed_edges=self.mode)
        return {"versions": {name: version(name) for name in ("symmetrix-xl", "ase")},
                "settings": {"streamed_edges": self.mode, "neighbor_skin": self.calculator.neighbor_skin,
                             "execution_profile": self.calculator.execution_profile,
                             "minimiser": "ASE FIRE, FrechetCellFilter, one cell after the other"}}


if __name__ == "__main__":
    serve(SymmetrixXl(sys.argv[1]))
