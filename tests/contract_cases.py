"""Every operator as one call on the same small problem, for the contract tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from tangermeme.utils import random_one_hot

import tangermeme_creme as creme
from tangermeme_creme.analysis.fine_mapping import retention_curve

L, N, n = 240, 3, 3
TSS = (100, 140)
CRE = (150, 180)
TILES = [(0, 30), (30, 60), (150, 180), (200, 240)]
POSITIONS = [0, 40, 150, 200]


class Counts(torch.nn.Module):
    """(N, 4, L) to (N, bins, 2): integer-weighted k-mers per bin, so that float arithmetic is exact in any batch."""

    n_fill = 0.0  # an unknown base is zeros on purpose

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.conv = torch.nn.Conv1d(4, 4, 5, padding=2)
        self.out = torch.nn.Linear(4, 2)
        self.norm = torch.nn.BatchNorm1d(4).eval()  # frozen: stays in evaluation mode while the model trains
        for parameter in [*self.conv.parameters(), *self.out.parameters()]:
            parameter.data = torch.randint(-2, 4, parameter.shape, generator=generator).float()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.conv(X))
        # Twice the position inside a bin makes places differ, so that moving a tile is seen.
        weight = 1.0 + torch.arange(y.shape[-1], device=y.device) // 16
        return self.out((y * weight.to(y.dtype)).unflatten(-1, (-1, 40)).sum(-1).transpose(1, 2)) + 5000


class TwoOutputs(Counts):
    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        y = super().forward(X)
        return y, y.sum((1, 2))


class Scaled(Counts):
    """Takes one further input per sequence."""

    def forward(self, X: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(X) * scale[:, :, None]


class CountsRows(Counts):
    """Counts the rows that it predicts, and the most at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.most = 0, 0

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.rows += len(X)
        self.most = max(self.most, len(X))
        return super().forward(X)


def sequences(count: int = N) -> torch.Tensor:
    return random_one_hot((count, 4, L), random_state=0).float()


def first_output(y: Any) -> torch.Tensor:
    y = y if isinstance(y, torch.Tensor) else y[0]
    return y.float().mean((1, 2))


class Case(NamedTuple):
    call: Callable[..., Any]
    cost: int  # sequences per example, by the formula in the docstring
    shuffles: str | None  # "tile", "background" or None: what n counts


def _swap(model: torch.nn.Module, X: torch.Tensor, **kwargs: Any) -> Any:
    kwargs.pop("n", None), kwargs.pop("random_state", None), kwargs.pop("objective", None)
    if "args" in kwargs:
        kwargs["args_target"] = kwargs["args"]
    return creme.context_swap_test(model, X, X, TSS, pairs="matched", **kwargs)


def _plain(function: Callable[..., Any], *what: Any) -> Callable[..., Any]:
    def call(model: torch.nn.Module, X: torch.Tensor, **kwargs: Any) -> Any:
        kwargs.pop("objective", None)
        return function(model, X, *what, **{"n": n, "random_state": 7, **kwargs})

    return call


def _greedy(function: Callable[..., Any], *what: Any, **fixed: Any) -> Callable[..., Any]:
    def call(model: torch.nn.Module, X: torch.Tensor, **kwargs: Any) -> Any:
        return function(model, X, *what, **{"n": n, "random_state": 7, **fixed, **kwargs})

    return call


def _curve(model: torch.nn.Module, X: torch.Tensor, **kwargs: Any) -> Any:
    ranking = torch.arange(CRE[1] - CRE[0]).expand(len(X), -1)
    options = {"n": n, "random_state": 7, "steps": 8, "score": "activity", **kwargs}
    return retention_curve(model, X, TSS, CRE, ranking, **options)


T, P, R = len(TILES), len(POSITIONS), 3
CASES = {
    "context_dependence_test": Case(_plain(creme.context_dependence_test, TSS), 1 + n, "background"),
    "context_swap_test": Case(_swap, 3, None),
    "necessity_test": Case(_plain(creme.necessity_test, TILES), 1 + T * n, "tile"),
    "sufficiency_test": Case(_plain(creme.sufficiency_test, TSS, TILES), 1 + n + T * n, "background"),
    "distance_test": Case(_plain(creme.distance_test, TSS, CRE, POSITIONS), 1 + 2 * n + P * n, "background"),
    "higher_order_interaction_test": Case(
        _greedy(creme.higher_order_interaction_test, TILES, direction="min", rounds=R, n_holdout=2),
        1 + sum((T - r) * n for r in range(R)) + R * 2,
        "tile",
    ),
    "higher_order_interaction_test, carry all": Case(
        _greedy(creme.higher_order_interaction_test, TILES, direction="max", rounds=R, carry="all"),
        1 + sum((T - r) * n for r in range(R)),
        "tile",
    ),
    "interaction_map": Case(_plain(creme.interaction_map, TILES), 1 + T * n + T * (T - 1) // 2 * n, "tile"),
    "tile_set_sufficiency_test": Case(
        _plain(creme.tile_set_sufficiency_test, TSS, TILES, [2, 0, 3]), 1 + n + 3 * n, "background"
    ),
    "multiplicity_test": Case(
        _greedy(creme.multiplicity_test, TSS, CRE, POSITIONS, direction="max", copies=R),
        2 * n + sum((P - r) * n for r in range(R)),
        "background",
    ),
    "fine_tile_search": Case(
        _greedy(creme.fine_tile_search, TSS, CRE, scales=(10,), thresholds=(0.99,), prune=(1,), score="activity"),
        -1,  # depends on the result; tests of the search count it
        "background",
    ),
    "retention_curve": Case(_curve, 2 * n + (-(-(CRE[1] - CRE[0]) // 8) - 1) * n, "background"),
}


def flatten(result: Any) -> list[Any]:
    """The fields of a result, lists of tensors opened."""
    fields: list[Any] = []
    for field in result:
        if isinstance(field, list) and field and isinstance(field[0], torch.Tensor):
            fields.extend(field)
        else:
            fields.append(field)
    return fields


def of_example(result: Any, i: int) -> Any:
    """Example i of a result; the points of a curve are those of all examples."""
    fields = {name: field for name, field in result._asdict().items() if field is not None and name != "bp_kept"}
    return result._replace(**{name: field[i : i + 1] for name, field in fields.items()})


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal to the bit; NaN equals NaN."""
    pairs = list(zip(flatten(one), flatten(other), strict=True))
    return all(
        torch.equal(a.nan_to_num(nan=-1.0), b.nan_to_num(nan=-1.0)) if isinstance(a, torch.Tensor) else a == b
        for a, b in pairs
    )
