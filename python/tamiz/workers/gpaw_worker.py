"""Worker process that answers label requests with GPAW.

The settings of a request are a level file, datasets/levels/<name>.json:

cutoff            plane-wave cutoff [eV]
smearing          Fermi-Dirac width [eV]; energies are stored free and extrapolated to zero width
kpoint_length     what meshes of k-points resolve [Å] (``kpoint_mesh.py``), for each class of mesh: ``anion`` for compounds with
                  an electronegative anion, ``covalent`` for others with a non-metal or metalloid, ``metal``; ``large`` or
                  ``insulator`` for insulators, ``intermetallic`` (where the level has it) for compounds that are metals or
                  have no anion, and ``molecule`` (one point) for a molecule in a box
kpoint_density    instead of it, k-points per Å⁻¹ of reciprocal length, in the cell as it is; fractional translations then count as
                  symmetries of the class ``large`` only
mesh              (optional) class to use; otherwise it is chosen from the composition, and for compounds with an anion
                  from the gap, too: those with an odd number of electrons go to ``intermetallic``; the others begin with
                  ``insulator``, where the level has it, go on to ``anion`` where their gap is below 1.5 eV, and to
                  ``intermetallic`` where they turn out to have none. A level without that class takes ``covalent``.
                  Relaxations of compounds begin on coarser meshes where the measure is a length
paw               (optional) PAW sets that GPAW's generator makes (``paw_sets.py``), by element: valence electrons, and
                  a radius where it is not the generator's; the others are those of gpaw-data
pulay             dE/dE_cut per atom [eV/eV] of each element, for the Pulay correction of the stress
stress_gate_gpa   (optional) largest Pulay correction [GPa] with which a stress is given out as a label
energy_tolerance  change of the energy [eV per valence electron] at which a self-consistent cycle has converged
eigenstates_tolerance  (optional) largest mean square residual [eV² per valence electron] at its end; GPAW asks for 4e-8
scf_iterations    (optional) most iterations of a self-consistent cycle
relax             fmax [eV/Å], smax_gpa [GPa], max_steps
gap               method ``GLLBSC``, cutoff [eV], kpoint_length or kpoint_density; with (optional) tolerance [eV] the band edges are looked for
                  on meshes that are doubled at fixed density until the gap moves by less, and the gap with ``xc`` at the
                  level's own cutoff and mesh is found in the same way
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.stress import full_3x3_to_voigt_6_stress
from ase.units import GPa

import kpoint_mesh
import paw_sets
import protocol

ANIONS = {"H", "C", "N", "O", "F", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"}
METALLOIDS = {"B", "Si", "Ge", "Sn", "Sb"}
DOUBLINGS = 3  # of a mesh on which band edges are looked for, at most
NO_GAP = 0.05  # [eV] on the mesh: below it the result counts as metallic
# The gap [eV] that a compound must have to stay on a class of mesh, and the class that is next where it has not. Metals
# may be 40 meV/atom off on ``anion``, and a compound with a gap of 0.9 eV 7 meV/atom on ``insulator`` (datasets/levels).
LADDER = {"insulator": (1.5, "anion"), "anion": (NO_GAP, "intermetallic")}
# Most cycles end within 20 iterations and those of metals within 35; one that needs far more hardly ever ends.
SCF_ITERATIONS = 70
# Corrections up to here leave at most 0.5 GPa (datasets/levels/README.md); larger ones, of compressed nitrides, leave more.
STRESS_GATE = 7.0  # [GPa]
# Lengths [Å] that the meshes resolve on which relaxations of compounds begin, and the multiples of the thresholds to which they go
# there: about the errors of such meshes. Points of a mesh go with the cube of its length.
ROUGH = ((12.0, 10.0), (18.0, 3.0))
UNSUITED = 3.0  # multiple of the thresholds on a class of mesh that turns out not to suit


def mesh_class(symbols: list[str], classes=()) -> str:
    """Class of k-point mesh for a composition, the coarsest that it may have among those of a level."""
    counts = Counter(symbols)
    elements = set(counts)
    if elements & ANIONS and len(elements) > 1:
        coarsest = "insulator" if "insulator" in classes else "anion"
        # An odd number of electrons half fills a band: in the cell for sure, in the formula nearly always, and where a
        # first try costs little nothing is said before it.
        formula_units = 1 if coarsest == "insulator" else math.gcd(*counts.values())
        electrons = sum(n // formula_units * atomic_numbers[symbol] for symbol, n in counts.items())
        return known_class("intermetallic", classes) if electrons % 2 else coarsest
    if "intermetallic" in classes and len(elements) > 1:
        return "intermetallic"
    return "covalent" if elements & (ANIONS | METALLOIDS) else "metal"


def known_class(mesh: str, classes) -> str:
    """A level without a class for compounds that are metals calculates them on that for semiconductors without an anion."""
    return "covalent" if mesh == "intermetallic" and mesh not in classes else mesh


def mesh_table(settings: dict) -> dict:
    """By class of mesh, how fine it is in the level's measure, a length [Å] or a density; 0: one point, of a molecule."""
    return settings["kpoint_length"] if "kpoint_length" in settings else settings["kpoint_density"]


@dataclass(frozen=True)
class Sampling:
    """A mesh, the cell that it belongs to, which is `basis` times that of the atoms, and GPAW's parameter `symmetry`; in `whole`
    all operations of the crystal, where `symmetry` has a part of them."""

    mesh: tuple[int, int, int]
    basis: np.ndarray
    symmetry: dict
    whole: dict | None = None
    length: float = 0.0  # that the level asks for [Å]; 0: it asks for a density
    density: float = 0.0

    @classmethod
    def of(cls, atoms: Atoms, settings: dict, fineness: float, symmorphic: bool = True, even: bool | None = None) -> Sampling:
        """`settings` say which measure `fineness` is in; where it is a density, fractional translations count as symmetries
        only where `symmorphic` is false. Where `even` is given, the mesh has all symmetries of the crystal, and even numbers or any."""
        whole, own = np.eye(3, dtype=int), {"symmorphic": symmorphic}
        if "kpoint_length" not in settings:
            mesh = kpoint_mesh.by_density(atoms, fineness)
            return cls(tuple(n + n % 2 if even and n > 1 else n for n in mesh), whole, own, density=fineness)
        if fineness == 0.0 or not all(atoms.pbc):
            density = fineness / (2.0 * math.pi)
            return cls(kpoint_mesh.by_density(atoms, density), whole, own, density=density)
        basis = kpoint_mesh.reduction(atoms)
        cell = kpoint_mesh.reduced(atoms, basis)
        symmetry = kpoint_mesh.symmetries(cell)
        if even is not None:
            return cls(kpoint_mesh.by_length(cell, fineness, symmetry["rotations"], even), basis, symmetry, length=fineness)
        mesh, used = kpoint_mesh.cheapest(cell, fineness, symmetry["rotations"])
        part = {name: values[used] for name, values in symmetry.items()}
        return cls(mesh, basis, part, None if used.all() else symmetry, length=fineness)

    def cell(self, atoms: Atoms) -> Atoms:
        """The atoms in the cell of the mesh."""
        return kpoint_mesh.reduced(atoms, self.basis)

    def fits(self, atoms: Atoms) -> bool:
        """Whether the mesh is as fine as the level asks for when the cell has become that of `atoms`."""
        if self.length > 0.0:
            return kpoint_mesh.resolved_length(self.cell(atoms), self.mesh) >= (1.0 - kpoint_mesh.KEPT) * self.length
        return all(have >= want for have, want in zip(self.mesh, kpoint_mesh.by_density(atoms, self.density)))


def pulay_stress(atoms: Atoms, settings: dict) -> np.ndarray:
    """Pulay correction to add to the stress, (3, 3) [eV/Å³].

    σ_Pulay = (2/3)(E_cut/V) dE/dE_cut (Francis and Payne 1990, doi:10.1088/0953-8984/2/19/007), with
    dE/dE_cut as a sum of constants per element.
    """
    constants = settings["pulay"]
    missing = sorted(set(atoms.symbols) - set(constants))
    if missing:
        raise protocol.LabelFailure(f"level {settings['name']} has no Pulay constant for {', '.join(missing)}")
    slope = sum(constants[symbol] for symbol in atoms.symbols)
    return np.eye(3) * (2.0 / 3.0) * settings["cutoff"] / atoms.get_volume() * slope


def stress_is_reliable(atoms: Atoms, settings: dict) -> bool:
    """Whether the corrected stress is good enough for a label."""
    return bool(abs(pulay_stress(atoms, settings)[0, 0]) <= settings.get("stress_gate_gpa", STRESS_GATE) * GPa)


