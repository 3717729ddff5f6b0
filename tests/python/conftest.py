"""What all tests in Python share."""

import signal

import pytest


@pytest.fixture(autouse=True)
def interruptible():
    """Ctrl-C works in the tests even where they run in the background of a shell, which lets programs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
