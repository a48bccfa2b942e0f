"""One activation cache in several sessions: which entries they share, and which they must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from helpers import assert_close
from incremental_cases import Does, Mix, bases, bp, edited, edits_at, naive, split, stack, watched, write
from torch import nn

from tangermeme_creme.engine import ActivationCache, EditSession
from tangermeme_creme.engine.incremental import IncrementalModel
from tangermeme_creme.sequence import Edits

L = 120


KEPT = 8 * 3 * (L // 5)


def predict(model: IncrementalModel, X: torch.Tensor, cache: ActivationCache, **options: object) -> torch.Tensor:
    with EditSession(model, X, cache=cache, allow_stochastic=True, **options) as session:  # type: ignore[arg-type]
        return session.predict()


def test_sessions_share_what_is_kept() -> None:
    model, X, cache = split(stack(), L), bases(3, L), ActivationCache()
    with watched(model.local) as calls:
        first = predict(model, X, cache)
        second = predict(model, X[[2, 0, 2]], cache, batch_size=1)
    assert bp(calls) - 2 * (L // 16) == 3 * L == cache.work.positions  # one short sequence per session
    assert (cache.work.n_full, cache.work.n_partial) == (3, 3)
    assert_close(second, first[[2, 0, 2]])
    assert_close(first, naive(model, X))


def flip_first(model: IncrementalModel) -> IncrementalModel:
    """The same weights in another order, as in a control with permuted filters."""
    model.local[0].weight.data.copy_(model.local[0].weight.data.flip(-1))
    return model


def swap_channels(model: IncrementalModel) -> IncrementalModel:
    with torch.no_grad():
        model.local[0].weight.copy_(model.local[0].weight[[1, 0, 2]])
    return model


def add_through_data(model: IncrementalModel) -> IncrementalModel:
    model.local[0].bias.data.add_(0.5)
    return model


def other_window(model: IncrementalModel) -> IncrementalModel:
    """Other arithmetic on the same weights."""
    model.local[2] = nn.AvgPool1d(5)
    return model


def another(model: IncrementalModel) -> IncrementalModel:
    torch.manual_seed(1)
    return IncrementalModel(stack().requires_grad_(False), model.head).eval()


CHANGES = [flip_first, swap_channels, add_through_data, other_window, another]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_another_model_left_is_not_used(change: Callable[[IncrementalModel], IncrementalModel]) -> None:
    model, X, cache = split(stack(), L), bases(2, L), ActivationCache()
    with torch.no_grad():
        for weight in model.local.parameters():
            weight.copy_((64 * weight).round() / 64)  # sums over them have no rounding errors to tell them apart by
    predict(model, X, cache)
    model = change(model)
    assert_close(predict(model, X, cache), naive(model, X))


def test_buffers_count_as_weights() -> None:
    norm = nn.BatchNorm1d(3, dtype=torch.float64)
    model, X, cache = split(nn.Sequential(*stack()[:2], norm, nn.MaxPool1d(5)), L), bases(2, L), ActivationCache()
    predict(model, X, cache)
    norm.running_mean.add_(1)
    assert_close(predict(model, X, cache), naive(model, X))


def test_a_head_of_its_own_needs_no_activations_of_its_own() -> None:
    model, X, cache = split(stack(), L), bases(2, L), ActivationCache()
    predict(model, X, cache)
    model.head = Mix([(3, L // 5)])
    assert_close(predict(model, X, cache), naive(model, X))
    assert cache.work.positions == 2 * L


def test_keep_and_axis_are_part_of_what_is_kept() -> None:
    local, X, cache = stack(), bases(2, L), ActivationCache()
    model = split(local, L, keep=[(3, 9)])
    predict(model, X, cache)
    model.keep = ((5, 11),)
    assert_close(predict(model, X, cache), naive(model, X))


def test_another_dtype_is_run_again() -> None:
    model, X, cache = split(stack(), L).float(), bases(2, L).float(), ActivationCache()
    whole = predict(model, X, cache)
    half = predict(model, X, cache, dtype="bfloat16")
    assert cache.work.positions == 4 * L and half.dtype != whole.dtype
    assert torch.equal(half, predict(model, X, ActivationCache(), dtype="bfloat16"))


def test_other_bases_are_run() -> None:
    model, X, cache = split(stack(), L), bases(2, L), ActivationCache()
    predict(model, X, cache)
    other = write(X, edits_at((1, 60, 1)))
    assert_close(predict(model, other, cache), naive(model, other))
    assert cache.work.positions == 3 * L


def every_kind(session: EditSession, edits: Edits) -> list[torch.Tensor]:
    found = [session.predict(), session.predict_edits(edits)]
    session.commit(edits)
    return [*found, session.predict_edits(edits), session.predict()]  # type: ignore[list-item]


@pytest.mark.parametrize("max_bytes", [0, 1, KEPT, 2 * KEPT, 2**20])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_size_of_the_cache_changes_no_prediction(max_bytes: int, batch_size: int) -> None:
    model, X = split(stack(), L), bases(3, L)
    edits = edits_at((2, 60, 3), (0, 0, 1), (1, 70, 9), (0, 119, 1), (2, 5, 1))
    with EditSession(model, X, incremental=True, batch_size=batch_size, cache=ActivationCache(max_bytes)) as session:
        found = every_kind(session, edits)
    after = write(X, edits)
    for y, sequences in zip(found, [X, edited(X, edits), edited(after, edits), after]):
        assert_close(y, naive(model, sequences))


def test_what_commit_wrote_is_found_by_the_next_session() -> None:
    model, X, cache, edits = split(stack(), L), bases(2, L), ActivationCache(), edits_at((1, 60, 5))
    with EditSession(model, X, incremental=True, cache=cache) as session:
        session.predict_edits(edits)
        session.predict()
        session.commit(edits)
    before = cache.work.positions
    assert_close(predict(model, write(X, edits), cache), naive(model, write(X, edits)))
    assert_close(predict(model, X, cache), naive(model, X))
    assert cache.work.positions == before


@pytest.mark.parametrize("keep", [None, [(4, 7)]])
def test_entries_keep_no_more_alive_than_they_hold(keep: list[tuple[int, int]] | None) -> None:
    model, X, cache = split(stack(), L, keep=keep), bases(4, L), ActivationCache()
    with EditSession(model, X, incremental=True, cache=cache) as session:
        session.predict_edits(edits_at((0, 60, 1)))
        session.predict()
        session.commit(edits_at((0, 60, 1), (3, 10, 4)))
    kept = list(cache._entries.values())
    assert len(kept) == 6
    storages = {part.untyped_storage().data_ptr(): part.untyped_storage().nbytes() for parts in kept for part in parts}
    assert sum(storages.values()) == cache.nbytes == 6 * (KEPT if keep is None else 8 * 3 * 3)


def test_head_that_writes_into_what_it_is_given_spoils_nothing() -> None:
    model, X, cache = split(stack(), L), bases(2, L), ActivationCache()
    model.head = nn.Sequential(Does(lambda y: y.mul_(2)), model.head)
    expected = naive(model, X)
    for _ in range(2):
        assert_close(predict(model, X, cache), expected)
