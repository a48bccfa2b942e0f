"""The tidy table of every result type against rows that are put together one by one."""

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


# Labels


FRAMES = {
    "context": lambda **labels: context((TRACKS,)).to_frame(**labels),
    "necessity": lambda **labels: necessity((TRACKS,)).to_frame(**labels),
    "sufficiency": lambda **labels: SufficiencyResult(
        values(N, TRACKS), values(N, n, TRACKS), values(N, T, n, TRACKS)
    ).to_frame(**labels),
    "distance": lambda **labels: DistanceResult(
        values(N, TRACKS), values(N, n, TRACKS), values(N, n, TRACKS), values(N, T, n, TRACKS)
    ).to_frame(**labels),
    "sets": lambda **labels: SetSufficiencyResult(
        values(N, TRACKS), values(N, n, TRACKS), values(N, T, n, TRACKS)
    ).to_frame(**labels),
    "greedy": lambda **labels: greedy(True).to_frame(**labels),
    "multiplicity": lambda **labels: multiplicity().to_frame(**labels),
    "fine tile": lambda **labels: fine_tile().to_frame(**labels),
    "fine tile, kept": lambda **labels: fine_tile().kept_frame(**labels),
}
WITH_TRACKS = ["context", "necessity", "sufficiency", "distance", "sets"]


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series, pd.Index], ids=str)
@pytest.mark.parametrize("name", FRAMES)
def test_frames_name_the_examples(name: str, kind: Any) -> None:
    plain, named = FRAMES[name](), FRAMES[name](ids=kind(["GATA2", "MYADM"]))
    assert named["example"].tolist() == [["GATA2", "MYADM"][i] for i in plain["example"]]


@pytest.mark.parametrize("name", WITH_TRACKS)
def test_frames_name_the_tracks(name: str) -> None:
    names = [f"CAGE:{k}" for k in range(TRACKS)]
    assert FRAMES[name](tracks=names)["track"].tolist() == [names[k] for k in FRAMES[name]()["track"]]


@pytest.mark.parametrize("name", FRAMES)
def test_frames_refuse_ids_of_another_number(name: str) -> None:
    with pytest.raises(ValueError, match=r"ids must have 2 entries, .*; got 3"):
        FRAMES[name](ids=["a", "b", "c"])


@pytest.mark.parametrize("name", WITH_TRACKS)
def test_frames_refuse_tracks_of_another_number(name: str) -> None:
    with pytest.raises(ValueError, match="tracks must have 5 entries, one for each track; got 2"):
        FRAMES[name](tracks=["a", "b"])


@pytest.mark.parametrize("name", ["necessity", "sufficiency", "greedy"])
def test_frames_refuse_tiles_of_another_number(name: str) -> None:
    with pytest.raises(ValueError, match=r"tiles must have shape \(3, 2\), as in the test; got \(2, 2\)"):
        FRAMES[name](tiles=TILES[:2])


@pytest.mark.parametrize("tiles", [[1, 2, 3], [(1, 2, 3)] * 2, [(1,)] * 3], ids=str)
def test_frames_refuse_tiles_that_are_not_spans(tiles: Any) -> None:
    with pytest.raises(ValueError, match=r"tiles must have .*; got"):
        necessity((TRACKS,)).to_frame(tiles=tiles)


@pytest.mark.parametrize("name", ["distance", "multiplicity"])
def test_frames_refuse_positions_of_another_number(name: str) -> None:
    with pytest.raises(ValueError, match=r"positions must have shape \(3,\), as in the test; got \(1,\)"):
        FRAMES[name](positions=[5])


@pytest.mark.parametrize(("argument", "size"), [("source_ids", 2), ("target_ids", 3)])
def test_swap_frame_refuses_ids_of_another_number(argument: str, size: int) -> None:
    result = SwapResult(values(2, 1), values(3, 1), values(2, 3, 1))
    with pytest.raises(ValueError, match=f"{argument} must have {size} entries.*; got 4"):
        result.to_frame(**{argument: list("abcd")})


@pytest.mark.parametrize("own", [(), (2, 3)], ids=str)
def test_frames_refuse_tracks_where_there_is_not_one_output_axis(own: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=rf"tracks label a single output axis; got output axes of shape \({own and '2, 3'}"
    ):
        context(own).to_frame(tracks=["a", "b"])


def test_frames_keep_labels_that_are_tuples() -> None:
    frame = context((1,)).to_frame(ids=[("GATA2", "chr3"), ("MYADM", "chr19")])
    assert frame["example"].tolist() == [("GATA2", "chr3")] * n + [("MYADM", "chr19")] * n


# Several outputs


def test_frames_of_several_outputs_come_one_after_the_other() -> None:
    first, second = necessity((TRACKS,)), necessity((2,))
    several = NecessityResult([first.y_wt, second.y_wt], [first.y_mut, second.y_mut])
    frame = several.to_frame(tiles=TILES)
    assert list(frame.columns) == ["output", *first.to_frame(tiles=TILES).columns]
    assert frame.index.tolist() == list(range(len(frame)))
    for k, single in enumerate((first, second)):
        part = frame[frame["output"] == k].drop(columns="output").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, single.to_frame(tiles=TILES))


def test_frames_of_outputs_with_other_axes_leave_their_columns_empty() -> None:
    first, second = context((2, 3)), context(())
    frame = ContextResult([first.y_wt, second.y_wt], [first.y_mut, second.y_mut]).to_frame()
    parts = [frame[frame["output"] == k].reset_index(drop=True) for k in range(2)]
    pd.testing.assert_frame_equal(parts[0][first.to_frame().columns], first.to_frame(), check_dtype=False)
    pd.testing.assert_frame_equal(parts[1][second.to_frame().columns], second.to_frame())
    assert parts[1][["axis_0", "axis_1"]].isna().all(axis=None)


def test_swap_frame_of_several_outputs_knows_pairs_from_matches() -> None:
    for shape, rows in (((N, N), N * N), ((N,), N)):
        result = SwapResult([values(N, 1), values(N)], [values(N, 1), values(N)], [values(*shape, 1), values(*shape)])
        assert [len(part) for _, part in result.to_frame().groupby("output")] == [rows, rows]


# Dtypes


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64, torch.bool], ids=str)
def test_frames_hold_every_dtype(dtype: torch.dtype) -> None:
    result = ContextResult(torch.ones(N, 1).to(dtype), torch.ones(N, n, 1).to(dtype))
    frame = result.to_frame()
    assert frame["y_wt"].tolist() == [1] * (N * n) and frame["y_mut"].tolist() == [1] * (N * n)


def test_frames_do_not_share_memory_with_the_result() -> None:
    result = ContextResult(torch.ones(1, 1), torch.ones(1, 1, 1))
    frame = result.to_frame()
    frame.loc[0, "y_mut"] = 5.0
    assert result.y_mut.item() == 1.0


def test_frames_can_be_written_to() -> None:
    frame = context((TRACKS,)).to_frame()
    frame["y_mut"] -= frame["y_wt"]
    frame.loc[0, "y_wt"] = 0.0
    assert frame.loc[0, "y_wt"] == 0.0
