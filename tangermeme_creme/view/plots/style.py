"""Helpers that all figures share: one colour per category, means with their errors, box plots, and checks of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...analysis import CATEGORY_COLORS

INK, GUIDE = "#1b1b1b", "#7a7a7a"  # for text and outlines, and for guide lines

# Okabe and Ito's colours, which readers who are colour-blind tell apart and which differ in grey.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
# For series that are no category, such as tracks and methods. Dashes and hatches tell them apart in grey.
LINES = ("#009E73", "#CC79A7", "#56B4E9", "#000000", "#8A6D00", "#7A52A8", "#5B6770")
DASHES = ("-", "--", "-.", ":")
FILLS = (None, "///", "...", "xx")

HATCHES = {"silencing": "///", "silencer": "///", "neutral": "...", "other": "xx"}
MARKERS = {"enhancing": "^", "enhancer": "^", "silencing": "v", "silencer": "v", "neutral": "o", "other": "s"}
ORDER = tuple(CATEGORY_COLORS)
LINE_STYLES = {"silencer": "--", "neutral": ":"}  # all other kinds of CRE have a solid line
EFFECT_LABELS = {
    "necessity": "necessity\n(WT - MUT) / WT",
    "over_wt": "sufficiency\n(MUT - CONTROL) / WT",
    "over_control": "sufficiency\n(MUT - CONTROL) / CONTROL",
    "difference": "difference of predictions",
    "log_fold": "log2 fold change",
    "difference_necessity": "necessity\nWT - MUT",
    "difference_sufficiency": "sufficiency\nMUT - CONTROL",
    "log_fold_necessity": "necessity\nlog2(WT / MUT)",
    "log_fold_sufficiency": "sufficiency\nlog2(MUT / CONTROL)",
}


def unchanged(effect: str) -> float:
    """Return the value of an effect that means no change: 1 for fold changes, 0 for all others."""
    return 1.0 if effect.startswith("fold") else 0.0


def against(effect: str, reference: str) -> str:
    """Label an axis of activities against a reference.

    Examples
    --------
    >>> against("fold_over_wt", "wild type"), against("difference", "wild type")
    ('fold change over wild type', 'difference from wild type')
    """
    if effect == "log_fold":
        return f"log2 fold change over {reference}"
    return f"{'difference from' if effect == 'difference' else 'fold change over'} {reference}"


def color_of(category: Any, k: int = 0) -> str:
    """Return the colour of a category, or the k-th of `LINES` for any other value."""
    return CATEGORY_COLORS.get(str(category), LINES[k % len(LINES)])


def groups_of(table: pd.DataFrame, column: str | None) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield label, colour and rows for each value of a column, known categories first. None yields all rows at once."""
    if column is None:
        yield "", INK, table
        return
    need(table, [column])
    values = list(table[column].dropna().unique())
    place = {name: k for k, name in enumerate(ORDER)}
    for k, value in enumerate(sorted(values, key=lambda value: place.get(str(value), len(place)))):
        yield str(value), color_of(value, k), table[table[column] == value]


def means(table: pd.DataFrame, key: str, value: str) -> pd.DataFrame:
    """Average the known values at each key, with an interval.

    The interval of several values is one standard error either way. A single value keeps its interval, if the table has
    one.

    Returns
    -------
    means: pandas.DataFrame
        One row per key: `mean`, `low`, `high` (NaN if not known), `n`.

    Examples
    --------
    >>> means(pd.DataFrame({"x": [0, 0, 1], "y": [1.0, 3.0, 5.0], "y_low": 4.0, "y_high": 7.0}), "x", "y")
       mean  low  high  n
    x
    0   2.0  1.0   3.0  2
    1   5.0  4.0   7.0  1
    """
    known = table[table[value].notna()]
    result = known.groupby(key)[value].agg(mean="mean", error="sem", n="count")
    low, high = result["mean"] - result["error"], result["mean"] + result["error"]
    if {f"{value}_low", f"{value}_high"} <= set(table.columns):
        single = known.groupby(key)[[f"{value}_low", f"{value}_high"]].first()
        several = result["n"] > 1
        low, high = low.where(several, single[f"{value}_low"]), high.where(several, single[f"{value}_high"])
    return result.assign(low=low, high=high)[["mean", "low", "high", "n"]]


def draw_mean(ax: Any, curve: pd.DataFrame, *, scale: float = 1.0, band: float = 0.22, **style: Any) -> None:
    """Draw a line through means, and a band from `low` to `high`. Rounding cannot put a mean outside its band."""
    x = curve.index.to_numpy(dtype=float) * scale
    ax.plot(x, curve["mean"], **style)
    low, high = np.fmin(curve["low"], curve["mean"]), np.fmax(curve["high"], curve["mean"])
    if curve["low"].notna().any():
        ax.fill_between(x, low, high, color=style["color"], alpha=band, linewidth=0)


def guide(ax: Any, y: float | None = None, x: float | None = None) -> None:
    """Draw a dotted line across the axis at y, at x, or at both."""
    if y is not None:
        ax.axhline(y, color=GUIDE, linewidth=0.9, linestyle=":", zorder=0)
    if x is not None:
        ax.axvline(x, color=GUIDE, linewidth=0.9, linestyle=":", zorder=0)


def count_axis(ax: Any) -> None:
    """Give the axis of a histogram whole numbers, and room for a legend above the bars."""
    ax.yaxis.get_major_locator().set_params(integer=True)
    entries = len(ax.get_legend_handles_labels()[1])
    ax.set_ylim(0, ax.get_ylim()[1] * (1 + 0.13 * (entries + 0.5)))


def legend(ax: Any, **settings: Any) -> None:
    """Draw a legend if anything has a label."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize="small", frameon=False, **settings)


def need(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table that lacks any of these columns."""
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"the table must have columns {', '.join(columns)}; got no {', '.join(missing)}.")


def boxes(ax: Any, values: Sequence[Any], places: Sequence[float], kinds: Sequence[str], width: float = 0.7) -> None:
    """Draw box plots in the colours of their kinds: quartiles, the median, and whiskers to 1.5 times the box.

    Dots are single values: those beyond the whiskers, or all values of a box with at most 12.
    """
    drawn = ax.boxplot(
        [np.asarray(numbers, dtype=float) for numbers in values], positions=places, widths=width, patch_artist=True,
        manage_ticks=False, showfliers=False, medianprops={"color": INK, "linewidth": 1.6},
        boxprops={"edgecolor": INK, "linewidth": 0.8}, whiskerprops={"color": INK}, capprops={"color": INK},
    )  # fmt: skip
    for box, kind in zip(drawn["boxes"], kinds):
        box.set_facecolor(color_of(kind))
        box.set_hatch(HATCHES.get(kind))
    for numbers, place, whiskers in zip(values, places, zip(drawn["whiskers"][::2], drawn["whiskers"][1::2])):
        numbers = np.asarray(numbers, dtype=float)
        low, high = whiskers[0].get_ydata().min(), whiskers[1].get_ydata().max()
        shown = numbers if len(numbers) <= 12 else numbers[(numbers < low) | (numbers > high)]
        ax.plot(
            np.full(len(shown), place), shown, "o", color=INK, markersize=2.5, alpha=0.5, rasterized=len(shown) > 500
        )


# Settings for the figures of a study. Functions that draw on a caller's axis leave the caller's settings alone.
RC: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 9,
    "hatch.linewidth": 0.6,
}
