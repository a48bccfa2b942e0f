"""Split networks with bins to keep, in half precision, under gradients, and after a refusal."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import assert_close
from incremental_cases import F64, bases, edited, edits_at, naive
from torch import nn

from tangermeme_creme.engine import ActivationCache, EditSession, IncrementalModel, SpanObjective

L = 240
EDITS = edits_at((0, 100, 5), (1, 3, 2), (0, L - 3, 3), (1, 60, 20))


class Center(nn.Module):
    """Predict from the bins [5, 25) of 30, and with a skip from the bases [40, 200)."""

    def __init__(self, skip: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.pool, self.out = nn.Conv1d(4, 6, 5, padding=2), nn.MaxPool1d(8), nn.Linear(6, 2)
        self.skip = skip
        self.to(F64).eval()

    def forward(self, X: torch.Tensor, k: torch.Tensor | None = None) -> torch.Tensor:
        a = self.conv(X)
        h = self.pool(a.relu())
        y = self.out(h[..., 5:25].square().mean(-1))
        if self.skip:
            y = y + a[:, :2, 40:200].mean(-1)
        return y if k is None else y * k


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("axis", [-1, 2])
def test_bins_that_the_rest_reads_may_be_kept_alone(skip: bool, axis: int) -> None:
    net, X, cache = Center(skip), bases(2, L), ActivationCache()
    keep = [(40, 200), (5, 25)] if skip else [(5, 25)]
    model = IncrementalModel.from_modules(net, ["conv", "pool"], keep=keep, axis=axis)
    with EditSession(model, X, incremental=True, cache=cache) as session:
        assert_close(session.predict(), naive(net, X))
        assert_close(session.predict_edits(EDITS), naive(net, edited(X, EDITS)))
    assert session.work.n_partial == 4
    assert cache.nbytes == 2 * 8 * (6 * 20 + 6 * 160 * skip)


def test_bins_that_the_rest_reads_beyond_those_kept_are_told() -> None:
    net, X = Center(False), bases(2, L)
    model = IncrementalModel.from_modules(net, ["conv", "pool"], keep=[(6, 25)])

    def predict() -> torch.Tensor:
        with EditSession(model, X) as session:
            return session.predict_edits(EDITS)

    with pytest.warns(match=r"runs in full, not incrementally: .*got NaN\."):
        assert_close(predict(), naive(net, edited(X, EDITS)))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_split_network_runs_under_autocast(dtype: Any) -> None:
    net, X = Center(True).float(), bases(2, L)
    model = IncrementalModel.from_modules(net, ["conv", "pool"])
    with EditSession(model, X, dtype=dtype, incremental=True) as session:
        y = session.predict_edits(EDITS)
    torch.testing.assert_close(y.double(), naive(net.double(), edited(X, EDITS)), rtol=0.05, atol=0.01)
    assert session.work.n_partial == 4


@pytest.mark.parametrize("keep", [None, [(40, 200), (5, 25)]])
@pytest.mark.parametrize("args", [[False, True, False], [True, False, True]])
def test_gradients_of_inputs_in_turns(keep: Any, args: list[bool]) -> None:
    net, X, k = Center(True), bases(2, L), torch.tensor([[2.0], [3.0]], dtype=F64)
    model, spans = IncrementalModel.from_modules(net, ["conv", "pool"], keep=keep), torch.tensor([[90, 130], [60, 100]])

    def gradient(passed: bool, incremental: bool) -> torch.Tensor:
        options: dict[str, Any] = {"args": [k] if passed else None, "incremental": incremental}
        with SpanObjective(model, X, spans, **options) as objective:
            x = objective.one_hot(torch.arange(2)).requires_grad_()
            return torch.autograd.grad(objective(x, torch.arange(2)).sum(), x)[0]

    for passed in args:
        assert_close(gradient(passed, True), gradient(passed, False))


def test_gradients_of_a_network_that_reads_x_run_in_full() -> None:
    class ReadsX(Center):
        def forward(self, X: torch.Tensor, k: torch.Tensor | None = None) -> torch.Tensor:
            y = super().forward(X)
            return y if k is None else y + k * (X.sum((1, 2)) < L)[:, None]

    X, k, spans = bases(2, L), torch.ones(2, 1, dtype=F64), torch.tensor([[90, 130], [60, 100]])
    X[1, :, :10] = 0
    model = IncrementalModel.from_modules(ReadsX(True), ["conv", "pool"])

    def value() -> torch.Tensor:
        with SpanObjective(model, X, spans, args=[k]) as objective:
            return objective(objective.one_hot(torch.arange(2)), torch.arange(2))

    with pytest.warns(match="runs in full, not incrementally: .*one that reads X"):
        y = value()
    assert_close(y, naive(model.local.model, X, k).mean(1))


def test_a_network_that_is_refused_takes_edits() -> None:
    net, X = Center(True), bases(2, L)
    model, cache = IncrementalModel.from_modules(net, ["pool"]), ActivationCache()

    def predict() -> torch.Tensor:
        with EditSession(model, X, cache=cache) as session:
            session.predict_edits(EDITS)
            session.commit(edits_at((0, 100, 5)))
            return session.predict()

    with pytest.warns(match="runs in full, not incrementally: .*as from X"):
        y = predict()
    expected = X.clone()
    expected[:1] = edited(X, edits_at((0, 100, 5)))
    assert_close(y, naive(net, expected))


class Costly(Center):
    """Spends most on the optional input."""

    def __init__(self) -> None:
        super().__init__(False)
        self.big = nn.Sequential(nn.Linear(2, 900), nn.Linear(900, 2)).to(F64)

    def forward(self, X: torch.Tensor, k: torch.Tensor | None = None) -> torch.Tensor:
        return super().forward(X) if k is None else super().forward(X) + self.big(k)


def test_arithmetic_is_counted_with_the_inputs_that_are_passed() -> None:
    model, k = IncrementalModel.from_modules(Costly(), ["conv", "pool"]), torch.ones(2, 2, dtype=F64)
    counts = []
    for args in (None, [k], None, [k]):
        with EditSession(model, bases(2, L), args=args, incremental=True) as session:
            session.predict()
            before = session.work.arithmetic
            session.predict_edits(EDITS)
            counts.append(session.work.arithmetic - before)
    assert 0 < counts[0] == counts[2] < counts[1] == counts[3] < 4
