"""Make random calls of operators, and check what they return, what they raise and what they leave changed."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import signal
import traceback
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from fuzz_junk_cases import draw_call
from fuzz_operator_cases import GREEDY, OPERATORS, Call
from fuzz_oracle_cases import compare, largest_difference
from tangermeme.utils import PackedSequence, TangermemeWarning

from tangermeme_creme.analysis.stats import summarize_effects
from tangermeme_creme.engine import EngineOptions

ALLOWED = (ValueError, TypeError, OSError)
LONGEST = 2000  # characters of a message
# What a message may speak of instead of an argument: what the model returns, and what the arguments hold.
_SUBJECTS = ("model", "objective", "sequence", "sequences", "shuffle", "keyword argument", "the CRE", "sources")


class Outcome(NamedTuple):
    """Hold what one call did: "equal", "ran", "refused", "own error" or "fault", and its error."""

    operator: str
    what: str
    result: str
    error: str


class Hang(BaseException):
    """A call took longer than its limit."""


def fuzz(n: int, seed: int, operators: list[str], limit: float = 0.0) -> list[Outcome]:
    """Make n calls, in turns of each operator. Call i of a seed is the same for any n."""
    calls = ((np.random.default_rng([seed, i]), operators[i % len(operators)]) for i in range(n))
    return [attempt(draw_call(rng, operator), limit) for rng, operator in calls]


def attempt(call: Call, limit: float = 0.0) -> Outcome:
    """Make one call, and say what it did. A `limit` in seconds ends what hangs."""
    before = {name: _state(value) for name, value in call.values.items()}
    numpy_state = np.random.get_state()  # noqa: NPY002  random_state=None draws there
    torch.manual_seed(0)
    try:
        with _quiet(limit):
            np.random.seed(12)  # noqa: NPY002
            result = OPERATORS[call.operator](**call.values)
            outcome = _check_result(call, result)
    except Hang:
        outcome = Outcome(call.operator, call.what, "fault", f"hangs for {limit} s")
    except BaseException as error:
        outcome = _judge(call, error)
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
    changed = [name for name, state in before.items() if not _equal(state, _state(call.values[name]))]
    if changed:
        outcome = outcome._replace(result="fault", error=f"the call changed {changed}; {outcome.error}")
    return outcome


@contextlib.contextmanager
def _quiet(limit: float) -> Iterator[None]:
    """Turn warnings but ours into errors, catch progress bars, and end what hangs."""

    def end(*what: object) -> None:
        raise Hang

    if limit:
        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", TangermemeWarning)
            yield
    finally:
        if limit:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _check_result(call: Call, result: Any) -> Outcome:
    """Compare a result with the naive loop, with a second run, and with its own tables."""
    if call.must == "refuse":
        return Outcome(call.operator, call.what, "fault", f"ran, and must be refused: {_shown(call)}")
    if not call.comparable:
        return Outcome(call.operator, call.what, "ran", "")
    difference = compare(call, result)
    if difference is None and call.operator in GREEDY and call.values.get("random_state") is not None:
        again = OPERATORS[call.operator](**call.values)
        if not _equal(_state(result), _state(again)):
            difference = "a second run differs"
        if hasattr(result, "y_candidates"):
            fewer = OPERATORS[call.operator](**{**call.values, "n": 1})
            if largest_difference(result.y_candidates[:, 0, :, :1], fewer.y_candidates[:, 0], 1e-4):
                difference = "the first of n shuffles differs from a run with n=1"
    if difference is not None:
        return Outcome(call.operator, call.what, "fault", f"{difference}: {_shown(call)}")
    if hasattr(result, "to_frame"):
        frame = result.to_frame()
        assert len(frame), "an empty table"
        if {"y_wt", "y_mut", "shuffle"} <= set(frame.columns) and "output" not in frame.columns:
            assert len(summarize_effects(frame, "difference", n_resamples=2))
    return Outcome(call.operator, call.what, "equal", "")


def _judge(call: Call, error: BaseException) -> Outcome:
    text = str(error)
    if isinstance(error, ALLOWED) and call.must != "run" and _is_clear(call, text):
        return Outcome(call.operator, call.what, "refused", text)
    if getattr(error, "own", False) or (call.own_errors and (_in_callers_code(error) or isinstance(error, ALLOWED))):
        return Outcome(call.operator, call.what, "own error", text)
    shown = "".join(traceback.format_exception(error, limit=-6))
    return Outcome(call.operator, call.what, "fault", f"{shown[-3000:]}\n{_shown(call)}")


def _is_clear(call: Call, text: str) -> bool:
    """Whether a message speaks of an argument, or of what the arguments hold, and is of a length that can be read."""
    names = [*inspect.signature(OPERATORS[call.operator]).parameters, *EngineOptions.__optional_keys__, *_SUBJECTS]
    return len(text) < LONGEST and any(re.search(rf"\b{name}\b", text) for name in names)


def _in_callers_code(error: BaseException) -> bool:
    """Whether an error comes out of a model or function of a caller, or out of tangermeme's call of it."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(
        "fuzz_model_cases" in f.filename or "/tangermeme/" in f.filename or "/torch/nn/" in f.filename for f in frames
    )


def _shown(call: Call) -> str:
    return "; ".join(f"{name}={value!r:.300}" for name, value in call.values.items() if name != "model")[:3000]


def _state(value: Any) -> Any:
    """What must not change of an argument, and what must be equal of two results."""
    if isinstance(value, torch.nn.Module):
        flags = [(m.training, len(m._forward_hooks), len(m._forward_pre_hooks)) for m in value.modules()]
        tensors = [*value.parameters(), *value.buffers()]
        return [flags, [(t.requires_grad, str(t.device), t.grad is None) for t in tensors], [*map(_state, tensors)]]
    if isinstance(value, torch.Tensor):
        if value.is_meta or value.layout != torch.strided or value.is_quantized or value.is_nested:
            return repr(value)
        return str(value.dtype), value.requires_grad, value.detach().clone()
    if isinstance(value, PackedSequence):
        return value.data.clone(), value.n_runs.clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(_state, value)]
    if isinstance(value, dict):
        return [list(value), *map(_state, value.values())]
    return repr(value) if isinstance(value, (int, float, str, set)) else None


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, torch.Tensor):
        return one.shape == other.shape and bool(((one == other) | ((one != one) & (other != other))).all())
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
    return bool(one == other)
