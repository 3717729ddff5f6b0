"""Tamiz: from a chemical space to a ranked list of semiconductors that a DFT code has confirmed.

    import tamiz

    potential = tamiz.load("model.safetensors")
    prediction = potential.evaluate([atoms], forces=True, stress=True)      # ASE, pymatgen or tamiz structures
    relaxed = tamiz.relax(structures, potential, cell=True, fmax=0.01)
    tamiz.phonons(atoms, potential).is_stable()
    atoms.calc = tamiz.ase.Calculator(potential)
    tamiz.Campaign.open("runs/nitrides").table()                            # pandas

Units: Å, eV, fs, u, K. Stress in eV/Å³, tensile positive. Rows of a cell are the lattice vectors.
"""

from __future__ import annotations

import importlib
from typing import Any

try:
    from . import _tamiz
except ImportError as error:
    raise ImportError(f"the compiled part of tamiz cannot be loaded ({error}): run `make build` in the source tree, or "
                      "`pip install . --no-build-isolation`") from error

from . import datasets
from .campaign import Campaign
from .convert import (
    Frame,
    Structure,
    group_duplicates,
    read,
    read_structure,
    to_ase,
    to_frame,
    to_pymatgen,
    to_structure,
    write,
)
from .errors import (
    CapabilityError,
    ConvergenceError,
    Error,
    FileError,
    FormatError,
    NumericsError,
    OracleError,
    ShapeError,
    SpeciesError,
    UnitError,
)
from .gaps import GapModel
from .hull import ConvexHull
from .potential import Potential, Prediction, import_mace, load
from .screening import label, propose, prototype_names, select
from .simulation import RelaxResult, Sample, Trajectory, md, relax
from .training import TrainedModel, calibration, evaluate, model_info, train
from .vibrations import Bands, Phonons, phonons

__version__: str = _tamiz.version
__commit__: str = _tamiz.commit

formats = _tamiz.formats
data_directory = _tamiz.data_directory
set_log_level = _tamiz.set_log_level

_LAZY = ("ase", "plots")  # need ASE and matplotlib, which `import tamiz` does not


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])


__all__ = [
    "Bands", "Campaign", "CapabilityError", "ConvergenceError", "ConvexHull", "Error", "FileError", "FormatError", "Frame", "GapModel", "NumericsError",
    "OracleError", "Phonons", "Potential", "Prediction", "RelaxResult", "Sample", "ShapeError", "SpeciesError", "Structure",
    "TrainedModel", "Trajectory", "UnitError", "ase", "calibration", "data_directory", "datasets", "evaluate", "formats",
    "group_duplicates", "import_mace", "label", "load", "md", "model_info", "phonons", "plots", "propose", "prototype_names", "read",
    "read_structure", "relax", "select", "set_log_level", "to_ase", "to_frame", "to_pymatgen", "to_structure", "train", "write",
]
