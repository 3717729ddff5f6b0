"""What was measured, as rows of a table in Markdown."""

from __future__ import annotations

import statistics

from . import training

HEADER = ("work", "code", "unit", "least", "median", "spread", "least wall", "times Tamiz")


def row(work: str, code: str, unit: str, scale: float, readings: dict, basis: str) -> dict:
    """Times in `unit`; `basis` is "cpu" or "wall". Spread: from the least to the largest, as a share of the median."""
    times = [value * scale for turn in readings[basis] for value in turn]
    walls = [value * scale for turn in readings["wall"] for value in turn]
    median = statistics.median(times)
    return {"work": work, "code": code, "unit": unit, "least": min(times), "median": median,
            "spread": (max(times) - min(times)) / median, "least_wall": min(walls), "n": len(times)}


def with_ratios(rows: list[dict], own: str) -> list[dict]:
    """Adds by what factor each exceeds the row of the code `own` of the same work.

    By the medians: a fast code has more readings within one repeat, and so a luckier least one.
    """
    medians = {each["work"]: each["median"] for each in rows if each["code"] == own}
    return [each | {"ratio": each["median"] / medians[each["work"]] if each["work"] in medians else None} for each in rows]


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def markdown(rows: list[dict]) -> str:
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    for each in rows:
        ratio = f"{number(each['ratio'])}" if each["ratio"] is not None else ""
        cells = [each["work"], each["code"], each["unit"], number(each["least"]), number(each["median"]),
                 f"{100 * each['spread']:.0f} %", number(each["least_wall"]), ratio]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rows(result: dict, titles: dict[str, str]) -> list[dict]:
    found = []
    for model in result["models"]:
        for item in model["works"].values():
            unit = "µs per atom and step" if item["steps"] else "µs per atom"
            label = f"{item['title']}, L = {model['hidden_l']}"
            found += [row(label, titles[name], unit, 1e6 / item["units"], readings, result["basis"])
                      for name, readings in item["readings"].items()]
    for name, readings in result.get("training", {}).get("readings", {}).items():
        atoms = result["training"]["n_atoms"]
        found.append(row(f"training, {atoms} atoms", training.TITLES[name], "s per epoch", 1.0, readings, result["basis"]))
    return with_ratios(found, training.TITLES["tamiz"])


def remarks(result: dict, titles: dict[str, str]) -> list[str]:
    lines = [f"- {name} takes no part: {why}" for name, why in result["absent"].items()]
    for model in result["models"]:
        lines += [f"- {titles[name]}, L = {model['hidden_l']}, is refused: {why}" for name, why in model["refused"].items()]
        for item in model["works"].values():
            if ends := [f"{titles.get(name, name)} {count:.0f}" for name, count in item["neighbors"].items()]:
                lines.append(f"- {item['title']}, L = {model['hidden_l']}: neighbours of an atom: {', '.join(ends)}")
    trained = result.get("training", {})
    lines += [f"- training with {training.TITLES[name]} failed: {why}" for name, why in trained.get("refused", {}).items()]
    return lines + ([f"- training was skipped: {trained['skipped']}"] if "skipped" in trained else [])
