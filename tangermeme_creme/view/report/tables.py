"""Tables of a page: which rows and columns it shows, and the JSON that the reader's browser makes tables of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...analysis import effect_in
from ..tests import PageTable
from .columns import column_meaning

ROWS, CLOSED_ROWS = 5_000, 2_000  # most rows of a table on the page, and of a table that the reader has to open
_LOCI = ("example", "source")  # columns that name a locus


@dataclass(frozen=True)
class ShownTable:
    """A table of a page.

    `note` stands above the table, `columns` pairs columns with their meanings, and `content` is what JSON holds of the
    table. `content` is None if the page does not show the table.
    """

    key: str
    title: str
    note: str
    columns: list[tuple[str, str]]
    content: dict[str, Any] | None
    closed: bool = False


def shown_table(
    page_table: PageTable, table: pd.DataFrame, loci: Mapping[str, int], genes: Mapping[str, str]
) -> ShownTable:
    """Cut a table of a study to the rows and columns that the page shows.

    Parameters
    ----------
    page_table: PageTable

    table: pandas.DataFrame

    loci: mapping of str to int
        Numbers of the loci that have a part on the page.

    genes: mapping of str to str
        Genes of loci, for a column `gene`. {} if the names of the loci include their genes.

    Returns
    -------
    shown: ShownTable
    """
    names = [name for name in page_table.columns or table.columns if name in table.columns]
    rows, note = _largest(page_table, table)
    rows = rows[names]
    if genes and "example" in names:
        rows.insert(0, "gene", rows["example"].map(genes))
    meanings = [(name, text) for name in rows.columns if (text := column_meaning(str(name)))]
    content = None if rows.empty else content_of(rows, page_table.title, loci)
    return ShownTable(f"table-{page_table.name}", page_table.title, note, meanings, content, page_table.closed)


def _largest(page_table: PageTable, table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the rows that the page shows, and a note if it does not show all."""
    neutral, most = page_table.neutral, CLOSED_ROWS if page_table.closed else ROWS
    rank = None if page_table.rank is None else effect_in(table, page_table.rank)
    if len(table) <= most:
        return table, ""
    where = f"the whole table is tables/{page_table.name}.parquet in the folder of the study."
    if rank is None or rank not in table:
        return table.iloc[:0], f"It has {len(table):,} rows, too many for a page: {where}"
    size = (table[rank].astype(float) - neutral).abs()
    first = size.sort_values(ascending=False, kind="stable", na_position="last").index[:most]
    value = f"|{rank}|" if not neutral else f"|{rank} - {neutral:g}|"
    return table.loc[first], f"Of {len(table):,} rows the {most:,} with the largest {value} are shown; {where}"


def content_of(table: pd.DataFrame, title: str, loci: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Convert a table to what JSON can hold, column by column: numbers to six digits, texts as indices of levels.

    Parameters
    ----------
    table: pandas.DataFrame

    title: str

    loci: mapping of str to int or None, optional
        As in `shown_table`. Default is None.

    Returns
    -------
    content: dict
        `title`, `rows`, and `columns`. Each column has `name`, `about` (its meaning), `kind` ("number" or "text") and
        `values`, with None for a missing value. Numbers have `whole`: whether all are whole numbers. Texts have
        `levels`, and columns of loci `links`: per level the number of the locus, 0 for none.

    Examples
    --------
    >>> content = content_of(pd.DataFrame({"track": ["A", "A"], "effect": [0.123456789, None]}), "Effects")
    >>> [{name: column[name] for name in ("kind", "values")} for column in content["columns"]]
    [{'kind': 'text', 'values': [0, 0]}, {'kind': 'number', 'values': [0.123457, None]}]
    """
    columns = [_column(str(name), table[name], loci or {}) for name in table.columns]
    return {"title": title, "rows": len(table), "columns": columns}


def _column(name: str, values: pd.Series, loci: Mapping[str, int]) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "about": column_meaning(name)}
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
    """Round a number to six digits. Whole numbers stay as they are; missing and infinite values give None.

    Examples
    --------
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
