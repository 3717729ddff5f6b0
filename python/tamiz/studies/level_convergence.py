"""Convergence study behind a DFT level: cutoff, mesh, smearing, forces, Pulay constants and their check.

    python -m tamiz.studies.level_convergence datasets/levels/pbe-600.json -o datasets/levels/pbe-600.convergence.json

Every calculation is kept in the output as it ends, so that a study that was stopped goes on. The results, for those of
the materials below whose elements the level has a Pulay constant of (0 will do before they are fitted):

cutoff    formation energies [eV/atom] at 5/6, 1 and 5/4 of the level's cutoff
mesh      formation energies [eV/atom] at 1 and 1.5 times the density of each structure's class of mesh
smearing  formation energies [eV/atom] at 1 and 0.5 times the level's width
          (both of energies extrapolated to zero width, as hulls are; all else is of free energies, whose derivatives forces are)
forces    largest change of a force component [eV/Å] of shaken cells, by cutoff and by mesh as above
insulator  where the level has that class of mesh: for compounds that may have it, their gap on it [eV], and how far the energy
          [eV/atom] and the forces of shaken cells [eV/Å] are from those on ``anion``
large     where the level has a class for intermetallics: how far the energies of large ones [eV/atom] are on ``anion``, which
          `known_structures` asks for, from those on their own class
tolerance  where the level has one for the eigenstates: what it moves energies and forces by, as above, from GPAW's own on
pulay     dE/dE_cut per atom [eV/eV], fitted to energies at 0.95 and 1.05 of the level's cutoff
stress    corrected stress and dE/dV at fixed cutoff [GPa], of structures of the fit and of others

Mesh and smearing are studied at a cutoff of 350 eV and the cutoff on a mesh of density 2, or of a length of 12.5 Å, each
being nearly independent of the other. ``--table`` prints the results as Markdown tables.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.units import GPa

from tamiz.studies.kept_results import KeptResults
from tamiz.studies.known_structures import conventional_cell, listed_phases, primitive_cell
from tamiz.studies.relaxed import PREFIX

sys.path.insert(0, str(Path(__file__).parents[1] / "workers"))
import gpaw_level  # noqa: E402
import kpoint_sampling  # noqa: E402

COARSE = {"kpoint_density": 2.0, "kpoint_length": 12.5}  # by the measure of the level
COARSE_CUTOFF = 350.0
ELEMENTS = {"Ca": "Ca", "Mg": "Mg", "Zn": "Zn", "Si": "Si", "Ge": "Ge", "Sn": "Sn", "N": "N2", "P": "P"}
COMPOUNDS = ("CaMg2N2", "Mg2Si", "SiN", "MgN", "MgSiN2", "ZnGeN2", "ZnSnP2", "CaZn2P2", "Mg2Sn", "Mg2Ge", "Ca2N")
SHAKEN = ("Si", "CaMg2N2", "MgSiN2", "Mg2Si", "ZnGeN2", "CaZn2P2")
STRAINED = ("Si", "CaMg2N2", "Mg2Si", "SiN", "Zn", "ZnGeN2", "CaZn2P2")
OUTSIDE = ("MgSiN2", "CaN", "Ca2N", "Ca2Si", "ZnSnP2", "Ca2Sn")  # not in the fit of the Pulay constants
LARGE = ("MgZn2", "CaMg2", "CaMgSi")  # of `known_phases.toml`, with twelve atoms
PARTS = ["cutoff", "pulay", "stress", "smearing", "mesh", "forces", "insulator", "large", "tolerance"]
GPAW_TOLERANCE = 4e-8  # of the eigenstates [eV²/electron]


def antifluorite(formula: str, a: float) -> Atoms:
    fcc = a * np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    return Atoms(formula, cell=fcc, pbc=True, scaled_positions=[[0, 0, 0], [0.25] * 3, [0.75] * 3])


def layered(symbols: str, a: float, c: float) -> Atoms:
    """CaAl2Si2 type."""
    places = [[0, 0, 0], [1 / 3, 2 / 3, 0.63], [2 / 3, 1 / 3, 0.37], [1 / 3, 2 / 3, 0.265], [2 / 3, 1 / 3, 0.735]]
    cell = [[a, 0, 0], [-a / 2, a * 3**0.5 / 2, 0], [0, 0, c]]
    return Atoms(symbols, cell=cell, pbc=True, scaled_positions=places)


def layered_zincblende(symbols: str, a: float, c: float) -> Atoms:
    """Zincblende with alternating layers of two metals, CuAu-like."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0.28], [0, 0.5, 0.72]]
    return Atoms(symbols, cell=[a, a, c], pbc=True, scaled_positions=places)


