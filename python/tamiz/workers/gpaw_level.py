"""GPAW at one level of settings, as an ASE calculator whose stress is corrected for the Pulay error."""

from __future__ import annotations

import math

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress
from ase.units import GPa

import kpoint_mesh
import paw_sets
import protocol
from kpoint_sampling import Sampling, chosen_mesh, known_class, mesh_table

NO_GAP = 0.05  # [eV] on the mesh: below it the result counts as metallic
# The gap [eV] that a compound must have to stay on a class of mesh, and the class that is next where it has not. Metals
# may be 40 meV/atom off on ``anion``, and a compound with a gap of 0.9 eV 7 meV/atom on ``insulator`` (datasets/levels).
LADDER = {"insulator": (1.5, "anion"), "anion": (NO_GAP, "intermetallic")}
# Most cycles end within 20 iterations and those of metals within 35; one that needs far more hardly ever ends.
SCF_ITERATIONS = 70
# Corrections up to here leave at most 0.5 GPa (datasets/levels/README.md); larger ones, of compressed nitrides, leave more.
STRESS_GATE = 7.0  # [GPa]


class CycleFailure(protocol.LabelFailure):
    """A self-consistent cycle that did not converge."""


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
            raise CycleFailure(f"the self-consistent cycle did not converge in {limit} iterations") from error

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


def start_level(atoms: Atoms, settings: dict, mesh: str, on_result) -> Level:
    """A level that has calculated the atoms once, and is their calculator."""
    level = Level(atoms, settings, mesh, on_result)
    atoms.calc = level
    atoms.get_potential_energy()
    return level


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
