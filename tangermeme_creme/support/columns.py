"""Check the columns of tables, and sort rows by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd


def check_columns(table: pd.DataFrame, names: Sequence[str], what: str = "table") -> None:
    """Refuse a table that lacks columns. The message names all missing columns.

    Examples
    --------
    >>> check_columns(pd.DataFrame({"chrom": ["chr1"]}), ["chrom"])
    """
    missing = [repr(name) for name in names if name not in table.columns]
    if missing:
        needed = f"column{'s' * (len(missing) > 1)} {', '.join(missing)}"
        got = ", ".join(map(str, table.columns))[:200]
        raise ValueError(f"{what} must have {needed}; got {got or 'no column'}.")


def sorted_by(table: pd.DataFrame, **orders: Sequence[Any] | None) -> pd.DataFrame:
    """Sort rows by the named columns, each in the given order of its values, or in their own order for None.

    Examples
    --------
    >>> table = pd.DataFrame({"example": ["b", "a", "a"], "track": ["K562", "A", "K562"]})
    >>> sorted_by(table, example=None, track=["K562", "A"])
      example track
    0       a  K562
    1       a     A
    2       b  K562
    """
    places = {name: {value: k for k, value in enumerate(values)} for name, values in orders.items() if values}

    def key(column: pd.Series) -> pd.Series:
        return column.map(places[str(column.name)]) if column.name in places else column

    return table.sort_values(list(orders), key=key, kind="stable", ignore_index=True)
