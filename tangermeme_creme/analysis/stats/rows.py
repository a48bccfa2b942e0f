"""Arrange the shuffles of each row of a table side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...support import check_columns
from ..values import as_float

Block = tuple[np.ndarray, dict[str, np.ndarray]]


def shuffles_side_by_side(table: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, list[Block]]:
    """Convert a table with one row per shuffle to arrays of shape (G, n), one block per number of shuffles n.

    Parameters
    ----------
    table: pandas.DataFrame
        Has a column `shuffle`. All columns other than `shuffle` and activities (`y_...`) name a group.

    columns: sequence of str
        Activities to return.

    Returns
    -------
    groups: pandas.DataFrame
        The columns that name a group, one row per group in the order of the table.

    blocks: list of (rows, values)
        Rows of `groups`, and their activities as arrays of shape (G, n), in order of `shuffle`.

    Examples
    --------
    >>> table = pd.DataFrame({"tile": [0, 0, 1, 1], "shuffle": [1, 0, 0, 1], "y_mut": [4.0, 3.0, 1.0, 2.0]})
    >>> groups, [(rows, values)] = shuffles_side_by_side(table, ["y_mut"])
    >>> groups["tile"].tolist(), rows.tolist(), values["y_mut"].tolist()
    ([0, 1], [0, 1], [[3.0, 4.0], [1.0, 2.0]])
    """
    check_columns(table, ["shuffle", *columns])
    keys = [name for name in table.columns if name != "shuffle" and name not in columns and str(name)[:2] != "y_"]
    if keys:
        group = table.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    else:
        group = np.zeros(len(table), dtype=np.int64)
    shuffle = table["shuffle"].to_numpy()
    order = np.lexsort((shuffle, group))
    group, shuffle = group[order], shuffle[order]
    again = (group[1:] == group[:-1]) & (shuffle[1:] == shuffle[:-1])
    if again.any():
        k = order[1:][again][0]
        raise ValueError(
            f"each shuffle must occur once; got shuffle {shuffle[1:][again][0]} twice for {group_text(table[keys], k)}."
        )
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, dtype=np.int64)
    sizes = np.diff(np.r_[first, len(group)])
    if len(sizes) and sizes.max() == 1 and table["shuffle"].nunique() > 1:
        raise ValueError(
            "columns other than shuffle and activities (y_...) must be the same for all shuffles of a row; got only "
            f"rows of one shuffle by {', '.join(map(str, keys))}."
        )
    groups = table.iloc[order[first]][keys].reset_index(drop=True)
    numbers = {name: as_float(table[name], name)[order] for name in columns}
    blocks = []
    for n in np.unique(sizes):
        rows = np.flatnonzero(sizes == n)
        places = first[rows, None] + np.arange(n)
        blocks.append((rows, {name: array[places] for name, array in numbers.items()}))
    return groups, blocks


def group_text(groups: pd.DataFrame, row: int) -> str:
    """Describe a row of groups in words, for errors.

    Examples
    --------
    >>> group_text(pd.DataFrame({"example": ["GATA2"], "tile": [4]}), 0)
    'example GATA2, tile 4'
    """
    return ", ".join(f"{name} {groups[name].iloc[row]}" for name in groups.columns) or "the table"
