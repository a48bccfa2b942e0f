"""What all figures share: one colour a category, means with their errors, boxes, and the refusal of other tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

INK, GUIDE = "#1b1b1b", "#7a7a7a"  # text and outlines; lines that guide the eye

# Okabe and Ito's colours, which the colour-blind tell apart and which differ in grey.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
# For what is no category, such as tracks and methods: none is the colour of one. Dashes and hatches tell them apart in
# grey.
LINES = ("#009E73", "#CC79A7", "#56B4E9", "#000000", "#8A6D00", "#7A52A8", "#5B6770")
DASHES = ("-", "--", "-.", ":")
FILLS = (None, "///", "...", "xx")

# Of their greys each is 30 of 255 and more from the next.
_UP, _DOWN, _NONE, _REST = "#E0661C", "#0072B2", "#A6A6A6", "#DCCFE6"
CATEGORY_COLORS = {
    "enhancing": _UP, "enhancer": _UP, "positive": _UP, "min": _UP,
    "silencing": _DOWN, "silencer": _DOWN, "negative": _DOWN, "max": _DOWN,
    "neutral": _NONE, "none": _NONE, "other": _REST,
    "superadditive": "#00664A", "subadditive": "#B8860B", "additive": _NONE, "ambiguous": _REST,
    "multiplicative": _NONE, "nonmultiplicative": "#00664A",
}  # fmt: skip
HATCHES = {"silencing": "///", "silencer": "///", "neutral": "...", "other": "xx"}
MARKERS = {"enhancing": "^", "enhancer": "^", "silencing": "v", "silencer": "v", "neutral": "o", "other": "s"}
ORDER = tuple(CATEGORY_COLORS)


def color_of(category: Any, k: int = 0) -> str:
    """The colour of a category, and the k-th of `LINES` for what is none."""
    return CATEGORY_COLORS.get(str(category), LINES[k % len(LINES)])


def groups_of(table: pd.DataFrame, column: str | None) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Label, colour and rows of each value of a column, known categories first; of all rows without a column."""
    if column is None:
        yield "", INK, table
        return
    need(table, [column])
    values = list(table[column].dropna().unique())
    place = {name: k for k, name in enumerate(ORDER)}
    for k, value in enumerate(sorted(values, key=lambda value: place.get(str(value), len(place)))):
        yield str(value), color_of(value, k), table[table[column] == value]


def means(table: pd.DataFrame, key: str, value: str) -> pd.DataFrame:
    """Mean of the known values at each key, and where its uncertainty ends.

    Of several values that is one standard error either way; a single one has its own interval, where the table has one.

    Returns
    -------
    means: pandas.DataFrame
        By key: `mean`, `low`, `high` (NaN if not known), `n`.

    Examples
    --------
    >>> means(pd.DataFrame({"x": [0, 0, 1], "y": [1.0, 3.0, 5.0], "y_low": 4.0, "y_high": 7.0}), "x", "y")
       mean  low  high  n
    x
    0   2.0  1.0   3.0  2
    1   5.0  4.0   7.0  1
    """
    known = table[table[value].notna()]
    found = known.groupby(key)[value].agg(mean="mean", error="sem", n="count")
    low, high = found["mean"] - found["error"], found["mean"] + found["error"]
    if {f"{value}_low", f"{value}_high"} <= set(table.columns):
        own = known.groupby(key)[[f"{value}_low", f"{value}_high"]].first()
        low, high = low.where(found["n"] > 1, own[f"{value}_low"]), high.where(found["n"] > 1, own[f"{value}_high"])
    return found.assign(low=low, high=high)[["mean", "low", "high", "n"]]


def draw_mean(ax: Any, curve: pd.DataFrame, *, scale: float = 1.0, band: float = 0.22, **style: Any) -> None:
    """A line through means, and a band from `low` to `high`. Rounding cannot put a mean outside its band."""
    x = curve.index.to_numpy(dtype=float) * scale
    ax.plot(x, curve["mean"], **style)
    low, high = np.fmin(curve["low"], curve["mean"]), np.fmax(curve["high"], curve["mean"])
    if curve["low"].notna().any():
        ax.fill_between(x, low, high, color=style["color"], alpha=band, linewidth=0)


def guide(ax: Any, y: float | None = None, x: float | None = None) -> None:
    """A dotted line across."""
    if y is not None:
        ax.axhline(y, color=GUIDE, linewidth=0.9, linestyle=":", zorder=0)
    if x is not None:
        ax.axvline(x, color=GUIDE, linewidth=0.9, linestyle=":", zorder=0)


def counted(ax: Any) -> None:
    """A histogram's axis: whole numbers, and room for a legend above the bars."""
    ax.yaxis.get_major_locator().set_params(integer=True)
    entries = len(ax.get_legend_handles_labels()[1])
    ax.set_ylim(0, ax.get_ylim()[1] * (1 + 0.13 * (entries + 0.5)))


def legend(ax: Any, **settings: Any) -> None:
    """A legend if anything has a label."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize="small", frameon=False, **settings)


def need(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table without some columns."""
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"the table must have columns {', '.join(columns)}; got no {', '.join(missing)}.")


def boxes(ax: Any, values: Sequence[Any], places: Sequence[float], kinds: Sequence[str], width: float = 0.7) -> None:
    """Box plots in the colours of their kinds: quartiles, the median, and whiskers to 1.5 times the box, as usual.

    Single values are drawn too, as dots: those beyond the whiskers or, where there are at most 12, all.
    """
    drawn = ax.boxplot(
        [np.asarray(some, dtype=float) for some in values], positions=places, widths=width, patch_artist=True,
        manage_ticks=False, showfliers=False, medianprops={"color": INK, "linewidth": 1.6},
        boxprops={"edgecolor": INK, "linewidth": 0.8}, whiskerprops={"color": INK}, capprops={"color": INK},
    )  # fmt: skip
    for box, kind in zip(drawn["boxes"], kinds):
        box.set_facecolor(color_of(kind))
        box.set_hatch(HATCHES.get(kind))
    for some, place, whiskers in zip(values, places, zip(drawn["whiskers"][::2], drawn["whiskers"][1::2])):
        some = np.asarray(some, dtype=float)
        low, high = whiskers[0].get_ydata().min(), whiskers[1].get_ydata().max()
        shown = some if len(some) <= 12 else some[(some < low) | (some > high)]
        ax.plot(
            np.full(len(shown), place), shown, "o", color=INK, markersize=2.5, alpha=0.5, rasterized=len(shown) > 500
        )


# Of figures of whole studies; functions that draw on an axis of a caller leave his settings as they are.
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
