"""Columns of tables in bp of the genome, checked and as arrays."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

_CHROMOSOME = re.compile(r'(?!#|track|browser)[^\s"]+')  # no line of a file may look like a header
_LAST_BASE = 2**32 - 1  # positions are unsigned 32-bit integers in the formats of UCSC


def chromosomes(table: pd.DataFrame, column: str = "chrom") -> np.ndarray:
    """Names of chromosomes as an array of str; integers are taken as names.

    Raises
    ------
    ValueError
        If one is missing, empty, has white space or a double quote, or would make a header of its line.

    Examples
    --------
    >>> chromosomes(pd.DataFrame({"chrom": ["chr1", 2]})).tolist()
    ['chr1', '2']
    """
    values = table[column].to_numpy(dtype=object)
    for row, value in enumerate(values):
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole and not (isinstance(value, str) and _CHROMOSOME.fullmatch(value)):
            raise ValueError(
                f"{column} must be a name without white space or quotes that does not start as a header (#, track, "
                f"browser); got {value!r} at row {row}."
            )
    return np.array([str(value) for value in values], dtype=object)


def numbers(table: pd.DataFrame, column: str, *, missing: bool = False) -> np.ndarray:
    """A column of finite numbers as float64, with NaN for what is missing where that is allowed.

    Raises
    ------
    ValueError
        If one is no number, is infinite or, unless `missing`, NaN; the message names the row.

    Examples
    --------
    >>> numbers(pd.DataFrame({"effect": [1, None]}), "effect", missing=True)
    array([ 1., nan])
    """
    given = table[column]
    values = pd.to_numeric(given, errors="coerce")
    strange = (values.isna() & given.notna()).to_numpy() | pd.api.types.is_bool_dtype(given)
    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    for rule, bad in (
        ("be numbers", strange),
        ("be finite", np.isinf(array)),
        ("have no NaN (leave such rows out)", np.isnan(array) & (not missing)),
    ):
        if bad.any():
            row = np.flatnonzero(bad)[0]
            raise ValueError(f"{column} must {rule}; got {given.iloc[row]} at row {row}.")
    return array


def positions(table: pd.DataFrame, column: str) -> np.ndarray:
    """A column of 0-based positions as int64; floats that are whole are taken.

    Raises
    ------
    ValueError
        If one is missing, a fraction, negative, or beyond 32 bits.

    Examples
    --------
    >>> positions(pd.DataFrame({"start": [0.0, 7.0]}), "start")
    array([0, 7])
    """
    array = numbers(table, column, missing=True)
    bad = np.flatnonzero(~((array >= 0) & (array <= _LAST_BASE) & (array == np.floor(array))))
    if len(bad):
        got = f"{table[column].iloc[bad[0]]} at row {bad[0]}"
        off = array[bad[0]] < 0
        raise ValueError(
            f"{column} must be whole bp from 0 to 2**32 - 1; got {got}"
            f"{' (tiles_to_genome with sizes= cuts tiles off at the ends of chromosomes)' if off else ''}."
        )
    return array.astype(np.int64)


def regions(table: pd.DataFrame, suffix: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Columns `start` and `end`, 0-based and half-open, as int64.

    Raises
    ------
    ValueError
        As `positions`, or if a region is empty.

    Examples
    --------
    >>> regions(pd.DataFrame({"start_1": [3], "end_1": [5]}), "_1")
    (array([3]), array([5]))
    """
    start, end = positions(table, f"start{suffix}"), positions(table, f"end{suffix}")
    empty = np.flatnonzero(end <= start)
    if len(empty):
        row = empty[0]
        raise ValueError(f"end{suffix} must be above start{suffix}; got [{start[row]}, {end[row]}) at row {row}.")
    return start, end


def strands(table: pd.DataFrame, column: str = "strand") -> np.ndarray:
    """Strands as an array of str, "." where there is none or no such column.

    Raises
    ------
    ValueError
        If one is anything but "+", "-" and ".".

    Examples
    --------
    >>> strands(pd.DataFrame({"strand": ["+", None]})).tolist()
    ['+', '.']
    """
    strand = texts(table, column)
    for row, value in enumerate(strand):
        if value not in ("+", "-", "."):
            raise ValueError(f"{column} must be '+', '-' or '.'; got {value!r} at row {row}.")
    return strand


def texts(table: pd.DataFrame, column: str) -> np.ndarray:
    """A column as an array of str, "." where there is nothing or no such column.

    Examples
    --------
    >>> texts(pd.DataFrame({"gene_name": ["GATA1", None, 7]}), "gene_name").tolist()
    ['GATA1', '.', '7']
    """
    if column not in table.columns:
        return np.full(len(table), ".", dtype=object)
    given = zip(table[column].to_numpy(dtype=object), table[column].isna())
    return np.array(["." if gone or value == "" else str(value) for value, gone in given], dtype=object)
