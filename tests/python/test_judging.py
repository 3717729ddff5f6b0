"""Studies that say what a model is worth: errors on frames, and a closed world."""

import json

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

import tamiz
from support import MODEL, STILLINGER_WEBER, run_study
from tamiz.studies import edge_frames, judge_closed_world, model_errors, sibling_starts, solids
from tamiz.studies.closed_world import closed_world
from tamiz.studies.known_structures import listed_phases, start_of


def frame(structure, prediction, k, **info):
    return tamiz.Frame(structure, energy=float(prediction.energies[k]), forces=prediction.forces[k], info=info)


@pytest.fixture(scope="module")
def potential():
    return tamiz.load(MODEL)


def test_errors_of_groups_are_those_that_were_put_in(potential, tmp_path):
    world = [atoms for atoms in closed_world() if set(atoms.symbols) in ({"Mg", "Si", "N"}, {"Ca", "Mg", "Si"})]
    world = world[:6] + world[-2:]
    for k, atoms in enumerate(world):
        atoms.rattle(0.05, seed=k)
    structures = [tamiz.to_structure(atoms) for atoms in world]
    exact = potential.evaluate(structures, forces=True)
    frames = [frame(s, exact, k, id=str(k), split="test") for k, s in enumerate(structures)]
    # 10 meV/atom too low in nitrides, and 50 meV/Å on every component of silicon
    for k, one in enumerate(frames):
        nitride = "N" in one.structure.symbols
        forces = one.forces - 0.05 * (np.array(one.structure.symbols) == "Si")[:, None]
        free = one.energy + 0.01 * nitride * len(one.structure)
        frames[k] = tamiz.Frame(one.structure, energy=free + 0.3, free_energy=free, forces=forces, info=one.info)
    bare = tamiz.Frame(structures[0].strained(0.01 * np.eye(3)), energy=-1.0, info={"id": "bare", "split": "test"})
    tamiz.datasets.DataSet([*frames, bare]).save(tmp_path / "data.h5")

    said = run_study("model_errors", MODEL, tmp_path / "data.h5", "-o", tmp_path / "errors.json", "--plot", tmp_path / "errors.png")

    result = json.loads((tmp_path / "errors.json").read_text())
    groups = result["errors"]
    assert groups["chemistry"]["nitride"]["energy_mae"] == pytest.approx(0.01, abs=1e-5)
    assert groups["chemistry"]["intermetallic"]["energy_mae"] == pytest.approx(0.0, abs=1e-5)
    assert groups["element"]["Si"]["force_mae"] == pytest.approx(0.05, abs=1e-4)
    assert "room" not in groups, "none is torn apart"
    assert groups["element"]["Mg"]["force_mae"] == pytest.approx(0.0, abs=1e-4)
    share = np.abs(np.concatenate([one.forces for one in frames])).mean()
    assert groups["all"]["all"]["force_share"] == pytest.approx(groups["all"]["all"]["force_mae"] / share, rel=1e-4)
    for kind in ("distance", "number of elements"):
        assert sum(one["n_frames"] for one in groups[kind].values()) == len(frames)
    assert result["calibration"]["n_frames"] == len(frames) and result["n_left_out"] == 1
    assert "| nitride |" in said and (tmp_path / "errors.png").stat().st_size > 10_000


def test_what_is_torn_apart_is_a_group_of_its_own():
    wide, narrow = (tamiz.Frame(tamiz.to_structure(bulk("Si", "diamond", a)), energy=-1.0, forces=np.zeros((2, 3))) for a in (8.0, 5.4))
    rows = [{"energy": error, "forces": np.zeros((2, 3)), "labels": np.zeros((2, 3))} for error in (0.5, 0.1)]

    groups = model_errors.errors_by_group([wide, narrow], rows, {"Si": -0.5})

    assert {name: (one["n_frames"], one["energy_mae"]) for name, one in groups["room"].items()} == {"more than 50 Å³ per atom": (1, 0.5)}


