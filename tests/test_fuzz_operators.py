"""Test operators on random calls, with a fixed budget; the script beside the benchmarks makes thousands."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import fuzz_check_cases
import fuzz_oracle_cases
import numpy as np
import pytest
import torch
from fuzz_check_cases import Outcome, attempt, fuzz
from fuzz_junk_cases import draw_call
from fuzz_model_cases import Net, own
from fuzz_operator_cases import OPERATORS, Call, Draw, valid_call

from tangermeme_creme import necessity_test

N_CALLS = 12  # per operator


@pytest.mark.parametrize("name", OPERATORS)
def test_random_calls_are_answered_or_refused_with_a_message(name: str) -> None:
    outcomes = fuzz(N_CALLS, sum(name.encode()), [name])
    assert [outcome for outcome in outcomes if outcome.result == "fault"] == []
    assert Counter(outcome.result for outcome in outcomes)["equal"]


def necessity(**options: Any) -> Call:
    X = torch.eye(4)[None, :, [0, 1, 2, 3, 1, 0, 2, 3, 3]]
    values = {"model": Net(), "X": X, "tiles": [(0, 4), (4, 9)], "n": 2, "random_state": 0}
    return Call("necessity_test", {**values, **options})


def answer(result: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Outcome:
    """The outcome of one call, where the operator does what `result` does."""
    must = options.pop("must", "run")
    monkeypatch.setitem(fuzz_check_cases.OPERATORS, "necessity_test", result)
    call = necessity(**options)
    call.must = must
    return attempt(call)


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (KeyError("tiles"), "fault"),
        (AssertionError(), "fault"),
        (RuntimeError("batch_size"), "fault"),
        (ValueError(""), "fault"),
        (ValueError("split_with_sizes(): must be tuple of ints"), "fault"),  # says nothing of what the caller gave
        (ValueError("batch_size " + "x" * 9000), "fault"),
        (KeyboardInterrupt(), "fault"),
        (ValueError("batch_size must be at least 1; got 0."), "refused"),
        (own(KeyError("head")), "own error"),
    ],
    ids=repr,
)
def test_the_fuzzer_judges_errors(error: BaseException, result: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*what: Any, **options: Any) -> None:
        raise error

    assert answer(fails, monkeypatch, must="refuse").result == result
    assert answer(fails, monkeypatch).result == ("own error" if result == "own error" else "fault")  # valid calls run


def test_the_fuzzer_sees_wrong_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(necessity_test, monkeypatch).result == "equal"
    for change in (
        lambda result: result._replace(y_mut=result.y_mut + 1e-6),
        lambda result: result._replace(y_wt=result.y_wt[:, :1]),
        lambda result: result._replace(y_wt=[result.y_wt]),
        lambda result: result._replace(y_mut=result.y_mut * torch.nan),
    ):
        outcome = answer(lambda change=change, **values: change(necessity_test(**values)), monkeypatch)
        assert outcome.result == "fault" and outcome.error.startswith(("y_wt", "y_mut"))


def test_the_fuzzer_sees_what_runs_and_must_not(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = answer(necessity_test, monkeypatch, must="refuse")
    assert outcome.result == "fault" and "must be refused" in outcome.error
    # Rounded, though nobody asked for it.
    outcome = answer(lambda tiles, **values: necessity_test(tiles=[(0, 4)], **values), monkeypatch, tiles=[(0.5, 4)])
    assert outcome.result == "fault" and "integers of dtype float64" in outcome.error


def test_the_fuzzer_sees_what_a_call_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    def changes(name: str, how: Any) -> Outcome:
        def call(**values: Any) -> Any:
            how(values[name])
            return necessity_test(**{**values, "tiles": [(0, 4)]})

        return answer(call, monkeypatch, tiles=[(0, 4)])

    for name, how in (
        ("tiles", list.clear),
        ("X", torch.Tensor.zero_),
        ("model", torch.nn.Module.eval),
        ("model", lambda model: model.requires_grad_(False)),
        ("model", lambda model: model.register_forward_hook(lambda *what: None)),
    ):
        outcome = changes(name, how)
        assert outcome.result == "fault" and outcome.error.startswith(f"the call changed [{name!r}]")


def test_the_fuzzer_sees_foreign_warnings_and_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def warns(**values: Any) -> None:
        warnings.warn("not ours", UserWarning, stacklevel=1)

    assert answer(warns, monkeypatch).result == "fault"

    def waits(**values: Any) -> None:
        while True:
            pass

    monkeypatch.setitem(fuzz_check_cases.OPERATORS, "necessity_test", waits)
    outcome = attempt(necessity(), limit=0.05)
    assert outcome.result == "fault" and outcome.error == "hangs for 0.05 s"


def test_a_second_run_that_differs_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    search, runs = OPERATORS["higher_order_interaction_test"], []

    def drifts(**values: Any) -> Any:
        runs.append(values)
        result = search(**values)
        return result._replace(y_selected=result.y_selected + len(runs))

    monkeypatch.setitem(fuzz_check_cases.OPERATORS, "higher_order_interaction_test", drifts)
    call = necessity(direction="min")
    call.operator = "higher_order_interaction_test"
    assert attempt(call).error.startswith("a second run differs")


def test_calls_repeat_themselves_and_nothing_of_the_caller_stays_changed() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, second = (fuzz(22, 4, list(OPERATORS)) for _ in range(2))
    assert [outcome[::2] for outcome in first] == [outcome[::2] for outcome in second]
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    calls = [draw_call(np.random.default_rng([4, i]), "distance_test") for i in range(40)]
    assert {call.must for call in calls} == {"run", "refuse", ""} and len({call.what for call in calls}) > 15


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.filterwarnings("ignore::tangermeme.utils.TangermemeWarning")
def test_the_naive_loop_has_every_field_of_raw_predictions(name: str) -> None:
    call = valid_call(Draw(np.random.default_rng(1)), name)
    fields = set(fuzz_oracle_cases.NaiveLoop(call).fields())
    result = OPERATORS[name](**call.values)
    named = {field for field in getattr(result, "_fields", ()) if field.startswith("y_")}
    if name in ("higher_order_interaction_test", "multiplicity_test"):
        named = {"candidates", *(named & {"y_control", "y_original"})} | ({"start"} if "y_start" in named else set())
    assert fields == (named or ({"width"} if name == "fine_tile_search" else {"backgrounds"}))
