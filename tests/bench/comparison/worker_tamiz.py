"""Tamiz: `worker_tamiz.py ENGINE`."""

import sys

import ase
from serving import serve

import tamiz


class Tamiz:
    def __init__(self, engine):
        self.engine = engine

    def load(self, model, dtype, threads):
        self.potential = tamiz.load(model, dtype=dtype, threads=threads, engine=self.engine)
        return {"versions": {"tamiz": tamiz.__version__, "commit": tamiz.__commit__},
                "settings": {"engine": self.engine, "minimiser": "tamiz.relax (limited-memory BFGS), one batch"}}

    def hold(self, structure):
        return ase.Atoms(structure["numbers"], structure["positions"], cell=structure["cell"], pbc=True)

    def evaluate(self, held, positions):
        held.positions = positions
        prediction = self.potential.evaluate(held, forces=True, stress=True)
        return prediction.energies[0], prediction.forces[0], prediction.stresses[0]

    def relax(self, structures, steps):
        atoms = [self.hold(structure) for structure in structures]
        results = tamiz.relax(atoms, self.potential, cell=True, fmax=1e-12, smax=1e-15, max_steps=steps)
        for result in results:
            if result.steps != steps:
                raise RuntimeError(f"a relaxation ended after {result.steps} of {steps} steps: {result.status} {result.reason}")
        return [result.structure.volume for result in results]

    def tune(self, structures):
        return {}


if __name__ == "__main__":
    serve(Tamiz(sys.argv[1]))
