"""Writes mace_cases.tar.xz: small MACE models with random weights, saved by mace-torch as published ones are (NAME.model),
a few structures (structures.extxyz), and what mace-torch says of them (NAME.json).

Needs an environment of its own with mace-torch 0.3.16 and cuequivariance (for the reduced basis of one model), which
the project does not need otherwise:

    python -m venv mace && mace/bin/pip install torch==2.13.0 && mace/bin/pip install mace-torch==0.3.16 cuequivariance
    TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 mace/bin/python tests/parity/make_mace_cases.py [NAME ...]

With names only these models are made again. The corpus of the fuzz tests gets a model, too, without the programs that
e3nn leaves in a checkpoint, since an import does not read them.
"""

import io
import json
import pathlib
import sys
import tarfile

import ase
import ase.io
import numpy as np
import torch
from e3nn import o3
from mace import modules
from mace.data import AtomicData, config_from_atoms
from mace.tools import AtomicNumberTable, torch_geometric

CASES = pathlib.Path(__file__).parent / "mace_cases.tar.xz"
CORPUS = pathlib.Path(__file__).parents[1] / "fuzz" / "corpus" / "heads.model"
ELEMENTS = [1, 6, 8, 14, 26, 55]
CUTOFF = 4.5

PLAIN = "RealAgnosticInteractionBlock"
RESIDUAL = "RealAgnosticResidualInteractionBlock"
DENSITY = "RealAgnosticDensityInteractionBlock"
DENSITY_RESIDUAL = "RealAgnosticDensityResidualInteractionBlock"

# What differs from `build`'s defaults. `mp_*`, `mpa_0` and `omat_0` have the shapes of the published models but for the
# number of channels (and the float64 ones fewer elements).
MODELS = {
    "scalar_plain": {"first": PLAIN, "other": PLAIN, "correlation": 2, "l_max": 2, "shifted": False},
    "residual_behind_plain": {"first": PLAIN, "other": RESIDUAL, "hidden": "3x0e+3x1o", "correlation": 2, "l_max": 2},
    "density": {"first": DENSITY, "other": DENSITY_RESIDUAL, "hidden": "3x0e+3x1o+3x2e", "correlation": 2, "l_max": 2},
    "density_residual_first": {"first": DENSITY_RESIDUAL, "other": DENSITY_RESIDUAL, "hidden": "3x0e+3x1o", "correlation": 2,
                               "l_max": 2},
    "density_twice": {"first": DENSITY, "other": DENSITY, "hidden": "3x0e+3x1o", "correlation": 2, "l_max": 2},
    "one_interaction": {"first": PLAIN, "interactions": 1, "correlation": 3, "l_max": 2},
    "three_interactions": {"interactions": 3, "hidden": "2x0e+2x1o", "correlation": 2, "l_max": 2, "mlp": [8]},
    "correlation_1": {"correlation": 1, "l_max": 3, "hidden": "3x0e+3x1o"},
    "correlation_4": {"correlation": 4, "l_max": 1, "hidden": "3x0e+3x1o"},
    "correlation_4_l_max_2": {"first": DENSITY, "other": DENSITY_RESIDUAL, "correlation": 4, "l_max": 2,
                              "hidden": "2x0e+2x1o"},
    "hidden_2_correlation_3": {"first": DENSITY, "other": DENSITY_RESIDUAL, "hidden": "2x0e+2x1o+2x2e"},
    "l_max_4": {"correlation": 2, "l_max": 4, "hidden": "2x0e+2x1o+2x2e"},
    "l_max_6": {"correlation": 2, "l_max": 6, "hidden": "2x0e+2x1o+2x2e"},
    "gaussian": {"radial": "gaussian", "correlation": 2, "l_max": 2, "n_radial": 12},
    "soft": {"transform": "Soft", "correlation": 2, "l_max": 2},
    "soft_gaussian": {"transform": "Soft", "radial": "gaussian", "correlation": 2, "l_max": 2},
    "agnesi_gaussian": {"transform": "Agnesi", "radial": "gaussian", "correlation": 2, "l_max": 2},
    "zbl": {"repulsion": True, "correlation": 2, "l_max": 1, "p": 6},
    "zbl_unshifted": {"repulsion": True, "correlation": 2, "l_max": 1, "shifted": False},
    "cutoff_on_weights": {"first": DENSITY, "other": DENSITY_RESIDUAL, "apply_cutoff": False, "correlation": 2, "l_max": 2},
    "agnostic_product": {"agnostic": True, "correlation": 2, "l_max": 2, "hidden": "3x0e+3x1o"},
    "reduced_basis": {"reduced": True, "correlation": 3, "l_max": 2, "hidden": "3x0e+3x1o"},
    "heads": {"heads": ["pt_head", "Default", "dft"], "correlation": 2, "l_max": 2, "repulsion": True},
    "mp_0a_small": {"old": True, "first": RESIDUAL, "hidden": "2x0e", "n_radial": 10},
    "mp_0a_medium": {"first": RESIDUAL, "hidden": "2x0e+2x1o", "n_radial": 10},
    "mp_0a_large": {"first": RESIDUAL, "hidden": "2x0e+2x1o+2x2e", "n_radial": 10, "dtype": "float32"},
    "mp_0b": {"first": DENSITY, "other": DENSITY_RESIDUAL, "hidden": "2x0e+2x1o", "n_radial": 10, "transform": "Agnesi",
              "repulsion": True, "dtype": "float32"},
    "mp_0b3": {"first": DENSITY, "other": DENSITY_RESIDUAL, "hidden": "2x0e+2x1o", "n_radial": 10, "transform": "Agnesi",
               "repulsion": True},
    "mpa_0": {"first": DENSITY, "other": DENSITY_RESIDUAL, "hidden": "2x0e+2x1o", "n_radial": 10, "transform": "Agnesi",
              "repulsion": True, "dtype": "float32", "elements": [*range(1, 84), *range(89, 95)]},
}
MODELS["mp_0b2"] = MODELS["mp_0b3"] | {"p": 6, "heads": ["Default"]}
MODELS["omat_0"] = MODELS["mpa_0"] | {"heads": ["omat_pbe"], "dtype": "float64", "elements": ELEMENTS}


