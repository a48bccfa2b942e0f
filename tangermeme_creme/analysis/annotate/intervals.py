"""Find overlaps between the regions of two tables, through bioframe."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd

from ...sequence.genome import chrom_column, plain_chrom, region_columns
from ...support import check_columns


def region_table(table: pd.DataFrame) -> pd.DataFrame:
    """Check and return `chrom` (as plain names), `start` and `end` of a table, with an index from 0.

    Examples
    --------
    >>> region_table(pd.DataFrame({"chrom": ["chr1"], "start": [0.0], "end": [5.0], "name": ["a"]}, index=["x"]))
      chrom  start  end
    0     1      0    5
    """
    check_columns(table, ["chrom", "start", "end"])
    start, end = region_columns(table)
    codes, names = pd.factorize(chrom_column(table))
    plain = np.array([plain_chrom(name) for name in names], dtype=object)
    return pd.DataFrame({"chrom": plain[codes], "start": start, "end": end})


def overlapping_pairs(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Find all pairs of overlapping regions of two tables from `region_table`.

    Returns
    -------
    pairs: pandas.DataFrame
        Rows of the two tables, `first` and `second`, and how many `bp` they share.

    Examples
    --------
    >>> first = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [0, 0], "end": [10, 10]})
    >>> overlapping_pairs(first, pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [4, 10], "end": [20, 30]}))
       first  second  bp
    0      0       0   6
    """
    if not len(first) or not len(second):
        return pd.DataFrame({name: np.zeros(0, dtype=np.int64) for name in ("first", "second", "bp")})
    import bioframe  # takes longer to import than the rest of a study together

    with _without_pandas_notices():
        overlap = bioframe.overlap(
            first, second, how="inner", return_index=True, return_input=False, return_overlap=True
        )
    bp = overlap["overlap_end"] - overlap["overlap_start"]
    pairs = pd.DataFrame({"first": overlap["index"], "second": overlap["index_"], "bp": bp}).astype(np.int64)
    return pairs[pairs["bp"] > 0].sort_values(["first", "second"], ignore_index=True)


def merge_regions(table: pd.DataFrame) -> pd.DataFrame:
    """Merge the regions of a table from `region_table` that overlap or touch.

    Examples
    --------
    >>> merge_regions(pd.DataFrame({"chrom": ["chr1"] * 3, "start": [0, 5, 30], "end": [8, 10, 40]}))
      chrom  start  end
    0  chr1      0   10
    1  chr1     30   40
    """
    if not len(table):
        return table
    import bioframe

    with _without_pandas_notices():
        return bioframe.merge(table)[["chrom", "start", "end"]]


def covered_bp(regions: pd.DataFrame, elements: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Count, for each region, the bp that any element covers and the elements that overlap the region.

    Examples
    --------
    >>> regions = pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [10]})
    >>> bp, n = covered_bp(regions, pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [4, 5], "end": [20, 7]}))
    >>> bp.tolist(), n.tolist()
    ([6], [2])
    """
    disjoint = overlapping_pairs(regions, merge_regions(elements))
    bp = np.bincount(disjoint["first"], weights=disjoint["bp"], minlength=len(regions)).astype(np.int64)
    return bp, np.bincount(overlapping_pairs(regions, elements)["first"], minlength=len(regions))


@contextmanager
def _without_pandas_notices() -> Iterator[None]:
    """Silence the deprecation warnings of pandas 3.1 about calls of bioframe 0.8, which a user cannot change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield
