"""Summaries of a study as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

WIDTH = 100
_ROWS = 24  # of a section
_PICKED = 6  # of offsets, copies and so on, as columns


def text_of(summaries: Mapping[str, pd.DataFrame]) -> str:
    """Sections of aligned columns, of those summaries that are there, no wider than `WIDTH`."""
    lines: list[str] = []
    for title, name, shaped in _SECTIONS:
        if name in summaries and len(table := shaped(summaries[name])):
            lines += [title, *aligned(table.head(_ROWS))]
            if len(table) > _ROWS:
                lines.append(f"  and {len(table) - _ROWS} rows more: see {name}.csv")
            lines.append("")
    return "\n".join(lines[:-1]) if lines else "no table has rows yet."


def aligned(table: pd.DataFrame) -> list[str]:
    """Lines of a table, text to the left and numbers to the right; the longest texts are cut where it is too wide.

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


def _columns(*names: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table[list(names)]


def _wide(column: str, value: str, number: str = "mean") -> Callable[[pd.DataFrame], pd.DataFrame]:
    """One value, with some of the numbers in a column side by side."""

    def shaped(table: pd.DataFrame) -> pd.DataFrame:
        table = table[table["value"] == value]
        every = np.unique(table[column])
        picked = np.unique(every[np.linspace(0, len(every) - 1, min(_PICKED, len(every))).round().astype(int)])
        keys = [name for name in table.columns[: list(table.columns).index("value")] if name != column]
        return _pivot(table[table[column].isin(picked)], keys, column, number)

    return shaped


def _classes(table: pd.DataFrame) -> pd.DataFrame:
    """Classes side by side."""
    keys = [name for name in table.columns if name not in ("class", "n")]
    return _pivot(table, keys, "class", "n", fill=0)


def _pivot(table: pd.DataFrame, keys: list[str], column: str, number: str, fill: int | None = None) -> pd.DataFrame:
    if not len(table):
        return pd.DataFrame()
    order = table.groupby(keys, sort=False).ngroup()
    wide = table.assign(_order=order).pivot(index=["_order", *keys], columns=column, values=number)
    wide = wide if fill is None else wide.fillna(fill).astype(int)
    wide = wide.sort_index(level="_order").droplevel("_order").reset_index()
    wide.columns = [str(name) for name in wide.columns]
    return wide


_FOLD = ("n", "q25", "median", "q75")
_SECTIONS: list[tuple[str, str, Callable[[pd.DataFrame], pd.DataFrame]]] = [
    ("Contexts", "contexts", _columns("track", "context", "n", "n_selected", "median_effect")),
    (
        "Contexts swapped: activity of a TSS tile over that in its own context",
        "swap",
        _columns("track", "source_context", "target_context", *_FOLD),
    ),
    ("Necessity of tiles", "necessity", _columns("track", "context", *_FOLD)),
    ("Sufficiency of tiles", "sufficiency", _columns("track", "context", "value", *_FOLD)),
    ("Tiles that were called", "calls", _columns("track", "context", "n_loci", "n_tiles", "enhancers", "silencers")),
    (
        "CREs, and the distance of their middle from the TSS in bp",
        "cres",
        _columns("track", "cre", "n", "n_loci", "median_distance"),
    ),
    ("Distance: mean fraction of the maximum, by offset in bp", "distance", _wide("offset", "fraction_of_max")),
    ("Copies: mean fold over the control", "multiplicity", _wide("copies", "fold_over_control")),
    ("Does the effect of copies level off?", "saturation", lambda table: table),
    ("Greedy search: mean fold over the wild type, by tiles shuffled", "higher_order", _wide("n_tiles", "observed")),
    ("How the tiles of greedy searches act", "interaction_classes", _classes),
    (
        "Chosen tiles in backgrounds: mean fold over the wild type, by tiles added",
        "set_sufficiency",
        _wide("n_tiles", "fold_over_wt"),
    ),
    ("Pairs of tiles", "interactions", _classes),
    ("Fine tiles: bp kept of a CRE", "fine_tile", _columns("track", "cre", *_FOLD)),
    ("Fine mapping: fewest bp that keep the effect", "fine_mapping", _columns("track", "cre", "method", "n", "median")),
    (
        "Mann-Whitney tests",
        "tests",
        _columns("track", "value", "group_1", "group_2", "n_1", "n_2", "median_1", "median_2", "p_bonferroni"),
    ),
    ("Failures", "failures", _columns("stage", "error", "n", "n_loci", "first_message")),
]
