"""From results of one locus to the rows of a study's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...analysis import stats

if TYPE_CHECKING:
    import torch


TRACKS_DOC = "The tracks to test, by name; an empty array is all of them."
DIRECTION = {"enhancer": "max", "silencer": "min"}  # in which a CRE moves the activity


class OneTrack:
    """An objective: the predictions of one track, shape (B, tracks) to (B,)."""

    def __init__(self, track: int) -> None:
        self.track = track

    def __call__(self, y: torch.Tensor) -> torch.Tensor:
        return y[:, self.track]


def on_scale(scale: str, *ratios: str) -> list[str]:
    """Name the effects of a test on the scale of the study: these ratios, or the one effect of another scale.

    Examples
    --------
    >>> on_scale("ratio", "over_wt", "over_control"), on_scale("difference", "over_wt", "over_control")
    (['over_wt', 'over_control'], ['difference'])
    """
    return list(ratios) if scale == "ratio" else [scale]


def summarized(frame: pd.DataFrame, effects: Sequence[str]) -> pd.DataFrame:
    """Summarize effects over shuffles, with the mean of each activity in a column of its name."""
    activities = [name for name in frame.columns if str(name).startswith("y_")]
    keys = [name for name in frame.columns if name not in activities and name != "shuffle"]
    means = frame.groupby(keys, sort=False, dropna=False)[activities].mean()  # in the order of the summary
    return pd.concat([stats.summarize_effects(frame, effects), means.reset_index(drop=True)], axis=1)


def placed(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Insert columns of one value each after `example`."""
    at = list(frame.columns).index("example") + 1
    for k, (name, value) in enumerate(columns.items()):
        frame.insert(at + k, name, value)
    return frame


def with_spans(frame: pd.DataFrame, tiles: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """Insert `start` and `end` of each tile, in bp of the window, after `tile`."""
    spans = [tiles[tile] for tile in frame["tile"]]
    at = list(frame.columns).index("tile") + 1
    for k, name in enumerate(("start", "end")):
        frame.insert(at + k, name, pd.Series([span[k] for span in spans], index=frame.index, dtype="int64"))
    return frame


def in_context(table: pd.DataFrame, context: Mapping[str, str]) -> pd.DataFrame:
    """Insert the category of the context after `track`; it is missing in tracks in which the locus was not selected."""
    category = table["track"].map(context).astype(object)
    table.insert(list(table.columns).index("track") + 1, "context", category.where(category.notna(), None))
    return table


def cre_labels(tiles: Sequence[tuple[int, int]], tile: int) -> dict[str, int]:
    """Return the columns that name a CRE."""
    start, end = tiles[tile]
    return {"cre_tile": tile, "cre_start": start, "cre_end": end}


def cres_in(cres: pd.DataFrame, tracks: tuple[str, ...]) -> list[Any]:
    """Return `tile`, `track` and `cre` of the CREs in these tracks; no track means all."""
    rows = cres[cres["track"].isin(tracks)] if tracks else cres
    return list(rows[["tile", "track", "cre"]].itertuples(index=False))


class LocusTables:
    """The rows that a test gives for one locus, by table, and the parts of the test that failed."""

    def __init__(self) -> None:
        self.parts: dict[str, list[pd.DataFrame]] = {}
        self.failures: list[tuple[str, Exception]] = []

    def add(self, **tables: pd.DataFrame) -> None:
        """Add rows to tables, by name; a table without rows is left out."""
        for name, table in tables.items():
            if len(table):
                self.parts.setdefault(name, []).append(table)

    def attempt(self, what: str, part: Callable[..., None], *arguments: Any) -> None:
        """Run a part of a test; if it fails, note the error and go on, so that the other parts are kept."""
        try:
            part(self, *arguments)
        except Exception as error:
            self.failures.append((what, error))

    def joined(self) -> dict[str, pd.DataFrame]:
        """Return each table in one piece."""
        return {name: pd.concat(parts, ignore_index=True) for name, parts in self.parts.items()}
