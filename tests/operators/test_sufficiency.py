"""Sufficiency of tiles and of sets of tiles against loops over sequences that are put together by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from helpers import CountA, Mixer, TwoHeads, answer, answers, assert_close, controls, put, random_sequences
from hypothesis import given, settings, strategies as st
from tangermeme.ersatz import shuffle

from tangermeme_creme import sufficiency_test, tile_set_sufficiency_test
from tangermeme_creme.sequence import pack

LENGTH = 90
MODEL = Mixer(LENGTH)
TSS = [(40, 55), (38, 50), (45, 60)]
TILES = [(0, 20), (10, 30), (60, 75), (75, 90)]
SEEDS = [11, 3, 7]


@pytest.mark.parametrize("batch_size", [1, 4, 64])
@pytest.mark.parametrize("n", [1, 3])
def test_sufficiency_equals_a_loop(n: int, batch_size: int) -> None:
    X = random_sequences(3, LENGTH, unknown=0.05)
    y_wt, y_control, y_mut = sufficiency_test(MODEL, X, TSS, TILES, n=n, random_state=SEEDS, batch_size=batch_size)
    assert y_mut.shape == (3, 4, n, 4, 2)
    for i in range(3):
        control = controls(X[i], TSS[i], n, SEEDS[i])
        assert_close(y_wt[i], answer(MODEL, X[i]))
        assert_close(y_control[i], answers(MODEL, control))
        for t, (start, end) in enumerate(TILES):
            assert_close(y_mut[i, t], answers(MODEL, [put(x, start, X[i, :, start:end]) for x in control]))


@st.composite
def tss_and_tiles(draw: st.DrawFn) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """Draw a TSS tile and tiles left and right of it, up to touching it."""
    first = draw(st.integers(1, LENGTH - 2))
    last = draw(st.integers(first + 1, LENGTH - 1))
    tiles = []
    for low, high in draw(st.lists(st.sampled_from([(0, first), (last, LENGTH)]), min_size=1, max_size=3)):
        start = draw(st.integers(low, high - 1))
        tiles.append((start, draw(st.integers(start + 1, high))))
    return (first, last), tiles


@given(tss_and_tiles(), st.integers(0, 1000))
@settings(max_examples=12, deadline=None)
def test_sufficiency_equals_a_loop_for_any_tiles(
    drawn: tuple[tuple[int, int], list[tuple[int, int]]], seed: int
) -> None:
    (tss, tiles), X = drawn, random_sequences(2, LENGTH, seed=8)
    result = sufficiency_test(MODEL, X, tss, tiles, n=2, random_state=seed)
    for i in range(2):
        control = controls(X[i], tss, 2, seed + i)
        for t, (start, end) in enumerate(tiles):
            assert_close(result.y_mut[i, t], answers(MODEL, [put(x, start, X[i, :, start:end]) for x in control]))


def test_sufficiency_takes_backgrounds_and_uses_the_first_n() -> None:
    X, backgrounds = random_sequences(3, LENGTH), random_sequences(12, LENGTH, seed=9).reshape(3, 4, 4, LENGTH)
    for given_ in (backgrounds, pack(backgrounds, batch_axes=2)):
        _, y_control, y_mut = sufficiency_test(MODEL, X, TSS, TILES, n=2, backgrounds=given_)
        for i, (first, last) in enumerate(TSS):
            control = [put(backgrounds[i, k], first, X[i, :, first:last]) for k in range(2)]
            assert_close(y_control[i], answers(MODEL, control))
            for t, (start, end) in enumerate(TILES):
                assert_close(y_mut[i, t], answers(MODEL, [put(x, start, X[i, :, start:end]) for x in control]))


def test_sufficiency_takes_another_shuffle() -> None:
    X = random_sequences(1, LENGTH)
    y_control = sufficiency_test(MODEL, X, (40, 55), TILES, n=2, shuffle_fn=shuffle, random_state=4).y_control
    drawn = shuffle(X, n=2, random_state=4)[0]
    assert_close(y_control[0], answers(MODEL, [put(x, 40, X[0, :, 40:55]) for x in drawn]))


def test_sufficiency_gives_a_list_for_several_outputs() -> None:
    X, model = random_sequences(2, LENGTH), TwoHeads(LENGTH)
    _, y_control, y_mut = sufficiency_test(model, X, (40, 55), TILES, n=2, random_state=4)
    assert [tuple(y.shape) for y in (*y_control, *y_mut)] == [(2, 2, 4, 2), (2, 2, 2), (2, 4, 2, 4, 2), (2, 4, 2, 2)]
    x = controls(X[1], (40, 55), 2, 5)[1]
    for y, expected in zip(y_mut, answer(model, put(x, 60, X[1, :, 60:75]))):
        assert_close(y[1, 2, 1], expected)


def test_sufficiency_draws_ten_backgrounds_by_default() -> None:
    result = sufficiency_test(CountA(), random_sequences(1, LENGTH), (40, 55), TILES)
    assert result.y_control.shape == (1, 10, 1) and result.y_mut.shape == (1, 4, 10, 1)


def test_sufficiency_refuses_a_tile_over_the_tss_tile() -> None:
    with pytest.raises(ValueError, match=r"tiles must not overlap tss_tile \[40, 55\); got \[54, 60\) at index 1"):
        sufficiency_test(MODEL, random_sequences(2, LENGTH), (40, 55), [(0, 20), (54, 60), (30, 80)], n=2)


def test_sufficiency_refuses_a_tile_over_the_tss_tile_of_any_example() -> None:
    with pytest.raises(ValueError, match=r"tiles must not overlap tss_tile \[38, 50\); got \[20, 39\) at index 1"):
        sufficiency_test(MODEL, random_sequences(3, LENGTH), TSS, [(0, 20), (20, 39)], n=2)


@pytest.mark.parametrize(
    ("tss", "tiles", "message"),
    [
        ((40, 95), TILES, r"tss_tile must lie inside the window of 90 bp; got \[40, 95\)"),
        ([(40, 55), (40, 55), (55, 40)], TILES, r"tss_tile must end after they start; got \[55, 40\) at index 2"),
        ([(40, 55), (40, 55)], TILES, r"tss_tile must be one span or one per example \(3\); got 2"),
        ((40, 55), [(0, 20), (80, 95)], r"tiles must lie inside the window of 90 bp; got \[80, 95\) at index 1"),
        ((40, 55), [(20, 20)], r"tiles must end after they start; got \[20, 20\)"),
    ],
)
def test_sufficiency_refuses_bad_spans(tss: Any, tiles: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sufficiency_test(MODEL, random_sequences(3, LENGTH), tss, tiles, n=2)


@pytest.mark.parametrize("function", [sufficiency_test, tile_set_sufficiency_test])
@pytest.mark.parametrize("shape", [(2, 3, 4, LENGTH), (3, 1, 4, LENGTH), (3, 2, 4, LENGTH + 1)])
def test_sufficiency_refuses_backgrounds_of_another_shape(function: Any, shape: tuple[int, ...]) -> None:
    what = (TILES,) if function is sufficiency_test else (TILES, [0])
    message = re.escape(f"backgrounds must have shape (3, 2 or more, 4, 90); got {shape}.")
    with pytest.raises(ValueError, match=message):
        function(MODEL, random_sequences(3, LENGTH), TSS, *what, n=2, backgrounds=torch.zeros(shape))


# Sets of tiles


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_sets_equal_a_loop(batch_size: int) -> None:
    X, order = random_sequences(3, LENGTH, unknown=0.05), [[2, 0, 1], [3, 2, 0], [1, 3, 2]]
    y_wt, y_control, y_mut = tile_set_sufficiency_test(
        MODEL, X, TSS, TILES, order, n=3, random_state=SEEDS, batch_size=batch_size
    )
    assert y_mut.shape == (3, 3, 3, 4, 2)
    for i in range(3):
        sequences = controls(X[i], TSS[i], 3, SEEDS[i])
        assert_close(y_wt[i], answer(MODEL, X[i]))
        assert_close(y_control[i], answers(MODEL, sequences))
        for r, t in enumerate(order[i]):
            start, end = TILES[t]
            sequences = [put(x, start, X[i, :, start:end]) for x in sequences]
            assert_close(y_mut[i, r], answers(MODEL, sequences))


@given(st.permutations(range(4)), st.integers(1, 4), st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_sets_equal_a_loop_for_any_order(order: list[int], rounds: int, seed: int) -> None:
    X = random_sequences(1, LENGTH, seed=8)
    y_mut = tile_set_sufficiency_test(MODEL, X, (40, 55), TILES, order[:rounds], n=2, random_state=seed).y_mut
    sequences = controls(X[0], (40, 55), 2, seed)
    for r, t in enumerate(order[:rounds]):
        start, end = TILES[t]
        sequences = [put(x, start, X[0, :, start:end]) for x in sequences]
        assert_close(y_mut[0, r], answers(MODEL, sequences))


def test_sets_begin_with_the_single_tile() -> None:
    X = random_sequences(3, LENGTH)
    single = sufficiency_test(MODEL, X, TSS, TILES, n=2, random_state=SEEDS)
    sets = tile_set_sufficiency_test(MODEL, X, TSS, TILES, [2, 0], n=2, random_state=SEEDS)
    assert_close(sets.y_control, single.y_control)
    assert_close(sets.y_mut[:, 0], single.y_mut[:, 2])


def test_sets_take_one_order_for_all_examples() -> None:
    X = random_sequences(3, LENGTH)
    one = tile_set_sufficiency_test(MODEL, X, TSS, TILES, [2, 0], n=2, random_state=SEEDS)
    each = tile_set_sufficiency_test(MODEL, X, TSS, TILES, [[2, 0]] * 3, n=2, random_state=SEEDS)
    assert torch.equal(one.y_mut, each.y_mut)


def test_sets_take_the_order_as_a_tensor() -> None:
    X = random_sequences(3, LENGTH)
    listed = tile_set_sufficiency_test(MODEL, X, TSS, TILES, [[2, 0], [0, 1], [1, 3]], n=2, random_state=SEEDS)
    order = torch.tensor([[2, 0], [0, 1], [1, 3]])
    tensor = tile_set_sufficiency_test(MODEL, X, TSS, TILES, order, n=2, random_state=SEEDS)
    assert torch.equal(listed.y_mut, tensor.y_mut)


def test_sets_allow_a_tile_over_the_tss_that_is_never_added() -> None:
    tiles = [(0, 20), (30, 60), (60, 75)]
    y_mut = tile_set_sufficiency_test(MODEL, random_sequences(1, LENGTH), (40, 55), tiles, [0, 2], n=2).y_mut
    assert y_mut.shape[:3] == (1, 2, 2)


def test_sets_refuse_a_tile_over_the_tss_by_its_index_among_the_tiles() -> None:
    tiles = [(0, 20), (60, 75), (54, 60)]
    with pytest.raises(ValueError, match=r"tiles must not overlap tss_tile \[40, 55\); got \[54, 60\) at index 2"):
        tile_set_sufficiency_test(MODEL, random_sequences(1, LENGTH), (40, 55), tiles, [2, 0], n=2)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([0, 4], r"order must name tiles in \[0, 4\); got 4 at \[0, 1\]"),
        ([[0, 1], [-1, 2], [0, 1]], r"order must name tiles in \[0, 4\); got -1 at \[1, 0\]"),
        ([[0, 1], [0, 1], [3, 3]], "order must name a tile once; got tile 3 twice for example 2"),
        ([1, 0, 1], "order must name a tile once; got tile 1 twice for example 0"),
        ([[0, 1], [0, 1]], r"order must have shape \(3, R\) or \(R,\); got \(2, 2\)"),
        ([[[0]]], r"order must have shape \(3, R\) or \(R,\); got \(1, 1, 1\)"),
        ([], r"order must have shape \(3, R\) or \(R,\); got \(3, 0\)|got \(0,\)"),
        (2, r"order must have shape \(3, R\) or \(R,\); got \(\)"),
        ([0.0, 1.0], "order must be integers; got dtype torch.float64"),
        ([[0, 1], [0], [0, 1]], "order must be integers in a regular shape; got"),
    ],
)
def test_sets_refuse_a_bad_order(order: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tile_set_sufficiency_test(MODEL, random_sequences(3, LENGTH), TSS, TILES, order, n=2)
