"""Plot greedy searches for sets of tiles, and their expectations: the paper's Figures 5 and 6."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .style import (
    COLORS,
    GUIDE,
    INK,
    MARKERS,
    against,
    draw_mean,
    groups_of,
    guide,
    legend,
    means,
    need,
    unchanged,
)

_TRACES = {
    "observed": ("observed", "-", "o"),
    "holdout": ("observed, held-out shuffles", "-.", "d"),
    "additive": ("additive expectation", "--", "s"),
    "multiplicative": ("multiplicative expectation", ":", "^"),
}
_COLORS = {"observed": INK, "holdout": "#56B4E9", "additive": "#E69F00", "multiplicative": "#009E73"}


def plot_greedy_trace(table: pd.DataFrame, ax: Any, *, label: str | None = None, color: str = COLORS[0]) -> Any:
    """Draw the objective over that of the wild type while a greedy search shuffles tile after tile.

    Parameters
    ----------
    table: pandas.DataFrame
        `GreedyResult.to_frame()` for one example: `round`, `y_start`, `y_selected`.

    ax: matplotlib.axes.Axes

    label: str or None, optional
        The label for the legend. Default is None.

    color: str, optional
        The colour of the line. Default is the first of `COLORS`.

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
    need(table, ["round", "y_start", "y_selected"])
    rounds = table.groupby("round")[["y_start", "y_selected"]].first().sort_index()
    wild_type = rounds["y_start"].iloc[0]
    values = [1.0, *(rounds["y_selected"] / wild_type)]
    ax.plot(range(len(values)), values, marker="o", color=color, label=label)
    guide(ax, y=1)
    ax.set_xlabel("tiles shuffled")
    ax.set_ylabel("fold change over wild type")
    return ax


def plot_greedy_traces(
    table: pd.DataFrame,
    ax: Any,
    *,
    traces: Sequence[str] = ("observed", "additive", "multiplicative"),
    by: str | None = None,
    scale: str = "ratio",
) -> Any:
    """Draw greedy searches beside additive and multiplicative expectations, mean and standard error: Figures 5 and 6.

    Give the rows of one direction. For one panel per class of interaction, give the rows of one class.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per locus and round: `n_tiles` and the traces, over the wild type, as in `greedy_traces` and the table
        `higher_order` of a study. All traces begin at 1, or at 0 on other scales, before any tile is shuffled.

    ax: matplotlib.axes.Axes

    traces: sequence of str, optional
        Columns to draw, from `observed`, `holdout`, `additive` and `multiplicative`. Default is all except `holdout`.

    by: str or None, optional
        A column of groups, such as `context`. Only the first trace is then drawn, once per group in its colour. Default
        is None.

    scale: "ratio", "difference" or "log_fold", optional
        Of the traces. Default is "ratio".

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column or a trace is missing.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"n_tiles": [1, 2], "observed": [0.5, 0.25], "additive": [0.5, 0.0]})
    >>> ax = plot_greedy_traces(table, Figure().subplots(), traces=["observed", "additive"])
    >>> {line.get_label(): line.get_ydata().tolist() for line in ax.lines[:2]}
    {'observed': [1.0, 0.5, 0.25], 'additive expectation': [1.0, 0.5, 0.0]}
    """
    for name in traces:
        if name not in _TRACES:
            raise ValueError(f"traces must be of {', '.join(_TRACES)}; got {name!r}.")
    need(table, ["n_tiles", *traces])
    effect = "fold" if scale == "ratio" else scale
    start = unchanged(effect)
    for group, color, part in groups_of(table, by):
        loci = f"{group} ({part['example'].nunique()})" if "example" in part.columns else group
        for trace in traces if by is None else traces[:1]:
            label, style, marker = _TRACES[trace]
            curve = means(part, "n_tiles", trace)
            curve = pd.concat([pd.DataFrame([[start, start, start, 1]], index=[0], columns=curve.columns), curve])
            if not curve["low"][1:].notna().any():
                curve[["low", "high"]] = np.nan
            look: dict[str, Any] = {"color": _COLORS[trace], "linestyle": style} if by is None else {"color": color}
            look |= {"band": 0.22 if trace == traces[0] else 0.1, "label": label if by is None else loci}
            draw_mean(ax, curve, marker=marker, markersize=4, **look)
    guide(ax, y=start)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("tiles shuffled")
    ax.set_ylabel(against(effect, "wild type"))
    legend(ax)
    return ax


