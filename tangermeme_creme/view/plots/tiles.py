"""Plot necessity and sufficiency by tile and by category: the paper's Figure 2a to c."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .style import EFFECT_LABELS, FILLS, GUIDE, LINES, MARKERS, boxes, groups_of, guide, legend, need

_WITH_BARS = 400  # with more points than this, error bars would hide more than they show


def plot_tile_effects(table: pd.DataFrame, ax: Any, *, effect: str, center: int = 0) -> Any:
    """Draw the effect of each tile as one bar per track, with its bootstrap interval.

    Parameters
    ----------
    table: pandas.DataFrame
        The table of `summarize_effects`: one row per tile and track, with `start` and `end` in bp, `track`, the effect,
        and the ends of its interval, the name of the effect with `_low` and `_high`.

    ax: matplotlib.axes.Axes

    effect: str
        The column to draw.

    center: int, optional
        The position in bp that becomes 0 on the axis, usually the TSS. Default is 0.

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
    need(table, ["start", "end", "track", effect, f"{effect}_low", f"{effect}_high"])
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
            # Rounding may put an end of the interval on the wrong side of an effect that does not vary.
            yerr=np.stack([below, above]).clip(min=0),
            color=LINES[k % len(LINES)],
            hatch=FILLS[k % len(FILLS)],
            ecolor=GUIDE,
            label=str(track),
        )
    ax.axhline(0, color=GUIDE, linewidth=0.8)
    ax.set_xlabel("distance to the TSS (kb)")
    ax.set_ylabel(EFFECT_LABELS.get(effect, effect))
    return ax


def plot_effects_by_context(table: pd.DataFrame, ax: Any, *, effect: str, by: str = "context") -> Any:
    """Draw the effects of all tiles as one box plot per category: Figure 2a (necessity), b and c (sufficiency).

    Parameters
    ----------
    table: pandas.DataFrame
        One row per tile, with the effect and the category. Rows that lack one of them are left out.

    ax: matplotlib.axes.Axes

    effect: str
        The column to draw: `necessity`, `over_wt`, `over_control`, or another column.

    by: str, optional
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
    >>> table = pd.DataFrame({"context": ["neutral", "enhancing", "enhancing"], "necessity": [0.0, 0.25, 0.75]})
    >>> ax = plot_effects_by_context(table, Figure().subplots(), effect="necessity")
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['enhancing\\n2', 'neutral\\n1']
    """
    need(table, [effect, by])
    kinds = list(groups_of(table[table[effect].notna()], by))
    if kinds:
        boxes(ax, [part[effect] for _, _, part in kinds], list(range(len(kinds))), [name for name, _, _ in kinds])
    guide(ax, y=0)
    ax.set_xticks(range(len(kinds)), [f"{name}\n{len(part)}" for name, _, part in kinds])
    ax.set_xlabel(f"{by} (tiles)")
    ax.set_ylabel(EFFECT_LABELS.get(effect, effect))
    return ax


def plot_necessity_sufficiency(
    table: pd.DataFrame, ax: Any, *, x: str = "necessity", y: str = "over_wt", by: str = "context"
) -> Any:
    """Draw each tile's sufficiency against its necessity, with standard errors for up to 400 tiles.

    A tile below the diagonal is necessary in its context but not sufficient alone. A tile above it is sufficient, and
    other tiles make up for its loss. As in the supplementary figures of the paper; `join_tile_effects` makes the table.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per tile: both effects and the category. `_sem` columns of the effects are drawn as error bars. Rows
        that lack an effect are left out.

    ax: matplotlib.axes.Axes

    x, y: str, optional
        Columns to draw. Default is "necessity" and "over_wt".

    by: str, optional
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
    >>> table = pd.DataFrame({"context": ["enhancing"] * 2, "necessity": [0.0, 0.5], "over_wt": [0.1, 0.4]})
    >>> plot_necessity_sufficiency(table, Figure().subplots()).lines[-1].get_xydata().tolist()
    [[0.0, 0.1], [0.5, 0.4]]
    """
    need(table, [x, y, by])
    known = table[table[x].notna() & table[y].notna()]
    guide(ax, x=0, y=0)
    ax.axline((0, 0), slope=1, color=GUIDE, linewidth=0.9, linestyle="--", zorder=0)
    for name, color, part in groups_of(known, by):
        if len(known) <= _WITH_BARS and {f"{x}_sem", f"{y}_sem"} <= set(part.columns):
            ax.errorbar(
                part[x], part[y], xerr=part[f"{x}_sem"], yerr=part[f"{y}_sem"], fmt="none", ecolor=color, alpha=0.6,
                elinewidth=0.8,
            )  # fmt: skip
        ax.plot(
            part[x], part[y], linestyle="none", marker=MARKERS.get(name, "o"), color=color, markersize=4, alpha=0.8,
            markeredgewidth=0, rasterized=len(known) > 2000, label=f"{name} ({len(part)})",
        )  # fmt: skip
    ax.set_xlabel(EFFECT_LABELS.get(x, x))
    ax.set_ylabel(EFFECT_LABELS.get(y, y))
    legend(ax, title=f"{by} (tiles)")
    return ax
