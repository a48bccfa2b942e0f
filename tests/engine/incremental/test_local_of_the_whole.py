"""A `local` that depends on the whole sequence, or on the place in it, where a short sequence does not show it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from helpers import assert_close
from incremental_cases import Does, bases, convolve, edited, edits_at, naive, split
from torch import nn

from tangermeme_creme.engine import EditSession, IncrementalModel

L = 600
EDITS = edits_at((0, 300, 5), (1, 150, 9), (2, 280, 9), (2, L - 30, 9), (0, 60, 9), (1, L - 200, 9))
EDITS = EDITS._replace(content=[content % 4 for content in EDITS.content])  # no unknown bases
Change = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Tower(nn.Module):
    """A convolution, then `change` of X and the output, then a pool."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.pool, self.change = convolve(), nn.MaxPool1d(4), change

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.pool(self.change(X, self.conv(X)))


def unknown(X: torch.Tensor) -> torch.Tensor:
    return (X.sum(1) == 0).double()


def place(h: torch.Tensor) -> torch.Tensor:
    return torch.arange(h.shape[-1])


# By the reason for which each is refused.
CHANGES: dict[str, tuple[Change, str]] = {
    "share of unknown bases": (
        lambda X, h: h / (1 - (X.sum(1) == 0).double().mean(-1))[:, None, None],
        "a difference of",
    ),
    "where any is unknown": (lambda X, h: torch.where(unknown(X).any(), 2 * h, h), "a difference of"),
    "many unknown": (lambda X, h: torch.where(unknown(X).sum() > 60, 2 * h, h), "must not depend on the window"),
    "if any is unknown": (lambda X, h: 2 * h if unknown(X).any() else h, "values of X decide what it runs"),
    "if one is large": (lambda X, h: h / h.max() if h.max() > 1.2 else h, "values of X decide what it runs"),
    "a level of each 400 bp": (lambda X, h: h * (1.0 + place(h) // 400), "a difference of"),
    "the last 100 bp masked": (lambda X, h: h * (place(h) < L - 100), "a difference of"),
}


def sequences() -> torch.Tensor:
    """Three sequences, of which the last has a long run of unknown bases."""
    X = bases(3, L)
    X[2, :, 450:540] = 0
    return X


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("named", [True, False])
def test_a_local_that_sees_the_whole_sequence_runs_in_full(name: str, named: bool) -> None:
    change, message = CHANGES[name]
    model, X = split(Tower(change), L), sequences()
    if named:
        model = IncrementalModel.from_modules(nn.Sequential(model.local, model.head).eval(), ["0"])

    def predict() -> torch.Tensor:
        with EditSession(model, X, batch_size=1) as session:
            return session.predict_edits(EDITS)

    with pytest.warns(match=f"runs in full, not incrementally: .*{message}"):
        y = predict()
    assert_close(y, naive(model, edited(X, EDITS)))


def test_unknown_bases_that_are_filled_run_in_part() -> None:
    def fill(X: torch.Tensor) -> torch.Tensor:
        X = X.clone()
        X[(X == 0).all(1, keepdim=True).expand_as(X)] = 0.25
        return X

    model, X = split(nn.Sequential(Does(fill), convolve(), nn.MaxPool1d(4)), L), sequences()
    with EditSession(model, X, incremental=True) as session:
        assert_close(session.predict_edits(EDITS), naive(model, edited(X, EDITS)))
    assert session.work.n_partial == len(EDITS.base)
