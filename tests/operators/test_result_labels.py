"""Labels, several outputs and dtypes in the tidy tables of results."""

from __future__ import annotations

import math
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


def values(*shape: int) -> torch.Tensor:
    """Numbers that are all different."""
    return torch.randperm(math.prod(shape)).reshape(shape).double() + 0.5


def context(own: tuple[int, ...]) -> ContextResult:
    return ContextResult(values(N, *own), values(N, n, *own))


def necessity(own: tuple[int, ...]) -> NecessityResult:
    return NecessityResult(values(N, *own), values(N, T, n, *own))


def greedy(holdout: bool) -> GreedyResult:
    """Two rounds over three tiles."""
    order = torch.tensor([[2, 0], [1, 2]])
    y_candidates = values(N, 2, T, n)
    for i in range(N):
        y_candidates[i, 1, order[i, 0]] = torch.nan
    return GreedyResult(order, values(N, 3), y_candidates, values(N, 2), values(N, 2) if holdout else None)


def multiplicity() -> MultiplicityResult:
    """Two rounds over three positions."""
    taken = [[1, 2], [0, 1]]
    y_candidates = values(N, 2, T, n)
    for i in range(N):
        y_candidates[i, 1, taken[i][0]] = torch.nan
    positions = torch.tensor([[STARTS[p] for p in row] for row in taken])
    return MultiplicityResult(values(N, n), values(N, n), positions, y_candidates, values(N, 2))


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
