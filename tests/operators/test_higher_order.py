"""The higher-order interaction test against a naive greedy search."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from helpers import (
    Mixer,
    ScaledMixer,
    TwoHeads,
    answer,
    assert_close,
    put,
    random_sequences,
    tile_shuffles,
)
from hypothesis import given, settings, strategies as st

from tangermeme_creme import higher_order_interaction_test

LENGTH = 90


MODEL = Mixer(LENGTH)


TILES = [(60, 75), (0, 20), (20, 38), (76, 90)]


SEEDS = [11, 3]


class Found(NamedTuple):
    order: list[int]
    y_start: list[float]
    y_candidates: list[list[list[float]]]
    y_selected: list[float]
    y_holdout: list[float]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def naive_search(
    value: Callable[[torch.Tensor], float],
    x: torch.Tensor,
    tiles: list[tuple[int, int]],
    seed: int,
    *,
    direction: str,
    rounds: int,
    n: int,
    carry: str,
    n_holdout: int = 0,
) -> Found:
    """One example of the search, one sequence at a time."""
    drawn = [tile_shuffles(x, tile, n + n_holdout, seed) for tile in tiles]
    lineages = [x] * (n if carry == "all" else 1)
    found = Found([], [value(x)], [], [], [])

    def tried(t: int, k: int) -> torch.Tensor:
        """Shuffle k of tile t on its lineage; a fresh shuffle starts again from lineage 0."""
        lineage = (k if k < n else k - n) % len(lineages)
        return put(lineages[lineage], tiles[t][0], drawn[t][k])

    for _ in range(rounds):
        values = [[math.nan if t in found.order else value(tried(t, k)) for k in range(n)] for t in range(len(tiles))]
        left = [t for t in range(len(tiles)) if t not in found.order]
        best = left[0]
        for t in left[1:]:
            better = (
                mean(values[t]) < mean(values[best]) if direction == "min" else mean(values[t]) > mean(values[best])
            )
            best = t if better else best
        if n_holdout:
            found.y_holdout.append(mean([value(tried(best, n + j)) for j in range(n_holdout)]))
        average = mean(values[best])
        distances = [abs(v - average) for v in values[best]]
        nearest = distances.index(min(distances))
        chosen = [tried(best, k) for k in range(n)]
        lineages[:] = chosen if carry == "all" else [chosen[nearest]]
        found.order.append(best)
        found.y_candidates.append(values)
        found.y_selected.append(average)
        found.y_start.append(average if carry == "all" else values[best][nearest])
    return found


def check(result: Any, i: int, found: Found) -> None:
    """Example i of a result against the naive search."""
    assert result.order[i].tolist() == found.order
    for name in ("y_start", "y_candidates", "y_selected"):
        expected = torch.tensor(getattr(found, name), dtype=torch.float64)
        assert_close(getattr(result, name)[i], expected, equal_nan=True)
    if found.y_holdout:
        assert_close(result.y_holdout[i], torch.tensor(found.y_holdout, dtype=torch.float64))
    else:
        assert result.y_holdout is None


def average_of(x: torch.Tensor) -> float:
    return float(answer(MODEL, x).mean())


@pytest.mark.parametrize("batch_size", [1, 5, 64])
@pytest.mark.parametrize("n_holdout", [0, 2])
@pytest.mark.parametrize("carry", ["closest", "all"])
@pytest.mark.parametrize("direction", ["min", "max"])
def test_interaction_equals_a_naive_search(direction: str, carry: str, n_holdout: int, batch_size: int) -> None:
    X = random_sequences(2, LENGTH, unknown=0.05)
    options: dict[str, Any] = {"direction": direction, "carry": carry, "n": 3, "n_holdout": n_holdout}
    result = higher_order_interaction_test(MODEL, X, TILES, random_state=SEEDS, batch_size=batch_size, **options)
    for i in range(2):
        check(result, i, naive_search(average_of, X[i], TILES, SEEDS[i], rounds=4, **options))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("carry", ["closest", "all"])
def test_interaction_with_more_holdout_than_lineages_equals_a_naive_search(carry: str, n: int) -> None:
    X = random_sequences(1, LENGTH)
    options: dict[str, Any] = {"direction": "min", "carry": carry, "n": n, "n_holdout": 5, "rounds": 2}
    result = higher_order_interaction_test(MODEL, X, TILES, random_state=4, **options)
    check(result, 0, naive_search(average_of, X[0], TILES, 4, **options))


@given(
    st.lists(st.integers(0, LENGTH), min_size=4, max_size=8, unique=True),
    st.sampled_from(["min", "max"]),
    st.sampled_from(["closest", "all"]),
    st.integers(0, 1000),
)
@settings(max_examples=12, deadline=None, derandomize=True)  # rounding could decide between equal tiles
@pytest.mark.filterwarnings("ignore::tangermeme.utils.TangermemeWarning")  # of tiles that are too short to shuffle
def test_interaction_equals_a_naive_search_for_any_tiles(
    cuts: list[int], direction: str, carry: str, seed: int
) -> None:
    cuts = sorted(cuts)
    tiles = [(start, end) for start, end in zip(cuts[::2], cuts[1::2]) if end - start >= 8] or [(0, 20)]
    X = random_sequences(1, LENGTH, seed=8)
    # Two shuffles are always equally far from their mean; of three, rounding does not decide which is the closest.
    options: dict[str, Any] = {"direction": direction, "carry": carry, "n": 3}
    result = higher_order_interaction_test(MODEL, X, tiles, random_state=seed, **options)
    check(result, 0, naive_search(average_of, X[0], tiles, seed, rounds=len(tiles), **options))


def test_interaction_follows_an_objective() -> None:
    X = random_sequences(2, LENGTH)
    options: dict[str, Any] = {"direction": "max", "carry": "closest", "n": 3, "rounds": 3}
    result = higher_order_interaction_test(
        MODEL, X, TILES, random_state=SEEDS, objective=lambda y: y[:, 0, 1] - y[:, 3].amax(1), **options
    )

    def value(x: torch.Tensor) -> float:
        y = answer(MODEL, x)
        return float(y[0, 1] - y[3].max())

    for i in range(2):
        check(result, i, naive_search(value, X[i], TILES, SEEDS[i], **options))


@pytest.mark.parametrize("carry", ["closest", "all"])
def test_interaction_hands_args_to_their_examples(carry: str) -> None:
    X, model = random_sequences(2, LENGTH), ScaledMixer(LENGTH)
    args = [torch.tensor([[1.0], [-3.0]]).double(), torch.rand(2, 2).double()]
    options: dict[str, Any] = {"direction": "max", "carry": carry, "n": 3, "rounds": 2, "n_holdout": 4}
    result = higher_order_interaction_test(model, X, TILES, random_state=SEEDS, args=args, batch_size=3, **options)
    for i in range(2):

        def value(x: torch.Tensor, i: int = i) -> float:
            return float(answer(model, x, *(arg[i] for arg in args)).mean())

        check(result, i, naive_search(value, X[i], TILES, SEEDS[i], **options))


def test_interaction_takes_an_objective_of_several_outputs() -> None:
    X = random_sequences(1, LENGTH)
    options: dict[str, Any] = {"direction": "min", "carry": "all", "n": 2, "rounds": 2}
    result = higher_order_interaction_test(
        TwoHeads(LENGTH), X, TILES, random_state=4, objective=lambda y: y[0].mean((1, 2)) + y[1][:, 0], **options
    )

    def value(x: torch.Tensor) -> float:
        y, highest = answer(TwoHeads(LENGTH), x)
        return float(y.mean() + highest[0])

    check(result, 0, naive_search(value, X[0], TILES, 4, **options))


def test_interaction_refuses_several_outputs_without_an_objective() -> None:
    with pytest.raises(ValueError, match="objective must be given for a model with several outputs; got 2 outputs"):
        higher_order_interaction_test(TwoHeads(LENGTH), random_sequences(1, LENGTH), TILES, direction="min", n=2)
