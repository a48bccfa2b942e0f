"""Dtypes, packing, further inputs, outputs and errors of predictions in part."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import assert_close
from incremental_cases import (
    F64,
    Does,
    MixTwo,
    bases,
    edited,
    edits_at,
    naive,
    split,
    stack,
)
from torch import nn

from tangermeme_creme.engine import EditSession
from tangermeme_creme.sequence import pack

L = 120


def test_float32_agrees_to_its_precision() -> None:
    model, X, edits = split(stack(), L).float(), bases(2, L).float(), edits_at((0, 3, 1), (1, 60, 9), (0, 100, 20))
    with EditSession(model, X, incremental=True) as session:
        y = session.predict_edits(edits)
    expected = naive(model, edited(X.double(), edits).float())
    assert y.dtype == torch.float32
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", torch.bfloat16])
def test_half_precision_agrees_to_its_precision(dtype: Any) -> None:
    model, X, edits = split(stack(), L).float(), bases(2, L), edits_at((0, 3, 1), (1, 60, 9), (0, 100, 20))
    found = []
    for incremental in (True, False):
        with EditSession(model, X, incremental=incremental, dtype=dtype) as session:
            found.append((session.predict(), session.predict_edits(edits)))
    for y, expected in zip(*found):
        assert y.dtype == expected.dtype == (torch.float16 if dtype == "float16" else torch.bfloat16)
        torch.testing.assert_close(y, expected, rtol=2e-2, atol=2e-2)


def test_packed_sequences_give_the_same() -> None:
    model, X, edits = split(stack(), L), bases(2, L, unknown=0.2), edits_at((0, 3, 1), (1, 60, 9))
    with EditSession(model, pack(X), incremental=True) as session:
        assert_close(session.predict_edits(edits), naive(model, edited(X, edits)))


def test_args_follow_their_base() -> None:
    model, X = split(stack(), L), bases(3, L)
    args = [torch.tensor([[1.0], [3.0], [10.0]], dtype=F64), torch.rand(3, 3, dtype=F64)]
    edits = edits_at((2, 60, 3), (0, 0, 1), (1, 70, 9), (2, 5, 1), (0, 119, 1), (1, 2, 100))
    with EditSession(model, X, args=args, batch_size=2, incremental=True) as session:
        assert_close(session.predict(), naive(model, X, *args))
        repeated = [arg[edits.base] for arg in args]
        assert_close(session.predict_edits(edits), naive(model, edited(X, edits), *repeated))


def test_several_outputs_give_a_list() -> None:
    model, X, edits = split(stack(), L, head=MixTwo), bases(3, L), edits_at((2, 60, 3), (0, 0, 1), (2, 5, 1))
    with EditSession(model, X, batch_size=2, incremental=True) as session:
        for y, sequences in ((session.predict(), X), (session.predict_edits(edits), edited(X, edits))):
            assert isinstance(y, list) and len(y) == 2
            for part, expected in zip(y, naive(model, sequences)):
                assert_close(part, expected)


def test_objective_is_that_of_each_edit() -> None:
    model, X, edits = split(stack(), L), bases(3, L), edits_at((2, 60, 3), (0, 0, 1), (1, 70, 9), (2, 5, 1))
    with EditSession(model, X, batch_size=3, incremental=True) as session:
        y = session.predict_edits(edits, objective=lambda y: y[:, 0] - y.amax(1))
    expected = naive(model, edited(X, edits))
    assert_close(y, expected[:, 0] - expected.amax(1))


def test_func_of_predict_is_applied() -> None:
    model, X, edits = split(stack(), L), bases(3, L), edits_at((2, 60, 3), (0, 0, 1), (1, 70, 9))
    with EditSession(model, X, incremental=True, func_kwargs={"func": lambda y: y[:, 1:] * 2}) as session:
        assert_close(session.predict(), naive(model, X)[:, 1:] * 2)
        assert_close(session.predict_edits(edits), naive(model, edited(X, edits))[:, 1:] * 2)


def test_prediction_of_nan_is_named_by_its_own_edit() -> None:
    X, edits = torch.zeros(3, 4, L, dtype=F64), edits_at((2, 60, 3), (0, 40, 9), (1, 70, 9))
    edits.content[1][:], edits.content[0][:], edits.content[2][:] = 0, 1, 1

    def undefined(y: torch.Tensor) -> torch.Tensor:
        return torch.where(y[:, :1, 40:49].mean((1, 2)) == 1, torch.nan, 0)[:, None]

    model = split(nn.AvgPool1d(1), L, head=lambda shapes: Does(undefined))
    with (
        EditSession(model, X, names=["a", "b", "c"], incremental=True) as session,
        pytest.raises(ValueError, match=r"must predict finite numbers; got NaN for a edited at \[40, 49\)"),
    ):
        session.predict_edits(edits)


def test_model_input_and_args_are_as_before() -> None:
    norm = nn.Sequential(nn.BatchNorm1d(3, dtype=F64), nn.Dropout(0.5))
    model, X, args = split(nn.Sequential(*stack(), *norm), L), bases(2, L), [torch.ones(2, 1, dtype=F64)]
    model.train()
    norm[1].eval()
    flags = [module.training for module in model.modules()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    X_before, args_before, edits = X.clone(), args[0].clone(), edits_at((0, 60, 3), (1, 60, 3))
    with EditSession(model, X, args=args, incremental=True) as session:
        session.predict_edits(edits)
        session.commit(edits)
        session.predict()
        assert session.work.n_partial
    assert [module.training for module in model.modules()] == flags
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(X, X_before) and torch.equal(args[0], args_before)
    assert torch.equal(torch.cat(list(edits.content)), torch.cat(list(edits_at((0, 60, 3), (1, 60, 3)).content)))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
