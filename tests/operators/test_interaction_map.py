"""The interaction map against a loop over pairs of tiles that were shuffled by hand."""

from __future__ import annotations

import itertools

import pytest
import torch
from contract_cases import L, sequences
from helpers import Mixer, TwoHeads, answer, assert_close, put, random_sequences, tile_shuffles
from hypothesis import given, settings, strategies as st

from tangermeme_creme import interaction_map, necessity_test

LENGTH = 90
MODEL = Mixer(LENGTH)
TILES = [(50, 65), (0, 20), (20, 45), (70, 90)]
SEEDS = [11, 3]


@pytest.mark.parametrize("batch_size", [1, 5, 64])
@pytest.mark.parametrize("n", [1, 3])
def test_interaction_map_equals_a_loop(n: int, batch_size: int) -> None:
    X = random_sequences(2, LENGTH, unknown=0.05)
    y_wt, y_single, y_pair = interaction_map(MODEL, X, TILES, n=n, random_state=SEEDS, batch_size=batch_size)
    pairs = list(itertools.combinations(range(4), 2))
    assert y_single.shape == (2, 4, n, 4, 2) and y_pair.shape == (2, 6, n, 4, 2)
    for i in range(2):
        content = [tile_shuffles(X[i], tile, n, SEEDS[i]) for tile in TILES]
        assert_close(y_wt[i], answer(MODEL, X[i]))
        for k in range(n):
            alone = [put(X[i], tile[0], drawn[k]) for tile, drawn in zip(TILES, content)]
            for t in range(4):
                assert_close(y_single[i, t, k], answer(MODEL, alone[t]))
            for p, (s, t) in enumerate(pairs):
                assert_close(y_pair[i, p, k], answer(MODEL, put(alone[s], TILES[t][0], content[t][k])))


@given(st.lists(st.integers(1, LENGTH - 1), min_size=2, max_size=5, unique=True), st.integers(1, 2), st.randoms())
@settings(max_examples=12, deadline=None)
def test_pairs_of_any_tiles_equal_a_loop(cuts: list[int], n: int, order: object) -> None:
    X, ends = random_sequences(1, LENGTH, seed=5), [0, *sorted(cuts), LENGTH]
    tiles = [(a, b) for a, b in itertools.pairwise(ends) if b - a > 12]
    if len(tiles) < 2:
        return
    order.shuffle(tiles)
    y_pair = interaction_map(MODEL, X, tiles, n=n, random_state=4).y_pair
    for p, (one, other) in enumerate(itertools.combinations(tiles, 2)):
        contents = zip(tile_shuffles(X[0], one, n, 4), tile_shuffles(X[0], other, n, 4))
        for k, (first, second) in enumerate(contents):
            assert_close(y_pair[0, p, k], answer(MODEL, put(put(X[0], one[0], first), other[0], second)))


def test_single_shuffles_are_those_of_the_necessity_test() -> None:
    X = random_sequences(3, LENGTH)
    result = interaction_map(MODEL, X, TILES, n=3, random_state=0)
    necessity = necessity_test(MODEL, X, TILES, n=3, random_state=0)
    assert_close(result.y_single, necessity.y_mut)
    assert_close(result.y_wt, necessity.y_wt)


def test_frame_has_both_tiles_of_each_pair() -> None:
    X = random_sequences(2, LENGTH)
    result = interaction_map(TwoHeads(LENGTH), X, TILES[:3], n=2, random_state=0)
    frame = result.to_frame(tiles=TILES[:3], ids=["a", "b"])
    one = frame[(frame["output"] == 1) & (frame["example"] == "b") & (frame["tile_1"] == 0) & (frame["tile_2"] == 2)]
    assert len(frame) == 2 * 3 * 2 * (4 * 2 + 2) and len(one) == 2 * 2
    assert one[["start_1", "end_1", "start_2", "end_2"]].drop_duplicates().to_numpy().tolist() == [[50, 65, 20, 45]]
    row = one[(one["shuffle"] == 1) & (one["track"] == 1)].iloc[0]
    assert row["y_1"] == result.y_single[1][1, 0, 1, 1] and row["y_2"] == result.y_single[1][1, 2, 1, 1]
    assert row["y_both"] == result.y_pair[1][1, 1, 1, 1] and row["y_wt"] == result.y_wt[1][1, 1]


@pytest.mark.parametrize(
    ("tiles", "message"),
    [
        ([(0, 20)], "at least two to have a pair; got 1"),
        ([(0, 20), (19, 40)], r"must not overlap each other; got \[0, 20\) at index 0 and \[19, 40\) at index 1"),
        ([(0, 20), (80, L + 1)], rf"\[80, {L + 1}\)"),
    ],
)
def test_tiles_without_pairs_are_refused(tiles: list[tuple[int, int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        interaction_map(torch.nn.Identity(), sequences(), tiles)
