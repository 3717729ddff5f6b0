"""Potentials: energies, forces and stresses of many structures in one call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from . import _tamiz
from ._torch import require_matching_torch
from .convert import is_structure, to_structure, to_structures
from .errors import CapabilityError


class Prediction:
    """What a potential says of a batch; what was not asked for is None. Arrays are views that keep the batch alive.

    Attributes:
        energies: (n_structures,) [eV]
        forces: list with one array (n_atoms, 3) [eV/Å] per structure
        stresses: (n_structures, 3, 3) [eV/Å³], tensile positive
        atom_energies: list with one array (n_atoms,) [eV] per structure
        member_energies: (n_structures, n_members) [eV], of a committee, calibrated
        uncertainties: (n_structures,) [eV], standard deviation over the members
        descriptors: list with one array (n_atoms, n_descriptors) per structure: what a MACE model knows of each atom's
            surroundings, invariant under rotation and translation
        uncertainty_gradients: derivatives of the uncertainties by positions, one array (n_atoms, 3) per structure [eV/Å]
        uncertainty_stresses: the same by strains over the volume, (n_structures, 3, 3) [eV/Å³]; where stress was asked for too
    """

    def __init__(self, native: Any):
        self.energies: np.ndarray = native.energies
        self.forces: list[np.ndarray] | None = native.forces
        self.stresses: np.ndarray | None = native.stresses
        self.atom_energies: list[np.ndarray] | None = native.atom_energies
        self.member_energies: np.ndarray | None = native.member_energies
        self.descriptors: list[np.ndarray] | None = native.descriptors
        self.uncertainty_gradients: list[np.ndarray] | None = native.uncertainty_gradients
        self.uncertainty_stresses: np.ndarray | None = native.uncertainty_stresses

    @property
    def uncertainties(self) -> np.ndarray | None:
        return None if self.member_energies is None else self.member_energies.std(axis=1, ddof=1)

    def __len__(self) -> int:
        return len(self.energies)


class Potential:
    """Energy as a function of structures; made by :func:`load`. Calls from several threads run side by side."""

    def __init__(self, native: Any, path: str, options: tuple):
        self._native = native
        self.path = path
        self._options = options

    def __reduce__(self) -> tuple:
        """Pickled as what it was loaded from: another process reads the file again."""
        return load, (self.path, *self._options)

    def __deepcopy__(self, memo: dict) -> Potential:
        return self  # it never changes

    @property
    def name(self) -> str:
        return self._native.name

    @property
    def cutoff(self) -> float:
        """Distance over which atoms see each other in one step [Å]."""
        return self._native.cutoff

    @property
    def elements(self) -> list[str]:
        """Symbols of the elements that it was made for; empty: every element."""
        return self._native.elements

    @property
    def n_members(self) -> int:
        """Size of the committee behind the uncertainty; 0: none."""
        return self._native.n_members

    def evaluate(self, structures: Any, forces: bool = True, stress: bool = False, uncertainty: bool = False,
                 atom_energies: bool = False, descriptors: bool = False, uncertainty_gradients: bool = False) -> Prediction:
        """Evaluates one or many structures (tamiz, ASE or pymatgen) as one batch.

        `uncertainty_gradients` gives the uncertainties too, and takes about four times as long as the forces.

        Raises SpeciesError for an element outside :attr:`elements`, CapabilityError for an output that the potential
        does not offer, NumericsError for positions that are not finite.
        """
        if (uncertainty or uncertainty_gradients) and self.n_members < 2:
            raise CapabilityError(f"'{self.name}' has no committee and so no uncertainty: "
                                  "load a model that was trained with n_members of 2 or "
                                  "more and five validation frames or more")
        return Prediction(self._native.evaluate(to_structures(structures), forces, stress, atom_energies, uncertainty,
                                                descriptors, uncertainty_gradients))

    def hessian_vector_products(self, structures: Any, directions: Any) -> list[np.ndarray]:
        """Second derivatives of the energies by positions times directions: one array (n_atoms, 3) per structure [eV/Å²].

        Args:
            structures: one or many (tamiz, ASE or pymatgen), which are evaluated as one batch.
            directions: one array (n_atoms, 3) per structure, a single array for a single structure.

        It costs about as much as four evaluations of the forces, of which it is the negative derivative along the directions
        in fixed cells. Raises CapabilityError where there are none (classical potentials, ``engine="torch"``), ShapeError for
        directions of another shape.
        """
        several = to_structures(structures)
        arrays = [directions] if is_structure(structures) and np.ndim(directions) == 2 else list(directions)
        return self._native.hessian_vector_products(several, [np.asarray(each, dtype=float) for each in arrays])

    def curvature(self, structure: Any) -> np.ndarray:
        """Second derivatives of the energy of a crystal by positions and strain, (3n + 9, 3n + 9), symmetric.

        The first 3n coordinates are positions [Å], which the strain ε of the cell carries along, x → x·exp(ε); the others are the nine components of ε,
        row by row, of which only the symmetric part costs energy. It is what relaxations by :func:`tamiz.label` begin with.
        Raises CapabilityError for a structure that is not periodic in all directions.
        """
        return _tamiz.curvature(self._native, to_structure(structure))

    def __repr__(self) -> str:
        return f"Potential({self.name!r}, cutoff={self.cutoff:g})"


def load(path: str | os.PathLike, dtype: str = "float32", device: str = "cpu", threads: int = 0,
         engine: str | None = None, memory: str | None = None) -> Potential:
    """A potential from a file: a ``.safetensors`` model, or ``.toml`` with a classical potential.

    Args:
        dtype: "float32", "float64", or "bfloat16": float32 with the factors of linear layers rounded, which is faster
            and leaves forces good to about 1 % (processors with AVX-512 BF16); classical potentials always calculate in float64.
        device: "cpu", "cuda", "cuda:1" or another that the installed torch drives. Sums on a GPU have no fixed order, so
            that results there may differ in their last digits from call to call.
        threads: threads that share a batch; 0: as many as the machine grants.
        engine: of a ``.safetensors`` model, "fused" (kernels of tamiz, CPU only) or "torch" (LibTorch, which is loaded
            only then); None: fused on the CPU, else torch.

        memory: that evaluations may take, as "2GiB"; None: three quarters of what is there. A structure that is too large for it
            is worked on in slabs, with the same result in somewhat more time.

    Raises FileError, FormatError (not a model, truncated, checksum), CapabilityError when this build lacks the engine
    that the file needs, torch cannot use the device, or the torch of this Python is another than the one tamiz was built with.
    """
    path = os.path.abspath(path)  # a pickled potential is loaded again from wherever that happens
    if not path.endswith(".toml") and (engine == "torch" or engine is None and device != "cpu"):
        require_matching_torch()
    native = _tamiz.load_potential(path, dtype, device, threads, engine or "", memory or "")
    return Potential(native, path, (dtype, device, threads, engine, memory))


def import_mace(path: str | os.PathLike, out: str | os.PathLike, *, head: str = "",
                card: dict[str, str] | None = None) -> Path:
    """Makes a model file of a MACE model that mace-torch saved (``.model``, published ones among them); returns `out`.

    Needs neither mace-torch, e3nn nor torch. Nothing in the file is executed, whatever it holds.

    Args:
        head: which read-out of a model with several; by default the only one, or the one named "default".
        card: entries for the model's card, as "level", "training_set" or "licence", which the file does not hold.

    Raises FileError, FormatError (not such a file, or damaged), CapabilityError naming what is not supported, or the
    heads that there are.
    """
    _tamiz.import_mace(Path(path), Path(out), head, card or {})
    return Path(out)
