"""The tidy table of each result against a loop over its numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_creme.operators import (
    ContextResult,
    DistanceResult,
    FineTileResult,
    FineTileStep,
    GreedyResult,
    MultiplicityResult,
    NecessityResult,
    SetSufficiencyResult,
    SufficiencyResult,
    SwapResult,
)

N, T, n, TRACKS = 2, 3, 4, 5


TILES = [(0, 10), (20, 35), (40, 41)]


STARTS = [7, 0, 90]


OWN_SHAPES = [(), (TRACKS,), (2, 3)]


Rows = list[dict[str, Any]]


own_shapes = pytest.mark.parametrize("own", OWN_SHAPES, ids=str)


def values(*shape: int) -> torch.Tensor:
    """Numbers that are all different."""
    return torch.randperm(math.prod(shape)).reshape(shape).double() + 0.5


def own_columns(own: Sequence[int], index: Sequence[int]) -> dict[str, int]:
    """The columns of the model's own output axes."""
    if len(own) == 1:
        return {"track": index[0]}
    return {f"axis_{k}": i for k, i in enumerate(index)}


def over(*shape: int) -> Any:
    return itertools.product(*(range(size) for size in shape))


def same(frame: pd.DataFrame, rows: Rows) -> None:
    """The same rows and columns in the same order; a table of no row has no column to compare."""
    expected = pd.DataFrame(rows)
    assert list(frame.columns) == list(expected.columns)
    assert frame.index.tolist() == list(range(len(rows)))
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)


def context(own: tuple[int, ...]) -> ContextResult:
    return ContextResult(values(N, *own), values(N, n, *own))


def necessity(own: tuple[int, ...]) -> NecessityResult:
    return NecessityResult(values(N, *own), values(N, T, n, *own))


@own_shapes
def test_context_frame_has_a_row_for_every_number(own: tuple[int, ...]) -> None:
    result, rows = context(own), []
    for i, k, *o in over(N, n, *own):
        row = {"example": i, "shuffle": k, **own_columns(own, o)}
        rows.append({**row, "y_wt": float(result.y_wt[i, *o]), "y_mut": float(result.y_mut[i, k, *o])})
    same(result.to_frame(), rows)


@own_shapes
def test_swap_frame_of_all_pairs_has_a_row_for_every_number(own: tuple[int, ...]) -> None:
    result, rows = SwapResult(values(N, *own), values(T, *own), values(N, T, *own)), []
    for s, t, *o in over(N, T, *own):
        row = {"source": s, "target": t, **own_columns(own, o)}
        row |= {"y_source": float(result.y_source[s, *o]), "y_target": float(result.y_target[t, *o])}
        rows.append({**row, "y_mut": float(result.y_mut[s, t, *o])})
    same(result.to_frame(), rows)


@own_shapes
def test_swap_frame_of_matched_pairs_has_a_row_for_every_number(own: tuple[int, ...]) -> None:
    result, rows = SwapResult(values(T, *own), values(T, *own), values(T, *own)), []
    for i, *o in over(T, *own):
        row = {"source": i, "target": i, **own_columns(own, o)}
        rows.append({**row, **{name: float(y[i, *o]) for name, y in zip(result._fields, result)}})
    same(result.to_frame(), rows)


def test_swap_frame_names_sources_and_targets() -> None:
    result = SwapResult(values(2, 1), values(3, 1), values(2, 3, 1))
    frame = result.to_frame(source_ids=["a", "b"], target_ids=["x", "y", "z"])
    assert list(zip(frame["source"], frame["target"])) == list(itertools.product("ab", "xyz"))


def test_swap_frame_of_matched_pairs_names_sources_and_targets() -> None:
    result = SwapResult(values(2, 1), values(2, 1), values(2, 1))
    frame = result.to_frame(source_ids=["a", "b"], target_ids=["x", "y"])
    assert list(zip(frame["source"], frame["target"])) == [("a", "x"), ("b", "y")]


