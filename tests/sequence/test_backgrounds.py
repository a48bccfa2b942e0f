"""Test seeds of examples, and shuffled backgrounds against shuffles of tangermeme."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from helpers import one_hot, random_sequences
from hypothesis import given, settings, strategies as st
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import PackedSequence, TangermemeWarning

from tangermeme_creme.sequence import example_seeds, pack, shuffle_backgrounds

# Backgrounds


@pytest.mark.parametrize("unknown", [0.0, 0.2])
@pytest.mark.parametrize("n", [1, 4])
def test_backgrounds_are_those_of_tangermeme(n: int, unknown: float) -> None:
    X = random_sequences(3, 80, unknown=unknown)
    drawn = shuffle_backgrounds(X, n=n, random_state=5).to_one_hot()
    for i in range(3):
        expected = dinucleotide_shuffle(X[i : i + 1], n=n, random_state=5 + i, allow_N=True)
        assert torch.equal(drawn[i : i + 1], expected)


@pytest.mark.parametrize(
    "seeds",
    [[9, 2**32 - 1, 0], np.array([9, 2**32 - 1, 0]), torch.tensor([9, 2**32 - 1, 0])],
    ids=["list", "array", "tensor"],
)
def test_backgrounds_take_one_seed_per_example(seeds: Any) -> None:
    X = random_sequences(3, 80)
    drawn = shuffle_backgrounds(X, n=2, random_state=seeds).to_one_hot()
    for i, seed in enumerate([9, 2**32 - 1, 0]):
        assert torch.equal(drawn[i : i + 1], dinucleotide_shuffle(X[i : i + 1], n=2, random_state=seed, allow_N=True))


@pytest.mark.parametrize("dtype", [torch.int8, torch.bool, torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_backgrounds_do_not_depend_on_the_dtype(dtype: torch.dtype) -> None:
    X = random_sequences(2, 50, unknown=0.1)
    expected = shuffle_backgrounds(X, n=2, random_state=0).to_one_hot()
    assert torch.equal(shuffle_backgrounds(X.to(dtype), n=2, random_state=0).to_one_hot(), expected)


def test_backgrounds_of_packed_sequences_are_the_same() -> None:
    X = random_sequences(2, 50, unknown=0.1)
    expected = shuffle_backgrounds(X, n=2, random_state=0)
    packed = shuffle_backgrounds(pack(X), n=2, random_state=0)
    assert isinstance(packed, PackedSequence) and packed.shape == (2, 2, 4, 50)
    assert torch.equal(packed.data, expected.data) and torch.equal(packed.n_runs, expected.n_runs)


@given(st.integers(1, 5), st.integers(0, 2**32 - 2))
@settings(max_examples=15, deadline=None)
def test_backgrounds_start_with_those_of_a_smaller_n(k: int, seed: int) -> None:
    X = random_sequences(2, 40, unknown=0.1)
    few, many = (shuffle_backgrounds(X, n=n, random_state=seed).to_one_hot() for n in (k, k + 3))
    assert torch.equal(many[:, :k], few)


def test_backgrounds_leave_their_input_alone() -> None:
    X = random_sequences(2, 40, unknown=0.1)
    before = X.clone()
    shuffle_backgrounds(X, n=2, random_state=0)
    assert torch.equal(X, before)


@pytest.mark.parametrize("n", [0, -3])
def test_backgrounds_refuse_a_number_below_one(n: int) -> None:
    with pytest.raises(ValueError, match=f"n must be at least 1; got {n}"):
        shuffle_backgrounds(random_sequences(1, 40), n=n)


def test_backgrounds_warn_once_of_examples_that_have_one_shuffle() -> None:
    X = torch.stack([one_hot("A" * 20), random_sequences(1, 20)[0], one_hot("N" * 20)])
    with pytest.warns(TangermemeWarning) as caught:
        drawn = shuffle_backgrounds(X, n=2, random_state=0)
    assert [str(warning.message) for warning in caught] == [
        "2 of 3 shuffled sequences came back unchanged: example 0, example 2."
    ]
    assert torch.equal(drawn.to_one_hot()[[0, 2]], X[[0, 2], None].expand(2, 2, 4, 20))


def test_backgrounds_warning_points_at_the_caller() -> None:
    with pytest.warns(TangermemeWarning, match="1 of 1") as caught:
        shuffle_backgrounds(one_hot("A" * 20)[None], n=2, random_state=0)
    assert caught[0].filename == __file__


# Seeds


def test_seeds_of_an_integer_count_up() -> None:
    assert example_seeds(7, 3) == [7, 8, 9]


@pytest.mark.parametrize("seeds", [[5, 0, 9], (5, 0, 9), np.array([5, 0, 9]), torch.tensor([5, 0, 9])])
def test_seeds_of_a_sequence_are_its_own(seeds: Any) -> None:
    assert example_seeds(seeds, 3) == [5, 0, 9]


@pytest.mark.parametrize("seed", [np.int64(4), np.uint8(4), np.array(4), torch.tensor(4)])
def test_seeds_of_a_scalar_of_any_library_count_up(seed: Any) -> None:
    assert example_seeds(seed, 2) == [4, 5]


def test_seeds_of_none_come_from_the_global_generator_of_numpy() -> None:
    np.random.seed(3)  # noqa: NPY002
    first, second = example_seeds(None, 2), example_seeds(None, 2)
    np.random.seed(3)  # noqa: NPY002
    assert [example_seeds(None, 2), example_seeds(None, 2)] == [first, second]
    assert first != second and first[1] == first[0] + 1


def test_backgrounds_without_a_seed_repeat_after_seeding_numpy() -> None:
    X = random_sequences(2, 40)
    np.random.seed(3)  # noqa: NPY002
    first = shuffle_backgrounds(X, n=2)
    np.random.seed(3)  # noqa: NPY002
    assert torch.equal(shuffle_backgrounds(X, n=2).data, first.data)
    assert not torch.equal(shuffle_backgrounds(X, n=2).data, first.data)


def test_seeds_do_not_touch_the_global_generator_when_given() -> None:
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.randint(1000)  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    example_seeds(5, 2)
    assert np.random.randint(1000) == expected  # noqa: NPY002


@pytest.mark.parametrize(
    ("random_state", "message"),
    [
        (-1, r"must be in \[0, 2\*\*32\); got -1 for example 0"),
        (2**32 - 1, r"must be in \[0, 2\*\*32\); got 4294967296 for example 1"),
        ([3, -2], r"must be in \[0, 2\*\*32\); got -2 for example 1"),
        ([2**32, 0], r"must be in \[0, 2\*\*32\); got 4294967296 for example 0"),
        (2**70, "got 1180591620717411303424"),
        ([1, 2, 3], r"must be one int or one per example \(2\); got shape \(3,\)"),
        ([1], r"must be one int or one per example \(2\); got shape \(1,\)"),
        ([[1, 2]], r"must be one int or one per example \(2\); got shape \(1, 2\)"),
        (1.0, "must be integers; got dtype torch.float64"),
        ([1.0, 2.0], "must be integers; got dtype torch.float64"),
        (True, "must be integers; got dtype torch.bool"),
        ("0", "must be integers in a regular shape; got '0'"),
    ],
)
def test_seeds_say_what_was_got_instead(random_state: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"random_state .*{message}"):
        example_seeds(random_state, 2)
