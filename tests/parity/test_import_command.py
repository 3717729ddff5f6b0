"""`tamiz import`: what it writes, what it says, and how it ends."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import tamiz

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TAMIZ_BUILD_DIR", ROOT / "build")).resolve()
CHECKPOINT = ROOT / "tests" / "fuzz" / "corpus" / "heads.model"
DONE, FAILED, WRONG_USE = 0, 1, 2


def tamiz_import(*arguments):
    return subprocess.run([BUILD / "bin" / "tamiz", "import", *map(str, arguments)], capture_output=True, text=True)


def test_the_command_and_the_package_write_the_same_model(tmp_path):
    card = {"level": "PBE", "licence": "a = b"}

    done = tamiz_import(CHECKPOINT, "-o", tmp_path / "a.safetensors", "--head", "b", "--card", "level=PBE",
                        "--card", "licence=a = b", "--json", tmp_path / "result.json")
    tamiz.import_mace(CHECKPOINT, tmp_path / "b.safetensors", head="b", card=card)

    assert done.returncode == DONE, done.stderr
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert json.loads((tmp_path / "result.json").read_text())["card"].items() >= card.items()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((CHECKPOINT,), FAILED, "has the heads a, b: choose one"),
        ((CHECKPOINT, "--head", "c"), FAILED, "no head 'c', expected one of a, b"),
        ((CHECKPOINT, "--card", "level"), WRONG_USE, "expected key=value"),
        (("missing.model",), WRONG_USE, "missing.model"),
        ((ROOT / "README.md",), FAILED, "README.md: not a zip archive"),
    ],
    ids=["no head", "unknown head", "card without a value", "no file", "another file"],
)
def test_what_cannot_be_imported_leaves_no_model(arguments, code, said, tmp_path):
    done = tamiz_import(*arguments, "-o", tmp_path / "model.safetensors")

    assert done.returncode == code
    assert said in done.stderr
    assert not (tmp_path / "model.safetensors").exists()
