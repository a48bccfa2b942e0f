"""Figures: each function takes a tidy table and an axis, draws, and returns the axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

# Okabe and Ito's colours, which the colour-blind tell apart and which differ in grey.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")


def plot_tile_effects(table: pd.DataFrame, ax: Any, *, effect: str, center: int = 0) -> Any:
    """Draw the effect of each tile as a bar a track, with its bootstrap interval.

    Parameters
    ----------
    table: pandas.DataFrame
        Of `summarize_effects`: one row a (tile, track), with `start` and `end` in bp, `track`, the effect, and that
        name with `_low` and `_high`.

    ax: matplotlib.axes.Axes

    effect: str
        The column to draw.

    center: int, optional
        The position in bp that is 0 on the axis, as a rule the TSS. Default is 0.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"start": [0, 5], "end": [5, 10], "track": "A", "necessity": [0.5, -0.1]})
    >>> table = table.assign(necessity_low=[0.4, -0.2], necessity_high=[0.7, 0.0])
    >>> ax = plot_tile_effects(table, Figure().subplots(), effect="necessity")
    >>> [float(bar.get_height()) for bar in ax.patches]
    [0.5, -0.1]
    """
    _need(table, ["start", "end", "track", effect, f"{effect}_low", f"{effect}_high"])
    tracks = list(table["track"].unique())
    for k, track in enumerate(tracks):
        part = table[table["track"] == track]
        width = (part["end"] - part["start"]) / len(tracks)
        left = part["start"] - center + k * width
        below, above = part[effect] - part[f"{effect}_low"], part[f"{effect}_high"] - part[effect]
        ax.bar(
            left / 1000,
            part[effect],
            width=width / 1000,
            align="edge",
            # Rounding may put an end on the other side of an effect that does not vary.
            yerr=np.stack([below, above]).clip(min=0),
            color=COLORS[k % len(COLORS)],
            ecolor="#444444",
            label=str(track),
        )
    ax.axhline(0, color="#444444", linewidth=0.8)
    ax.set_xlabel("distance to the TSS (kb)")
    return ax


def plot_greedy_trace(table: pd.DataFrame, ax: Any, *, label: str | None = None, color: str = COLORS[0]) -> Any:
    """Draw the objective over the wild type while a greedy search shuffles tile after tile.

    Parameters
    ----------
    table: pandas.DataFrame
        `GreedyResult.to_frame()` of one example: `round`, `y_start`, `y_selected`.

    ax: matplotlib.axes.Axes

    label: str or None, optional
        For the legend. Default is None.

    color: str, optional
        Default is the first of `COLORS`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"round": [0, 1], "y_start": [4.0, 2.0], "y_selected": [2.0, 1.0]})
    >>> plot_greedy_trace(table, Figure().subplots()).lines[0].get_ydata()
    array([1.  , 0.5 , 0.25])
    """
    _need(table, ["round", "y_start", "y_selected"])
    rounds = table.groupby("round")[["y_start", "y_selected"]].first().sort_index()
    wild_type = rounds["y_start"].iloc[0]
    values = [1.0, *(rounds["y_selected"] / wild_type)]
    ax.plot(range(len(values)), values, marker="o", color=color, label=label)
    ax.axhline(1, color="#444444", linewidth=0.8, linestyle=":")
    ax.set_xlabel("tiles shuffled")
    ax.set_ylabel("fold change over wild type")
    return ax


def _need(table: pd.DataFrame, columns: list[str]) -> None:
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"the table must have columns {', '.join(columns)}; got no {', '.join(missing)}.")
