"""Read and check tables of CRISPRi experiments; every error names the row or line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ...support import check_cells, check_columns, read_cells, shown

CrispriSource: TypeAlias = str | os.PathLike[str] | pd.DataFrame
RowName: TypeAlias = Callable[[int], str]

# Other names of columns, and the name that replaces them.
_RENAMED = {"chromStart": "start", "chromEnd": "end", "measuredEnsemblID": "measuredGeneEnsemblId"}
_NEEDED = ("chrom", "chromStart", "chromEnd", "measuredGeneSymbol", "Regulated")
_TEXT = ("chrom", "name", "chrTSS", "measuredGeneSymbol", "ValidConnection", "CellType", "Reference", "Dataset")
_MISSING = ("", "NA", "N/A", "NAN", "NONE", "NULL", "<NA>")
_FLAGS = {"TRUE": True, "FALSE": False, "1": True, "0": False, "1.0": True, "0.0": False}


def load_crispri(table: CrispriSource, cell_type: str | None = None) -> tuple[pd.DataFrame, RowName]:
    """Load a table of element-gene pairs from a file or a frame, with uniform column names and types.

    Rows of other cell types are not checked. An element of no length is one base, as in the benchmark.

    Parameters
    ----------
    table: path or pandas.DataFrame
        As `read_crispri` and `compare_with_crispri` describe. A frame is not modified.

    cell_type: str or None, optional
        `CellType` of the rows to load. None is all. Default is None.

    Returns
    -------
    rows: pandas.DataFrame
        `chrom` (str), `start` and `end` (int64), `measuredGeneSymbol` (str or NaN), `Regulated` (boolean with NA) and
        `EffectSize` (float64, if the table has it), and the other columns; the index counts from 0.

    row_name: callable
        Function from the number of a row to words for errors: its line in the file, or its label in the frame.

    Examples
    --------
    >>> pair = {"chrom": 1, "start": 5, "end": 9, "measuredGeneSymbol": "GATA1", "Regulated": "TRUE"}
    >>> rows, row_name = load_crispri(pd.DataFrame([pair], index=[7]))
    >>> rows["Regulated"].tolist(), row_name(0)
    ([True], 'row 7 of table')
    """
    if isinstance(table, pd.DataFrame):
        _original_names(table, "table")
        table = _of_cell_type(table, cell_type, "table")
        labels = table.index
        return _uniform(table, "table", lambda row: f"row {labels[row]} of table")
    path = Path(table)
    header, lines, cells = read_cells(path)
    header = [name.strip().removeprefix("#") for name in header]
    # Checked before the lines, because the file may not be a table of pairs at all.
    _original_names(pd.DataFrame(columns=pd.Index(header, dtype=object)), str(path))
    check_cells(path, header, lines, cells)
    frame = pd.DataFrame(cells, columns=pd.Index(header, dtype=object), dtype=object, index=lines)
    frame = _of_cell_type(frame, cell_type, str(path))
    numbers = frame.index
    rows, row_name = _uniform(frame, str(path), lambda row: f"line {numbers[row]} of {path}")
    typed = [*_TEXT, "start", "end", "Regulated", "EffectSize"]
    return rows.assign(**{name: _infer_type(rows[name]) for name in rows.columns if name not in typed}), row_name


def whole_numbers(values: pd.Series, column: str, row_name: RowName, minimum: int | None = 0) -> np.ndarray:
    """Return a column of whole numbers as int64; text such as "1e+06", as R writes it, is accepted.

    Examples
    --------
    >>> whole_numbers(pd.Series(["7", "1e+06"]), "start", lambda row: f"row {row}")
    array([      7, 1000000])
    """
    numbers = _to_floats(values)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53)
        good &= minimum is None or numbers >= minimum
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        rule = "a whole number" if minimum is None else f"a whole number from {minimum}"
        raise ValueError(f"{column} must be {rule}; got {_value_text(values, row)} in {row_name(row)}.")
    return numbers.astype(np.int64)


def check_order(start: np.ndarray, end: np.ndarray, row_name: RowName) -> None:
    """Refuse spans that do not end after they start.

    Examples
    --------
    >>> check_order(np.array([3]), np.array([5]), lambda row: f"row {row}")
    """
    bad = np.flatnonzero(end <= start)
    if len(bad):
        row = int(bad[0])
        raise ValueError(f"spans must end after they start; got [{start[row]}, {end[row]}) in {row_name(row)}.")


def text(values: pd.Series) -> pd.Series:
    """Return a column as text, with NaN for missing values.

    Examples
    --------
    >>> text(pd.Series(["chr1", "NA", np.nan], dtype=object)).tolist()
    ['chr1', nan, nan]
    """
    strings = values.astype(object).map(lambda value: str(value).strip())
    return strings.where(~_is_missing(values), np.nan)


def full_text(values: pd.Series, column: str, row_name: RowName) -> pd.Series:
    """Return a column as text, and refuse missing values.

    Examples
    --------
    >>> full_text(pd.Series([1, 2]), "chrom", lambda row: f"row {row}").tolist()
    ['1', '2']
    """
    strings = text(values)
    missing = np.flatnonzero(strings.isna())
    if len(missing):
        row = int(missing[0])
        raise ValueError(f"{column} must not be missing; got {_value_text(values, row)} in {row_name(row)}.")
    return strings


def first_repeat(table: pd.DataFrame, columns: list[str]) -> tuple[int, int] | None:
    """Return the label of the first row that repeats an earlier row in these columns, after that of the earlier row.

    Examples
    --------
    >>> first_repeat(pd.DataFrame({"gene": ["A", "B", "A"]}), ["gene"])
    (0, 2)
    """
    again = table.duplicated(columns)
    if not again.any():
        return None
    row = again.idxmax()
    return int((table[columns] == table.loc[row, columns]).all(axis=1).idxmax()), int(row)


def _original_names(table: pd.DataFrame, name: str) -> dict[str, Any]:
    """Map each uniform column name to its name in the table; refuse missing and repeated columns."""
    names: dict[str, Any] = {}
    for column in table.columns:
        uniform = _RENAMED.get(column, column)
        if uniform in names:
            raise ValueError(f"{name} must have each column once; got {shown(names[uniform])} and {shown(column)}.")
        names[uniform] = column
    check_columns(table, [column for column in _NEEDED if _RENAMED.get(column, column) not in names], name)
    return names


def _of_cell_type(table: pd.DataFrame, cell_type: str | None, name: str) -> pd.DataFrame:
    if cell_type is None:
        return table
    check_columns(table, ["CellType"], name)
    types = text(table["CellType"])
    if not (types == cell_type).any():
        known = ", ".join(map(shown, sorted(types.dropna().unique())[:20]))
        raise ValueError(f"cell_type must be one of {known or 'none'}; got {cell_type!r}.")
    return table[(types == cell_type).to_numpy()]


def _uniform(table: pd.DataFrame, name: str, row_name: RowName) -> tuple[pd.DataFrame, RowName]:
    """Give a table uniform column names and types; return `row_name` with it."""
    names = _original_names(table, name)
    rows = table.rename(columns=_RENAMED).reset_index(drop=True)
    start, end = (whole_numbers(rows[column], names[column], row_name) for column in ("start", "end"))
    end = np.where(end == start, start + 1, end)
    check_order(start, end, row_name)
    typed: dict[str, Any] = {"start": start, "end": end, "chrom": full_text(rows["chrom"], "chrom", row_name)}
    typed["Regulated"] = _as_booleans(rows["Regulated"], "Regulated", row_name)
    if "EffectSize" in names:
        typed["EffectSize"] = _to_floats(rows["EffectSize"])
        bad = np.flatnonzero(np.isnan(typed["EffectSize"]) & ~_is_missing(rows["EffectSize"]))
        if len(bad):
            got = f"{_value_text(rows['EffectSize'], int(bad[0]))} in {row_name(int(bad[0]))}"
            raise ValueError(f"EffectSize must be a number or NA; got {got}.")
    typed |= {column: text(rows[column]) for column in _TEXT if column in names and column not in typed}
    return rows.assign(**typed), row_name


def _as_booleans(values: pd.Series, column: str, row_name: RowName) -> pd.Series:
    """Convert TRUE, FALSE and NA, as booleans or as text, to booleans with NA."""
    missing = _is_missing(values)
    flags = text(values).str.upper().map(_FLAGS)
    bad = np.flatnonzero(flags.isna() & ~missing)
    if len(bad):
        row = int(bad[0])
        raise ValueError(f"{column} must be TRUE, FALSE or NA; got {_value_text(values, row)} in {row_name(row)}.")
    return flags.astype("boolean")


def _infer_type(values: pd.Series) -> pd.Series:
    """Convert a column of text to numbers or booleans, if all its values are."""
    missing = _is_missing(values)
    numbers = pd.to_numeric(values.where(~missing, np.nan), errors="coerce")
    if (numbers.notna() | missing).all():
        return numbers
    if values[~missing].isin(("TRUE", "FALSE")).all():
        return values.map({"TRUE": True, "FALSE": False}).astype("boolean")
    return values.where(~missing, np.nan)


def _is_missing(values: pd.Series) -> np.ndarray:
    words = values.astype(object).map(lambda value: str(value).strip().upper())
    return (values.isna() | words.isin(_MISSING)).to_numpy(dtype=bool)


def _to_floats(values: pd.Series) -> np.ndarray:
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _value_text(values: pd.Series, row: int) -> str:
    return shown(values.iloc[row])
