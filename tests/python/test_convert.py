"""ASE reads what `tamiz convert` writes, in every format of the core."""

import json
import subprocess
from pathlib import Path

import ase.io
import numpy as np
import pytest

from support import BUILD, ROOT

GOLDEN = ROOT / "tests" / "core" / "io" / "golden"
TAMIZ = BUILD / "bin" / "tamiz"


def convert(source: Path, target: Path, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run([TAMIZ, "convert", source, target, "--quiet", *options], capture_output=True, text=True)


@pytest.mark.parametrize("target, form", [("out.xyz", "extxyz"), ("out.cif", "cif"), ("POSCAR", "vasp")])
@pytest.mark.parametrize("source", ["triclinic.cif", "POSCAR_cartesian", "corundum_symmetry.cif", "left_handed.vasp"])
def test_ase_reads_the_same_crystal(tmp_path, source, target, form):
    before = ase.io.read(GOLDEN / source, format=None if source.endswith("cif") else "vasp")

    done = convert(GOLDEN / source, tmp_path / target)

    assert done.returncode == 0, done.stderr
    after = ase.io.read(tmp_path / target, format=form)
    assert sorted(after.get_chemical_symbols()) == sorted(before.get_chemical_symbols())
    assert after.cell.cellpar() == pytest.approx(before.cell.cellpar(), abs=1e-6)
    # All distances between atoms, whatever their order, origin and the orientation of the cell.
    assert np.sort(after.get_all_distances(mic=True), axis=None) == pytest.approx(
        np.sort(before.get_all_distances(mic=True), axis=None), abs=1e-3)


def test_ase_reads_the_labels(tmp_path):
    before = ase.io.read(GOLDEN / "labelled.xyz", ":")

    assert convert(GOLDEN / "labelled.xyz", tmp_path / "again.extxyz").returncode == 0

    after = ase.io.read(tmp_path / "again.extxyz", ":")
    assert len(after) == len(before) == 4
    for one, other in zip(before, after):
        assert other.get_potential_energy() == one.get_potential_energy()
        assert other.calc.results.get("free_energy") == one.calc.results.get("free_energy")
        assert np.array_equal(other.get_forces(), one.get_forces())
        assert np.array_equal(other.pbc, one.pbc)
        if "stress" in one.calc.results:
            assert other.get_stress() == pytest.approx(one.get_stress(), abs=1e-12)


def test_a_broken_file_is_an_error_with_its_line(tmp_path):
    (tmp_path / "broken.xyz").write_text("2\n\nSi 0 0 0\nSj 0 0 1\n")

    done = convert(tmp_path / "broken.xyz", tmp_path / "out.cif")

    assert done.returncode == 1
    assert f"{tmp_path}/broken.xyz:4: unknown element 'Sj'" in done.stderr
    assert not (tmp_path / "out.cif").exists()


def test_info_counts_frames_and_labels(tmp_path):
    done = subprocess.run([TAMIZ, "info", GOLDEN / "labelled.xyz", "--json", tmp_path / "info.json", "--quiet"], capture_output=True)

    assert done.returncode == 0
    info = json.loads((tmp_path / "info.json").read_text())
    assert info["frames"] == 4
    assert info["labels"] == {"energy": 4, "free_energy": 3, "forces": 4, "stress": 3}
