"""The GPAW oracle against GPAW itself, and what is said where GPAW is missing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read, write
from ase.units import GPa

import tamiz

sys.path.insert(0, str(Path(tamiz.__file__).parent / "workers"))  # programs beside the package, whose folder is their path
import gpaw_level  # noqa: E402
import gpaw_relaxation  # noqa: E402
import gpaw_worker  # noqa: E402
import kpoint_mesh  # noqa: E402
import kpoint_sampling  # noqa: E402
import protocol  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TAMIZ = Path(os.environ.get("TAMIZ_BUILD_DIR", ROOT / "build")).resolve() / "bin" / "tamiz"
LEVEL = {
    "name": "coarse",
    "xc": "PBE",
    "cutoff": 250.0,
    "smearing": 0.1,
    "energy_tolerance": 1e-6,
    "kpoint_density": {"anion": 2.0, "covalent": 2.0, "metal": 2.0, "molecule": 0.0},
    "pulay": {"Si": -1e-4},
    "relax": {"fmax": 0.03, "smax_gpa": 0.5, "max_steps": 20},
    "gap": {"method": "GLLBSC", "cutoff": 200.0, "kpoint_density": 2.0},
}


def label(folder: Path, atoms, *options: str, environment=None, level=LEVEL):
    write(folder / "in.xyz", atoms)
    (folder / "coarse.json").write_text(json.dumps(level))
    return subprocess.run(
        [TAMIZ, "label", "in.xyz", "--settings", "coarse.json", "--workers", "1", "-o", "out.xyz", *options],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def wait_until(condition, limit: float = 120.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def silicon():
    atoms = bulk("Si", "diamond", 5.3)
    atoms.positions[1] += [0.05, -0.03, 0.02]
    return atoms


def test_a_relaxation_begins_with_the_curvature_that_a_model_has(tmp_path):
    atoms = silicon()
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + [[0.02, 0.01, 0], [0.01, -0.02, 0], [0, 0, 0.01]]), scale_atoms=True)
    ends = []
    for name, options in (("plain", []), ("knowing", ["--model", ROOT / "datasets" / "potentials" / "stillinger-weber-si.toml"])):
        (tmp_path / name).mkdir()
        done = label(tmp_path / name, atoms, "--task", "relax", *options)
        assert done.returncode == 0, done.stderr
        ends.append(read(tmp_path / name / "out.xyz"))

    plain, knowing = ends
    assert knowing.info["relax_steps"] < plain.info["relax_steps"]
    assert knowing.get_potential_energy() == pytest.approx(plain.get_potential_energy(), abs=5e-3)
    assert knowing.info["fmax"] <= 0.03 and knowing.info["smax_gpa"] <= 0.5


def test_labels_are_what_gpaw_says(tmp_path):
    from gpaw import PW, FermiDirac
    from gpaw.new.ase_interface import GPAW

    done = label(tmp_path, silicon())
    assert done.returncode == 0, done.stderr
    labelled = read(tmp_path / "out.xyz")
    atoms = silicon()
    mesh = [int(n) for n in np.ceil(2.0 * 2 * np.pi * np.linalg.norm(atoms.cell.reciprocal(), axis=1) - 0.25)]
    atoms.calc = GPAW(
        mode=PW(250), xc="PBE", kpts={"size": mesh, "gamma": True}, occupations=FermiDirac(0.1), txt=None,
        convergence={"energy": 1e-6},
    )  # fmt: skip

    # Another number of bands moves the converged energy within the tolerance of the cycle.
    assert labelled.get_potential_energy() == pytest.approx(atoms.get_potential_energy(), abs=2e-4)
    assert labelled.get_forces() == pytest.approx(atoms.get_forces(), abs=5e-3)
    pulay = 2 / 3 * 250.0 / atoms.get_volume() * (-1e-4 * 2)
    expected = atoms.get_stress(voigt=False) + np.eye(3) * pulay
    assert labelled.get_stress(voigt=False) == pytest.approx(expected, abs=5e-4)


def test_a_stress_that_is_corrected_too_much_is_no_label(tmp_path):
    correction = abs(2 / 3 * 250.0 / silicon().get_volume() * -2e-4) / GPa
    for gate, is_label in ((1.01 * correction, True), (0.99 * correction, False)):
        done = label(tmp_path, silicon(), level=LEVEL | {"stress_gate_gpa": gate})
        assert done.returncode == 0, done.stderr
        results = read(tmp_path / "out.xyz").calc.results
        assert ("stress" in results) == is_label
        assert "forces" in results


def test_a_cycle_that_does_not_converge_fails_with_its_reason(tmp_path):
    done = label(tmp_path, silicon(), level=LEVEL | {"scf_iterations": 3})

    assert done.returncode == 1
    assert "the self-consistent cycle did not converge in 3 iterations" in done.stderr


def test_a_level_may_ask_for_paw_sets_of_gpaws_generator(tmp_path):
    environment = os.environ | {"TAMIZ_PAW": str(tmp_path / "sets")}
    crystal = bulk("Si", "diamond", 5.43)

    energies = []
    for entry in (None, 4, 4, {"electrons": 4, "radius": 1.8}):
        level = LEVEL | ({"paw": {"Si": entry}} if entry else {})
        done = label(tmp_path, crystal, "--retry-failed", "--ledger", f"{len(energies)}.tz", level=level, environment=environment)
        assert done.returncode == 0, done.stderr
        energies.append(read(tmp_path / "out.xyz").get_potential_energy())
    made = list((tmp_path / "sets").rglob("*"))

    assert {path.name for path in made if path.is_file()} == {"Si.tamiz4.PBE", "Si.tamiz4r1.8.PBE"}
    assert 1e-4 < abs(energies[1] - energies[0]) < 0.5  # of another set, but of the same crystal and reference atoms
    assert energies[2] == pytest.approx(energies[1], abs=1e-9)
    assert 1e-5 < abs(energies[3] - energies[1]) < 0.1


def test_a_paw_set_that_cannot_be_made_says_why(tmp_path):
    done = label(tmp_path, silicon(), level=LEVEL | {"paw": {"Si": 7}}, environment=os.environ | {"TAMIZ_PAW": str(tmp_path / "sets")})

    assert done.returncode == 1
    assert "GPAW cannot make a PAW set of Si with 7 valence electrons" in done.stderr


def test_half_a_band_is_no_gap(tmp_path):
    done = label(tmp_path, bulk("Al", "fcc", 4.05), "--task", "gap")

    assert done.returncode == 0, done.stderr
    labelled = read(tmp_path / "out.xyz")
    assert labelled.info["gap"] == 0 and labelled.info["gap_kind"] == "metal"
    assert gpaw_level.number_of_electrons(labelled, LEVEL) == 3


def test_gaps_are_those_of_the_true_band_edges(tmp_path):
    """Silicon's conduction band is lowest at 0.85 of the way from Γ to X, which a path on a fixed density shows."""
    from gpaw import PW, FermiDirac
    from gpaw.new.ase_interface import GPAW

    crystal = bulk("Si", "diamond", 5.43)
    done = label(tmp_path, crystal, "--task", "gap", level=LEVEL | {"gap": LEVEL["gap"] | {"tolerance": 0.05}})
    assert done.returncode == 0, done.stderr
    info = read(tmp_path / "out.xyz").info
    crystal.calc = GPAW(mode=PW(250), xc="PBE", kpts={"size": (5, 5, 5), "gamma": True}, occupations=FermiDirac(0.1), txt=None)
    crystal.get_potential_energy()
    path = [[s / 2, 0.0, s / 2] for s in np.linspace(0, 1, 41)]
    bands = crystal.calc.fixed_density(kpts=path, symmetry="off", convergence={"bands": 6}, txt=None)
    levels = np.array([bands.get_eigenvalues(kpt=k) for k in range(len(path))])
    gap, direct = levels[:, 4].min() - levels[:, 3].max(), (levels[:, 4] - levels[:, 3]).min()

    assert info["gap_pbe"] == pytest.approx(gap, abs=0.05)
    assert info["gap_pbe"] >= gap - 0.01  # a mesh sees a part of the zone only
    assert info["gap_pbe_direct"] == pytest.approx(direct, abs=0.1)
    assert 34 <= np.argmin(levels[:, 4]) < 40
    assert info["gap_kind"] == "indirect" and info["gap"] > info["gap_pbe"] + 0.2  # GLLB-SC adds the discontinuity


@pytest.mark.parametrize(("formula", "mesh", "with_more_classes"), [
    ("MgSiN2", "anion", "insulator"), ("Ca3N2", "anion", "insulator"), ("P3N5", "anion", "insulator"),
    ("SiN", "covalent", "intermetallic"), ("Si2N2", "covalent", "insulator"), ("Ca2N", "covalent", "intermetallic"),
    ("Mg2Si", "covalent", "intermetallic"), ("N2", "covalent", "covalent"), ("CaMg2", "metal", "intermetallic"),
    ("Si", "covalent", "covalent"), ("Mg", "metal", "metal"),
])  # fmt: skip
def test_the_mesh_follows_from_the_composition(formula, mesh, with_more_classes):
    symbols = list(Atoms(formula).symbols)
    assert kpoint_sampling.mesh_class(symbols) == mesh
    assert kpoint_sampling.mesh_class(symbols, {"insulator", "intermetallic", "anion"}) == with_more_classes


def test_a_metal_with_an_anion_is_calculated_on_the_denser_mesh(tmp_path):
    level = LEVEL | {"kpoint_density": LEVEL["kpoint_density"] | {"anion": 1.0}, "pulay": {"Si": -1e-4, "C": -1e-3}}
    silicon_carbide = bulk("SiC", "zincblende", 4.35)
    stretched = bulk("SiC", "rocksalt", 4.3)

    done = label(tmp_path, [silicon_carbide, stretched], level=level)

    assert done.returncode == 0, done.stderr
    insulator, metal = read(tmp_path / "out.xyz", ":")
    assert insulator.info["mesh_used"] == "anion" and insulator.info["n_calculations"] == 1
    # What was calculated on the coarser mesh is no label.
    assert metal.info["mesh_used"] == "covalent" and metal.info["n_calculations"] == 1 and metal.info["gap_kind"] == "metal"
    alone = label(tmp_path, stretched, level=level | {"mesh": "covalent"})
    assert alone.returncode == 0, alone.stderr
    assert read(tmp_path / "out.xyz").get_potential_energy() == pytest.approx(metal.get_potential_energy(), abs=1e-4)


