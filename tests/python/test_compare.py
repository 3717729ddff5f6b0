"""tests/bench/compare.py times Tamiz beside other programs, and refuses to time who calculates something else.

The peers are those whose environments lie in $TAMIZ_PEERS or build/peers; without any, Tamiz's two engines stand beside each other.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tamiz
from support import BUILD, ROOT

PROGRAM = ROOT / "tests" / "bench" / "compare.py"
PEERS = Path(os.environ.get("TAMIZ_PEERS", BUILD / "peers"))
sys.path.insert(0, str(PROGRAM.parent))

from comparison import agreement, environments, report, training, works  # noqa: E402

pytestmark = pytest.mark.skipif(not tamiz._tamiz.torch_version, reason="a comparison of engines needs LibTorch")

DISAGREEING = """
import sys
from serving import serve
from worker_tamiz import Tamiz

class Disagreeing(Tamiz):
    def evaluate(self, held, positions):
        energy, forces, stress = super().evaluate(held, positions)
        return energy + {energy} * len(held), forces * {forces}, stress

if __name__ == "__main__":
    serve(Disagreeing("fused"))
"""


def compare(folder, *arguments, work=None):
    """Result, table and messages of a quick run."""
    command = [sys.executable, PROGRAM, "--quick", "--existing", "--envs", PEERS, "--build", BUILD,
               "--work-dir", work or folder / "work", "-o", folder / "result.json", *arguments]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "result.json").read_text()), done.stdout, done.stderr


def present_peers():
    return [peer for peer, name in {"mace": "mace", "torchsim": "mace", "symmetrix": "symmetrix"}.items()
            if not environments.missing(PEERS / name, environments.wanted(name))]


def test_both_engines_are_timed_on_what_they_agree_on(tmp_path):
    result, table, said = compare(tmp_path, "--peers", "", "--engine", "fused,torch", "--work", "si64,relax")

    [model] = result["models"]
    assert result["format"] == 1 and result["quick"] and result["basis"] == "cpu"
    assert result["machine"]["tamiz"]["version"].startswith(tamiz.__version__)
    assert set(model["works"]) == {"si64", "relax"} and model["refused"] == {}
    for item in model["works"].values():
        assert set(item["readings"]) == {"tamiz-fused", "tamiz-torch"}
        assert item["agreement"]["largest_force"] > 0.01, "forces too small to compare"
        for name, found in item["agreement"]["differences"].items():
            assert agreement.objection(found) == "", name
        for readings in item["readings"].values():
            assert len(readings["wall"]) == len(readings["cpu"]) == 1
            assert all(seconds > 0 for turn in readings["wall"] for seconds in turn)
    assert len(result["table"]) == 4 and table.count("Tamiz, LibTorch engine") >= 2
    assert "repeat 1 of 1" in said


@pytest.mark.skipif(not present_peers(), reason="no environment of a peer is in $TAMIZ_PEERS or build/peers")
def test_peers_that_are_there_agree_and_are_timed(tmp_path):
    peers = present_peers()

    # The peers' models are kept, as making them takes longer than the rest.
    result, _, _ = compare(tmp_path, "--peers", ",".join(peers), "--work", "si64", "--hidden-l", "0", work=BUILD / "compare-test")

    [model] = result["models"]
    assert model["refused"] == {}
    for item in model["works"].values():
        assert set(item["readings"]) == {"tamiz-fused", *peers}


@pytest.mark.parametrize(("wrong", "quantity"), [({"energy": 1e-4, "forces": 1.0}, "energy"), ({"energy": 0.0, "forces": 1.01}, "forces")],
                         ids=["energy", "forces"])
def test_a_code_that_disagrees_is_not_timed(wrong, quantity, tmp_path):
    worker = tmp_path / "worker.py"
    worker.write_text(DISAGREEING.format(**wrong))

    result, table, _ = compare(tmp_path, "--peers", "", "--work", "si64", "--also", f"wrong={worker}")

    [model] = result["models"]
    assert model["refused"]["wrong"].startswith(f"{quantity} differs by")
    assert set(model["works"]["si64"]["readings"]) == {"tamiz-fused"}
    assert "- wrong, L = 0, is refused: " in table


def test_a_worker_that_ends_costs_only_its_own_row(tmp_path):
    worker = tmp_path / "worker.py"
    worker.write_text("raise SystemExit('nothing to serve')\n")

    result, _, _ = compare(tmp_path, "--peers", "", "--work", "si64", "--also", f"gone={worker}")

    [model] = result["models"]
    assert "nothing to serve" in model["refused"]["gone"]
    assert set(model["works"]["si64"]["readings"]) == {"tamiz-fused"}


def test_what_is_absent_is_said_with_its_reason(tmp_path):
    empty = tmp_path / "nothing"

    result, table, _ = compare(tmp_path, "--envs", empty, "--peers", "mace", "--work", "si64,train", "--data", empty)

    assert "mace-torch" in result["absent"]["mace"]
    assert "- mace takes no part: " in table
    assert "- training was skipped: no mlearn_Si_train.xyz" in table


def test_an_environment_that_cannot_be_made_says_why(tmp_path):
    python = environments.python_of(tmp_path / "mace")
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho 'WARNING: retrying' >&2\necho 'ERROR: no matching distribution' >&2\nexit 1\n")
    python.chmod(0o755)

    with pytest.raises(environments.Absent, match="the installation failed: ERROR: no matching distribution"):
        environments.ensure("mace", tmp_path / "mace", True, lambda text: None)


def test_differences_that_are_not_numbers_are_no_agreement():
    nothing = float("nan")

    assert "energy" in agreement.objection({"energy": nothing, "forces": 0.0, "stress": 0.0})


def test_a_row_holds_least_and_median_and_the_ratio_of_medians():
    readings = {"cpu": [[2e-6, 4e-6], [3e-6]], "wall": [[5e-6, 6e-6], [7e-6]]}
    own = {"cpu": [[1e-6]], "wall": [[1e-6]]}

    rows = report.with_ratios([report.row("w", "Tamiz", "µs", 1e6, own, "cpu"), report.row("w", "other", "µs", 1e6, readings, "cpu")],
                              "Tamiz")

    other = rows[1]
    assert (other["least"], other["median"], other["n"]) == pytest.approx((2.0, 3.0, 3))
    assert other["spread"] == pytest.approx(2.0 / 3.0) and other["least_wall"] == pytest.approx(5.0)
    assert other["ratio"] == pytest.approx(3.0)


def test_structures_have_the_stated_sizes():
    relaxing = works.full("relax", 20)
    sizes = [len(structure["numbers"]) for structure in relaxing.structures]

    assert len(sizes) == 24 and min(sizes) == 2 and max(sizes) == 16
    assert relaxing.units == sum(sizes) * 21
    assert works.full("si512", 20).units == 512


def test_training_frames_fill_batches(tmp_path):
    frame = "2\nLattice=\"5 0 0 0 5 0 0 0 5\"\nSi 0 0 0\nSi 1 1 1\n"
    (tmp_path / training.DATA).write_text(frame * 15)

    frames = training.training_set(tmp_path, tmp_path / "out", atoms=19)

    assert (frames.n_frames, frames.n_atoms) == (8, 16)
    assert frames.train.read_text() == frame * 8 and frames.validation.read_text() == frame * 4
