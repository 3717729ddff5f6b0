"""The package in a prefix (`cmake --install`) and in an environment (a wheel), away from the source tree."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from support import BUILD, MODEL, ROOT

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
HAS_MODEL = MODEL.exists() and (BUILD / "lib" / "libtamiz_torch.so").exists()
HAS_BABEL = (BUILD / "bin" / "tamiz-babel").exists()
SCRIPT = f"""
import pathlib, tamiz, tempfile
data = tamiz.data_directory()
file = data / ("models/ca-mg-si-n.safetensors" if {HAS_MODEL} else "potentials/stillinger-weber-si.toml")
structure = tamiz.Structure(["Si", "Si"], [[0, 0, 0], [1.36, 1.36, 1.36]], [[0, 2.7, 2.7], [2.7, 0, 2.7], [2.7, 2.7, 0]])
energy = tamiz.load(file).evaluate(structure).energies[0]
assert -12 < energy < -8, energy
if {HAS_BABEL}:
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "water.smi"
        file.write_text("O water\\n")
        assert tamiz.read_structure(file).formula in ("H2O", "OH2")
print(tamiz.__file__, data, sep="\\n")
print(*{{line.split()[-1] for line in open("/proc/self/maps") if "libtamiz" in line}}, sep="\\n")
"""


def call(command, **environment):
    """A program that is told nothing of the source tree, after it ended."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TAMIZ", "PYTHON"))}
    return subprocess.run(command, env=kept | environment, cwd="/", capture_output=True, text=True, timeout=300)


def run(command, **environment):
    done = call(command, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def doctor(program):
    """What `tamiz doctor` says; its exit code tells whether everything is there."""
    return json.loads(call([program, "doctor", "--json", "-"]).stdout)


def check_installed(python, program, root, **environment):
    """The package comes from below `root` with its libraries and its data, and so does the program."""
    environment["LD_LIBRARY_PATH"] = str(BUILD / "lib")  # a foreign copy that must not be taken
    lines = run([python, "-c", SCRIPT], **environment).splitlines()
    assert len(lines) >= 5
    assert all(line.startswith(str(root)) for line in lines), lines
    assert run([program, "--version"], **environment).startswith("0.")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True, timeout=300)
    return prefix


def test_a_prefix_is_complete_by_itself(prefix):
    packages = next((prefix / "lib").glob("python3.*/site-packages"))

    check_installed(sys.executable, prefix / "bin" / "tamiz", prefix, PYTHONPATH=str(packages))


def test_a_prefix_can_be_moved(prefix, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(prefix, moved, symlinks=True)
    packages = next((moved / "lib").glob("python3.*/site-packages"))

    check_installed(sys.executable, moved / "bin" / "tamiz", moved, PYTHONPATH=str(packages))


def test_a_prefix_has_what_other_programs_compile_against(prefix):
    headers = {path.relative_to(prefix / "include" / "tamiz").as_posix() for path in prefix.rglob("include/**/*.hpp")}

    assert {"core/simulation/potential.hpp", "potentials/engine/load.hpp", "screening/campaign/campaign.hpp"} <= headers
    assert not any(header.startswith("potentials/torch") for header in headers)
    assert list(prefix.glob("lib*/**/cmake/Tamiz/TamizConfig.cmake"))


@pytest.fixture
def build_cache():
    """pip builds in the same folder; what it tells CMake is forgotten again."""
    cache = BUILD / "CMakeCache.txt"
    before = cache.read_bytes()
    yield
    cache.write_bytes(before)
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD], check=True, capture_output=True, timeout=300)


def environment_with_the_same_packages(folder):
    """A virtual environment that has every package of this one but tamiz."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    packages = next((folder / "lib").glob("python3.*/site-packages"))
    for entry in SITE_PACKAGES.iterdir():
        if not entry.name.startswith("tamiz") and entry.suffix != ".pth":
            (packages / entry.name).symlink_to(entry)
    return folder / "bin" / "python"


def test_a_wheel_is_complete_by_itself(build_cache, tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--no-build-isolation", "--no-deps", "--no-index", "-q"]
    subprocess.run([*pip, "wheel", *options, "-w", tmp_path, "-C", f"build-dir={BUILD}", ROOT], check=True, timeout=900)
    python = environment_with_the_same_packages(tmp_path / "environment")
    [wheel] = tmp_path.glob("tamiz-*.whl")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", "-q", wheel], check=True, timeout=300)

    check_installed(python, tmp_path / "environment" / "bin" / "tamiz", tmp_path / "environment")
    parts = doctor(tmp_path / "environment" / "bin" / "tamiz")
    built = {"LibTorch engine (MACE)": "lib/libtamiz_torch.so", "Open Babel program": "bin/tamiz-babel"}
    assert parts["shipped data"]["ok"]
    assert all(parts[part]["ok"] == (BUILD / file).exists() for part, file in built.items())
    assert str(python) in parts["DFT workers"]["found"] + parts["DFT workers"]["fix"]
