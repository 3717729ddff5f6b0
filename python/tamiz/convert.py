"""Structures of tamiz, ASE and pymatgen into one another.

Every function of tamiz that takes structures takes the objects of all three; ASE and pymatgen are imported only where
their objects are made.
"""

from __future__ import annotations

import json
import warnings
from typing import Any, Iterable, Iterator, Mapping

import numpy as np

from . import _tamiz
from .errors import CapabilityError, SpeciesError

Structure = _tamiz.Structure
Frame = _tamiz.Frame

# ASE's order of the six components of a symmetric stress: xx, yy, zz, yz, xz, xy.
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
HELD = ("selective", "move_mask")  # arrays of files, 0 where an atom is held: of POSCAR and of ASE's extended XYZ
SAME_MASS = 1e-3  # relative; tables of standard masses agree better, isotopes differ by more


def stress_to_voigt(stress: np.ndarray) -> np.ndarray:
    """Stress (3, 3) as the six components (xx, yy, zz, yz, xz, xy) of ASE, in the same unit and sign."""
    return np.array([stress[i][j] for i, j in VOIGT])


def stress_from_voigt(voigt: np.ndarray) -> np.ndarray:
    """The reverse of :func:`stress_to_voigt`; takes (3, 3) as it is."""
    values = np.asarray(voigt, dtype=float)
    if values.shape == (3, 3):
        return values
    stress = np.empty((3, 3))
    for value, (i, j) in zip(values, VOIGT, strict=True):
        stress[i, j] = stress[j, i] = value
    return stress


def _is_ase(item: Any) -> bool:
    return hasattr(item, "get_atomic_numbers") and hasattr(item, "pbc")


def _is_pymatgen(item: Any) -> bool:
    return hasattr(item, "cart_coords") and hasattr(item, "is_ordered")


def _from_ase(atoms: Any) -> Structure:
    cell = np.asarray(atoms.cell.array if hasattr(atoms.cell, "array") else atoms.cell, dtype=float)
    return Structure(atoms.get_atomic_numbers(), atoms.get_positions(), cell if cell.any() else None,
                     tuple(bool(p) for p in atoms.pbc))


def _from_pymatgen(item: Any) -> Structure:
    if not item.is_ordered:
        raise CapabilityError(f"{item.composition.formula} has sites that are partly occupied: expected an ordered "
                              "structure; make one with pymatgen's OrderDisorderedStructureTransformation")
    try:
        numbers = [int(site.specie.Z) for site in item]
    except AttributeError as error:
        raise SpeciesError(f"{item.composition} has a species that is no element") from error
    lattice = getattr(item, "lattice", None)
    if lattice is None:
        return Structure(numbers, item.cart_coords)
    return Structure(numbers, item.cart_coords, lattice.matrix, tuple(bool(p) for p in lattice.pbc))


def is_structure(item: Any) -> bool:
    """True for what :func:`to_structure` takes."""
    return isinstance(item, Structure) or isinstance(getattr(item, "structure", None), Structure) or \
        _is_ase(item) or _is_pymatgen(item)


def to_structure(item: Any) -> Structure:
    """A :class:`Structure` from ASE Atoms, a pymatgen Structure or Molecule, or anything of tamiz that has a structure.

    Lengths are Å in all three. Raises CapabilityError for a disordered structure, TypeError for anything else.
    """
    if isinstance(item, Structure):
        return item
    if isinstance(getattr(item, "structure", None), Structure):
        return item.structure
    if _is_ase(item):
        return _from_ase(item)
    if _is_pymatgen(item):
        return _from_pymatgen(item)
    raise TypeError(f"expected a structure of tamiz, ASE or pymatgen, got {type(item).__module__}.{type(item).__name__}")


def to_structures(items: Any) -> list[Structure]:
    """A list of structures from one or many."""
    return [to_structure(items)] if is_structure(items) else [to_structure(item) for item in items]


def _results_of(atoms: Any) -> dict[str, Any]:
    """What the calculator has stored for these atoms. A calculator remembers one geometry only, whoever shares it."""
    results = dict(getattr(atoms.calc, "results", None) or {})
    if results and hasattr(atoms.calc, "check_state") and getattr(atoms.calc, "atoms", None) is not None:
        changed = {"positions", "numbers", "cell", "pbc"} & set(atoms.calc.check_state(atoms, tol=1e-8))
        if changed:
            raise CapabilityError(f"the results of {atoms.calc.name or type(atoms.calc).__name__} belong to other {min(changed)} than those "
                                  f"of {atoms.get_chemical_formula()}: give each Atoms a SinglePointCalculator with its own results, or "
                                  "set its calc to None")
    return results


def _same_value(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=1e-8))


