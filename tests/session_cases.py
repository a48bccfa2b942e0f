"""Edits, a naive loop over them, and a model that records its calls."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from helpers import (
    Mixer,
    codes_of,
    one_hot,
    put,
)
from tangermeme.predict import predict

from tangermeme_creme.sequence import Edits

LENGTH = 24


POOL = ["ACG", "TTTTT", "N", "GATTACA"]


def pool() -> list[torch.Tensor]:
    return [codes_of(text) for text in POOL]


def some_edits() -> Edits:
    """Seven edits of three rows, out of order, up to both ends."""
    places = [(2, 0, 0), (0, 21, 0), (0, 4, 1), (1, 9, 2), (2, 17, 3), (2, 0, 3), (1, 19, 1)]
    return Edits(*(torch.tensor(part) for part in zip(*places)), pool())


def edited(X: torch.Tensor, edits: Edits) -> list[torch.Tensor]:
    """Each edit on its own, by hand."""
    parts = zip(edits.base.tolist(), edits.start.tolist(), edits.content_index.tolist())
    return [put(X[row], start, one_hot(POOL[index], X.dtype)) for row, start, index in parts]


def looped(model: torch.nn.Module, sequences: Any, *args: torch.Tensor, **options: Any) -> Any:
    """tangermeme's predict, one sequence at a time."""
    single = [[arg[i : i + 1] for arg in args] or None for i in range(len(sequences))]
    y = [predict(model, x[None], args=arg, device="cpu", **options) for x, arg in zip(sequences, single)]
    return torch.cat(y) if isinstance(y[0], torch.Tensor) else [torch.cat(part) for part in zip(*y)]


class Spy(Mixer):
    """Remembers how many sequences, and how many that are still alive, there were at each forward pass."""

    def __init__(self, length: int = LENGTH) -> None:
        super().__init__(length)
        self.given: list[int] = []
        self.alive: list[int] = []
        self.modes: list[bool] = []
        self._seen: list[weakref.ref[torch.Tensor]] = []

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self._seen.append(weakref.ref(X))
        self.given.append(len(X))
        self.alive.append(sum(len(x) for x in (ref() for ref in self._seen) if x is not None))
        self.modes.extend(module.training for module in self.modules())
        return super().forward(X)


class RecordedProgress:
    """A progress bar that records its updates."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def update(self, n: int) -> None:
        self.batches.append(n)
