"""Band gaps of a relaxed crystal: GLLB-SC, and with the functional of the level, both at the true band edges."""

from __future__ import annotations

from ase import Atoms

import protocol
from gpaw_level import NO_GAP, band_edges, converge, number_of_bands, number_of_electrons
from kpoint_sampling import Sampling

DOUBLINGS = 3  # of a mesh on which band edges are looked for, at most


def gap_sampling(atoms: Atoms, settings: dict) -> Sampling:
    """Mesh that band edges are looked for on first; even where it is doubled: the borders of the zone, where many edges lie,
    are on even meshes only."""
    options = settings["gap"]
    if ("kpoint_length" in options) != ("kpoint_length" in settings):
        raise protocol.LabelFailure(f"level {settings['name']} measures its meshes and those of its gaps differently: both by length, or by density")
    fineness = options["kpoint_length" if "kpoint_length" in options else "kpoint_density"]
    return Sampling.with_all_symmetries(atoms, options, fineness, even="tolerance" in options)


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
            return finer, kpoints
    raise protocol.LabelFailure(f"the gap still moves, from {last:.3f} to {gap:.3f} eV, on a mesh of {kpoints}: {DOUBLINGS} doublings are the most")


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
