"""Draw valid calls of operators at random, in every form that their arguments may have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import fuzz_model_cases as models
import numpy as np
import pandas as pd
import torch
from helpers import random_sequences
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

import tangermeme_creme
from tangermeme_creme.engine import ActivationCache, IncrementalModel
from tangermeme_creme.sequence import shuffle_backgrounds

OPERATORS: dict[str, Callable[..., Any]] = {
    **{name: getattr(tangermeme_creme, name) for name in tangermeme_creme.__all__},
    "shuffle_backgrounds": shuffle_backgrounds,
}
_ON_BACKGROUNDS = (
    *("context_dependence_test", "sufficiency_test", "distance_test", "tile_set_sufficiency_test"),
    *("multiplicity_test", "fine_tile_search"),
)
GREEDY = ("higher_order_interaction_test", "multiplicity_test", "fine_tile_search")
ENGINE = ("batch_size", "dtype", "device", "incremental", "cache", "verbose", "allow_stochastic")


@dataclass
class Call:
    """One call: its arguments by name, and what is known of it.

    `must` is "run", "refuse" or "" if either is right. `changed` says what is unusual. `own_errors` says whether errors
    of torch may pass through the model or function that a caller brought.
    """

    operator: str
    values: dict[str, Any]
    must: str = "run"
    changed: list[str] = field(default_factory=list)
    own_errors: bool = False
    comparable: bool = True

    @property
    def what(self) -> str:
        return "; ".join(self.changed) or "valid"

    def odd(self, what: str, must: str = "", own_errors: bool = False) -> None:
        """Say that the call is unusual in one more way."""
        self.changed.append(what)
        self.own_errors |= own_errors
        self.must = "refuse" if "refuse" in (self.must, must) else must


class Draw:
    """Draw from a seed."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def often(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def one(self, values: Sequence[Any]) -> Any:
        return values[int(self.rng.integers(len(values)))]

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high]."""
        return int(self.rng.integers(low, high + 1))


def valid_call(draw: Draw, operator: str) -> Call:
    """Draw one valid call of an operator, in any of the forms that its arguments may have."""
    N, L, n = draw.integer(1, 3), draw.one([9, 12, 17, 24, 40]), draw.integer(1, 3)
    call = Call(operator, {})
    put = call.values
    if operator != "shuffle_backgrounds":
        put["model"] = models.GOOD[draw.one(list(models.GOOD))]()
    X = _sequences(draw, N, L)
    if operator == "context_swap_test":
        put["X_source"], put["X_target"] = X, _sequences(draw, N if draw.often(0.5) else draw.integer(1, 3), L)
        same = len(X) == len(put["X_target"])
        if same and draw.often(0.5):
            put["pairs"] = "matched"
    else:
        put["X"] = X
        put["n"] = draw.one([n, np.int64(n)])
        if draw.often(0.9):
            put["random_state"] = draw.one(
                [int(draw.rng.integers(2**31)), 0, 2**32 - 4, np.int64(7), list(range(5, 5 + N)), torch.arange(N)]
            )
        shuffle = draw.one([None, None, None, models.turned])
        if shuffle is not None:
            put["shuffle_fn"] = shuffle
    _spans(draw, call, N, L)
    if operator in _ON_BACKGROUNDS and draw.often(0.25):
        backgrounds = shuffle_backgrounds(random_sequences(N, L, seed=n), n=n + draw.integer(0, 1), random_state=3)
        put["backgrounds"] = draw.one([backgrounds, backgrounds.to_one_hot()])
    if operator in GREEDY:
        head = put["model"].head if isinstance(put["model"], IncrementalModel) else None
        several = isinstance(put["model"], models.Returns) or getattr(head, "several", False)
        if several or draw.often(0.3):
            put["objective"] = models.first
        if operator != "fine_tile_search":
            put["direction"] = draw.one(["min", "max"])
    if operator != "shuffle_backgrounds":
        _options(draw, call)
    return call


def _sequences(draw: Draw, N: int, L: int) -> Any:
    unknown = 0.15 if draw.often(0.2) else 0.0
    X = random_sequences(N, L, seed=draw.integer(0, 10**6), unknown=unknown)
    if draw.often(0.1):
        X[0] = X[0, :, :1]  # one base, again and again
    form = draw.one(["int8", "float32", "float64", "bool", "packed", "strided", "grad", "float16", "uint16"])
    if form == "packed":
        return PackedSequence.from_one_hot(X)
    if form == "strided":
        return X.transpose(1, 2).contiguous().transpose(1, 2)
    if form == "grad":
        return X.float().requires_grad_()
    return X.to(getattr(torch, form))


def _spans(draw: Draw, call: Call, N: int, L: int) -> None:
    """Put in tiles that do not touch the TSS tile, a CRE and its positions."""
    operator, put = call.operator, call.values
    ends = np.sort(draw.rng.choice(np.arange(1, L), size=min(L - 1, 7), replace=False)).tolist()
    parts = list(zip([0, *ends], [*ends, L]))
    tss, cre, *tiles = (parts[k] for k in draw.rng.permutation(len(parts)).tolist())
    tiles = tiles[: draw.integer(2, 4)]
    tss_form = draw.one([tss, list(tss), np.array(tss), torch.tensor([tss])])
    if draw.often(0.3):
        tss_form = _form(draw, [(draw.integer(tss[0], tss[1] - 1), tss[1]) for _ in range(N)])
    width = cre[1] - cre[0]
    cre_form = draw.one([cre, torch.tensor(cre), [list(cre)]])
    if draw.often(0.3):
        shorter = width - 1 if operator == "distance_test" else 0
        cre_form = _form(draw, [(cre[0], cre[1] - draw.integer(0, shorter)) for _ in range(N)])
    free = [s for s in range(L - width + 1) if s + width <= tss[0] or s >= tss[1]]
    if operator in ("necessity_test", "higher_order_interaction_test", "interaction_map"):
        if operator == "necessity_test" and draw.often(0.3):
            tiles = [*tiles, (0, L)]  # tiles may overlap
        put["tiles"] = _form(draw, tiles)
    elif operator in ("sufficiency_test", "tile_set_sufficiency_test"):
        put["tss_tile"], put["tiles"] = tss_form, _form(draw, tiles)
    elif operator == "context_dependence_test":
        put["tile"] = tss_form
    elif operator == "context_swap_test":
        put["tile"] = draw.one([tss, torch.tensor([tss])])
    elif operator != "shuffle_backgrounds":
        put["tss_tile"], put["cre_tile"] = tss_form, cre_form
    if operator == "tile_set_sufficiency_test":
        rounds = draw.integer(1, len(tiles))
        orders = [draw.rng.permutation(len(tiles))[:rounds].tolist() for _ in range(N)]
        put["order"] = draw.one([orders[0], np.array(orders[0]), orders, torch.tensor(orders)])
    if operator == "distance_test":
        positions = [draw.one(free) for _ in range(draw.integer(1, 4))]
        put["positions"] = draw.one([positions, np.array(positions), torch.tensor(positions), tuple(positions)])
    if operator == "multiplicity_test":
        apart: list[int] = []
        for start in free:
            if not apart or start >= apart[-1] + width:
                apart.append(start)
        put["positions"] = draw.one([apart[:4], torch.tensor(apart[:4])])
        put["copies"] = draw.integer(1, len(apart[:4]))
    if operator == "higher_order_interaction_test":
        put["rounds"] = draw.one([None, draw.integer(1, len(tiles))])
        put["carry"] = draw.one(["closest", "all"])
        put["n_holdout"] = draw.one([0, 0, 2])
    if operator == "fine_tile_search":
        put["direction"] = draw.one(["max", "min", [draw.one(["min", "max"]) for _ in range(N)]])
        put["score"] = draw.one(["effect", None])
        put["scales"] = draw.one([(2,), [3, 1], np.array([2]), (100, 1)])
        stages = len(put["scales"])
        put["thresholds"] = draw.one([(0.9, 0.5), [0.5, -1.0], np.array([0.8, 0.7]), (0, -np.inf)])[:stages]
        put["prune"] = draw.one([(1, 2), [2, 1], np.array([1, 3]), (100, 100)])[:stages]


def _form(draw: Draw, spans: list[tuple[int, int]]) -> Any:
    return draw.one(
        [
            *(spans, tuple(spans), [list(span) for span in spans], np.array(spans), np.array(spans, dtype=np.uint8)),
            *(torch.tensor(spans), torch.tensor(spans, dtype=torch.int32), pd.DataFrame(spans)),
        ]
    )


def _options(draw: Draw, call: Call) -> None:
    put = call.values
    model = put["model"]
    if draw.often(0.6):
        put["batch_size"] = draw.one([1, 2, 3, 7, 64, 10**6, np.int32(4)])
    if draw.often(0.3):
        put["device"] = draw.one([None, "cpu", torch.device("cpu")])
    if draw.often(0.2):
        put["dtype"] = draw.one([None, next((p.dtype for p in model.parameters()), torch.float32)])
    if draw.often(0.2):
        put["verbose"] = draw.one([True, False])
    if draw.often(0.2):
        put["allow_stochastic"] = draw.one([True, False])
    if draw.often(0.2):
        put["incremental"] = draw.one(["auto", False])
    if draw.often(0.25) and type(model) is not models.Counts:
        put["args"] = draw.one([_args, _args, lambda rows: ()])(len(put.get("X", put.get("X_source"))))
        if call.operator == "context_swap_test":
            put["args_target"] = _args(len(put["X_target"]))[: len(put["args"])]
    if isinstance(model, IncrementalModel):
        if draw.often(0.4):
            put["cache"] = ActivationCache()
        if draw.often(0.2):
            put["incremental"] = True
            call.odd("incremental=True")
    elif draw.often(0.25):
        put["func"] = draw.one([predict, models.double, models.add])
        if put["func"] is models.add:
            put["additional_func_kwargs"] = draw.one([None, {}, {"offset": 1.0}])
            if draw.often(0.5):
                put["offset"] = 2.0


def _args(rows: int) -> list[torch.Tensor]:
    return [torch.arange(rows * 2.0).reshape(rows, 2), torch.linspace(0.5, 1, rows, dtype=torch.float64)]
