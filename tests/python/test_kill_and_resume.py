"""A campaign that is killed at random moments ends with the same model and the same ranking, byte for byte."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from small_campaign import TRAIN

ROOT = Path(__file__).resolve().parents[2]
TAMIZ = Path(os.environ.get("TAMIZ_BUILD_DIR", ROOT / "build")).resolve() / "bin" / "tamiz"
LEVEL = {
    "name": "morse",
    "kwargs": {"epsilon": 1.2, "r0": 2.2, "rho0": 4.0},
    "relax": {"fmax": 0.1, "smax_gpa": 2.0, "max_steps": 500},
}
CAMPAIGN = """
[campaign]
name = "killed"
systems = ["Mg-Si-N", "Mg-N", "Si-N"]
seed = 3
model = "models/small.safetensors"
competing = "competing/morse.tz"
training = "labels/few"

[propose]
max_atoms = 6
oxidation = { Si = [-4, 2, 3, 4] }
random_per_formula = 2
max_candidates = 30

[relax]
max_steps = 40

[decide]
rounds = 2
labels_per_round = 5
explore = 2
window = 0.5

[label]
oracle = "ORACLE"
level = "morse"
timeout = 60.0
gaps = 0

[learn]
steps = 24
held_out = 0.4
min_held_out = 1
"""
N_KILLS = 20


class World:
    """A data folder with a level of its own, and campaigns in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.data = folder / "data"
        (self.data / "levels").mkdir(parents=True)
        (self.data / "competing").mkdir()
        (self.data / "labels" / "few").mkdir(parents=True)
        (self.data / "models").mkdir()
        for name in ("known", "prototypes", "tables"):
            (self.data / name).symlink_to(ROOT / "datasets" / name)
        (self.data / "levels" / "morse.json").write_text(json.dumps(LEVEL))
        self.environment = os.environ | {"TAMIZ_DATA": str(self.data), "PYTHONPATH": str(Path(__file__).parent)}

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            [TAMIZ, *arguments],
            env=self.environment, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def call(self, *arguments: str) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
        return output

    def campaign(self, name: str, oracle: str) -> tuple[str, Path]:
        path = self.folder / f"{name}.toml"
        path.write_text(CAMPAIGN.replace("ORACLE", oracle))
        return str(path), self.folder / name

    def kill_after(self, seconds: float, *arguments: str) -> bool:
        """True when the process was killed, false when it had ended."""
        process = self.start(*arguments)
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return True
        assert process.returncode == 0, output
        return False


ORACLE = "ase:morse_calculator:make"