class Level(Calculator):
    """GPAW at one level: fixed mesh, enough empty bands, stress corrected for the Pulay error."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, atoms: Atoms, settings: dict, mesh: str, on_result=None):
        super().__init__()
        self.settings = settings
        self.mesh = mesh
        fineness = mesh_table(settings)[mesh]
        self.sampling = Sampling.of(atoms, settings, fineness, symmorphic=mesh != "large")
        self.on_result = on_result
        self.is_crystal = bool(all(atoms.pbc)) and fineness > 0.0
        self.gpaw = make_gpaw(atoms, settings, self.sampling.mesh, self.sampling.symmetry)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        work = self.sampling.cell(atoms)
        self._converge(work)
        self.results = {
            "energy": work.get_potential_energy(),
            "free_energy": work.get_potential_energy(force_consistent=True),
            "forces": work.get_forces(),
        }
        if self.is_crystal:
            stress = work.get_stress(voigt=False)
            if self.sampling.whole is not None:
                self.results["forces"], stress = kpoint_mesh.symmetrized(work, self.sampling.whole, self.results["forces"], stress)
            self.results["stress"] = full_3x3_to_voigt_6_stress(stress + pulay_stress(atoms, self.settings))
        if self.on_result is not None and self.suits():
            self.on_result(self._frame(atoms))

    def _frame(self, atoms: Atoms) -> dict:
        """The label; a relaxation goes on with the stress, but it is no label where the gate says so. Steps of one path
        may be on two classes of mesh, so that each says its own."""
        frame = frame_of(atoms, self.results) | {"info": {"mesh_used": self.mesh}}
        if self.is_crystal and not stress_is_reliable(atoms, self.settings):
            del frame["stress"]
        return frame

    def _converge(self, work: Atoms) -> None:
        """Runs the self-consistent cycle of `work`, which then has the calculator."""
        from gpaw import KohnShamConvergenceError
        from gpaw.new.symmetry import SymmetryAnalysisBug, SymmetryBrokenError

        work.calc = self.gpaw
        try:
            try:
                work.get_potential_energy()
            except (SymmetryAnalysisBug, SymmetryBrokenError):
                # Rare, in cells that are symmetric within the tolerance only: slower without, and as right.
                self.gpaw = make_gpaw(work, self.settings, self.sampling.mesh, {"point_group": False})
                work.calc = self.gpaw
                work.get_potential_energy()
        except KohnShamConvergenceError as error:
            limit = scf_iterations(self.settings)
            raise protocol.LabelFailure(f"the self-consistent cycle did not converge in {limit} iterations") from error

    def fits(self, atoms: Atoms) -> bool:
        """Whether the mesh is as dense for this cell as the level asks for."""
        return self.sampling.fits(atoms)

    def suits(self) -> bool:
        """Whether the gap of the last geometry is what its class of mesh is for; without it, an energy is no label."""
        return "mesh" in self.settings or self.mesh not in LADDER or self.gap()[0] >= LADDER[self.mesh][0]

    def next_mesh(self) -> str:
        """The class of mesh to go on with where this one does not suit; a metal skips those for small gaps."""
        step = LADDER[self.mesh][1]
        if self.gap()[0] == 0.0 and step in LADDER:
            step = LADDER[step][1]
        return known_class(step, mesh_table(self.settings))

    def gap(self) -> tuple[float, float]:
        """Smallest and smallest direct difference of band edges on the mesh [eV]; (0, 0) for a metal."""
        if number_of_electrons(self.atoms, self.settings) % 2 == 1:
            return 0.0, 0.0  # a band is half filled: the edges beside it are no gap
        homo, lumo, direct = band_edges(self.gpaw)
        return (lumo - homo, direct) if lumo - homo >= NO_GAP else (0.0, 0.0)


def make_gpaw(atoms: Atoms, settings: dict, kpoints, symmetry: dict):
    from gpaw import PW, FermiDirac
    from gpaw.new.ase_interface import GPAW

    return GPAW(
        mode=PW(settings["cutoff"]),
        xc=settings["xc"],
        kpts={"size": kpoints, "gamma": True},
        occupations=FermiDirac(settings["smearing"]),
        setups=paw_sets.provide(settings, atoms.symbols),
        nbands=number_of_bands(atoms, settings),
        symmetry=symmetry,
        convergence=scf_convergence(settings),
        maxiter=scf_iterations(settings),
        txt=None,
    )


def scf_convergence(settings: dict) -> dict:
    """GPAW's parameter `convergence`; what a level leaves out is GPAW's own."""
    names = {"energy": "energy_tolerance", "eigenstates": "eigenstates_tolerance"}
    return {ours: settings[name] for ours, name in names.items() if name in settings}


def scf_iterations(settings: dict) -> int:
    return settings.get("scf_iterations", SCF_ITERATIONS)


def number_of_electrons(atoms: Atoms, settings: dict) -> int:
    """Valence electrons of the PAW sets."""
    from gpaw.setup_data import SetupData

    tags = paw_sets.provide(settings, atoms.symbols)
    each = {symbol: SetupData(symbol, settings["xc"], tags.get(symbol, "paw")).Nv for symbol in set(atoms.symbols)}
    return round(sum(each[symbol] for symbol in atoms.symbols))


def number_of_bands(atoms: Atoms, settings: dict) -> int:
    """Bands with room for smearing: GPAW's own choice leaves fcc Ca without a single empty one."""
    occupied = math.ceil(number_of_electrons(atoms, settings) / 2)
    return occupied + max(6, math.ceil(0.2 * occupied))


