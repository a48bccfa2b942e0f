"""Distance against a loop over sequences that are put together by hand."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from helpers import Mixer, TwoHeads, answer, answers, assert_close, controls, put, random_sequences
from hypothesis import given, settings, strategies as st

from tangermeme_creme import distance_test, sufficiency_test
from tangermeme_creme.sequence import pack

LENGTH = 90
MODEL = Mixer(LENGTH)
TSS = [(40, 55), (38, 50), (45, 60)]
CRE = [(5, 17), (70, 82), (60, 72)]
POSITIONS = [0, 5, 26, 60, 78]
SEEDS = [11, 3, 7]


@pytest.mark.parametrize("batch_size", [1, 4, 64])
@pytest.mark.parametrize("n", [1, 3])
def test_distance_equals_a_loop(n: int, batch_size: int) -> None:
    X = random_sequences(3, LENGTH, unknown=0.05)
    result = distance_test(MODEL, X, TSS, CRE, POSITIONS, n=n, random_state=SEEDS, batch_size=batch_size)
    assert result._fields == ("y_wt", "y_control", "y_original", "y_mut")
    assert result.y_mut.shape == (3, 5, n, 4, 2)
    for i in range(3):
        control = controls(X[i], TSS[i], n, SEEDS[i])
        start, end = CRE[i]
        cre = X[i, :, start:end]
        assert_close(result.y_wt[i], answer(MODEL, X[i]))
        assert_close(result.y_control[i], answers(MODEL, control))
        assert_close(result.y_original[i], answers(MODEL, [put(x, start, cre) for x in control]))
        for p, position in enumerate(POSITIONS):
            assert_close(result.y_mut[i, p], answers(MODEL, [put(x, position, cre) for x in control]))


def test_distance_takes_cres_of_different_length() -> None:
    X, cres = random_sequences(3, LENGTH), [(5, 17), (70, 90), (60, 61)]
    y_mut = distance_test(MODEL, X, TSS, cres, [0, 60, 70], n=2, random_state=SEEDS).y_mut
    for i, (start, end) in enumerate(cres):
        for p, position in enumerate([0, 60, 70]):
            expected = [put(x, position, X[i, :, start:end]) for x in controls(X[i], TSS[i], 2, SEEDS[i])]
            assert_close(y_mut[i, p], answers(MODEL, expected))


@st.composite
def places(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int], list[int]]:
    """Draw a TSS tile, a CRE that is apart from it, and positions at which the CRE is apart from it."""
    first = draw(st.integers(10, 60))
    tss = (first, draw(st.integers(first + 1, 80)))
    width = draw(st.integers(1, 10))
    free = [s for s in range(LENGTH - width + 1) if s + width <= tss[0] or s >= tss[1]]
    start = draw(st.sampled_from(free))
    return tss, (start, start + width), draw(st.lists(st.sampled_from(free), min_size=1, max_size=4))


@given(places(), st.integers(0, 1000))
@settings(max_examples=12, deadline=None)
def test_distance_equals_a_loop_for_any_places(
    drawn: tuple[tuple[int, int], tuple[int, int], list[int]], seed: int
) -> None:
    (tss, (start, end), positions), X = drawn, random_sequences(2, LENGTH, seed=8)
    y_mut = distance_test(MODEL, X, tss, (start, end), positions, n=2, random_state=seed).y_mut
    for i in range(2):
        control = controls(X[i], tss, 2, seed + i)
        for p, position in enumerate(positions):
            assert_close(y_mut[i, p], answers(MODEL, [put(x, position, X[i, :, start:end]) for x in control]))


def test_distance_at_its_own_place_is_the_original() -> None:
    X = random_sequences(2, LENGTH)
    result = distance_test(MODEL, X, (40, 55), (5, 17), [0, 5], n=2, random_state=0)
    assert_close(result.y_mut[:, 1], result.y_original)
    assert not torch.allclose(result.y_mut[:, 0], result.y_original)


def test_distance_at_its_own_place_is_sufficiency() -> None:
    X = random_sequences(2, LENGTH)
    result = distance_test(MODEL, X, (40, 55), (5, 17), [0], n=2, random_state=0)
    expected = sufficiency_test(MODEL, X, (40, 55), (5, 17), n=2, random_state=0)
    assert_close(result.y_control, expected.y_control)
    assert_close(result.y_original, expected.y_mut[:, 0])


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor], ids=["list", "tuple", "array", "tensor"])
def test_distance_takes_positions_of_any_kind(kind: Any) -> None:
    X = random_sequences(2, LENGTH)
    y_mut = distance_test(MODEL, X, (40, 55), (5, 17), kind([0, 5]), n=2, random_state=0).y_mut
    assert y_mut.shape[:3] == (2, 2, 2)


def test_distance_takes_backgrounds_and_uses_the_first_n() -> None:
    X, backgrounds = random_sequences(3, LENGTH), random_sequences(12, LENGTH, seed=9).reshape(3, 4, 4, LENGTH)
    for given_ in (backgrounds, pack(backgrounds, batch_axes=2)):
        y_mut = distance_test(MODEL, X, TSS, CRE, [0], n=2, backgrounds=given_).y_mut
        for i, (first, last) in enumerate(TSS):
            cre = X[i, :, CRE[i][0] : CRE[i][1]]
            expected = [put(put(backgrounds[i, k], first, X[i, :, first:last]), 0, cre) for k in range(2)]
            assert_close(y_mut[i, 0], answers(MODEL, expected))


def test_distance_gives_a_list_for_several_outputs() -> None:
    X, model = random_sequences(2, LENGTH), TwoHeads(LENGTH)
    result = distance_test(model, X, (40, 55), (5, 17), [0, 60, 70], n=2, random_state=4)
    assert [tuple(y.shape) for y in result.y_original] == [(2, 2, 4, 2), (2, 2, 2)]
    assert [tuple(y.shape) for y in result.y_mut] == [(2, 3, 2, 4, 2), (2, 3, 2, 2)]
    x = controls(X[1], (40, 55), 2, 5)[0]
    for y, expected in zip(result.y_mut, answer(model, put(x, 60, X[1, :, 5:17]))):
        assert_close(y[1, 1, 0], expected)


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([0, 30], r"positions must not overlap tss_tile \[40, 55\); got \[30, 42\) at index 1"),
        ([54, 0], r"positions must not overlap tss_tile \[40, 55\); got \[54, 66\) at index 0"),
        ([0, 60, 79], r"keep the CRE inside the sequence of 90 bp; got \[79, 91\) at index 2"),
        ([-1], r"keep the CRE inside the sequence of 90 bp; got \[-1, 11\) at index 0"),
        ([], r"positions must be at least one start, shape \(P,\); got shape \(0,\)"),
        (3, r"positions must be at least one start, shape \(P,\); got shape \(\)"),
        ([[0, 60]], r"positions must be at least one start, shape \(P,\); got shape \(1, 2\)"),
        ([0.5], "positions must be integers; got dtype torch.float64"),
    ],
)
def test_distance_refuses_bad_positions(positions: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        distance_test(MODEL, random_sequences(2, LENGTH), (40, 55), (5, 17), positions, n=2)


def test_distance_allows_positions_that_touch_the_tss_tile_and_the_ends() -> None:
    y_mut = distance_test(MODEL, random_sequences(2, LENGTH), (40, 55), (5, 17), [0, 28, 55, 78], n=1).y_mut
    assert y_mut.shape[1] == 4


def test_distance_refuses_a_position_over_the_tss_tile_of_any_example() -> None:
    with pytest.raises(ValueError, match=r"positions must not overlap tss_tile \[38, 50\); got \[28, 40\) at index 1"):
        distance_test(MODEL, random_sequences(3, LENGTH), TSS, CRE, [0, 28], n=2)


def test_distance_refuses_a_position_where_any_cre_leaves_the_sequence() -> None:
    with pytest.raises(ValueError, match=r"inside the sequence of 90 bp; got \[75, 95\) at index 1"):
        distance_test(MODEL, random_sequences(3, LENGTH), TSS, [(5, 17), (70, 90), (60, 72)], [0, 75], n=2)


@pytest.mark.parametrize(
    ("tss", "cre", "message"),
    [
        ((40, 55), (30, 41), r"cre_tile must not overlap tss_tile \[40, 55\); got \[30, 41\) at index 0"),
        (TSS, [(5, 17), (70, 82), (59, 71)], r"must not overlap tss_tile \[45, 60\); got \[59, 71\) at index 2"),
        ((40, 95), (5, 17), r"tss_tile must lie inside the window of 90 bp; got \[40, 95\)"),
        ((40, 55), (80, 92), r"cre_tile must lie inside the window of 90 bp; got \[80, 92\)"),
        ((40, 55), (5, 5), r"cre_tile must end after they start; got \[5, 5\)"),
        ((40, 55), [(5, 17), (5, 17)], r"cre_tile must be one span or one per example \(3\); got 2"),
    ],
)
def test_distance_refuses_bad_tiles(tss: Any, cre: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        distance_test(MODEL, random_sequences(3, LENGTH), tss, cre, [0], n=2)


@pytest.mark.parametrize("shape", [(2, 3, 4, LENGTH), (3, 1, 4, LENGTH), (3, 2, 4, LENGTH + 1)])
def test_distance_refuses_backgrounds_of_another_shape(shape: tuple[int, ...]) -> None:
    message = re.escape(f"backgrounds must have shape (3, 2 or more, 4, 90); got {shape}.")
    with pytest.raises(ValueError, match=message):
        distance_test(MODEL, random_sequences(3, LENGTH), TSS, CRE, [0], n=2, backgrounds=torch.zeros(shape))
