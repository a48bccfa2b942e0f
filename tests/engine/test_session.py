"""EditSession against a loop of tangermeme's predict over sequences that were edited by hand."""

from __future__ import annotations

import warnings
import weakref
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
from hypothesis import given, settings
from hypothesis import strategies as st
from tangermeme.predict import predict

from tangermeme_creme.engine import session as session_module
from tangermeme_creme.engine.session import EditSession
from tangermeme_creme.sequence.edits import Edits, make_edits, pack

LENGTH = 24
POOL = ["ACG", "TTTTT", "N", "GATTACA"]


def pool() -> list[torch.Tensor]:
    return [codes_of(text) for text in POOL]


def some_edits() -> Edits:
    """Seven edits of three rows, out of order, up to both ends."""
    places = [(2, 0, 0), (0, 21, 0), (0, 4, 1), (1, 9, 2), (2, 17, 3), (2, 0, 3), (1, 19, 1)]
    return Edits(*(torch.tensor(part) for part in zip(*places)), pool())


def edited(X: torch.Tensor, edits: Edits) -> list[torch.Tensor]:
    """Each edit on its own, by hand."""
    parts = zip(edits.base.tolist(), edits.start.tolist(), edits.content_index.tolist())
    return [put(X[row], start, one_hot(POOL[index], X.dtype)) for row, start, index in parts]


def looped(model: torch.nn.Module, sequences: Any, *args: torch.Tensor, **options: Any) -> Any:
    """tangermeme's predict, one sequence at a time."""
    single = [[arg[i : i + 1] for arg in args] or None for i in range(len(sequences))]
    y = [predict(model, x[None], args=arg, device="cpu", **options) for x, arg in zip(sequences, single)]
    return torch.cat(y) if isinstance(y[0], torch.Tensor) else [torch.cat(part) for part in zip(*y)]


class Spy(Mixer):
    """Remembers how many sequences, and how many that are still alive, there were at each forward pass."""

    def __init__(self, length: int = LENGTH) -> None:
        super().__init__(length)
        self.given: list[int] = []
        self.alive: list[int] = []
        self.modes: list[bool] = []
        self._seen: list[weakref.ref[torch.Tensor]] = []

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self._seen.append(weakref.ref(X))
        self.given.append(len(X))
        self.alive.append(sum(len(x) for x in (ref() for ref in self._seen) if x is not None))
        self.modes.extend(module.training for module in self.modules())
        return super().forward(X)


# Predictions


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
        assert session.n_full == 0


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
    with EditSession(model, X, dtype=dtype) as session:
        y = session.predict()
    assert seen == [expected]
    with_tangermeme = predict(model, X, dtype=dtype, device="cpu")
    assert y.dtype == with_tangermeme.dtype and torch.equal(y, with_tangermeme)
    torch.testing.assert_close(y.float(), looped(model, X), rtol=0.1, atol=0.1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", torch.float16])
def test_half_precision_of_edits_is_exact_for_counts(dtype: Any) -> None:
    X = random_sequences(3, LENGTH)
    with EditSession(CountA(), X, dtype=dtype) as session:
        y = session.predict_edits(some_edits())
    assert y.dtype in (torch.float16, torch.bfloat16)
    assert y.squeeze(1).tolist() == [int(x[0].sum()) for x in edited(X, some_edits())]


# A batch at a time


@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_no_more_than_a_batch_is_given_to_the_model(batch_size: int) -> None:
    model = Spy()
    with EditSession(model, random_sequences(3, LENGTH), batch_size=batch_size) as session:
        session.predict()
        session.predict_edits(make_edits(torch.arange(3)[:, None], torch.arange(9), 0, pool()))
    assert max(model.given) == min(batch_size, 27)
    assert sum(model.given) == 3 + 27


def test_no_more_than_a_batch_of_edited_sequences_is_alive() -> None:
    model = Spy()
    with EditSession(model, random_sequences(3, LENGTH), batch_size=4) as session:
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
    with EditSession(CountA(), random_sequences(3, LENGTH), batch_size=3) as session:
        session.predict_edits(some_edits())
    assert built == [3, 3, 1]


def test_n_full_counts_the_sequences_that_were_evaluated() -> None:
    model = Spy()
    with EditSession(model, random_sequences(3, LENGTH), batch_size=2) as session:
        session.predict()
        assert session.n_full == 3
        session.predict_edits(some_edits())
        session.predict()
        assert session.n_full == 13 == sum(model.given)
        assert session.n_partial == 0


def test_progress_is_told_after_each_batch() -> None:
    class Told:
        def __init__(self) -> None:
            self.batches: list[int] = []

        def update(self, n: int) -> None:
            self.batches.append(n)

    progress = Told()
    with EditSession(CountA(), random_sequences(5, LENGTH), batch_size=2, progress=progress) as session:
        session.predict()
    assert progress.batches == [2, 2, 1]


# The model's device and mode


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


# What a model may not do


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
        EditSession(nan_from(3), random_sequences(5, LENGTH), batch_size=batch_size) as session,
        pytest.raises(ValueError, match="the model must not predict NaN; got NaN for sequence 3"),
    ):
        session.predict()


@pytest.mark.parametrize("batch_size", [1, 2, 10])
def test_nan_names_the_edit(batch_size: int) -> None:
    with (
        EditSession(nan_from(4), random_sequences(3, LENGTH), batch_size=batch_size) as session,
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
        EditSession(Growing(), random_sequences(5, LENGTH), batch_size=2) as session,
        pytest.raises(ValueError, match=r"must keep its shape; got \[\(2,\)\] for sequence 2 after \[\(1,\)\]"),
    ):
        session.predict()


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda X: torch.zeros(1, 7), r"one row a sequence; got shape \(1, 7\) at output 0 for 3 sequences"),
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
        pytest.raises(ValueError, match=r"one row a sequence; got shape \(\) at output 0"),
    ):
        session.predict()


# A function of one's own


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


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"incremental": True}, "incremental=True needs a model with an incremental path; got CountA"),
        ({"cache": object()}, "cache needs a model with an incremental path; got CountA"),
        ({"incremental": "yes"}, "incremental must be 'auto', True or False; got 'yes'"),
        ({"incremental": None}, "incremental must be 'auto', True or False; got None"),
        ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
        ({"batch_size": -2}, "batch_size must be at least 1; got -2"),
        ({"args": [torch.zeros(3, 1), torch.zeros(2, 1)]}, "args must have 3 rows, one an example; got 2 at index 1"),
        ({"args": [torch.tensor(1.0)]}, "args must be tensors with one row an example; got Tensor at index 0"),
        ({"args": [[1, 2, 3]]}, "args must be tensors with one row an example; got list at index 0"),
    ],
)
def test_options_that_no_session_can_run_with_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EditSession(CountA(), random_sequences(3, LENGTH), **options)


@pytest.mark.parametrize("incremental", ["auto", False])
def test_plain_models_are_evaluated_in_full(incremental: Any) -> None:
    with EditSession(CountA(), random_sequences(3, LENGTH), incremental=incremental) as session:
        session.predict_edits(some_edits())
        assert (session.n_full, session.n_partial) == (7, 0)


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
