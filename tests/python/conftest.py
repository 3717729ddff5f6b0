"""Before NumPy is imported: threads of OpenBLAS that wait for one another take seconds where other tests run beside."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