def plot_expectation(
    table: pd.DataFrame,
    ax: Any,
    *,
    model: str = "additive",
    n_tiles: int = 2,
    by: str | None = "interaction",
    scale: str = "ratio",
) -> Any:
    """Draw expected against observed predictions of sets of one size, one point per locus: Figure 6f to h.

    Parameters
    ----------
    table: pandas.DataFrame
        As in `plot_greedy_traces`, with the column of classes.

    ax: matplotlib.axes.Axes

    model: str, optional
        "additive" or "multiplicative". Default is "additive".

    n_tiles: int, optional
        The number of tiles in the sets. Default is 2.

    by: str or None, optional
        The column of classes. Default is "interaction".

    scale: "ratio", "difference" or "log_fold", optional
        Of the traces. Default is "ratio".

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
    >>> table = pd.DataFrame({"n_tiles": [1, 2], "observed": [0.5, 0.25], "additive": [0.5, 0.0]})
    >>> plot_expectation(table, Figure().subplots(), by=None).lines[-1].get_xydata().tolist()
    [[0.25, 0.0]]
    """
    need(table, ["n_tiles", "observed", model, *([by] if by else [])])
    known = table[(table["n_tiles"] == n_tiles) & table["observed"].notna() & table[model].notna()]
    ax.axline((0, 0), slope=1, color=GUIDE, linewidth=0.9, linestyle="--", zorder=0)
    for k, (name, color, part) in enumerate(groups_of(known, by)):
        ax.plot(
            part["observed"], part[model], linestyle="none", marker="o^vsD"[k % 5], color=color, markeredgecolor=INK,
            markeredgewidth=0.4, markersize=5, label=f"{name} ({len(part)})" if name else None,
        )  # fmt: skip
    unit = {"difference": "difference from WT", "log_fold": "log2 fold over WT"}.get(scale, "fold over WT")
    ax.set_xlabel(f"observed, {n_tiles} tiles shuffled ({unit})")
    ax.set_ylabel(f"{model} expectation ({unit})")
    legend(ax)
    return ax


def plot_set_sufficiency(
    table: pd.DataFrame, ax: Any, *, value: str = "fold_over_wt", by: str | None = "context"
) -> Any:
    """Draw how tiles of greedy searches act together in backgrounds, as mean and standard error: Figure 5f and g.

    A single locus has the interval of its shuffles instead, if the table has one.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per locus and number of tiles, for one direction: `n_tiles`, the value and the category.

    ax: matplotlib.axes.Axes

    value: str, optional
        "fold_over_wt", or "fold_over_control" for silencers; or "difference" or "log_fold", which are against the
        control. Default is "fold_over_wt".

    by: str or None, optional
        The column of categories. Default is "context".

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
    >>> table = pd.DataFrame({"n_tiles": [1, 1, 2], "context": "enhancing", "fold_over_wt": [0.25, 0.75, 1.0]})
    >>> plot_set_sufficiency(table, Figure().subplots()).lines[0].get_xydata().tolist()
    [[1.0, 0.5], [2.0, 1.0]]
    """
    need(table, ["n_tiles", value, *([by] if by else [])])
    for name, color, part in groups_of(table[table[value].notna()], by):
        label = f"{name} ({part['example'].nunique()})" if "example" in part.columns else name
        draw_mean(ax, means(part, "n_tiles", value), color=color, marker=MARKERS.get(name, "o"), label=label)
    guide(ax, y=unchanged(value))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("tiles in the set")
    ax.set_ylabel(against(value, "wild type" if value == "fold_over_wt" else "control"))
    legend(ax)
    return ax