@own_shapes
@pytest.mark.parametrize("tiles", [None, TILES, np.array(TILES)], ids=["no tiles", "list", "array"])
def test_necessity_frame_has_a_row_for_every_number(own: tuple[int, ...], tiles: Any) -> None:
    result, rows = necessity(own), []
    for i, t, k, *o in over(N, T, n, *own):
        row = {"example": i, "tile": t}
        row |= {} if tiles is None else {"start": TILES[t][0], "end": TILES[t][1]}
        row |= {"shuffle": k, **own_columns(own, o)}
        rows.append({**row, "y_wt": float(result.y_wt[i, *o]), "y_mut": float(result.y_mut[i, t, k, *o])})
    same(result.to_frame(tiles=tiles), rows)


@own_shapes
def test_sufficiency_frame_has_a_row_for_every_number(own: tuple[int, ...]) -> None:
    result, rows = SufficiencyResult(values(N, *own), values(N, n, *own), values(N, T, n, *own)), []
    for i, t, k, *o in over(N, T, n, *own):
        row = {"example": i, "tile": t, "start": TILES[t][0], "end": TILES[t][1], "shuffle": k, **own_columns(own, o)}
        row |= {"y_wt": float(result.y_wt[i, *o]), "y_control": float(result.y_control[i, k, *o])}
        rows.append({**row, "y_mut": float(result.y_mut[i, t, k, *o])})
    same(result.to_frame(tiles=TILES), rows)


@own_shapes
@pytest.mark.parametrize("positions", [None, STARTS, np.array(STARTS)], ids=["no positions", "list", "array"])
def test_distance_frame_has_a_row_for_every_number(own: tuple[int, ...], positions: Any) -> None:
    result = DistanceResult(values(N, *own), values(N, n, *own), values(N, n, *own), values(N, T, n, *own))
    rows = []
    for i, p, k, *o in over(N, T, n, *own):
        row = {"example": i, "position": p, **({} if positions is None else {"start": STARTS[p]}), "shuffle": k}
        row |= {**own_columns(own, o), "y_wt": float(result.y_wt[i, *o])}
        row |= {"y_control": float(result.y_control[i, k, *o]), "y_original": float(result.y_original[i, k, *o])}
        rows.append({**row, "y_mut": float(result.y_mut[i, p, k, *o])})
    same(result.to_frame(positions=positions), rows)


@own_shapes
def test_set_sufficiency_frame_has_a_row_for_every_number(own: tuple[int, ...]) -> None:
    result, rows = SetSufficiencyResult(values(N, *own), values(N, n, *own), values(N, T, n, *own)), []
    for i, r, k, *o in over(N, T, n, *own):
        row = {"example": i, "round": r, "n_tiles": r + 1, "shuffle": k, **own_columns(own, o)}
        row |= {"y_wt": float(result.y_wt[i, *o]), "y_control": float(result.y_control[i, k, *o])}
        rows.append({**row, "y_mut": float(result.y_mut[i, r, k, *o])})
    same(result.to_frame(), rows)


def greedy(holdout: bool) -> GreedyResult:
    """Two rounds over three tiles."""
    order = torch.tensor([[2, 0], [1, 2]])
    y_candidates = values(N, 2, T, n)
    for i in range(N):
        y_candidates[i, 1, order[i, 0]] = torch.nan
    return GreedyResult(order, values(N, 3), y_candidates, values(N, 2), values(N, 2) if holdout else None)


