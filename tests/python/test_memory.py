"""What an evaluation takes of the memory, and how it is bounded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ase.io import write

import tamiz
from support import MODEL, TAMIZ, silicon

# A process of its own: the peak of this one has other tests in it.
EVALUATE = """
import json, sys, zlib
import tamiz
from support import MODEL, silicon

def peak():
    # Not ru_maxrss: that begins with what the parent took.
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))

atoms = silicon(repeat=2, rattle=0.05) * (1, 1, 150)
potential = tamiz.load(MODEL, threads=1, **json.loads(sys.argv[1]))
before = peak()
p = potential.evaluate(atoms, forces=True, stress=True)
after = peak()
bits = zlib.crc32(p.forces[0].tobytes() + p.stresses.tobytes() + p.energies.tobytes())
print(json.dumps({"bits": bits, "bytes": after - before, "n_atoms": len(atoms)}))
"""


def evaluate(**options):
    command = [sys.executable, "-c", EVALUATE, json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_a_bound_on_memory_changes_no_bit():
    free, said = evaluate()
    bound, _ = evaluate(memory="60MiB")

    assert free["bits"] == bound["bits"]
    assert "granted" not in said
    assert bound["bytes"] < 0.75 * free["bytes"], (free, bound)


def test_a_bound_that_cannot_be_kept_is_said():
    _, said = evaluate(memory="1MiB")

    assert "a structure of 9600 atoms takes about" in said and "more than the 1.0 MiB that are granted" in said


def test_an_amount_that_is_none_is_wrong_use(tmp_path):
    write(tmp_path / "si.xyz", silicon())
    done = subprocess.run([TAMIZ, "relax", MODEL, tmp_path / "si.xyz", "-o", tmp_path / "out.xyz", "--memory", "much"],
                          capture_output=True, text=True)

    assert done.returncode == 2
    assert "'much' is no amount of memory: expected a number and a unit, as 2GiB or 500MB" in done.stderr
    with pytest.raises(tamiz.errors.FormatError, match="'much' is no amount of memory"):
        tamiz.load(MODEL, memory="much")
