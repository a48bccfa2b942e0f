"""One value a base, from regions that may overlap."""

from __future__ import annotations

from itertools import pairwise
from math import fsum
from typing import NamedTuple

import numpy as np

COMBINE = ("mean", "extreme")


class Stretches(NamedTuple):
    """Regions that do not overlap, sorted by the name of the chromosome and by start.

    Parameters
    ----------
    chrom: array of str, shape=(S,)

    start, end: np.ndarray, shape=(S,), dtype=int64
        0-based and half-open.

    value: np.ndarray, shape=(S,), dtype=float64
    """

    chrom: np.ndarray
    start: np.ndarray
    end: np.ndarray
    value: np.ndarray


def check_combine(combine: str | None) -> None:
    """Refuse what is none of `COMBINE`, nor None."""
    if combine is not None and combine not in COMBINE:
        raise ValueError(f"combine must be None, 'mean' or 'extreme'; got {combine!r}.")


def disjoint(
    chrom: np.ndarray, start: np.ndarray, end: np.ndarray, value: np.ndarray, combine: str | None
) -> Stretches:
    """Cut regions where others start and end, and give each stretch one value.

    A region that none overlaps stays whole, and stretches of one value are not merged. Takes a row and a stretch of it
    at a time: N rows of which each overlaps d others cost about N * d.

    Parameters
    ----------
    chrom, start, end, value: array, shape=(N,)
        Rows whose value is NaN count for nothing.

    combine: "mean", "extreme" or None
        "extreme" is the largest absolute value, of equals the positive one. Neither depends on the order of the rows.
        None takes no overlap.

    Raises
    ------
    ValueError
        If regions overlap and `combine` is None; the message names the first two.

    Examples
    --------
    >>> both = ["chr1", "chr1"], [0, 4], [6, 9], [1.0, -2.0]
    >>> [column.tolist() for column in disjoint(*map(np.array, both), "mean")][1:]
    [[0, 4, 6], [4, 6, 9], [1.0, -0.5, -2.0]]
    """
    rows = np.flatnonzero(~np.isnan(value))
    rows = np.array(sorted(rows, key=lambda row: (chrom[row], start[row], end[row])), dtype=np.int64)
    if combine is None:
        _check_apart(chrom, start, end, rows)
    if combine is None or not len(rows):
        return Stretches(chrom[rows], start[rows], end[rows], value[rows])
    edges = np.flatnonzero(chrom[rows][1:] != chrom[rows][:-1]) + 1
    parts = [_cut(chrom, start, end, value, here, combine) for here in np.split(rows, edges)]
    return Stretches(*map(np.concatenate, zip(*parts)))


def _check_apart(chrom: np.ndarray, start: np.ndarray, end: np.ndarray, rows: np.ndarray) -> None:
    """Of sorted regions, if any two overlap then two neighbours do."""
    one, other = rows[:-1], rows[1:]
    overlap = np.flatnonzero((chrom[one] == chrom[other]) & (start[other] < end[one]))
    if len(overlap):
        got = (f"{chrom[row]} [{start[row]}, {end[row]}) at row {row}" for row in rows[overlap[0] : overlap[0] + 2])
        raise ValueError(
            f"regions must not overlap, for a base has one value; got {' and '.join(got)}. Pass combine='mean' or "
            "'extreme', or write loci and tracks to files of their own."
        )


def _cut(
    chrom: np.ndarray, start: np.ndarray, end: np.ndarray, value: np.ndarray, rows: np.ndarray, combine: str
) -> Stretches:
    """The stretches of one chromosome."""
    cuts = np.unique(np.r_[start[rows], end[rows]])
    first = np.searchsorted(cuts, start[rows])
    sizes = np.searchsorted(cuts, end[rows]) - first
    values = np.repeat(value[rows], sizes)
    of = np.arange(len(values)) + np.repeat(first - (np.cumsum(sizes) - sizes), sizes)
    order = np.lexsort((values, np.abs(values), of))
    of, values = of[order], values[order]
    bounds = np.flatnonzero(np.r_[True, of[1:] != of[:-1], True])
    if combine == "extreme":
        combined = values[bounds[1:] - 1] + 0.0  # of 0 and -0, which tie, always 0
    else:  # an exact sum does not depend on the order of the rows
        combined = np.array([fsum(values[a:b]) / (b - a) for a, b in pairwise(bounds)])
    covered = of[bounds[:-1]]
    return Stretches(np.full(len(covered), chrom[rows[0]], dtype=object), cuts[covered], cuts[covered + 1], combined)
