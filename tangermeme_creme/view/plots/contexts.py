"""Plot context dependence and context swaps: the paper's Figure 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .style import (
    CATEGORY_COLORS,
    GUIDE,
    HATCHES,
    INK,
    LINES,
    against,
    boxes,
    count_axis,
    groups_of,
    guide,
    legend,
    need,
    unchanged,
)

_FORMULAS = {"difference": "WT - MUT", "log_fold": "log2(WT / MUT)"}  # all other effects are ratios


def plot_context_effects(
    table: pd.DataFrame,
    ax: Any,
    *,
    effect: str = "context_effect",
    limits: tuple[float, float] | None = (-1.0, 1.0),
    bins: int = 40,
    thresholds: tuple[float, ...] = (),
) -> Any:
    """Draw a histogram of context effects, stacked by category: Figure 1c.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per locus, with the effect and its category, `context`. Rows without an effect are left out. Rows
        without a category are drawn as "undefined".

    ax: matplotlib.axes.Axes

    effect: str, optional
        The column of (WT - MUT) / WT; or "difference", or "log_fold". Default is "context_effect".

    limits: (float, float) or None, optional
        Ends of the axis. The outermost bins count the values outside too, and the axis says so. None includes all
        values. Default is (-1, 1).

    bins: int, optional
        The number of bins. Default is 40.

    thresholds: tuple of float, optional
        Effects at which to draw dotted lines. Default is ().

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, or limits are not in order.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"context_effect": [0.97, 0.99, -7.0], "context": ["enhancing"] * 2 + ["silencing"]})
    >>> ax = plot_context_effects(table, Figure().subplots(), bins=2)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['enhancing (2)', 'silencing (1)']
    >>> [float(bar.get_height()) for bar in ax.patches]  # the bins of each category from left to right
    [0.0, 2.0, 1.0, 0.0]
    """
    need(table, [effect, "context"])
    known = table[table[effect].notna()]
    known = known.assign(context=known["context"].astype(object).where(known["context"].notna(), "undefined"))
    values = known[effect].to_numpy(dtype=float)
    low, high = limits or ((values.min(), values.max()) if len(values) else (-1.0, 1.0))
    if not low < high:
        if limits is not None:
            raise ValueError(f"limits must be a lower and a higher number; got {limits}.")
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    floor = np.zeros(bins)
    for name, color, part in groups_of(known, "context"):
        count, _ = np.histogram(part[effect].to_numpy(dtype=float).clip(low, high), edges)
        ax.bar(
            edges[:-1], count, np.diff(edges), bottom=floor, align="edge", color=color, edgecolor=INK, linewidth=0.4,
            hatch=HATCHES.get(name), label=f"{name} ({len(part)})",
        )  # fmt: skip
        floor += count
    for threshold in thresholds:
        guide(ax, x=threshold)
    outside = [f"{name} {bound:g}" for name, bound, any_ in (
        ("below", low, (values < low).any()), ("above", high, (values > high).any())
    ) if any_]  # fmt: skip
    note = f"\n(outermost bin: also {' and '.join(outside)})" if outside else ""
    ax.set_xlabel(f"context effect, {_FORMULAS.get(effect, '(WT - MUT) / WT')}{note}")
    ax.set_ylabel("loci")
    ax.set_xlim(low, high)
    count_axis(ax)
    legend(ax, loc="upper center", ncols=2)
    return ax


def plot_profile(
    y_wt: Any,
    y_mut: Any,
    ax: Any,
    *,
    bin_size: int = 128,
    center: float | None = None,
    label: str = "context shuffled",
    kind: str | None = None,
) -> Any:
    """Draw a predicted profile before and after a perturbation: Figure 1d.

    Parameters
    ----------
    y_wt: array, shape=(bins,)
        The profile of the wild type in one track.

    y_mut: array, shape=(n, bins)
        The profiles of n shuffles. Their mean is drawn, and one standard deviation either way.

    ax: matplotlib.axes.Axes

    bin_size: int, optional
        The size of a bin in bp. Default is 128.

    center: float or None, optional
        The place of the TSS, in bins from the start. None puts it in the middle. Default is None.

    label: str, optional
        What was perturbed. Default is "context shuffled".

    kind: str or None, optional
        The category of the context, which sets the colour. None takes a colour that no category has. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = plot_profile([1.0, 4.0], [[0.0, 1.0], [2.0, 3.0]], Figure().subplots(), bin_size=1000)
    >>> ax.lines[0].get_xdata(), ax.lines[1].get_ydata()
    (array([-0.5,  0.5]), array([1., 2.]))
    """
    wild, mutant = np.asarray(y_wt, dtype=float), np.asarray(y_mut, dtype=float)
    if wild.ndim != 1 or mutant.ndim != 2 or mutant.shape[1] != len(wild) or not mutant.size:
        raise ValueError(f"y_wt must have shape (bins,), y_mut (n, bins); got {wild.shape} and {mutant.shape}.")
    middle = len(wild) / 2 if center is None else center
    x = (np.arange(len(wild)) + 0.5 - middle) * bin_size / 1000
    mean, spread = mutant.mean(axis=0), mutant.std(axis=0, ddof=1) if len(mutant) > 1 else None
    color = CATEGORY_COLORS.get(kind or "", LINES[5])
    ax.fill_between(x, 0, wild, color=GUIDE, alpha=0.3, linewidth=0, step="mid")
    ax.plot(x, wild, color=INK, linewidth=1, drawstyle="steps-mid", label="wild type")
    what = f"{label} (mean of {len(mutant)}, s.d.)" if spread is not None else label
    ax.plot(x, mean, color=color, linewidth=1.4, linestyle="--", drawstyle="steps-mid", label=what)
    if spread is not None:
        ax.fill_between(x, mean - spread, mean + spread, color=color, alpha=0.3, linewidth=0, step="mid")
    ax.set_xlabel("distance to the TSS (kb)")
    ax.set_ylabel("predicted signal per bin")
    legend(ax)
    return ax


def plot_swap(table: pd.DataFrame, ax: Any, *, value: str = "fold_over_source", log: bool = False) -> Any:
    """Draw predictions of TSS tiles in the contexts of other loci, by the categories of both contexts: Figure 1f to h.

    Parameters
    ----------
    table: pandas.DataFrame
        `SwapResult.to_frame()` with categories, or the table `swap` of a study: one row per pair, with the value,
        `source_context` (where the TSS tile comes from) and `target_context` (where it is put). Rows whose `example`
        and `source` are the same, a tile in its original context, are left out.

    ax: matplotlib.axes.Axes

    value: str, optional
        The column to draw: the chimera against the wild type of the source, "fold_over_source", "difference" or
        "log_fold". Default is "fold_over_source".

    log: bool, optional
        Whether the axis is logarithmic. Values at or below 0 are then left out, and the label of the axis counts them.
        Default is False.

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
    >>> table = pd.DataFrame({"source_context": ["enhancing"] * 3, "target_context": ["neutral"] * 3})
    >>> ax = plot_swap(table.assign(fold_over_source=[0.1, 0.2, 0.9]), Figure().subplots())
    >>> [text.get_text() for text in ax.get_xticklabels()], float(ax.lines[4].get_ydata()[0])
    (['neutral\\n3'], 0.2)
    """
    need(table, [value, "source_context", "target_context"])
    if {"example", "source"} <= set(table.columns):
        table = table[table["example"].astype(str) != table["source"].astype(str)]
    known = table[table[value].notna()]
    positive = known[value] > 0
    lost = int((~positive).sum()) if log else 0
    known = known[positive] if log else known
    place, places, labels, middles = 0.0, [], [], []
    for source, _, part in groups_of(known, "source_context"):
        begin = place
        kinds = list(groups_of(part, "target_context"))
        spots = [place + k for k in range(len(kinds))]
        boxes(ax, [target[value] for _, _, target in kinds], spots, [name for name, _, _ in kinds])
        places += spots
        labels += [f"{name}\n{len(target)}" for name, _, target in kinds]
        middles.append(((begin + spots[-1]) / 2, source))
        place = spots[-1] + 1.8
    guide(ax, y=unchanged(value))
    ax.set_xticks(places, labels, fontsize="small")
    for middle, source in middles:
        ax.annotate(
            f"TSS from {source}", (middle, 1.01), xycoords=("data", "axes fraction"), ha="center", fontsize="small"
        )
    ax.set_xlabel("put into the context (pairs)")
    ax.set_ylabel(f"{against(value, 'wild type')}{f' ({lost} at or below 0 left out)' if lost else ''}")
    if log:
        ax.set_yscale("log")
    return ax
