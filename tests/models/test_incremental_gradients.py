"""Test gradients of a span with cached activations against gradients of the full network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from model_cases import MODELS, each, sequences

from tangermeme_creme.analysis.fine_mapping import captum_attribution
from tangermeme_creme.engine import ActivationCache, SpanObjective


def gradients(model: Any, X: torch.Tensor, spans: list[tuple[int, int]], **options: Any) -> tuple[torch.Tensor, Any]:
    with SpanObjective(model, X, torch.tensor(spans), device="cpu", **options) as objective:
        rows = torch.arange(len(X))
        x = objective.one_hot(rows).requires_grad_()
        (gradient,) = torch.autograd.grad(objective(x, rows).sum(), x)
    return gradient, objective.work


def relative(y: torch.Tensor, expected: torch.Tensor) -> float:
    return float((y - expected).abs().max() / expected.abs().max().clamp(min=1e-30))


@each
def test_a_span_anywhere_has_the_gradient_in_full(make: Callable[[], Any], length: int) -> None:
    width = length // 16
    for starts in [(0, length - width), (length // 2 - 5, length // 3), (1, width - 1)]:
        spans = [(start, start + width) for start in starts]
        part, work = gradients(make(), sequences(length), spans, incremental=True)
        full, _ = gradients(make(), sequences(length), spans, incremental=False)
        assert relative(part, full) < 1e-5
        assert work.n_partial == 2 and work.n_full == 0


@each
def test_the_gradient_in_full_is_that_of_autograd(make: Callable[[], Any], length: int) -> None:
    start, end = length // 2 - 30, length // 2 + 50
    full, work = gradients(make(), sequences(length), [(start, end)] * 2, incremental=False)
    X = sequences(length).requires_grad_()
    y = make()(X)
    (expected,) = torch.autograd.grad(y.reshape(2, -1).mean(1).sum(), X)
    assert relative(full, expected[:, :, start:end]) < 1e-5
    assert expected[0].abs().max() > 0
    assert work.n_full == 2 and work.positions == 2 * length


@pytest.mark.parametrize("name", ["basenji", "toy"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_span_has_the_gradient_in_full(name: str, data: st.DataObject) -> None:
    make, length = MODELS[name]
    width = data.draw(st.one_of(st.integers(1, 20), st.integers(1, length)))
    spans = [
        (start, start + width) for start in data.draw(st.lists(st.integers(0, length - width), min_size=2, max_size=2))
    ]
    part, _ = gradients(make(), sequences(length), spans)
    full, _ = gradients(make(), sequences(length), spans, incremental=False)
    assert relative(part, full) < 1e-5


def test_a_span_beyond_what_is_read_has_a_gradient_of_zero_and_no_error() -> None:
    from tangermeme_creme.engine.incremental import IncrementalModel

    torch.manual_seed(0)
    local = torch.nn.Sequential(torch.nn.Conv1d(4, 3, 5, padding=2), torch.nn.MaxPool1d(4))
    head = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(9, 1))
    model = IncrementalModel(local, head, keep=[(10, 13)])
    X = sequences(160)
    part, work = gradients(model, X, [(100, 120)] * 2, incremental=True)
    full, _ = gradients(model, X, [(100, 120)] * 2, incremental=False)
    assert work.n_partial == 2
    assert not part.any() and not full.any()


def test_integrated_gradients_of_enformer_from_an_unknown_span_add_up() -> None:
    """Integrated gradients must start at 0.25, because the adapter fills unknown bases with it."""
    make, length = MODELS["enformer"]
    X, span = sequences(length)[:1], (length // 2 - 40, length // 2 + 40)
    values = captum_attribution(make(), X, method="integrated_gradients", span=span, baselines=0.25, device="cpu")
    unknown = X.clone()
    unknown[:, :, slice(*span)] = 0
    with torch.no_grad():
        gain = (make()(X) - make()(unknown)).mean()
    assert abs(float(values.sum() - gain)) < 0.01 * abs(float(gain))


def test_a_shared_cache_is_used_and_the_work_is_counted() -> None:
    make, length = MODELS["basenji"]
    cache, X = ActivationCache(), sequences(length)
    gradients(make(), X, [(200, 230)] * 2, cache=cache)
    _, work = gradients(make(), X, [(200, 230)] * 2, cache=cache)
    assert work.equivalents < 0.6 * 2  # the activations of the sequences were cached
    assert cache.work.n_partial == 4


def test_a_model_that_cannot_run_in_part_says_so_and_runs_in_full() -> None:
    from tangermeme.utils import TangermemeWarning

    from tangermeme_creme.engine.incremental import IncrementalModel

    model = IncrementalModel(torch.nn.GroupNorm(1, 4), torch.nn.Conv1d(4, 1, 3)).eval()
    X = sequences(160)
    with pytest.warns(TangermemeWarning, match=r"runs in full.*GroupNorm"):
        part, work = gradients(model, X, [(50, 60)] * 2)
    assert work.n_full == 2 and work.n_partial == 0
    torch.testing.assert_close(part, gradients(model, X, [(50, 60)] * 2, incremental=False)[0])
    with pytest.raises(ValueError, match=r"incremental=True needs.*GroupNorm"):
        gradients(model, X, [(50, 60)] * 2, incremental=True)
