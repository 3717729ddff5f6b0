"""tamiz and torch share one process and so one LibTorch: their versions must be the same.

LibTorch is loaded where a model first needs it, never by ``import tamiz``; this check comes just before.
"""

from __future__ import annotations

import importlib.metadata
import sys

from . import _tamiz
from .errors import CapabilityError


def _release(version: str) -> str:
    """Without the label of the build: 2.13.0 of 2.13.0+cpu, which have the same interface."""
    return version.split("+")[0]


def present_torch_version() -> str | None:
    """Version of the torch that is imported, or that would be; None where there is none."""
    imported = sys.modules.get("torch")
    if imported is not None and hasattr(imported, "__version__"):
        return str(imported.__version__)
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def require_matching_torch() -> None:
    """Raises CapabilityError where loading LibTorch would put two versions of it into this process."""
    built = _tamiz.torch_version
    present = present_torch_version()
    if built and present and _release(built) != _release(present):
        raise CapabilityError(
            f"tamiz was built with torch {built}, and this Python has torch {present}: install torch=={_release(built)}, "
            "or build tamiz again with `pip install . --no-build-isolation`")
