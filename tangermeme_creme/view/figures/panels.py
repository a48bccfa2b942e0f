"""A figure with a panel a track, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...study.spec import track_names, window_length
from ...study.tables import ReadableStudy, sorted_by
from ..plots import groups_of

MOST = 4  # panels a figure


class Drawn(NamedTuple):
    """A figure and its texts, as in `StudyFigure`."""

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure


class Given:
    """The tables of a study, each read once, and names for its loci.

    Parameters
    ----------
    study: Study
    """

    def __init__(self, study: ReadableStudy) -> None:
        self.study = study
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            table = self.study.table(name)
            # Tracks in the order of the spec, whichever locus comes first.
            ordered = "track" in table.columns and len(table)
            self._read[name] = sorted_by(table, track=track_names(self.study.spec)) if ordered else table
        return self._read[name]

    @property
    def center(self) -> int:
        """The TSS, in bp of the window."""
        return window_length(self.study.spec) // 2

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Genes in the place of names of loci, but where two loci of the table have one gene."""
        if not len(table):
            return table
        names = {example: self.called(example) for example in table["example"].unique()}
        used = pd.Series(list(names.values())).value_counts()
        shown = {example: name if used[name] == 1 else example for example, name in names.items()}
        return table.assign(example=table["example"].map(shown))

    def called(self, example: str) -> str:
        """The gene of a locus, or its own name."""
        loci = self["loci"]
        if "gene_name" in loci.columns:
            names = loci.loc[loci["example"] == example, "gene_name"]
            if len(names) and isinstance(names.iloc[0], str) and names.iloc[0]:
                return str(names.iloc[0])
        return str(example)


def panels(
    table: pd.DataFrame,
    name: str,
    title: str,
    caption: str,
    draw: Callable[[pd.DataFrame, Any], Any],
    tell: Callable[[pd.DataFrame], str],
    *,
    by: Sequence[str] = ("track",),
    size: tuple[float, float] = (4.6, 3.3),
    most: int = MOST,
) -> Iterator[Drawn]:
    """Figures of a table with a panel for each value of `by`, `most` of them a figure.

    Parameters
    ----------
    table: pandas.DataFrame
        Without rows nothing is drawn.

    name, title, caption: str
        Of the figure. From the second on the name ends in a number.

    draw: callable
        Of the rows of a panel and its axis, as the functions of `plot` are.

    tell: callable
        What a panel shows, of its rows: a phrase without a period.

    by: sequence of str, optional
        Columns that tell panels apart. Default is ("track",).

    size: (float, float), optional
        Of a panel, in inches.

    most: int, optional
        Panels a figure. Default is 4.
    """
    if not len(table):
        return
    parts = [
        (", ".join(str(part) for part in key), rows) for key, rows in table.groupby(list(by), sort=False, dropna=False)
    ]
    for first in range(0, len(parts), most):
        some = parts[first : first + most]
        columns = 1 if len(some) == 1 else 2
        figure = Figure(figsize=(size[0] * columns, size[1] * int(np.ceil(len(some) / columns))), layout="constrained")
        axes = figure.subplots(int(np.ceil(len(some) / columns)), columns, squeeze=False).ravel()
        for ax, (label, rows) in zip(axes, some):
            draw(rows, ax)
            above = {"y": 1.36} if ax.child_axes else {"pad": 14}  # of what a panel has above its axis
            ax.set_title(label, fontsize=10, loc="left", fontweight="bold", **above)
        for ax in axes[len(some) :]:
            ax.set_axis_off()
        if any(ax.child_axes for ax in axes):
            figure.draw_without_rendering()  # the layout takes two passes to make room for these
        number = first // most
        yield Drawn(
            name if number == 0 else f"{name}_{number + 1}",
            title if number == 0 else f"{title} ({number + 1})",
            caption,
            " ".join(f"{label}: {tell(rows)}." for label, rows in some),
            figure,
        )


def count_by(table: pd.DataFrame, column: str) -> str:
    """How many rows of each kind: "2 enhancer, 1 silencer"."""
    return ", ".join(f"{len(part)} {name}" for name, _, part in groups_of(table, column)) or "none"


def median_by(table: pd.DataFrame, value: str, column: str) -> str:
    """The median of each kind: "enhancing median 0.01, neutral median 0"."""
    found = [(name, part[value].median()) for name, _, part in groups_of(table[table[value].notna()], column)]
    return ", ".join(f"{name} median {number:.3g}" for name, number in found) or "no value"
