"""From results of one locus to the rows of a study's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import torch

from ...analysis.stats import summarize_effects


class OneTrack:
    """An objective: the predictions of one track, shape (B, tracks) to (B,)."""

    def __init__(self, track: int) -> None:
        self.track = track

    def __call__(self, y: torch.Tensor) -> torch.Tensor:
        return y[:, self.track]


def summarized(frame: pd.DataFrame, effects: Sequence[str]) -> pd.DataFrame:
    """`summarize_effects`, and the mean of each activity over shuffles in a column of its name."""
    activities = [name for name in frame.columns if str(name).startswith("y_")]
    keys = [name for name in frame.columns if name not in activities and name != "shuffle"]
    means = frame.groupby(keys, sort=False)[activities].mean().reset_index()
    return summarize_effects(frame, effects).merge(means, on=keys, how="left", validate="one_to_one")


def placed(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """With columns of one value each, after `example`."""
    at = list(frame.columns).index("example") + 1
    for k, (name, value) in enumerate(columns.items()):
        frame.insert(at + k, name, value)
    return frame


def with_spans(frame: pd.DataFrame, tiles: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """With `start` and `end` of each tile, in bp of the window, after `tile`."""
    spans = [tiles[tile] for tile in frame["tile"]]
    at = list(frame.columns).index("tile") + 1
    for k, name in enumerate(("start", "end")):
        frame.insert(at + k, name, pd.Series([span[k] for span in spans], index=frame.index, dtype="int64"))
    return frame


class Tables:
    """Rows by the name of their table, gathered from parts; and what failed at which part."""

    def __init__(self) -> None:
        self.parts: dict[str, list[pd.DataFrame]] = {}
        self.failures: list[tuple[str, Exception]] = []

    def add(self, **tables: pd.DataFrame) -> None:
        """Add rows to tables, by name; a table without rows stays away."""
        for name, table in tables.items():
            if len(table):
                self.parts.setdefault(name, []).append(table)

    def attempt(self, what: str, part: Callable[..., None], *arguments: Any) -> None:
        """Run a part, and if it fails note that and go on, so that the other parts are not lost."""
        try:
            part(self, *arguments)
        except Exception as error:
            self.failures.append((what, error))

    def whole(self) -> dict[str, pd.DataFrame]:
        """Each table in one piece."""
        return {name: pd.concat(parts, ignore_index=True) for name, parts in self.parts.items()}
