"""Models that cannot run in part: one warning or an error, with the reason, and right predictions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from helpers import assert_close
from incremental_cases import (
    F64,
    Does,
    Mix,
    bases,
    convolve,
    edited,
    edits_at,
    naive,
    split,
    stack,
    watched,
)
from tangermeme.utils import TangermemeWarning
from torch import nn

from tangermeme_creme.engine import EditSession
from tangermeme_creme.engine.incremental import IncrementalModel, SplitError

L = 120


EDITS = edits_at((0, 60, 1), (1, 3, 2), (1, 117, 3), (0, 30, 40))


class Doubled(IncrementalModel):
    """A forward of its own."""

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        return super().forward(X, *args) * 2


class Checked(IncrementalModel):
    """A forward of its own that is the same."""

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        return super().forward(X, *args)


class Place(nn.Module):
    """Adds a vector of its own to each place."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X + torch.arange(X.shape[-1], dtype=F64).sin()


def noisy() -> IncrementalModel:
    drop = Does(lambda y: nn.functional.dropout(y, 0.3, training=True))
    return split(nn.Sequential(*stack(), drop), L)


def strict(error: type[Exception]) -> IncrementalModel:
    def only_whole(X: torch.Tensor) -> torch.Tensor:
        if X.shape[-1] != L:
            raise error("only the full length will do")
        return X

    return split(nn.Sequential(Does(only_whole), stack()), L)


BAD: dict[str, tuple[Callable[[], IncrementalModel], str]] = {
    "forward": (lambda: split(stack(), L, form=Doubled), r"head\(local\(X\)\) must be .* a difference of 0.5"),
    "global": (lambda: split(nn.Sequential(convolve(), nn.GroupNorm(1, 3, dtype=F64)), L), r"through 1 \(GroupNorm\)"),
    "place": (
        lambda: split(nn.Sequential(convolve(), Place(), convolve(5, 3)), L),
        r"difference of [\d.]+\. It may dep",
    ),
    "wide": (lambda: split(convolve(81), L), "a reach of up to 40 bp"),
    "length": (lambda: strict(ValueError), "only the full length will do"),
    "asserted length": (lambda: strict(AssertionError), "only the full length will do"),
}


every_bad = pytest.mark.parametrize("name", BAD)


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


@every_bad
def test_auto_falls_back_with_one_warning_that_says_why(name: str) -> None:
    make, message = BAD[name]
    model, X = make(), bases(2, L)
    with one_warning() as texts, EditSession(model, X, batch_size=2) as session:
        y = session.predict_edits(EDITS)
        again = session.predict_edits(EDITS)
        session.commit(EDITS)
        session.predict()
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(texts[0])
    assert "runs in full, not incrementally" in texts[0] and texts[0].startswith(type(model).__name__)
    assert torch.equal(y, again)
    assert_close(y, naive(model, edited(X, EDITS)))
    assert session.work.n_partial == 0 and session.work.n_full == 2 * len(EDITS.base) + 2


@every_bad
def test_true_raises_what_auto_warns_of(name: str) -> None:
    make, message = BAD[name]
    for _ in range(2):
        with (
            EditSession(make(), bases(2, L), incremental=True) as session,
            pytest.raises(
                SplitError, match=f"incremental=True needs a model that can be evaluated in part: .*{message}"
            ),
        ):
            session.predict_edits(EDITS)


@every_bad
def test_verdict_is_found_once(name: str) -> None:
    model, X = BAD[name][0](), bases(2, L)
    with one_warning(), EditSession(model, X) as session:
        session.predict_edits(EDITS)
    with watched(model.local) as calls, EditSession(model, X, batch_size=2, allow_stochastic=True) as session:
        session.predict_edits(EDITS)
    assert calls == [(2, L)] * 2 and session.work.n_checks == 0
    with EditSession(model, X, incremental=True) as session, pytest.raises(SplitError, match="incremental=True needs"):
        session.predict_edits(EDITS)


def test_local_that_draws_random_numbers_runs_in_full() -> None:
    model = noisy()
    with one_warning() as texts, EditSession(model, bases(2, L), allow_stochastic=True) as session:
        session.predict_edits(EDITS)
    assert "got a difference of" in texts[0] and session.work.n_partial == 0


def test_forward_of_its_own_that_agrees_runs_in_part() -> None:
    model, X = split(stack(), L, form=Checked), bases(2, L)
    with EditSession(model, X, incremental=True, allow_stochastic=True) as session:
        # Not known to agree, so that it is checked before its first prediction.
        assert_close(session.predict(), naive(model, X))
        assert 3 < session.work.n_checks < 15
        assert_close(session.predict_edits(EDITS), naive(model, edited(X, EDITS)))
        assert session.work.n_partial == len(EDITS.base)  # no base was kept from the check


def hooked(model: IncrementalModel) -> None:
    model.register_forward_hook(lambda module, inputs, y: 2 * y)


def hooked_before(model: IncrementalModel) -> None:
    model.register_forward_pre_hook(lambda module, inputs: (inputs[0].flip(-1), *inputs[1:]))


def replaced(model: IncrementalModel) -> None:
    whole = model.forward
    model.forward = lambda X: 2 * whole(X)  # type: ignore[method-assign]


def side_door(model: IncrementalModel) -> None:
    """The head gets something from `local` that it does not return."""
    seen: list[torch.Tensor] = []
    model.local.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].mean((1, 2))))
    model.head.register_forward_hook(lambda module, inputs, y: y + seen[-1][: len(y), None])


@pytest.mark.parametrize("change", [hooked, hooked_before, replaced, side_door], ids=lambda change: change.__name__)
@pytest.mark.filterwarnings("ignore:.*runs in full, not incrementally")
def test_what_is_around_head_and_local_is_not_lost(change: Callable[[IncrementalModel], None]) -> None:
    model, X = split(stack(), L), bases(2, L)
    change(model)
    with EditSession(model, X, batch_size=1) as session:
        assert_close(session.predict_edits(EDITS), naive(model, edited(X, EDITS)))
        assert_close(session.predict(), naive(model, X))


ODD: dict[str, tuple[Callable[[torch.Tensor], Any], Callable[[Any], torch.Tensor]]] = {
    "integers": (lambda y: (9 * y).round().long(), lambda y: y.to(F64)),
    "rows": (lambda y: torch.cat([y, y.flip(1)]), lambda y: y.unflatten(0, (2, -1)).sum(0)),
    "no axis": (lambda y: y.flatten(1).sum(1), lambda y: y[:, None]),
    "numbers": (lambda y: (y, 3), lambda y: y[0] * y[1]),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("edits_first", [True, False])
@pytest.mark.filterwarnings("ignore:.*runs in full, not incrementally")
def test_auto_predicts_with_any_local_that_the_head_understands(name: str, edits_first: bool) -> None:
    function, back = ODD[name]
    head = Does(lambda y: torch.tanh(back(y).flatten(1)))
    model, X = IncrementalModel(Does(function, stack()), head).eval(), bases(2, L)
    with EditSession(model, X, batch_size=2) as session:
        if edits_first:
            session.predict_edits(EDITS)
        assert_close(session.predict(), naive(model, X))
        assert_close(session.predict_edits(EDITS), naive(model, edited(X, EDITS)))


def test_head_may_return_truth_values() -> None:
    class Above(Mix):
        def forward(self, activations: Any, *args: torch.Tensor) -> Any:
            return super().forward(activations) > 0

    model, X = split(stack(), L, head=Above), bases(2, L)
    with EditSession(model, X, incremental=True) as session:
        assert torch.equal(session.predict_edits(EDITS), naive(model, edited(X, EDITS)))
