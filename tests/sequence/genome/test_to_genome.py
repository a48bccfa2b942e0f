"""Test tiles of windows in the genome: columns of tables, padding, strands, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.sequence import tile_grid
from tangermeme_creme.sequence.genome import tiles_to_genome

LOCI = pd.DataFrame({"chrom": ["chr1", "chr2"], "tss": [1000, 2000], "strand": ["+", "-"], "gene_name": ["A", "B"]})


def test_tiles_of_a_table_keep_what_else_it_has() -> None:
    table = pd.DataFrame(
        {"example": ["B", "A"], "tile": [3, 4], "track": 0, "start": [0, 10], "end": [10, 20], "over_wt": [0.5, 0.1]}
    )
    before = table.copy()
    found = tiles_to_genome(table, LOCI.set_index("gene_name", drop=False), 100)
    assert found.to_dict("list") == {
        "chrom": ["chr2", "chr1"],
        "start": [2041, 960],
        "end": [2051, 970],
        "strand": ["-", "+"],
        "tss": [2000, 1000],
        "gene_name": ["B", "A"],
        "example": ["B", "A"],
        "tile": [3, 4],
        "tile_start": [0, 10],
        "tile_end": [10, 20],
        "track": [0, 0],
        "over_wt": [0.5, 0.1],
    }
    pd.testing.assert_frame_equal(table, before)


def test_pairs_of_tiles_are_moved_both() -> None:
    pairs = pd.DataFrame({"example": [1], "start_1": [0], "end_1": [10], "start_2": [90], "end_2": [100]})
    found = tiles_to_genome(pairs, LOCI, 100).iloc[0]
    assert (found["start_1"], found["end_1"], found["start_2"], found["end_2"]) == (2041, 2051, 1951, 1961)
    assert (found["tile_start_2"], found["tile_end_2"], found["gene_name"]) == (90, 100, "B")


def test_matched_tiles_are_one_per_locus() -> None:
    found = tiles_to_genome([(0, 10), (10, 20)], LOCI, 100, pairs="matched")
    assert found[["example", "start", "end"]].to_numpy().tolist() == [[0, 950, 960], [1, 2031, 2041]]
    one = tiles_to_genome([(0, 10)], LOCI, 100, pairs="matched")
    assert one[["example", "start", "end"]].to_numpy().tolist() == [[0, 950, 960], [1, 2041, 2051]]
    with pytest.raises(ValueError, match=r"matched tiles must be one per locus \(2\), or one for all; got 3"):
        tiles_to_genome([(0, 10)] * 3, LOCI, 100, pairs="matched")
    with pytest.raises(ValueError, match="pairs must be 'all' or 'matched'; got 'some'"):
        tiles_to_genome([(0, 10)], LOCI, 100, pairs="some")


def test_tiles_in_the_padding_are_left_out_and_counted() -> None:
    loci = LOCI.assign(tss=[20, 45])
    sizes = {"chr1": 60, "2": 50}
    with pytest.warns(TangermemeWarning, match="4 of 6 tiles lie wholly off their chromosome"):
        found = tiles_to_genome([(0, 20), (20, 40), (90, 100)], loci, 100, sizes=sizes)
    # '+' at 20: local 0 is -30, so that the tiles are [-30, -10), [-10, 10) and [60, 70).
    # '-' at 45: local 0 is 95, so that they are [76, 96), [56, 76) and [-4, 6).
    assert found[["example", "tile", "start", "end"]].to_numpy().tolist() == [[0, 1, 0, 10], [1, 2, 0, 6]]


@pytest.mark.parametrize(
    ("tiles", "loci", "match"),
    [
        ([(0, 101)], LOCI, r"inside the window of 100 bp; got \[0, 101\) at index 0"),
        (pd.DataFrame({"start": [0], "end": [5]}), LOCI, "tiles must have column 'example'; got start, end"),
        (pd.DataFrame({"example": [0], "end": [5]}), LOCI, "tiles must have column 'start'; got example, end"),
        (
            pd.DataFrame({"example": [0, 7], "start": 0, "end": 5}),
            LOCI,
            "examples must be in the index of loci; got 7 at row 1",
        ),
        ([(0, 5)], LOCI.set_axis([1, 0]), r"0 to N - 1 in order, .* or names; got 1 at row 0: reset_index"),
        ([(0, 5)], LOCI.set_axis([0, 2]), "got 2 at row 1"),
        (
            pd.DataFrame({"example": [0], "start": 0, "end": 5, "tile_start": 0}),
            LOCI,
            "must be in bp of windows; got column 'tile_start': they are in the genome already",
        ),
        (pd.DataFrame({"example": [0], "start": 0.5, "end": 5}), LOCI, "start must be whole bp; got 0.5 at row 0"),
        ([(0, 5)], LOCI.set_axis(["A", "A"]), "the index of loci must name each locus once; got 'A' twice"),
        ([(0, 5)], LOCI.drop(columns="tss"), "loci must have column 'tss'"),
    ],
)
def test_bad_tiles_are_named(tiles: object, loci: pd.DataFrame, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        tiles_to_genome(tiles, loci, 100)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sizes must have each chromosome of loci; got 'chr2' at row 1"):
        tiles_to_genome([(0, 5)], LOCI, 100, sizes={"chr1": 5000})


def test_a_strand_of_its_own_is_turned_with_the_window() -> None:
    hits = pd.DataFrame({"example": [0, 0, 1, 1, 1], "start": 5, "end": 9, "strand": ["+", "-", "+", "-", "."]})
    found = tiles_to_genome(hits, LOCI, 100)
    assert found["strand"].tolist() == ["+", "-", "-", "+", "."]
    assert found["tile_strand"].tolist() == hits["strand"].tolist()


def test_columns_keep_their_kinds_and_positions_may_be_of_any() -> None:
    table = pd.DataFrame({"example": ["B", "A"], "start": pd.array([0, 5], dtype="Int64"), "end": [10.0, 20.0]})
    table["cre"] = pd.Categorical(["enhancer", None], categories=["silencer", "enhancer"])
    table["flag"] = pd.array([True, None], dtype="boolean")
    loci = LOCI.assign(chrom=LOCI["chrom"].astype("category")).set_index(LOCI["gene_name"].astype("category"))
    found = tiles_to_genome(table.set_axis([7, 7]), loci, 100)
    assert found["start"].tolist() == [2041, 955] and found["chrom"].astype(str).tolist() == ["chr2", "chr1"]
    assert found["cre"].dtype == table["cre"].dtype and found["flag"].dtype == "boolean"


def test_sizes_may_be_a_series_and_must_be_of_the_same_assembly() -> None:
    sizes = pd.Series({"1": 5000, "chr2": 2045})
    assert tiles_to_genome([(0, 10)], LOCI, 100, sizes=sizes)["end"].tolist() == [960, 2045]
    with pytest.raises(ValueError, match="got 2000 on chr2 of 2000 bp at row 1: are sizes of another assembly"):
        tiles_to_genome([(0, 10)], LOCI, 100, sizes=sizes.replace(2045, 2000))


def test_the_grid_of_windows_of_another_length_is_refused() -> None:
    grid = tile_grid(6500, 500).context
    table = pd.DataFrame({"example": 0, "start": grid[:, 0], "end": grid[:, 1]})
    assert tiles_to_genome(grid, LOCI, 6500)["start"].iloc[0] == 1000 - 3250
    for tiles in (grid, table, table.rename(columns={"start": "start_1", "end": "end_1"})):
        with pytest.raises(
            ValueError,
            match=r"windows of 10000 bp with the TSS at 5000; got 12 tiles of 500 bp around \[3000, 3500\), the grid "
            r"of windows of 6500 bp: give length=6500, or center=3250",
        ):
            tiles_to_genome(tiles, LOCI, 10_000)  # 1,750 bp beside their place
    with pytest.raises(ValueError, match="windows of 6500 bp with the TSS at 2000; got 12 tiles"):
        tiles_to_genome(grid, LOCI, 6500, center=2000)
    assert tiles_to_genome(grid, LOCI, 10_000, center=3250)["start"].iloc[0] == 1000 - 3250
    # Part of a grid and tiles of one's own are taken as they are.
    tiles_to_genome(grid[1:], LOCI, 10_000)
    tiles_to_genome([(0, 10), (20, 30), (40, 45)], LOCI, 100)
    tiles_to_genome(tile_grid(100, 10).context[[3, 5]], LOCI, 100)


def test_the_tss_of_tiles_may_be_off_the_middle() -> None:
    grid = tile_grid(100, 10, center=20)
    found = tiles_to_genome(torch.cat([torch.tensor([grid.center]), grid.context]), LOCI, 100, center=20)
    assert found.loc[0, ["start", "end"]].tolist() == [995, 1005]
    assert found.loc[len(grid.context) + 1, ["start", "end"]].tolist() == [1996, 2006]


def test_no_tile_gives_an_empty_table() -> None:
    empty = pd.DataFrame({"example": [], "start": np.zeros(0, int), "end": np.zeros(0, int)})
    found = tiles_to_genome(empty, LOCI, 100)
    assert len(found) == 0 and {"chrom", "start", "end", "strand"} <= set(found.columns)