@pytest.mark.parametrize("tiles", [None, TILES], ids=["no tiles", "tiles"])
@pytest.mark.parametrize("holdout", [False, True])
def test_greedy_frame_has_a_row_for_every_number_that_was_tried(holdout: bool, tiles: Any) -> None:
    result, rows = greedy(holdout), []
    for i, r, t, k in over(N, 2, T, n):
        if t in result.order[i, :r]:
            continue
        row = {"example": i, "round": r, "tile": t}
        row |= {} if tiles is None else {"start": TILES[t][0], "end": TILES[t][1]}
        row |= {"shuffle": k, "y_start": float(result.y_start[i, r]), "y_mut": float(result.y_candidates[i, r, t, k])}
        row |= {"selected": t == int(result.order[i, r]), "y_selected": float(result.y_selected[i, r])}
        row |= {"y_holdout": float(result.y_holdout[i, r])} if holdout else {}
        rows.append(row)
    same(result.to_frame(tiles=tiles), rows)


def test_greedy_frame_marks_with_booleans() -> None:
    frame = greedy(False).to_frame()
    assert frame["selected"].dtype == bool
    assert frame["selected"].sum() == N * 2 * n


def multiplicity() -> MultiplicityResult:
    """Two rounds over three positions."""
    taken = [[1, 2], [0, 1]]
    y_candidates = values(N, 2, T, n)
    for i in range(N):
        y_candidates[i, 1, taken[i][0]] = torch.nan
    positions = torch.tensor([[STARTS[p] for p in row] for row in taken])
    return MultiplicityResult(values(N, n), values(N, n), positions, y_candidates, values(N, 2))


@pytest.mark.parametrize("positions", [None, STARTS], ids=["no positions", "positions"])
def test_multiplicity_frame_has_a_row_for_every_number_that_was_tried(positions: Any) -> None:
    result, rows = multiplicity(), []
    for i, r, p, k in over(N, 2, T, n):
        if STARTS[p] in result.positions[i, :r]:
            continue
        row = {"example": i, "round": r, "copies": r + 1, "position": p}
        row |= {} if positions is None else {"start": STARTS[p]}
        row |= {"shuffle": k, "y_control": float(result.y_control[i, k]), "y_original": float(result.y_original[i, k])}
        row |= {"y_mut": float(result.y_candidates[i, r, p, k]), "y_selected": float(result.y_selected[i, r])}
        row |= {} if positions is None else {"selected": STARTS[p] == int(result.positions[i, r])}
        rows.append(row)
    same(result.to_frame(positions=positions), rows)


def fine_tile() -> FineTileResult:
    trace = [
        [
            FineTileStep(0, 10, 1.0, ()),
            FineTileStep(0, 6, 0.95, ((20, 22), (25, 27))),
            FineTileStep(1, 5, 0.9, ((24, 25),)),
        ],
        [FineTileStep(0, 10, math.nan, ())],
    ]
    return FineTileResult([[(22, 24), (27, 30)], [(40, 50)]], torch.ones(2, 10, dtype=torch.bool), trace)


def test_fine_tile_frame_has_a_row_for_every_step() -> None:
    rows = [
        {"example": 0, "step": 0, "stage": 0, "bp_kept": 10, "score": 1.0, "removed": ""},
        {"example": 0, "step": 1, "stage": 0, "bp_kept": 6, "score": 0.95, "removed": "20-22;25-27"},
        {"example": 0, "step": 2, "stage": 1, "bp_kept": 5, "score": 0.9, "removed": "24-25"},
        {"example": 1, "step": 0, "stage": 0, "bp_kept": 10, "score": math.nan, "removed": ""},
    ]
    same(fine_tile().to_frame(), rows)


def test_fine_tile_kept_frame_has_a_row_for_every_span() -> None:
    rows = [
        {"example": "a", "start": 22, "end": 24},
        {"example": "a", "start": 27, "end": 30},
        {"example": "b", "start": 40, "end": 50},
    ]
    same(fine_tile().kept_frame(ids=["a", "b"]), rows)


def test_fine_tile_kept_frame_of_nothing_has_its_columns() -> None:
    result = FineTileResult([[]], torch.zeros(1, 10, dtype=torch.bool), [[FineTileStep(0, 0, 1.0, ())]])
    assert result.kept_frame().shape == (0, 3)
    assert list(result.kept_frame().columns) == ["example", "start", "end"]