def test_a_compound_stays_on_the_coarsest_mesh_that_its_gap_allows(tmp_path):
    densities = LEVEL["kpoint_density"] | {"insulator": 0.6, "anion": 1.0}
    level = LEVEL | {"kpoint_density": densities, "pulay": {"Si": -1e-4, "C": -1e-3, "B": -1e-3, "N": -1e-3}}
    gaps = [bulk("BN", "zincblende", 3.6), bulk("SiC", "zincblende", 4.35), bulk("SiC", "rocksalt", 4.3)]
    relaxing = level | {"relax": {"fmax": 0.05, "smax_gpa": 0.5, "max_steps": 9}}

    done = label(tmp_path, gaps, "--task", "relax", "--trajectory", level=relaxing)

    assert done.returncode == 0, done.stderr
    frames = read(tmp_path / "out.xyz", ":")
    paths = [[f for f in frames if f.info["id"] == f"in/{k:04d}"] for k in range(3)]
    assert [path[-1].info["mesh_used"] for path in paths] == ["insulator", "anion", "covalent"]
    assert paths[0][-1].info["gap"] > 1.5 and paths[1][-1].info["gap"] > 0.0
    for path in paths:  # every step is a label on the mesh of the last
        assert len(path) == path[-1].info["n_calculations"]
        alone = label(tmp_path, path[0], level=level | {"mesh": path[-1].info["mesh_used"]})
        assert alone.returncode == 0, alone.stderr
        assert read(tmp_path / "out.xyz").get_potential_energy() == pytest.approx(path[0].get_potential_energy(), abs=1e-4)


