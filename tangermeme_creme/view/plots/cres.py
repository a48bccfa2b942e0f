"""Plot where CREs lie, and the signal of tracks in them: the paper's Figure 2d to g."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .style import (
    HATCHES,
    INK,
    MARKERS,
    boxes,
    color_of,
    count_axis,
    groups_of,
    guide,
    legend,
    need,
)


def plot_cre_distances(table: pd.DataFrame, ax: Any, *, bin_size: int = 5000) -> Any:
    """Draw how far CREs lie from their TSS, upstream and downstream: Figure 2d.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per CRE: `distance` in bp from the TSS to its middle, negative upstream, as `distance_to_tss` gives it,
        and `cre`.

    ax: matplotlib.axes.Axes

    bin_size: int, optional
        The width of bins in bp, usually that of the tiles. One bin has the TSS in its middle. Default is 5000.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, or bin_size is not above 0.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"distance": [-4999.5, 5000.0, 5100.0], "cre": "enhancer"})
    >>> ax = plot_cre_distances(table, Figure().subplots())
    >>> [(float(bar.get_x()), float(bar.get_height())) for bar in ax.patches]  # in kb
    [(-7.5, 1.0), (-2.5, 0.0), (2.5, 2.0)]
    """
    need(table, ["distance", "cre"])
    if not bin_size > 0:
        raise ValueError(f"bin_size must be above 0; got {bin_size}.")
    known = table[table["distance"].notna()]
    kinds = list(groups_of(known, "cre"))
    if kinds:
        place = np.floor(known["distance"].to_numpy(dtype=float) / bin_size + 0.5)
        edges = (np.arange(place.min(), place.max() + 2) - 0.5) * bin_size
        width = bin_size / 1000 / len(kinds)
        for k, (name, color, part) in enumerate(kinds):
            count, _ = np.histogram(part["distance"].to_numpy(dtype=float), edges)
            ax.bar(
                edges[:-1] / 1000 + k * width, count, width, align="edge", color=color, hatch=HATCHES.get(name),
                edgecolor=INK, linewidth=0.4, label=f"{name} ({len(part)})",
            )  # fmt: skip
        bound = np.abs(edges).max() / 1000
        ax.set_xlim(-bound, bound)
    guide(ax, x=0)
    ax.set_xlabel("distance to the TSS (kb)")
    ax.set_ylabel("CREs")
    count_axis(ax)
    legend(ax)
    return ax


def plot_signal(table: pd.DataFrame, ax: Any, *, value: str = "mean", by: str = "cre") -> Any:
    """Draw the signal of tracks, such as DNase-seq and histone marks, in CREs of each kind: Figure 2e and f.

    Parameters
    ----------
    table: pandas.DataFrame
        The table of `bigwig_signal`: `signal`, the value, and the kind of each CRE. Rows without a value are left out.

    ax: matplotlib.axes.Axes

    value: str, optional
        "mean" or "max" of the coverage. Default is "mean".

    by: str, optional
        The column of kinds. Default is "cre".

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
    >>> table = pd.DataFrame({"signal": "DNase", "cre": ["enhancer"] * 2 + ["silencer"], "mean": [2.0, 4.0, 1.0]})
    >>> ax = plot_signal(table, Figure().subplots())
    >>> [text.get_text() for text in ax.get_xticklabels()], ax.get_legend_handles_labels()[1]
    (['DNase'], ['enhancer', 'silencer'])
    """
    need(table, ["signal", value, by])
    known = table[table[value].notna()]
    names = list(known["signal"].unique())
    kinds = [name for name, _, _ in groups_of(known, by)]
    step = 0.8 / max(1, len(kinds))
    for k, kind in enumerate(kinds):
        part = known[known[by] == kind]
        by_signal = [(i, part.loc[part["signal"] == name, value]) for i, name in enumerate(names)]
        by_signal = [(i, values) for i, values in by_signal if len(values)]
        places = [i + (k - (len(kinds) - 1) / 2) * step for i, _ in by_signal]
        boxes(ax, [values for _, values in by_signal], places, [str(kind)] * len(places), width=step * 0.85)
        ax.bar([], [], color=color_of(kind), hatch=HATCHES.get(str(kind)), edgecolor=INK, linewidth=0.4, label=kind)
    turned = {"rotation": 30, "ha": "right"} if len(names) > 4 else {}
    ax.set_xticks(range(len(names)), names, **turned)
    ax.set_ylabel(f"{value} coverage")
    legend(ax)
    return ax


def plot_enrichment(
    table: pd.DataFrame, ax: Any, *, p: str = "p_bonferroni", level: float = 0.05, names: int = 8
) -> Any:
    """Draw how much more signal one kind of CRE has than another, against the p value: a volcano plot, Figure 2g.

    Parameters
    ----------
    table: pandas.DataFrame
        The table of `signal_enrichment`, with one pair of groups and one value: `signal`, `group_1`, `group_2`,
        `log2_fold` and p. Rows without `log2_fold` or p are left out. A p of 0 is drawn at the smallest float.

    ax: matplotlib.axes.Axes

    p: str, optional
        The column of p values: `p`, `p_bh` or `p_bonferroni`. Default is "p_bonferroni".

    level: float, optional
        Where to draw a dotted line. Default is 0.05.

    names: int, optional
        The largest number of signals to name: those below the level with the lowest p. Default is 8.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, or there is more than one pair of groups.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"signal": ["CTCF", "REST"], "group_1": "enhancer", "group_2": "silencer"})
    >>> ax = plot_enrichment(table.assign(log2_fold=[2.0, -1.0], p_bonferroni=[0.001, 0.5]), Figure().subplots())
    >>> [text.get_text() for text in ax.texts], ax.get_xlabel()
    (['CTCF'], 'log2 fold, enhancer over silencer')
    """
    need(table, ["signal", "group_1", "group_2", "log2_fold", p])
    pairs = table[["group_1", "group_2"]].drop_duplicates()
    if len(pairs) > 1:
        raise ValueError(f"the table must have one pair of groups; got {pairs.to_numpy().tolist()}.")
    known = table[table["log2_fold"].notna() & table[p].notna()]
    height = -np.log10(known[p].to_numpy(dtype=float).clip(min=np.finfo(float).tiny))
    sure = known[p].to_numpy(dtype=float) < level
    up = known["log2_fold"].to_numpy(dtype=float) > 0
    one, other = pairs.iloc[0] if len(pairs) else ("first", "second")
    kinds = (
        (~sure, "none", f"p {level:g} or more"),
        (sure & up, one, f"more in {one}s"),
        (sure & ~up, other, f"more in {other}s"),
    )
    for chosen, kind, label in kinds:
        if chosen.any():
            ax.plot(
                known["log2_fold"][chosen], height[chosen], linestyle="none", marker=MARKERS.get(str(kind), "o"),
                color=color_of(kind), markeredgecolor=INK, markeredgewidth=0.4, label=f"{label} ({chosen.sum()})",
            )  # fmt: skip
    named = known[sure].sort_values(p, kind="stable").head(names)
    for row, x, y in zip(named["signal"], named["log2_fold"], -np.log10(named[p].clip(lower=np.finfo(float).tiny))):
        ax.annotate(str(row), (x, y), xytext=(4, 2), textcoords="offset points", fontsize="small")
    guide(ax, y=-np.log10(level), x=0)
    ax.margins(x=0.12, y=0.12)
    ax.set_xlabel(f"log2 fold, {one} over {other}")
    ax.set_ylabel({"p": "-log10 p", "p_bh": "-log10 q (Benjamini-Hochberg)"}.get(p, "-log10 p (Bonferroni)"))
    legend(ax)
    return ax