def anti_cdcl2(formula: str, a: float, c: float, z: float) -> Atoms:
    """Rhombohedral layers, of a subnitride."""
    x, y = a / 2, a / 12**0.5
    cell = [[x, y, c / 3], [-x, y, c / 3], [0, -2 * y, c / 3]]
    return Atoms(formula, cell=cell, pbc=True, scaled_positions=[[0, 0, 0], [z] * 3, [-z] * 3])


def black_phosphorus() -> Atoms:
    """Cmce, two of its four layers' worth of atoms in the primitive cell."""
    a, b, c, y, z = 3.314, 10.478, 4.376, 0.1017, 0.0806
    cell = np.array([[a, 0.0, 0.0], [0.0, b / 2, c / 2], [0.0, b / 2, -c / 2]])
    places = np.array([[0, y, z], [0, -y, -z], [0.5, y, 0.5 - z], [0.5, -y, 0.5 + z]]) * [a, b, c]
    return Atoms("P4", cell=cell, pbc=True, positions=places)


def large_intermetallics() -> dict[str, Atoms]:
    phases = {phase["id"].removeprefix(PREFIX): phase for phase in listed_phases()}
    return {name: primitive_cell(conventional_cell(phases[name])) for name in LARGE}


def test_set(elements) -> dict[str, Atoms]:
    """Metals, a molecule in a box, narrow-gap and wide-gap compounds of the elements, near their measured lattices."""
    n2 = Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.1]], cell=[7.0, 7.1, 7.2], pbc=True)
    n2.center()
    atoms = {
        "Ca": bulk("Ca", "fcc", 5.53),
        "Mg": bulk("Mg", "hcp", 3.19, 5.18),
        "Si": bulk("Si", "diamond", 5.47),
        "Zn": bulk("Zn", "hcp", 2.66, 4.95),
        "Ge": bulk("Ge", "diamond", 5.76),
        "Sn": bulk("Sn", "diamond", 6.65),
        "N2": n2,
        "P": black_phosphorus(),
        "CaMg2N2": layered("CaMgMgNN", 3.54, 6.09),
        "Mg2Si": antifluorite("SiMg2", 6.35),
        "SiN": bulk("SiN", "zincblende", 4.3),
        "MgN": bulk("MgN", "rocksalt", 4.5),
        "MgSiN2": layered_zincblende("MgSiNN", 3.06, 4.45),
        "ZnGeN2": layered_zincblende("ZnGeNN", 3.20, 4.60),
        "ZnSnP2": layered_zincblende("ZnSnPP", 4.03, 5.75),
        "CaZn2P2": layered("CaZnZnPP", 4.04, 6.84),
        "Mg2Sn": antifluorite("SnMg2", 6.76),
        "Mg2Ge": antifluorite("GeMg2", 6.40),
        "Ca2N": anti_cdcl2("NCa2", 3.62, 19.1, 0.268),
        "CaN": bulk("CaN", "rocksalt", 5.0),
        "Ca2Si": antifluorite("SiCa2", 7.0),
        "Ca2Sn": antifluorite("SnCa2", 7.4),
    } | large_intermetallics()
    return {name: one for name, one in atoms.items() if set(one.symbols) <= set(elements)}


