"""Plot fine mapping, which bases of a CRE carry its effect: the paper's Figure 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .style import DASHES, GUIDE, LINES, guide, legend, need


def plot_retention_curves(
    table: pd.DataFrame, ax: Any, *, methods: Sequence[str] | None = None, threshold: float | None = 0.8
) -> Any:
    """Draw the mean score of each method by bp pruned, with its standard error over CREs: the paper's Figure 3b.

    Parameters
    ----------
    table: pandas.DataFrame
        `curves` of `compare_fine_mapping`: `example`, `method`, `draw`, `bp_kept`, `score`. All CREs have one length.
        Curves are straight between their points. Draws of a CRE are averaged first.

    ax: matplotlib.axes.Axes

    methods: sequence of str or None, optional
        The methods to draw, in this order. None draws all. Default is None.

    threshold: float or None, optional
        The score at which to draw a dotted line. Default is 0.8.

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
    need(table, ["example", "method", "draw", "bp_kept", "score"])
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
        mean, color = np.mean(by_cre, axis=0)[::-1], LINES[k % len(LINES)]
        ax.plot(grid, mean, color=color, linestyle=DASHES[k % len(DASHES)], label=f"{method} ({len(by_cre)})")
        if len(by_cre) > 1:
            error = np.std(by_cre, axis=0, ddof=1)[::-1] / np.sqrt(len(by_cre))
            ax.fill_between(grid, mean - error, mean + error, color=color, alpha=0.2, linewidth=0)
    if threshold is not None:
        guide(ax, y=threshold)
    ax.set_xlabel("bases pruned (bp)")
    ax.set_ylabel("score of the bases left")
    legend(ax, title="method (CREs)")
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
    """Draw the importance of each base of a CRE, above the bases that methods keep and motif hits: Figure 3d and e.

    Heights show importance. Kept bases and hits are strips below, without a scale.

    Parameters
    ----------
    importance: array, shape=(W,)
        One number per base of one CRE, for example ``comparison.importance["saliency"][0]``.

    ax: matplotlib.axes.Axes

    start: int
        The first base of the CRE, in bp of the window.

    kept: pandas.DataFrame or None, optional
        `method`, `start`, `end` in bp of the window, for this CRE: one strip per method. Default is None.

    hits: pandas.DataFrame or None, optional
        `start` and `end` of motif hits, in bp of the window: one more strip. Default is None.

    center: int or None, optional
        The TSS in bp of the window, which becomes 0 on the axis. None counts from the start of the window. Default is
        None.

    label: str, optional
        The name of the importance, for the axis. Default is "saliency".

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, or the importance does not have one number per base.

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
        raise ValueError(f"importance must have one number per base, shape (W,); got shape {heights.shape}.")
    strips: dict[str, pd.DataFrame] = {}
    if kept is not None:
        need(kept, ["method", "start", "end"])
        strips |= {str(method): part for method, part in kept.groupby("method", sort=False)}
    if hits is not None:
        need(hits, ["start", "end"])
        strips["motif hits"] = hits
    zero = 0 if center is None else center
    left = (np.arange(len(heights)) + start - zero) / 1000
    ax.vlines(left + 0.0005, 0, heights, color=GUIDE, linewidth=0.6)
    ax.axhline(0, color=GUIDE, linewidth=0.6)
    low, high = min(0.0, heights.min()), max(0.0, heights.max())
    room = 0.09 * len(strips)
    ticks = ax.get_yticks()
    ax.set_ylim(low - (high - low or 1.0) * room / (1 - room) * 1.1, high + 0.05 * (high - low or 1.0))
    ax.set_yticks([tick for tick in ticks if low <= tick <= high])  # no tick beside the strips
    for k, (name, spans) in enumerate(strips.items()):
        bars = [((a - zero) / 1000, (b - a) / 1000) for a, b in zip(spans["start"], spans["end"])]
        bottom = 0.09 * (len(strips) - 1 - k) + 0.015
        strip = ax.broken_barh(bars, (bottom, 0.06), color=LINES[k % len(LINES)], linewidth=0)
        strip.set_transform(ax.get_xaxis_transform())  # heights as a fraction of the axis
        ax.text(1.01, bottom + 0.03, name, transform=ax.transAxes, va="center", fontsize="small")
    ax.set_xlim(left[0], left[-1] + 0.001)
    ax.set_xlabel("position in the window (kb)" if center is None else "distance to the TSS (kb)")
    ax.set_ylabel(label)
    return ax
