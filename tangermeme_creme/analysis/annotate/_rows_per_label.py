"""Repeat the rows of a table, one row per label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd


def rows_per_label(
    table: pd.DataFrame, name: str, labels: Sequence[str], columns: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Repeat each row of a table once per label, with columns of values from arrays of shape (N, K).

    Raises
    ------
    ValueError
        If the table has one of the new columns already.

    Examples
    --------
    >>> rows_per_label(pd.DataFrame({"gene": ["A"]}), "mark", ["DNase", "CTCF"], {"mean": np.array([[1.0, 2.0]])})
      gene   mark  mean
    0    A  DNase   1.0
    1    A   CTCF   2.0
    """
    for column in (name, *columns):
        if column in table.columns:
            raise ValueError(f"table must not have column {column!r}, because it is added; rename it.")
    rows = table.iloc[np.repeat(np.arange(len(table)), len(labels))].reset_index(drop=True)
    added = {name: np.tile(np.array(labels, dtype=object), len(table))}
    return rows.assign(**added, **{column: values.ravel() for column, values in columns.items()})
