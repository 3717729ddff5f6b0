"""Archives written by Tamiz are read by h5py, as their description says, also in one process with Tamiz."""

import subprocess
import sys

import ase.io
import numpy as np
import pytest

from support import BUILD, ROOT

h5py = pytest.importorskip("h5py")
GOLDEN = ROOT / "tests" / "core" / "io" / "golden" / "labelled.xyz"
TAMIZ = BUILD / "bin" / "tamiz"


def frames_of(path) -> list[dict]:
    """Every frame by way of the index, the way that core/io/archive.hpp describes."""
    with h5py.File(path) as file:
        assert file.attrs["format"].decode() == "tamiz archive"
        assert file.attrs["version"] == 1
        frames = []
        for block, _ in file["index"][:]:
            if not block:
                break
            for reference, check in file[block][:]:
                if not reference and check == 0:
                    break
                group = file[reference]
                frames.append(dict(group.attrs) | {name: group[name][()] for name in group if name != "arrays"})
        return frames


@pytest.fixture
def archive(tmp_path):
    done = subprocess.run([TAMIZ, "convert", GOLDEN, tmp_path / "frames.h5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tmp_path / "frames.h5"


def test_h5py_reads_what_was_labelled(archive):
    frames = frames_of(archive)
    expected = ase.io.read(GOLDEN, ":")

    assert len(frames) == len(expected) == 4
    for frame, atoms in zip(frames, expected):
        assert np.array_equal(frame["numbers"], atoms.numbers)
        assert np.array_equal(frame["positions"], atoms.positions)
        assert np.array_equal(frame["cell"].reshape(3, 3), atoms.cell.array)
        assert np.array_equal(frame["pbc"] != 0, atoms.pbc)
        assert frame["energy"] == [atoms.get_potential_energy()]
        assert np.array_equal(frame["forces"], atoms.get_forces())
        assert ("stress" in frame) == ("stress" in atoms.calc.results)


def test_an_archive_converts_back_to_the_same_text(archive, tmp_path):
    for source, target in ((archive, "by_archive.xyz"), (GOLDEN, "directly.xyz")):
        subprocess.run([TAMIZ, "convert", source, tmp_path / target, "--quiet"], check=True)

    assert (tmp_path / "by_archive.xyz").read_text() == (tmp_path / "directly.xyz").read_text()


def test_an_altered_archive_fails_with_the_frame(archive, tmp_path):
    bytes_ = bytearray(archive.read_bytes())
    at = bytes_.find(ase.io.read(GOLDEN, 2).get_forces().tobytes()[:16])
    assert at > 0
    bytes_[at] ^= 1
    archive.write_bytes(bytes_)

    done = subprocess.run([TAMIZ, "info", archive], capture_output=True, text=True)

    assert done.returncode == 1
    assert "frame 2: checksum" in done.stderr


@pytest.mark.parametrize("order", ["import h5py, tamiz", "import tamiz, h5py"])
def test_both_libraries_live_in_one_process(archive, order):
    if not list((ROOT / "python" / "tamiz").glob("_tamiz*.so")):
        pytest.skip("the Python module is not built")
    script = f"{order}\nf = tamiz.read({str(archive)!r})\nassert len(f) == 4\nh5py.File({str(archive)!r})['index'][:]\nprint('both')"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.stdout.strip() == "both", done.stderr
