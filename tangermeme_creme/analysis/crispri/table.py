"""Tables of CRISPRi experiments, read and checked: every error says where."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ...support import check_columns, open_bytes

Source: TypeAlias = str | os.PathLike[str] | pd.DataFrame
Where: TypeAlias = Callable[[int], str]

# Names that a column goes by, and the one that it gets.
_RENAMED = {"chromStart": "start", "chromEnd": "end", "measuredEnsemblID": "measuredGeneEnsemblId"}
_NEEDED = ("chrom", "chromStart", "chromEnd", "measuredGeneSymbol", "Regulated")
_TEXT = ("chrom", "name", "chrTSS", "measuredGeneSymbol", "ValidConnection", "CellType", "Reference", "Dataset")
_MISSING = ("", "NA", "N/A", "NAN", "NONE", "NULL", "<NA>")
_FLAGS = {"TRUE": True, "FALSE": False, "1": True, "0": False, "1.0": True, "0.0": False}


def load_crispri(table: Source) -> tuple[pd.DataFrame, Where]:
    """A table of element-gene pairs in one form, from a file or a frame, and where each row stood.

    Parameters
    ----------
    table: path or pandas.DataFrame
        As `read_crispri` and `compare_with_crispri` describe. Is not modified.

    Returns
    -------
    rows: pandas.DataFrame
        `chrom` (str), `start` and `end` (int64), `measuredGeneSymbol` (str or NaN), `Regulated` (boolean, with NA)
        and `EffectSize` (float64, if there), and the other columns; numbered from 0.

    where: callable
        From the number of a row to words for an error.

    Examples
    --------
    >>> one = {"chrom": 1, "start": 5, "end": 9, "measuredGeneSymbol": "GATA1", "Regulated": "TRUE"}
    >>> rows, where = load_crispri(pd.DataFrame([one], index=[7]))
    >>> rows["Regulated"].tolist(), where(0)
    ([True], 'row 7 of table')
    """
    if isinstance(table, pd.DataFrame):
        labels = table.index
        return _in_one_form(table, "table", lambda row: f"row {labels[row]} of table")
    path = Path(table)
    header, lines, cells = _cells(path)
    frame = pd.DataFrame(cells, columns=pd.Index(header, dtype=object), dtype=object)
    rows, where = _in_one_form(frame, str(path), lambda row: f"line {lines[row]} of {path}")
    own = [*_TEXT, "start", "end", "Regulated", "EffectSize"]
    return rows.assign(**{name: _inferred(rows[name]) for name in rows.columns if name not in own}), where


def whole_numbers(values: pd.Series, column: str, where: Where, minimum: int | None = 0) -> np.ndarray:
    """A column of whole numbers as int64; also text such as "1e+06", as R writes it.

    Examples
    --------
    >>> whole_numbers(pd.Series(["7", "1e+06"]), "start", lambda row: f"row {row}")
    array([      7, 1000000])
    """
    numbers = _floats(values)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53)
        good &= minimum is None or numbers >= minimum
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        rule = "a whole number" if minimum is None else f"a whole number from {minimum}"
        raise ValueError(f"{column} must be {rule}; got {_shown(values, row)} in {where(row)}.")
    return numbers.astype(np.int64)


def check_order(start: np.ndarray, end: np.ndarray, where: Where) -> None:
    """Refuse spans that do not end after they start.

    Examples
    --------
    >>> check_order(np.array([3]), np.array([5]), lambda row: f"row {row}")
    """
    bad = np.flatnonzero(end <= start)
    if len(bad):
        row = int(bad[0])
        raise ValueError(f"spans must end after they start; got [{start[row]}, {end[row]}) in {where(row)}.")


def text(values: pd.Series) -> pd.Series:
    """A column as text, with NaN where it is missing.

    Examples
    --------
    >>> text(pd.Series(["chr1", "NA", np.nan], dtype=object)).tolist()
    ['chr1', nan, nan]
    """
    strings = values.astype(object).map(lambda value: str(value).strip())
    return strings.where(~_missing(values), np.nan)


def full_text(values: pd.Series, column: str, where: Where) -> pd.Series:
    """A column as text, of which nothing may be missing.

    Examples
    --------
    >>> full_text(pd.Series([1, 2]), "chrom", lambda row: f"row {row}").tolist()
    ['1', '2']
    """
    strings = text(values)
    missing = np.flatnonzero(strings.isna())
    if len(missing):
        row = int(missing[0])
        raise ValueError(f"{column} must not be missing; got {_shown(values, row)} in {where(row)}.")
    return strings


def _cells(path: Path) -> tuple[list[str], list[int], list[list[str]]]:
    """The header, and the number and the cells of each line."""
    with open_bytes(path) as file:
        data = file.read()
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter="\t")
        lines, cells = [], []
        for line in reader:
            if line:
                lines.append(reader.line_num)
                cells.append(line)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} must be tab-separated text; got {error}.") from error
    if not cells:
        raise ValueError(f"{path} must have a header; got an empty file.")
    header = [name.strip().removeprefix("#") for name in cells[0]]
    _in_frame(pd.DataFrame(columns=pd.Index(header, dtype=object)), str(path))  # before the lines: it may be no table
    for number, line in zip(lines[1:], cells[1:]):
        if len(line) != len(header):
            raise ValueError(
                f"every line of {path} must have the {len(header)} columns of its header; got {len(line)} in line "
                f"{number}. Is the file cut off?"
            )
    return header, lines[1:], cells[1:]


def _in_frame(table: pd.DataFrame, name: str) -> dict[str, Any]:
    """The columns by their one name, and refuse a table that lacks one, or has one twice."""
    found: dict[str, Any] = {}
    for column in table.columns:
        known = _RENAMED.get(column, column)
        if known in found:
            raise ValueError(f"{name} must have each column once; got {found[known]!r} and {column!r}.")
        found[known] = column
    check_columns(table, [column for column in _NEEDED if _RENAMED.get(column, column) not in found], name)
    return found


def _in_one_form(table: pd.DataFrame, name: str, where: Where) -> tuple[pd.DataFrame, Where]:
    found = _in_frame(table, name)
    rows = table.rename(columns=_RENAMED).reset_index(drop=True)
    start, end = (whole_numbers(rows[column], found[column], where) for column in ("start", "end"))
    check_order(start, end, where)
    typed: dict[str, Any] = {"start": start, "end": end, "chrom": full_text(rows["chrom"], "chrom", where)}
    typed["Regulated"] = _flags(rows["Regulated"], "Regulated", where)
    if "EffectSize" in found:
        typed["EffectSize"] = _floats(rows["EffectSize"])
        bad = np.flatnonzero(np.isnan(typed["EffectSize"]) & ~_missing(rows["EffectSize"]))
        if len(bad):
            got = f"{_shown(rows['EffectSize'], int(bad[0]))} in {where(int(bad[0]))}"
            raise ValueError(f"EffectSize must be a number or NA; got {got}.")
    typed |= {column: text(rows[column]) for column in _TEXT if column in found and column not in typed}
    return rows.assign(**typed), where


def _flags(values: pd.Series, column: str, where: Where) -> pd.Series:
    """TRUE, FALSE and NA, as flags or as text."""
    missing = _missing(values)
    flags = text(values).str.upper().map(_FLAGS)
    bad = np.flatnonzero(flags.isna() & ~missing)
    if len(bad):
        row = int(bad[0])
        raise ValueError(f"{column} must be TRUE, FALSE or NA; got {_shown(values, row)} in {where(row)}.")
    return flags.astype("boolean")


def _inferred(values: pd.Series) -> pd.Series:
    """A column of text as numbers or flags where all of it is."""
    missing = _missing(values)
    numbers = pd.to_numeric(values.where(~missing, np.nan), errors="coerce")
    if (numbers.notna() | missing).all():
        return numbers
    if values[~missing].isin(("TRUE", "FALSE")).all():
        return values.map({"TRUE": True, "FALSE": False}).astype("boolean")
    return values.where(~missing, np.nan)


def _missing(values: pd.Series) -> np.ndarray:
    words = values.astype(object).map(lambda value: str(value).strip().upper())
    return (values.isna() | words.isin(_MISSING)).to_numpy(dtype=bool)


def _floats(values: pd.Series) -> np.ndarray:
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _shown(values: pd.Series, row: int) -> str:
    value = values.iloc[row]
    return repr(value.item() if isinstance(value, np.generic) else value)
