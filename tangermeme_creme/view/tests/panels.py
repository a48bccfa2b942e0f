"""Figures with one panel per track, and their texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..plots import groups_of, plot_effects_by_context

MAX_PANELS = 4  # per figure
# What captions call effects that are no share of a prediction.
SHARES = {"difference": "The difference of the prediction", "log_fold": "The log2 fold change of the prediction"}


class Drawn(NamedTuple):
    """A figure and its texts, as in `StudyFigure`."""

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure


def panels(
    table: pd.DataFrame,
    name: str,
    title: str,
    caption: str,
    draw: Callable[[pd.DataFrame, Any], Any],
    describe: Callable[[pd.DataFrame], str],
    *,
    by: Sequence[str] = ("track",),
    size: tuple[float, float] = (4.6, 3.3),
    most: int = MAX_PANELS,
) -> Iterator[Drawn]:
    """Draw a table with one panel per value of `by`, on as many figures as that takes.

    Parameters
    ----------
    table: pandas.DataFrame
        A table without rows gives no figure.

    name, title, caption: str
        Texts of the figure. Names and titles of further figures end in a number.

    draw: callable
        Takes the rows of a panel and its axis, like the functions of `plots`.

    describe: callable
        Takes the rows of a panel and returns a phrase that says what the panel shows, without a period.

    by: sequence of str, optional
        Columns that tell panels apart. Default is ("track",).

    size: (float, float), optional
        The size of a panel, in inches.

    most: int, optional
        The largest number of panels per figure. Default is 4.
    """
    if not len(table):
        return
    parts = [
        (", ".join(str(part) for part in key), rows) for key, rows in table.groupby(list(by), sort=False, dropna=False)
    ]
    for first in range(0, len(parts), most):
        shown = parts[first : first + most]
        columns = 1 if len(shown) == 1 else 2
        lines = int(np.ceil(len(shown) / columns))
        figure = Figure(figsize=(size[0] * columns, size[1] * lines), layout="constrained")
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for ax, (label, rows) in zip(axes, shown):
            draw(rows, ax)
            place = {"y": 1.36} if ax.child_axes else {"pad": 14}  # the title stands above a panel's own child axis
            ax.set_title(label, fontsize=10, loc="left", fontweight="bold", **place)
        for ax in axes[len(shown) :]:
            ax.set_axis_off()
        if any(ax.child_axes for ax in axes):
            figure.draw_without_rendering()  # the layout needs two passes to make room for child axes
        number = first // most
        yield Drawn(
            name if number == 0 else f"{name}_{number + 1}",
            title if number == 0 else f"{title} ({number + 1})",
            caption,
            " ".join(f"{label}: {describe(rows)}." for label, rows in shown),
            figure,
        )


def effects_by_context(table: pd.DataFrame, effect: str, title: str, what: str, name: str = "") -> Iterator[Drawn]:
    """Draw an effect of all tiles as one box per category of context. `what` says in the caption what the effect is.

    Figures of other scales have a `name`, since tests share their names of effects.
    """
    if len(table):
        table = table[table[effect].notna() & table["context"].notna()]
    yield from panels(
        table,
        f"{name or effect}_by_context",
        title,
        f"{SHARES.get(effect, 'The share of the prediction')} {what}, for all tiles of all loci, by the category of "
        "the locus.",
        partial(plot_effects_by_context, effect=effect),
        lambda rows: f"{len(rows)} tiles; {median_by(rows, effect, 'context')}; largest {rows[effect].max():.3g}",
    )


def count_by(table: pd.DataFrame, column: str) -> str:
    """Count the rows of each kind: "2 enhancer, 1 silencer"."""
    return ", ".join(f"{len(part)} {name}" for name, _, part in groups_of(table, column)) or "none"


def median_by(table: pd.DataFrame, value: str, column: str) -> str:
    """Give the median of each kind: "enhancing median 0.01, neutral median 0"."""
    medians = [(name, part[value].median()) for name, _, part in groups_of(table[table[value].notna()], column)]
    return ", ".join(f"{name} median {median:.3g}" for name, median in medians) or "no value"