def test_a_compound_is_relaxed_roughly_on_coarse_meshes_first(monkeypatch):
    level = {k: v for k, v in LEVEL.items() if k != "kpoint_density"} | {"pulay": {"Si": -1e-4, "C": -1e-3, "Ge": -1e-4}}
    level |= {"kpoint_length": {"insulator": 9.0, "anion": 12.0, "intermetallic": 18.0, "covalent": 18.0}}
    level["relax"] = {"fmax": 0.02, "smax_gpa": 0.1, "max_steps": 20}

    def relaxed(start, rough):
        frames, atoms = [], start.copy()
        monkeypatch.setattr(gpaw_relaxation, "ROUGH", rough)
        end, n_steps = gpaw_relaxation.relax(atoms, level, frames.append)
        assert gpaw_level.residuals(end)[1] <= 0.1
        assert {frame["info"]["mesh_used"] for frame in frames} == {end.mesh}
        return end.mesh, len(frames), n_steps, atoms.get_potential_energy()

    alone = relaxed(bulk("SiGe", "zincblende", 5.2), ())
    after_rough = relaxed(bulk("SiGe", "zincblende", 5.2), ((9.0, 10.0), (12.0, 3.0)))
    assert after_rough[0] == alone[0] == "intermetallic"
    assert after_rough[1] < alone[1] == alone[2] + 1
    assert after_rough[3] == pytest.approx(alone[3], abs=2e-4)
    # The gap on the coarse mesh says which class to go on with: rocksalt SiC is a metal.
    assert relaxed(bulk("SiC", "rocksalt", 4.0), ((9.0, 10.0),))[0] == "intermetallic"


def test_a_mesh_must_be_as_dense_as_the_cell_at_the_end_asks():
    wide, narrow = bulk("Si", "diamond", 6.8), bulk("Si", "diamond", 5.45)
    level = gpaw_level.Level(wide, LEVEL, "covalent")

    assert level.sampling.mesh == (3, 3, 3)
    assert level.fits(wide)
    assert not level.fits(narrow)
    assert gpaw_level.Level(narrow, LEVEL, "covalent").fits(wide)


def test_a_cell_of_other_vectors_is_labelled_the_same(tmp_path):
    """Meshes by length are made in a reduced cell; labels stay in the one that was asked for."""
    crystal = bulk("SiC", "zincblende", 4.3)
    crystal.positions[1] += [0.05, 0.02, -0.03]
    skewed = crystal.copy()
    skewed.set_cell(np.array([[1, 0, 0], [2, 1, 0], [-1, 1, 1]]) @ crystal.cell.array)
    lengths = {"anion": 10.0, "covalent": 10.0, "metal": 10.0, "molecule": 0.0}
    level = {k: v for k, v in LEVEL.items() if k != "kpoint_density"} | {"kpoint_length": lengths, "pulay": {"Si": -1e-4, "C": -1e-3}}

    done = label(tmp_path, [crystal, skewed], level=level)

    assert done.returncode == 0, done.stderr
    one, other = read(tmp_path / "out.xyz", ":")
    assert np.allclose(other.cell.array, skewed.cell.array) and np.allclose(other.positions, skewed.positions)
    assert other.get_potential_energy() == pytest.approx(one.get_potential_energy(), abs=1e-4)
    assert np.abs(other.get_forces() - one.get_forces()).max() < 1e-3 < np.abs(one.get_forces()).max()
    assert np.abs(other.get_stress() - one.get_stress()).max() < 1e-4


def test_fractional_translations_change_nothing_but_the_time(tmp_path):
    from ase.spacegroup import crystal

    chain = crystal(["Si"], [(0.22, 0.11, 0.25)], spacegroup=26, cellpar=[4.2, 3.1, 5.0, 90, 90, 90])  # Pmc2_1
    level = {k: v for k, v in LEVEL.items() if k != "kpoint_density"} | {"kpoint_length": {"covalent": 12.0}}
    labelled = []
    for without in (False, True):
        one = gpaw_level.Level(chain.copy(), level, "covalent")
        if without:
            one.gpaw = gpaw_level.make_gpaw(chain, level, one.sampling.mesh, {"point_group": False})
        atoms = chain.copy()
        atoms.calc = one
        labelled.append((atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(), len(one.sampling.symmetry["rotations"])))

    assert labelled[0][3] == 8
    assert labelled[0][0] == pytest.approx(labelled[1][0], abs=1e-4)
    assert np.abs(labelled[0][1] - labelled[1][1]).max() < 2e-3 < np.abs(labelled[0][1]).max()
    assert np.abs(labelled[0][2] - labelled[1][2]).max() < 1e-4


