"""Γ-centred meshes of k-points.

By density: points per Å⁻¹ of the lengths of the reciprocal lattice vectors, in the cell as it is. By length: a mesh n resolves what
repeats in the supercell of n1 × n2 × n3 cells, so that the shortest lattice vector of that supercell says how good it is (Moreno and
Soler 1992, doi:10.1103/PhysRevB.45.13891). Of the meshes that are as symmetric as the crystal, the one with the fewest points that
symmetry leaves is taken, in a reduced cell: less than a third of the points that the same density takes in the body-centred cell of chalcopyrite.

Symmetry has a price where it mixes lattice vectors of different lengths, as threefold axes do in long rhombohedral cells: mesh and real-space
grid must then be as fine along all of them as along the longest. Where a part of the operations is much cheaper, only they are used,
and forces and stresses are averaged over all of them afterwards.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import spglib
import spglib.error
from ase import Atoms
from ase.geometry.minkowski_reduction import minkowski_reduce

# Cells of nearly the same size get the same mesh: so much of the length is forgiven when a mesh is chosen, and so much before a
# mesh that was chosen for another cell is given up.
FORGIVEN, KEPT = 0.03, 0.06
WORTH_IT = 0.8  # of the cost with all operations: a part of them is used where it saves more
spglib.error.OLD_ERROR_HANDLING = False  # raise, as everything else does
SYMMETRY_TOLERANCE = 1e-5  # [Å], GPAW's
_PARTS = 24  # of a lattice vector, of which all translations of space groups in reduced cells are multiples
_SHORT = np.array([c for c in itertools.product((-1, 0, 1), repeat=3) if any(c)])


def by_density(atoms: Atoms, density: float) -> tuple[int, int, int]:
    """One point along directions that are not periodic. A quarter of a point is forgiven, so that cells of nearly the
    same size get the same mesh."""
    lengths = 2.0 * math.pi * np.linalg.norm(atoms.cell.reciprocal(), axis=1)
    return tuple(
        max(1, math.ceil(density * length - 0.25)) if periodic else 1
        for length, periodic in zip(lengths, atoms.pbc)
    )


def reduction(atoms: Atoms) -> np.ndarray:
    """Integers (3, 3) that times the cell are its Minkowski-reduced one, in the same place; 1 unless all directions repeat."""
    if not all(atoms.pbc):
        return np.eye(3, dtype=int)
    return np.rint(minkowski_reduce(atoms.cell.array, pbc=True)[1]).astype(int)


def reduced(atoms: Atoms, basis: np.ndarray) -> Atoms:
    """The same crystal with other lattice vectors, of those of its cell; atoms stay where they are."""
    other = atoms.copy()
    other.set_cell(basis @ atoms.cell.array)
    return other


def symmetries(atoms: Atoms) -> dict:
    """Symmetry operations r U + t → r of a crystal as GPAW takes them: ``rotations`` U (n, 3, 3), ``translations`` t (n, 3), ``atommaps``
    (n, n_atoms).

    Fractional translations are exact fractions. GPAW's own search leaves the rounding of coordinates in them, for which it then either
    finds no group, or maps its real-space grid onto points beside its own.
    """
    places = atoms.get_scaled_positions()
    try:
        found = spglib.get_symmetry((atoms.cell.array, places, atoms.numbers), symprec=SYMMETRY_TOLERANCE)
    except spglib.error.SpglibError:  # atoms in one place
        found = {"rotations": np.eye(3, dtype=np.intc)[None], "translations": np.zeros((1, 3))}
    turns = np.ascontiguousarray(found["rotations"].transpose(0, 2, 1))
    shifts = np.rint(_PARTS * found["translations"]) / _PARTS
    kept, maps = [], []
    for k, (turn, shift) in enumerate(zip(turns, shifts)):
        moved = (places @ turn + shift)[:, None, :] - places[None, :, :]
        distances = np.linalg.norm((moved - np.rint(moved)) @ atoms.cell.array, axis=2)
        partners = distances.argmin(axis=1)
        # An operation about a point of the cell that is no such fraction is left out; what is left is still a group.
        if (distances[np.arange(len(places)), partners] < SYMMETRY_TOLERANCE).all():
            kept.append(k)
            maps.append(partners)
    return {"rotations": turns[kept], "translations": np.ascontiguousarray(shifts[kept] % 1.0), "atommaps": np.array(maps)}


def resolved_length(atoms: Atoms, mesh) -> float:
    """Shortest lattice vector of a supercell [Å]."""
    # The supercell is reduced before: then its shortest vector is one of few.
    supercell = minkowski_reduce(np.diag(mesh) @ atoms.cell.array, pbc=True)[0]
    return float(np.sqrt(((_SHORT @ supercell) ** 2).sum(axis=1).min()))


def by_length(atoms: Atoms, length: float, rotations: np.ndarray, even: bool = False) -> tuple[int, int, int]:
    """Mesh of an infinite crystal in its reduced cell that resolves `length` [Å]; with `even`, of even numbers and ones.

    `rotations` (n, 3, 3) are those of the crystal, as GPAW has them: k-points in units of the reciprocal vectors go to R k.
    """
    def numbers(low, high):
        return [n for n in range(low, high + 1) if not even or n == 1 or n % 2 == 0]

    enough = (1.0 - FORGIVEN) * length
    least = np.maximum(1, np.ceil(enough / np.linalg.norm(atoms.cell.array, axis=1))).astype(int)
    # Lattice planes are nearer than lattice vectors are long: with as many points everywhere as they ask for, any mesh will do.
    most = max(1, math.ceil(enough * np.linalg.norm(atoms.cell.reciprocal(), axis=1).max()))
    most += most % 2 if even and most > 1 else 0
    best, fewest = (most, most, most), math.inf
    for mesh in sorted(itertools.product(*(numbers(n, most) for n in least)), key=math.prod):
        if math.prod(mesh) / (2 * len(rotations)) >= fewest:
            break
        if not _keep_mesh(mesh, rotations).all() or resolved_length(atoms, mesh) < enough:
            continue
        points = irreducible(mesh, rotations)
        if points < fewest:
            best, fewest = mesh, points
    return best


def cheapest(atoms: Atoms, length: float, rotations: np.ndarray) -> tuple[tuple[int, int, int], np.ndarray]:
    """Mesh that resolves `length` [Å] at the least cost, and which (n,) of the operations to use with it.

    The cost is the number of irreducible points times that of the points of a real-space grid as fine as `atoms`'s cell asks for along
    each lattice vector; vectors that an operation mixes take as many points. All operations are kept where that costs little more.
    """
    whole = by_length(atoms, length, rotations)
    vectors = np.linalg.norm(atoms.cell.array, axis=1)
    best, cost = (whole, np.ones(len(rotations), bool)), irreducible(whole, rotations) * _grid(vectors, rotations).prod()
    cost *= WORTH_IT
    enough = (1.0 - FORGIVEN) * length
    least = np.maximum(1, np.ceil(enough / vectors)).astype(int)
    meshes = sorted(itertools.product(*(range(n, max(whole) + 1) for n in least)), key=math.prod)
    for kept in _subgroups(vectors, rotations):
        grid = _grid(vectors, rotations[kept]).prod()
        for mesh in meshes:
            if math.prod(mesh) / (2 * kept.sum()) * grid >= cost:
                break
            used = kept & _keep_mesh(mesh, rotations)
            if math.prod(mesh) / (2 * used.sum()) * grid >= cost or resolved_length(atoms, mesh) < enough:
                continue
            if (price := irreducible(mesh, rotations[used]) * grid) < cost:
                best, cost = (mesh, used), price
    return best


def _mixed(rotations: np.ndarray) -> np.ndarray:
    """(n, 3, 3): whether an operation takes a part of one lattice vector to another."""
    return (rotations != 0) & ~np.eye(3, dtype=bool)


def _subgroups(vectors: np.ndarray, rotations: np.ndarray) -> list[np.ndarray]:
    """Groups of those that mix only lattice vectors of one length, or these and one pair of others, as (n,) truths."""
    unequal = np.abs(vectors[:, None] - vectors[None, :]) > 1e-3 * vectors.max()
    masks = [~(_mixed(rotations) & unequal).any(axis=(1, 2))]
    for i, j in itertools.combinations(range(3), 2):
        barred = unequal.copy()
        barred[i, j] = barred[j, i] = False
        masks.append(~(_mixed(rotations) & barred).any(axis=(1, 2)))
    different = [mask for k, mask in enumerate(masks) if not any((mask == other).all() for other in masks[:k])]
    return [mask for mask in different if _is_group(rotations[mask])]


def _is_group(rotations: np.ndarray) -> bool:
    known = {rotation.tobytes() for rotation in rotations}
    return all((a @ b).astype(rotations.dtype).tobytes() in known for a in rotations for b in rotations)


def _grid(vectors: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Points along the lattice vectors in units of their density: as many along those that are mixed."""
    sizes = vectors.copy()
    for _ in range(2):  # what the second is mixed with reaches the first
        for i, j in np.argwhere(_mixed(rotations).any(axis=0)):
            sizes[i] = sizes[j] = max(sizes[i], sizes[j])
    return sizes