def test_distances_from_equilibrium_fall_into_their_bins():
    assert [model_errors.distance_bin(d) for d in (0.0, 0.05, 0.5)] == ["below 0.02 eV/atom", "below 0.1 eV/atom", "0.5 eV/atom and more"]
    assert model_errors.chemistry(["Mg", "N", "P"]) == "nitride phosphide"
    assert [model_errors.number_of_elements(some) for some in (["Mg"], ["Mg", "N", "N"], ["Mg", "Si", "N"], "CNOH")] == [
        "of one element", "binary", "ternary", "of 4 elements"]


def test_a_model_judged_by_its_own_energies_is_right_about_a_closed_world(potential, tmp_path):
    known = [start_of(phase, 11) for phase in listed_phases() if phase["id"] in ("competing/Mg", "competing/Si", "competing/N2", "competing/Mg2Si")]
    world = [atoms for atoms in closed_world() if atoms.info["id"].endswith("/Mg-Si-N")]
    relaxed = tamiz.relax(known + world, potential, fmax=0.02, max_steps=1000)
    # zero-width energies of all are 7 meV/atom above the free ones, which cancels between hulls
    ends = [tamiz.Frame(r.structure, energy=r.energy + 0.007 * len(a), free_energy=r.energy, info={"id": a.info["id"], "relax_steps": "1"})
            for a, r in zip(known + world, relaxed) if r.converged]
    tamiz.datasets.DataSet([end for end in ends if not end.info["id"].startswith("closed/")]).save(tmp_path / "known.h5")
    failed = [tamiz.Frame(ends[-1].structure, info={"id": name, "reason": "no"}) for name in ("closed/lost/Mg-Si-N", ends[-1].info["id"])]
    tamiz.datasets.DataSet([end for end in ends if end.info["id"].startswith("closed/")], failures=failed).save(tmp_path / "closed.h5")
    write(tmp_path / "starts.xyz", world, format="extxyz")

    said = run_study("judge_closed_world", MODEL, "--known", tmp_path / "known.h5", "--world", tmp_path / "closed.h5", "--starts",
               tmp_path / "starts.xyz", "--window", "0.3", "-o", tmp_path / "judged.json", "--plot", tmp_path / "judged.png")

    result = json.loads((tmp_path / "judged.json").read_text())
    assert result["n"] >= 6 and result["n_without_answer"] == 0
    assert result["mae"] < 0.002 < result["mae_of_mean"] and result["mae_of_free_energies"] == pytest.approx(result["mae"], abs=1e-6)
    assert result["known_with_dft"]["mae"] == pytest.approx(result["mae"], abs=1e-5)
    assert result["failed_with_dft"] == ["closed/lost/Mg-Si-N"]
    assert result["precision"] == result["recall"] == 1.0 and result["n_stable"] >= 1
    assert result["ground_states"]["n"] == result["ground_states"]["right"] >= 1
    assert "by type: CuAu-like 0, Pmc2_1 0, " in said and "precision 1.00" in said and "above the hull of known phases with DFT: 0 meV/atom, precision 1.00" in said and (tmp_path / "judged.png").stat().st_size > 10_000


def test_the_answer_for_a_crystal_is_the_lowest_of_its_starts(potential, monkeypatch):
    mg = tamiz.to_structure(closed_world()[0])
    answers = {"closed/T/a": (mg, -1.0), "closed/T/a/open": (mg, -1.5), "closed/T/b": (mg, -2.0), "closed/T/b/open": (mg, -1.9)}
    monkeypatch.setattr(judge_closed_world, "relaxed_by_model", lambda *_: answers)

    assert judge_closed_world.lowest_by_model(potential, {}) == {"closed/T/a": (mg, -1.5), "closed/T/b": (mg, -2.0)}