class Calculations(KeptResults):
    """Results by their description, in a file that is replaced after each."""

    def __init__(self, level: dict, path: Path):
        super().__init__(level, path)
        self.atoms = test_set(level["pulay"])
        self.measure = "kpoint_length" if "kpoint_length" in level else "kpoint_density"

    def get(self, name: str, cutoff=None, density=None, smearing=None, volume=1.0, shaken=False, tolerance=GPAW_TOLERANCE) -> dict:
        """Energy at zero width and free energy [eV], forces [eV/Å], uncorrected mean stress [eV/Å³].

        `density` is in the measure of the level. The mesh is that of the unstrained cell. `tolerance` is that of the eigenstates.
        """
        density = density or COARSE[self.measure]
        changes = {"cutoff": cutoff or self.level["cutoff"], "smearing": smearing or self.level["smearing"]}
        key = " ".join([name, *(f"{k}={v:g}" for k, v in (changes | {self.measure.removeprefix("kpoint_"): density, "volume": volume}).items())])
        key += " shaken" if shaken else ""
        if "eigenstates_tolerance" in self.level:
            changes["eigenstates_tolerance"] = tolerance
            key += f" tolerance={tolerance:g}" if tolerance != GPAW_TOLERANCE else ""
        if key not in self.done:
            print(key, file=sys.stderr, flush=True)
            self.done[key] = self._calculate(self.atoms[name], self.level | changes, density, volume, shaken)
            self.write()
        return self.done[key]

    def _calculate(self, atoms: Atoms, settings: dict, density: float, volume: float, shaken: bool) -> dict:
        is_molecule = len(set(atoms.symbols)) == 1 and "N" in atoms.symbols
        sampling = kpoint_sampling.Sampling.with_all_symmetries(atoms, settings, 0.0 if is_molecule else density)
        work = sampling.cell(atoms)
        work.set_cell(work.cell * volume ** (1 / 3), scale_atoms=True)
        if shaken:
            work.rattle(0.08, seed=1)
        # Shaken atoms have the mesh of the crystal and no symmetry.
        symmetry = {"point_group": False} if shaken else sampling.symmetry
        work.calc = gpaw_level.make_gpaw(work, settings, sampling.mesh, symmetry)
        return {
            "energy": work.get_potential_energy(),
            "free_energy": work.get_potential_energy(force_consistent=True),
            "forces": work.get_forces().round(6).tolist(),
            "stress": float(np.mean(work.get_stress()[:3])),
            "kpoints": list(sampling.mesh),
            "gap": float(np.subtract(*gpaw_level.band_edges(work.calc)[1::-1])),
        }

    def names(self, names) -> list[str]:
        """Those whose elements the level has."""
        return [name for name in names if name in self.atoms]

    def class_density(self, name: str) -> float:
        """On the mesh `anion` for what may be an insulator."""
        table = kpoint_sampling.mesh_table(self.level)
        return table[kpoint_sampling.mesh_class(list(self.atoms[name].symbols), set(table) - {"insulator"})]

    def may_be_insulators(self) -> list[str]:
        table = kpoint_sampling.mesh_table(self.level)
        return [name for name in self.names(COMPOUNDS) if kpoint_sampling.mesh_class(list(self.atoms[name].symbols), table) == "insulator"]


def formation_energies(compounds: dict[str, Atoms], energy_per_atom) -> dict[str, float]:
    """Formation energies [eV/atom] of the compounds, from a function that gives energies per atom by name."""
    return {
        name: energy_per_atom(name) - float(np.mean([energy_per_atom(ELEMENTS[s]) for s in atoms.symbols]))
        for name, atoms in compounds.items()
    }


def formation_study(calculations: Calculations, energy: str, settings: dict[str, callable]) -> dict:
    """Formation energies for each of the named settings, functions that give the arguments of `get` by name."""

    def per_atom(name, arguments):
        return calculations.get(name, **arguments(name))[energy] / len(calculations.atoms[name])

    compounds = {name: calculations.atoms[name] for name in calculations.names(COMPOUNDS)}
    return {label: formation_energies(compounds, lambda name, of=arguments: per_atom(name, of)) for label, arguments in settings.items()}


def force_change(calculations: Calculations, name: str, before: dict, after: dict) -> float:
    """Largest change of a force component of the shaken cell [eV/Å], between two sets of arguments."""
    forces = [np.array(calculations.get(name, shaken=True, **which)["forces"]) for which in (before, after)]
    return float(np.abs(forces[1] - forces[0]).max())


def energy_change(calculations: Calculations, name: str, before: dict, after: dict) -> float:
    """[eV/atom], at zero width."""
    energies = [calculations.get(name, **which)["energy"] for which in (before, after)]
    return (energies[1] - energies[0]) / len(calculations.atoms[name])


