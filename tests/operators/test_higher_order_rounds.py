"""Rounds, ties, holdout and errors of the higher-order interaction test."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import (
    CountA,
    Mixer,
    answer,
    assert_close,
    random_sequences,
)

from tangermeme_creme import higher_order_interaction_test

LENGTH = 90


MODEL = Mixer(LENGTH)


TILES = [(60, 75), (0, 20), (20, 38), (76, 90)]


def average_of(x: torch.Tensor) -> float:
    return float(answer(MODEL, x).mean())


def test_interaction_starts_from_the_wild_type() -> None:
    X = random_sequences(2, LENGTH)
    y_start = higher_order_interaction_test(MODEL, X, TILES, direction="min", n=2, random_state=0).y_start
    assert_close(y_start[:, 0], torch.tensor([average_of(x) for x in X], dtype=torch.float64))


def test_interaction_that_carries_all_starts_a_round_from_the_mean_of_the_last() -> None:
    X = random_sequences(2, LENGTH)
    result = higher_order_interaction_test(MODEL, X, TILES, direction="min", n=3, carry="all", random_state=0)
    assert_close(result.y_start[:, 1:], result.y_selected)


def test_interaction_that_carries_the_closest_starts_a_round_from_a_candidate_of_the_last() -> None:
    X = random_sequences(2, LENGTH)
    result = higher_order_interaction_test(MODEL, X, TILES, direction="min", n=3, random_state=0)
    for i in range(2):
        for r, t in enumerate(result.order[i].tolist()):
            tried = result.y_candidates[i, r, t]
            nearest = (tried - tried.mean()).abs().argmin()
            assert result.y_start[i, r + 1] == tried[nearest]


@pytest.mark.parametrize("carry", ["closest", "all"])
def test_interaction_draws_the_holdout_from_where_the_stream_went_on(carry: str) -> None:
    X = random_sequences(2, LENGTH)
    options: dict[str, Any] = {"direction": "min", "rounds": 1, "carry": carry, "random_state": 0}
    few = higher_order_interaction_test(MODEL, X, TILES, n=3, n_holdout=2, **options)
    many = higher_order_interaction_test(MODEL, X, TILES, n=5, **options)
    assert_close(few.y_candidates, many.y_candidates[..., :3])
    for i, t in enumerate(few.order[:, 0].tolist()):
        assert_close(few.y_holdout[i, 0], many.y_candidates[i, 0, t, 3:].mean())


@pytest.mark.parametrize("carry", ["closest", "all"])
def test_interaction_chooses_the_same_with_and_without_holdout(carry: str) -> None:
    X = random_sequences(2, LENGTH)
    options: dict[str, Any] = {"direction": "min", "n": 3, "carry": carry, "random_state": 0}
    plain = higher_order_interaction_test(MODEL, X, TILES, **options)
    held_out = higher_order_interaction_test(MODEL, X, TILES, n_holdout=2, **options)
    assert torch.equal(plain.order, held_out.order)
    assert_close(plain.y_start, held_out.y_start)


@pytest.mark.parametrize("direction", ["min", "max"])
def test_interaction_takes_the_first_of_equal_tiles(direction: str) -> None:
    result = higher_order_interaction_test(
        CountA(), random_sequences(2, LENGTH), TILES, direction=direction, n=3, random_state=0
    )
    assert result.order.tolist() == [[0, 1, 2, 3]] * 2  # a shuffle keeps the counts, so that all are equal


def test_interaction_carries_the_first_of_two_shuffles_which_are_equally_close() -> None:
    X = random_sequences(8, LENGTH)
    result = higher_order_interaction_test(MODEL, X, TILES, direction="min", n=2, random_state=0)
    for i in range(8):
        for r, t in enumerate(result.order[i].tolist()):
            assert result.y_start[i, r + 1] == result.y_candidates[i, r, t, 0]


def test_interaction_goes_on_for_as_many_rounds_as_were_asked_for() -> None:
    X = random_sequences(2, LENGTH)
    whole = higher_order_interaction_test(MODEL, X, TILES, direction="min", n=2, random_state=0)
    two = higher_order_interaction_test(MODEL, X, TILES, direction="min", n=2, rounds=2, random_state=0)
    assert whole.order.shape == (2, 4) and two.order.shape == (2, 2)
    assert torch.equal(two.order, whole.order[:, :2])
    assert_close(two.y_candidates, whole.y_candidates[:, :2], equal_nan=True)


def test_interaction_leaves_the_tiles_as_they_are() -> None:
    tiles = [list(tile) for tile in TILES]
    higher_order_interaction_test(MODEL, random_sequences(1, LENGTH), tiles, direction="min", n=2, random_state=0)
    assert tiles == [list(tile) for tile in TILES]


@pytest.mark.parametrize("objective", [lambda y: y[:, 0], lambda y: y[:, 0] > 20], ids=["integer", "bool"])
def test_interaction_takes_an_objective_that_is_not_a_float(objective: Any) -> None:
    class Whole(CountA):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return super().forward(X).long()

    X = random_sequences(2, LENGTH)
    result = higher_order_interaction_test(
        Whole(), X, TILES, direction="min", objective=objective, n=2, n_holdout=1, random_state=0
    )
    expected = objective(X[:, 0].long().sum(-1, keepdim=True)).double()
    assert_close(result.y_start.double(), expected[:, None].expand(2, 5))


@pytest.mark.parametrize("rounds", [0, 5, -1])
def test_interaction_refuses_rounds_beyond_the_tiles(rounds: int) -> None:
    message = f"rounds must be between 1 and the number of tiles, 4; got {rounds}"
    with pytest.raises(ValueError, match=message):
        higher_order_interaction_test(MODEL, random_sequences(1, LENGTH), TILES, direction="min", rounds=rounds, n=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "down"}, "direction must be 'min' or 'max'; got 'down'"),
        ({"direction": "min", "carry": "best"}, "carry must be 'closest' or 'all'; got 'best'"),
        ({"direction": "min", "n_holdout": -1}, "n_holdout must be at least 0; got -1"),
    ],
)
def test_interaction_refuses_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        higher_order_interaction_test(MODEL, random_sequences(1, LENGTH), TILES, n=2, **options)


@pytest.mark.parametrize(
    ("tiles", "message"),
    [
        (
            [(0, 20), (40, 50), (19, 30)],
            r"must not overlap each other; got \[0, 20\) at index 0 and \[19, 30\) at index 2",
        ),
        ([(0, 20), (0, 20)], r"got \[0, 20\) at index 0 and \[0, 20\) at index 1"),
        ([(0, 20), (80, 91)], r"tiles must lie inside the window of 90 bp; got \[80, 91\) at index 1"),
        ([(0, 0)], r"tiles must end after they start; got \[0, 0\) at index 0"),
    ],
)
def test_interaction_refuses_bad_tiles(tiles: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        higher_order_interaction_test(MODEL, random_sequences(1, LENGTH), tiles, direction="min", n=2)


def test_interaction_refuses_an_objective_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"objective must return a tensor of shape \(1,\); got \(1, 4\)"):
        higher_order_interaction_test(
            MODEL, random_sequences(1, LENGTH), TILES, direction="min", n=2, objective=lambda y: y.mean(-1)
        )