def test_a_part_of_the_symmetry_gives_the_same_forces_and_stress_for_less():
    """Layers of silicon far apart: in their rhombohedral cell a threefold axis mixes a short with a long vector."""
    x, y, c = 1.9, 3.8 / 12**0.5, 15.0
    layers = Atoms("Si2", cell=[[x, y, c / 3], [-x, y, c / 3], [0, -2 * y, c / 3]], pbc=True, scaled_positions=[[0.03] * 3, [0.30] * 3])
    level = {k: v for k, v in LEVEL.items() if k != "kpoint_density"} | {"kpoint_length": {"covalent": 16.0}}
    part, whole = (gpaw_level.Level(layers.copy(), level, "covalent") for _ in range(2))
    cell, symmetry = part.sampling.cell(layers), part.sampling.whole
    whole.sampling = kpoint_sampling.Sampling(kpoint_mesh.by_length(cell, 16.0, symmetry["rotations"]), part.sampling.basis, symmetry, length=16.0)
    whole.gpaw = gpaw_level.make_gpaw(layers, level, whole.sampling.mesh, symmetry)

    results = []
    for one in (part, whole):
        atoms = layers.copy()
        atoms.calc = one
        results.append((atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=False)))

    assert 1 < len(part.gpaw.dft.ibzwfs.ibz.symmetries) == len(part.sampling.symmetry["rotations"]) < len(symmetry["rotations"])
    assert np.prod(part.gpaw.dft.density.nt_sR.desc.size) < 0.5 * np.prod(whole.gpaw.dft.density.nt_sR.desc.size)
    assert results[0][0] == pytest.approx(results[1][0], abs=0.02)  # of two meshes that resolve as much
    assert np.abs(results[0][1] - results[1][1]).max() < 0.03 < 0.1 < np.abs(results[1][1]).max()
    assert np.abs(results[0][1][:, :2]).max() < 1e-9  # along the axis, as all operations ask for
    assert np.abs(results[0][2] - results[1][2]).max() < 0.005


def test_the_convergence_study_calculates_once_and_goes_on(tmp_path):
    from tamiz.studies import level_convergence

    path = tmp_path / "study.json"
    silicon_at_2 = level_convergence.Calculations(LEVEL, path).get("Si")
    again = level_convergence.Calculations(LEVEL, path)

    assert -12.0 < silicon_at_2["energy"] < -9.0  # PBE gives -10.8 eV for two atoms at full cutoff
    assert abs(silicon_at_2["stress"]) < 0.2
    assert list(again.done.values()) == [silicon_at_2]
    again._calculate = None  # a second calculation would fail
    assert again.get("Si") == silicon_at_2
    assert level_convergence.Calculations(LEVEL | {"pulay": {"Si": 1.0}}, path).done == again.done  # comes after the calculation
    with pytest.raises(SystemExit, match="other settings"):
        level_convergence.Calculations(LEVEL | {"cutoff": 301.0}, path)


def test_formation_energies_refer_to_the_elements():
    from tamiz.studies import level_convergence

    energies = {"Ca": -1.0, "Mg": -2.0, "Si": -4.0, "N2": -8.0}
    compounds = level_convergence.test_set(["Mg", "Si", "N"])
    assert "Mg2Si" in compounds and "CaMg2N2" not in compounds
    chosen = {name: compounds[name] for name in ("Mg2Si", "MgSiN2")}
    formation = level_convergence.formation_energies(chosen, lambda name: energies.get(name, -10.0))

    assert formation["Mg2Si"] == pytest.approx(-10.0 + 8.0 / 3.0)
    assert formation["MgSiN2"] == pytest.approx(-10.0 + 22.0 / 4.0)


