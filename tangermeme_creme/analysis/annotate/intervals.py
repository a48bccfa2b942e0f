"""Which regions of two tables overlap, through bioframe."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import bioframe
import numpy as np
import pandas as pd

from ...sequence.genome import chromosomes, plain_chrom, regions
from ...support import check_columns


def region_table(table: pd.DataFrame) -> pd.DataFrame:
    """`chrom`, by its plain name, `start` and `end` of a table, checked, with an index from 0.

    Examples
    --------
    >>> region_table(pd.DataFrame({"chrom": ["chr1"], "start": [0.0], "end": [5.0], "name": ["a"]}, index=["x"]))
      chrom  start  end
    0     1      0    5
    """
    check_columns(table, ["chrom", "start", "end"])
    start, end = regions(table)
    codes, names = pd.factorize(chromosomes(table))
    plain = np.array([plain_chrom(name) for name in names], dtype=object)
    return pd.DataFrame({"chrom": plain[codes], "start": start, "end": end})


def overlaps(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Each pair of overlapping regions of two tables from `region_table`: the rows `one` and `other`, and their `bp`.

    Examples
    --------
    >>> one = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [0, 0], "end": [10, 10]})
    >>> overlaps(one, pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [4, 10], "end": [20, 30]}))
       one  other  bp
    0    0      0   6
    """
    if not len(one) or not len(other):
        return pd.DataFrame({name: np.zeros(0, dtype=np.int64) for name in ("one", "other", "bp")})
    with _without_pandas_notices():
        pairs = bioframe.overlap(one, other, how="inner", return_index=True, return_input=False, return_overlap=True)
    bp = pairs["overlap_end"] - pairs["overlap_start"]
    found = pd.DataFrame({"one": pairs["index"], "other": pairs["index_"], "bp": bp}).astype(np.int64)
    return found[found["bp"] > 0].sort_values(["one", "other"], ignore_index=True)


def merged(table: pd.DataFrame) -> pd.DataFrame:
    """The regions of a table from `region_table`, with those that overlap or touch made one.

    Examples
    --------
    >>> merged(pd.DataFrame({"chrom": ["chr1"] * 3, "start": [0, 5, 30], "end": [8, 10, 40]}))
      chrom  start  end
    0  chr1      0   10
    1  chr1     30   40
    """
    if not len(table):
        return table
    with _without_pandas_notices():
        return bioframe.merge(table)[["chrom", "start", "end"]]


def covered(one: pd.DataFrame, other: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """How many bp of each region of `one` lie in any of `other`, and how many of these it overlaps.

    Examples
    --------
    >>> one = pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [10]})
    >>> bp, n = covered(one, pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [4, 5], "end": [20, 7]}))
    >>> bp.tolist(), n.tolist()
    ([6], [2])
    """
    apart = overlaps(one, merged(other))
    bp = np.bincount(apart["one"], weights=apart["bp"], minlength=len(one)).astype(np.int64)
    return bp, np.bincount(overlaps(one, other)["one"], minlength=len(one))


@contextmanager
def _without_pandas_notices() -> Iterator[None]:
    """bioframe 0.8 calls pandas in ways that pandas 3.1 says will go; that is no news to a user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield
