"""A project of somebody else, compiled against an installed Tamiz and run."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from support import BUILD, ROOT
from test_install import call, run

CONSUMER = ROOT / "tests" / "consumer"


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Folder of the consumer's programs, built against a prefix and away from the source tree."""
    folder = tmp_path_factory.mktemp("consumer")
    prefix, source, build = folder / "prefix", folder / "source", folder / "build"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True, timeout=300)
    shutil.copytree(CONSUMER, source)
    run(["cmake", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", build])
    return build


def switched_lennard_jones(a: float) -> float:
    """Energy per atom of a face-centred cubic crystal [eV] by a plain sum, with the parameters of the shipped file."""
    epsilon, sigma, cutoff, width = 0.010323565, 3.405, 8.5125, 1.0
    n = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3), axis=-1).reshape(-1, 3)
    n = n[(n.sum(axis=1) % 2 == 0) & n.any(axis=1)]
    r = 0.5 * a * np.linalg.norm(n, axis=1)
    r = r[r < cutoff]
    t = np.clip((r - (cutoff - width)) / width, 0.0, 1.0)
    return 0.5 * np.sum(4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6) * (1 - 10 * t**3 + 15 * t**4 - 6 * t**5))


def test_a_crystal_relaxes_to_the_minimum_of_a_plain_sum(programs):
    expected = minimize_scalar(switched_lennard_jones, bounds=(5.0, 5.6), method="bounded", options={"xatol": 1e-10})

    lattice_constant, energy = map(float, run([programs / "relax_argon"]).split())

    assert lattice_constant == pytest.approx(expected.x, abs=1e-5)
    assert energy == pytest.approx(expected.fun, abs=1e-7)


def test_core_alone_reads_a_structure(programs):
    file = ROOT / "tests" / "core" / "io" / "golden" / "wurtzite.cif"

    assert run([programs / "read_structure", file]).split()[1] == "186"


def test_errors_keep_their_type_across_the_library(programs, tmp_path):
    file = tmp_path / "broken.xyz"
    file.write_text("2\n\nSi 0 0 0\n")

    done = call([programs / "read_structure", file])

    assert done.returncode == 3 and f"{file}:" in done.stderr


def test_screening_brings_its_shipped_data(programs):
    assert run([programs / "propose_crystals"]).strip() == "2"


def test_nothing_comes_from_the_build_tree(programs):
    prefix = str(programs.parent / "prefix")

    for program in ("relax_argon", "read_structure", "propose_crystals"):
        libraries = [line.split()[2] for line in run(["ldd", programs / program]).splitlines() if "libtamiz" in line]
        assert libraries and all(Path(library).is_relative_to(prefix) for library in libraries)
