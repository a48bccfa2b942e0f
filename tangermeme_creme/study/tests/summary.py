"""Summaries of tables: counts, quartiles and means by track and group, and how a terminal shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ...analysis import CATEGORIES, SCALES, effect_in
from ...support import sorted_by

UNDEFINED = "undefined"
SCALE_WORDS = {"difference": "difference", "log_fold": "log2 fold change"}
KINDS = ("enhancer", "silencer")
_ORDERS: dict[str, Sequence[str]] = {
    "context": (*CATEGORIES, UNDEFINED),
    "source_context": (*CATEGORIES, UNDEFINED),
    "target_context": (*CATEGORIES, UNDEFINED),
    "cre": KINDS,
    "direction": ("min", "max"),
    "scale": ("additive", "multiplicative", "epistasis", "log_epistasis", "epistasis_difference"),
}
QUARTILES: dict[str, Any] = {
    "n": "count",
    "q25": lambda values: values.quantile(0.25),
    "median": "median",
    "q75": lambda values: values.quantile(0.75),
}
MEANS: dict[str, Any] = {"n": "count", "mean": "mean", "sem": "sem"}
QUARTILE_COLUMNS = tuple(QUARTILES)
_PICKED = 6  # columns of a wide table


@dataclass(frozen=True)
class ResultTables:
    """The tables of a study that have rows.

    Parameters
    ----------
    tables: mapping of str to pandas.DataFrame

    tss: int
        The base of the TSS, in bp of the window.
    """

    tables: Mapping[str, pd.DataFrame]
    tss: int

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tables

    @property
    def scale(self) -> str:
        """The scale of the effects, by the columns of the tables."""
        return next((name for name in SCALES for table in self.tables.values() if name in table.columns), "ratio")

    def tracks(self, table: pd.DataFrame) -> list[str]:
        """Return the tracks of a table in the order of the model's outputs, which the contexts of every locus have."""
        known = self["contexts"]["track"] if "contexts" in self else []
        return list(dict.fromkeys([*known, *table["track"]]))

    def distances(self) -> pd.DataFrame:
        """Return the CREs with the distance of their middle from the base of the TSS in bp, downstream positive."""
        table = self["cres"]
        return table.assign(distance=(table["start"] + table["end"] - 1) / 2 - self.tss)


@dataclass(frozen=True)
class Summary:
    """One summary of a report.

    Parameters
    ----------
    name: str
        The name of its file.

    title: str
        Its heading on a terminal.

    make: callable
        From the tables of a study to the summary.

    needs: str or None
        The table that it cannot do without.

    shape: callable
        From the summary to what a terminal shows.

    on_scale: str
        Its heading in a study whose effects are no ratios, with {} for the effect. "" is the same heading.
    """

    name: str
    title: str
    make: Callable[[ResultTables], pd.DataFrame]
    needs: str | None
    shape: Callable[[pd.DataFrame], pd.DataFrame] = field(default=lambda table: table)
    on_scale: str = ""

    def heading(self, scale: str) -> str:
        """Return the heading of the summary in a study whose effects have this scale."""
        return self.title if scale == "ratio" or not self.on_scale else self.on_scale.format(SCALE_WORDS[scale])


def described(
    study: ResultTables, table: pd.DataFrame, keys: list[str], values: list[str], how: Mapping[str, Any]
) -> pd.DataFrame:
    """Describe values by group, one row per group and value; groups without a key or a known value are left out."""
    parts = []
    for value in dict.fromkeys(values):
        known = table[table[value].notna()].dropna(subset=keys)
        if len(known):
            numbers = known.assign(**{value: known[value].astype(float)}).groupby(keys, sort=False)[value]
            part = numbers.agg(**how).reset_index()
            part.insert(len(keys), "value", value)
            parts.append(part)
    return in_order(pd.concat(parts, ignore_index=True), keys, study) if parts else pd.DataFrame()


def counted(study: ResultTables, table: pd.DataFrame, keys: list[str], columns: Mapping[str, str]) -> pd.DataFrame:
    """Count the classes on each scale by group; `columns` has the column of each scale."""
    parts = []
    for scale, column in columns.items():
        classes = table[column].astype(object).where(table[column].notna(), UNDEFINED)
        part = table[keys].assign(**{"scale": scale, "class": classes})
        parts.append(part.groupby([*keys, "scale", "class"], sort=False).size().rename("n").reset_index())
    return in_order(pd.concat(parts, ignore_index=True), [*keys, "scale", "class"], study)


def in_order(table: pd.DataFrame, keys: Sequence[str], study: ResultTables) -> pd.DataFrame:
    """Sort by track in the order of the study, by category in the order of the paper, and else by value."""
    orders = {"track": study.tracks(table), **_ORDERS}
    if "method" in table.columns:
        orders["method"] = list(dict.fromkeys(table["method"]))
    return sorted_by(table, **{name: orders.get(name) for name in keys})


def columns_of(*names: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Show these columns."""
    return lambda table: table[list(names)]


def wide(column: str, value: str, number: str = "mean") -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Show one value, or that of another scale in its place, with a few numbers of a column side by side."""

    def shaped(table: pd.DataFrame) -> pd.DataFrame:
        table = table[table["value"] == effect_in(set(table["value"]), value)]
        every = np.unique(table[column])
        picked = np.unique(every[np.linspace(0, len(every) - 1, min(_PICKED, len(every))).round().astype(int)])
        keys = [name for name in table.columns[: list(table.columns).index("value")] if name != column]
        return _pivot(table[table[column].isin(picked)], keys, column, number)

    return shaped


def classes_side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """Show the counts of classes side by side."""
    keys = [name for name in table.columns if name not in ("class", "n")]
    return _pivot(table, keys, "class", "n", fill=0)


def _pivot(table: pd.DataFrame, keys: list[str], column: str, number: str, fill: int | None = None) -> pd.DataFrame:
    if not len(table):
        return pd.DataFrame()
    order = table.groupby(keys, sort=False).ngroup()
    pivoted = table.assign(_order=order).pivot(index=["_order", *keys], columns=column, values=number)
    pivoted = pivoted if fill is None else pivoted.fillna(fill).astype(int)
    pivoted = pivoted.sort_index(level="_order").droplevel("_order").reset_index()
    pivoted.columns = [str(name) for name in pivoted.columns]
    return pivoted