def build(seed, first=PLAIN, other=RESIDUAL, hidden="3x0e", correlation=3, l_max=3, interactions=2, n_radial=8, p=5,
          mlp=(8, 8), radial="bessel", transform="None", repulsion=False, apply_cutoff=True, agnostic=False,
          reduced=False, heads=None, shifted=True, old=False, elements=ELEMENTS, dtype="float64"):
    torch.set_default_dtype(getattr(torch, dtype))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    n_heads = len(heads or ["Default"])
    energies = rng.uniform(-9.0, -1.0, (n_heads, len(elements)))
    kwargs = {
        "r_max": CUTOFF, "num_bessel": n_radial, "num_polynomial_cutoff": p, "max_ell": l_max,
        "interaction_cls": getattr(modules.blocks, other), "interaction_cls_first": getattr(modules.blocks, first),
        "num_interactions": interactions, "num_elements": len(elements), "hidden_irreps": o3.Irreps(hidden),
        "MLP_irreps": o3.Irreps("4x0e"), "gate": torch.nn.functional.silu,
        "atomic_energies": energies if n_heads > 1 else energies[0], "avg_num_neighbors": 3.25,
        "atomic_numbers": list(elements), "correlation": correlation, "pair_repulsion": repulsion,
        "apply_cutoff": apply_cutoff, "use_reduced_cg": reduced, "use_agnostic_product": agnostic,
        "distance_transform": transform, "radial_MLP": list(mlp), "radial_type": radial, "heads": heads,
    }
    if not shifted:
        return as_trained(modules.MACE(**kwargs), old)
    scale, shift = rng.uniform(0.5, 1.5, n_heads), rng.uniform(-0.5, 0.5, n_heads)
    return as_trained(modules.ScaleShiftMACE(**kwargs, atomic_inter_scale=scale if n_heads > 1 else scale[0],
                                             atomic_inter_shift=shift if n_heads > 1 else shift[0]), old)


