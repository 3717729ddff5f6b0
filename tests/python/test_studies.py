"""Studies that judge models: what they compute, on small models and frames."""

import json
import math
import subprocess

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

import tamiz
from support import BUILD, MODEL, ROOT, STILLINGER_WEBER, run_study, silicon
from tamiz.studies import accuracy, uncertainty


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Rattled silicon with labels by Stillinger and Weber, 20 frames of each name that the study of accuracy looks for."""
    folder = tmp_path_factory.mktemp("data")
    potential = tamiz.load(STILLINGER_WEBER)
    for number, name in enumerate(("mlearn_Si_train.xyz", "mlearn_Si_test.xyz")):
        frames = [silicon(rattle=0.02 + 0.01 * (k % 10), seed=100 * number + k) for k in range(20)]
        for k, atoms in enumerate(frames):
            atoms.info["config_type"] = ("Elastic", "AIMD")[k % 2]
            p = potential.evaluate(atoms)
            atoms.calc = SinglePointCalculator(atoms, energy=p.energies[0], forces=p.forces[0])
        write(folder / name, frames)
    return folder


def test_accuracy_is_the_mean_over_seeds_and_goes_on(data, tmp_path):
    arguments = ["--data", data, "--sets", "mlearn", "--minutes", "0.02", "-o", tmp_path / "out"]
    (tmp_path / "train.toml").write_text("[model]\nchannels = 4\nl_max = 1\ncorrelation = 2\nn_interactions = 1\n")

    table = run_study("accuracy", *arguments, "--config", tmp_path / "train.toml", "--seeds", 1, 2)
    result = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    again = run_study("accuracy", *arguments, "--config", tmp_path / "train.toml", "--seeds", 1, 2)

    assert "| mlearn | without Elastic (10) |" in table and "training for" in table and "training for" not in again
    assert table.splitlines()[-1] == again.splitlines()[-1]
    one, two = (seed["all"]["force_mae"] for seed in result["sets"]["mlearn"]["seeds"])
    assert result["sets"]["mlearn"]["mean"]["all"]["force_mae"] == pytest.approx((one + two) / 2) and one != two
    model = tamiz.load(tmp_path / "out" / "mlearn-1.safetensors")
    errors = tamiz.evaluate(model, tamiz.read(data / "mlearn_Si_test.xyz"))
    assert 1000 * errors.energy_mae == pytest.approx(result["sets"]["mlearn"]["seeds"][0]["all"]["energy_mae"], rel=1e-4)
    assert (tmp_path / "out" / "accuracy.png").stat().st_size > 10_000


def test_an_uncertainty_that_is_the_error_is_calibrated_and_ranks_it():
    random = np.random.default_rng(1)
    sigma = random.uniform(0.5, 2.0, 4000)
    errors = np.abs(random.normal(0.0, sigma))

    assert uncertainty.miscalibration(errors, sigma) < 0.02
    assert uncertainty.miscalibration(errors, 3.0 * sigma) > 0.15
    assert uncertainty.one_sigma(errors, sigma) == pytest.approx(1.0, abs=0.05)
    assert uncertainty.spearman(errors, errors**3) == pytest.approx(1.0)
    assert uncertainty.spearman(errors, -errors) == pytest.approx(-1.0)


def test_the_study_of_uncertainties_judges_every_file(data):
    table = run_study("uncertainty", MODEL, "--train", data / "mlearn_Si_train.xyz", "--test", data / "mlearn_Si_test.xyz")

    rows = table.splitlines()[2:6]
    assert [row.split("|")[2].strip() for row in rows] == ["committee", "last layer", "surroundings", "gradient"]
    assert all(-1.0 <= float(row.split("|")[4]) <= 1.0 for row in rows)
    assert table.splitlines()[7:] == ["Forces vanish in 0 % of mlearn_Si_test."]


def labelled_oxide(identity, energy, force):
    atoms = Atoms("CuO", positions=[[0, 0, 0], [0, 0, 2]], cell=[4, 4, 4], pbc=True, info={"id": identity})
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=[[0, 0, force], [0, 0, -force]], stress=[force] * 6)
    return atoms


def test_labels_are_compared_by_their_ids(tmp_path):
    write(tmp_path / "one.xyz", [labelled_oxide("a", -8.0, 0.1), labelled_oxide("b", -7.0, 0.0), labelled_oxide("c", 0, 0)])
    write(tmp_path / "other.xyz", [labelled_oxide("b", -7.0, 0.0), labelled_oxide("a", -8.02, 0.15)])

    table = run_study("compare_labels", tmp_path / "one.xyz", tmp_path / "other.xyz")

    assert table.splitlines()[-1] == "| all | 2 | 5.0 | 10.0 | 50 | 8.01 |"
    assert table.splitlines()[-2].startswith("| CuO | 2 |")
    larger = labelled_oxide("a", -8.0, 0.1)
    larger.set_cell([4.2, 4, 4])
    write(tmp_path / "other.xyz", [larger, labelled_oxide("b", -7.0, 0.0)])
    with pytest.raises(AssertionError, match="different structures"):
        run_study("compare_labels", tmp_path / "one.xyz", tmp_path / "other.xyz")


def test_labels_of_two_levels_differ_by_constants_of_the_elements(tmp_path):
    def frame(identity, formula, energy, force):
        atoms = Atoms(formula, positions=[[0, 0, 0], [0, 0, 2]], cell=[4, 4, 4], pbc=True, info={"id": identity})
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=[[0, 0, force], [0, 0, -force]], stress=[0.0] * 6)
        return atoms

    write(tmp_path / "one.xyz", [frame("a", "Cu2", -8.0, 0.1), frame("b", "O2", -7.0, 0.3), frame("c", "CuO", -9.0, 0.2)])
    write(tmp_path / "other.xyz", [frame("a", "Cu2", 2.0, 0.1), frame("b", "O2", -17.0, 0.3), frame("c", "CuO", -8.994, 0.17)])

    lines = run_study("compare_labels", tmp_path / "one.xyz", tmp_path / "other.xyz", "--levels").splitlines()

    assert lines[-6] == "| all | 3 | 1.0 | 3.0 | 30 | 0.00 |"  # the elements agree, and the compound is off
    assert [line.split(" | ")[:2] for line in lines[-5:-3]] == [["| element without a gap", "2"], ["| intermetallic without a gap", "1"]]
    assert lines[-2] == "Force components that are not zero differ by 10 meV/Å on average, and are 200 meV/Å."
    assert lines[-1] == "Constants [eV]: Cu = -5.0000, O = 5.0000"


def test_free_energies_are_compared_at_one_width_of_the_smearing(tmp_path):
    for name, entropy in (("one", -0.2), ("other", -0.8)):  # twice the width
        atoms = labelled_oxide("a", -8.0, 0.1)
        atoms.calc.results["free_energy"] = -8.0 + entropy
        write(tmp_path / f"{name}.xyz", atoms)

    same, apart = (run_study("compare_labels", tmp_path / "one.xyz", tmp_path / "other.xyz", "--widths", *widths).splitlines()
                   for widths in ((0.1, 0.2), (0.1, 0.1)))

    assert same[0] == "Free energies lie 100 and 400 meV/atom below energies at zero smearing on average."
    assert same[-1].startswith("| all | 1 | 0.0 |") and apart[-1].startswith("| all | 1 | 300.0 |")


def test_errors_are_split_by_type():
    rows = [{"config_type": kind, "energy": [0.0, error], "forces": [[1.0], [1.0 + error]]}
            for kind, error in (("Elastic", 0.1), ("AIMD", 0.3))]

    found = accuracy.errors_by_type(rows)

    assert found["all"]["energy_mae"] == pytest.approx(200.0)
    assert found["without Elastic"]["force_mae"] == found["AIMD"]["force_mae"] == pytest.approx(300.0)


def test_an_equation_of_state_is_fitted_and_compared():
    from tamiz.studies import equations_of_state as eos

    known = np.array([20.0, 0.5, 4.3])  # Å³, eV/Å³, 1
    volumes = known[0] * eos.FACTORS

    fitted = eos.fit(volumes, -7.0 + eos.birch_murnaghan(known, volumes))

    assert fitted == pytest.approx(known, rel=1e-6)
    assert eos.epsilon(known, fitted) < 1e-6 and eos.nu(known, fitted) < 1e-4
    assert eos.nu(known * [1.01, 1, 1], known) == pytest.approx(100 * 0.01 / 1.005)
    assert eos.nu(known * [1, 1.1, 1], known) == pytest.approx(100 * 0.1 / 1.05 / 20)
    assert eos.epsilon(known * [1.002, 1, 1], known) == pytest.approx(2 * eos.epsilon(known * [1.001, 1, 1], known), rel=0.01)
    # Of parabolas with curvatures 1 and 1 + δ over −1 to 1: ⟨x⁴⟩δ² over the spread ⟨x⁴⟩ − ⟨x²⟩², 1/5 and 4/45.
    assert eos.epsilon(known * [1, 1.01, 1], known) == pytest.approx(0.015, rel=0.02)
    with pytest.raises(ValueError, match="no minimum"):
        eos.fit(volumes, volumes)


def test_the_shipped_equations_of_state_are_those_that_the_study_prints():
    from ase.units import GPa

    from tamiz.studies import equations_of_state as eos

    results = json.loads((ROOT / "datasets/levels/pbe-600g.eos.json").read_text())["results"]
    references = eos.references(ROOT / "datasets/levels/all_electron_unaries.csv", ["Mg", "Ca", "Zn", "Si", "Ge", "Sn", "N", "P"])

    assert len(references) == 32
    for name, one in results.items():
        theirs = references[tuple(name.split())]
        assert one["reference"] == pytest.approx(theirs * [1, 1 / GPa, 1])
        assert one["epsilon"] == pytest.approx(eos.epsilon(np.array([one["V0"], one["B0_GPa"] * GPa, one["B0prime"]]), theirs))
    assert eos.table(results) in (ROOT / "datasets/levels/README.md").read_text()


def test_bulk_modulus_is_the_second_derivative():
    from tamiz.studies import equations_of_state as eos

    known, step = np.array([20.0, 0.5, 4.3]), 0.01
    energy = lambda volume: eos.birch_murnaghan(known, volume)  # noqa: E731

    curvature = (energy(20 + step) - 2 * energy(20.0) + energy(20 - step)) / step**2

    assert 20 * curvature == pytest.approx(0.5, rel=1e-5)
    assert energy(20.0) == 0.0


@pytest.mark.parametrize(("structure", "n_atoms", "neighbors"), [("FCC", 1, 12), ("BCC", 1, 8), ("SC", 1, 6), ("Diamond", 2, 4)])
def test_simple_crystals_have_their_volume_and_neighbors(structure, n_atoms, neighbors):
    from tamiz.studies import equations_of_state as eos

    atoms = eos.crystal("Si", structure, 20.0)
    distances = atoms.repeat(5).get_all_distances(mic=True)[0]

    assert len(atoms) == n_atoms and atoms.get_volume() == pytest.approx(20.0 * n_atoms)
    assert np.isclose(distances, np.sort(distances)[1], rtol=1e-6).sum() == neighbors


def test_the_known_phases_start_from_primitive_cells(tmp_path):
    from ase.io import read

    run_study("known_structures", "Ca", "Mg", "N", "-o", tmp_path / "start.xyz")
    starts = {atoms.info["id"]: atoms for atoms in read(tmp_path / "start.xyz", ":")}

    assert {"competing/Ca", "competing/Mg", "competing/N2", "competing/Mg3N2", "competing/CaMg2N2"} <= set(starts)
    assert not any(set(atoms.symbols) - {"Ca", "Mg", "N"} for atoms in starts.values())
    assert len(starts["competing/Mg3N2"]) == 40 and "mesh" not in starts["competing/Mg3N2"].info
    assert starts["competing/N2"].info["mesh"] == "molecule"
    for atoms in starts.values():
        structure = tamiz.to_structure(atoms)
        assert len(structure.primitive_cell().symbols) == len(atoms) or atoms.info.get("mesh") == "molecule"


@pytest.mark.parametrize("anion", ["N", "P"])
def test_starting_volumes_of_the_closed_world_are_fitted_to_the_known_phases(anion):
    from scipy.optimize import nnls

    from tamiz.studies.closed_world import VOLUMES
    from tamiz.studies.known_structures import listed_phases, start_of

    starts = [start_of(phase, 99) for phase in listed_phases() if phase["role"] == "competitor" and "lattice" in phase]
    compounds = [atoms for atoms in starts if anion in atoms.symbols and len(set(atoms.symbols)) > 1]
    elements = sorted({symbol for atoms in compounds for symbol in atoms.symbols})
    shares = np.array([[atoms.symbols.count(element) / len(atoms) for element in elements] for atoms in compounds])
    volumes = np.array([atoms.get_volume() / len(atoms) for atoms in compounds])
    fitted = dict(zip(elements, nnls(shares, volumes)[0]))

    assert np.sqrt(np.mean((shares @ list(fitted.values()) - volumes) ** 2)) == pytest.approx(1.1, abs=0.05)
    assert {element: fitted[element] for element in VOLUMES[anion]} == pytest.approx(VOLUMES[anion], abs=0.06)


def test_the_closed_world_has_219_different_crystals():
    from tamiz.studies.closed_world import closed_world, crystal_of, other_shapes

    world = closed_world()
    structures = [tamiz.to_structure(atoms) for atoms in world]

    assert len(world) == 219 and len({atoms.info["id"] for atoms in world}) == 219
    assert len(set(tamiz.group_duplicates(structures))) == 219
    for atoms in world:
        assert 1.5 < tamiz.to_structure(atoms).shortest_distance() < 3.2, atoms.info["id"]
    starts = other_shapes()
    assert len(starts) == 12 and {crystal_of(atoms.info["id"]) for atoms in starts} < {atoms.info["id"] for atoms in world}
    assert {tamiz.to_structure(atoms).space_group().number for atoms in starts} == {139}
    assert len(set(tamiz.group_duplicates([*structures, *map(tamiz.to_structure, starts)]))) == 231
    groups = {atoms.info["config_type"]: structure.space_group().number for atoms, structure in zip(world, structures)}
    assert groups["chalcopyrite"] == 122 and groups["rocksalt-order"] == 123 and groups["antiperovskite"] == 221
    assert groups["beta-NaFeO2"] == 33 and groups["half-Heusler"] == 216 and groups["delafossite"] == 166


def test_relaxed_crystals_stand_beside_what_was_measured(tmp_path):
    from ase.build import bulk

    from tamiz.studies import measured

    def frame(name, atoms, energy, gap=0.0):
        info = {"id": f"competing/{name}", "relax_steps": "3", "gap": str(gap), "gap_level": "PBE"}
        return tamiz.Frame(tamiz.to_structure(atoms), energy=energy, info=info)

    fcc = 6.36 * np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    silicide = Atoms("SiMg2", cell=fcc, pbc=True, scaled_positions=[[0, 0, 0], [0.25] * 3, [0.75] * 3])
    data = tamiz.datasets.DataSet([frame("Mg", bulk("Mg", "hcp", 3.2, 5.2), -3.0), frame("Si", bulk("Si", "diamond", 5.47), -10.8, 0.6),
                                   frame("Mg2Si", silicide, -9.0, 0.2)])  # fmt: skip
    table = tmp_path / "measured.csv"
    table.write_text("id,property,value,unit\ncompeting/Mg,lattice_a,3.209,Å\ncompeting/Mg,lattice_c,5.211,Å\n"
                     "competing/Mg2Si,lattice_a,6.35,Å\ncompeting/Mg2Si,formation_enthalpy,-26.36,kJ/mol of atoms\n"
                     "competing/Mg2Si,gap,0.77,eV\ncompeting/Si,formation_enthalpy,-3.0,kJ/mol of atoms\n")
    data.save(tmp_path / "hull.h5")

    rows = {(phase, name): (ours, theirs) for phase, name, ours, theirs in measured.compare(data, measured.read_measured(table))}

    monoclinic = Atoms("SiN", cell=[8.1, 5.8, 9.2, 90, 116, 90], pbc=True, scaled_positions=[[0.1, 0.2, 0.3], [0.4, 0.7, 0.6]])
    other_setting = {"Mg": {"lattice_a": 5.81, "lattice_b": 9.21, "lattice_c": 8.11}}
    for _, _, ours, theirs in measured.compare(tamiz.datasets.DataSet([frame("Mg", monoclinic, -3.0)]), other_setting):
        assert ours == pytest.approx(theirs, rel=0.01)
    assert rows["Mg", "lattice_a"] == pytest.approx((3.2, 3.209)) and rows["Mg", "lattice_c"] == pytest.approx((5.2, 5.211))
    assert rows["Mg2Si", "lattice_a"] == pytest.approx((6.36, 6.35))
    # −9.0 − (2·(−1.5) − 5.4) eV of three atoms; the silicon of the table is 3 kJ/mol above that of this one
    assert rows["Mg2Si", "formation_enthalpy"] == pytest.approx((-0.2, (-26.36 + 1.0) / 96.48533))
    assert rows["Mg2Si", "gap, PBE"] == (0.2, 0.77)
    assert "| Mg2Si | gap, PBE | 0.200 | 0.770 | -0.57 eV |" in run_study("measured", tmp_path / "hull.h5", table)


def test_edge_frames_reach_from_half_to_three_times_the_radii(tmp_path):
    from ase import Atoms
    from ase.io import read

    from tamiz.studies import edge_frames

    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'ledgers = ["{ROOT}/datasets/competing/pbe-600.tz"]\n[card]\nname = "hull"\n')
    subprocess.run([BUILD / "bin" / "tamiz", "dataset", recipe, "-o", tmp_path / "hull.h5", "--quiet"], check=True)
    run_study("edge_frames", "Ca", "N", "--crystals", tmp_path / "hull.h5", "--max-atoms", "3", "-o", tmp_path / "edges.xyz")
    frames = read(tmp_path / "edges.xyz", ":")
    pairs = [a for a in frames if a.info["id"].startswith("pair/")]
    volumes = {a.info["id"]: a.get_volume() for a in frames if a.info["id"].startswith("volume/")}

    assert len(pairs) == 3 * len(edge_frames.RATIOS) and {a.info["mesh"] for a in pairs} == {"molecule"}
    radii = {"Ca": 1.76, "N": 0.71}  # Cordero et al. 2008
    for atoms in pairs:
        ratio = float(atoms.info["id"].rsplit("/", 1)[1])
        assert atoms.get_distance(0, 1) == pytest.approx(ratio * sum(radii[s] for s in atoms.symbols), abs=1e-6)
        images = atoms.repeat(2).get_all_distances(mic=True)
        assert np.sort(images[0])[2] > 7.0  # the atom's own image and the partner's are beyond a potential's reach
    alone = [a for a in frames if a.info["id"].startswith("isolated/")]
    assert [(len(a), a.info["mesh"], a.info["id"]) for a in alone] == [(1, "molecule", "isolated/Ca"), (1, "molecule", "isolated/N")]
    crystals = {a.info["id"]: a for a in frames if a.info["id"].startswith(("zincblende/", "rocksalt/"))}
    assert len(crystals) == 3 * 2 * (len(edge_frames.SPACINGS) + len(edge_frames.MOVED))
    for name, atoms in crystals.items():
        neighbours = np.sort(atoms.repeat(3).get_all_distances(mic=True)[0])[1:7]
        spacing = float(name.split("/")[2]) * sum(radii[s] for s in atoms.symbols)
        if name.endswith("/moved"):
            assert neighbours[0] == pytest.approx(0.94 * spacing, rel=1e-3)  # 4 % longer, a tenth nearer
        else:
            assert neighbours[:4] == pytest.approx([spacing] * 4) and (name.startswith("rocksalt") == (neighbours[5] < 1.1 * spacing))
    assert {name.split("/")[1] for name in volumes} == {"Ca", "Ca2N"}
    assert volumes["volume/Ca/1.6"] / volumes["volume/Ca/0.6"] == pytest.approx(1.6 / 0.6)
    crystal = Atoms("Ca", cell=np.eye(3) * 4.0, pbc=True, info={"mesh": "metal"})
    assert [edge_frames.at_volume(crystal, factor, "Ca").info.get("mesh") for factor in (0.94, 1.4)] == ["metal", None]


def test_shaken_prototypes_have_no_symmetry_and_no_overlaps(tmp_path):
    from ase.data import covalent_radii
    from ase.io import read
    from spglib import get_symmetry

    elements = ["Ca", "Mg", "Si", "N"]
    for name in ("one.xyz", "again.xyz"):
        run_study("shaken_prototypes", *elements, "--frames", 40, "-o", tmp_path / name)
    frames = read(tmp_path / "one.xyz", ":")

    assert (tmp_path / "one.xyz").read_text() == (tmp_path / "again.xyz").read_text()
    assert len({atoms.info["id"] for atoms in frames}) == 40 and all(len(atoms) <= 5 for atoms in frames)
    assert len({atoms.info["id"].split("/")[2] for atoms in frames}) > 10  # types
    in_order = 0
    for atoms in frames:
        around = atoms.repeat(3)
        sums = covalent_radii[around.numbers][:, None] + covalent_radii[around.numbers]
        apart = around.get_all_distances(mic=True) / sums
        assert 0.71 < apart[~np.eye(len(around), dtype=bool)].min() < 1.3
        assert len(get_symmetry((atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers))["rotations"]) <= (2 if len(atoms) < 3 else 1)
        places = [elements.index(element) for element in atoms.info["id"].split("/")[3].split("-")]
        in_order += places == sorted(places)
    assert 20 < in_order < 40
    run_study("shaken_prototypes", *elements, "--frames", 10, "--with", "N", "-o", tmp_path / "nitrides.xyz")
    assert all("N" in atoms.symbols for atoms in read(tmp_path / "nitrides.xyz", ":"))


def test_prototypes_relaxed_by_a_model_are_shaken_near_its_crystals(tmp_path):
    from ase.io import read

    run_study("shaken_prototypes", "Si", "--frames", 10, "--max-atoms", 2, "--model", STILLINGER_WEBER, "-o", tmp_path / "pool.xyz")
    frames = read(tmp_path / "pool.xyz", ":")
    assert len(frames) == 10 and all(atoms.info["id"].startswith("shaken/relaxed-prototype/diamond/Si/") for atoms in frames)
    volumes = [atoms.get_volume() / 2 / 20.02 for atoms in frames]  # of the potential's diamond, lattice constant 5.431 Å
    assert max(volumes) - min(volumes) > 0.05 and 0.8 < min(volumes) and max(volumes) < 1.3


def test_mixed_prototypes_have_compositions_that_no_prototype_has(tmp_path):
    from ase.formula import Formula
    from ase.io import read

    elements, formulas = ["Ca", "Mg", "Si", "N"], {}
    for share in (0, 1):
        run_study("shaken_prototypes", *elements, "--frames", 60, "--max-atoms", 6, "--mixed", share, "-o", tmp_path / f"{share}.xyz")
        frames = read(tmp_path / f"{share}.xyz", ":")
        assert all(len(atoms) <= 6 for atoms in frames) and all(atoms.info["id"].startswith("shaken/mixed-") == bool(share) for atoms in frames)
        assert len({atoms.info["id"] for atoms in frames}) == 60
        formulas[share] = {str(Formula(str(atoms.symbols)).stoichiometry()[0]) for atoms in frames}
        assert all(len(set(atoms.symbols)) <= 3 for atoms in frames)
    assert len(formulas[1] - formulas[0]) >= 3
    run_study("shaken_prototypes", *elements, "--frames", 60, "--per-formula", 1, "-o", tmp_path / "one.xyz")
    once = [Formula(str(atoms.symbols)).reduce()[0].format("metal") for atoms in read(tmp_path / "one.xyz", ":")]
    assert len(once) == len(set(once)) > 20


def test_prototypes_in_symmetry_have_the_elements_that_are_asked_for(tmp_path):
    from ase.io import read

    chosen = ["--frames", 20, "--with", "N", "--n-elements", 3, "--without", "Ca-Mg-N", "--in-symmetry", "-o", tmp_path / "kept.xyz"]
    run_study("shaken_prototypes", "Ca", "Mg", "Si", "N", *chosen)
    frames = [tamiz.to_structure(atoms) for atoms in read(tmp_path / "kept.xyz", ":")]
    assert {tuple(sorted(set(frame.symbols))) for frame in frames} == {("Ca", "N", "Si"), ("Mg", "N", "Si")}
    assert all(frame.space_group(1e-3).number > 15 for frame in frames)
    with pytest.raises(AssertionError, match="no crystal is as asked for"):
        run_study("shaken_prototypes", "Ca", "Mg", "--n-elements", 3, "-o", tmp_path / "none.xyz")


def test_alloys_have_the_charges_of_the_closed_world_but_none_of_its_compositions(tmp_path):
    from ase.io import read

    from tamiz.studies.closed_world import FIVE, FOUR, TWO, closed_world

    model = ROOT / "datasets" / "models" / "ca-ge-mg-n-p-si-sn-zn.safetensors"
    run_study("alloys", model, "--frames", 40, "--max-atoms", 5, "--without", "Ge-Mg-N", "-o", tmp_path / "alloys.xyz")
    run_study("alloys", model, "--frames", 10, "--types", "delafossite", "CuAu-like", "--crossed", 1, "-o", tmp_path / "crossed.xyz")
    frames, crossed = ([tamiz.to_structure(atoms) for atoms in read(tmp_path / name, ":")] for name in ("alloys.xyz", "crossed.xyz"))

    assert len(frames) == 40 and all(len(frame) <= 5 for frame in frames)
    assert not {frame.reduced_formula for frame in frames + crossed} & {tamiz.to_structure(crystal).reduced_formula for crystal in closed_world()}
    assert not any({"Ge", "Mg", "N"} <= set(frame.symbols) for frame in frames)

    def families(frame):
        return [sum(symbol in family for symbol in frame.symbols) for family in (TWO, FOUR, FIVE)]

    assert all(families(frame) in ([1, 1, 2], [3, 0, 2], [3, 1, 1]) for frame in frames)  # of ABX2, AB2X2 and A3BX
    assert len(crossed) == 10 and all(families(frame) in ([2, 0, 2], [0, 2, 2]) for frame in crossed)
    run_study("alloys", model, "--frames", 10, "--types", "delafossite", "--crossed", 1, "--in-symmetry", "-o", tmp_path / "kept.xyz")
    kept = [tamiz.to_structure(atoms).space_group(1e-3).number for atoms in read(tmp_path / "kept.xyz", ":")]
    assert all(number > 2 for number in kept) and sum(number == 166 for number in kept) > 5  # R-3m, where the model keeps it
    assert all(tamiz.to_structure(atoms).space_group(1e-3).number == 1 for atoms in read(tmp_path / "crossed.xyz", ":"))
    with pytest.raises(AssertionError, match="none of these crystals gives an alloy"):  # both metals of CaAl2Si2 are of one family
        run_study("alloys", model, "--types", "CaAl2Si2", "--crossed", 1, "-o", tmp_path / "none.xyz")


def test_every_three_elements_meet_in_symmetric_crystals(tmp_path):
    from ase.io import read
    from spglib import get_symmetry

    printed = run_study("triple_crystals", "Mg", "Si", "Ge", "N", "-o", tmp_path / "triples.xyz")
    frames = {a.info["id"]: a for a in read(tmp_path / "triples.xyz", ":")}
    assert printed == "20 frames\n" and len(frames) == 20  # four times three half-Heuslers and two perovskites
    operations = {name: len(get_symmetry((a.cell.array, a.get_scaled_positions(), a.numbers))["rotations"]) for name, a in frames.items()}
    kinds = {"half-heusler": 24, "perovskite": 48}
    assert all(n == (6 if name.endswith("/moved") else kinds[name.split("/")[0]]) for name, n in operations.items())
    assert 0 < sum(name.endswith("/moved") for name in frames) < 12

    radii = {"Mg": 1.41, "Si": 1.11, "Ge": 1.20, "N": 0.71}  # Cordero et al. 2008
    middles = set()
    for name, atoms in frames.items():
        kind, (x, y, z), spacing = name.split("/")[0], name.split("/")[1].split("-"), float(name.split("/")[2])
        if kind == "half-heusler" and not name.endswith("/moved"):
            around = atoms.repeat(3)
            near = around.get_distances(0, range(len(around)), mic=True)
            touch = {partner: near[np.array(around.symbols) == partner].min() for partner in (x, z)}
            other = math.sqrt(4 / 3) * touch[x]
            middles.add((frozenset((x, y, z)), y))
            edges = [4 / math.sqrt(3) * (radii[x] + radii[y]), 4 / math.sqrt(3) * (radii[y] + radii[z]), 2 * (radii[x] + radii[z])]
            assert touch[x] == pytest.approx(touch[z]) and 2 * other == pytest.approx(spacing * sum(edges) / 3, rel=1e-3)
        elif kind == "perovskite":
            counts = atoms.symbols.formula.count()
            assert counts == {x: 1, y: 1, z: 3}  # A, B and X
            edges = [2 * (radii[y] + radii[z]), math.sqrt(2) * (radii[x] + radii[z])]
            assert atoms.cell.lengths()[0] == pytest.approx(spacing * sum(edges) / 2, rel=1e-3)
    assert len(middles) == sum(name.startswith("half") and not name.endswith("/moved") for name in frames)


def test_a_data_card_counts_frames_and_what_they_cost(tmp_path):
    def frame(atoms, energy, forces, **info):
        return tamiz.Frame(tamiz.to_structure(atoms), energy=energy, free_energy=energy, forces=forces, info=info)

    crystal, alone = silicon(rattle=0.01), Atoms("N", cell=[9.0, 9.1, 9.2], pbc=True)
    still, pushed = np.zeros((8, 3)), np.full((8, 3), 0.3 / math.sqrt(3))
    frames = [
        frame(crystal, -8.0, pushed, id="competing/Si", split="train"),  # on the way to the next
        frame(crystal, -8.8, still, id="competing/Si", split="train", relax_steps="1", core_seconds="3600", gap_core_seconds="720"),
        frame(crystal, -8.4, still, id="shaken/Si/1", split="test", core_seconds="1800"),
        frame(alone, -1.0, np.zeros((1, 3)), id="mine", core_seconds="36"),
    ]
    failed = tamiz.Frame(frames[0].structure, info={"id": "competing/lost", "reason": "no convergence"})
    tamiz.datasets.DataSet(frames, failures=[failed]).save(tmp_path / "data.h5")

    said = run_study("data_card", tmp_path / "data.h5", "--table", "--plot", tmp_path / "frames.png", "-o", tmp_path / "card.json")

    card = json.loads((tmp_path / "card.json").read_text())
    assert "4 frames of 25 atoms, 1 failures, 1.7 core-hours" in said and (tmp_path / "frames.png").stat().st_size > 10_000
    assert "| relaxations of known phases | 2 | 0 | 0 | 1 | 1.0 |" in said and "| Si | 2 | 0 | 1 |  |  |" in said
    assert card["kinds"]["mine"] == {"": 1} and card["elements"]["N"] == {"": 1} and card["chemistries"]["element"] == {"train": 2, "test": 1, "": 1}
    assert card["energy_above_lowest"]["p100"] == pytest.approx(0.1) and card["energy_above_lowest"]["p0"] == 0.0
    assert card["force"]["p100"] == pytest.approx(0.3) and card["force"]["p0"] == 0.0
    assert card["closest"]["p100"] == pytest.approx(1.06, abs=0.03)  # 2.35 of 2.22 Å; the atom alone does not count
    assert card["failures"] == {"no convergence": 1}
    assert card["costs"]["gaps"] == {"labels": 1, "core_hours": 0.2}
