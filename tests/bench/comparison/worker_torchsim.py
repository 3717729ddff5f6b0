"""TorchSim with its wrapper of mace-torch: many cells in one batch."""

import time
from importlib.metadata import version

import ase
import torch
import torch_sim
from serving import serve
from torch_sim.models.mace import MaceModel

CPU = torch.device("cpu")


class TorchSim:
    def load(self, model, dtype, threads):
        torch.set_num_threads(threads)
        raw = torch.load(model, map_location=CPU, weights_only=False)
        self.dtype = getattr(torch, dtype)
        self.model = MaceModel(raw, device=CPU, dtype=self.dtype, compute_forces=True, compute_stress=True)
        self.atoms_per_batch = None
        return {"versions": {name: version(name) for name in ("torch-sim-atomistic", "mace-torch", "e3nn", "torch")},
                "settings": {"minimiser": "frechet_cell_fire, InFlightAutoBatcher"}}

    def hold(self, structure):
        return torch_sim.initialize_state([as_atoms(structure)], device=CPU, dtype=self.dtype)

    def evaluate(self, held, positions):
        held.positions = torch.tensor(positions, dtype=self.dtype)
        out = self.model(held)
        return out["energy"].item(), out["forces"].numpy(), out["stress"][0].numpy()

    def relax(self, structures, steps):
        """Every state leaves after one round of `steps`, whatever its batch: `max_steps` would count over all batches."""
        atoms = [as_atoms(structure) for structure in structures]
        largest = self.atoms_per_batch or sum(map(len, atoms))
        batcher = torch_sim.InFlightAutoBatcher(self.model, memory_scales_with="n_atoms", max_memory_scaler=largest)
        final = torch_sim.optimize(atoms, self.model, optimizer=torch_sim.frechet_cell_fire, convergence_fn=all_done,
                                   autobatcher=batcher, max_steps=10**9, steps_between_swaps=steps)
        if final.n_systems != len(structures):
            raise RuntimeError(f"{final.n_systems} of {len(structures)} structures came back")
        return torch.linalg.det(final.cell).abs().tolist()

    def tune(self, structures):
        """Its own search for a batch size asks a GPU for its memory, so sizes are tried here."""
        whole = sum(len(structure["numbers"]) for structure in structures)
        largest = max(len(structure["numbers"]) for structure in structures)
        seconds = {}
        for size in sorted({max(largest, whole // part) for part in (1, 2, 4)}):
            self.atoms_per_batch = size
            begin = time.process_time()
            self.relax(structures, 3)
            seconds[size] = time.process_time() - begin
        self.atoms_per_batch = min(seconds, key=seconds.get)
        return {"atoms_per_batch": self.atoms_per_batch, "tried": sorted(seconds)}


def as_atoms(structure):
    return ase.Atoms(structure["numbers"], structure["positions"], cell=structure["cell"], pbc=True)


def all_done(state, last_energy):
    return torch.ones(state.n_systems, dtype=torch.bool)


if __name__ == "__main__":
    serve(TorchSim())
