"""From the tables of a locus to the rows of its figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from .row_types import Bars, Curves, Heading, Marks, Order, Row, Spans

Columns = Mapping[str, np.ndarray]


class Rows(Protocol):
    """A table by locus and track."""

    def rows(self, example: str, track: str) -> dict[str, np.ndarray]:
        """Columns of the rows; {} if there are none."""


@dataclass(frozen=True)
class Tile:
    """A tile by its number, with its span in bp of the window."""

    number: int
    span: tuple[int, int]

    def rows(self, columns: Columns, name: str) -> dict[str, np.ndarray]:
        """The rows that are of this tile; {} if there are none."""
        some = columns[name] == self.number if name in columns else np.array([], dtype=bool)
        return {column: values[some] for column, values in columns.items()} if some.any() else {}


def rows_of(given: Mapping[str, Rows], example: str, tracks: Sequence[str], tss: int) -> list[Row]:
    """What is drawn of a locus: for each track the tests that have a row, and none for those that have not.

    Parameters
    ----------
    given: mapping of str to Rows
        By name of the table.

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

        def table(name: str, track: str = track) -> dict[str, np.ndarray]:
            return given[name].rows(example, track) if name in given else {}

        cres = table("cres")
        called = dict(zip(cres.get("tile", ()), cres.get("cre", ())))
        tests: list[Row | None] = [
            _bars("necessity", table("necessity"), "necessity", called, tss),
            _sufficiency(table("sufficiency"), called, tss),
            _spans(Marks, "CREs", cres, "start", "end", tss),
            *(_order(table("higher_order"), direction, tss) for direction in ("min", "max")),
            _curve(table("distance"), tss),
            _spans(Spans, "bases kept", table("kept"), "start", "end", tss),
        ]
        there = [row for row in tests if row is not None]
        if there:
            context = table("contexts").get("context", [None])[0]
            category = "" if context is None or pd.isna(context) else f", {context} context"
            rows += [Heading(f"Track {track}{category}", np.array([]), np.array([])), *there]
    return rows


def _bars(label: str, found: Columns, value: str, called: Mapping[Any, str], tss: int) -> Bars | None:
    if value not in found or not np.isfinite(found[value].astype(float)).any():
        return None
    kind = np.array([called.get(tile, "") for tile in found["tile"]], dtype=object)
    effect, low, high = (_floats(found, name) for name in (value, f"{value}_low", f"{value}_high"))
    return Bars(label, found["start"] - tss, found["end"] - tss, kind, value=effect, low=low, high=high)


def _sufficiency(found: Columns, called: Mapping[Any, str], tss: int) -> Bars | None:
    """Over the wild type in enhancing contexts, where enhancers are called by it; over the control in all others."""
    enhancing = len(found.get("context", ())) and found["context"][0] == "enhancing"
    value, over = ("over_wt", "WT") if enhancing else ("over_control", "control")
    return _bars(f"sufficiency over {over}", found, value, called, tss)


def _spans(
    kind: type[Marks] | type[Spans], label: str, found: Columns, start: str, end: str, tss: int
) -> Marks | Spans | None:
    if not len(found.get(start, ())):
        return None
    return kind(label, found[start] - tss, found[end] - tss, found["cre"].astype(object))


def _order(found: Columns, direction: str, tss: int) -> Order | None:
    """The tiles of a greedy search in the order in which it chose them."""
    if not len(found.get("direction", ())):
        return None
    some = np.flatnonzero(found["direction"] == direction)
    some = some[np.argsort(found["round"][some], kind="stable")]
    if not len(some):
        return None
    first = "" if len(some) <= 9 else f", 9 of {len(some)}"
    return Order(f"shuffled in turn, {direction}{first}", found["start"][some] - tss, found["end"][some] - tss)


def _curve(found: Columns, tss: int) -> Curves | None:
    """A CRE's fold over the control at each place: an offset is that of the middle of the place."""
    value = "fold_over_control"
    if value not in found or not np.isfinite(_floats(found, value)).any():
        return None
    middle = found["offset"]
    kind, line = found["cre"].astype(object), found["cre_tile"]
    return Curves("CREs moved, fold over control", middle, middle, kind, value=_floats(found, value), line=line)


def _floats(found: Columns, name: str) -> np.ndarray:
    return found[name].astype(float) if name in found else np.full(len(next(iter(found.values()))), np.nan)
