"""Errors of the network itself, which sees NaN for X in the second part, and so may fail there alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import assert_close
from incremental_cases import F64, bases, convolve, edited, edits_at, naive
from torch import nn

from tangermeme_creme.engine import EditSession, IncrementalModel

L = 120
EDITS = edits_at((0, 60, 1), (1, 30, 2))


def refuses_nan(X: torch.Tensor) -> torch.Tensor:
    if X.isnan().any():
        raise KeyError("NaN in X")
    return X


def refuses_what_is_not_one_hot(X: torch.Tensor) -> torch.Tensor:
    assert (X.sum(1) <= 1).all(), "not one-hot"
    return X


def encodes_again(X: torch.Tensor) -> torch.Tensor:
    return nn.functional.one_hot((X * torch.arange(4.0)[:, None]).sum(1).long(), 4).mT.to(X.dtype)


class Strict(nn.Module):
    """Passes X through `check`, then to a tower."""

    def __init__(self, check: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.tower, self.check = nn.Sequential(convolve(), nn.MaxPool1d(4)), check

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.tower(self.check(X)).mean(-1) + sum(args))


CHECKS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], str]] = {
    "NaN": (refuses_nan, "NaN in X"),
    "one-hot": (refuses_what_is_not_one_hot, "not one-hot"),
    "tokens": (encodes_again, "Class values must be non-negative"),
}


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("n_args", [0, 1])
@pytest.mark.parametrize("edits_first", [True, False])
def test_a_network_that_checks_x_runs_in_full(name: str, n_args: int, edits_first: bool) -> None:
    check, message = CHECKS[name]
    net, X, args = Strict(check).eval(), bases(2, L), [torch.ones(2, 1, dtype=F64)] * n_args

    def predict() -> list[Any]:
        model = IncrementalModel.from_modules(net, ["tower"])
        with EditSession(model, X, args=args or None) as session:
            return [session.predict_edits(EDITS) if edits_first else None, session.predict()]

    with pytest.warns(match=f"runs in full, not incrementally: .*; got .*{message}"):
        of_edits, of_bases = predict()
    assert_close(of_bases, naive(net, X, *args))
    if edits_first:
        assert_close(of_edits, naive(net, edited(X, EDITS), *[arg[EDITS.base] for arg in args]))


class Limited(nn.Module):
    """Fails for a reason of its own, in the second part."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(convolve(), nn.MaxPool1d(4))

    def forward(self, X: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        h = self.tower(X)
        if k.max() > 1:
            raise KeyError("k is too large")
        return h.mean(-1) * k


@pytest.mark.parametrize("incremental", [True, "auto"])
@pytest.mark.parametrize("edits", [True, False])
def test_an_error_of_the_whole_network_is_its_own(incremental: Any, edits: bool) -> None:
    model, k = IncrementalModel.from_modules(Limited().eval(), ["tower"]), torch.full((2, 1), 2.0, dtype=F64)
    with (
        EditSession(model, bases(2, L), args=[k], incremental=incremental) as session,
        pytest.raises(KeyError, match="k is"),
    ):
        session.predict_edits(EDITS) if edits else session.predict()
