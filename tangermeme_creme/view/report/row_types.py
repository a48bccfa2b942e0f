"""What can be drawn in a row of the figure of a locus."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Row:
    """What is drawn in a row, under a label.

    Parameters
    ----------
    label: str

    start, end: array, shape=(K,)
        Spans, 0-based and half-open in bp from the TSS.

    kind: array of str, shape=(K,), or empty
        The class of each, say "enhancer"; "" for none.
    """

    label: str
    start: np.ndarray
    end: np.ndarray
    kind: np.ndarray = field(default_factory=lambda: np.array([], dtype=object))


@dataclass(frozen=True)
class Heading(Row):
    """A line of text."""


@dataclass(frozen=True)
class Bars(Row):
    """A bar a tile, `value` high, with its interval. What is NaN is not drawn."""

    value: np.ndarray = field(default_factory=lambda: np.array([]))
    low: np.ndarray = field(default_factory=lambda: np.array([]))
    high: np.ndarray = field(default_factory=lambda: np.array([]))


@dataclass(frozen=True)
class Marks(Row):
    """A triangle over each span: upwards, and downwards for silencers."""


@dataclass(frozen=True)
class Order(Row):
    """The numbers 1, 2, ... in spans, of which there are at most nine."""


@dataclass(frozen=True)
class Spans(Row):
    """A block a span, at least a pixel wide."""


@dataclass(frozen=True)
class Curves(Row):
    """Lines over the middles of spans, one for each value of `line`, and one across at `base`."""

    value: np.ndarray = field(default_factory=lambda: np.array([]))
    line: np.ndarray = field(default_factory=lambda: np.array([]))
    base: float = 1.0
