"""From the tables of a locus to the rows of its picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ...analysis import effect_in
from .row_types import BarRow, CurveRow, HeadingRow, MarkRow, OrderRow, Row, SpanRow

Columns = Mapping[str, np.ndarray]

# Labels of curves that are no folds over the control, and their value without an effect.
_CURVES = {"difference": ("CREs moved, difference", 0.0), "log_fold": ("CREs moved, log2 fold", 0.0)}


class RowsByLocus(Protocol):
    """A table whose rows are looked up by locus and track."""

    def rows(self, example: str, track: str) -> dict[str, np.ndarray]:
        """Return the columns of these rows, or {} without rows."""


@dataclass(frozen=True)
class NumberedTile:
    """A tile by its number, with its span in bp of the window."""

    number: int
    span: tuple[int, int]

    def rows(self, columns: Columns, name: str) -> dict[str, np.ndarray]:
        """Return the rows whose column `name` is the number of this tile, or {} without rows."""
        own = columns[name] == self.number if name in columns else np.array([], dtype=bool)
        return {column: values[own] for column, values in columns.items()} if own.any() else {}


def picture_rows(tables: Mapping[str, RowsByLocus], example: str, tracks: Sequence[str], tss: int) -> list[Row]:
    """Return the rows of the picture of a locus: for each track, the tests that have rows there.

    Parameters
    ----------
    tables: mapping of str to RowsByLocus

    example: str

    tracks: sequence of str

    tss: int
        The base of the TSS, in bp of the window.

    Returns
    -------
    rows: list of Row
        Spans are in bp from the TSS.
    """
    rows: list[Row] = []
    for track in tracks:
        table = partial(_columns, tables, example, track)
        tests = _tests(table, tss)
        if tests:
            context = table("contexts").get("context", [None])[0]
            category = "" if pd.isna(context) else f", {context} context"
            rows += [HeadingRow(f"Track {track}{category}", np.array([]), np.array([])), *tests]
    return rows


def _columns(tables: Mapping[str, RowsByLocus], example: str, track: str, name: str) -> Columns:
    return tables[name].rows(example, track) if name in tables else {}


def _tests(table: Callable[[str], Columns], tss: int) -> list[Row]:
    """Return the rows of all tests of a locus in one track."""
    cres = table("cres")
    called = dict(zip(cres.get("tile", ()), cres.get("cre", ())))
    rows = [
        _bar_row("necessity", table("necessity"), effect_in(table("necessity"), "necessity"), called, tss),
        _sufficiency_row(table("sufficiency"), called, tss),
        _span_row(MarkRow, "CREs", cres, tss),
        *(_order_row(table("higher_order"), direction, tss) for direction in ("min", "max")),
        _curve_row(table("distance")),
        _span_row(SpanRow, "bases kept", table("kept"), tss),
    ]
    return [row for row in rows if row is not None]


def _bar_row(label: str, columns: Columns, value: str, called: Mapping[Any, str], tss: int) -> BarRow | None:
    if value not in columns or not np.isfinite(columns[value].astype(float)).any():
        return None
    kind = np.array([called.get(tile, "") for tile in columns["tile"]], dtype=object)
    effect, low, high = (_as_floats(columns, name) for name in (value, f"{value}_low", f"{value}_high"))
    return BarRow(label, columns["start"] - tss, columns["end"] - tss, kind, value=effect, low=low, high=high)


def _sufficiency_row(columns: Columns, called: Mapping[Any, str], tss: int) -> BarRow | None:
    """Return sufficiency over the wild type in enhancing contexts, where it calls enhancers; else over the control."""
    enhancing = len(columns.get("context", ())) and columns["context"][0] == "enhancing"
    ratio, over = ("over_wt", " over WT") if enhancing else ("over_control", " over control")
    value = effect_in(columns, ratio)
    return _bar_row(f"sufficiency{over if value == ratio else ''}", columns, value, called, tss)


def _span_row(
    row_type: type[MarkRow] | type[SpanRow], label: str, columns: Columns, tss: int
) -> MarkRow | SpanRow | None:
    if not len(columns.get("start", ())):
        return None
    return row_type(label, columns["start"] - tss, columns["end"] - tss, columns["cre"].astype(object))


def _order_row(columns: Columns, direction: str, tss: int) -> OrderRow | None:
    """Return the tiles of a greedy search in the order in which the search chose them."""
    if not len(columns.get("direction", ())):
        return None
    chosen = np.flatnonzero(columns["direction"] == direction)
    chosen = chosen[np.argsort(columns["round"][chosen], kind="stable")]
    if not len(chosen):
        return None
    first = "" if len(chosen) <= 9 else f", 9 of {len(chosen)}"
    label = f"shuffled in turn, {direction}{first}"
    return OrderRow(label, columns["start"][chosen] - tss, columns["end"][chosen] - tss)


def _curve_row(columns: Columns) -> CurveRow | None:
    """Return the effect of each CRE at each place, against the control. `offset` is the middle of the place."""
    value = effect_in(columns, "fold_over_control")
    if value not in columns or not np.isfinite(_as_floats(columns, value)).any():
        return None
    middle, kind = columns["offset"], columns["cre"].astype(object)
    effect, line = _as_floats(columns, value), columns["cre_tile"]
    label, base = _CURVES.get(value, ("CREs moved, fold over control", 1.0))
    return CurveRow(label, middle, middle, kind, value=effect, line=line, base=base)


def _as_floats(columns: Columns, name: str) -> np.ndarray:
    return columns[name].astype(float) if name in columns else np.full(len(next(iter(columns.values()))), np.nan)
