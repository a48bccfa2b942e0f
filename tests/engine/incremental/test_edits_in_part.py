"""Edits that run in part against the network itself, for any network and any edit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from helpers import assert_close
from hypothesis import assume, given, settings, strategies as st
from incremental_cases import (
    F64,
    Both,
    Does,
    Mix,
    bases,
    bp,
    convolve,
    edited,
    edits_at,
    models,
    naive,
    some_edits,
    split,
    stack,
    watched,
    write,
)
from torch import nn

from tangermeme_creme.engine import EditSession
from tangermeme_creme.models.toy import MOTIFS, RegulatoryToy
from tangermeme_creme.sequence import Edits

L = 120


close_to = partial(torch.testing.assert_close, rtol=1e-9, atol=1e-11)


def run_steps(data: st.DataObject, session: EditSession, X: torch.Tensor) -> Iterator[tuple[Any, torch.Tensor]]:
    """Draw what to do with a session, and do it: what it predicts, and the sequences of which it should be."""
    for kind in data.draw(st.lists(st.sampled_from(["predict", "edits", "commit"]), min_size=2, max_size=5)):
        if kind == "predict":
            yield session.predict(), X
            continue
        edits = data.draw(some_edits(len(X), X.shape[-1]))
        if kind == "edits":
            yield session.predict_edits(edits), edited(X, edits)
        else:
            session.commit(edits)
            X = write(X, edits)
    yield session.predict(), X


@given(st.data(), st.integers(40, 400), st.integers(1, 3), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
@pytest.mark.filterwarnings("ignore:.*runs in full, not incrementally")
def test_auto_is_right_for_any_network(data: st.DataObject, length: int, n_rows: int, batch_size: int) -> None:
    model = data.draw(models(length))
    X = bases(n_rows, length, seed=1, unknown=0.1)
    with EditSession(model, X, batch_size=batch_size) as session:
        for y, sequences in run_steps(data, session, X):
            close_to(y, naive(model, sequences))


@given(st.data(), st.integers(150, 400), st.integers(1, 3), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_convolutions_and_poolings_run_in_part(data: st.DataObject, length: int, n_rows: int, batch_size: int) -> None:
    model = data.draw(models(length, modes=["zeros"], kernels=[1, 3, 5, 7], n_layers=2))
    assume(2 * length > 3 * max_reach(model.local))
    X = bases(n_rows, length, seed=1, unknown=0.1)
    middle = edits_at((0, length // 2, 1))
    with EditSession(model, X, batch_size=batch_size, incremental=True, allow_stochastic=True) as session:
        assert_close(session.predict_edits(middle), naive(model, edited(X, middle)))
        assert (session.work.n_full, session.work.n_partial) == (0, 1)
        before = session.work.positions
        with watched(model.local) as calls:
            found = list(run_steps(data, session, X))
        assert session.work.positions - before == bp(calls)
    for y, sequences in found:
        close_to(y, naive(model, sequences))


def max_reach(local: nn.Module) -> int:
    """How wide a window of one base is at the most, in bp: all kernels, twice, at the final stride."""
    stride, reach = 1, 0
    for module in local.modules():
        if isinstance(module, nn.Conv1d):
            reach += stride * (module.kernel_size[0] - 1) * module.dilation[0]
        elif isinstance(module, (nn.MaxPool1d, nn.AvgPool1d)):
            width, step = (size[0] if isinstance(size, tuple) else size for size in (module.kernel_size, module.stride))
            reach += stride * width
            stride *= step
    return 2 * reach + 7 * stride


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_full_and_part_agree_step_by_step(data: st.DataObject) -> None:
    model, X = split(stack(), L), bases(2, L, unknown=0.1)
    options: dict[str, Any] = {"batch_size": data.draw(st.integers(1, 4))}
    with (
        EditSession(model, X, incremental=True, **options) as part,
        EditSession(model, X, incremental=False, **options) as full,
    ):
        for _ in range(3):
            edits = data.draw(some_edits(2, L))
            assert_close(part.predict_edits(edits), full.predict_edits(edits))
            part.commit(edits)
            full.commit(edits)
            assert torch.equal(part.cut(0, L), full.cut(0, L))
            assert_close(part.predict(), full.predict())


@pytest.mark.parametrize("batch_size", [1, 2, 7, 100])
def test_every_position_and_width_is_right(batch_size: int) -> None:
    model, X = split(stack(), 61), bases(2, 61, unknown=0.1)
    places = [(start % 2, start, width) for width in (1, 2, 5, 13, 30, 60, 61) for start in range(0, 62 - width, 3)]
    edits = edits_at(*places)
    with EditSession(model, X, incremental=True, batch_size=batch_size) as session:
        assert_close(session.predict_edits(edits), naive(model, edited(X, edits)))
        assert session.work.n_partial > session.work.n_full > 0


def test_edits_of_one_commit_may_overlap_and_scatter() -> None:
    model, X = split(stack(), L), bases(3, L)
    edits = edits_at((1, 40, 20), (1, 50, 20), (1, 45, 2), (0, 0, 1), (0, 119, 1), (0, 60, 1), (1, 110, 10), (1, 45, 2))
    with EditSession(model, X, incremental=True) as session:
        session.predict_edits(edits)
        assert_close(session.predict(), naive(model, X))
        session.commit(edits)
        X = write(X, edits)
        assert_close(session.predict(), naive(model, X))
        assert_close(session.predict_edits(edits), naive(model, edited(X, edits)))


def test_pool_of_contents_may_be_shared_by_edits() -> None:
    model, X = split(stack(), L), bases(3, L)
    content = [torch.tensor([0, 1, 4], dtype=torch.uint8), torch.zeros(20, dtype=torch.uint8)]
    index = torch.arange(30)
    edits = Edits(index % 3, (7 * index) % 100, index % 2, content)
    with EditSession(model, X, incremental=True, batch_size=4) as session:
        assert_close(session.predict_edits(edits), naive(model, edited(X, edits)))


@pytest.mark.parametrize("start", [0, 60, 120])
@pytest.mark.parametrize("kernel", [1, 5])
def test_edit_of_nothing_changes_nothing(start: int, kernel: int) -> None:
    model, X = split(convolve(kernel), L), bases(1, L)
    nothing = edits_at((0, start, 0))
    with EditSession(model, X, incremental=True) as session:
        assert_close(session.predict_edits(edits_at((0, 60, 1))), naive(model, write(X, edits_at((0, 60, 1)))))
        assert_close(session.predict_edits(nothing), naive(model, X))


LOCALS = {
    "valid": lambda: nn.Sequential(convolve(7, padding=0), nn.MaxPool1d(2), convolve(3, 3, padding=0)),
    "wide": lambda: nn.Sequential(convolve(3), nn.MaxPool1d(4), convolve(3, 3), nn.Upsample(scale_factor=4)),
    "height": lambda: Does(lambda y: y[:, :, None], stack()),
    "list": lambda: Does(lambda y: [y, y.exp()], stack()),
    "two": lambda: Both(stack(3), nn.Sequential(convolve(3, 3), nn.AvgPool1d(5))),
    "ceil": lambda: nn.Sequential(convolve(4), nn.MaxPool1d(7, ceil_mode=True)),
    "even, reflecting": lambda: nn.Sequential(convolve(5), convolve(4, 3, padding="same", padding_mode="reflect")),
    "by threes": lambda: nn.Sequential(
        convolve(3, stride=3, padding=2, dilation=2), nn.ConvTranspose1d(3, 3, 1, stride=3, dtype=F64), convolve(25, 3)
    ),
}


@pytest.mark.parametrize("length", [128, 200, 243, 367])
@pytest.mark.parametrize("name", LOCALS)
@pytest.mark.filterwarnings("ignore:.*runs in full, not incrementally")
def test_kinds_of_local_are_right_or_run_in_full(name: str, length: int) -> None:
    torch.manual_seed(0)
    model, X = split(LOCALS[name](), length), bases(1, length)
    edits = edits_at(*((0, start, 1) for start in range(0, length, 4)), (0, length - 5, 1), (0, length - 1, 1))
    with EditSession(model, X) as session:
        assert_close(session.predict_edits(edits), naive(model, edited(X, edits)))
        assert session.work.n_full == 0 or length == 128 or name in ("wide", "even, reflecting", "by threes")


TOY = 2048


def planted() -> torch.Tensor:
    """Random sequences with motifs all over."""
    X = bases(2, TOY, unknown=0.02)
    for i, motif in enumerate([motif for motif in MOTIFS.values() for _ in range(12)]):
        columns = torch.eye(4, dtype=F64)[["ACGT".index(base) for base in motif]].mT
        X[i % 2, :, 33 * i + 7 : 33 * i + 7 + len(motif)] = columns
    return X


@pytest.mark.parametrize("response", ["additive", "saturating"])
@pytest.mark.parametrize("width", [1, 16, 100, 700, 2000, 2048])
def test_toy_is_right_at_every_tile(response: str, width: int) -> None:
    model, X = RegulatoryToy(TOY, bin_size=32, response=response).double(), planted()
    starts = range(0, TOY + 1 - width, 7 if width == 1 else min(width, 61))
    edits = edits_at(*((start % 2, start, width) for start in starts))
    with EditSession(model, X, incremental=True) as session:
        assert_close(session.predict_edits(edits), naive(model, edited(X, edits)))
        assert session.work.n_partial == (0 if width >= 2000 else len(edits.base))
        if width < 2000:
            session.commit(edits)
            assert_close(session.predict(), naive(model, write(X, edits)))


def test_a_head_that_mixes_shows_a_wrong_bin() -> None:
    # The checker: one bin of one channel that is off moves what the dense head returns.
    head, y = Mix([(3, 24)]), torch.randn(1, 3, 24, dtype=F64)
    for bin_ in range(24):
        off = y.clone()
        off[0, 0, bin_] += 1e-4
        with torch.no_grad():
            assert float((head(off) - head(y)).abs().max()) > 1e-8
    assert bp([(2, 10), (1, 3)]) == 23
