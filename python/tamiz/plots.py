"""Plots of a campaign, of phonons and of a potential's error bars with matplotlib. Each takes the axes to draw on, or makes some, and returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from .campaign import Campaign

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .training import Calibration
    from .vibrations import Phonons

# Colours that stay apart for people who do not see red and green as different (Okabe and Ito).
COLORS = {"DFT-confirmed": "#0072B2", "known phase": "#7A55A3", "DFT-checked": "#E69F00", "predicted": "#999999"}
K_MEV = 1000.0


def _axes(axes: Axes | None) -> Axes:
    return plt.subplots(figsize=(6, 4.5), layout="constrained")[1] if axes is None else axes


def parity(campaign: Campaign, axes: Axes | None = None) -> Axes:
    """Energy above the hull by the model before it saw the label, against DFT, with error bars of one σ."""
    axes = _axes(axes)
    points = campaign.parity()
    dft, model = K_MEV * points["dft"].astype(float), K_MEV * points["model"].astype(float)
    axes.errorbar(dft, model, yerr=K_MEV * points["sigma"].astype(float), fmt="none", ecolor="#bbbbbb", zorder=1)
    for number, group in points.groupby("round"):
        axes.scatter(dft[group.index], model[group.index], label=f"round {number}", zorder=2)
    if len(points):
        low, high = min(dft.min(), model.min()), max(dft.max(), model.max())
        axes.plot([low, high], [low, high], color="black", linewidth=0.8, zorder=0)
        axes.set_title(f"mean absolute error {np.mean(np.abs(dft - model)):.0f} meV/atom over {len(points)} labels")
        axes.legend(frameon=False)
    axes.set_xlabel("E above hull, DFT [meV/atom]")
    axes.set_ylabel("E above hull, predicted [meV/atom]")
    return axes


def hull_distance(campaign: Campaign, axes: Axes | None = None, count: int = 25) -> Axes:
    """Energy above the hull of the best `count` ranked candidates; bars of predicted ones carry one σ."""
    axes = _axes(axes)
    table = campaign.table(ranked_only=True).head(count)
    positions = np.arange(len(table))
    for status, color in COLORS.items():
        chosen = (table["status"] == status).to_numpy()
        rows = table[chosen]
        if rows.empty:
            continue
        distances = K_MEV * rows["e_hull"].astype(float)
        errors = K_MEV * rows["e_hull_std"].astype(float) if status == "predicted" else None
        axes.barh(positions[chosen], distances, xerr=errors, color=color, label=status,
                  error_kw={"ecolor": "#555555", "elinewidth": 0.8})
        axes.scatter(distances, positions[chosen], color=color, s=16)  # a bar of no length shows nothing
    axes.set_yticks(positions, [f"{row.formula}  {row.space_group}" for row in table.itertuples()], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("E above hull [meV/atom]")
    if len(table):
        axes.legend(frameon=False)
    return axes


def calibration(found: Calibration, axes: Axes | None = None) -> Axes:
    """Share of errors that lie within error bars against the share that should; below the diagonal they are too small."""
    axes = _axes(axes)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    axes.fill_between(found.expected, found.expected, found.observed, color=COLORS["DFT-confirmed"], alpha=0.2)
    axes.plot(found.expected, found.observed, marker="o", color=COLORS["DFT-confirmed"])
    axes.set_title(f"miscalibration area {found.miscalibration_area:.3f} over {found.n_frames} frames")
    axes.set_xlabel("expected share of errors")
    axes.set_ylabel("observed share of errors")
    axes.set_aspect("equal")
    return axes


def budget(campaign: Campaign, axes: Axes | None = None) -> Axes:
    """What each label cost, in the order of the rounds; failed ones are hatched."""
    axes = _axes(axes)
    labels = campaign.labels()
    positions = np.arange(len(labels))
    failed = (labels["status"] != "finished").to_numpy()
    rounds = labels["round"].astype(int)
    bars = axes.bar(positions, labels["cost"].astype(float), color=[f"C{number}" for number in rounds])
    for bar in np.array(bars, dtype=object)[failed]:
        bar.set_hatch("///")
    axes.set_xticks(positions, [f"{row.formula} {row.task}" for row in labels.itertuples()], rotation=90, fontsize=7)
    axes.set_ylabel("core-seconds")
    axes.set_title(f"{len(labels)} labels, {failed.sum()} failed, {labels['cost'].sum():.0f} core-seconds")
    return axes


def phonon_bands(phonons: Phonons, axes: Axes | None = None, path: str | None = None) -> Axes:
    """Frequencies along a path of special points; imaginary ones are negative, and red."""
    axes = _axes(axes)
    bands = phonons.bands(path, points=200)
    # Where the path jumps, two points lie at one place, and no line joins them.
    jumps = np.flatnonzero(np.diff(bands.distances) < 1e-9) + 1
    distances = np.insert(bands.distances, jumps, np.nan)
    frequencies = np.insert(bands.frequencies, jumps, np.nan, axis=0)
    axes.plot(distances, frequencies, color=COLORS["DFT-confirmed"], linewidth=1.0)
    axes.plot(distances, np.where(frequencies < 0.0, frequencies, np.nan), color="#D55E00", linewidth=1.2)
    axes.axhline(0.0, color="black", linewidth=0.6)
    names: dict[float, str] = {}
    for place, name in bands.labels:
        names[place] = "|".join(filter(None, (names.get(place), name.replace("G", "Γ"))))
    for place in names:
        axes.axvline(place, color="#bbbbbb", linewidth=0.6, zorder=0)
    axes.set_xticks(list(names), list(names.values()))
    axes.set_xlim(bands.distances[0], bands.distances[-1])
    axes.set_ylabel("frequency [THz]")
    axes.set_title(f"{phonons.structure.reduced_formula}, supercell {' × '.join(str(n) for n in phonons.copies)}")
    return axes
