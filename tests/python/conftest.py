"""Before NumPy is imported: threads of OpenBLAS that wait for one another take seconds where other tests run beside."""

import os
import signal

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def interruptible():
    """Ctrl-C works in the tests even where they run in the background of a shell, which lets programs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
