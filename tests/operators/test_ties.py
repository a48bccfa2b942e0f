"""Values that are equal up to rounding tie."""

from __future__ import annotations

import torch
from hypothesis import given, strategies as st
from tangermeme.utils import random_one_hot

from tangermeme_creme import fine_tile_search, higher_order_interaction_test
from tangermeme_creme.operators._ties import first_best, ranked, rounding

ROUNDS = st.floats(-100, 100, allow_subnormal=False)


@given(st.lists(ROUNDS, min_size=1, max_size=20))
def test_ranked_without_a_tolerance_is_a_stable_sort(values: list[float]) -> None:
    assert ranked(values, 0.0) == sorted(range(len(values)), key=lambda j: (-values[j], j))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.data())
def test_rounding_changes_neither_the_ranking_nor_the_best(levels: list[int], data: st.DataObject) -> None:
    noise = data.draw(st.lists(st.floats(-1e-7, 1e-7), min_size=len(levels), max_size=len(levels)))
    noisy = [level + e for level, e in zip(levels, noise)]
    tolerance = float(rounding(torch.tensor([[5.0]])))
    assert ranked(noisy, tolerance) == sorted(range(len(levels)), key=lambda j: (-levels[j], j))
    best = first_best(torch.tensor([noisy], dtype=torch.float64), torch.tensor([[tolerance]]))
    assert best.tolist() == [levels.index(max(levels))]


def test_first_best_never_takes_nan() -> None:
    values = torch.tensor([[torch.nan, -5.0, torch.nan], [torch.nan, torch.nan, -9.0]])
    assert first_best(values, torch.zeros(2, 1)).tolist() == [1, 2]


class Wobbles(torch.nn.Module):
    """Feels nothing but the first base, and rounds every sequence differently in another batch."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        wobble = 1 + 1e-7 * torch.arange(len(X), dtype=X.dtype) * (-1) ** torch.arange(len(X))
        return (7.0 + X[:, :1, 0]) * wobble[:, None]


def test_the_batch_size_decides_no_tie() -> None:
    X, tiles = random_one_hot((2, 4, 120), random_state=0).float(), [(90, 120), (30, 60), (60, 90)]
    for carry in ("closest", "all"):
        orders = [
            higher_order_interaction_test(
                Wobbles(), X, tiles, direction="min", n=2, carry=carry, random_state=0, batch_size=size
            ).order.tolist()
            for size in (1, 4, 64)
        ]
        assert orders == [[[0, 1, 2]] * 2] * 3
    kept = [
        fine_tile_search(
            Wobbles(), X, (0, 30), (40, 100), scales=(10,), thresholds=(0.5,), prune=(1,), n=2, random_state=0,
            batch_size=size,
        ).trace[0]
        for size in (1, 5, 64)
    ]  # fmt: skip
    assert [[step.removed for step in trace] for trace in kept] == [
        [(), *(((start, start + 10),) for start in range(40, 100, 10))]
    ] * 3


def test_of_two_shuffles_the_first_is_carried_in_any_batch() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv1d(4, 8, 7), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.LazyLinear(1))
    X, tiles = random_one_hot((20, 4, 100), random_state=0).float(), [(0, 30), (40, 80)]
    model(X)
    for size in (1, 3, 64):
        result = higher_order_interaction_test(
            model, X, tiles, direction="max", rounds=1, n=2, random_state=0, batch_size=size
        )
        fixed = result.y_candidates[torch.arange(20), 0, result.order[:, 0]]
        assert torch.equal(result.y_start[:, 1], fixed[:, 0])


class Weighted(torch.nn.Module):
    """Feels every place differently, on a scale of its own for each example."""

    def forward(self, X: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        pairs = X[:, 0] * X[:, 0].roll(1, -1) * torch.arange(X.shape[-1])
        return (500 + pairs.sum(-1, keepdim=True)) * scale


def test_a_strong_example_does_not_blur_the_choices_of_a_weak_one() -> None:
    X, tiles = random_one_hot((2, 4, 300), random_state=1).float(), [(start, start + 60) for start in range(0, 300, 60)]
    scale = torch.tensor([[1e6], [1e-3]])
    for carry in ("closest", "all"):
        options = {"direction": "min", "n": 3, "carry": carry}
        together = higher_order_interaction_test(Weighted(), X, tiles, random_state=[0, 1], args=[scale], **options)
        alone = higher_order_interaction_test(Weighted(), X[1:], tiles, random_state=[1], args=[scale[1:]], **options)
        assert together.order[1].tolist() == alone.order[0].tolist() != [0, 1, 2, 3, 4]
        assert torch.equal(together.y_start[1], alone.y_start[0])