def symmetrized(atoms: Atoms, symmetry: dict, forces: np.ndarray, stress: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Averages of forces (n, 3) and of a stress (3, 3) over the operations of :func:`symmetries`."""
    cell = atoms.cell.array
    mean_forces, mean_stress = np.zeros_like(forces), np.zeros((3, 3))
    for turn, partners in zip(symmetry["rotations"], symmetry["atommaps"]):
        turn = np.linalg.inv(cell) @ turn @ cell  # of rows of Cartesian vectors
        mean_forces[partners] += forces @ turn / len(symmetry["rotations"])
        mean_stress += turn.T @ stress @ turn / len(symmetry["rotations"])
    return mean_forces, mean_stress


def _on_mesh(mesh, rotations: np.ndarray) -> np.ndarray:
    """Rotations of the numbers of points along the three directions."""
    n = np.array(mesh, float)
    return rotations * n[:, None] / n[None, :]


def _keep_mesh(mesh, rotations: np.ndarray) -> np.ndarray:
    """(n,): whether they map the mesh onto itself."""
    turns = _on_mesh(mesh, rotations)
    return np.abs(turns - np.rint(turns)).max(axis=(1, 2)) < 1e-6


def irreducible(mesh, rotations: np.ndarray) -> int:
    """Points of a symmetric mesh that neither rotations nor the reversal of time take into one another."""
    n = np.array(mesh)
    turns = np.rint(_on_mesh(mesh, rotations)).astype(int)
    points = np.indices(mesh).reshape(3, -1)
    least = np.full(points.shape[1], points.shape[1])
    for turn in np.concatenate([turns, -turns]):
        images = (turn @ points) % n[:, None]
        np.minimum(least, np.ravel_multi_index(tuple(images), mesh), out=least)
    return len(np.unique(least))
