"""Test tile grids by hand and against naive loops, and coordinates against windows built base by base."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings, strategies as st

from tangermeme_creme.sequence import span_to_genome, tile_grid

COMPLEMENT = str.maketrans("ACGT", "TGCA")


@st.composite
def grid_arguments(draw: st.DrawFn) -> tuple[int, int, int]:
    """Draw a length, a tile size that fits, and a centre whose tile lies inside."""
    length = draw(st.integers(1, 300))
    size = draw(st.integers(1, length))
    start = draw(st.integers(0, length - size))
    return length, size, start + size // 2


def window_of(genome: str, tss: int, strand: str, length: int) -> str:
    """Build the window with the TSS base at local index length // 2, base by base."""
    half = length // 2
    if strand == "+":
        return "".join(genome[tss - half + i] for i in range(length))
    return "".join(genome[tss + half - i].translate(COMPLEMENT) for i in range(length))


def test_tile_grid_of_enformer_has_38_context_tiles() -> None:
    grid = tile_grid(196_608)
    assert grid.center == (95_804, 100_804)
    assert grid.context.shape == (38, 2)
    assert grid.context[0].tolist() == [804, 5804]
    assert grid.context[-1].tolist() == [190_804, 195_804]


def test_tile_grid_of_borzoi_has_102_context_tiles() -> None:
    grid = tile_grid(524_288)
    assert grid.center == (259_644, 264_644)
    assert grid.context.shape == (102, 2)


def test_tile_grid_includes_tiles_that_fit_exactly_at_both_ends() -> None:
    assert tile_grid(50, size=10).context.tolist() == [[0, 10], [10, 20], [30, 40], [40, 50]]


def test_tile_grid_leaves_out_tiles_that_miss_one_base_at_both_ends() -> None:
    assert tile_grid(48, size=10).context.tolist() == [[9, 19], [29, 39]]


def test_tile_grid_puts_the_longer_half_of_an_odd_tile_right_of_the_centre() -> None:
    assert tile_grid(9, size=3).center == (3, 6)
    assert tile_grid(9, size=5).center == (2, 7)


def test_tile_grid_follows_a_centre_off_the_middle() -> None:
    grid = tile_grid(50, size=10, center=12)
    assert grid.center == (7, 17)
    assert grid.context.tolist() == [[17, 27], [27, 37], [37, 47]]


def test_tile_grid_of_one_tile_has_empty_context_of_two_columns() -> None:
    grid = tile_grid(15, size=10)
    assert grid.center == (2, 12)
    assert grid.context.shape == (0, 2) and grid.context.dtype == torch.int64


@given(grid_arguments())
@settings(max_examples=100, deadline=None)
def test_tile_grid_tiles_are_whole_adjacent_and_leave_no_room(arguments: tuple[int, int, int]) -> None:
    length, size, center = arguments
    grid = tile_grid(length, size, center)
    assert grid.center == (center - size // 2, center - size // 2 + size)
    context = [tuple(span) for span in grid.context.tolist()]
    assert context == sorted(context)
    spans = sorted([*context, grid.center])
    assert all(end - start == size for start, end in spans)
    assert all(left[1] == right[0] for left, right in itertools.pairwise(spans))
    assert 0 <= spans[0][0] < size
    assert 0 <= length - spans[-1][1] < size


def test_tile_grid_refuses_a_centre_tile_off_the_left_end() -> None:
    with pytest.raises(ValueError, match=r"inside the window of 50 bp; got \[-1, 9\) for center 4 and size 10"):
        tile_grid(50, size=10, center=4)


def test_tile_grid_refuses_a_centre_tile_off_the_right_end() -> None:
    with pytest.raises(ValueError, match=r"got \[41, 51\) for center 46 and size 10"):
        tile_grid(50, size=10, center=46)


def test_tile_grid_refuses_a_size_of_zero() -> None:
    with pytest.raises(ValueError, match="size must be at least 1; got 0"):
        tile_grid(50, size=0)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_span_to_genome_names_the_bases_of_the_window(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 41), label="length")
    strand = data.draw(st.sampled_from("+-"), label="strand")
    tss = data.draw(st.integers(50, 60), label="tss")
    start = data.draw(st.integers(0, length - 1), label="start")
    end = data.draw(st.integers(start + 1, length), label="end")
    genome = data.draw(st.text("ACGT", min_size=110, max_size=110), label="genome")
    first, last = span_to_genome(start, end, tss=tss, strand=strand, length=length)
    found = genome[first:last]
    if strand == "-":
        found = found[::-1].translate(COMPLEMENT)
    assert found == window_of(genome, tss, strand, length)[start:end]


@pytest.mark.parametrize("length", [10, 11])
@pytest.mark.parametrize("strand", ["+", "-"])
def test_span_to_genome_puts_the_tss_in_the_middle(strand: str, length: int) -> None:
    middle = length // 2
    assert span_to_genome(middle, middle + 1, tss=100, strand=strand, length=length) == (100, 101)


def test_span_to_genome_gives_the_span_of_the_whole_window() -> None:
    assert span_to_genome(0, 10, tss=100, strand="+", length=10) == (95, 105)
    assert span_to_genome(0, 10, tss=100, strand="-", length=10) == (96, 106)


def test_span_to_genome_refuses_an_unknown_strand() -> None:
    with pytest.raises(ValueError, match=r"strand must be '\+' or '-'; got '\.'"):
        span_to_genome(0, 1, tss=100, strand=".", length=10)
