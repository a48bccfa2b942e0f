"""Change random calls of operators: wrong types and values, broken models, what is missing or unknown."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import fuzz_model_cases as models
import numpy as np
import pandas as pd
import torch
from fuzz_operator_cases import ENGINE, OPERATORS, Call, Draw, valid_call
from helpers import random_sequences
from tangermeme.utils import PackedSequence

from tangermeme_creme.engine import ActivationCache

_REQUIRED = ("model", "X", "X_source", "X_target", "tile", "tiles", "tss_tile", "cre_tile", "positions", "order")
# What a caller brings, whose errors are theirs. A model that is given other inputs or another dtype may not run.
_CALLERS = (
    "model",
    "func",
    "additional_func_kwargs",
    "args",
    "args_target",
    "objective",
    "shuffle_fn",
    "dtype",
    "offset",
)
_HOT = torch.eye(4)[None]
Special = tuple[str, Any, str, bool]
"""What it is, the value, what must happen, and whether errors may be those of the caller."""


def draw_call(rng: np.random.Generator, operator: str) -> Call:
    """Draw one call of an operator: two in five valid, the others changed in one place or two."""
    draw = Draw(rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantized and nested tensors are deprecated; a shuffle may change nothing
        call = valid_call(draw, operator)
        if draw.often(0.6):
            for _ in range(1 + draw.often(0.25)):
                _change(draw, call)
    return call


def _change(draw: Draw, call: Call) -> None:
    """Change one argument of a call into junk, or one thing about the call."""
    put = call.values
    name = draw.one([*(name for name in put if name != "offset"), "option", "call"])
    if name == "call":
        if draw.often(0.5):
            put["bogus"] = 1  # a func that takes any argument takes this one
            call.odd("an unknown argument", "" if "func" in put else "refuse", own_errors="func" in put)
        else:
            required = [name for name in put if name in _REQUIRED][-1:]
            for name in required:
                call.odd(f"no {name}", "refuse")
                del put[name]
        return
    if name == "option":
        others = ("func", "args", "additional_func_kwargs", "random_state", "shuffle_fn", "backgrounds")
        name = draw.one([*ENGINE, *others])
        if call.operator == "shuffle_backgrounds":
            name = draw.one(["random_state", "shuffle_fn"])
    if any(what.startswith(f"{name}=") for what in call.changed):
        return
    special = _SPECIAL.get(name)
    if special is not None and draw.often(0.7):
        what, value, must, own_errors = special(draw, call)
    else:
        value = draw.one(_junk())
        if name in ("n", "n_holdout") and isinstance(value, int) and value > 1000:
            value = -value  # no machine has room for so many
        what, must, own_errors = repr(value)[:60], "", name in _CALLERS
    if name in ("func", "additional_func_kwargs", "shuffle_fn"):
        call.comparable = False
    if name not in inspect.signature(OPERATORS[call.operator]).parameters and name not in ENGINE:
        must, own_errors, call.comparable = "", True, False  # it goes to a func of one's own, or is unknown
    put[name] = value
    call.odd(f"{name}={what}", must, own_errors)


def _junk() -> list[Any]:
    """Values of all kinds that a caller may pass by mistake."""
    return [
        *(None, True, False, 0, -1, 1, 2, 2**31, 2**63, 2**64, 10**23, -(10**23), 0.5, 1.0, 1j, Decimal(1)),
        *(float("nan"), float("inf"), "", "x", "1", "auto", "max", "cpu", b"x", [], (), {}, set(), {1, 2}),
        *([None], ["a"], [1.5], [float("nan")], [[1, 2], [3]], [True], [[1, 2, 3]], range(3), iter([1]), object()),
        *(int, Ellipsis, slice(1), lambda *what, **options: None, {"a": 1}, [[[1, 2]]], [10**23], ["1", "2"]),
        *(np.int64(1), np.float64(1.5), np.bool_(True), np.array([]), np.array([1.5]), np.array("x")),
        *(np.array(["a", "b"]), np.array([None]), np.array([1 + 2j, 2]), np.array([2**63], dtype=np.uint64)),
        *(np.array(["2020-01-01", "2020-01-03"], dtype="datetime64[D]"), np.array([1, 2], dtype="timedelta64[s]")),
        *(np.array([True, False]), np.zeros((2, 2, 2), dtype=int), np.ma.masked_array([1, 5], mask=[True, False])),
        *(torch.tensor(1), torch.tensor(1.5), torch.tensor([]), torch.tensor([True]), torch.tensor([1 + 2j, 2])),
        *(torch.empty(2, 2, device="meta"), torch.empty(2, dtype=torch.int64, device="meta")),
        *(torch.tensor([[0, 2]]).to_sparse(), torch.tensor([1.0, torch.nan]), torch.float32, torch.device("cpu")),
        *(torch.nn.Identity(), torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8), torch.ones(2, 4, 9)),
        *(pd.Series([1, 2]), pd.Series(["a"]), pd.DataFrame({"start": [1], "end": [5]}), pd.NA, pd.Timestamp(0)),
        *(np.random.RandomState(0), np.random.default_rng(0), torch.Generator(), PackedSequence.from_one_hot(_HOT)),
    ]


def _named(*values: Any, must: str = "refuse", own_errors: bool = False) -> Callable[[Draw, Call], Special]:
    def special(draw: Draw, call: Call) -> Special:
        value = draw.one(values)
        return repr(value)[:60], value, must, own_errors

    return special


def _bad_model(draw: Draw, call: Call) -> Special:
    if draw.often(0.3):
        name = draw.one(list(models.ODD))
        call.comparable = False
        return name, models.ODD[name](), "", True
    name = draw.one(list(models.BAD))
    # A func or an objective may make something of what is no tensor.
    return name, models.BAD[name](), "" if {"func", "objective"} & set(call.values) else "refuse", True


def _bad_sequences(name: str) -> Callable[[Draw, Call], Special]:
    def special(draw: Draw, call: Call) -> Special:
        X = call.values.get(name)
        X = X.to_one_hot() if isinstance(X, PackedSequence) else X
        if not isinstance(X, torch.Tensor) or X.ndim != 3:
            X = random_sequences(1, 9)
        X = X.detach().float()
        spoilt, two = X.clone(), X.clone()
        spoilt[-1, 2, 3] = draw.one([0.5, -1.0, torch.nan, torch.inf, 2.0])
        two[0, :, 1] = 1
        forms = {
            "a spoilt base": spoilt,
            "two bases at once": two,
            "meta": X.to("meta"),
            "sparse": X.to_sparse(),
            "channels last": X.transpose(1, 2),
            "one sequence without its axis": X[0],
            "a fourth axis": X[None],
            "no sequence": X[:0],
            "no base": X[:, :, :0],
            "complex": X.to(torch.complex64),
            "complex beyond one": X.to(torch.complex64) + 1j,
            "quantized": torch.quantize_per_tensor(X, 1.0, 0, torch.quint8),
            "nested": torch.nested.as_nested_tensor([X[0], X[0]]),
            "numpy": X.numpy(),
            "a list": list(X),
            "text": "ACGT",
            "packed with a fourth axis": PackedSequence.from_one_hot(X).reshape(1, len(X)),
        }
        what = draw.one(list(forms))
        return what, forms[what], "refuse", False

    return special


def _bad_spans(draw: Draw, call: Call) -> Special:
    X = call.values.get("X", call.values.get("X_source"))
    L = X.shape[-1] if isinstance(X, (torch.Tensor, PackedSequence)) and X.ndim else 9
    if draw.often(0.15):  # spans that may be right for one example each
        return "other spans", draw.one([[(0, 2)] * 5, [[(0, 2)], [(1, 3)]], [(0, 2), (1, 3), (2, 4)]]), "", False
    spans = draw.one(
        [
            *([(-1, 3)], [(2, 2)], [(5, 3)], [(0, L + 1)], [(L, L + 2)], [(0, 2.5)], [(0.0, 2.0)], [("0", "2")]),
            *([(0, 2), (3, float("nan"))], [(0, None)], [(1,)], [(0, 1, 2)], [], [(True, False)], [(0, 10**23)]),
            *((-3, -1), (0, 2**40), np.zeros((0, 2), dtype=int), np.array([[0, 2]], dtype=complex)),
            *(np.array([[0, 2**63]], dtype=np.uint64), torch.tensor([[0, 2]]).to_sparse()),
            *(torch.empty((1, 2), dtype=torch.int64, device="meta"), torch.tensor([[0, 2]]) + 0j, [[0, 1], [2]]),
            *("0-2", np.array([["2020-01-01", "2020-01-05"]], "datetime64[D]")),
        ]
    )
    return repr(spans)[:60], spans, "refuse", False


_SPECIAL: dict[str, Callable[[Draw, Call], Special]] = {
    "model": _bad_model,
    **{name: _bad_sequences(name) for name in ("X", "X_source", "X_target")},
    **dict.fromkeys(("tile", "tiles", "tss_tile", "cre_tile"), _bad_spans),
    "positions": _named([], [-1], [10**6], [0.5], ["1"], [[0]], 3, [None], [True], [2**64]),
    "order": _named([], [-1], [0, 0], [9], [[0]] * 5, [0.0], [[]], 0, [None], [2**64]),
    "n": _named(0, -1, True, 1.0, "2", None, [2], np.float64(2), torch.tensor(2), -(2**70)),
    "n_holdout": _named(-1, True, 1.0, "2", None, [2], torch.tensor(2)),
    "rounds": _named(0, -1, 99, True, 1.0, "2", [2], torch.tensor(2), 2**70),
    "copies": _named(0, -1, 99, True, 1.0, "2", None, [2], torch.tensor(2), 2**70),
    "batch_size": _named(0, -1, True, 2.0, "2", None, [2], torch.tensor(2), float("inf")),
    "random_state": _named(
        *(-1, 2**32, 2**70, 1.5, "0", True, [1] * 9, [], [-1], [0.5], np.array([1j]), np.datetime64("2020")),
        *(np.random.RandomState(0), float("nan"), torch.tensor(1, device="meta"), torch.tensor([1]).to_sparse()),
    ),
    "direction": _named(None, "up", 1, ["min"] * 9, [], np.array(["min", "up"]), True, {}),
    "carry": _named(None, "one", 1, ["all", "all"], np.array(["all", "closest"])),
    "pairs": _named(None, "some", 1, ["all"], np.array(["all", "all"])),
    "score": _named("best", 1, ["effect"], np.array(["effect", "x"]), True),
    "scales": _named((), 5, (0,), (-1,), ("5",), (1.5,), None, (1,) * 9, "5", (None,)),
    "thresholds": _named((), 0.5, (2,), (float("nan"),), ("0.5",), None, (1.0,), "0", (None,), (1j,)),
    "prune": _named((), 5, (0,), (-1,), ("5",), (1.5,), None, (1,) * 9, "5", (True,)),
    "dtype": _named("nonsense", 5, "nn", "int8", torch.int64, float, torch.complex64, "float8_e5m2", True, b"x"),
    "device": _named("nonsense", "cuda:99", "meta", 99, -1, True, 1.5, "xpu", "vulkan", "xla", "hpu", "", []),
    "incremental": _named("yes", 1, 0, None, [], np.array([True, False]), "True", 0.0),
    "cache": _named("x", {}, True, 5, ActivationCache, []),
    "allow_stochastic": _named("yes", 1, None, [], np.array([True, False])),
    "verbose": _named("yes", 2, None, [], np.array([True, False]), torch.ones(2), must=""),
    "objective": lambda draw, call: (
        ("an odd objective", draw.one(models.BAD_OBJECTIVES), "refuse", True)
        if draw.often(0.7)
        else ("its own error", models.raises(lambda: KeyError("track")), "", True)
    ),
    "shuffle_fn": lambda draw, call: (
        "a bad function",
        draw.one([*models.BAD_SHUFFLES, *models.ODD_SHUFFLES]),
        "",
        True,
    ),
    "backgrounds": lambda draw, call: (
        "of another shape",
        draw.one([torch.zeros(1, 1, 4, 3), _HOT, "x", [], torch.full((1, 1, 4, 9), 0.5), 5, np.zeros((1, 1, 4, 9))]),
        "refuse",
        False,
    ),
    "args": _named(
        *(torch.ones(2), [torch.ones(9, 1)], [None], [1.0], [np.ones(2)], "x", [torch.tensor(1.0)], {}, 5),
        *([torch.ones(2, 1, device="meta")], [torch.ones(2, 1).to_sparse()], iter([])),
    ),
    "func": _named(5, "predict", None, int, lambda model, X: X, must="", own_errors=True),
    "additional_func_kwargs": _named(
        *("x", [1], 5, {1: 2}, {"bogus": 1}, {"X": 1}, {"args": []}, {"batch_size": 1}), must="", own_errors=True
    ),
}
