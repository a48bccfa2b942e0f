"""Necessity against a loop over sequences of which one tile was shuffled by hand."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from helpers import (
    CountA,
    Mixer,
    ScaledMixer,
    TwoHeads,
    answer,
    assert_close,
    one_hot,
    put,
    random_sequences,
    tile_shuffles,
)
from hypothesis import given, settings, strategies as st
from tangermeme.ersatz import shuffle
from tangermeme.utils import TangermemeWarning

from tangermeme_creme import necessity_test
from tangermeme_creme.sequence import tile_seed

LENGTH = 90
MODEL = Mixer(LENGTH)
TILES = [(0, 20), (10, 45), (70, 90)]
SEEDS = [11, 3, 7]


@pytest.mark.parametrize("batch_size", [1, 4, 64])
@pytest.mark.parametrize("n", [1, 3])
def test_necessity_equals_a_loop(n: int, batch_size: int) -> None:
    X = random_sequences(3, LENGTH, unknown=0.05)
    y_wt, y_mut = necessity_test(MODEL, X, TILES, n=n, random_state=SEEDS, batch_size=batch_size)
    assert y_mut.shape == (3, 3, n, 4, 2)
    for i in range(3):
        assert_close(y_wt[i], answer(MODEL, X[i]))
        for t, tile in enumerate(TILES):
            for k, content in enumerate(tile_shuffles(X[i], tile, n, SEEDS[i])):
                assert_close(y_mut[i, t, k], answer(MODEL, put(X[i], tile[0], content)))


@given(
    st.lists(st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 40)), min_size=1, max_size=3),
    st.integers(0, 1000),
    st.integers(1, 3),
)
@settings(max_examples=12, deadline=None)
def test_necessity_equals_a_loop_for_any_tiles(drawn: list[tuple[int, int]], seed: int, n: int) -> None:
    X, tiles = random_sequences(2, LENGTH, seed=5), [(start, min(start + width, LENGTH)) for start, width in drawn]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TangermemeWarning)  # of tiles that are too short to shuffle
        y_mut = necessity_test(MODEL, X, tiles, n=n, random_state=seed).y_mut
    for i in range(2):
        for t, tile in enumerate(tiles):
            for k, content in enumerate(tile_shuffles(X[i], tile, n, seed + i)):
                assert_close(y_mut[i, t, k], answer(MODEL, put(X[i], tile[0], content)))


def test_necessity_of_one_span_has_one_tile() -> None:
    X = random_sequences(2, LENGTH)
    y_mut = necessity_test(MODEL, X, (10, 45), n=2, random_state=0).y_mut
    assert torch.equal(y_mut, necessity_test(MODEL, X, [(10, 45)], n=2, random_state=0).y_mut)


def test_necessity_takes_tiles_as_a_tensor() -> None:
    X = random_sequences(2, LENGTH)
    y_mut = necessity_test(MODEL, X, torch.tensor(TILES), n=2, random_state=0).y_mut
    assert torch.equal(y_mut, necessity_test(MODEL, X, TILES, n=2, random_state=0).y_mut)


def test_necessity_draws_ten_shuffles_by_default() -> None:
    assert necessity_test(CountA(), random_sequences(1, LENGTH), TILES).y_mut.shape == (1, 3, 10, 1)


def test_necessity_hands_args_to_their_examples() -> None:
    X, model = random_sequences(3, LENGTH), ScaledMixer(LENGTH)
    args = [torch.tensor([[1.0], [3.0], [10.0]]).double(), torch.rand(3, 2).double()]
    y_mut = necessity_test(model, X, TILES, n=2, random_state=SEEDS, args=args, batch_size=5).y_mut
    for i in range(3):
        for t, tile in enumerate(TILES):
            for k, content in enumerate(tile_shuffles(X[i], tile, 2, SEEDS[i])):
                expected = answer(model, put(X[i], tile[0], content), *(arg[i] for arg in args))
                assert_close(y_mut[i, t, k], expected)


def test_necessity_gives_a_list_for_several_outputs() -> None:
    X, model = random_sequences(2, LENGTH), TwoHeads(LENGTH)
    y_wt, y_mut = necessity_test(model, X, TILES, n=2, random_state=4)
    assert [tuple(y.shape) for y in (*y_wt, *y_mut)] == [(2, 4, 2), (2, 2), (2, 3, 2, 4, 2), (2, 3, 2, 2)]
    content = tile_shuffles(X[1], TILES[1], 2, 5)[1]
    for y, expected in zip(y_mut, answer(model, put(X[1], TILES[1][0], content))):
        assert_close(y[1, 1, 1], expected)


def test_necessity_takes_another_shuffle() -> None:
    X = random_sequences(1, LENGTH)
    y_mut = necessity_test(MODEL, X, (10, 45), n=2, shuffle_fn=shuffle, random_state=4).y_mut
    drawn = shuffle(X[:, :, 10:45], n=2, random_state=tile_seed(4, 10, 45))[0]
    for k in range(2):
        assert_close(y_mut[0, 0, k], answer(MODEL, put(X[0], 10, drawn[k])))


def test_necessity_hands_func_its_own_arguments() -> None:
    def func(model: torch.nn.Module, X: torch.Tensor, args: Any, factor: float, offset: float) -> torch.Tensor:
        return X[:, 0].sum(-1) * factor + offset

    X = random_sequences(2, LENGTH, dtype=torch.float32)
    y_wt, y_mut = necessity_test(
        CountA(), X, TILES, n=2, func=func, additional_func_kwargs={"factor": 2.0}, offset=1.0, random_state=0
    )
    assert torch.equal(y_wt, X[:, 0].sum(-1) * 2 + 1)
    assert torch.equal(y_mut, y_wt[:, None, None].expand(2, 3, 2))


def homopolymer() -> torch.Tensor:
    """Three sequences, of which the second has a homopolymer at [0, 20)."""
    X = random_sequences(3, LENGTH)
    X[1, :, :20] = one_hot("G" * 20)
    return X


def test_necessity_of_a_tile_with_one_shuffle_is_the_wild_type() -> None:
    with pytest.warns(TangermemeWarning) as caught:
        y_wt, y_mut = necessity_test(MODEL, homopolymer(), TILES, n=2, random_state=0)
    assert [str(warning.message) for warning in caught] == [
        "1 of 9 shuffled sequences came back unchanged: tile [0, 20) of example 1."
    ]
    assert_close(y_mut[1, 0], y_wt[1].expand(2, 4, 2))


def test_necessity_warning_points_at_the_caller() -> None:
    with pytest.warns(TangermemeWarning, match="1 of 9") as caught:
        necessity_test(MODEL, homopolymer(), TILES, n=2, random_state=0)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("tiles", "message"),
    [
        ([(0, 20), (80, 91)], r"tiles must lie inside the window of 90 bp; got \[80, 91\) at index 1"),
        ([(-3, 20)], r"tiles must lie inside the window of 90 bp; got \[-3, 20\) at index 0"),
        ([(0, 20), (30, 30)], r"tiles must end after they start; got \[30, 30\) at index 1"),
        ([(0, 20, 30)], r"tiles must have shape \(T, 2\); got \(1, 3\)"),
        ([(0.5, 20)], "tiles must be integers; got dtype torch.float64"),
    ],
)
def test_necessity_refuses_bad_tiles(tiles: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        necessity_test(MODEL, random_sequences(1, LENGTH), tiles, n=2)


def test_necessity_says_that_n_must_be_an_integer() -> None:
    with pytest.raises((TypeError, ValueError), match=r"\bn must be .*; got 2\.5"):
        necessity_test(MODEL, random_sequences(1, LENGTH), TILES, n=2.5)