def force_study(calculations: Calculations) -> dict:
    cutoff = calculations.level["cutoff"]
    result = {}
    for name in calculations.names(SHAKEN):
        density = calculations.class_density(name)
        result[name] = {
            "cutoff": force_change(calculations, name, {}, {"cutoff": 1.25 * cutoff}),
            "mesh": force_change(calculations, name, *({"cutoff": COARSE_CUTOFF, "density": f * density} for f in (1.0, 1.5))),
        }
    return result


def insulator_study(calculations: Calculations) -> dict:
    table, result = kpoint_sampling.mesh_table(calculations.level), {}
    for name in calculations.may_be_insulators():
        meshes = [{"cutoff": COARSE_CUTOFF, "density": table[mesh]} for mesh in ("anion", "insulator")]
        result[name] = {"gap": calculations.get(name, **meshes[1])["gap"], "energy": energy_change(calculations, name, *meshes)}
        if name in SHAKEN:
            result[name]["forces"] = force_change(calculations, name, *meshes)
    return result


def large_study(calculations: Calculations) -> dict:
    table = kpoint_sampling.mesh_table(calculations.level)
    if "intermetallic" not in table:
        return {}
    meshes = [{"cutoff": COARSE_CUTOFF, "density": table[mesh]} for mesh in ("intermetallic", "anion")]
    return {name: {"energy": energy_change(calculations, name, *meshes)} for name in calculations.names(LARGE)}


def tolerance_study(calculations: Calculations) -> dict:
    if "eigenstates_tolerance" not in calculations.level:
        return {}
    ours = {"tolerance": calculations.level["eigenstates_tolerance"]}
    return {name: {"energy": energy_change(calculations, name, {}, ours), "forces": force_change(calculations, name, {}, ours)}
            for name in calculations.names(SHAKEN)}


def pulay_study(calculations: Calculations) -> dict:
    names = [name for name in calculations.atoms if name != "N2" and name not in (*OUTSIDE, *LARGE)]
    low, high = 0.95 * calculations.level["cutoff"], 1.05 * calculations.level["cutoff"]
    slopes = [
        (calculations.get(name, cutoff=high)["free_energy"] - calculations.get(name, cutoff=low)["free_energy"]) / (high - low)
        for name in names
    ]
    elements = [symbol for symbol in ELEMENTS if symbol in calculations.level["pulay"]]
    counts = [[calculations.atoms[name].symbols.count(symbol) for symbol in elements] for name in names]
    constants = np.linalg.lstsq(np.array(counts, float), np.array(slopes), rcond=None)[0]
    return dict(zip(elements, constants.tolist()))


def stress_study(calculations: Calculations) -> dict:
    """With the constants of the level file. dE/dV is the central difference at 1 % of the volume, at fixed mesh."""
    result = {}
    for name in calculations.names((*STRAINED, *OUTSIDE)):
        atoms = calculations.atoms[name]
        low, high = (calculations.get(name, volume=factor)["free_energy"] for factor in (0.99, 1.01))
        raw = calculations.get(name)["stress"]
        correction = gpaw_level.pulay_stress(atoms, calculations.level)[0, 0]
        result[name] = {
            "raw": raw / GPa,
            "corrected": (raw + correction) / GPa,
            "energy_derivative": (high - low) / (0.02 * atoms.get_volume()) / GPa,
            "in_fit": name not in OUTSIDE,
        }
    return result


def studies(calculations: Calculations) -> dict[str, callable]:
    level = calculations.level
    cutoffs = [level["cutoff"] * factor for factor in (5 / 6, 1.0, 1.25)]

    def coarse(name, density=1.0, width=1.0):
        return {"cutoff": COARSE_CUTOFF, "density": density * calculations.class_density(name),
                "smearing": width * level["smearing"]}

    by_cutoff = {f"{c:g} eV": lambda _, c=c: {"cutoff": c} for c in cutoffs}
    by_width = {f"{w * level['smearing']:g} eV": lambda name, w=w: coarse(name, width=w) for w in (1.0, 0.5)}
    by_density = {f"{calculations.measure.removeprefix('kpoint_')} x {d:g}": lambda name, d=d: coarse(name, density=d) for d in (1.0, 1.5)}
    return {
        "cutoff": lambda: formation_study(calculations, "free_energy", by_cutoff),
        "pulay": lambda: pulay_study(calculations),
        "stress": lambda: stress_study(calculations),
        "smearing": lambda: formation_study(calculations, "energy", by_width),
        "mesh": lambda: formation_study(calculations, "energy", by_density),
        "forces": lambda: force_study(calculations),
        "insulator": lambda: insulator_study(calculations),
        "large": lambda: large_study(calculations),
        "tolerance": lambda: tolerance_study(calculations),
    }


