"""tamiz and torch in one process: in any order of import, with one LibTorch, and only where it is needed."""

import subprocess
import sys
import types

import pytest

import tamiz
import tamiz._torch
from support import MODEL, STILLINGER_WEBER, silicon

BUILT_WITH_TORCH = bool(tamiz._tamiz.torch_version)
needs_model = pytest.mark.skipif(not (MODEL.exists() and BUILT_WITH_TORCH),
                                 reason="no model is shipped, or LibTorch is not built here")

EVALUATE = f"""
model = tamiz.load({str(MODEL)!r}, threads=1, engine="torch")
structure = tamiz.Structure(["Si", "Si"], [[0, 0, 0], [1.36, 1.36, 1.36]], [[0, 2.7, 2.7], [2.7, 0, 2.7], [2.7, 2.7, 0]])
print(repr(float(model.evaluate(structure, stress=True).energies[0])))
"""
GRADIENT = """
x = torch.ones(3, requires_grad=True)
(x * x).sum().backward()
assert x.grad.tolist() == [2.0, 2.0, 2.0]
"""
LIBRARIES = """
print(len({line.split()[-1] for line in open("/proc/self/maps") if "libtorch_cpu" in line}))
"""


def run(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


ORDERS = {
    "without torch": "import tamiz\n" + EVALUATE + LIBRARIES,
    "torch first": "import torch\nimport tamiz\n" + GRADIENT + EVALUATE + GRADIENT + LIBRARIES,
    "torch after tamiz": "import tamiz\nimport torch\n" + GRADIENT + EVALUATE + GRADIENT + LIBRARIES,
    "torch after a model": "import tamiz\n" + EVALUATE.replace("print", "str") + "import torch\n" + GRADIENT + EVALUATE + LIBRARIES,
}


@needs_model
def test_every_order_of_import_gives_the_same_energy_and_one_libtorch():
    results = {order: run(script) for order, script in ORDERS.items()}

    assert len({energy for energy, _ in results.values()}) == 1, results
    assert all(count == "1" for _, count in results.values()), results


def test_a_classical_potential_does_not_load_libtorch():
    script = f"import tamiz\ntamiz.load({str(STILLINGER_WEBER)!r})\n" + LIBRARIES

    assert run(script) == ["0"]


@needs_model
def test_a_model_on_the_cpu_does_not_load_libtorch_and_gives_the_same_energy():
    fused, count = run("import tamiz\n" + EVALUATE.replace('engine="torch"', "") + LIBRARIES)
    torch, _ = run("import tamiz\n" + EVALUATE + LIBRARIES)

    assert count == "0"
    assert float(fused) == pytest.approx(float(torch), abs=1e-4)


@pytest.mark.skipif(not BUILT_WITH_TORCH, reason="LibTorch is not built here")
def test_another_version_of_torch_is_refused_before_it_is_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(__version__="1.4.0"))

    with pytest.raises(tamiz.CapabilityError, match=r"torch 1\.4\.0.*install torch=="):
        tamiz.load(MODEL, engine="torch")
    assert tamiz.load(STILLINGER_WEBER).evaluate(silicon()).energies[0] < 0


def test_builds_of_one_release_count_as_one_version(monkeypatch):
    release = tamiz._tamiz.torch_version.split("+")[0] or "2.13.0"
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(__version__=release + "+cu130"))

    tamiz._torch.require_matching_torch()


@needs_model
@pytest.mark.parametrize("device", ["gpu", "meta", "cuda:77"])
def test_a_device_that_cannot_be_used_is_named(device):
    with pytest.raises(tamiz.CapabilityError, match=f"'{device}'"):
        tamiz.load(MODEL, device=device)
    with pytest.raises(tamiz.CapabilityError, match=device):
        tamiz.load(MODEL, device=device, engine="fused")


@needs_model
def test_the_loaded_libtorch_is_the_one_tamiz_was_built_with():
    assert tamiz._tamiz.loaded_torch_version().split("+")[0] == tamiz._tamiz.torch_version.split("+")[0]
