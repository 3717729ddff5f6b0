"""Long calls leave the interpreter to others, and end when Ctrl-C is pressed."""

import os
import signal
import threading
import time

import pytest

import tamiz
from support import MODEL, STILLINGER_WEBER, silicon


@pytest.fixture(scope="module")
def potential():
    return tamiz.load(STILLINGER_WEBER)


def ticks_during(call):
    """How often another thread could run while `call` did, and how long that took [s]."""
    ticks, done = 0, threading.Event()

    def tick():
        nonlocal ticks
        while not done.wait(0.005):
            ticks += 1

    other = threading.Thread(target=tick, daemon=True)
    other.start()
    try:
        begin = time.monotonic()
        call()
        duration = time.monotonic() - begin
    finally:  # a thread that ticks for ever would keep the process from ending
        done.set()
        other.join()
    return ticks, duration


def sized_call(name, potential, size):
    """One call whose work grows with `size`; what it needs is made beforehand."""
    if name == "evaluate":
        many = [tamiz.to_structure(silicon(3, rattle=0.1, seed=k)) for k in range(8)] * 8 * size
        return lambda: potential.evaluate(many)
    if name == "relax":
        start = silicon(3, rattle=0.2)
        return lambda: tamiz.relax(start, potential, fmax=1e-15, smax=1e-18, max_steps=1000 * size)
    if name == "md":
        return lambda: tamiz.md(silicon(3), potential, 1000 * size, every=1000 * size)
    large = tamiz.to_structure(silicon(3 + size))
    return large.space_group


def ticks_of_a_long_call(make):
    """Like `ticks_during`, with the work doubled until one call takes a while on this machine."""
    for power in range(8):
        ticks, duration = ticks_during(make(2**power))
        if duration > 0.3:
            return ticks, duration
    raise AssertionError("no call took long enough to show anything")


@pytest.mark.parametrize("name", ["evaluate", "relax", "md", "space_group"])
def test_another_thread_runs_during_a_long_call(name, potential):
    ticks, duration = ticks_of_a_long_call(lambda size: sized_call(name, potential, size))

    # A tick takes 5 ms. With the GIL held there would be one or two, at the ends.
    assert ticks > 0.1 * duration / 0.005


@pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not shipped")
def test_another_thread_runs_while_a_model_works():
    model = tamiz.load(MODEL, threads=1)
    atoms = tamiz.to_structure(silicon(2, rattle=0.1))

    ticks, duration = ticks_of_a_long_call(lambda size: lambda: model.evaluate([atoms] * 8 * size))

    assert ticks > 0.1 * duration / 0.005


@pytest.mark.parametrize("name", ["relax", "md"])
def test_ctrl_c_ends_a_long_call(name, potential):
    calls = {
        "relax": lambda: tamiz.relax([silicon(3, rattle=0.2)], potential, fmax=1e-15, smax=1e-18, max_steps=10**7),
        "md": lambda: tamiz.md(silicon(3), potential, 10**7, every=10**6),
    }
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        calls[name]()

    assert time.monotonic() - begin < 10.0
    timer.join()
