"""Do the codes calculate the same? Nothing is timed of one that does not."""

from __future__ import annotations

import numpy as np

# What float32 and splined radial functions may cost, with some room: largest forces of the full models are 0.003 to 0.1 eV/Å,
# energies some 0.05 eV/atom, and differences up to 2e-7 eV/atom and 8e-5 of the largest force were seen.
TOLERANCES = {
    "energy": 2e-6,   # eV per atom
    "forces": 2e-4,   # of the largest force
    "stress": 2e-4,   # of the largest component
}


def differences(structures: list[dict], results: list[dict], reference: list[dict]) -> dict[str, float]:
    """The largest over all structures."""
    energy = max(abs(mine["energy"] - true["energy"]) / len(structure["numbers"])
                 for structure, mine, true in zip(structures, results, reference, strict=True))
    shares = {key: largest_difference(key, results, reference) / largest(key, reference) for key in ("forces", "stress")}
    return {"energy": energy, **shares}


def largest_difference(key: str, results: list[dict], reference: list[dict]) -> float:
    pairs = zip(results, reference, strict=True)
    return max(float(np.abs(np.subtract(mine[key], true[key])).max()) for mine, true in pairs)


def largest(key: str, results: list[dict]) -> float:
    return max(float(np.abs(result[key]).max()) for result in results)


def objection(found: dict[str, float]) -> str:
    """Why a code is refused; empty where it agrees. What is not a number does not agree."""
    units = {"energy": "eV/atom", "forces": "of the largest force", "stress": "of the largest component"}
    wrong = [f"{key} differs by {found[key]:.1e} {units[key]}, allowed are {limit:.0e}"
             for key, limit in TOLERANCES.items() if not found[key] <= limit]
    return "; ".join(wrong)
