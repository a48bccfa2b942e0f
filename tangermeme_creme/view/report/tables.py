"""Tables of a page: which columns and rows are shown, and how they are written down for the reader's browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .columns import describe

ROWS, CLOSED_ROWS = 5_000, 2_000  # of a table that are put into a page, and of one that the reader has to open
_LOCI = ("example", "source")  # columns that name a locus


@dataclass(frozen=True)
class Wanted:
    """A table of a study as a page shows it.

    Parameters
    ----------
    name: str

    title: str

    columns: tuple of str
        Those shown, as far as they are there. () is all.

    rank: str or None
        The column whose largest values are shown of a long table. None: a long table is left out.

    neutral: float
        What its values are counted from.

    closed: bool
        Whether the reader has to open it.
    """

    name: str
    title: str
    columns: tuple[str, ...] = ()
    rank: str | None = None
    neutral: float = 0.0
    closed: bool = False


@dataclass(frozen=True)
class Shown:
    """A table of a page: what is said above it, what its columns mean, and its content for JSON, if it is shown."""

    key: str
    title: str
    note: str
    columns: list[tuple[str, str]]
    content: dict[str, Any] | None
    closed: bool = False


def shown_table(wanted: Wanted, table: pd.DataFrame, loci: Mapping[str, int], genes: Mapping[str, str]) -> Shown:
    """A table of a study, cut to what a page can hold.

    Parameters
    ----------
    wanted: Wanted

    table: pandas.DataFrame

    loci: mapping of str to int
        Numbers of the loci that have a part of their own in the page.

    genes: mapping of str to str
        Names of genes that the names of their loci do not tell; or {}.

    Returns
    -------
    shown: Shown
    """
    names = [name for name in wanted.columns or table.columns if name in table.columns]
    rows, note = _cut(wanted, table)
    rows = rows[names]
    if genes and "example" in names:
        rows.insert(0, "gene", rows["example"].map(genes))
    described = [(name, text) for name in rows.columns if (text := describe(str(name)))]
    content = None if rows.empty else content_of(rows, wanted.title, loci)
    return Shown(f"table-{wanted.name}", wanted.title, note, described, content, wanted.closed)


def _cut(wanted: Wanted, table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    most = CLOSED_ROWS if wanted.closed else ROWS
    if len(table) <= most:
        return table, ""
    where = f"the whole table is tables/{wanted.name}.parquet in the folder of the study."
    if wanted.rank is None or wanted.rank not in table:
        return table.iloc[:0], f"It has {len(table):,} rows, too many for a page: {where}"
    size = (table[wanted.rank].astype(float) - wanted.neutral).abs()
    first = size.sort_values(ascending=False, kind="stable", na_position="last").index[:most]
    value = f"|{wanted.rank}|" if not wanted.neutral else f"|{wanted.rank} - {wanted.neutral:g}|"
    return table.loc[first], f"Of {len(table):,} rows the {most:,} with the largest {value} are shown; {where}"


def content_of(table: pd.DataFrame, title: str, loci: Mapping[str, int] | None = None) -> dict[str, Any]:
    """A table as what JSON can hold, column by column: numbers to six digits, texts as numbers of their levels.

    Parameters
    ----------
    table: pandas.DataFrame

    title: str

    loci: mapping of str to int or None, optional
        As in `shown_table`. Default is None.

    Returns
    -------
    content: dict
        `title`, `rows`, and `columns`: `name`, `about`, `kind` ("number" or "text"), `values` with None where one is
        missing, for numbers whether all are `whole`, and for texts `levels`, with `links` to loci beside them, 0 for
        none.

    Examples
    --------
    >>> content = content_of(pd.DataFrame({"track": ["A", "A"], "effect": [0.123456789, None]}), "Effects")
    >>> [{name: column[name] for name in ("kind", "values")} for column in content["columns"]]
    [{'kind': 'text', 'values': [0, 0]}, {'kind': 'number', 'values': [0.123457, None]}]
    """
    columns = [_column(str(name), table[name], loci or {}) for name in table.columns]
    return {"title": title, "rows": len(table), "columns": columns}


def _column(name: str, values: pd.Series, loci: Mapping[str, int]) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "about": describe(name)}
    numeric = pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
    if numeric:
        numbers = [rounded(value) for value in values]
        whole = all(value is None or isinstance(value, int) for value in numbers)
        return {**column, "kind": "number", "whole": whole, "values": numbers}
    texts = [None if pd.isna(value) or value == "" else _text(value) for value in values]
    levels = {text: k for k, text in enumerate(dict.fromkeys(text for text in texts if text is not None))}
    column |= {"kind": "text", "levels": list(levels)}
    column["values"] = [None if text is None else levels[text] for text in texts]
    if name in _LOCI and loci:
        column["links"] = [loci.get(text, 0) for text in levels]
    return column


def rounded(value: Any) -> int | float | None:
    """A number to six digits, whole ones as they are; None for what is missing or infinite.

    >>> [rounded(value) for value in (123456789, 5000.0, 0.123456789, float("nan"))]
    [123456789, 5000, 0.123457, None]
    """
    if pd.isna(value) or not np.isfinite(value):
        return None
    if value == int(value) and abs(value) < 2**53:
        return int(value)
    return float(f"{value:.6g}")


def _text(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return str(value)