def _named_labels(atoms: Any) -> Iterator[tuple[str, str, np.ndarray]]:
    """Labels that stand under the names of files, as REF_energy, in ``info`` and ``arrays``: name, quantity, value. Of virials the stress."""
    for quantity, names in _tamiz.label_names().items():
        for name in names:
            found = atoms.arrays.get(name, atoms.info.get(name))
            if found is None:
                continue
            value = np.asarray(found, dtype=float)
            if quantity in ("stress", "virial"):
                value = stress_from_voigt(value.reshape(3, 3) if value.size == 9 else value)
            if quantity == "virial":
                yield name, "stress", -value / atoms.get_volume()
            else:
                yield name, quantity, value


def _labels_from_ase(atoms: Any) -> tuple[dict[str, Any], set[str]]:
    """What a calculator has stored and what stands under the names of files; the latter's names."""
    results = _results_of(atoms)
    labels = {key: results[key] for key in ("energy", "free_energy", "forces", "stress") if results.get(key) is not None}
    if "stress" in labels:
        labels["stress"] = stress_from_voigt(labels["stress"])
    source, taken = dict.fromkeys(labels, "its calculator"), set()
    for name, key, value in _named_labels(atoms):
        if key in labels and not _same_value(np.asarray(labels[key], dtype=float), value):
            raise CapabilityError(f"{atoms.get_chemical_formula()} has two labels of its {key} that differ, of {source[key]} and of {name}: "
                                  "which is the label? Remove the other, a calculator by setting calc to None")
        labels[key], source[key] = value if value.ndim else float(value), name
        taken.add(name)
    return labels, taken


def _arrays_from_ase(atoms: Any, without: set[str]) -> dict[str, np.ndarray]:
    """Numbers per atom, (n_atoms, k); momenta as velocities [Å/fs], of constraints those that hold atoms as a ``move_mask``."""
    from ase.units import fs

    arrays = {}
    for name, values in atoms.arrays.items():
        if name in ("numbers", "positions", "momenta") or name in without:
            continue
        if values.ndim <= 2 and values.dtype.kind in "bif":
            arrays[name] = np.asarray(values, dtype=float).reshape(len(atoms), -1)
        else:
            warnings.warn(f"the array {name} of {atoms.get_chemical_formula()} holds no numbers per atom and is left out", stacklevel=4)
    if atoms.has("momenta"):
        arrays["velocities"] = atoms.get_velocities() * fs
    if (mask := _move_mask(atoms)) is not None:
        arrays["move_mask"] = mask
    return arrays


def _move_mask(atoms: Any) -> np.ndarray | None:
    """(n_atoms, 3), 0 for what FixAtoms and FixCartesian hold; None where nothing is held."""
    from ase.constraints import FixAtoms, FixCartesian

    mask = np.ones((len(atoms), 3))
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            mask[constraint.index] = 0.0
        elif isinstance(constraint, FixCartesian):
            mask[constraint.index] *= ~np.asarray(constraint.mask, dtype=bool)
    return mask if (mask < 1.0).any() else None


def _set_arrays(atoms: Any, arrays: Mapping[str, np.ndarray]) -> None:
    from ase.units import fs

    for name, values in arrays.items():
        if name == "velocities" and values.shape == (len(atoms), 3):
            atoms.set_velocities(values / fs)
        elif name in HELD:
            _hold(atoms, values, along_cell=name == "selective")
        else:
            atoms.set_array(name, values[:, 0] if values.shape[1] == 1 else values)


def _hold(atoms: Any, mask: np.ndarray, along_cell: bool) -> None:
    """Constraints for where a mask (n_atoms, 1 or 3) is 0, in the directions of the cell as POSCAR means them or in those of space."""
    from ase.constraints import FixAtoms, FixCartesian, FixScaled

    hold_one = FixScaled if along_cell else FixCartesian
    held = np.broadcast_to(mask < 1.0, (len(atoms), 3))
    whole = held.all(axis=1)
    parts = [hold_one(int(k), held[k]) for k in np.flatnonzero(held.any(axis=1) & ~whole)]
    atoms.set_constraint([*atoms.constraints, *([FixAtoms(np.flatnonzero(whole))] if whole.any() else []), *parts])


def _text_of(value: Any) -> str:
    """An entry of ``info`` as extended XYZ has it, so that numbers keep their digits."""
    if isinstance(value, np.ndarray | list | tuple):
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            return " ".join(str(each) for each in array.ravel())
        if array.ndim > 1:
            return "_JSON " + json.dumps(array.tolist())  # as ASE reads it
        return " ".join(("T" if each else "F") if array.dtype.kind == "b" else repr(each.item()) for each in array)
    return str(value)


def require_no_constraints(items: Any) -> None:
    """Raises CapabilityError for ASE Atoms with constraints, and for frames of files that hold atoms, which would move all the same."""
    for item in [items] if is_structure(items) else items:
        if getattr(item, "constraints", None):
            raise CapabilityError(f"constraints of {item.get_chemical_formula()} are not kept to: remove them with "
                                  "atoms.set_constraint(), and all atoms move, or use an ASE optimiser with tamiz.ase.Calculator")
        if isinstance(item, Frame) and any((values < 1.0).any() for name, values in item.arrays.items() if name in HELD):
            raise CapabilityError(f"atoms of {item.structure.formula} are held in its file, which is not kept to: pass frame.structure, and all atoms "
                                  "move, or use an ASE optimiser with tamiz.ase.Calculator on tamiz.to_ase(frame)")


