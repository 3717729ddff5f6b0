"""What the program says to input that cannot be right: one line that names the file and the fault, and exit code 1 or 2."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from support import LENNARD_JONES, MODEL, ROOT, STILLINGER_WEBER, TAMIZ

CAMPAIGN = ROOT / "datasets" / "campaigns" / "nitrides.toml"
CELL = 'Lattice="5.43 0 0 0 5.43 0 0 0 5.43" pbc="T T T"'
FILES = {
    "empty.xyz": "",
    "nothing.xyz": f"0\n{CELL}\n",
    "nan.xyz": f"2\n{CELL} energy=-10\nSi nan 0 0\nSi 1 1 1\n",
    "huge.xyz": '1\nLattice="1e300 0 0 0 1e300 0 0 0 1e300" pbc="T T T"\nSi 0 0 0\n',
    "one.xyz": f"1\n{CELL}\nSi 0 0 0\n",
    "good.xyz": f"2\n{CELL}\nSi 0 0 0\nSi 1.3575 1.3575 1.3575\n",
    "argon.xyz": f"1\n{CELL}\nAr 0 0 0\n",
    "list.json": "[1, 2]",
    "broken.json": "{",
    "empty.toml": "",
    "text.txt": "hello",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "folder.xyz").mkdir()
    (folder / "not-a-run").mkdir()
    (folder / "cut.safetensors").write_bytes(MODEL.read_bytes()[:100000])
    altered = bytearray(MODEL.read_bytes())
    altered[200000] ^= 1
    (folder / "altered.safetensors").write_bytes(altered)
    return folder


def run(folder, *arguments, environment=None, limit=None):
    def full_disk():
        """A file that may not grow fails like a full disk."""
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run([TAMIZ, *map(str, arguments)], cwd=folder, env=os.environ | (environment or {}), capture_output=True,
                          text=True, timeout=120, preexec_fn=None if limit is None else full_disk)


SW, LJ = STILLINGER_WEBER, LENNARD_JONES
REFUSED = [
    (["relax", SW, "empty.xyz", "-o", "o.xyz"], "hold no structure"),
    (["relax", SW, "nothing.xyz", "-o", "o.xyz"], "nothing.xyz:1: expected a positive number of atoms"),
    (["relax", SW, "nan.xyz", "-o", "o.xyz"], "nan.xyz:3: pos: expected a finite number"),
    (["relax", SW, "huge.xyz", "-o", "o.xyz"], "huge.xyz:3: a periodic cell needs a volume"),
    (["relax", SW, "folder.xyz", "-o", "o.xyz"], "folder.xyz"),
    (["relax", SW, "text.txt", "-o", "o.xyz"], "no format is known for text.txt"),
    (["relax", SW, "good.xyz", "-o", "nowhere/o.xyz"], "there is no folder nowhere"),
    (["relax", SW, "good.xyz", "-o", "folder.xyz"], "it names a folder"),
    (["relax", SW, "good.xyz", "-o", "o.unknown"], "no format is known for o.unknown"),
    (["relax", SW, "good.xyz", "-o", "o.xyz", "--fmax", "-1"], "--fmax: expected a number above 0, got -1"),
    (["relax", SW, "good.xyz", "-o", "o.xyz", "--fmax", "nan"], "--fmax: expected a number above 0, got nan"),
    (["relax", "empty.toml", "good.xyz", "-o", "o.xyz"], "empty.toml:1: kind: is missing"),
    (["relax", "cut.safetensors", "good.xyz", "-o", "o.xyz"], "cut.safetensors: the checksum differs"),
    (["info", "altered.safetensors"], "altered.safetensors: the checksum differs"),
    (["info", "not-a-run"], "not-a-run is no run folder"),
    (["report", "not-a-run"], "not-a-run is no run folder"),
    (["evaluate", SW, "good.xyz"], "none of the 1 frames has an energy, forces or a stress"),
    (["evaluate", SW, "argon.xyz"], "argon.xyz|none of the 1 frames"),
    (["evaluate", SW, "good.xyz", "--predictions", "nowhere/p.xyz"], "there is no folder nowhere"),
    (["md", SW, "good.xyz", "--steps", "-3", "-o", "m.xyz"], "--steps: expected 0 or more, got -3"),
    (["md", SW, "good.xyz", "--steps", "3", "-o", "folder.xyz"], "folder.xyz exists already"),
    (["train", "good.xyz", "--steps", "2", "--out", "nowhere/m.safetensors"], "there is no folder nowhere"),
    (["label", "empty.xyz", "--oracle", "/bin/true", "-o", "l.xyz"], "hold no structure"),
    (["label", "good.xyz", "--oracle", "/bin/true", "-o", "l.xyz"], r"worker died \(exit code 0\)"),
    (["label", "good.xyz", "--oracle", "ase:nothing:here", "-o", "l.xyz"], r"worker died \(exit code 1\)"),
    (["label", "good.xyz", "--oracle", "/bin/true", "--settings", "list.json", "-o", "l.xyz"], "list.json: expected a JSON object"),
    (["label", "good.xyz", "--oracle", "/bin/true", "--settings", "broken.json", "-o", "l.xyz"], "broken.json: .*parse error"),
    (["propose", "empty.toml", "-o", "p.xyz"], "empty.toml:1: campaign.systems: is missing"),
    (["propose", CAMPAIGN, "-o", "nowhere/p.xyz"], "there is no folder nowhere"),
    (["discover", CAMPAIGN, "-o", "good.xyz"], "cannot make the run folder good.xyz"),
]


@pytest.mark.parametrize("arguments, said", REFUSED, ids=[" ".join(str(a).rsplit("/", 1)[-1] for a in arguments) for arguments, _ in REFUSED])
def test_is_refused_in_one_line(folder, arguments, said):
    result = run(folder, *arguments)

    assert result.returncode in (1, 2), result.stderr
    assert re.search(said, result.stderr), result.stderr
    assert "terminate called" not in result.stderr and "json.exception.type_error" not in result.stderr


EDITS = [
    ("max_atoms = 8", "max_atoms = -8", "propose.max_atoms"),
    ("seed = 1", "seed = -1", "campaign.seed"),
    ('name = "nitrides"', 'name = ""', "campaign.name"),
    ('name = "nitrides"', 'name = "../up"', "campaign.name"),
    ('level = "pbe-600g"', 'level = "pbe-60"', "did you mean pbe-600"),
    ("rounds = 2", "rounds = 0", "decide.rounds"),
    ("rounds = 2", "rounds = 2.5", "decide.rounds"),
    ("fmax = 0.03", "fmax = nan", "relax.fmax"),
    ("timeout = 1800.0", "timeout = inf", "label.timeout"),
    ("fmax =", "fmex =", "relax.fmex"),
    ("labels_per_round = 5", "labels_per_round = 1", "decide.explore"),
    ("models/ca-ge-mg", "models/none-mg", "models/none-mg"),
    ("frames/quick.toml", "frames/none.toml", "frames/none.toml"),
    ("competing/pbe-600g.tz", "competing/start.xyz", "damaged ledger|begin with TZ1"),
    ('"Ca-N"', '"Ca--N"', "campaign.systems"),
    ('"Ca-N"', '"Al-N"', "no elemental phase of Al"),
    ('oracle = "gpaw"', 'oracle = "gpow"', "gpow"),
    ('oracle = "gpaw"', 'oracle = "replay:nowhere"', "nowhere"),
]


@pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not shipped")
def test_a_model_that_does_not_know_an_element_is_refused_before_any_work(tmp_path):
    text = CAMPAIGN.read_text().replace("ca-ge-mg-n-p-si-sn-zn", "ca-mg-si-n")
    (tmp_path / "c.toml").write_text(text)

    result = run(tmp_path, "discover", "c.toml", "-o", "run")

    assert result.returncode == 1 and "does not know Ge" in result.stderr, result.stderr
    assert "proposing" not in result.stderr


@pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not shipped")
@pytest.mark.parametrize("before, after, said", [
    ("models/ca-mg-si-n", "models/ca-ge-mg-n-p-si-sn-zn", "was trained at level pbe-600g, and the campaign asks for labels at pbe-600,"),
    ('"labels/ca-mg-si-n"', '["frames/quick.toml"]', r"hold (Zn|Ge|Sn|P), which the model models/ca-mg-si-n.safetensors does not know")])
def test_what_no_round_could_be_trained_on_is_refused_before_any_work(tmp_path, before, after, said):
    text = (ROOT / "datasets" / "campaigns" / "nitrides-16.toml").read_text()
    assert before in text
    (tmp_path / "c.toml").write_text(text.replace(before, after))

    result = run(tmp_path, "discover", "c.toml", "-o", "run")

    assert result.returncode == 1 and re.search(said, result.stderr), result.stderr
    assert "proposing" not in result.stderr


def test_a_level_that_was_changed_under_its_name_is_refused(tmp_path):
    level = json.loads((ROOT / "datasets" / "levels" / "pbe-600g.json").read_text()) | {"xc": "LDA", "cutoff": 250.0}
    (tmp_path / "pbe-600g.json").write_text(json.dumps(level))
    text = CAMPAIGN.read_text().replace('"pbe-600g"', '"pbe-600g.json"')
    (tmp_path / "c.toml").write_text(text)

    result = run(tmp_path, "discover", "c.toml", "-o", "run")

    assert result.returncode == 1 and "with other settings (cutoff, xc)" in result.stderr, result.stderr


@pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not shipped")
@pytest.mark.parametrize("before, after, said", EDITS, ids=[after for _, after, _ in EDITS])
def test_a_campaign_file_is_refused_before_any_work(tmp_path, before, after, said):
    text = CAMPAIGN.read_text()
    assert before in text
    (tmp_path / "c.toml").write_text(text.replace(before, after))

    result = run(tmp_path, "discover", "c.toml", "-o", "run")

    assert result.returncode == 1 and re.search(said, result.stderr), result.stderr
    assert "proposing" not in result.stderr and "Traceback" not in result.stderr


def test_errors_that_no_frame_tells_of_are_not_zero(folder):
    energies = FILES["good.xyz"].replace('"T T T"', '"T T T" energy=-8.0')
    (folder / "energy.xyz").write_text(energies)

    result = run(folder, "evaluate", SW, "energy.xyz", "--json", "-")

    errors = json.loads(result.stdout)
    assert errors["energy_mae"] > 0.0 and errors["force_mae"] is None and errors["stress_mae"] is None
    assert "forces        - meV" in result.stderr


def test_a_full_disk_is_reported(folder):
    (folder / "many.xyz").write_text(FILES["good.xyz"] * 50)

    result = run(folder, "convert", "many.xyz", "full.xyz", limit=1000)

    assert result.returncode == 1 and "full.xyz" in result.stderr
    assert not (folder / "full.xyz").exists()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_reported_before_any_work(folder):
    (folder / "locked").mkdir(mode=0o500)

    result = run(folder, "relax", SW, "good.xyz", "-o", "locked/o.xyz")

    assert result.returncode == 1 and "no permission in locked" in result.stderr


def test_a_python_without_gpaw_is_told_how_to_get_it(folder):
    shim = folder / "python-without-gpaw"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    shim.chmod(0o755)

    result = run(folder, "label", "good.xyz", "--oracle", "gpaw", "-o", "l.xyz", environment={"TAMIZ_PYTHON": str(shim)})

    assert result.returncode == 1 and "is not installed in" in result.stderr and "pip install" in result.stderr
    doctor = json.loads(run(folder, "doctor", "--json", "-", environment={"TAMIZ_PYTHON": str(shim)}).stdout)
    assert not doctor["DFT workers"]["ok"] and "pip install" in doctor["DFT workers"]["fix"]


def test_doctor_names_versions_and_instruction_sets(folder):
    import tamiz

    parts = json.loads(run(folder, "doctor", "--json", "-").stdout)

    assert "kernels use" in parts["instruction sets"]["found"]
    if tamiz._tamiz.torch_version:
        assert tamiz._tamiz.torch_version.split("+")[0] in parts["LibTorch engine (MACE)"]["found"]
    if parts["DFT workers"]["ok"]:
        import gpaw

        assert f"gpaw {gpaw.__version__} by" in parts["DFT workers"]["found"]


@pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not shipped")
def test_two_campaigns_do_not_share_a_folder(tmp_path):
    text = CAMPAIGN.read_text().replace('oracle = "gpaw"', f'oracle = "replay:{ROOT}/datasets/runs/nitrides-example/ledger.tz"')
    (tmp_path / "c.toml").write_text(text)
    first = subprocess.Popen([TAMIZ, "discover", "c.toml", "-o", "run"], cwd=tmp_path, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        while first.poll() is None and not ((tmp_path / "run" / "ledger.tz").exists() and (tmp_path / "run" / "ledger.tz").stat().st_size):
            time.sleep(0.02)
        second = run(tmp_path, "discover", "c.toml", "-o", "run", "--resume")
    finally:
        first.kill()
        first.wait()

    assert second.returncode == 1 and "in use by another process" in second.stderr


def test_a_command_that_cannot_go_on_later_ends_at_the_first_signal(tmp_path):
    os.mkfifo(tmp_path / "never.xyz")  # nobody writes: reading it waits
    command = subprocess.Popen([TAMIZ, "convert", "never.xyz", "out.xyz"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    assert command.poll() is None
    command.send_signal(signal.SIGTERM)

    try:
        assert command.wait(timeout=20) == -signal.SIGTERM
    finally:
        command.kill()


def test_a_damaged_archive_is_named(folder):
    run(folder, "convert", "good.xyz", "good.h5")
    whole = (folder / "good.h5").read_bytes()
    (folder / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.h5").write_bytes(b"")

    for name in ("cut.h5", "empty.h5"):
        result = run(folder, "info", name)
        assert result.returncode == 1 and name in result.stderr and "HDF5-DIAG" not in result.stderr, result.stderr


def test_half_a_model_in_a_campaign_is_named(tmp_path):
    if not MODEL.exists():
        pytest.skip(f"{MODEL} is not shipped")
    data = tmp_path / "data"
    shutil.copytree(ROOT / "datasets", data, ignore=shutil.ignore_patterns("runs"))
    model = data / "models" / "ca-ge-mg-n-p-si-sn-zn.safetensors"
    model.write_bytes(model.read_bytes()[:5000])

    result = run(tmp_path, "discover", CAMPAIGN, "-o", "run", environment={"TAMIZ_DATA": str(data)})

    assert result.returncode == 1 and model.name in result.stderr


def test_a_large_crystal_is_told_of_without_its_symmetry(tmp_path):
    n = 18
    places = "".join(f"Si {x} {y} {z}\n" for x in range(n) for y in range(n) for z in range(n))
    (tmp_path / "large.xyz").write_text(f'{n**3}\nLattice="{n} 0 0 0 {n} 0 0 0 {n}" Properties=species:S:1:pos:R:3\n{places}')

    info = json.loads(run(tmp_path, "info", "large.xyz", "--json", "-").stdout)

    assert info["atoms"] == n**3 and info["space_group"] == "not looked for in more than 5000 atoms"
