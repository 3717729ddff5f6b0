"""The codes that can take part, and how their workers are started."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
PEERS = {"mace": "mace", "torchsim": "mace", "symmetrix": "symmetrix"}  # the environment of each


@dataclass
class Code:
    """One row of the table. `reads`: which file of a model; `absent`: why it takes no part."""

    name: str
    title: str
    reads: str
    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    absent: str = ""


def tamiz_code(engine: str) -> Code:
    title = {"fused": "Tamiz", "torch": "Tamiz, LibTorch engine"}[engine]
    return Code(f"tamiz-{engine}", title, "tamiz", [sys.executable, str(HERE / "worker_tamiz.py"), engine])


def other_code(name: str, script: str) -> Code:
    """A worker of the user's, which reads Tamiz's model."""
    return Code(name, name, "tamiz", [sys.executable, script], {"PYTHONPATH": str(HERE)})


def peer_code(name: str, python: Path, work: Path, quick: bool) -> Code:
    command = [str(python), str(HERE / f"worker_{name}.py")]
    if name == "symmetrix":
        # Compiling takes a minute and more: not in a smoke run.
        return Code(name, "ASE + symmetrix-xl", name, [*command, "non-compiled" if quick else "direct"],
                    {"SYMMETRIX_JIT_CACHE": str(work / "symmetrix-kernels")})
    title = {"mace": "ASE + mace-torch", "torchsim": "TorchSim + mace-torch"}[name]
    return Code(name, title, "mace", command)


def absent_peer(name: str, why: str) -> Code:
    return Code(name, name, "", [], absent=why)