def test_a_known_phase_that_does_not_relax_counts_where_dft_left_it(potential, monkeypatch):
    mg = tamiz.to_structure(closed_world()[0])
    monkeypatch.setattr(judge_closed_world, "relaxed_by_model", lambda *_: {})

    energies, lost = judge_closed_world.known_by_model(potential, {"a": mg})

    assert lost == ["a"] and energies["a"][1] == pytest.approx(potential.evaluate(mg).energies[0] / len(mg))
    assert judge_closed_world.judged({"a": 0.1}, {}, 0.05)["mae"] is None


def test_precision_recall_and_missing_answers_by_hand():
    truth = {"a": 0.0, "b": 0.04, "c": 0.2, "d": 0.01}
    result = judge_closed_world.judged(truth, {"a": 0.02, "b": 0.1, "c": 0.03}, 0.05)

    assert result["precision"] == 0.5 and result["recall"] == pytest.approx(1 / 3) and result["n_without_answer"] == 1
    assert result["mae"] == pytest.approx((0.02 + 0.06 + 0.17) / 3)


@pytest.fixture(scope="module")
def relaxed_silicon(tmp_path_factory):
    """A data set of silicon relaxed with the potential of Stillinger and Weber."""
    potential = tamiz.load(STILLINGER_WEBER, dtype="float64")
    (end,) = tamiz.relax(bulk("Si", "diamond", 5.4), potential, fmax=1e-4, smax=1e-6)
    forces = potential.evaluate(end.structure).forces[0]
    path = tmp_path_factory.mktemp("silicon") / "hull.h5"
    info = {"id": "competing/Si", "relax_steps": "2", "mesh": "covalent"}
    tamiz.datasets.DataSet([tamiz.Frame(end.structure, energy=end.energy, forces=forces, info=info)]).save(path)
    return path


def test_ends_of_relaxations_are_written_with_their_labels(relaxed_silicon, tmp_path):
    from ase.io import read

    assert run_study("relaxed", relaxed_silicon, "-o", tmp_path / "ends.xyz") == "1 frames\n"
    (end,) = tamiz.datasets.load(relaxed_silicon).to_ase()[-1:]
    written = read(tmp_path / "ends.xyz")
    assert written.get_potential_energy() == pytest.approx(end.get_potential_energy()) and written.info["id"] == end.info["id"]
    assert run_study("relaxed", relaxed_silicon, "--max-atoms", "1", "-o", tmp_path / "none.xyz") == "0 frames\n"


def test_lattices_and_bulk_moduli_are_those_of_the_potential(relaxed_silicon, tmp_path):
    potential = tamiz.load(STILLINGER_WEBER, dtype="float64")
    (end,) = tamiz.datasets.load(relaxed_silicon)
    frames = []
    for factor in edge_frames.NEAR_VOLUMES + edge_frames.FAR_VOLUMES:
        structure = tamiz.to_structure(edge_frames.at_volume(tamiz.to_ase(end.structure), factor, "Si"))
        frames.append(tamiz.Frame(structure, energy=float(potential.evaluate(structure).energies[0]), info={"id": f"volume/Si/{factor:g}"}))
    tamiz.datasets.DataSet(frames).save(tmp_path / "edges.h5")

    said = run_study("model_crystals", STILLINGER_WEBER, "--relaxed", relaxed_silicon, "--volumes", tmp_path / "edges.h5", "--phonons", "-o", tmp_path / "out.json")

    result = json.loads((tmp_path / "out.json").read_text())
    assert result["lattice_mean_absolute_percentage_error"] < 0.01
    dft, ours = result["bulk_moduli"]["Si"]["bulk_modulus"]
    assert ours == pytest.approx(dft) == pytest.approx(101.4, rel=0.04)  # Cowley 1988, doi:10.1103/PhysRevLett.60.2379
    assert "| Si | 5.431" in said
    assert result["phonons"]["Si"]["stable"] and "dynamically stable: 1 of 1 crystals; unstable: none" in said


