"""Worker process that answers label requests with GPAW.

The settings of a request are a level file, datasets/levels/<name>.json:

version           (optional) of GPAW: `tamiz` does not ask another one, whose PAW sets and energies may be others
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
gap               (optional) method ``GLLBSC``, cutoff [eV], kpoint_length or kpoint_density; with (optional) tolerance [eV] the band edges are looked for
                  on meshes that are doubled at fixed density until the gap moves by less, and the gap with ``xc`` at the
                  level's own cutoff and mesh is found in the same way
"""

from __future__ import annotations

import gpaw_relaxation
import protocol
from gpaw_gaps import gllbsc_gap, plain_gap
from gpaw_level import converge, residuals

STATE_FORM = 2  # of what is kept of a relaxation; another one is not gone on with


def handle(request: dict, report: protocol.Report) -> tuple[dict, dict]:
    """Answers one request: returns the frame and the properties, or raises LabelFailure."""
    atoms = protocol.atoms_from_structure(request["structure"])
    settings = request["settings"]
    if request["task"] == "gap":
        if "gap" not in settings:
            raise protocol.LabelFailure(f"level {settings['name']} says nothing of gaps: take another level for them")
        gaps = gllbsc_gap(atoms, settings)
        if "tolerance" in settings["gap"]:
            gaps |= plain_gap(atoms, settings)
        return protocol.structure_from_atoms(atoms), gaps
    steps = []
    if request["task"] == "relax":
        level, properties = relax(atoms, request, steps, report)
    else:
        level, properties = converge(atoms, settings, steps.append), {}
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


def relax(atoms, request: dict, steps: list[dict], report: protocol.Report):
    """Relaxes, from where an attempt before was cut off; `steps` are given the frames of all attempts. Returns the level and properties."""
    import gpaw

    made_by = {"form": STATE_FORM, "gpaw": gpaw.__version__}
    before = request.get("state", {})
    if {name: before.get(name) for name in made_by} != made_by:
        before = {"relaxation": None, "cost": 0.0}
    started = protocol.cpu_time()

    def on_result(frame):
        steps.append(frame)
        report.step(frame)

    def keep(state):
        report.state(made_by | {"relaxation": state, "cost": before["cost"] + protocol.cpu_time() - started})

    earlier = {"cost_before": before["cost"]} if before["cost"] > 0.0 else {}  # of the attempts that were cut off [core-seconds]
    try:
        level, n_steps = gpaw_relaxation.relax(atoms, request["settings"], on_result, before["relaxation"], keep,
                                               request.get("curvature"))
    except protocol.LabelFailure as failure:
        failure.properties |= earlier
        raise
    return level, {"relax_steps": n_steps} | earlier


def main() -> None:
    import gpaw

    protocol.serve("gpaw", gpaw.__version__, handle)


if __name__ == "__main__":
    main()