def frame_of(atoms: Atoms, results: dict) -> dict:
    frame = protocol.structure_from_atoms(atoms)
    frame["energy"] = float(results["energy"])
    frame["free_energy"] = float(results["free_energy"])
    frame["forces"] = results["forces"].tolist()
    if "stress" in results:
        xx, yy, zz, yz, xz, xy = results["stress"]
        frame["stress"] = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]
    return frame


def chosen_mesh(atoms: Atoms, settings: dict) -> str:
    """Class of mesh to begin with: the settings name it, else the composition."""
    mesh = settings.get("mesh") or mesh_class(list(atoms.symbols), mesh_table(settings))
    if mesh not in mesh_table(settings):
        known = ", ".join(sorted(mesh_table(settings)))
        raise protocol.LabelFailure(f"unknown mesh class {mesh!r}, level {settings['name']} has {known}")
    return mesh


def start_level(atoms: Atoms, settings: dict, mesh: str, on_result) -> Level:
    """A level that has calculated the atoms once, and is their calculator."""
    level = Level(atoms, settings, mesh, on_result)
    atoms.calc = level
    atoms.get_potential_energy()
    return level


class Relaxation:
    """Moves atoms and cell, on one mesh after the other: what the optimiser knows of the energy stays."""

    def __init__(self, atoms: Atoms, level: Level):
        stiffness = 40.0  # [eV/Å²], first guess of the optimiser for a bond
        # Scales the strain so that a bulk modulus of 120 GPa looks as stiff to the optimiser as a bond:
        # E = (9/2) B V ε² is ½·(3 B V)·|strain|² for an isotropic strain, |strain|² = 3 ε².
        scale = math.sqrt(3.0 * atoms.get_volume() * 120.0 * GPa / stiffness) if level.is_crystal else 1.0
        target = FrechetCellFilter(atoms, exp_cell_factor=scale) if level.is_crystal else atoms
        self.optimizer = BFGS(target, logfile=None, alpha=stiffness, maxstep=0.15)

    @property
    def n_steps(self) -> int:
        return self.optimizer.nsteps

    def run(self, level: Level, loose: float = 1.0) -> None:
        """To `loose` times the thresholds of the level, and no further on a mesh that does not suit than makes sense there."""
        limits = level.settings["relax"]
        is_last = loose == 1.0
        for _ in self.optimizer.irun(fmax=1e-9, steps=limits["max_steps"]):
            fmax, smax = residuals(level)
            times = UNSUITED if is_last and not level.suits() else loose
            if fmax <= times * limits["fmax"] and smax <= times * limits["smax_gpa"]:
                # Taken note of, so that a step between meshes, at one place, is not taken for a curvature.
                place = self.optimizer.optimizable
                self.optimizer.prepare_step(place.get_x(), place.get_gradient())
                return
        if level.suits() and is_last:
            raise protocol.LabelFailure(f"relaxation not converged after {limits['max_steps']} steps")


