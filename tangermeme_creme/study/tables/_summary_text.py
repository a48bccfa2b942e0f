"""Summaries of a study as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import pandas as pd

from ._summary_list import SUMMARIES

WIDTH = 100
_ROWS = 24  # per section


def text_of(summaries: Mapping[str, pd.DataFrame], scale: str = "ratio", remarks: Sequence[str] = ()) -> str:
    """Write the summaries that have rows as sections of aligned columns, no wider than `WIDTH`, after remarks."""
    lines = [line for remark in remarks for line in (*textwrap.wrap(_cell(remark), WIDTH), "")]
    for one in SUMMARIES:
        if one.name in summaries and len(table := one.shape(summaries[one.name])):
            lines += [one.heading(scale), *aligned(table.head(_ROWS))]
            if len(table) > _ROWS:
                lines.append(f"  and {len(table) - _ROWS} more rows: see {one.name}.csv")
            lines.append("")
    return "\n".join(lines[:-1]) if lines else "no table has rows yet."


def aligned(table: pd.DataFrame) -> list[str]:
    """Align a table, text to the left and numbers to the right; the longest texts are cut where it is too wide.

    Examples
    --------
    >>> print("\\n".join(aligned(pd.DataFrame({"track": ["K562", "A"], "n": [2, 10], "mean": [0.12345, None]}))))
      track   n   mean
      K562    2  0.123
      A      10      -
    """
    numeric = [pd.api.types.is_numeric_dtype(table[name].dtype) for name in table.columns]
    columns = [[_cell(name), *map(_cell, table[name])] for name in table.columns]
    widths = [max(map(len, column)) for column in columns]
    while 2 * len(widths) + sum(widths) > WIDTH:
        widths[widths.index(max(widths))] -= 1
    rows = zip(*columns)
    return [
        "".join(
            f"  {_cut(cell, width):>{width}}" if number else f"  {_cut(cell, width):<{width}}"
            for cell, width, number in zip(row, widths, numeric)
        ).rstrip()
        for row in rows
    ]


def _cell(value: object) -> str:
    if isinstance(value, str):
        return " ".join("".join(letter if letter.isprintable() else " " for letter in value).split())
    if value is None or value != value:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value:.0f}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 2)] + ".."
