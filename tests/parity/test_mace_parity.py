"""Imported models say what mace-torch says of the same structures: energies, forces, stresses, features of every layer.

The cases were written by make_mace_cases.py. `python tests/parity/test_mace_parity.py` prints the differences as a table.
"""

import json
import tarfile
import tempfile
from functools import cache
from io import StringIO
from pathlib import Path

import ase.io
import numpy as np
import pytest

import tamiz

CASES = Path(__file__).parent / "mace_cases.tar.xz"
# Differences that are allowed, as a share of the largest value where that is above one. Of a float64 model: some rounding errors. Of a float32 model: mace-torch's own tables (3j
# symbols, coupling tensors, constants) are rounded to float32 before it calculates with them in float64, and ours are not.
TOLERANCES = {
    "float64": {"energy": 1e-11, "atom_energies": 1e-11, "forces": 1e-10, "stress": 1e-11, "features": 1e-11},
    "float32": {"energy": 1e-6, "atom_energies": 1e-6, "forces": 1e-6, "stress": 1e-6, "features": 1e-6},
}


@cache
def members():
    with tarfile.open(CASES) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def cases():
    """(model, head) of everything that was stored."""
    names = [name.removesuffix(".json") for name in members() if name.endswith(".json")]
    return [(name, head) for name in names for head in expected(name)["heads"]]


@cache
def expected(name):
    return json.loads(members()[f"{name}.json"])


def structures():
    text = StringIO(members()["structures.extxyz"].decode())
    return {atoms.info["name"]: atoms for atoms in ase.io.read(text, ":", format="extxyz")}


def imported(name, folder, **options):
    source = Path(folder) / f"{name}.model"
    source.write_bytes(members()[f"{name}.model"])
    return tamiz.import_mace(source, Path(folder) / f"{name}.safetensors", **options)


def scalars(features, n_interactions, channels, hidden_l):
    """Invariant part of what mace-torch calls node features: of each layer the first `channels`, of the last all."""
    width = channels * (hidden_l + 1) ** 2
    return np.hstack([features[:, t * width : t * width + channels] for t in range(n_interactions)])


def differences(name, head, folder):
    """Largest difference of each quantity over all structures, evaluated as one batch; of values above one their share."""
    path = imported(name, folder, head=head)
    shape = tamiz.model_info(path)["description"]
    potential = tamiz.load(path, dtype="float64", threads=1)
    largest = dict.fromkeys(TOLERANCES["float64"], 0.0)
    atoms = structures()
    for periodic in (True, False):
        batch = {key: each for key, each in atoms.items() if each.pbc.all() == periodic}
        ours = potential.evaluate(list(batch.values()), stress=periodic, atom_energies=True, descriptors=True)
        for k, (key, each) in enumerate(batch.items()):
            theirs = {what: np.array(value) for what, value in expected(name)["results"][head][key].items()}
            features = scalars(theirs["node_features"], shape["n_interactions"], shape["channels"], shape["hidden_l"])
            compared = {
                "energy": (ours.energies[k] / len(each), theirs["energy"] / len(each)),
                "atom_energies": (ours.atom_energies[k], theirs["atom_energies"]),
                "forces": (ours.forces[k], theirs["forces"]),
                "stress": (ours.stresses[k], theirs["stress"]) if periodic else (0.0, 0.0),
                "features": (ours.descriptors[k], features),
            }
            for what, (our, their) in compared.items():
                share = float(np.abs(our - their).max() / max(1.0, np.abs(their).max()))
                largest[what] = max(largest[what], share)
    return largest


def test_the_cases_are_there():
    assert len(cases()) >= 28
    assert len(structures()) == 5


@pytest.mark.parametrize(("name", "head"), cases())
def test_an_imported_model_says_what_mace_torch_says(name, head, tmp_path):
    if not tamiz._tamiz.torch_version:
        pytest.skip("this build has no LibTorch")

    found = differences(name, head, tmp_path)

    for what, tolerance in TOLERANCES[expected(name)["dtype"]].items():
        assert found[what] < tolerance, what


@pytest.mark.parametrize("name", ["mp_0a_medium", "mpa_0", "heads"])
def test_forces_are_large_enough_to_tell_models_apart(name):
    forces = [result["forces"] for each in expected(name)["results"].values() for result in each.values()]

    assert max(np.abs(force).max() for force in forces) > 0.5


def test_the_card_says_where_a_model_comes_from(tmp_path):
    info = tamiz.model_info(imported("mpa_0", tmp_path, card={"level": "PBE", "licence": "MIT"}))

    assert info["card"]["name"] == "mpa_0"
    assert info["card"]["created_by"] == "imported from mace-torch (ScaleShiftMACE)"
    assert len(info["card"]["source_hash"]) == 32
    assert info["card"]["level"] == "PBE" and info["card"]["licence"] == "MIT"
    assert len(info["description"]["elements"]) == 89
    assert info["description"]["blocks"] == ["RealAgnosticDensity", "RealAgnosticDensityResidual"]
    assert (info["description"]["n_members"], info["description"]["radial_nodes"]) == (1, 0)


def test_an_import_gives_the_same_bytes_again(tmp_path):
    first = imported("density", tmp_path).read_bytes()

    assert imported("density", tmp_path).read_bytes() == first


def test_of_several_heads_one_is_chosen(tmp_path):
    chosen = tamiz.model_info(imported("heads", tmp_path))

    assert (chosen["card"]["head"], chosen["card"]["heads"]) == ("Default", "pt_head, Default, dft")
    with pytest.raises(tamiz.CapabilityError, match="no head 'dff', expected one of pt_head, Default, dft; did you mean dft"):
        imported("heads", tmp_path, head="dff")


def test_a_committee_is_not_invented(tmp_path):
    if not tamiz._tamiz.torch_version:
        pytest.skip("this build has no LibTorch")
    potential = tamiz.load(imported("scalar_plain", tmp_path))

    with pytest.raises(tamiz.CapabilityError, match="no committee"):
        potential.evaluate(structures()["molecule"], uncertainty=True)


def print_table():
    print("| model | head | dtype | energy [eV/atom] | forces [eV/Å] | stress [eV/Å³] | features |")
    print("|---|---|---|---|---|---|---|")
    for name, head in cases():
        with tempfile.TemporaryDirectory() as folder:
            found = differences(name, head, folder)
        numbers = " | ".join(f"{found[what]:.0e}" for what in ("energy", "forces", "stress", "features"))
        print(f"| `{name}` | {head} | {expected(name)['dtype']} | {numbers} |")


if __name__ == "__main__":
    print_table()
