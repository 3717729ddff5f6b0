"""What the readings depend on beside the codes."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path


def processor() -> dict:
    """Name and instruction sets by /proc/cpuinfo, where there is one."""
    fields: dict[str, str] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    flags = fields.get("flags", "").split()
    name = fields.get("model name", platform.processor())
    return {"name": name, "family": fields.get("cpu family", ""), "model": fields.get("model", ""),
            "instruction_sets": [flag for flag in ("avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl") if flag in flags]}


def describe(program: Path) -> dict:
    """The processor, its load now, and what `tamiz doctor` says of the build."""
    done = subprocess.run([program, "doctor", "--json", "-"], capture_output=True, text=True)
    doctor = json.loads(done.stdout) if done.stdout.lstrip().startswith("{") else {}
    found = {key: doctor[key]["found"] for key in ("version", "compiler", "instruction sets") if key in doctor}
    return {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "system": platform.platform(),
            "python": platform.python_version(), "load_before": os.getloadavg(), "tamiz": found}
