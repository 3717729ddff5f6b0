"""Every error of the C++ side arrives under its own name, and as the built-in that one would catch."""

import re
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

import tamiz
import tamiz.errors
from support import MODEL, ROOT, STILLINGER_WEBER, silicon


def test_the_names_are_those_of_the_header():
    header = (ROOT / "core" / "base" / "error.hpp").read_text()
    in_header = re.findall(r"class (\w+Error|Error) :", header)

    assert len(in_header) == 10
    assert sorted(in_header) == sorted(tamiz.errors.__all__)
    assert all(issubclass(getattr(tamiz, name), tamiz.Error) for name in in_header)


def overlapping():
    return tamiz.Structure(["Si"], [[0.0, 0.0, 0.0]], np.zeros((3, 3)), [True] * 3)


CASES = {
    "missing file": (lambda folder: tamiz.read(folder / "no.xyz"), tamiz.FileError, OSError, "no.xyz"),
    "malformed file": (lambda folder: tamiz.read(folder / "bad.xyz"), tamiz.FormatError, ValueError, r"bad\.xyz:"),
    "wrong shape": (lambda folder: tamiz.Structure(["Si"], [[0.0, 0.0]]), tamiz.ShapeError, ValueError, r"\(1, 2\)"),
    "bad element": (lambda folder: tamiz.Structure(["Sj"], [[0.0] * 3]), tamiz.SpeciesError, ValueError, "did you mean"),
    "bad format": (lambda folder: tamiz.read(folder / "a.nope"), tamiz.CapabilityError, NotImplementedError, "extxyz"),
    "flat cell": (lambda folder: overlapping(), tamiz.NumericsError, ArithmeticError, "volume"),
    "foreign element": (lambda folder: tamiz.load(STILLINGER_WEBER).evaluate(bulk("Cu")), tamiz.SpeciesError, ValueError, "Cu"),
    "no committee": (lambda folder: tamiz.load(STILLINGER_WEBER).evaluate(silicon(), uncertainty=True),
                     tamiz.CapabilityError, NotImplementedError, "committee"),
    "bad timestep": (lambda folder: tamiz.md(silicon(), tamiz.load(STILLINGER_WEBER), 1, timestep=-1.0),
                     tamiz.UnitError, ValueError, "timestep|time step"),
    "bad oracle": (lambda folder: tamiz.label(silicon(), folder / "l.tz", oracle="/no/such/program"),
                   tamiz.OracleError, RuntimeError, "no/such/program"),
    "not a run": (lambda folder: tamiz.Campaign.open(folder), tamiz.FileError, OSError, "not a run folder"),
}


@pytest.mark.parametrize("case", CASES)
def test_misuse_raises_the_error_that_fits(case, tmp_path):
    (tmp_path / "bad.xyz").write_text('2\nLattice="1 0 0 0 1 0 0 0 x"\nSi 0 0 0\nSi 1 1 1\n')
    (tmp_path / "a.nope").write_text("")
    call, error, builtin, words = CASES[case]

    with pytest.raises(error, match=words) as caught:
        call(tmp_path)

    assert isinstance(caught.value, builtin) and isinstance(caught.value, tamiz.Error)
    assert str(caught.value)[0].islower() or not str(caught.value)[0].isalpha() or case == "foreign element"
    assert not str(caught.value).endswith(".")


@pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not shipped")
def test_an_altered_model_is_refused(tmp_path):
    content = bytearray(Path(MODEL).read_bytes())
    content[-100] ^= 1
    (tmp_path / "altered.safetensors").write_bytes(content)

    with pytest.raises(tamiz.FormatError, match="checksum"):
        tamiz.load(tmp_path / "altered.safetensors")


@pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not shipped")
def test_a_truncated_model_is_refused(tmp_path):
    (tmp_path / "short.safetensors").write_bytes(Path(MODEL).read_bytes()[:-1000])

    with pytest.raises(tamiz.FormatError):
        tamiz.load(tmp_path / "short.safetensors")
