"""The search on models of which every score is worked out by hand."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from helpers import (
    CountA,
    one_hot,
    random_sequences,
)
from tangermeme.utils import TangermemeWarning

from tangermeme_creme import fine_tile_search
from tangermeme_creme.operators import FineTileResult, FineTileStep
from tangermeme_creme.sequence import Span


class Places(torch.nn.Module):
    """The sum of what each A at [0, 10) adds; every other base adds nothing."""

    def __init__(self, weights: Sequence[float], offset: float = 0.0) -> None:
        super().__init__()
        self.weights, self.offset = torch.tensor(weights), offset

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.offset + (X[:, 0, :10] * self.weights).sum(-1, keepdim=True)


def by_hand(weights: Sequence[float], offset: float = 0.0, **options: Any) -> FineTileResult:
    """Search [0, 10), ten A, in two backgrounds of C."""
    X, backgrounds = one_hot("A" * 10 + "G" * 10)[None], one_hot("C" * 20).expand(1, 2, 4, 20)
    return fine_tile_search(Places(weights, offset), X, (10, 20), (0, 10), backgrounds=backgrounds, n=2, **options)


def removed(result: FineTileResult) -> list[list[Span]]:
    return [list(step.removed) for step in result.trace[0][1:]]


def test_fine_tile_removes_what_hurts_least_first() -> None:
    weights = [4, 1, 9, 9, 9, 9, 9, 9, 9, 2]
    result = by_hand(weights, scales=(1,), thresholds=(0.89,), prune=(1,))
    # 70 in all; 0.89 of it is 62.3, so that 1, 2 and 4 may go (63), and no 9.
    assert removed(result) == [[(1, 2)], [(9, 10)], [(0, 1)]]
    assert [step.score for step in result.trace[0]] == pytest.approx([1, 69 / 70, 67 / 70, 63 / 70])
    assert result.kept == [[(2, 9)]]


def test_fine_tile_stops_before_the_threshold_is_met_exactly() -> None:
    result = by_hand([1] * 10, scales=(1,), thresholds=(0.5,), prune=(1,))
    assert [step.bp_kept for step in result.trace[0]] == [10, 9, 8, 7, 6]


def test_fine_tile_undoes_the_step_that_crosses() -> None:
    result = by_hand([1] * 9 + [100], scales=(1, 1), thresholds=(0.95, 0.94), prune=(1, 1))
    # Of 109: 104 is 0.954 and 103 is 0.945, which only the second stage allows; 102 is 0.936.
    assert [step.stage for step in result.trace[0]] == [0] * 6 + [1]
    assert [step.score for step in result.trace[0]] == pytest.approx([k / 109 for k in range(109, 102, -1)])
    assert removed(result) == [[(k, k + 1)] for k in range(6)]


def test_fine_tile_takes_the_leftmost_of_equal_sub_tiles() -> None:
    result = by_hand([1] * 10, scales=(3,), thresholds=(0.1,), prune=(1,))
    assert removed(result) == [[(9, 10)], [(0, 3)], [(3, 6)]]  # the tail hurts least


def test_fine_tile_retries_smaller_blocks_down_to_one() -> None:
    result = by_hand([1] * 10, scales=(1,), thresholds=(0.25,), prune=(4,))
    assert [len(spans) for spans in removed(result)] == [4, 3]
    result = by_hand([1] * 10, scales=(1,), thresholds=(0.45,), prune=(4,))
    assert [len(spans) for spans in removed(result)] == [4, 1]


def test_fine_tile_lists_a_block_from_left_to_right() -> None:
    result = by_hand([3, 2, 1, 9, 9, 9, 9, 9, 9, 9], scales=(1,), thresholds=(0.85,), prune=(3,))
    assert removed(result) == [[(0, 1), (1, 2), (2, 3)]]


def test_fine_tile_removes_all_that_adds_nothing() -> None:
    result = by_hand([0] * 10, offset=5, scales=(4,), thresholds=(0.9,), prune=(1,))
    assert removed(result) == [[(0, 4)], [(4, 8)], [(8, 10)]]
    assert result.kept == [[]] and not result.mask.any()
    assert result.trace[0][-1] == FineTileStep(0, 0, 1.0, ((8, 10),))


def test_fine_tile_cuts_the_survivors_of_a_stage_into_the_next() -> None:
    weights = [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    result = by_hand(weights, scales=(4, 3), thresholds=(0.9, 0.9), prune=(1, 1))
    # Of (0, 4), (4, 8) and the tail (8, 10) the first goes; then (4, 7), (7, 8), (8, 10) are tried.
    assert removed(result) == [[(0, 4)], [(7, 8)]]
    assert result.kept == [[(4, 7), (8, 10)]]


def test_fine_tile_effect_of_a_silencer_leaves_the_control_out() -> None:
    weights = [-1.0] * 5 + [0] * 5
    result = by_hand(weights, offset=100, scales=(1,), thresholds=(0.7,), prune=(1,), direction="min")
    assert removed(result) == [[(k, k + 1)] for k in (5, 6, 7, 8, 9, 0)]
    assert [step.score for step in result.trace[0]] == pytest.approx([1.0] * 6 + [0.8])
    assert result.kept == [[(1, 5)]]


def test_fine_tile_activity_of_a_silencer_stays_below_the_threshold() -> None:
    weights = [-1.0] * 5 + [0] * 5
    options: dict[str, Any] = {"scales": (1,), "prune": (1,), "direction": "min", "score": "activity"}
    result = by_hand(weights, offset=10, thresholds=(1.3,), **options)
    assert [step.score for step in result.trace[0]] == pytest.approx([1.0] * 6 + [1.2])
    assert removed(result)[-1] == [(0, 1)]


def test_fine_tile_default_score_is_activity_for_max_and_effect_for_min() -> None:
    for direction, sign, score in (("max", 1, "activity"), ("min", -1, "effect")):
        weights = [sign * k for k in range(10)]
        options: dict[str, Any] = {"scales": (2,), "thresholds": (0.8,), "prune": (1,), "direction": direction}
        given_ = by_hand(weights, offset=100.0, score=score, **options)
        assert by_hand(weights, offset=100.0, **options).trace == given_.trace


@pytest.mark.parametrize(
    ("weights", "offset", "options"),
    [
        ([0] * 10, 0.0, {}),
        ([-1] * 10, 5.0, {}),
        ([0] * 10, 5.0, {"score": "effect"}),
        ([-1] * 10, 5.0, {"score": "effect"}),
        ([0] * 10, 5.0, {"direction": "min"}),
        ([1] * 10, 5.0, {"direction": "min"}),
        ([-1] * 10, 5.0, {"direction": "min", "score": "activity", "thresholds": (1.1,)}),
    ],
    ids=[
        "zero",
        "negative",
        "no effect",
        "an effect downwards",
        "no effect, min",
        "an effect upwards, min",
        "negative, min",
    ],
)
def test_fine_tile_without_a_score_keeps_everything(weights: list[float], offset: float, options: dict) -> None:
    with pytest.warns(
        TangermemeWarning, match=r"^1 of 1 CREs have .* nothing is pruned and the score is NaN: example 0\.$"
    ):
        result = by_hand(weights, offset, **{"scales": (3,), "thresholds": (0.5,), "prune": (1,), **options})
    assert result.kept == [[(0, 10)]] and result.mask.all()
    (step,) = result.trace[0]
    assert step[:2] == (0, 10) and math.isnan(step.score) and step.removed == ()


def test_fine_tile_warns_once_of_all_examples_without_a_score() -> None:
    X = random_sequences(7, 60)
    with pytest.warns(TangermemeWarning) as caught:
        result = fine_tile_search(
            CountA(), X, (30, 40), (0, 10), scales=(5,), thresholds=(0.5,), prune=(1,), n=2, random_state=0,
            objective=lambda y: 0 * y[:, 0],
        )  # fmt: skip
    (warning,) = caught
    assert str(warning.message).startswith("7 of 7 CREs ") and "example 0, 1, 2, 3, 4, ..." in str(warning.message)
    assert warning.filename == __file__
    assert result.kept == [[(0, 10)]] * 7


def test_fine_tile_names_only_the_examples_without_a_score() -> None:
    backgrounds = one_hot("C" * 20).expand(3, 1, 4, 20)
    X = torch.stack([one_hot(text + "G" * 10) for text in ("A" * 10, "C" * 10, "A" * 10)])
    with pytest.warns(TangermemeWarning, match=r"^1 of 3 CREs have .*: example 1\.$"):
        result = fine_tile_search(
            Places([1.0] * 10), X, (10, 20), (0, 10), scales=(5,), thresholds=(0.4,), prune=(1,), n=1,
            backgrounds=backgrounds,
        )  # fmt: skip
    assert result.kept == [[(5, 10)], [(0, 10)], [(5, 10)]]


def test_fine_tile_with_a_score_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_hand([1] * 10, scales=(3,), thresholds=(0.5,), prune=(1,))
