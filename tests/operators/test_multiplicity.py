"""The greedy insertion of copies against a naive one, on sequences that are put together by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import (
    Mixer,
    TwoHeads,
    answer,
    assert_close,
    controls,
    put,
    random_sequences,
)
from hypothesis import given, settings, strategies as st

from tangermeme_creme import multiplicity_test
from tangermeme_creme.sequence import pack

LENGTH = 90
MODEL = Mixer(LENGTH)
TSS = [(40, 55), (38, 50), (45, 60)]
CRE = [(5, 17), (70, 80), (61, 73)]
POSITIONS = [78, 0, 13, 26, 64]
SEEDS = [11, 3, 7]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def naive_insertion(
    value: Callable[[torch.Tensor], float],
    control: list[torch.Tensor],
    cre: torch.Tensor,
    own: int,
    positions: list[int],
    direction: str,
    copies: int,
) -> dict[str, list[Any]]:
    """One example of the search, one sequence at a time."""
    found: dict[str, list[Any]] = {
        "y_control": [value(x) for x in control],
        "y_original": [value(put(x, own, cre)) for x in control],
        "positions": [],
        "y_candidates": [],
        "y_selected": [],
    }
    for _ in range(copies):
        left = [p for p in positions if p not in found["positions"]]
        tried = {p: [value(put(x, p, cre)) for x in control] for p in left}
        best = left[0]
        for p in left[1:]:
            better = mean(tried[p]) < mean(tried[best]) if direction == "min" else mean(tried[p]) > mean(tried[best])
            best = p if better else best
        control = [put(x, best, cre) for x in control]
        found["positions"].append(best)
        found["y_candidates"].append([tried.get(p, [math.nan] * len(control)) for p in positions])
        found["y_selected"].append(mean(tried[best]))
    return found


def check(result: Any, i: int, found: dict[str, list[Any]]) -> None:
    """Example i of a result against the naive search."""
    assert result.positions[i].tolist() == found["positions"]
    for name in ("y_control", "y_original", "y_candidates", "y_selected"):
        expected = torch.tensor(found[name], dtype=torch.float64)
        assert_close(getattr(result, name)[i], expected, equal_nan=True)


def average_of(x: torch.Tensor) -> float:
    return float(answer(MODEL, x).mean())


@pytest.mark.parametrize("batch_size", [1, 5, 64])
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("direction", ["min", "max"])
def test_multiplicity_equals_a_naive_search(direction: str, n: int, batch_size: int) -> None:
    X = random_sequences(3, LENGTH, unknown=0.05)
    result = multiplicity_test(
        MODEL, X, TSS, CRE, POSITIONS, direction=direction, copies=4, n=n, random_state=SEEDS, batch_size=batch_size
    )
    for i, (start, end) in enumerate(CRE):
        control = controls(X[i], TSS[i], n, SEEDS[i])
        cre = X[i, :, start:end]
        check(result, i, naive_insertion(average_of, control, cre, start, POSITIONS, direction, 4))


@st.composite
def places(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int], list[int]]:
    """Draw a TSS tile, a CRE apart from it, and positions apart from it and from each other, in any order."""
    first = draw(st.integers(20, 50))
    tss = (first, draw(st.integers(first + 1, 60)))
    width = draw(st.integers(1, 10))
    free = [s for s in range(LENGTH - width + 1) if s + width <= tss[0] or s >= tss[1]]
    start = draw(st.sampled_from(free))
    positions: list[int] = []
    for position in draw(st.lists(st.sampled_from(free), min_size=1, max_size=6)):
        if all(abs(position - other) >= width for other in positions):
            positions.append(position)
    return tss, (start, start + width), positions


@given(places(), st.sampled_from(["min", "max"]), st.integers(0, 1000))
@settings(max_examples=12, deadline=None, derandomize=True)  # rounding could decide between equal positions
def test_multiplicity_equals_a_naive_search_for_any_places(
    drawn: tuple[tuple[int, int], tuple[int, int], list[int]], direction: str, seed: int
) -> None:
    (tss, (start, end), positions), X = drawn, random_sequences(1, LENGTH, seed=8)
    result = multiplicity_test(
        MODEL, X, tss, (start, end), positions, direction=direction, copies=len(positions), n=2, random_state=seed
    )
    control = controls(X[0], tss, 2, seed)
    found = naive_insertion(average_of, control, X[0, :, start:end], start, positions, direction, len(positions))
    check(result, 0, found)


def test_multiplicity_follows_an_objective() -> None:
    X = random_sequences(2, LENGTH)
    result = multiplicity_test(
        MODEL, X, (40, 55), (5, 17), POSITIONS, direction="max", copies=3, n=2, random_state=4,
        objective=lambda y: y[:, 0, 1] - y[:, 3].amax(1),
    )  # fmt: skip

    def value(x: torch.Tensor) -> float:
        y = answer(MODEL, x)
        return float(y[0, 1] - y[3].max())

    for i in range(2):
        control = controls(X[i], (40, 55), 2, 4 + i)
        check(result, i, naive_insertion(value, control, X[i, :, 5:17], 5, POSITIONS, "max", 3))


def test_multiplicity_takes_backgrounds_and_uses_the_first_n() -> None:
    X, backgrounds = random_sequences(3, LENGTH), random_sequences(12, LENGTH, seed=9).reshape(3, 4, 4, LENGTH)
    for given_ in (backgrounds, pack(backgrounds, batch_axes=2)):
        result = multiplicity_test(MODEL, X, TSS, CRE, POSITIONS, direction="max", copies=2, n=2, backgrounds=given_)
        for i, ((first, last), (start, end)) in enumerate(zip(TSS, CRE)):
            control = [put(backgrounds[i, k], first, X[i, :, first:last]) for k in range(2)]
            check(result, i, naive_insertion(average_of, control, X[i, :, start:end], start, POSITIONS, "max", 2))


@pytest.mark.parametrize("direction", ["min", "max"])
def test_multiplicity_takes_the_first_of_equal_positions(direction: str) -> None:
    X = random_sequences(2, LENGTH)
    result = multiplicity_test(
        MODEL, X, (40, 55), (5, 17), POSITIONS, direction=direction, copies=5, n=2, random_state=0,
        objective=lambda y: torch.ones(len(y)),
    )  # fmt: skip
    assert result.positions.tolist() == [POSITIONS] * 2


def test_multiplicity_leaves_the_positions_as_they_are() -> None:
    positions = list(POSITIONS)
    multiplicity_test(MODEL, random_sequences(1, LENGTH), (40, 55), (5, 17), positions, direction="max", copies=5, n=1)
    assert positions == POSITIONS


def test_multiplicity_adds_15_copies_by_default() -> None:
    X, positions = random_sequences(1, LENGTH), [*range(0, 30, 2), 60]
    result = multiplicity_test(MODEL, X, (40, 55), (70, 72), positions, direction="max", n=1)
    assert result.positions.shape == (1, 15)


def test_multiplicity_refuses_several_outputs_without_an_objective() -> None:
    with pytest.raises(ValueError, match="objective must be given for a model with several outputs; got 2 outputs"):
        multiplicity_test(
            TwoHeads(LENGTH), random_sequences(1, LENGTH), (40, 55), (5, 17), [0], direction="max", copies=1, n=1
        )


@pytest.mark.parametrize("copies", [0, 6])
def test_multiplicity_refuses_more_copies_than_positions(copies: int) -> None:
    message = f"copies must be between 1 and the number of positions, 5; got {copies}"
    with pytest.raises(ValueError, match=message):
        multiplicity_test(
            MODEL, random_sequences(1, LENGTH), (40, 55), (5, 17), POSITIONS, direction="max", copies=copies
        )


def test_multiplicity_refuses_another_direction() -> None:
    with pytest.raises(ValueError, match="direction must be 'min' or 'max'; got 'up'"):
        multiplicity_test(MODEL, random_sequences(1, LENGTH), (40, 55), (5, 17), [0], direction="up", copies=1)


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([0, 26, 11], r"must not overlap each other; got \[0, 12\) at index 0 and \[11, 23\) at index 2"),
        ([0, 60, 0], r"must not overlap each other; got \[0, 12\) at index 0 and \[0, 12\) at index 2"),
        ([0, 29], r"positions must not overlap tss_tile \[40, 55\); got \[29, 41\) at index 1"),
        ([79], r"keep the CRE inside the sequence of 90 bp; got \[79, 91\) at index 0"),
        ([0, -2], r"keep the CRE inside the sequence of 90 bp; got \[-2, 10\) at index 1"),
    ],
)
def test_multiplicity_refuses_bad_positions(positions: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        multiplicity_test(
            MODEL, random_sequences(2, LENGTH), (40, 55), (5, 17), positions, direction="max", copies=1, n=1
        )


def test_multiplicity_refuses_positions_that_overlap_for_the_longest_cre() -> None:
    with pytest.raises(ValueError, match=r"got \[0, 12\) at index 0 and \[10, 22\) at index 1"):
        multiplicity_test(MODEL, random_sequences(3, LENGTH), TSS, CRE, [0, 10], direction="max", copies=1, n=1)


def test_multiplicity_refuses_a_cre_over_the_tss_tile() -> None:
    with pytest.raises(ValueError, match=r"cre_tile must not overlap tss_tile \[38, 50\); got \[49, 52\) at index 1"):
        multiplicity_test(
            MODEL, random_sequences(3, LENGTH), TSS, [(5, 8), (49, 52), (5, 8)], [0], direction="max", copies=1, n=1
        )


@pytest.mark.parametrize("shape", [(2, 3, 4, LENGTH), (3, 1, 4, LENGTH), (3, 2, 4, LENGTH + 1)])
def test_multiplicity_refuses_backgrounds_of_another_shape(shape: tuple[int, ...]) -> None:
    message = re.escape(f"backgrounds must have shape (3, 2 or more, 4, 90); got {shape}.")
    with pytest.raises(ValueError, match=message):
        multiplicity_test(
            MODEL, random_sequences(3, LENGTH), TSS, CRE, POSITIONS, direction="max", copies=1, n=2,
            backgrounds=torch.zeros(shape),
        )  # fmt: skip
