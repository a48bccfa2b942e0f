"""Test spans by hand and against naive loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from tangermeme_creme.sequence import check_apart, check_disjoint, check_spans, integers, span_per_example


@pytest.mark.parametrize(
    "spans",
    [
        [(0, 4), (2, 10)],
        ((0, 4), (2, 10)),
        np.array([[0, 4], [2, 10]]),
        np.array([[0, 4], [2, 10]], dtype=np.int32),
        torch.tensor([[0, 4], [2, 10]]),
        torch.tensor([[0, 4], [2, 10]], dtype=torch.int32),
    ],
    ids=["list", "tuple", "array", "int32 array", "tensor", "int32 tensor"],
)
def test_check_spans_reads_every_kind_of_integers(spans: object) -> None:
    checked = check_spans(spans, 10)
    assert checked.dtype == torch.int64
    assert checked.tolist() == [[0, 4], [2, 10]]


def test_check_spans_takes_one_pair_as_one_span() -> None:
    assert check_spans((2, 5), 10).tolist() == [[2, 5]]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ((-1, 5), r"must lie inside the window of 10 bp; got \[-1, 5\) at index 1"),
        ((5, 11), r"must lie inside the window of 10 bp; got \[5, 11\) at index 1"),
        ((5, 5), r"must end after they start; got \[5, 5\) at index 1"),
        ((6, 5), r"must end after they start; got \[6, 5\) at index 1"),
    ],
)
def test_check_spans_names_the_bad_span(bad: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"sub-tiles {message}"):
        check_spans([(0, 10), bad, (-7, 99)], 10, "sub-tiles")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([(1, 2, 3)], r"must have shape \(T, 2\); got \(1, 3\)"),
        ([[(0, 1)]], r"must have shape \(T, 2\); got \(1, 1, 2\)"),
        (7, r"must have shape \(T, 2\); got \(\)"),
        ([(0.0, 5.0)], "must be integers; got dtype torch.float64"),
        ([(False, True)], "must be integers; got dtype torch.bool"),
        ([(0, 1), (2,)], r"must be integers in a regular shape; got \[\(0, 1\), \(2,\)\]"),
        ([("a", "b")], "must be integers in a regular shape; got"),
        (None, "must be integers in a regular shape; got None"),
    ],
)
def test_check_spans_says_what_was_got_instead_of_spans(bad: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"tiles {message}"):
        check_spans(bad, 10)


@pytest.mark.parametrize("none", [[], np.zeros((0, 2), dtype=int)])
def test_check_spans_refuses_no_span(none: object) -> None:
    with pytest.raises(ValueError, match="tiles must hold at least one span; got none"):
        check_spans(none, 10)


def test_integers_leaves_its_input_alone() -> None:
    values = np.array([1, 2])
    integers(values, "positions")[0] = 9
    assert values.tolist() == [1, 2]


def test_span_per_example_repeats_one_span() -> None:
    assert span_per_example((2, 5), 3, 10, "tile").tolist() == [[2, 5]] * 3


def test_span_per_example_keeps_one_span_each() -> None:
    assert span_per_example([(2, 5), (0, 3)], 2, 10, "tile").tolist() == [[2, 5], [0, 3]]


def test_span_per_example_refuses_another_number_of_spans() -> None:
    with pytest.raises(ValueError, match=r"cre_tile must be one span or one per example \(3\); got 2"):
        span_per_example([(2, 5), (0, 3)], 3, 10, "cre_tile")


def test_span_per_example_checks_the_spans() -> None:
    with pytest.raises(ValueError, match=r"cre_tile must lie inside the window of 10 bp; got \[3, 12\) at index 1"):
        span_per_example([(2, 5), (3, 12)], 2, 10, "cre_tile")


spans_strategy = st.tuples(st.integers(0, 20), st.integers(1, 6)).map(lambda drawn: (drawn[0], sum(drawn)))


def share_a_base(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return bool(set(range(*a)) & set(range(*b)))


@given(st.lists(spans_strategy, min_size=1, max_size=4), spans_strategy)
@settings(max_examples=100, deadline=None)
def test_check_apart_raises_where_a_base_is_shared(spans: list[tuple[int, int]], other: tuple[int, int]) -> None:
    overlapping = [(i, span) for i, span in enumerate(spans) if share_a_base(span, other)]
    if not overlapping:
        check_apart(torch.tensor(spans), torch.tensor([other]), "tiles", "tss_tile")
        return
    i, (start, end) = overlapping[0]
    message = rf"tiles must not overlap tss_tile \[{other[0]}, {other[1]}\); got \[{start}, {end}\) at index {i}\."
    with pytest.raises(ValueError, match=message):
        check_apart(torch.tensor(spans), torch.tensor([other]), "tiles", "tss_tile")


def test_check_apart_compares_every_span_with_every_example() -> None:
    tiles, tss = torch.tensor([[0, 5], [5, 9]]), torch.tensor([[9, 12], [7, 12]])
    with pytest.raises(ValueError, match=r"tss_tile \[7, 12\); got \[5, 9\) at index 1"):
        check_apart(tiles, tss[:, None], "tiles", "tss_tile")


@given(st.lists(spans_strategy, min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_check_disjoint_raises_where_two_spans_share_a_base(spans: list[tuple[int, int]]) -> None:
    if any(share_a_base(a, b) for a, b in itertools.combinations(spans, 2)):
        with pytest.raises(ValueError, match="tiles must not overlap each other; got"):
            check_disjoint(torch.tensor(spans), "tiles")
    else:
        check_disjoint(torch.tensor(spans), "tiles")


def test_check_disjoint_names_the_first_pair_by_start() -> None:
    spans = torch.tensor([[20, 30], [5, 9], [0, 6], [29, 40]])
    with pytest.raises(ValueError, match=r"got \[0, 6\) at index 2 and \[5, 9\) at index 1"):
        check_disjoint(spans, "tiles")