def test_frames_follow_modes_that_are_unstable(relaxed_silicon, tmp_path):
    out = tmp_path / "modes.xyz"
    assert "0 of 1 crystals are unstable" in run_study("unstable_modes", STILLINGER_WEBER, "--crystals", relaxed_silicon, "-o", out)

    potential = tamiz.load(STILLINGER_WEBER)
    crystal = tamiz.to_structure(bulk("Si", "bcc", 3.25))
    p = potential.evaluate(crystal, stress=True)
    frame = tamiz.Frame(crystal, energy=float(p.energies[0]), forces=p.forces[0], info={"id": "competing/Si-bcc", "task": "relax", "relax_steps": "0", "split": "train"})
    tamiz.datasets.DataSet([frame]).save(tmp_path / "bcc.h5")
    said = run_study("unstable_modes", STILLINGER_WEBER, "--crystals", tmp_path / "bcc.h5", "--max-atoms", "64", "-o", out)

    (along,) = tamiz.read(out)
    assert "1 of 1 crystals are unstable" in said and along.info["id"] == "mode/Si-bcc" and float(along.info["frequency"]) < -0.2
    at_rest = p.energies[0] / len(crystal)
    assert potential.evaluate(along.structure).energies[0] / len(along.structure) < at_rest


def test_phonons_are_those_of_the_forces(relaxed_silicon, tmp_path):
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import read

    run_study("phonons", "--relaxed", relaxed_silicon, "--crystals", "Si", "--write", tmp_path / "displaced.xyz")
    cells = read(tmp_path / "displaced.xyz", ":")
    potential = tamiz.load(STILLINGER_WEBER, dtype="float64")
    for atoms in cells:
        p = potential.evaluate(atoms)
        atoms.calc = SinglePointCalculator(atoms, energy=float(p.energies[0]), forces=1.21 * p.forces[0])
    write(tmp_path / "labelled.xyz", cells, format="extxyz")

    run_study("phonons", "--relaxed", relaxed_silicon, "--crystals", "Si", "--labels", tmp_path / "labelled.xyz", "--model", STILLINGER_WEBER, "-o",
        tmp_path / "out.json")

    one = json.loads((tmp_path / "out.json").read_text())["crystals"]["Si"]
    dft, ours = np.array(one["dft"]), np.array(one["model"])
    assert len(cells) == 1 and len(cells[0]) == 16
    assert dft == pytest.approx(1.1 * ours, abs=0.02)  # forces that are 1.21 times as large
    assert ours[0, -1] == pytest.approx(17.8, abs=0.3)  # the optical modes of this potential at the zone centre
    assert one["mae"] == pytest.approx(0.1 * np.sort(ours.ravel())[3:].mean(), abs=0.01) and not one["falsely_imaginary"]


def test_axes_of_crystals_of_another_symmetry_are_not_compared():
    from tamiz.studies import model_crystals

    potential = tamiz.load(STILLINGER_WEBER)
    sheared = bulk("Si", "diamond", 5.43, cubic=True)
    sheared.set_cell(sheared.cell.array @ [[1, 0.02, 0], [0.02, 1, 0], [0, 0, 1]], scale_atoms=True)
    rows = model_crystals.lattice_errors(potential, {"sheared": tamiz.to_structure(sheared), "whole": tamiz.to_structure(bulk("Si", "diamond", 5.5))})

    assert "lattice" in rows["whole"] and "lattice" not in rows["sheared"] and rows["sheared"]["failure"]
    assert len(model_crystals.relative_errors(rows, "lattice")) == 3


def test_curves_on_several_meshes_are_left_out():
    from tamiz.studies import model_crystals

    class Mixed:
        info, structure = {}, None

    frames = [Mixed() for _ in range(5)]
    frames[2].info = {"mesh_used": "anion"}
    assert "meshes" in model_crystals.bulk_moduli(None, {"a": frames})["a"]["failure"]
    assert "4 volumes" in model_crystals.bulk_moduli(None, {"a": frames[:4]})["a"]["failure"]


