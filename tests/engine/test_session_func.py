"""Sessions with your own function in place of tangermeme's predict."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import (
    CountA,
    random_sequences,
)
from session_cases import LENGTH, edited, some_edits

from tangermeme_creme.engine import EditSession
from tangermeme_creme.sequence import pack


def test_func_gets_one_hot_in_the_dtype_of_x_a_batch_at_a_time() -> None:
    X, seen = random_sequences(5, LENGTH, unknown=0.2, dtype=torch.float16), []

    def func(model: torch.nn.Module, X: torch.Tensor, args: Any = None) -> torch.Tensor:
        seen.append(X)
        return X[:, 1].sum(-1)

    with EditSession(CountA(), X, func=func, batch_size=2) as session:
        y = session.predict()
    assert [len(part) for part in seen] == [2, 2, 1]
    assert {(part.dtype, part.device.type) for part in seen} == {(torch.float16, "cpu")}
    assert torch.equal(torch.cat(seen), X) and torch.equal(y, X[:, 1].sum(-1))


def test_func_gets_int8_for_packed_sequences() -> None:
    X, seen = random_sequences(2, LENGTH), []
    with EditSession(CountA(), pack(X), func=lambda model, X, args: seen.append(X) or X[:, 0].sum(-1)) as session:
        session.predict()
    assert seen[0].dtype == torch.int8 and torch.equal(seen[0], X)


def test_func_gets_the_dtype_that_was_asked_for() -> None:
    X, seen = random_sequences(2, LENGTH), []

    def func(model: torch.nn.Module, X: torch.Tensor, args: Any = None) -> torch.Tensor:
        seen.append(X.dtype)
        return X[:, 0].sum(-1)

    with EditSession(CountA(), pack(X), func=func, one_hot_dtype=torch.float64) as session:
        session.predict()
    assert seen == [torch.float64]


def test_func_gets_the_edited_sequences() -> None:
    X, seen = random_sequences(3, LENGTH), []
    with EditSession(
        CountA(), X, func=lambda model, X, args: seen.append(X) or X[:, 0].sum(-1), batch_size=2
    ) as session:
        session.predict_edits(some_edits())
    assert torch.equal(torch.cat(seen), torch.stack(edited(X, some_edits())))


def test_func_gets_the_options_it_takes_and_its_own() -> None:
    seen = []

    def func(
        model: torch.nn.Module, X: torch.Tensor, args: Any, batch_size: int, dtype: Any, random_state: int, scale: float
    ) -> torch.Tensor:
        seen.append((batch_size, dtype, random_state, scale))
        return X[:, 0].sum(-1) * scale

    options = {"func": func, "func_kwargs": {"scale": 2.5}, "random_state": 40, "dtype": "float16", "batch_size": 2}
    with EditSession(CountA(), random_sequences(3, LENGTH), **options) as session:
        session.predict()
    assert seen == [(2, "float16", 40, 2.5)] * 2


def test_func_that_takes_the_device_gets_the_resolved_one() -> None:
    seen = []

    def func(model: torch.nn.Module, X: torch.Tensor, args: Any, device: Any) -> torch.Tensor:
        seen.append(device)
        return X[:, 0].sum(-1)

    with EditSession(CountA(), random_sequences(3, LENGTH), func=func, device="cpu") as session:
        session.predict()
    assert seen == [torch.device("cpu")]


def test_func_kwargs_go_before_the_options_of_the_session() -> None:
    seen = []

    def func(model: torch.nn.Module, X: torch.Tensor, args: Any, batch_size: int) -> torch.Tensor:
        seen.append(batch_size)
        return X[:, 0].sum(-1)

    with EditSession(CountA(), random_sequences(3, LENGTH), func=func, func_kwargs={"batch_size": 1}) as session:
        session.predict()
    assert seen == [1]


def test_func_gets_the_args_of_each_base() -> None:
    seen, edits = [], some_edits()
    arg = torch.tensor([5, 6, 7])

    def func(model: torch.nn.Module, X: torch.Tensor, args: Any) -> torch.Tensor:
        seen.append(args[0])
        return X[:, 0].sum(-1)

    with EditSession(CountA(), random_sequences(3, LENGTH), func=func, args=[arg], batch_size=3) as session:
        session.predict_edits(edits)
    assert torch.cat(seen).tolist() == [[5, 6, 7][row] for row in edits.base.tolist()]


def test_func_may_return_what_needs_a_gradient() -> None:
    def func(model: torch.nn.Module, X: torch.Tensor, args: Any) -> torch.Tensor:
        return X.double().requires_grad_() * 2

    with EditSession(CountA(), random_sequences(3, LENGTH), func=func) as session:
        y = session.predict()
    assert y.shape == (3, 4, LENGTH) and not y.requires_grad


def test_func_that_returns_no_tensor_is_refused() -> None:
    with (
        EditSession(CountA(), random_sequences(3, LENGTH), func=lambda model, X, args: 3.0) as session,
        pytest.raises(ValueError, match="must return a tensor or a list of tensors; got float"),
    ):
        session.predict()
