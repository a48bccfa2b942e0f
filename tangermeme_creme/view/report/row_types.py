"""The kinds of rows in the picture of a locus."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Row:
    """A row with its label.

    Parameters
    ----------
    label: str

    start, end: array, shape=(K,)
        Spans, 0-based and half-open in bp from the TSS.

    kind: array of str, shape=(K,), or empty
        The class of each span, such as "enhancer"; "" for no class.
    """

    label: str
    start: np.ndarray
    end: np.ndarray
    kind: np.ndarray = field(default_factory=lambda: np.array([], dtype=object))


@dataclass(frozen=True)
class HeadingRow(Row):
    """A line of text."""


@dataclass(frozen=True)
class BarRow(Row):
    """One bar per tile, of height `value`, with its interval. NaN is not drawn."""

    value: np.ndarray = field(default_factory=lambda: np.array([]))
    low: np.ndarray = field(default_factory=lambda: np.array([]))
    high: np.ndarray = field(default_factory=lambda: np.array([]))


@dataclass(frozen=True)
class MarkRow(Row):
    """One triangle per span. It points up, and down for silencers."""


@dataclass(frozen=True)
class OrderRow(Row):
    """The numbers 1, 2, ... in the spans, in the order of the spans. The first nine are drawn."""


@dataclass(frozen=True)
class SpanRow(Row):
    """One block per span, at least one pixel wide."""


@dataclass(frozen=True)
class CurveRow(Row):
    """Lines over the middles of spans, one per value of `line`, and a horizontal line at `base`."""

    value: np.ndarray = field(default_factory=lambda: np.array([]))
    line: np.ndarray = field(default_factory=lambda: np.array([]))
    base: float = 1.0
