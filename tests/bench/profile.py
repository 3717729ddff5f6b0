"""Where the time of a benchmark goes, by part of an evaluation. Needs `perf`.

    .venv/bin/python tests/bench/profile.py --program build/bin/tamiz_bench --filter '^relaxation/L:0/threads:1'

`--program` may be given more than once, as for builds of two commits: a column each. Shares of the CPU samples behind the first seconds,
in which models are made.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

PARTS = {
    "neighbour lists": r"PairSearch|introsort|insertion_sort|build_neighbors|Bins",
    "products with weights": r"multiply",
    "sums over neighbours": r"convolve|reverse_scalars",
    "symmetric contraction": r"contract",
    "edges: harmonics, radial functions": r"harmonics|factors|Radial|write_edge|view_edges|find_reverse|add_structure|edge_sums",
    "read-outs": r"ReadOut|read_out",
    "contacts and minimiser": r"closest_contact|NeighborList::vector|RelaxingStructure|Minimizer|covalent_radius",
}
WARM_UP_MS = 4000
SAMPLE = re.compile(r"\s+([\d.]+)%\s+\S+\s+\S+\s+\[[.k]\] (.*)")


def shares(program: Path, benchmark: str, seconds: float) -> dict[str, float]:
    """Percent by part."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "perf.data"
        run = [program, f"--benchmark_filter={benchmark}", f"--benchmark_min_time={seconds:g}"]
        subprocess.run(["perf", "record", "-q", "-D", str(WARM_UP_MS), "-o", data, *run], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        report = subprocess.run(["perf", "report", "-i", data, "--no-children", "--stdio"], check=True, capture_output=True, text=True)
    found = dict.fromkeys([*PARTS, "the rest"], 0.0)
    for percent, symbol in SAMPLE.findall(report.stdout):
        part = next((name for name, pattern in PARTS.items() if re.search(pattern, symbol)), "the rest")
        found[part] += float(percent)
    if not sum(found.values()) > 50.0:
        raise SystemExit(f"{program}: no samples of {benchmark}; is the filter right, and does it run for more than {WARM_UP_MS / 1000:g} s?")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, action="append", required=True)
    parser.add_argument("--filter", default="^relaxation/L:0")
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    columns = [shares(program.absolute(), arguments.filter, arguments.seconds) for program in arguments.program]
    print("| part | " + " | ".join(str(program) for program in arguments.program) + " |")
    print("|---" * (1 + len(columns)) + "|")
    for part in columns[0]:
        print(f"| {part} | " + " | ".join(f"{column[part]:.1f} %" for column in columns) + " |")


if __name__ == "__main__":
    main()
