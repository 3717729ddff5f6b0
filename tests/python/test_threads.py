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

    other = threading.Thread(target=tick)
    other.start()
    begin = time.monotonic()
    call()
    duration = time.monotonic() - begin
    done.set()
    other.join()
    return ticks, duration


def long_calls(potential):
    many = [tamiz.to_structure(silicon(3, rattle=0.1, seed=k)) for k in range(12)] * 16
    return {
        "evaluate": lambda: potential.evaluate(many, stress=True),
        "relax": lambda: tamiz.relax([silicon(3, rattle=0.2)], potential, fmax=1e-15, smax=1e-18, max_steps=2000),
        "md": lambda: tamiz.md(silicon(3), potential, 2000, every=2000),
        "space_group": lambda: tamiz.to_structure(silicon(5)).space_group(),
    }


@pytest.mark.parametrize("name", ["evaluate", "relax", "md", "space_group"])
def test_another_thread_runs_during_a_long_call(name, potential):
    ticks, duration = ticks_during(long_calls(potential)[name])

    assert duration > 0.1, "the call is too short to show anything"
    # With the GIL held there would be at most a tick or two, at the ends.
    assert ticks >= 5 and ticks > 0.1 * duration / 0.005


@pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not shipped")
def test_another_thread_runs_while_a_model_works():
    model = tamiz.load(MODEL, threads=1)
    ticks, duration = ticks_during(lambda: model.evaluate([silicon(2, rattle=0.1)] * 20, stress=True))

    assert duration > 0.1
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
