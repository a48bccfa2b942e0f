"""Check columns of tables in bp of the genome and return them as arrays."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ...support import shown

_CHROMOSOME = re.compile(r'(?!#|track|browser)[^\s"]+')  # a line of a file must not look like a header
LAST_BASE = 2**32 - 1  # positions are unsigned 32-bit integers in the formats of UCSC


def chrom_column(table: pd.DataFrame, column: str = "chrom") -> np.ndarray:
    """Return names of chromosomes as an array of str; integers become names.

    Raises
    ------
    ValueError
        If a name is missing or empty, has white space or a double quote, or would make its line a header.

    Examples
    --------
    >>> chrom_column(pd.DataFrame({"chrom": ["chr1", 2]})).tolist()
    ['chr1', '2']
    """
    values = table[column].to_numpy(dtype=object)
    for row, value in enumerate(values):
        is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not is_integer and not (isinstance(value, str) and _CHROMOSOME.fullmatch(value)):
            raise ValueError(
                f"{column} must be a name without white space or quotes that does not start as a header (#, track, "
                f"browser); got {shown(value)} at row {row}."
            )
    return np.array([str(value) for value in values], dtype=object)


def number_column(table: pd.DataFrame, column: str, *, missing: bool = False) -> np.ndarray:
    """Return a column of finite numbers as float64; with `missing`, missing values are allowed and become NaN.

    Raises
    ------
    ValueError
        If a value is not a number, is infinite or, unless `missing`, is NaN; the message names the row.

    Examples
    --------
    >>> number_column(pd.DataFrame({"effect": [1, None]}), "effect", missing=True)
    array([ 1., nan])
    """
    values = table[column]
    numbers = pd.to_numeric(values, errors="coerce")
    not_numbers = (numbers.isna() & values.notna()).to_numpy() | pd.api.types.is_bool_dtype(values)
    array = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    for rule, bad in (
        ("be numbers", not_numbers),
        ("be finite", np.isinf(array)),
        ("have no NaN (leave such rows out)", np.isnan(array) & (not missing)),
    ):
        if bad.any():
            row = np.flatnonzero(bad)[0]
            raise ValueError(f"{column} must {rule}; got {_plain(values.iloc[row])} at row {row}.")
    return array


def position_column(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column of 0-based positions as int64; whole floats are accepted.

    Raises
    ------
    ValueError
        If a position is missing, a fraction, negative, or beyond 32 bits.

    Examples
    --------
    >>> position_column(pd.DataFrame({"start": [0.0, 7.0]}), "start")
    array([0, 7])
    """
    array = number_column(table, column, missing=True)
    bad = np.flatnonzero(~((array >= 0) & (array <= LAST_BASE) & (array == np.floor(array))))
    if len(bad):
        got = f"{_plain(table[column].iloc[bad[0]])} at row {bad[0]}"
        advice = ""
        if array[bad[0]] < 0:
            advice = " (tiles_to_genome with sizes= cuts tiles off at the ends of chromosomes)"
        raise ValueError(f"{column} must be whole bp from 0 to 2**32 - 1; got {got}{advice}.")
    return array.astype(np.int64)


def region_columns(table: pd.DataFrame, suffix: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Return columns `start` and `end`, 0-based and half-open, as int64.

    Raises
    ------
    ValueError
        As `position_column`, or if a region is empty.

    Examples
    --------
    >>> region_columns(pd.DataFrame({"start_1": [3], "end_1": [5]}), "_1")
    (array([3]), array([5]))
    """
    start, end = position_column(table, f"start{suffix}"), position_column(table, f"end{suffix}")
    empty = np.flatnonzero(end <= start)
    if len(empty):
        row = empty[0]
        raise ValueError(f"end{suffix} must be above start{suffix}; got [{start[row]}, {end[row]}) at row {row}.")
    return start, end


def strand_column(table: pd.DataFrame, column: str = "strand") -> np.ndarray:
    """Return strands as an array of str, with "." for missing values or a missing column.

    Raises
    ------
    ValueError
        If a strand is not "+", "-" or ".".

    Examples
    --------
    >>> strand_column(pd.DataFrame({"strand": ["+", None]})).tolist()
    ['+', '.']
    """
    strand = text_column(table, column)
    for row, value in enumerate(strand):
        if value not in ("+", "-", "."):
            raise ValueError(f"{column} must be '+', '-' or '.'; got {shown(value)} at row {row}.")
    return strand


def text_column(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as an array of str, with "." for missing or empty values or a missing column.

    Examples
    --------
    >>> text_column(pd.DataFrame({"gene_name": ["GATA1", None, 7]}), "gene_name").tolist()
    ['GATA1', '.', '7']
    """
    if column not in table.columns:
        return np.full(len(table), ".", dtype=object)
    values = zip(table[column].to_numpy(dtype=object), table[column].isna())
    return np.array(["." if missing or value == "" else str(value) for value, missing in values], dtype=object)


def _plain(value: object) -> str:
    """Write a value as it stands in a table, cut off where it is long."""
    text = str(value)
    return text if len(text) <= 120 else shown(text)
