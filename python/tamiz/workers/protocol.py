"""Worker side of the protocol in screening/oracle/README.md: JSON objects, one per line.

Workers are run as scripts, ``python .../tamiz/workers/ase_worker.py``, so this file is imported as
``protocol`` and needs nothing but Python; ASE is imported where structures are converted.

A worker is a handler and a call::

    def handle(request, report):
        atoms = protocol.atoms_from_structure(request["structure"])
        ...
        report.step(frame)                # any number of times: a geometry on the way
        ...
        return frame, properties          # or: raise protocol.LabelFailure("did not converge")

    protocol.serve("mycode", "1.0", handle)
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Callable, TextIO

VERSION = 1
MAX_REASON = 500  # characters of a reason; the whole traceback goes to standard error
PARENT_CHECK = 1.0  # [s] between two looks at whether the parent still lives

_channel = None


class LabelFailure(Exception):
    """The label cannot be had; `properties` are what is known nevertheless."""

    def __init__(self, reason: str, properties: dict | None = None):
        super().__init__(reason)
        self.reason = reason
        self.properties = properties or {}


@dataclass(frozen=True)
class Report:
    """What a handler says before it has the result."""

    channel: TextIO
    id: str

    def step(self, frame: dict) -> None:
        """A geometry that was calculated on the way."""
        send(self.channel, {"type": "step", "id": self.id, "frame": frame})

    def state(self, state: dict) -> None:
        """Has the program keep what an attempt that is cut off needs to go on: the next one finds the last as ``request["state"]``.

        Steps are not kept with it: a worker that goes on sends those before again.
        """
        send(self.channel, {"type": "state", "id": self.id, "state": state})


def claim_stdout():
    """Keeps standard output for the protocol: whatever else prints goes to standard error.

    Works on the file descriptors, so that C and Fortran codes cannot break a line either. May be called
    before a chatty import; `serve` calls it in any case. Returns the text stream of the protocol.
    """
    global _channel
    if _channel is None:
        sys.stdout.flush()
        _channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
    return _channel


def serve(name: str, version: str, handler: Callable[[dict, Report], tuple[dict, dict]]) -> None:
    """Greets, then answers requests until the input ends, `quit` comes or the parent dies.

    `handler(request, report)` returns a frame (the fields of F in the protocol) and a dictionary of
    properties. An exception makes a failed result; the worker goes on with the next request.
    """
    channel = claim_stdout()
    end_with_parent()
    send(channel, {"type": "hello", "protocol": VERSION, "name": name, "version": str(version)})
    for line in sys.stdin:
        if not line.strip():
            continue
        message = json.loads(line)
        if message["type"] == "quit":
            return
        if message["type"] != "label":
            sys.exit(f"unknown message type {message['type']!r}, expected label or quit")
        answer(channel, message, handler)


def answer(channel, request: dict, handler) -> None:
    """Sends the steps and the one result of a request."""
    started = cpu_time()

    try:
        frame, properties = handler(request, Report(channel, request["id"]))
        outcome = {"status": "finished", "frame": frame, "properties": properties}
        encode(outcome)
    except LabelFailure as failure:
        outcome = failed(failure.reason, failure.properties)
    except (MemoryError, OSError) as error:  # of the machine, not of the crystal: how far it came says nothing
        traceback.print_exc()
        outcome = failed(f"{type(error).__name__}: {error}", {"cut_off": True})
    except Exception as error:  # whatever a code raises is a failed label, never a dead worker
        traceback.print_exc()
        outcome = failed(f"{type(error).__name__}: {error}", {})
    send(channel, {"type": "result", "id": request["id"]} | outcome | {"cost": cpu_time() - started})


def failed(reason: str, properties: dict) -> dict:
    """A failed outcome; properties that JSON cannot hold, such as NaN, are left out."""
    try:
        encode(properties)
    except (TypeError, ValueError):
        properties = {}
    return {"status": "failed", "reason": one_line(reason), "properties": properties}


def send(channel, message: dict) -> None:
    channel.write(encode(message) + "\n")
    channel.flush()


def encode(message: dict) -> str:
    """JSON text of one line whose numbers read back to the same bits; raises ValueError for NaN."""
    return json.dumps(message, allow_nan=False, default=plain)


def plain(value):
    """NumPy arrays and scalars as lists and numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"cannot write a {type(value).__name__} as JSON")


def one_line(text: str) -> str:
    return " ".join(str(text).split())[:MAX_REASON]


def cpu_time() -> float:
    """CPU time of this process and of its finished children [core-seconds]."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def end_with_parent() -> None:
    """Ends this process, and the programs it runs, within seconds of the death of its parent.

    Looked at from a thread: prctl(PR_SET_PDEATHSIG) would fire already when the parent's *thread* that
    started this worker ends, and the end of the input is not seen in the middle of a calculation.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK)
        if os.getpgrp() == os.getpid():  # started as the leader of its own group: no stranger is in it
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def atoms_from_structure(structure: dict):
    """ase.Atoms of a structure S of the protocol."""
    from ase import Atoms

    return Atoms(
        symbols=structure["symbols"],
        positions=structure["positions"],
        cell=structure["cell"],
        pbc=structure["pbc"],
    )


def structure_from_atoms(atoms) -> dict:
    """Structure S of the protocol: cell rows and positions [Å], not wrapped."""
    return {
        "cell": atoms.cell.tolist(),
        "pbc": [bool(periodic) for periodic in atoms.pbc],
        "symbols": list(atoms.symbols),
        "positions": atoms.positions.tolist(),
    }
