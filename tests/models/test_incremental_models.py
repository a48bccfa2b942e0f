"""Test that any edit gives the same prediction in part and in full, for all adapters and a user's model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import assert_close
from hypothesis import given, settings, strategies as st
from model_cases import MODELS, each, sequences

from tangermeme_creme.engine import EditSession
from tangermeme_creme.sequence import Edits


def both(model: Any, X: torch.Tensor, edits: Edits, **options: Any) -> tuple[torch.Tensor, torch.Tensor, EditSession]:
    results = []
    for incremental in (True, False):
        with EditSession(model, X, incremental=incremental, device="cpu", **options) as session:
            session.predict()
            results.append(session.predict_edits(edits))
        if incremental:
            in_part = session
    return *results, in_part


def edits_at(spans: list[tuple[int, int]], rows: list[int], seed: int = 0) -> Edits:
    generator = torch.Generator().manual_seed(seed)
    content = [torch.randint(0, 5, (end - start,), generator=generator, dtype=torch.uint8) for start, end in spans]
    return Edits(torch.tensor(rows), torch.tensor([s for s, _ in spans]), torch.arange(len(spans)), content)


def relative(y: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest difference, relative to its value or, if larger, a thousandth of the largest value."""
    floor = max(1e-3 * float(expected.abs().max()), 1e-30)  # without a promoter, all predictions of the toy are 0
    return float(((y - expected).abs() / expected.abs().clamp(min=floor)).max())


@each
def test_a_tile_anywhere_gives_the_prediction_in_full(make: Callable[[], Any], length: int) -> None:
    width = length // 16
    spans = [(start, start + width) for start in (0, 1, width - 1, length // 2, length - width - 1, length - width)]
    part, full, session = both(make(), sequences(length), edits_at(spans, [0, 1] * 3))
    assert relative(part, full) < 1e-5
    assert session.work.n_partial >= len(spans)  # more if the check has run a base already
    assert session.work.equivalents < 2 + 0.65 * len(spans)


@each
def test_any_width_gives_the_prediction_in_full(make: Callable[[], Any], length: int) -> None:
    spans = [
        (length // 3, length // 3 + 1),
        (0, 1),
        (length - 1, length),
        (5, 5 + length // 8),
        (0, length),
        (7, length),
    ]
    part, full, session = both(make(), sequences(length), edits_at(spans, [1, 0, 0, 1, 1, 0]))
    assert relative(part, full) < 1e-5
    assert session.work.n_full >= 2 + 2  # the bases, and the two edits that cover a sequence


@pytest.mark.parametrize("name", ["enformer", "basenji", "toy"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_random_edits_give_the_prediction_in_full(name: str, data: st.DataObject) -> None:
    make, length = MODELS[name]
    widths = st.one_of(st.integers(1, 20), st.integers(1, length // 8), st.integers(1, length))
    spans = []
    for width in data.draw(st.lists(widths, min_size=1, max_size=5)):
        start = data.draw(st.sampled_from([0, length - width]) | st.integers(0, length - width))
        spans.append((start, start + width))
    rows = [data.draw(st.integers(0, 1)) for _ in spans]
    batch_size = data.draw(st.integers(1, 6))
    part, full, _ = both(make(), sequences(length), edits_at(spans, rows), batch_size=batch_size)
    assert relative(part, full) < 1e-5


@each
def test_predictions_after_commits_are_those_in_full(make: Callable[[], Any], length: int) -> None:
    first = edits_at(
        [(length // 4, length // 4 + 90), (10, 40), (length // 4 + 200, length // 4 + 230)], [0, 1, 0], seed=1
    )
    then = edits_at([(length // 2, length // 2 + 50), (0, 30)], [0, 1], seed=2)
    results = []
    for incremental in (True, False):
        with EditSession(make(), sequences(length), incremental=incremental, device="cpu") as session:
            session.predict(), session.predict_edits(then)
            session.commit(first)
            before = session.work.equivalents
            results.append((session.predict(), session.predict_edits(then)))
            if incremental:
                assert session.work.equivalents - before < 2  # no base ran again
    for part, full in zip(*results):
        assert relative(part, full) < 1e-5


@pytest.mark.parametrize("name", ["enformer", "basenji", "toy"])
def test_double_precision_agrees_far_better(name: str) -> None:
    make, length = MODELS[name]
    model = make()
    model.double()
    try:
        spans = [(length // 2 - 70, length // 2 + 70), (0, 100), (length - 30, length)]
        part, full, _ = both(model, sequences(length).double(), edits_at(spans, [0, 1, 1]))
        assert_close(part, full, rtol=1e-7, atol=0)  # Enformer's positions stay in single precision
    finally:
        model.float()


@pytest.mark.parametrize("name", ["enformer", "basenji"])
@pytest.mark.parametrize("dtype", ["bfloat16", torch.float16])
def test_half_precision_differs_by_its_rounding_only(name: str, dtype: Any) -> None:
    make, length = MODELS[name]
    spans = [(length // 2 - 70, length // 2 + 70), (0, 100), (length - 30, length)]
    part, full, session = both(make(), sequences(length), edits_at(spans, [0, 1, 1]), dtype=dtype)
    assert relative(part.float(), full.float()) < (0.05 if dtype == "bfloat16" else 0.01)
    assert session.work.n_partial == len(spans)
