"""The command line of compare.py."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from . import training, works
from .codes import PEERS

ROOT = Path(__file__).resolve().parents[3]


def names(allowed: tuple[str, ...]):
    """Type of an option that takes some of `allowed`, separated by commas."""

    def some(text: str) -> list[str]:
        chosen = [name for name in text.split(",") if name]
        if unknown := [name for name in chosen if name not in allowed]:
            raise argparse.ArgumentTypeError(f"no '{unknown[0]}', expected some of {','.join(allowed)}")
        return chosen

    return some


def pair(text: str) -> tuple[str, str]:
    name, separator, script = text.partition("=")
    if not (name and separator and script):
        raise argparse.ArgumentTypeError(f"expected NAME=SCRIPT, got '{text}'")
    return name, script


def parse(given: list[str] | None, text: str) -> argparse.Namespace:
    """The options of compare.py; `text` is its help."""
    build = ROOT / "build"
    summary, _, rest = text.partition("\n")
    p = argparse.ArgumentParser(description=summary, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", "--output", type=Path, metavar="FILE", help="write everything that was read as JSON")
    p.add_argument("--peers", type=names(tuple(PEERS)), default=list(PEERS), metavar="NAME,...",
                   help=f"some of {','.join(PEERS)} (default: all); '' for none")
    p.add_argument("--work", type=names(works.NAMES), default=list(works.NAMES), metavar="NAME,...",
                   help=f"some of {','.join(works.NAMES)} (default: all)")
    p.add_argument("--engine", type=names(("fused", "torch")), default=["fused"], metavar="NAME,...",
                   help="Tamiz's engines: fused (default), torch or both")
    p.add_argument("--also", type=pair, action="append", default=[], metavar="NAME=SCRIPT",
                   help="a worker of your own, which reads Tamiz's model (comparison/serving.py says how)")
    p.add_argument("--hidden-l", type=names(("0", "1")), default=["0", "1"], metavar="L,...", help="models: 0, 1 or both")
    p.add_argument("--threads", type=int, default=1, help="of every code (%(default)s)")
    p.add_argument("--repeats", type=int, default=5, help="rounds over all codes (%(default)s)")
    p.add_argument("--seconds", type=float, default=1.0, help="that one reading goes on at least (%(default)s)")
    p.add_argument("--steps", type=int, default=20, help="of a relaxation (%(default)s)")
    p.add_argument("--quick", action="store_true", help="small models and structures, one repeat: to see that it runs")
    p.add_argument("--envs", type=Path, default=Path(os.environ.get("TAMIZ_PEERS", build / "peers")), metavar="DIR",
                   help="environments of the peers (TAMIZ_PEERS, or build/peers)")
    p.add_argument("--existing", action="store_true", help="take the environments that are there and make none")
    p.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", metavar="DIR",
                   help=f"folder with {training.DATA}")
    p.add_argument("--build", type=Path, default=build, metavar="DIR", help="where Tamiz was built")
    p.add_argument("--work-dir", type=Path, default=build / "compare", metavar="DIR", help="models, compiled kernels and logs")
    p.add_argument("--list", action="store_true", help="say what there is and end")
    return checked(p, p.parse_args(given))


def checked(parser: argparse.ArgumentParser, options: argparse.Namespace) -> argparse.Namespace:
    if options.threads < 1 or options.repeats < 1 or options.steps < 1:
        parser.error("--threads, --repeats and --steps must be at least 1")
    if not (options.work and options.engine and options.hidden_l):
        parser.error("--work, --engine and --hidden-l must name something")
    if options.quick:
        options.repeats, options.seconds, options.steps = 1, 0.0, 3
    options.program = options.build / "bin" / "tamiz"
    return options
