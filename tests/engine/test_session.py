"""Predictions of edits against a loop, a batch at a time; the state of the model is restored."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import (
    CountA,
    Mixer,
    ScaledMixer,
    TwoHeads,
    assert_close,
    codes_of,
    one_hot,
    put,
    random_sequences,
)
from hypothesis import given, settings, strategies as st
from session_cases import LENGTH, POOL, RecordedProgress, Spy, edited, looped, pool, some_edits
from tangermeme.predict import predict

import tangermeme_creme.engine.codes_session as session_module
from tangermeme_creme.engine import EditSession
from tangermeme_creme.sequence import Edits, make_edits, pack


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_predict_equals_a_loop(batch_size: int) -> None:
    X, model = random_sequences(5, LENGTH, unknown=0.1), Mixer(LENGTH)
    with EditSession(model, X, batch_size=batch_size) as session:
        assert_close(session.predict(), looped(model, X))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_predict_edits_equals_a_loop(batch_size: int) -> None:
    X, model = random_sequences(3, LENGTH, unknown=0.1), Mixer(LENGTH)
    with EditSession(model, X, batch_size=batch_size) as session:
        assert_close(session.predict_edits(some_edits()), looped(model, edited(X, some_edits())))


@st.composite
def edits_of_three_rows(draw: st.DrawFn) -> Edits:
    """Draw at least one edit that fits."""
    places = []
    for _ in range(draw(st.integers(1, 6))):
        index = draw(st.integers(0, len(POOL) - 1))
        places.append((draw(st.integers(0, 2)), draw(st.integers(0, LENGTH - len(POOL[index]))), index))
    return Edits(*(torch.tensor(part) for part in zip(*places)), pool())


@given(edits_of_three_rows(), edits_of_three_rows(), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_predict_edits_after_commit_equals_a_loop(committed: Edits, tried: Edits, batch_size: int) -> None:
    X, model = random_sequences(3, LENGTH, seed=1), Mixer(LENGTH)
    by_hand = X.clone()
    for row, start, index in zip(committed.base, committed.start, committed.content_index):
        by_hand[row] = put(by_hand[row], int(start), one_hot(POOL[int(index)]))
    with EditSession(model, X, batch_size=batch_size) as session:
        session.commit(committed)
        assert_close(session.predict(), looped(model, by_hand))
        assert_close(session.predict_edits(tried), looped(model, edited(by_hand, tried)))


def test_predict_edits_leaves_the_bases_as_they_are() -> None:
    X, model = random_sequences(3, LENGTH), Mixer(LENGTH)
    with EditSession(model, X) as session:
        before = session.predict()
        session.predict_edits(some_edits())
        assert torch.equal(session.predict(), before)
        assert torch.equal(session.cut(0, LENGTH), pack(X).to_codes())


def test_commit_leaves_the_input_and_the_pool_as_they_are() -> None:
    X, edits = random_sequences(3, LENGTH), some_edits()
    packed = pack(X)
    before = X.clone(), packed.data.clone()
    for given_ in (X, packed):
        with EditSession(CountA(), given_) as session:
            session.commit(edits)
    assert torch.equal(X, before[0]) and torch.equal(packed.data, before[1])
    assert all(torch.equal(content, expected) for content, expected in zip(edits.content, pool()))


def test_commit_writes_in_order() -> None:
    with EditSession(CountA(), one_hot("CCCCCC")[None]) as session:
        session.commit(make_edits(0, [0, 2], [0, 1], [codes_of("AAAA"), codes_of("GG")]))
        assert session.cut(0, 6).tolist() == [codes_of("AAGGCC").tolist()]


def test_commit_costs_no_forward_pass() -> None:
    with EditSession(CountA(), random_sequences(3, LENGTH)) as session:
        session.commit(some_edits())
        assert session.work.n_full == 0


def test_cut_is_a_copy_of_the_bases_as_they_are_now() -> None:
    with EditSession(CountA(), torch.stack([one_hot("CCCCCC"), one_hot("TTTTTT")])) as session:
        session.commit(make_edits(1, 2, 0, [codes_of("AN")]))
        part = session.cut(1, 4)
        assert part.tolist() == [codes_of("CCC").tolist(), codes_of("TAN").tolist()]
        part[:] = 0
        assert session.cut(1, 4)[0].tolist() == codes_of("CCC").tolist()


def test_session_knows_how_many_sequences_of_which_length() -> None:
    session = EditSession(CountA(), random_sequences(3, LENGTH))
    assert (len(session), session.length) == (3, LENGTH)


def test_packed_sequences_give_the_same() -> None:
    X, model = random_sequences(3, LENGTH, unknown=0.2), Mixer(LENGTH)
    with EditSession(model, pack(X)) as session:
        assert_close(session.predict(), looped(model, X))


def test_several_outputs_give_a_list() -> None:
    X, model = random_sequences(3, LENGTH), TwoHeads(LENGTH)
    with EditSession(model, X, batch_size=2) as session:
        y, y_edits = session.predict(), session.predict_edits(some_edits())
    for found, sequences in ((y, X), (y_edits, edited(X, some_edits()))):
        assert isinstance(found, list) and len(found) == 2
        for part, expected in zip(found, looped(model, sequences)):
            assert_close(part, expected)


def test_args_follow_their_base() -> None:
    X, model, edits = random_sequences(3, LENGTH), ScaledMixer(LENGTH), some_edits()
    args = [torch.tensor([[1.0], [3.0], [10.0]]).double(), torch.rand(3, 2).double()]
    with EditSession(model, X, args=args, batch_size=2) as session:
        assert_close(session.predict(), looped(model, X, *args))
        repeated = [arg[edits.base] for arg in args]
        assert_close(session.predict_edits(edits), looped(model, edited(X, edits), *repeated))


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_objective_is_applied_to_each_batch(batch_size: int) -> None:
    X, model = random_sequences(5, LENGTH), Mixer(LENGTH)

    def objective(y: torch.Tensor) -> torch.Tensor:
        return y[:, 1].amax(1) - y[:, 0, 0]

    with EditSession(model, X, batch_size=batch_size) as session:
        assert_close(session.predict(objective=objective), objective(looped(model, X)))


def test_objective_of_another_shape_is_refused() -> None:
    with (
        EditSession(Mixer(LENGTH), random_sequences(3, LENGTH)) as session,
        pytest.raises(ValueError, match=r"objective must return a tensor of shape \(3,\); got \(3, 4\)"),
    ):
        session.predict(objective=lambda y: y.mean(-1))


@pytest.mark.parametrize(("dtype", "expected"), [("float16", torch.float16), ("bfloat16", torch.bfloat16)])
def test_half_precision_goes_by_name(dtype: str, expected: torch.dtype) -> None:
    X, model = random_sequences(3, LENGTH), Mixer(LENGTH).float()
    seen = []
    model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].dtype))
    with EditSession(model, X, dtype=dtype, allow_stochastic=True) as session:
        y = session.predict()
    assert seen == [expected]
    with_tangermeme = predict(model, X, dtype=dtype, device="cpu")
    assert y.dtype == with_tangermeme.dtype and torch.equal(y, with_tangermeme)
    torch.testing.assert_close(y.float(), looped(model, X), rtol=0.1, atol=0.1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", torch.float16])
def test_half_precision_of_edits_is_exact_for_counts(dtype: Any) -> None:
    X = random_sequences(3, LENGTH)
    with EditSession(CountA(), X, dtype=dtype, allow_stochastic=True) as session:
        y = session.predict_edits(some_edits())
    assert y.dtype in (torch.float16, torch.bfloat16)
    assert y.squeeze(1).tolist() == [int(x[0].sum()) for x in edited(X, some_edits())]


@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_no_more_than_a_batch_is_given_to_the_model(batch_size: int) -> None:
    model = Spy()
    with EditSession(model, random_sequences(3, LENGTH), batch_size=batch_size, allow_stochastic=True) as session:
        session.predict()
        session.predict_edits(make_edits(torch.arange(3)[:, None], torch.arange(9), 0, pool()))
    assert max(model.given) == min(batch_size, 27)
    assert sum(model.given) == 3 + 27


def test_no_more_than_a_batch_of_edited_sequences_is_alive() -> None:
    model = Spy()
    with EditSession(model, random_sequences(3, LENGTH), batch_size=4, allow_stochastic=True) as session:
        session.predict_edits(make_edits(torch.arange(3)[:, None], torch.arange(9), 0, pool()))
    assert len(model.alive) == 7
    assert max(model.alive) == 4


def test_edited_sequences_are_built_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def spied(codes: torch.Tensor, edits: Edits, rows: torch.Tensor | None = None) -> None:
        built.append(len(codes))
        apply_edits(codes, edits, rows)

    apply_edits = session_module.apply_edits
    monkeypatch.setattr(session_module, "apply_edits", spied)
    with EditSession(CountA(), random_sequences(3, LENGTH), batch_size=3, allow_stochastic=True) as session:
        session.predict_edits(some_edits())
    assert built == [3, 3, 1]


def test_n_full_counts_the_sequences_that_were_evaluated() -> None:
    model = Spy()
    with EditSession(model, random_sequences(3, LENGTH), batch_size=2, allow_stochastic=True) as session:
        session.predict()
        assert session.work.n_full == 3
        session.predict_edits(some_edits())
        session.predict()
        assert session.work.n_full == 13 == sum(model.given)
        assert session.work.n_partial == 0


def test_progress_is_told_after_each_batch() -> None:
    progress = RecordedProgress()
    with EditSession(CountA(), random_sequences(5, LENGTH), batch_size=2, progress=progress) as session:
        session.predict()
    assert progress.batches == [2, 2, 1]


def test_model_does_not_move_while_it_is_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    model, moves = Mixer(LENGTH), []
    monkeypatch.setattr(model, "to", lambda *args, **kwargs: moves.append(args) or model)
    with EditSession(model, random_sequences(3, LENGTH), batch_size=1, device="cpu") as session:
        session.predict()
        session.predict_edits(some_edits())
    assert moves == []


def frozen_part() -> Spy:
    model = Spy()
    model.norm = torch.nn.BatchNorm1d(4).eval()
    model.drop = torch.nn.Dropout()
    assert model.training
    return model


def test_training_flags_are_restored_one_by_one() -> None:
    model = frozen_part()
    with EditSession(model, random_sequences(3, LENGTH)) as session:
        session.predict()
    assert model.modes and not any(model.modes)
    assert (model.training, model.norm.training, model.drop.training) == (True, False, True)


def test_training_flags_are_restored_after_an_exception_in_the_model() -> None:
    model = frozen_part()

    def fail(module: torch.nn.Module, inputs: Any, output: Any) -> None:
        raise RuntimeError("out of memory")

    model.register_forward_hook(fail)
    with (
        pytest.raises(RuntimeError, match="out of memory"),
        EditSession(model, random_sequences(3, LENGTH)) as session,
    ):
        session.predict()
    assert (model.training, model.norm.training, model.drop.training) == (True, False, True)


def test_predictions_need_no_gradient() -> None:
    with EditSession(Mixer(LENGTH), random_sequences(3, LENGTH)) as session:
        assert not session.predict().requires_grad


def test_session_predicts_inside_its_block_only() -> None:
    session = EditSession(CountA(), random_sequences(3, LENGTH))
    with pytest.raises(RuntimeError, match="inside its `with` block only"):
        session.predict()
    with session:
        session.predict()
    with pytest.raises(RuntimeError, match="inside its `with` block only"):
        session.predict_edits(some_edits())


def test_session_may_be_entered_again() -> None:
    session = EditSession(CountA(), random_sequences(3, LENGTH))
    with session:
        first = session.predict()
    with session:
        assert torch.equal(session.predict(), first)