def formation_table(results: dict) -> list[str]:
    studied = [what for what in ("cutoff", "mesh", "smearing") if what in results]
    if not studied:
        return []
    steps = [f"{what}, {' → '.join(list(results[what])[-2:])}" for what in studied]
    lines = ["| formation energy of | " + " | ".join(steps) + " |", "|---" * (1 + len(studied)) + "|"]
    for name in next(iter(results[studied[0]].values())):
        moves = []
        for what in studied:
            before, after = list(results[what].values())[-2:]
            moves.append(f"{1000 * (after[name] - before[name]):+.1f} meV/atom")
        lines.append(f"| {name} | " + " | ".join(moves) + " |")
    return [*lines, ""]


def force_table(results: dict) -> list[str]:
    if "forces" not in results:
        return []
    lines = ["| largest change of a force, shaken | cutoff | mesh |", "|---|---|---|"]
    for name, change in results["forces"].items():
        lines.append(f"| {name} | {1000 * change['cutoff']:.1f} meV/Å | {1000 * change['mesh']:.1f} meV/Å |")
    return [*lines, ""]


def stress_table(results: dict) -> list[str]:
    if "stress" not in results:
        return []
    lines = ["| stress | as calculated | corrected | dE/dV | in the fit | Pulay correction |", "|---|---|---|---|---|---|"]
    for name, stress in results["stress"].items():
        values = " | ".join(f"{stress[key]:.2f} GPa" for key in ("raw", "corrected", "energy_derivative"))
        correction = abs(stress["corrected"] - stress["raw"])
        lines.append(f"| {name} | {values} | {'yes' if stress['in_fit'] else 'no'} | {correction:.1f} GPa |")
    return [*lines, ""]


def insulator_table(results: dict) -> list[str]:
    if not results.get("insulator"):
        return []
    lines = ["| on the mesh `insulator` | gap | energy | largest change of a force, shaken |", "|---|---|---|---|"]
    for name, change in results["insulator"].items():
        forces = f"{1000 * change['forces']:.1f} meV/Å" if "forces" in change else ""
        lines.append(f"| {name} | {change['gap']:.2f} eV | {1000 * change['energy']:+.1f} meV/atom | {forces} |")
    return [*lines, ""]


def large_table(results: dict) -> list[str]:
    if not results.get("large"):
        return []
    lines = ["| on the mesh `anion` instead of `intermetallic` | energy |", "|---|---|"]
    return [*lines, *(f"| {name} | {1000 * change['energy']:+.1f} meV/atom |" for name, change in results["large"].items()), ""]


def tolerance_table(results: dict) -> list[str]:
    if not results.get("tolerance"):
        return []
    lines = ["| tolerance of the eigenstates | energy | largest change of a force, shaken |", "|---|---|---|"]
    for name, change in results["tolerance"].items():
        lines.append(f"| {name} | {1000 * change['energy']:+.3f} meV/atom | {1000 * change['forces']:.1f} meV/Å |")
    return [*lines, ""]


TABLES = (formation_table, force_table, stress_table, insulator_table, large_table, tolerance_table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("level", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON file, gone on with where it exists")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--table", action="store_true", help="print the results as Markdown tables")
    arguments = parser.parse_args()
    calculations = Calculations(json.loads(arguments.level.read_text()), arguments.output)
    for part in arguments.parts:
        calculations.results[part] = studies(calculations)[part]()
        calculations.write()
    if arguments.table:
        print("\n".join(line for table in TABLES for line in table(calculations.results)), end="")


if __name__ == "__main__":
    main()