def require_usual_masses(item: Any) -> None:
    """Raises CapabilityError for ASE Atoms and frames with masses of their own, which dynamics would not see."""
    given = item.arrays.get("masses") if hasattr(item, "arrays") else None
    if given is None:
        return
    masses = to_structure(item).masses
    wrong = np.flatnonzero(~np.isclose(np.asarray(given, dtype=float).reshape(-1), masses, rtol=SAME_MASS))
    if len(wrong):
        raise CapabilityError(f"atom {wrong[0]} has a mass of {np.reshape(given, -1)[wrong[0]]:g} u: masses other than those of the elements are not kept to; "
                              "use the dynamics of ASE with tamiz.ase.Calculator")


def to_frame(item: Any, labels: bool = True) -> Frame:
    """A :class:`Frame`: a structure with what a calculator has stored with it.

    Of ASE Atoms it takes the results that are there (energy, free_energy [eV], forces [eV/Å], stress [eV/Å³]) without
    starting a calculation, and what stands in ``info`` and ``arrays`` under the names that files have for labels (REF_energy, dft_forces, …), unless
    `labels` is false; the entries of ``info`` as text, and numbers per atom, of momenta the velocities [Å/fs]. Of a relaxation it takes its energy and what became
    of it. Raises CapabilityError for results of another geometry, and for two labels of a quantity that differ.
    """
    if isinstance(item, Frame):
        return item
    structure = to_structure(item)
    if isinstance(item, _tamiz.RelaxResult):
        ended = {"relax_status": item.status, "relax_steps": str(item.steps), "relax_reason": item.reason}
        return Frame(structure, energy=item.energy if labels and np.isfinite(item.energy) else None,
                     info={key: text for key, text in ended.items() if text})
    if not _is_ase(item):
        return Frame(structure)
    found, names = _labels_from_ase(item) if labels else ({}, set())
    info = {str(key): _text_of(value) for key, value in item.info.items() if key not in names}
    return Frame(structure, **found, info=info, arrays=_arrays_from_ase(item, names))


def to_frames(items: Any) -> list[Frame]:
    """A list of frames from one or many."""
    return [to_frame(items)] if isinstance(items, Frame) or is_structure(items) else [to_frame(item) for item in items]


def to_ase(item: Any) -> Any:
    """ASE Atoms; the labels of a :class:`Frame` become those of a SinglePointCalculator, its info ``info``, its velocities momenta, atoms that are held
    constraints, and its other arrays those of the atoms."""
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    structure = to_structure(item)
    atoms = Atoms(numbers=structure.numbers, positions=structure.positions, cell=structure.cell, pbc=structure.pbc)
    if isinstance(item, Frame):
        labels = {"energy": item.energy, "free_energy": item.free_energy, "forces": item.forces,
                  "stress": None if item.stress is None else stress_to_voigt(item.stress)}
        known = {key: value for key, value in labels.items() if value is not None}
        atoms.info.update(item.info)
        _set_arrays(atoms, item.arrays)
        if known:
            atoms.calc = SinglePointCalculator(atoms, **known)
    return atoms


def to_pymatgen(item: Any) -> Any:
    """A pymatgen Structure where any direction is periodic, else a Molecule."""
    from pymatgen.core import Lattice, Molecule
    from pymatgen.core import Structure as PymatgenStructure

    structure = to_structure(item)
    if not any(structure.pbc):
        return Molecule(structure.symbols, structure.positions)
    return PymatgenStructure(Lattice(structure.cell, pbc=tuple(structure.pbc)), structure.symbols, structure.positions,
                             coords_are_cartesian=True)


def read(path: Any, format: str = "") -> list[Frame]:
    """Every frame of a structure file (extended XYZ, CIF, POSCAR, …; see :func:`tamiz.formats`).

    Raises FileError, FormatError with ``file:line``, SpeciesError, CapabilityError for an unknown format.
    """
    return _tamiz.read_frames(path, format)


def read_structure(path: Any, format: str = "") -> Structure:
    """The structure of a file that holds exactly one."""
    return _tamiz.read_structure(path, format)


def write(path: Any, items: Any, format: str = "") -> None:
    """Writes structures or frames to a file, atomically; the format follows from the file's name."""
    _tamiz.write_frames(path, to_frames(items), format)


def group_duplicates(items: Iterable[Any]) -> list[int]:
    """Index of the first structure that each one equals, up to rotation, choice of cell, origin and volume, a strain of
    some per cent and displacements of 0.2 Å."""
    return _tamiz.group_duplicates(to_structures(items))
