"""One thread for OpenBLAS; and the process of the tests ends: one that waits in its last steps says where, and is ended."""

import os
import subprocess
import sys

# Here, before any test imports NumPy: threads of OpenBLAS that wait for one another make GPAW take minutes instead of seconds.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

WAIT_S = 60

# Another process, because a thread of this one stands still while the interpreter is taken down. SIGABRT makes
# faulthandler (`python -X faulthandler`) print the stack of every thread.
WATCHDOG = """
import os, select, signal, sys
watched, wait_s = int(sys.argv[1]), float(sys.argv[2])
process = os.pidfd_open(watched)
if not select.select([process], [], [], wait_s)[0]:
    print(f"the process of the tests did not end within {wait_s:.0f} s of the last one", flush=True)
    signal.pidfd_send_signal(process, signal.SIGABRT)
    if not select.select([process], [], [], 10)[0]:
        signal.pidfd_send_signal(process, signal.SIGKILL)
"""


def pytest_unconfigure():
    subprocess.Popen([sys.executable, "-c", WATCHDOG, str(os.getpid()), str(WAIT_S)], stdin=subprocess.DEVNULL)