def test_a_relaxation_ends_within_its_thresholds(tmp_path):
    done = label(tmp_path, silicon(), "--task", "relax", "--trajectory")

    assert done.returncode == 0, done.stderr
    path = read(tmp_path / "out.xyz", ":")
    assert len(path) > 2
    assert np.linalg.norm(path[-1].get_forces(), axis=1).max() <= LEVEL["relax"]["fmax"]
    assert path[-1].get_potential_energy() < path[0].get_potential_energy()


def test_a_relaxation_that_is_cut_off_goes_on_where_it_was(monkeypatch):
    level = {k: v for k, v in LEVEL.items() if k != "kpoint_density"} | {"pulay": {"Si": -1e-4, "Ge": -1e-4}}
    level |= {"kpoint_length": {"intermetallic": 16.0}, "relax": {"fmax": 0.02, "smax_gpa": 0.1, "max_steps": 20}}
    monkeypatch.setattr(gpaw_relaxation, "ROUGH", ((9.0, 10.0),))
    start = bulk("SiGe", "zincblende", 5.2)
    start.positions[1] += [0.06, -0.03, 0.02]

    def relaxed(state=None):
        frames, states, atoms = [], [], start.copy()
        _, n_steps = gpaw_relaxation.relax(atoms, level, frames.append, state, lambda state: states.append(json.loads(json.dumps(state))))
        return atoms, n_steps, frames, states

    whole, n_steps, frames, states = relaxed()
    assert [state["n_steps"] for state in states] == list(range(1, n_steps + 1))
    assert {state["stage"] for state in states} == {0, 1}
    for state in (states[1], states[-1]):
        again, n_again, frames_again, _ = relaxed(state)
        assert abs(n_again - n_steps) <= 1  # it has not learnt from the last step before the cut
        assert frames_again[: len(state["frames"])] == state["frames"] and len(frames_again) > len(state["frames"])
        assert gpaw_level.residuals(again.calc)[0] <= 0.02 and gpaw_level.residuals(again.calc)[1] <= 0.1
        assert np.abs(again.cell.array - whole.cell.array).max() < 5e-3
        assert np.abs(again.positions - whole.positions).max() < 5e-3
    for useless in ({"x": [1.0]}, states[-1] | {"hessian": [[1.0]]}, states[-1] | {"mesh": "liquid"}, states[-1] | {"stage": -1}):
        assert relaxed(useless)[1:3] == (n_steps, frames)


def test_the_limit_of_steps_counts_all_attempts():
    level = LEVEL | {"relax": {"fmax": 1e-6, "smax_gpa": 1e-6, "max_steps": 4}}
    states, frames = [], []

    class Cut(Exception):
        pass

    def relax(state, after=99):
        n_before = len(states)

        def keep(state):
            states.append(json.loads(json.dumps(state)))
            if len(states) - n_before == after:
                raise Cut

        gpaw_relaxation.relax(silicon(), level, frames.append, state, keep)

    with pytest.raises(Cut):
        relax(None, after=2)
    del frames[:]
    with pytest.raises(Exception, match="not converged after 4 steps"):
        relax(states[-1])
    assert len(frames) == 5 and [state["n_steps"] for state in states] == [1, 2, 3, 4]
    # Cut off behind the last step that it may take, it is calculated there and fails.
    del frames[:]
    with pytest.raises(Exception, match="not converged after 4 steps"):
        relax(states[-1])
    assert len(frames) == 5


def test_a_cycle_that_fails_at_once_behind_a_cut_begins_the_relaxation_anew(monkeypatch):
    states, frames = [], []
    level = LEVEL | {"relax": {"fmax": 0.05, "smax_gpa": 1.0, "max_steps": 20}}
    gpaw_relaxation.relax(silicon(), level, lambda frame: None, None, lambda state: states.append(json.loads(json.dumps(state))))
    converge, calls = gpaw_level.Level._converge, []

    def fails_once(self, work):
        calls.append(work)
        if len(calls) == 1:
            raise gpaw_level.CycleFailure("no luck")
        return converge(self, work)

    monkeypatch.setattr(gpaw_level.Level, "_converge", fails_once)
    gpaw_relaxation.relax(silicon(), level, frames.append, states[0])
    assert frames[0] == states[0]["frames"][0]
    assert frames[1]["positions"] == silicon().positions.tolist()  # of the start
    calls.clear()
    with pytest.raises(gpaw_level.CycleFailure):  # of one that begins, there is nothing to go back to
        gpaw_relaxation.relax(silicon(), level, frames.append)