def test_labels_of_other_supercells_are_refused(relaxed_silicon):
    from tamiz.studies import phonons
    from tamiz.studies.relaxed import relaxed_ends

    (end,) = relaxed_ends(tamiz.datasets.load(relaxed_silicon)).values()
    phonon = phonons.phonons_of(end.structure)
    cells = phonons.displaced("Si", phonon)
    labels = {key: tamiz.Frame(cell, energy=0.0, forces=np.zeros((16, 3))) for key, cell in cells.items()}
    assert phonons.problem(cells, labels, end) == ""
    (key,) = cells
    moved = tamiz.Frame(cells[key].with_positions(cells[key].positions + 0.01), energy=0.0, forces=np.zeros((16, 3)))
    assert "another relaxation" in phonons.problem(cells, {key: moved}, end)
    assert "1 of 1" in phonons.problem(cells, {}, end)


@pytest.fixture(scope="module")
def alloys(tmp_path_factory):
    """Twelve shaken cells of each two of Cu, Ag and Au with energies and forces of an effective medium theory, three of them for tests."""
    from ase import Atoms
    from ase.calculators.emt import EMT

    random, frames = np.random.default_rng(1), []
    for pair in (("Cu", "Ag"), ("Cu", "Au"), ("Ag", "Au")):
        for k in range(12):
            atoms: Atoms = bulk("Cu", "fcc", random.uniform(3.7, 4.1), cubic=True)
            atoms.symbols[:] = [pair[0], pair[0], pair[1], pair[1]]
            atoms.rattle(0.1, rng=random)
            atoms.calc = EMT()
            info = {"id": f"{pair}/{k}", "split": "test" if k < 3 else "train"}
            frames.append(tamiz.Frame(tamiz.to_structure(atoms), energy=atoms.get_potential_energy(), forces=atoms.get_forces(), info=info))
    path = tmp_path_factory.mktemp("alloys") / "alloys.h5"
    tamiz.datasets.DataSet(frames).save(path)
    return path


def test_systems_are_left_out_of_a_training_and_judged(alloys, tmp_path):
    from tamiz.studies import left_out_systems

    frames = left_out_systems.without_tests(alloys)
    assert len(frames) == 27 and frames[0].structure.system == "Ag-Cu"
    alloy = tamiz.Frame(tamiz.Structure(["Ag", "Au", "Cu"], np.diag([0.0, 2.0, 4.0])), energy=0.0)
    assert left_out_systems.has_one_of(alloy.structure.symbols, {"Ag-Cu"}) and not left_out_systems.has_one_of(alloy.structure.symbols, {"Ag-Pt"})
    (tmp_path / "train.toml").write_text("[model]\ncutoff = 4.0\nchannels = 4\nl_max = 1\nhidden_l = 0\nn_members = 1\n[train]\nsteps = 40\n")
    call = ["left_out_systems", alloys, "--config", tmp_path / "train.toml", "--leave-out", "Cu-Ag", "--leave-out", "Au-Cu", "-o", tmp_path / "out.json"]
    printed = run_study(*call)
    kept = json.loads((tmp_path / "out.json").read_text())
    assert [one["left_out"] for one in kept["results"]] == [["Ag-Cu"], ["Au-Cu"]]
    errors = [one["errors"]["alloys.h5"]["left_out"] for one in kept["results"]]
    assert all(one["errors"]["alloys.h5"]["trained_on"]["n_frames"] == 6 for one in kept["results"])
    assert all(one["n_frames"] == 9 and 0.0 < one["energy_mae"] and abs(one["energy_bias"]) <= one["energy_mae"] for one in errors)
    mean = 500 * (errors[0]["energy_mae"] + errors[1]["energy_mae"])
    assert f"| alloys.h5, all | all | 18 | {mean:.0f} |" in printed

    kept["results"][0]["errors"]["alloys.h5"]["left_out"]["energy_mae"] = 1.2345
    (tmp_path / "out.json").write_text(json.dumps(kept))
    assert "| alloys.h5, 1 | 1 | 9 | 1234 |" in run_study(*call)  # what is known is not trained again
    only_second = call[:4] + call[6:]
    assert f"| alloys.h5, all | all | 9 | {1000 * errors[1]['energy_mae']:.0f} |" in run_study(*only_second)  # the mean is of what is asked for

    (tmp_path / "train.toml").write_text("[train]\nsteps = 41\n")
    with pytest.raises(AssertionError, match="another configuration"):
        run_study(*call)
    with pytest.raises(AssertionError, match="no frame of alloys.h5 would be left"):
        run_study("left_out_systems", alloys, "--leave-out", "Ag-Cu", "Au-Cu", "Ag-Au")


def test_a_mode_that_only_the_model_loses_is_said():
    from tamiz.studies import phonons

    dft = np.array([[-0.05, 0.0, 0.02, 5.0], [1.0, 2.0, 3.0, 4.0]])
    ours = np.array([[0.0, 0.0, 0.0, 5.5], [-1.0, 2.0, 3.0, 4.0]])
    assert phonons.compare(ours, dft)["falsely_imaginary"] and not phonons.compare(dft, ours)["falsely_imaginary"]
    assert phonons.compare(ours, dft)["mae"] == pytest.approx(2.5 / 5)
    # at the zone centre, where three modes of the model lie below its acoustic ones
    dft, ours = np.array([[0.0, 0.0, 0.0, 5.0, 5.0, 5.0]]), np.array([[-3.0, -3.0, -3.0, 0.0, 0.0, 0.0]])
    assert phonons.compare(ours, dft)["falsely_imaginary"] and phonons.compare(ours, dft)["mae"] == pytest.approx(8.0)


def test_solid_silicon_keeps_its_energy_and_its_distances(relaxed_silicon, tmp_path):
    said = run_study("solids", STILLINGER_WEBER, "--relaxed", relaxed_silicon, "--crystals", "Si", "--temperatures", "300", "--ps", "1", "--equilibrate", "0.2",
               "--frames", tmp_path / "last.xyz", "-o", tmp_path / "out.json")

    one = json.loads((tmp_path / "out.json").read_text())["runs"]["Si 300 K"]
    assert one["n_atoms"] >= 16 and abs(one["drift"]) < 0.1 and 0.9 < one["closest"] < 1.06 and 100 < one["mean_temperature"] < 500
    assert len(tamiz.read(tmp_path / "last.xyz")[0].structure) == one["n_atoms"]
    assert "| Si | 300 |" in said


def test_a_solid_that_explodes_is_a_row(relaxed_silicon):
    potential = tamiz.load(STILLINGER_WEBER)
    crystal = tamiz.datasets.load(relaxed_silicon)[0].structure.supercell((2, 2, 2))

    row = solids.run(potential, crystal, 3000.0, ps=1e4, equilibrate=1e3, timestep=1e5)

    assert row["failure"] and row["n_atoms"] == 16


def test_close_pairs_are_seen_across_the_cell():
    from ase import Atoms

    atoms = Atoms("Si2", positions=[[0.1, 0, 0], [4.9, 0, 0]], cell=[5, 8, 8], pbc=True)
    assert solids.closest(tamiz.to_structure(atoms)) == pytest.approx(0.2 / 2.22)


def test_close_pairs_are_seen_in_stretched_crystals_of_large_atoms():
    calcium = bulk("Ca", "fcc", 5.53 * 1.25 ** (1 / 3))
    assert solids.closest(tamiz.to_structure(calcium)) == pytest.approx(5.53 * 1.25 ** (1 / 3) / 2**0.5 / 3.52)


