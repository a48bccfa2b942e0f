"""When the check of a model runs, for what it holds, and the state of the model after it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from helpers import assert_close
from incremental_cases import (
    F64,
    Does,
    bases,
    convolve,
    edited,
    edits_at,
    naive,
    split,
    stack,
    watched,
)
from session_cases import RecordedProgress
from tangermeme.utils import TangermemeWarning
from torch import nn

from tangermeme_creme.engine import EditSession

L = 120


EDITS = edits_at((0, 60, 1), (1, 3, 2), (1, 117, 3), (0, 30, 40))


@contextmanager
def one_warning() -> Iterator[list[str]]:
    """Exactly one warning within, of tangermeme's class; its text."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    assert [warning.category for warning in caught] == [TangermemeWarning]
    assert caught[0].filename == __file__
    texts.append(str(caught[0].message))


def test_keep_may_be_lists() -> None:
    model, X = split(stack(), L, keep=[[3, 20]]), bases(2, L)
    with EditSession(model, X, incremental=True) as session:
        assert_close(session.predict_edits(EDITS), naive(model, edited(X, EDITS)))


def test_bases_run_in_the_same_batches_before_and_after_a_check() -> None:
    # In float32 a base that ran alone for the check may round otherwise; kept, it would set the first run apart.
    model, X = split(stack(), L), bases(3, L)
    edits = edits_at((0, 60, 1), (1, 3, 2), (2, 117, 3))
    batches = []
    for _ in range(2):
        with watched(model.local) as calls, EditSession(model, X, incremental=True) as session:
            session.predict_edits(edits)
        batches.append([rows for rows, width in calls if width == L and rows > 1])
    assert batches == [[3], [3]]


def test_another_local_is_measured_anew() -> None:
    model, X = split(stack(), L), bases(2, L)
    with EditSession(model, X, incremental=True) as session:
        session.predict_edits(EDITS)
    model.local = stack(kernel=19)
    with EditSession(model, X, incremental=True) as session:
        assert_close(session.predict_edits(EDITS), naive(model, edited(X, EDITS)))


def test_a_verdict_is_one_for_a_length_and_a_dtype() -> None:
    model = split(stack(), L).float()
    model.head = Does(lambda y: y.mean((1, 2))[:, None])
    for length, dtype, new in [
        (L, None, True),
        (L, None, False),
        (90, None, True),
        (L, "bfloat16", True),
        (90, None, False),
    ]:
        options = {"incremental": True, "dtype": dtype, "allow_stochastic": True}
        with EditSession(model, bases(1, length), **options) as session:  # type: ignore[arg-type]
            session.predict_edits(edits_at((0, 40, 1)))
        assert (session.work.n_checks > 0) == new


def test_false_never_measures() -> None:
    model, X = split(stack(), L), bases(2, L)
    with watched(model.local) as calls, EditSession(model, X, incremental=False, allow_stochastic=True) as session:
        session.predict()
        session.predict_edits(EDITS)
    assert calls == [(2, L), (4, L)]
    assert (session.work.n_full, session.work.n_partial, session.work.n_checks) == (6, 0, 0)


@pytest.mark.parametrize("incremental", [True, "auto"])
def test_bases_run_once_and_are_not_measured(incremental: Any) -> None:
    model, X = split(stack(), L), bases(3, L)
    with (
        watched(model.local) as calls,
        EditSession(model, X, incremental=incremental, allow_stochastic=True) as session,
    ):
        session.predict()
        session.predict()
    assert calls == [(3, L)]
    assert (session.work.n_full, session.work.n_partial, session.work.n_checks) == (3, 3, 0)


def test_edits_of_more_than_half_do_not_measure() -> None:
    model, X = split(nn.Sequential(convolve(), nn.GroupNorm(1, 3, dtype=F64)), L), bases(2, L)
    wide = edits_at((0, 0, 61), (1, 20, 100), (1, 0, 120))
    with watched(model.local) as calls, EditSession(model, X, allow_stochastic=True) as session:
        assert_close(session.predict_edits(wide), naive(model, edited(X, wide)))
    assert calls[0] == (3, L) and session.work.n_full == 3 and session.work.n_checks == 0
    with one_warning(), EditSession(model, X) as session:
        session.predict_edits(edits_at((0, 0, 61), (1, 20, 60)))


def gradient(model: nn.Module, X: torch.Tensor, args: Any = None, scale: float = 1.0) -> torch.Tensor:
    return naive(model, X.to(F64)) * scale


def test_another_func_runs_in_full() -> None:
    model, X = split(stack(), L), bases(2, L)
    with EditSession(model, X, func=gradient, func_kwargs={"scale": 2.0}) as session:
        assert_close(session.predict_edits(EDITS), 2 * naive(model, edited(X, EDITS)))
    assert session.work.n_partial == session.work.n_checks == 0
    with pytest.raises(ValueError, match=r"incremental=True needs tangermeme's predict as func.*; got gradient"):
        EditSession(model, X, func=gradient, incremental=True)
    with pytest.raises(ValueError, match=r"with no arguments but func; got arguments \['verbose'\]"):
        EditSession(model, X, func_kwargs={"verbose": False}, incremental=True)


@pytest.mark.parametrize("part", ["local", "head"])
@pytest.mark.parametrize("after", [0, 2, 5, 12])
def test_model_is_restored_after_an_exception_in_mid_run(part: str, after: int) -> None:
    model, count = split(nn.Sequential(*stack(), nn.BatchNorm1d(3, dtype=F64)), L).train(), iter(range(100))
    model.local[1].eval()
    flags, before = [m.training for m in model.modules()], {k: v.clone() for k, v in model.state_dict().items()}

    def fail(module: nn.Module, inputs: Any) -> None:
        if next(count) >= after:
            raise torch.OutOfMemoryError("not enough")

    hook = getattr(model, part).register_forward_pre_hook(fail)
    session = EditSession(model, bases(2, L), batch_size=1)
    with pytest.raises(torch.OutOfMemoryError, match="not enough"), session:
        session.predict_edits(edits_at(*((0, start, 1) for start in range(0, L, 4))))
    hook.remove()
    assert [m.training for m in model.modules()] == flags
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    # And nothing wrong is remembered of it.
    with EditSession(model, bases(2, L), incremental=True) as session:
        y = session.predict_edits(EDITS)
    assert_close(y, naive(model.eval(), edited(bases(2, L), EDITS)))


def test_progress_counts_every_sequence() -> None:
    progress = RecordedProgress()
    with EditSession(split(stack(), L), bases(3, L), batch_size=2, incremental=True, progress=progress) as session:
        session.predict_edits(EDITS)
        session.predict()
    assert progress.batches == [2, 2, 2, 1]