def test_a_relaxation_that_fails_after_a_cut_says_what_it_cost_before(monkeypatch):
    import gpaw

    def fails(*arguments):
        raise protocol.LabelFailure("no luck", {"steps": 3})

    monkeypatch.setattr(gpaw_relaxation, "relax", fails)
    request = {"id": "a", "task": "relax", "settings": LEVEL, "state": {"form": gpaw_worker.STATE_FORM, "gpaw": gpaw.__version__, "relaxation": {}, "cost": 12.5}}
    with pytest.raises(protocol.LabelFailure) as failure:
        gpaw_worker.relax(silicon(), request, [], None)
    assert failure.value.properties == {"steps": 3, "cost_before": 12.5}


def test_a_killed_label_command_goes_on_in_the_middle_of_a_relaxation(tmp_path):
    level = LEVEL | {"relax": {"fmax": 0.001, "smax_gpa": 0.02, "max_steps": 40}}
    write(tmp_path / "in.xyz", silicon())
    (tmp_path / "coarse.json").write_text(json.dumps(level))
    command = [TAMIZ, "label", "in.xyz", "--settings", "coarse.json", "--workers", "1", "--task", "relax", "--trajectory", "-o", "out.xyz"]
    unfinished = tmp_path / "out.xyz.tz.unfinished"

    with subprocess.Popen(command, cwd=tmp_path) as process:
        wait_until(lambda: any(len(json.loads(path.read_text())["relaxation"]["frames"]) >= 3 for path in unfinished.glob("*.json")))
        process.kill()
    kept = json.loads(next(unfinished.glob("*.json")).read_text())["relaxation"]["frames"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    path = read(tmp_path / "out.xyz", ":")
    assert len(path) == path[-1].info["n_calculations"] == path[-1].info["relax_steps"] + 1 > len(kept) >= 3
    assert path[-1].info["cost_before"] > 0.0
    assert [frame.get_potential_energy() for frame in path[: len(kept)]] == [step["energy"] for step in kept]
    assert np.linalg.norm(path[-1].get_forces(), axis=1).max() <= 0.001
    assert not unfinished.exists()


def test_a_missing_gpaw_says_how_to_install_it(tmp_path):
    done = label(tmp_path, silicon(), environment=os.environ | {"TAMIZ_PYTHON": "/usr/bin/python3", "PYTHONPATH": ""})

    assert done.returncode == 1
    assert "pip install" in done.stderr or "make" in done.stderr, done.stderr


def test_a_level_without_gaps_says_so(tmp_path):
    done = label(tmp_path, silicon(), "--task", "gap", level={name: value for name, value in LEVEL.items() if name != "gap"})

    assert done.returncode != 0 and "level coarse says nothing of gaps" in done.stderr + done.stdout


def test_another_version_of_gpaw_is_not_asked(tmp_path):
    done = label(tmp_path, silicon(), level=LEVEL | {"version": "1.2.3"})

    assert done.returncode == 1 and "level coarse is of GPAW 1.2.3" in done.stderr
    assert not any(b"label" in path.read_bytes() for path in tmp_path.glob("*.tz"))


def test_an_element_without_pulay_constant_fails_with_the_reason(tmp_path):
    done = label(tmp_path, bulk("Ge", "diamond", 5.7), "--json", "out.json")

    assert done.returncode == 1 and "nothing to write" in done.stderr and not (tmp_path / "out.xyz").exists()
    result = json.loads((tmp_path / "out.json").read_text())
    failures = result["failures"]
    assert "output" not in result and len(failures) == 1 and "Pulay constant for Ge" in failures[0]["reason"]
