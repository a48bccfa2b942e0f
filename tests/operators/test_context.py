"""Context dependence and swap against loops over sequences that are put together by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from helpers import (
    CountA,
    Mixer,
    ScaledMixer,
    TwoHeads,
    answer,
    answers,
    assert_close,
    controls,
    put,
    random_sequences,
)
from hypothesis import given, settings, strategies as st
from tangermeme.ersatz import shuffle

from tangermeme_creme import context_dependence_test, context_swap_test
from tangermeme_creme.sequence import pack, shuffle_backgrounds

LENGTH = 90
MODEL = Mixer(LENGTH)
TILES = [(40, 55), (30, 45), (0, 15)]
SEEDS = [11, 3, 7]


@pytest.mark.parametrize("batch_size", [1, 4, 64])
@pytest.mark.parametrize("n", [1, 3])
def test_context_equals_a_loop(n: int, batch_size: int) -> None:
    X = random_sequences(3, LENGTH, unknown=0.05)
    result = context_dependence_test(MODEL, X, TILES, n=n, random_state=SEEDS, batch_size=batch_size)
    for i in range(3):
        assert_close(result.y_wt[i], answer(MODEL, X[i]))
        assert_close(result.y_mut[i], answers(MODEL, controls(X[i], TILES[i], n, SEEDS[i])))


@given(st.integers(0, LENGTH - 1), st.integers(1, LENGTH), st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_context_equals_a_loop_for_any_tile(start: int, width: int, seed: int) -> None:
    X, tile = random_sequences(2, LENGTH, seed=seed), (start, min(start + width, LENGTH))
    y_mut = context_dependence_test(MODEL, X, tile, n=2, random_state=seed).y_mut
    for i in range(2):
        assert_close(y_mut[i], answers(MODEL, controls(X[i], tile, 2, seed + i)))


def test_context_of_the_whole_window_is_the_wild_type() -> None:
    X = random_sequences(2, LENGTH)
    y_wt, y_mut = context_dependence_test(MODEL, X, (0, LENGTH), n=2, random_state=0)
    assert_close(y_mut, y_wt[:, None].expand_as(y_mut))


def test_context_draws_100_backgrounds_by_default() -> None:
    assert context_dependence_test(CountA(), random_sequences(1, LENGTH), (0, 15)).y_mut.shape == (1, 100, 1)


def test_context_takes_backgrounds_and_uses_the_first_n() -> None:
    X = random_sequences(3, LENGTH)
    backgrounds = random_sequences(12, LENGTH, seed=9).reshape(3, 4, 4, LENGTH)
    for given_ in (backgrounds, backgrounds.float(), pack(backgrounds, batch_axes=2)):
        y_mut = context_dependence_test(MODEL, X, TILES, n=2, backgrounds=given_).y_mut
        for i, (start, end) in enumerate(TILES):
            expected = [put(backgrounds[i, k], start, X[i, :, start:end]) for k in range(2)]
            assert_close(y_mut[i], answers(MODEL, expected))


def test_context_takes_another_shuffle() -> None:
    X = random_sequences(2, LENGTH)
    y_mut = context_dependence_test(MODEL, X, (40, 55), n=2, shuffle_fn=shuffle, random_state=4).y_mut
    for i in range(2):
        drawn = shuffle(X[i : i + 1], n=2, random_state=4 + i)[0]
        assert_close(y_mut[i], answers(MODEL, [put(x, 40, X[i, :, 40:55]) for x in drawn]))


def test_context_gives_a_list_for_several_outputs() -> None:
    X, model = random_sequences(2, LENGTH), TwoHeads(LENGTH)
    y_wt, y_mut = context_dependence_test(model, X, (40, 55), n=2, random_state=4)
    assert [tuple(y.shape) for y in (*y_wt, *y_mut)] == [(2, 4, 2), (2, 2), (2, 2, 4, 2), (2, 2, 2)]
    for i in range(2):
        for k, x in enumerate(controls(X[i], (40, 55), 2, 4 + i)):
            for y, expected in zip(y_mut, answer(model, x)):
                assert_close(y[i, k], expected)


@pytest.mark.parametrize(
    ("tile", "message"),
    [
        ((80, 91), r"tile must lie inside the window of 90 bp; got \[80, 91\) at index 0"),
        ([(0, 5), (-1, 5), (0, 5)], r"tile must lie inside the window of 90 bp; got \[-1, 5\) at index 1"),
        ((7, 7), r"tile must end after they start; got \[7, 7\) at index 0"),
        ([(0, 5), (1, 5)], r"tile must be one span or one per example \(3\); got 2"),
    ],
)
def test_context_refuses_a_bad_tile(tile: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        context_dependence_test(MODEL, random_sequences(3, LENGTH), tile, n=2)


@pytest.mark.parametrize("shape", [(2, 3, 4, LENGTH), (3, 1, 4, LENGTH), (3, 2, 4, LENGTH - 1)])
def test_context_refuses_backgrounds_of_another_shape(shape: tuple[int, ...]) -> None:
    message = re.escape(f"backgrounds must have shape (3, 2 or more, 4, 90); got {shape}.")
    with pytest.raises(ValueError, match=message):
        context_dependence_test(MODEL, random_sequences(3, LENGTH), (0, 5), n=2, backgrounds=torch.zeros(shape))


def test_context_refuses_backgrounds_that_are_not_one_hot() -> None:
    with pytest.raises(ValueError, match=r"backgrounds must be one-hot.*; got 0.25 at \[0, 0, 0, 0\]"):
        context_dependence_test(
            MODEL, random_sequences(1, LENGTH), (0, 5), n=1, backgrounds=torch.full((1, 1, 4, LENGTH), 0.25)
        )


def test_context_refuses_backgrounds_without_their_axis() -> None:
    message = r"backgrounds must have shape \(N, n, 4, L\); got \(3, 4, 90\)"
    with pytest.raises(ValueError, match=message):
        context_dependence_test(
            MODEL, random_sequences(3, LENGTH), (0, 5), n=1, backgrounds=random_sequences(3, LENGTH)
        )


# Swap


def swapped(source: torch.Tensor, target: torch.Tensor, start: int, end: int) -> torch.Tensor:
    return put(target, start, source[:, start:end])


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_swap_of_all_pairs_equals_a_loop(batch_size: int) -> None:
    S, T = random_sequences(2, LENGTH, seed=1, unknown=0.1), random_sequences(3, LENGTH, seed=2)
    y_source, y_target, y_mut = context_swap_test(MODEL, S, T, (40, 55), batch_size=batch_size)
    assert_close(y_source, answers(MODEL, S))
    assert_close(y_target, answers(MODEL, T))
    assert y_mut.shape == (2, 3, 4, 2)
    for s in range(2):
        for t in range(3):
            assert_close(y_mut[s, t], answer(MODEL, swapped(S[s], T[t], 40, 55)))


def test_swap_of_matched_pairs_equals_a_loop() -> None:
    S, T = random_sequences(3, LENGTH, seed=1), random_sequences(3, LENGTH, seed=2, unknown=0.1)
    y_source, y_target, y_mut = context_swap_test(MODEL, S, T, (40, 55), pairs="matched")
    assert_close(y_source, answers(MODEL, S))
    assert_close(y_target, answers(MODEL, T))
    assert_close(y_mut, answers(MODEL, [swapped(s, t, 40, 55) for s, t in zip(S, T)]))


@given(st.integers(0, LENGTH - 1), st.integers(1, LENGTH), st.sampled_from(["all", "matched"]))
@settings(max_examples=10, deadline=None)
def test_swap_of_a_set_with_itself_equals_a_loop_for_any_tile(start: int, width: int, pairs: str) -> None:
    X, end = random_sequences(2, LENGTH, seed=3), min(start + width, LENGTH)
    y_source, _, y_mut = context_swap_test(MODEL, X, X, (start, end), pairs=pairs)
    if pairs == "matched":
        assert_close(y_mut, y_source)
        return
    for s in range(2):
        for t in range(2):
            assert_close(y_mut[s, t], answer(MODEL, swapped(X[s], X[t], start, end)))


@pytest.mark.parametrize("pairs", ["all", "matched"])
def test_swap_gives_a_swapped_sequence_the_args_of_its_source(pairs: str) -> None:
    S, T, model = random_sequences(3, LENGTH, seed=1), random_sequences(3, LENGTH, seed=2), ScaledMixer(LENGTH)
    args = [torch.tensor([[1.0], [3.0], [10.0]]).double(), torch.rand(3, 2).double()]
    args_target = [torch.tensor([[2.0], [5.0], [7.0]]).double(), torch.rand(3, 2).double()]
    y_source, y_target, y_mut = context_swap_test(
        model, S, T, (40, 55), pairs=pairs, args=args, args_target=args_target, batch_size=2
    )
    for s in range(3):
        assert_close(y_source[s], answer(model, S[s], *(arg[s] for arg in args)))
        assert_close(y_target[s], answer(model, T[s], *(arg[s] for arg in args_target)))
        for t in range(3) if pairs == "all" else [s]:
            found = y_mut[s, t] if pairs == "all" else y_mut[s]
            assert_close(found, answer(model, swapped(S[s], T[t], 40, 55), *(arg[s] for arg in args)))


def test_swap_gives_a_list_for_several_outputs() -> None:
    S, T, model = random_sequences(2, LENGTH, seed=1), random_sequences(3, LENGTH, seed=2), TwoHeads(LENGTH)
    _, _, y_mut = context_swap_test(model, S, T, (40, 55))
    assert [tuple(y.shape) for y in y_mut] == [(2, 3, 4, 2), (2, 3, 2)]
    for y, expected in zip(y_mut, answer(model, swapped(S[1], T[2], 40, 55))):
        assert_close(y[1, 2], expected)


def test_swap_takes_packed_sources_and_plain_targets() -> None:
    S, T = random_sequences(2, LENGTH, seed=1), random_sequences(3, LENGTH, seed=2)
    y_mut = context_swap_test(MODEL, pack(S), T.double(), (40, 55)).y_mut
    assert_close(y_mut[1, 2], answer(MODEL, swapped(S[1], T[2], 40, 55)))


def test_swap_refuses_other_pairs() -> None:
    X = random_sequences(2, LENGTH)
    with pytest.raises(ValueError, match="pairs must be 'all' or 'matched'; got 'random'"):
        context_swap_test(MODEL, X, X, (0, 5), pairs="random")


def test_swap_refuses_matched_pairs_of_different_number() -> None:
    X = random_sequences(3, LENGTH)
    with pytest.raises(ValueError, match="matched pairs need as many sources as targets; got 3 and 2"):
        context_swap_test(MODEL, X, X[:2], (0, 5), pairs="matched")


def test_swap_refuses_sequences_of_different_length() -> None:
    with pytest.raises(ValueError, match="sources and targets must be of one length; got 90 and 60 bp"):
        context_swap_test(MODEL, random_sequences(2, 90), random_sequences(2, 60), (0, 5))


@pytest.mark.parametrize(
    ("tile", "message"),
    [
        ((80, 91), r"tile must lie inside the window of 90 bp; got \[80, 91\)"),
        ((5, 5), r"tile must end after they start; got \[5, 5\)"),
        ([(0, 5), (5, 9)], "tile must be one span for all sequences; got 2"),
    ],
)
def test_swap_refuses_a_bad_tile(tile: Any, message: str) -> None:
    X = random_sequences(2, LENGTH)
    with pytest.raises(ValueError, match=message):
        context_swap_test(MODEL, X, X, tile)


@pytest.mark.parametrize(("given_", "missing"), [("args", "args_target"), ("args_target", "args")])
def test_swap_refuses_args_of_one_side_only(given_: str, missing: str) -> None:
    X = random_sequences(2, LENGTH)
    with pytest.raises(ValueError, match=f"args and args_target must be given together; got no {missing}"):
        context_swap_test(MODEL, X, X, (0, 5), **{given_: [torch.zeros(2, 1)]})


def test_swap_says_which_set_has_args_of_another_number() -> None:
    args = [torch.zeros(2, 1), torch.zeros(2, 2)]
    with pytest.raises(ValueError, match="args_target must have 3 rows, one per example; got 2 at index 0"):
        context_swap_test(
            ScaledMixer(LENGTH), random_sequences(2, LENGTH), random_sequences(3, LENGTH), (0, 5),
            args=args, args_target=args,
        )  # fmt: skip


def test_swap_says_which_set_is_not_one_hot() -> None:
    with pytest.raises(ValueError, match=r"X_target must be one-hot.*; got 0.25"):
        context_swap_test(MODEL, random_sequences(2, LENGTH), torch.full((2, 4, LENGTH), 0.25), (0, 5))


def test_swap_names_source_and_target_where_the_model_predicts_nan() -> None:
    class Broken(torch.nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            y = X[:, 0].sum(-1)
            return torch.where(y == 7, torch.nan, y)  # seven A come together only in source 0 with target 1

    S, T = torch.zeros(2, 4, 10), torch.zeros(3, 4, 10)
    S[:, 1], T[:, 1] = 1, 1
    for x, n_a, first in ((S[0], 4, 0), (T[1], 3, 7)):
        x[:, first : first + n_a] = torch.tensor([1.0, 0, 0, 0])[:, None]
    with pytest.raises(ValueError, match=r"got NaN for [^\[]*(0[^\[]*1|1[^\[]*0)"):
        context_swap_test(Broken(), S, T, (0, 5))


def test_swap_draws_nothing_at_random() -> None:
    X = random_sequences(2, LENGTH)
    first, second = (context_swap_test(MODEL, X, X, (40, 55)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second))


def test_context_with_shared_backgrounds_equals_drawing_them() -> None:
    X = random_sequences(3, LENGTH)
    shared = shuffle_backgrounds(X, n=4, random_state=SEEDS)
    drawn = context_dependence_test(MODEL, X, TILES, n=3, random_state=SEEDS)
    assert torch.equal(context_dependence_test(MODEL, X, TILES, n=3, backgrounds=shared).y_mut, drawn.y_mut)
