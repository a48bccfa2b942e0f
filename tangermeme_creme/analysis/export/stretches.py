"""Cut overlapping regions into stretches with one value per base."""

from __future__ import annotations

from itertools import pairwise
from math import fsum
from typing import NamedTuple

import numpy as np

COMBINE = ("mean", "extreme")


class Stretches(NamedTuple):
    """Hold regions that do not overlap, sorted by the name of the chromosome and by start.

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
    """Refuse values that are neither None nor in `COMBINE`."""
    if combine is not None and combine not in COMBINE:
        raise ValueError(f"combine must be None, 'mean' or 'extreme'; got {combine!r}.")


def disjoint(
    chrom: np.ndarray, start: np.ndarray, end: np.ndarray, value: np.ndarray, combine: str | None
) -> Stretches:
    """Cut regions where others start and end, and combine the values of each stretch into one.

    Regions without overlaps are not cut, and stretches with equal values are not merged. N regions of which each
    overlaps d others cost about N * d steps.

    Parameters
    ----------
    chrom, start, end, value: array, shape=(N,)
        Rows with a NaN value are ignored.

    combine: "mean", "extreme" or None
        "extreme" is the value with the largest absolute value; of equals the positive one. The results do not depend on
        the order of the rows. None refuses overlaps.

    Raises
    ------
    ValueError
        If regions overlap and `combine` is None; the message names the first two.

    Examples
    --------
    >>> regions = ["chr1", "chr1"], [0, 4], [6, 9], [1.0, -2.0]
    >>> [column.tolist() for column in disjoint(*map(np.array, regions), "mean")][1:]
    [[0, 4, 6], [4, 6, 9], [1.0, -0.5, -2.0]]
    """
    rows = np.flatnonzero(~np.isnan(value))
    rows = np.array(sorted(rows, key=lambda row: (chrom[row], start[row], end[row])), dtype=np.int64)
    if combine is None:
        _check_no_overlap(chrom, start, end, rows)
    if combine is None or not len(rows):
        return Stretches(chrom[rows], start[rows], end[rows], value[rows])
    edges = np.flatnonzero(chrom[rows][1:] != chrom[rows][:-1]) + 1
    parts = [_cut_one_chrom(chrom, start, end, value, part, combine) for part in np.split(rows, edges)]
    return Stretches(*map(np.concatenate, zip(*parts)))


def _check_no_overlap(chrom: np.ndarray, start: np.ndarray, end: np.ndarray, rows: np.ndarray) -> None:
    # It is enough to compare neighbours: if any two sorted regions overlap, two neighbours do.
    left, right = rows[:-1], rows[1:]
    overlap = np.flatnonzero((chrom[left] == chrom[right]) & (start[right] < end[left]))
    if len(overlap):
        got = (f"{chrom[row]} [{start[row]}, {end[row]}) at row {row}" for row in rows[overlap[0] : overlap[0] + 2])
        raise ValueError(
            f"regions must not overlap, because a base has one value; got {' and '.join(got)}. Pass combine='mean' or "
            "'extreme', or write loci and tracks to separate files."
        )


def _cut_one_chrom(
    chrom: np.ndarray, start: np.ndarray, end: np.ndarray, value: np.ndarray, rows: np.ndarray, combine: str
) -> Stretches:
    """Cut the regions of one chromosome, and combine their values."""
    cuts = np.unique(np.r_[start[rows], end[rows]])
    first = np.searchsorted(cuts, start[rows])
    sizes = np.searchsorted(cuts, end[rows]) - first
    values = np.repeat(value[rows], sizes)
    # The index of the stretch, between two cuts, that each value belongs to.
    stretch = np.arange(len(values)) + np.repeat(first - (np.cumsum(sizes) - sizes), sizes)
    order = np.lexsort((values, np.abs(values), stretch))
    stretch, values = stretch[order], values[order]
    bounds = np.flatnonzero(np.r_[True, stretch[1:] != stretch[:-1], True])
    if combine == "extreme":
        combined = values[bounds[1:] - 1] + 0.0  # 0 and -0 tie; adding 0.0 always gives 0
    else:  # an exact sum does not depend on the order of the rows
        combined = np.array([fsum(values[a:b]) / (b - a) for a, b in pairwise(bounds)])
    covered = stretch[bounds[:-1]]
    return Stretches(np.full(len(covered), chrom[rows[0]], dtype=object), cuts[covered], cuts[covered + 1], combined)