def begin_roughly(atoms: Atoms, settings: dict, mesh: str) -> tuple[Relaxation | None, str]:
    """Relaxes a compound on meshes that are coarser than its class; without success, atoms are where they were.

    Returns the relaxation to go on with, and the class that the gap on the last of these meshes allows.
    """
    before, first, relaxation = atoms.copy(), mesh, None
    try:
        for length, loose in ROUGH:
            if 1.3 * length > settings["kpoint_length"][mesh]:
                continue
            coarse = settings | {"kpoint_length": settings["kpoint_length"] | {mesh: length}}
            level = start_level(atoms, coarse, mesh, None)
            relaxation = relaxation or Relaxation(atoms, level)
            relaxation.run(level, loose)
            if not level.suits():
                mesh = level.next_mesh()
    except protocol.LabelFailure:
        atoms.set_cell(before.cell)
        atoms.positions = before.positions
        return None, first
    return relaxation, mesh


def relax(atoms: Atoms, settings: dict, on_result) -> tuple[Level, int]:
    """Relaxes the atoms, compounds roughly on coarse meshes before, on the class of mesh that suits them; returns the level and
    the number of steps."""
    mesh, relaxation = chosen_mesh(atoms, settings), None
    if "kpoint_length" in settings and len(set(atoms.symbols)) > 1 and all(atoms.pbc):
        relaxation, mesh = begin_roughly(atoms, settings, mesh)
    while True:
        # The mesh belongs to the cell that it starts with, which may grow a shorter side.
        level = start_level(atoms, settings, mesh, on_result)
        relaxation = relaxation or Relaxation(atoms, level)
        relaxation.run(level)
        if not level.suits():
            mesh = level.next_mesh()
        elif level.fits(atoms):
            return level, relaxation.n_steps


def converge(atoms: Atoms, settings: dict, on_result) -> Level:
    """Calculates the atoms on the class of mesh that suits them."""
    level = start_level(atoms, settings, chosen_mesh(atoms, settings), on_result)
    while not level.suits():
        level = start_level(atoms, settings, level.next_mesh(), on_result)
    return level


def residuals(level: Level) -> tuple[float, float]:
    """Largest force on an atom [eV/Å] and largest corrected stress component [GPa] of the last geometry."""
    fmax = float(np.linalg.norm(level.results["forces"], axis=1).max())
    smax = float(np.abs(level.results["stress"]).max() / GPa) if level.is_crystal else 0.0
    return fmax, smax


def band_edges(calc) -> tuple[float, float, float]:
    """Top of the occupied and bottom of the empty bands, and the smallest direct difference [eV]; infinite without one."""
    homo, lumo = calc.get_homo_lumo()
    middle, direct = 0.5 * (homo + lumo), math.inf
    for k in range(len(calc.get_ibz_k_points())):
        levels = calc.get_eigenvalues(kpt=k)
        below, above = levels[levels < middle], levels[levels > middle]
        if len(above) and len(below):
            direct = min(direct, above.min() - below.max())
    return float(homo), float(lumo), float(direct)


def gap_sampling(atoms: Atoms, settings: dict) -> Sampling:
    """Mesh that band edges are looked for on first; even where it is doubled: the borders of the zone, where many edges lie,
    are on even meshes only."""
    options = settings["gap"]
    if ("kpoint_length" in options) != ("kpoint_length" in settings):
        raise protocol.LabelFailure(f"level {settings['name']} measures its meshes and those of its gaps differently: both by length, or by density")
    fineness = options["kpoint_length" if "kpoint_length" in options else "kpoint_density"]
    return Sampling.of(atoms, options, fineness, even="tolerance" in options)


def with_true_edges(calc, kpoints: list[int], settings: dict):
    """The density of `calc` on meshes that are doubled until the gap moves by less than the tolerance, from `kpoints` on;
    returns the calculator and its mesh."""

    def on(mesh):
        finer = calc.fixed_density(kpts={"size": mesh, "gamma": True}, convergence={"bands": "CBM+0.5"}, maxiter=250, txt=None)
        homo, lumo, _ = band_edges(finer)
        return finer, lumo - homo

    finer, gap = on(kpoints)
    for _ in range(DOUBLINGS):
        kpoints = [2 * n if n > 1 else n for n in kpoints]
        last, (finer, gap) = gap, on(kpoints)
        if gap < NO_GAP or abs(gap - last) < settings["gap"]["tolerance"]:
            break
    return finer, kpoints


