"""What was measured, as rows of a table in Markdown."""

from __future__ import annotations

import statistics

HEADER = ("work", "code", "unit", "least", "median", "spread", "least wall", "times Tamiz")


def row(work: str, code: str, unit: str, scale: float, readings: dict, basis: str) -> dict:
    """Times in `unit`; `basis` is "cpu" or "wall". Spread: from the least to the largest, as a share of the median."""
    times = [value * scale for turn in readings[basis] for value in turn]
    walls = [value * scale for turn in readings["wall"] for value in turn]
    median = statistics.median(times)
    return {"work": work, "code": code, "unit": unit, "least": min(times), "median": median,
            "spread": (max(times) - min(times)) / median, "least_wall": min(walls), "n": len(times)}


def with_ratios(rows: list[dict], own: str) -> list[dict]:
    """Adds by what factor each exceeds the row of the code `own` of the same work."""
    least = {each["work"]: each["least"] for each in rows if each["code"] == own}
    return [each | {"ratio": each["least"] / least[each["work"]] if each["work"] in least else None} for each in rows]


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