SHIPPED = ROOT / "datasets"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Competing phases, labels and a small model at the level of the calculator, and a finished campaign."""
    from ase.io import read, write

    world = World(tmp_path_factory.mktemp("campaigns"))
    calculator = ("--oracle", "ase:ase.calculators.morse:MorsePotential", "--level", "morse")
    ledger = str(world.data / "competing" / "morse.tz")
    world.call("label", str(SHIPPED / "competing" / "start.xyz"), "--task", "relax", "--ledger", ledger, *calculator, "-o", "competing.xyz")
    shipped = [atoms for name in ("start", "metals") for atoms in read(SHIPPED / f"labels/ca-mg-si-n/{name}.xyz", ":")]
    shipped = [atoms for atoms in shipped if atoms.info["id"].startswith("start/") and set(atoms.symbols) <= {"Mg", "Si", "N"}]
    start = sorted(shipped, key=lambda atoms: atoms.info["id"])
    for name, part in (("train", start[:60]), ("test", start[60:72])):
        write(world.folder / "few.xyz", part)
        world.call("label", "few.xyz", *calculator, "--ledger", f"{name}.tz", "-o", str(world.data / "labels" / "few" / f"{name}.xyz"))
    (world.folder / "train.toml").write_text(TRAIN)
    few = world.data / "labels" / "few"
    world.call("train", str(few / "train.xyz"), "--validation", str(few / "test.xyz"), "--config", "train.toml",
               "-o", str(world.data / "models" / "small.safetensors"))
    toml, run = world.campaign("first", ORACLE)
    world.call("discover", toml, "-o", str(run))
    return world


@pytest.fixture(scope="module")
def reference(world):
    """An uninterrupted campaign on the stored labels, and how long it took [s]."""
    toml, run = world.campaign("reference", f"replay:{world.folder / 'first'}")
    begin = time.monotonic()
    world.call("discover", toml, "-o", str(run))
    return run, time.monotonic() - begin


def results(run: Path) -> dict[str, bytes]:
    """Ranking and models."""
    files = [run / "ranking.csv", run / "ranking.json", *sorted((run / "models").glob("*"))]
    assert files[0].stat().st_size > 0
    return {path.name: path.read_bytes() for path in files}


def labels(run: Path, world: World) -> list[dict]:
    records = json.loads(world.call("info", str(run), "--json", "-", "--quiet"))
    return records["labels"]


def test_stored_labels_give_the_same_bits_as_the_calculator(world, reference):
    assert results(reference[0]) == results(world.folder / "first")


def test_the_campaign_met_failures_and_went_on(world, reference):
    states = [label["status"] for label in labels(reference[0], world)]

    assert states.count("failed") >= 1
    assert states.count("finished") >= 3


def test_a_run_is_told_in_short(world, reference):
    kept = labels(reference[0], world)
    said = world.call("info", str(reference[0]))

    for task in {label["task"] for label in kept}:
        for status in {label["status"] for label in kept if label["task"] == task}:
            number = sum(label["task"] == task and label["status"] == status for label in kept)
            assert f"{status}: {number}" in said.split(f"  {task}:")[1]
    assert all((label["reason"] in said) == (label["status"] == "failed") for label in kept if label.get("reason"))
    assert not any(label["id"] in said for label in kept if label["status"] == "finished")


def test_the_campaign_adopted_a_new_model(reference):
    assert [name for name in results(reference[0]) if name.endswith(".safetensors")]


def test_twenty_kills_change_no_byte_and_no_label_twice(world, reference):
    run_of_reference, duration = reference
    chance = random.Random(20)
    kills = campaigns = 0
    while kills < N_KILLS:
        # A campaign that reached its end between two kills is compared, and the next one begins.
        campaigns += 1
        toml, run = world.campaign(f"killed-{campaigns}", f"replay:{world.folder / 'first'}")
        ended = False
        while not ended and kills < N_KILLS:
            ended = not world.kill_after(chance.uniform(0.0, 0.7) * duration, "discover", toml, "-o", str(run), "--resume")
            kills += not ended
        world.call("discover", toml, "-o", str(run), "--resume")

        assert results(run) == results(run_of_reference)
        ids = [label["id"] for label in labels(run, world)]
        assert sorted(ids) == sorted(set(ids))
        assert sorted(ids) == sorted(label["id"] for label in labels(run_of_reference, world))


def test_kills_while_a_calculator_works_lose_nothing(world, reference):
    run_of_reference, duration = reference
    toml, run = world.campaign("killed-at-work", ORACLE)
    chance = random.Random(4)
    for _ in range(4):
        world.kill_after(chance.uniform(0.4, 1.0) * duration, "discover", toml, "-o", str(run), "--resume")
    world.call("discover", toml, "-o", str(run), "--resume")

    assert results(run) == results(run_of_reference)
    ids = [label["id"] for label in labels(run, world)]
    assert sorted(ids) == sorted(set(ids))


@pytest.fixture
def small_disk(tmp_path):
    """Sets the size [KiB] of a file system in memory, which this returns the folder of."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def resize(size: int, again: bool = True):
        options = f"{'remount,' if again else ''}size={size}k"
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", disk], capture_output=True, text=True)

    if (done := resize(8, again=False)).returncode != 0:
        pytest.skip(f"a file system in memory cannot be mounted here: {done.stderr.strip()}")
    yield disk, resize
    subprocess.run(["umount", disk], check=True)


def test_a_disk_that_fills_up_again_and_again_loses_nothing(world, reference, small_disk):
    disk, resize = small_disk
    toml, _ = world.campaign("full-disk", f"replay:{world.folder / 'first'}")
    n_full = 0
    for size in (8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 4096):
        assert resize(size).returncode == 0
        process = world.start("discover", toml, "-o", str(disk / "run"), "--resume")
        output, _ = process.communicate(timeout=300)
        if process.returncode == 0:
            break
        assert process.returncode == 1
        assert "No space left on device" in output
        n_full += 1

    assert process.returncode == 0, output
    assert n_full >= 4
    assert results(disk / "run") == results(reference[0])
