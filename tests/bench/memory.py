"""Memory of evaluations of a large structure and of many small ones, with and without a bound.

    .venv/bin/python tests/bench/memory.py --memory 2GiB --limit 3GiB

The model has the shape of published ones (128 channels, l_max 3, correlation 3, two layers, 6 Å) and weights that hardly left their random
start; what it takes does not depend on them. Every evaluation (energies, forces and stresses) is a process of its own, whose address
space cannot grow beyond `--limit` where a bound on memory is given; what it took is its largest resident set less that before.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

import tamiz

CONFIG = """
[model]
channels = 128
hidden_l = {hidden_l}
cutoff = 6.0
n_members = 1
[train]
steps = 1
validation_fraction = 0.0
"""
UNITS = {"MiB": 2**20, "GiB": 2**30}


def make_model(folder: Path, hidden_l: int) -> Path:
    atoms = bulk("Si", cubic=True)
    atoms.calc = SinglePointCalculator(atoms, energy=-43.0, forces=0.0 * atoms.positions)
    (folder / "train.toml").write_text(CONFIG.format(hidden_l=hidden_l))
    return tamiz.train([atoms], folder / f"L{hidden_l}.safetensors", config=folder / "train.toml").path


def structures(work: str) -> list:
    if work == "large":
        large = bulk("Si", cubic=True) * (24, 24, 24)
        large.rattle(0.05, seed=1)
        return [large]
    return [bulk("Si", cubic=True) for _ in range(10_000)]


def peak() -> int:
    """Of this process [bytes]; ru_maxrss begins with what the parent took."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def evaluate(work: str, model: str, memory: str | None) -> dict:
    potential, atoms = tamiz.load(model, threads=1, memory=memory), structures(work)
    before, begun = peak(), time.process_time()
    potential.evaluate(atoms, forces=True, stress=True)
    n_atoms = sum(len(one) for one in atoms)
    return {"atoms": n_atoms, "peak": peak(), "bytes_per_atom": (peak() - before) / n_atoms,
            "us_per_atom": 1e6 * (time.process_time() - begun) / n_atoms}


def amount(text: str) -> int:
    return int(float(text[:-3]) * UNITS[text[-3:]])


def measure(work: str, model: Path, memory: str | None, limit: str) -> dict:
    def bound():
        resource.setrlimit(resource.RLIMIT_AS, (amount(limit), amount(limit)))

    command = [sys.executable, __file__, "--evaluate", json.dumps([work, str(model), memory])]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=bound if memory else None)
    if done.returncode != 0:
        sys.exit(f"{work}, {model.stem}, {memory or 'no bound'}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", default="2GiB")
    parser.add_argument("--limit", default="3GiB", help="of the address space (MiB or GiB)")
    parser.add_argument("--evaluate", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.evaluate:
        print(json.dumps(evaluate(*json.loads(arguments.evaluate))))
        return
    print("| model | structures | bound | largest resident set | bytes per atom | µs per atom |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for hidden_l in (0, 1):
            model = make_model(Path(folder), hidden_l)
            for work in ("large", "small"):
                for memory in (None, arguments.memory):
                    found = measure(work, model, memory, arguments.limit)
                    which = f"one of {found['atoms']} atoms" if work == "large" else "10000 of 8 atoms"
                    print(f"| L = {hidden_l} | {which} | {memory or 'none'} | {found['peak'] / 2**30:.2f} GiB | "
                          f"{found['bytes_per_atom']:.0f} | {found['us_per_atom']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
