"""Columns that must be there."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def check_columns(table: pd.DataFrame, names: Sequence[str], what: str = "table") -> None:
    """Refuse a table that lacks columns; all that are missing are named.

    Examples
    --------
    >>> check_columns(pd.DataFrame({"chrom": ["chr1"]}), ["chrom"])
    """
    missing = [repr(name) for name in names if name not in table.columns]
    if missing:
        needed = f"column{'s' * (len(missing) > 1)} {', '.join(missing)}"
        got = ", ".join(map(str, table.columns))[:200]
        raise ValueError(f"{what} must have {needed}; got {got or 'no column'}.")
