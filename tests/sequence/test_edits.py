"""Test packing, base codes and edits against naive loops."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch
from helpers import codes_of, one_hot, random_sequences, text_of
from hypothesis import given, settings, strategies as st
from tangermeme.utils import PackedSequence

from tangermeme_creme.sequence import (
    Edits,
    apply_edits,
    check_edits,
    join_packed,
    make_edits,
    pack,
    to_one_hot,
)

DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_pack_reads_every_dtype(dtype: torch.dtype) -> None:
    X = random_sequences(3, 13, unknown=0.3, dtype=torch.int64)
    packed = pack(X.to(dtype))
    assert packed.shape == X.shape
    assert torch.equal(packed.to_one_hot().long(), X)


def test_pack_keeps_unknown_bases() -> None:
    packed = pack(torch.stack([one_hot("NACNNGTN"), one_hot("NNNNNNNN")]))
    assert [text_of(x) for x in packed.to_one_hot()] == ["NACNNGTN", "NNNNNNNN"]


def test_pack_hands_packed_sequences_through() -> None:
    packed = pack(random_sequences(2, 9))
    assert pack(packed) is packed


def test_pack_reads_tensors_that_are_not_contiguous() -> None:
    X = random_sequences(2, 20, unknown=0.2)
    views = [X.transpose(0, 1).contiguous().transpose(0, 1), X[:, :, ::2], X.flip(0)[:, :, 3:11]]
    for view in views:
        assert torch.equal(pack(view).to_one_hot(), view)


def test_pack_reads_a_tensor_that_requires_grad() -> None:
    X = random_sequences(2, 9, dtype=torch.float32).requires_grad_()
    packed = pack(X)
    assert torch.equal(packed.to_one_hot().float(), X.detach())
    assert X.requires_grad


@pytest.mark.parametrize("chunk", [1, 7, 14, 21, 1000])
def test_pack_joins_chunks(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    X = random_sequences(5, 7, unknown=0.4)
    whole = pack(X)
    monkeypatch.setattr("tangermeme_creme.sequence.edits._CHUNK_BASES", chunk)
    packed = pack(X)
    assert torch.equal(packed.to_one_hot(), X)
    assert torch.equal(packed.data, whole.data) and torch.equal(packed.n_runs, whole.n_runs)


def test_pack_joins_chunks_of_two_batch_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    X = random_sequences(6, 7, unknown=0.4).reshape(2, 3, 4, 7)
    monkeypatch.setattr("tangermeme_creme.sequence.edits._CHUNK_BASES", 14)
    packed = pack(X, batch_axes=2)
    assert packed.shape == (2, 3, 4, 7)
    assert torch.equal(packed.to_one_hot(), X)


def test_pack_leaves_its_input_alone() -> None:
    X = random_sequences(2, 9, unknown=0.2)
    before = X.clone()
    pack(X)
    assert torch.equal(X, before)


@pytest.mark.parametrize(
    ("value", "kind"), [([[1, 0, 0, 0]], "list"), (np.zeros((1, 4, 5)), "ndarray"), (None, "None")]
)
def test_pack_refuses_what_is_not_a_tensor(value: object, kind: str) -> None:
    with pytest.raises(ValueError, match=f"X must be a torch.Tensor or a PackedSequence; got {kind}"):
        pack(value)


@pytest.mark.parametrize("shape", [(2, 5, 9), (2, 9, 4), (4, 9), (1, 2, 4, 9), ()])
def test_pack_refuses_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"X must have shape (N, 4, L); got {shape}.")):
        pack(torch.zeros(shape))


def test_pack_refuses_another_shape_of_two_batch_axes() -> None:
    with pytest.raises(ValueError, match=r"backgrounds must have shape \(N, n, 4, L\); got \(2, 4, 9\)"):
        pack(torch.zeros(2, 4, 9), "backgrounds", batch_axes=2)


def test_pack_refuses_packed_sequences_of_another_shape() -> None:
    packed = pack(random_sequences(6, 7)).reshape(2, 3)
    with pytest.raises(ValueError, match=r"X must have shape \(N, 4, L\); got \(2, 3, 4, 7\)"):
        pack(packed)


@pytest.mark.parametrize("shape", [(0, 4, 9), (2, 4, 0)])
def test_pack_refuses_empty_input(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"at least one sequence of at least one base; got {shape}.")):
        pack(torch.zeros(shape))


@pytest.mark.parametrize("value", [0.25, 2.0, -1.0, float("nan"), float("inf")])
def test_pack_names_the_first_value_that_is_not_one_hot(value: float) -> None:
    X = random_sequences(3, 9, dtype=torch.float32)
    X[1, 2, 5] = value
    X[2, 0, 0] = 7
    with pytest.raises(
        ValueError,
        match=re.escape(f"X must be one-hot, with all-zero columns for unknown bases; got {value} at [1, 2, 5]."),
    ):
        pack(X)


def test_pack_names_the_first_column_with_two_ones() -> None:
    X = torch.stack([one_hot("ACGTA"), one_hot("ACGTA")])
    X[1, 3, 2] = 1
    with pytest.raises(ValueError, match=re.escape("got ones in channels [2, 3] at [1, channel, 2].")):
        pack(X)


@pytest.mark.parametrize("chunk", [1, 9, 18, 1000])
def test_pack_names_the_index_in_the_whole_input(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    X = random_sequences(6, 9, dtype=torch.float32).reshape(2, 3, 4, 9)
    X[1, 2, 3, 4] = 0.25
    monkeypatch.setattr("tangermeme_creme.sequence.edits._CHUNK_BASES", chunk)
    with pytest.raises(ValueError, match=re.escape("backgrounds must be one-hot")) as caught:
        pack(X, "backgrounds", batch_axes=2)
    assert "got 0.25 at [1, 2, 3, 4]." in str(caught.value)


def test_join_packed_moves_the_rows_of_unknown_bases() -> None:
    parts = [random_sequences(n, 11, seed=n, unknown=0.4) for n in (1, 3, 2)]
    joined = join_packed([pack(part) for part in parts])
    assert torch.equal(joined.to_one_hot(), torch.cat(parts))


def test_to_one_hot_undoes_codes() -> None:
    X = random_sequences(3, 17, unknown=0.3)
    assert torch.equal(to_one_hot(pack(X).to_codes()), X)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_to_one_hot_has_the_dtype_that_was_asked_for(dtype: torch.dtype) -> None:
    hot = to_one_hot(codes_of("ACNT"), dtype)
    assert hot.dtype == dtype
    assert torch.equal(hot, one_hot("ACNT", dtype))


def test_make_edits_broadcasts_in_row_major_order() -> None:
    base, start, index = torch.tensor([0, 1])[:, None, None], torch.tensor([4, 5, 6])[:, None], torch.arange(2)
    edits = make_edits(base, start, index, [codes_of("A"), codes_of("C")])
    expected = list(itertools.product([0, 1], [4, 5, 6], [0, 1]))
    assert list(zip(edits.base.tolist(), edits.start.tolist(), edits.content_index.tolist())) == expected


def test_make_edits_of_integers_is_one_edit() -> None:
    edits = make_edits(1, 2, 0, [codes_of("A")])
    assert [part.tolist() for part in edits[:3]] == [[1], [2], [0]]


def test_make_edits_keeps_the_pool_as_it_is() -> None:
    pool = [codes_of("A"), codes_of("CG")]
    assert make_edits(0, [0, 3], [0, 1], pool).content is pool


def test_check_edits_passes_edits_up_to_both_ends() -> None:
    check_edits(make_edits([0, 1], [0, 7], 0, [codes_of("ACG")]), n_rows=2, length=10)


@pytest.mark.parametrize(
    ("base", "start", "index", "message"),
    [
        ([0, 2], 0, 0, r"base of an edit must be in \[0, 2\); got 2 at index 1"),
        ([-1, 1], 0, 0, r"base of an edit must be in \[0, 2\); got -1 at index 0"),
        (0, 0, [0, 1], r"content_index of an edit must be in \[0, 1\); got 1 at index 1"),
        (0, 0, [0, 0, -2], r"content_index of an edit must be in \[0, 1\); got -2 at index 2"),
        (0, [0, 8], 0, r"inside the sequence of 10 bp; got \[8, 11\) at index 1"),
        (0, [-1, 8], 0, r"inside the sequence of 10 bp; got \[-1, 2\) at index 0"),
    ],
)
def test_check_edits_names_the_first_bad_edit(base: object, start: object, index: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_edits(make_edits(base, start, index, [codes_of("ACG")]), n_rows=2, length=10)


@st.composite
def edited_rows(draw: st.DrawFn) -> tuple[list[str], list[tuple[int, int, int]], list[str]]:
    """Draw rows, edits (row, start, content) that fit, and contents."""
    length = draw(st.integers(1, 25))
    rows = draw(st.lists(st.text("ACGTN", min_size=length, max_size=length), min_size=1, max_size=4))
    pool = draw(st.lists(st.text("ACGTN", min_size=1, max_size=length), min_size=1, max_size=4))
    edits = []
    for _ in range(draw(st.integers(0, 6))):
        index = draw(st.integers(0, len(pool) - 1))
        start = draw(st.integers(0, length - len(pool[index])))
        edits.append((draw(st.integers(0, len(rows) - 1)), start, index))
    return rows, edits, pool


@given(edited_rows())
@settings(max_examples=60, deadline=None)
def test_apply_edits_writes_what_a_naive_loop_writes(
    drawn: tuple[list[str], list[tuple[int, int, int]], list[str]],
) -> None:
    rows, places, pool = drawn
    expected = [list(row) for row in rows]
    for row, start, index in places:
        for offset, letter in enumerate(pool[index]):
            expected[row][start + offset] = letter
    codes = torch.stack([codes_of(row) for row in rows])
    parts = [torch.tensor([place[k] for place in places], dtype=torch.int64) for k in range(3)]
    apply_edits(codes, Edits(*parts, [codes_of(content) for content in pool]))
    assert ["".join("ACGTN"[code] for code in row) for row in codes.tolist()] == ["".join(row) for row in expected]


def test_apply_edits_writes_into_the_rows_that_are_given() -> None:
    codes = torch.stack([codes_of("AAAA")] * 3)
    apply_edits(codes, make_edits([7, 7], [0, 2], [0, 1], [codes_of("CC"), codes_of("G")]), rows=torch.tensor([2, 0]))
    assert codes.tolist() == [[0, 0, 2, 0], [0, 0, 0, 0], [1, 1, 0, 0]]


def test_apply_edits_leaves_the_pool_alone() -> None:
    pool = [codes_of("CC")]
    codes = codes_of("AAAA")[None]
    edits = make_edits(0, 1, 0, pool)
    apply_edits(codes, edits)
    codes[:] = 3
    assert pool[0].tolist() == [1, 1]


def test_pack_gives_what_tangermeme_packs() -> None:
    X = random_sequences(3, 13, unknown=0.3)
    expected = PackedSequence.from_one_hot(X)
    assert torch.equal(pack(X).data, expected.data) and torch.equal(pack(X).n_runs, expected.n_runs)


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn], ids=str)
def test_pack_takes_dtypes_that_torch_does_not_sum(dtype: torch.dtype) -> None:
    X = random_sequences(3, 17, unknown=0.2)
    assert torch.equal(pack(X.to(dtype)).to_one_hot(), X)
    X[1, :, 5] = 1
    with pytest.raises(ValueError, match=re.escape("got ones in channels [0, 1, 2, 3] at [1, channel, 5]")):
        pack(X.to(dtype))