def as_trained(model, old):
    """With products large enough for forces of some eV/Å; `old` takes from it what models of 2023 did not have."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "symmetric_contractions" in name:
                parameter *= 6.0
    if old:
        for module in model.modules():
            for name in ("heads", "num_heads", "apply_cutoff", "edge_irreps", "cueq_config", "oeq_config", "lammps_mliap",
                         "radial_MLP", *(key for key in vars(module) if key.startswith("use_") and key != "use_sc")):
                vars(module).pop(name, None)
    return model


def scattered(rng, n, cell, periodic, shortest):
    """Random atoms that are at least `shortest` apart [Å]; a molecule has its cell as a box, and none after."""
    while True:
        atoms = ase.Atoms(numbers=[ELEMENTS[k % len(ELEMENTS)] for k in range(n)], pbc=periodic, cell=cell,
                          scaled_positions=rng.uniform(0, 1, (n, 3)))
        distances = atoms.get_all_distances(mic=periodic)
        if n == 1 or distances[~np.eye(n, dtype=bool)].min() > shortest:
            break
    if not periodic:
        atoms.cell = None
    return atoms


def structures():
    rng = np.random.default_rng(7)
    named = {
        "triclinic": scattered(rng, 8, [[6.0, 0.0, 0.0], [3.1, 4.6, 0.0], [-2.0, 2.4, 4.4]], True, 1.3),
        "left_handed": scattered(rng, 5, [[0.2, 5.1, 0.3], [4.2, 0.4, -0.1], [0.5, 0.2, 4.7]], True, 1.2),
        "smaller_than_cutoff": scattered(rng, 2, [[2.6, 0.1, 0.0], [0.4, 2.9, 0.2], [0.0, -0.3, 2.4]], True, 1.2),
        "molecule": scattered(rng, 9, np.eye(3) * 3.5, False, 0.75),
        "isolated_atom": scattered(rng, 1, np.eye(3), False, 0.0),
    }
    assert np.linalg.det(named["left_handed"].cell) < 0
    for name, atoms in named.items():
        atoms.info = {"name": name}
    return named


def evaluate(model, atoms, head):
    """In float64, with the weights as they are stored."""
    table = AtomicNumberTable([int(z) for z in model.atomic_numbers])
    heads = getattr(model, "heads", ["Default"])
    data = AtomicData.from_config(config_from_atoms(atoms, head_name=heads[head]), z_table=table,
                                  cutoff=float(model.r_max), heads=heads)
    [batch] = torch_geometric.dataloader.DataLoader(dataset=[data], batch_size=1)
    periodic = bool(atoms.pbc.all())
    result = model(batch.to_dict(), compute_stress=periodic)
    numbers = {"energy": result["energy"].item(), "atom_energies": result["node_energy"].tolist(),
               "forces": result["forces"].tolist(), "node_features": result["node_feats"].tolist()}
    if periodic:
        numbers["stress"] = result["stress"][0].tolist()
    return numbers


def make(name, options, atoms):
    """Bytes of the model, and what is expected of it."""
    model = build(sum(name.encode()), **options)
    stored = io.BytesIO()
    torch.save(model, stored)
    torch.set_default_dtype(torch.float64)
    model = model.double()
    heads = list(getattr(model, "heads", ["Default"]))
    expected = {
        "options": options, "dtype": options.get("dtype", "float64"), "heads": heads,
        "hidden_l": o3.Irreps(options.get("hidden", "3x0e")).lmax,
        "results": {head: {key: evaluate(model, each, k) for key, each in atoms.items()} for k, head in enumerate(heads)},
    }
    return stored.getvalue(), json.dumps(expected).encode()


def write_corpus():
    model = build(1, first=DENSITY, other=DENSITY_RESIDUAL, hidden="1x0e+1x1o", correlation=2, l_max=1, n_radial=2,
                  mlp=(2,), transform="Agnesi", repulsion=True, heads=["a", "b"], elements=[1, 8], dtype="float32")
    for module in model.modules():
        for name in vars(module).pop("__codegen__", []):
            del module._modules[name]
        for name in ("graph_opt_main", "contractions_weighting", "contractions_features"):
            module._modules.pop(name, None)
    torch.save(model, CORPUS)


def stored_members():
    """Bytes by name of what the archive holds already."""
    if not CASES.exists():
        return {}
    with tarfile.open(CASES) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def write_members(members):
    """The same members give the same bytes."""
    with tarfile.open(CASES, "w:xz", preset=9) as archive:
        for name in sorted(members, key=lambda name: (name.split(".")[-1], name)):
            info = tarfile.TarInfo(name)
            info.size = len(members[name])
            archive.addfile(info, io.BytesIO(members[name]))


def main():
    wanted = sys.argv[1:] or list(MODELS)
    members = stored_members() if sys.argv[1:] else {}
    text = io.StringIO()
    ase.io.write(text, list(structures().values()), format="extxyz")
    members["structures.extxyz"] = text.getvalue().encode()
    # What is evaluated is what the file holds, to its last digit.
    atoms = {each.info["name"]: each for each in ase.io.read(io.StringIO(text.getvalue()), ":", format="extxyz")}
    for name in wanted:
        members[f"{name}.model"], members[f"{name}.json"] = make(name, MODELS[name], atoms)
        print(name, len(members[f"{name}.model"]))
    write_members(members)
    write_corpus()


if __name__ == "__main__":
    main()
