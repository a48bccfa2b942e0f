"""Sequences, edits, options and outputs that a session refuses, and the values that it names."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from helpers import (
    CountA,
    Mixer,
    random_sequences,
)
from session_cases import LENGTH, pool, some_edits

from tangermeme_creme.engine import ActivationCache, EditSession
from tangermeme_creme.sequence import make_edits


def nan_from(row: int) -> torch.nn.Module:
    """A model that predicts NaN for its sequence number `row`, counted from the first."""

    class Broken(torch.nn.Module):
        seen = 0

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            y = X.sum((1, 2))
            if 0 <= row - self.seen < len(X):
                y[row - self.seen] = torch.nan
            self.seen += len(X)
            return y

    return Broken()


@pytest.mark.parametrize("batch_size", [1, 2, 10])
def test_nan_names_the_sequence(batch_size: int) -> None:
    with (
        EditSession(nan_from(3), random_sequences(5, LENGTH), batch_size=batch_size, allow_stochastic=True) as session,
        pytest.raises(ValueError, match="the model must predict finite numbers; got NaN for sequence 3"),
    ):
        session.predict()


@pytest.mark.parametrize("batch_size", [1, 2, 10])
def test_nan_names_the_edit(batch_size: int) -> None:
    with (
        EditSession(nan_from(4), random_sequences(3, LENGTH), batch_size=batch_size, allow_stochastic=True) as session,
        pytest.raises(ValueError, match=r"got NaN for sequence 2 edited at \[17, 24\)\."),
    ):
        session.predict_edits(some_edits())


def test_nan_names_the_sequence_as_it_was_called() -> None:
    names = ["GATA2", "MYADM", "SPI1"]
    with (
        EditSession(nan_from(1), random_sequences(3, LENGTH), names=names) as session,
        pytest.raises(ValueError, match="got NaN for MYADM"),
    ):
        session.predict()


def test_changed_output_shape_is_refused() -> None:
    class Growing(torch.nn.Module):
        calls = 0

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return torch.zeros(len(X), self.calls)

    with (
        EditSession(Growing(), random_sequences(5, LENGTH), batch_size=2, allow_stochastic=True) as session,
        pytest.raises(ValueError, match=r"must keep its shape; got \[\(2,\)\] for sequence 2 after \[\(1,\)\]"),
    ):
        session.predict()


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda X: torch.zeros(1, 7), r"one row per sequence; got shape \(1, 7\) at output 0 for 3 sequences"),
        (lambda X: [torch.zeros(3), torch.zeros(6)], r"got shape \(6,\) at output 1 for 3 sequences"),
        (lambda X: {"y": torch.zeros(3)}, "must return a tensor or a list of tensors; got dict"),
    ],
    ids=["a row", "too many rows", "dict"],
)
def test_output_that_has_not_one_row_a_sequence_is_refused(forward: Any, message: str) -> None:
    class Odd(torch.nn.Module):
        def forward(self, X: torch.Tensor) -> Any:
            return forward(X)

    with (
        EditSession(Odd(), random_sequences(3, LENGTH)) as session,
        pytest.raises(ValueError, match=message),
    ):
        session.predict()


def test_output_that_is_one_number_is_refused() -> None:
    class Total(torch.nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return X.sum()

    with (
        EditSession(Total(), random_sequences(3, LENGTH)) as session,
        pytest.raises(ValueError, match=r"one row per sequence; got shape \(\) at output 0"),
    ):
        session.predict()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"incremental": True}, "incremental=True needs an IncrementalModel; got CountA"),
        ({"cache": object()}, "cache must be an ActivationCache; got object"),
        ({"cache": ActivationCache()}, "cache needs an IncrementalModel; got CountA"),
        ({"incremental": "yes"}, "incremental must be 'auto', True or False; got 'yes'"),
        ({"incremental": None}, "incremental must be 'auto', True or False; got None"),
        ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
        ({"batch_size": -2}, "batch_size must be at least 1; got -2"),
        ({"args": [torch.zeros(3, 1), torch.zeros(2, 1)]}, "args must have 3 rows, one per example; got 2 at index 1"),
        ({"args": [torch.tensor(1.0)]}, "args must be tensors with one row per example; got Tensor at index 0"),
        ({"args": [[1, 2, 3]]}, "args must be tensors with one row per example; got list at index 0"),
    ],
)
def test_options_that_no_session_can_run_with_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EditSession(CountA(), random_sequences(3, LENGTH), **options)


@pytest.mark.parametrize("incremental", ["auto", False])
def test_plain_models_are_evaluated_in_full(incremental: Any) -> None:
    with EditSession(CountA(), random_sequences(3, LENGTH), incremental=incremental) as session:
        session.predict_edits(some_edits())
        assert (session.work.n_full, session.work.n_partial) == (7, 0)


def test_sequences_that_are_not_one_hot_are_refused() -> None:
    with pytest.raises(ValueError, match=r"X must be one-hot.*; got 0.25 at \[0, 0, 0\]"):
        EditSession(CountA(), torch.full((1, 4, 5), 0.25))


@pytest.mark.parametrize("method", ["predict_edits", "commit"])
def test_edits_that_leave_the_sequence_are_refused(method: str) -> None:
    with (
        EditSession(CountA(), random_sequences(3, LENGTH)) as session,
        pytest.raises(ValueError, match=r"inside the sequence of 24 bp; got \[22, 25\) at index 0"),
    ):
        getattr(session, method)(make_edits(0, 22, 0, pool()))


def test_no_edit_is_refused() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    with (
        EditSession(CountA(), random_sequences(3, LENGTH)) as session,
        pytest.raises(ValueError, match="at least one sequence to predict; got none"),
    ):
        session.predict_edits(make_edits(none, none, none, pool()))


def test_session_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with EditSession(Mixer(LENGTH), random_sequences(3, LENGTH)) as session:
            session.predict_edits(some_edits())