def plain_gap(atoms: Atoms, settings: dict) -> dict:
    """Gap with the functional of the level, as ``gap_pbe``, on the mesh of the level and finer ones."""
    if number_of_electrons(atoms, settings) % 2 == 1:
        return {"gap_pbe": 0.0, "gap_pbe_direct": 0.0}
    level = converge(atoms.copy(), settings, None)
    if level.gap()[0] == 0.0:
        return {"gap_pbe": 0.0, "gap_pbe_direct": 0.0}
    calc, kpoints = with_true_edges(level.gpaw, list(gap_sampling(atoms, settings).mesh), settings)
    homo, lumo, direct = band_edges(calc)
    gap, direct = (lumo - homo, direct) if lumo - homo >= NO_GAP else (0.0, 0.0)
    return {"gap_pbe": gap, "gap_pbe_direct": direct, "gap_pbe_kpoints": list(kpoints)}


def gllbsc_gap(atoms: Atoms, settings: dict) -> dict:
    """Quasi-particle gap by GLLB-SC with its derivative discontinuity (doi:10.1103/PhysRevB.82.115106)."""
    from gpaw import GPAW, PW, FermiDirac

    options = settings["gap"]
    sampling = gap_sampling(atoms, settings)
    kpoints = list(sampling.mesh)
    properties = {"gap_level": "GLLB-SC", "gap_kpoints": list(kpoints)}
    metal = properties | {"gap": 0.0, "gap_direct": 0.0, "gap_kind": "metal"}
    stock = {"xc": "PBE"}  # GLLB-SC has sets of its own in gpaw-data only
    if number_of_electrons(atoms, stock) % 2 == 1:
        return metal
    calc = GPAW(
        mode=PW(options["cutoff"]),
        xc=options["method"],
        kpts={"size": kpoints, "gamma": True},
        occupations=FermiDirac(0.01),
        nbands=number_of_bands(atoms, stock),
        convergence={"bands": "CBM+0.5"},
        maxiter=250,
        txt=None,
    )
    work = sampling.cell(atoms)
    work.calc = calc
    work.get_potential_energy()
    homo, lumo, _ = band_edges(calc)
    if lumo - homo < NO_GAP:
        return metal
    finer = calc
    if "tolerance" in options:
        finer, kpoints = with_true_edges(calc, kpoints, settings)
    homo, lumo, direct = band_edges(finer)
    if lumo - homo < NO_GAP:
        return metal
    properties["gap_kpoints"] = list(kpoints)
    potential = calc.hamiltonian.xc.response.calculate_discontinuity_potential(homo, lumo)
    kohn_sham, discontinuity = finer.hamiltonian.xc.response.calculate_discontinuity(potential)
    gap = float(kohn_sham + discontinuity)
    gap_direct = float(direct + discontinuity)
    kind = "direct" if gap_direct - gap < 0.01 else "indirect"
    return properties | {"gap": gap, "gap_direct": gap_direct, "gap_kind": kind, "gap_kohn_sham": float(kohn_sham)}


def handle(request: dict, emit_step) -> tuple[dict, dict]:
    """Answers one request: returns the frame and the properties, or raises LabelFailure."""
    atoms = protocol.atoms_from_structure(request["structure"])
    settings = request["settings"]
    task = request["task"]
    if task == "gap":
        gaps = gllbsc_gap(atoms, settings)
        if "tolerance" in settings["gap"]:
            gaps |= plain_gap(atoms, settings)
        return protocol.structure_from_atoms(atoms), gaps
    steps = []

    def on_result(frame):
        steps.append(frame)
        if task == "relax":
            emit_step(frame)

    if task == "relax":
        level, n_steps = relax(atoms, settings, on_result)
        properties = {"relax_steps": n_steps}
    else:
        level, properties = converge(atoms, settings, on_result), {}
    properties["fmax"], properties["smax_gpa"] = residuals(level)
    gap, direct = level.gap()
    kind = "metal" if gap == 0.0 else "direct" if direct - gap < 0.01 else "indirect"
    properties |= {
        "gap": gap,
        "gap_direct": direct,
        "gap_kind": kind,
        "gap_level": settings["xc"],
        "mesh": level.mesh,
        "kpoints": list(level.sampling.mesh),
        "n_calculations": len(steps),
    }
    return steps[-1], properties


def main() -> None:
    import gpaw

    protocol.serve("gpaw", gpaw.__version__, handle)


if __name__ == "__main__":
    main()