def test_starts_are_relaxed_where_the_model_is_trusted_and_not_answered_yet(tmp_path):
    from ase.io import read

    starts = [bulk("Si", "diamond", edge) for edge in (5.3, 6.2, 5.5)]
    for name, atoms in zip(("near", "far", "answered"), starts):
        atoms.info.update(id=name, mesh="covalent")
    write(tmp_path / "starts.xyz", starts)
    tamiz.label({"answered": starts[2]}, tmp_path / "known.tz", oracle="ase:ase.calculators.morse:MorsePotential")

    said = run_study("better_starts", tmp_path / "starts.xyz", STILLINGER_WEBER, "--ledger", tmp_path / "known.tz", "-o", tmp_path / "better.xyz")

    near, far, known = read(tmp_path / "better.xyz", ":")
    assert "3 starts, 1 answered, 1 moved; left: far" in said
    assert near.cell.cellpar()[0] * np.sqrt(2) == pytest.approx(5.431, abs=2e-3) and near.info["mesh"] == "covalent" and near.info["id"] == "near"
    assert far.get_volume() == pytest.approx(starts[1].get_volume()) and known.get_volume() == pytest.approx(starts[2].get_volume())


def test_starts_move_as_their_siblings_were():
    from ase import Atoms

    bases = {atoms.info["id"]: atoms for atoms in closed_world()}
    share = {"Mg": 0.0, "Ca": 0.05, "Zn": -0.03, "Si": 0.0, "Ge": 0.01, "Sn": 0.04, "N": 0.0, "P": 0.06}

    def true_end(name: str) -> Atoms:
        """Elements add to a change of volume and of shape, and one atom moves; the cell is turned."""
        kind, elements = sibling_starts.kind_and_elements(name)
        size = sum(share[element] for element in elements)
        row = np.concatenate([np.diag([size, size, -0.5 * size]).ravel(), np.zeros(3 * len(bases[name]))])
        row[-1] += 0.1 * size
        atoms = sibling_starts.changed(bases[name], row)
        atoms.rotate(30.0, "z", rotate_cell=True)
        return atoms

    names = [name for name in bases if name.split("/")[1] == "CuAu-like"]
    ends = {name: (bases[name], true_end(name)) for name in set(names) - set(names[::5])}
    torn = [name for name in bases if name.split("/")[1] == "ThCr2Si2"]
    jumps = np.random.default_rng(3).normal(scale=0.2, size=len(torn))
    ends |= {name: (bases[name], sibling_starts.changed(bases[name], np.append(np.diag([jump, jump, 0]), np.zeros(15)))) for name, jump in zip(torn[:6], jumps)}
    chalcopyrite = "closed/chalcopyrite/Zn-Si-P"
    phase = bases[chalcopyrite].repeat((1, 1, 1))
    phase.set_cell(1.02 * phase.cell.array, scale_atoms=True)
    phase = phase[[4, 0, 7, 1, 2, 3, 5, 6]]
    phase.set_cell(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]) @ phase.cell.array)  # another setting

    starts, origin = sibling_starts.sibling_starts(list(bases.values()), ends, [phase])

    assert set(origin) == set(bases) - set(ends) and [atoms.info for atoms in starts] == [atoms.info for atoms in bases.values()]
    moved = {atoms.info["id"]: atoms for atoms in starts}
    for name in names[::5]:
        assert origin[name] == "siblings"
        before, after = (np.abs(sibling_starts.change(atoms, true_end(name))).max() for atoms in (bases[name], moved[name]))
        assert after < 0.3 * before or after < 0.01
    assert origin[chalcopyrite] == "known" and list(moved[chalcopyrite].symbols) == list(bases[chalcopyrite].symbols)
    assert moved[chalcopyrite].get_volume() == pytest.approx(phase.get_volume())
    assert np.abs(sibling_starts.change(bases[chalcopyrite], moved[chalcopyrite])[9:]).max() < 1e-6
    # What jumps at random says nothing of the others.
    assert {origin[name] for name in torn[6:]} == {"as before"}
    assert all(moved[name] == bases[name] for name in torn)
