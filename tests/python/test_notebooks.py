"""Every notebook runs from top to bottom."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import small_campaign
import tamiz
from support import EXAMPLE_RUN, ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """Makes the shipped example, or where it is not shipped a campaign of seconds, what the notebooks open."""
    if EXAMPLE_RUN.exists():
        yield
        return
    if small_campaign.MISSING:
        pytest.skip(f"neither {EXAMPLE_RUN} nor what a small campaign needs is shipped: {small_campaign.MISSING}")
    with small_campaign.SmallCampaign(tmp_path_factory.mktemp("example")) as small:
        small.label_competing()
        assert tamiz.Campaign.start(small.config, small.data / "runs" / EXAMPLE_RUN.name).run()
        yield


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_to_its_end(path, example, tmp_path):
    # In a process of its own: the sockets to the kernel can hold a process up when it ends.
    copy = Path(shutil.copy(path, tmp_path))
    execute = [Path(sys.executable).with_name("jupyter-execute"), "--inplace", "--timeout=300", "--kernel_name=python3"]
    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "OPENBLAS_NUM_THREADS": "1"}

    done = subprocess.run([*execute, copy], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600)

    assert done.returncode == 0, done.stdout[-4000:]
    notebook = nbformat.read(copy, as_version=4)
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    pictures = sum("image/png" in output.get("data", {}) for cell in codes for output in cell.outputs)
    assert all(cell.execution_count for cell in codes)
    assert pictures >= 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)

    assert not any(cell.get("outputs") for cell in notebook.cells)
