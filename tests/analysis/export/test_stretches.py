"""Test one value per base of overlapping tiles against a loop over bases."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from tangermeme_creme.analysis.export import write_bedgraph
from tangermeme_creme.analysis.export.stretches import disjoint

values = st.one_of(st.just(float("nan")), st.sampled_from([0.0, -0.0, 1.0, -1.0]), st.floats(-1e6, 1e6, width=32))
tiles = st.tuples(st.sampled_from(["chr10", "chr2"]), st.integers(0, 30), st.integers(1, 15), values)
tables = st.lists(tiles, max_size=12)

Rows = list[tuple[str, int, int, float]]


def by_base(rows: Rows) -> dict[tuple[str, int], list[float]]:
    """Collect the values that cover each base."""
    bases: dict[tuple[str, int], list[float]] = {}
    for chrom, start, size, value in rows:
        for base in range(start, start + size):
            if not math.isnan(value):
                bases.setdefault((chrom, base), []).append(value)
    return bases


def cut(rows: Rows, combine: str | None) -> Rows:
    chrom = np.array([row[0] for row in rows], dtype=object)
    start = np.array([row[1] for row in rows], dtype=np.int64)
    size = np.array([row[2] for row in rows], dtype=np.int64)
    value = np.array([row[3] for row in rows], dtype=np.float64)
    return list(zip(*(column.tolist() for column in disjoint(chrom, start, start + size, value, combine))))


@given(rows=tables, combine=st.sampled_from(["mean", "extreme"]))
def test_each_base_has_the_combined_value_of_its_tiles(rows: Rows, combine: str) -> None:
    stretches = cut(rows, combine)
    got = {(chrom, base): value for chrom, start, end, value in stretches for base in range(start, end)}
    covering = by_base(rows)
    assert got.keys() == covering.keys()
    for place, value in got.items():
        if combine == "mean":
            assert value == float(sum(map(Fraction, covering[place]))) / len(covering[place])
        else:
            largest = max(map(abs, covering[place]))
            assert value == (largest if largest in covering[place] else -largest)


@given(rows=tables, combine=st.sampled_from(["mean", "extreme"]))
def test_stretches_are_sorted_and_apart(rows: Rows, combine: str) -> None:
    stretches = cut(rows, combine)
    assert all(start < end for _, start, end, _ in stretches)
    for one, other in pairwise(stretches):
        assert (one[0], one[2]) <= (other[0], other[1]) if one[0] == other[0] else one[0] < other[0]


@given(rows=tables, combine=st.sampled_from(["mean", "extreme"]), data=st.data())
def test_order_of_tiles_changes_no_bit(rows: Rows, combine: str, data: st.DataObject) -> None:
    assert list(map(str, cut(rows, combine))) == list(map(str, cut(data.draw(st.permutations(rows)), combine)))


@given(rows=tables)
def test_overlap_is_refused_just_where_there_is_one(rows: Rows) -> None:
    if all(len(covering) == 1 for covering in by_base(rows).values()):
        expected = sorted((chrom, start, start + size, value) for chrom, start, size, value in rows if value == value)
        assert cut(rows, None) == expected
    else:
        with pytest.raises(ValueError, match="regions must not overlap"):
            cut(rows, None)


def test_tiles_that_touch_and_tiles_alone_stay_whole() -> None:
    rows = [("chr1", 0, 10, 1.0), ("chr1", 10, 10, 1.0), ("chr1", 30, 5, 2.0), ("chr1", 31, 2, 4.0)]
    expected = [("chr1", 0, 10, 1.0), ("chr1", 10, 20, 1.0)]
    assert cut(rows, "mean")[:2] == expected
    assert cut(rows, "mean")[2:] == [("chr1", 30, 31, 2.0), ("chr1", 31, 33, 3.0), ("chr1", 33, 35, 2.0)]


@pytest.mark.parametrize(
    ("combine", "covering", "expected"),
    [
        ("extreme", [1.0, -1.0], "1.0"),
        ("extreme", [-3.0, 2.0, 1.0], "-3.0"),
        ("extreme", [0.0, -0.0], "0.0"),
        ("mean", [1e16, 1.0, -1e16], str(1 / 3)),
        ("mean", [0.0, -0.0], "0.0"),
    ],
)
def test_equals_and_sums_do_not_depend_on_the_order(combine: str, covering: list[float], expected: str) -> None:
    for values in permutations(covering):
        [(_, _, _, value)] = cut([("chr1", 0, 5, value) for value in values], combine)
        assert str(value) == expected


def test_overlap_error_names_both_rows_and_the_way_out(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"chrom": ["chr2", "chr1", "chr1", "chr1"], "start": [0, 40, 0, 30], "end": [9, 50, 31, 41]}, index=list("abcd")
    ).assign(effect=[1.0, 2.0, np.nan, 3.0])
    with pytest.raises(
        ValueError,
        match=r"got chr1 \[30, 41\) at row 3 and chr1 \[40, 50\) at row 1. Pass combine='mean' or 'extreme'",
    ):
        write_bedgraph(table, tmp_path / "a", value="effect")
    with pytest.raises(ValueError, match="combine must be None, 'mean' or 'extreme'; got 'sum'"):
        write_bedgraph(table, tmp_path / "a", value="effect", combine="sum")
