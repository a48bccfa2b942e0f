"""Figures: each function takes a tidy table and an axis, draws, and returns the axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

# Okabe and Ito's colours, which the colour-blind tell apart and which differ in grey.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")

_LINES = tuple(color for color in COLORS if color != "#F0E442")  # a thin line in yellow is hard to see


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


def plot_retention_curves(
    table: pd.DataFrame, ax: Any, *, methods: Sequence[str] | None = None, threshold: float | None = 0.8
) -> Any:
    """Draw the mean score of each method by bp pruned, with its standard error over CREs: the paper's Figure 3b.

    Parameters
    ----------
    table: pandas.DataFrame
        `curves` of `compare_fine_mapping`: `example`, `method`, `draw`, `bp_kept`, `score`. CREs of one length. Between
        its points a curve is a straight line; draws of a CRE are averaged first.

    ax: matplotlib.axes.Axes

    methods: sequence of str or None, optional
        Which, and in what order. None is all. Default is None.

    threshold: float or None, optional
        Where to draw a dotted line. Default is 0.8.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column or a method is missing.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"example": 0, "method": "search", "draw": 0, "bp_kept": [100, 50, 0]})
    >>> ax = plot_retention_curves(table.assign(score=[1.0, 1.0, 0.0]), Figure().subplots())
    >>> ax.lines[0].get_ydata()[[0, 50, 75, 100]]
    array([1. , 1. , 0.5, 0. ])
    """
    _need(table, ["example", "method", "draw", "bp_kept", "score"])
    known = list(table["method"].unique())
    for method in methods or ():
        if method not in known:
            raise ValueError(f"methods must be of {', '.join(map(str, known))}; got {method!r}.")
    width = table["bp_kept"].max()
    grid = np.linspace(0, width, 101)
    for k, method in enumerate(known if methods is None else methods):
        part = table[(table["method"] == method) & table["score"].notna()].sort_values("bp_kept")
        by_cre = [
            np.mean([np.interp(grid, c["bp_kept"], c["score"]) for _, c in cre.groupby("draw")], axis=0)
            for _, cre in part.groupby("example", sort=False)
        ]
        if not by_cre:
            continue
        mean, color = np.mean(by_cre, axis=0)[::-1], _LINES[k % len(_LINES)]
        ax.plot(
            grid, mean, color=color, linestyle=("-", "--", ":")[k // len(_LINES) % 3], label=f"{method} ({len(by_cre)})"
        )
        if len(by_cre) > 1:
            error = np.std(by_cre, axis=0, ddof=1)[::-1] / np.sqrt(len(by_cre))
            ax.fill_between(grid, mean - error, mean + error, color=color, alpha=0.2, linewidth=0)
    if threshold is not None:
        ax.axhline(threshold, color="#444444", linewidth=0.8, linestyle=":")
    ax.set_xlabel("bases pruned (bp)")
    ax.set_ylabel("score of what is left")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(title="method (CREs)", fontsize="small", frameon=False)
    return ax


def plot_fine_mapping(
    importance: Any,
    ax: Any,
    *,
    start: int,
    kept: pd.DataFrame | None = None,
    hits: pd.DataFrame | None = None,
    center: int | None = None,
    label: str = "saliency",
) -> Any:
    """Draw the importance of each base of a CRE, and under it what methods keep and the motif hits: Figure 3d and e.

    Heights are those of the importance; the strips below have none.

    Parameters
    ----------
    importance: array, shape=(W,)
        Of the bases of one CRE, say ``comparison.importance["saliency"][0]``.

    ax: matplotlib.axes.Axes

    start: int
        The first base of the CRE, in bp of the window.

    kept: pandas.DataFrame or None, optional
        `method`, `start`, `end` in bp of the window, of this CRE: a strip a method. Default is None.

    hits: pandas.DataFrame or None, optional
        `start` and `end` of motif hits, in bp of the window: one strip more. Default is None.

    center: int or None, optional
        The TSS, in bp of the window, which is 0 on the axis then. None counts from the start of the window. Default is
        None.

    label: str, optional
        What the importance is. Default is "saliency".

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, or the importance is not one number a base.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> kept = pd.DataFrame({"method": ["search"], "start": [12], "end": [15]})
    >>> ax = plot_fine_mapping([0.0, 0.5, 1.0, 0.5, 0.0], Figure().subplots(), start=11, kept=kept)
    >>> [text.get_text() for text in ax.texts]
    ['search']
    """
    heights = np.asarray(importance, dtype=float)
    if heights.ndim != 1 or not len(heights):
        raise ValueError(f"importance must be one number a base, shape (W,); got shape {heights.shape}.")
    strips: dict[str, pd.DataFrame] = {}
    if kept is not None:
        _need(kept, ["method", "start", "end"])
        strips |= {str(method): part for method, part in kept.groupby("method", sort=False)}
    if hits is not None:
        _need(hits, ["start", "end"])
        strips["motif hits"] = hits
    zero = 0 if center is None else center
    left = (np.arange(len(heights)) + start - zero) / 1000
    ax.vlines(left + 0.0005, 0, heights, color="#444444", linewidth=0.6)
    ax.axhline(0, color="#444444", linewidth=0.6)
    low, high = min(0.0, heights.min()), max(0.0, heights.max())
    room = 0.09 * len(strips)
    ticks = ax.get_yticks()
    ax.set_ylim(low - (high - low or 1.0) * room / (1 - room) * 1.1, high + 0.05 * (high - low or 1.0))
    ax.set_yticks([tick for tick in ticks if low <= tick <= high])  # none beside the strips
    for k, (name, spans) in enumerate(strips.items()):
        bars = [((a - zero) / 1000, (b - a) / 1000) for a, b in zip(spans["start"], spans["end"])]
        bottom = 0.09 * (len(strips) - 1 - k) + 0.015
        strip = ax.broken_barh(bars, (bottom, 0.06), color=COLORS[k % len(COLORS)], linewidth=0)
        strip.set_transform(ax.get_xaxis_transform())  # heights as a fraction of the axis
        ax.text(1.01, bottom + 0.03, name, transform=ax.transAxes, va="center", fontsize="small")
    ax.set_xlim(left[0], left[-1] + 0.001)
    ax.set_xlabel("position in the window (kb)" if center is None else "distance to the TSS (kb)")
    ax.set_ylabel(label)
    return ax


def _need(table: pd.DataFrame, columns: list[str]) -> None:
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"the table must have columns {', '.join(columns)}; got no {', '.join(missing)}.")
