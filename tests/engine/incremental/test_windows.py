"""Windows hold every bin that an edit reaches, with all bases that the bin reads, and no more."""

from __future__ import annotations

from math import lcm

import pytest
from hypothesis import given, settings, strategies as st
from incremental_cases import bases, bp, edits_at, split, stack, watched

from tangermeme_creme.engine import EditSession
from tangermeme_creme.engine.incremental import EditWindow, OutputReach, Reach, group_by_blocks, merge_spans


@st.composite
def reaches(draw: st.DrawFn, blocks: st.SearchStrategy[int] | None = None) -> Reach:
    """Draw strides, what windows align to, how far a block reaches, and a length that may leave a remainder.

    `blocks` are those that a sequence has besides the window of one in the middle; None draws any length.
    """
    strides = draw(st.lists(st.sampled_from([1, 2, 3, 4, 5, 8]), min_size=1, max_size=3))
    align = lcm(*strides) * draw(st.sampled_from([1, 2, 4]))
    outputs = tuple(OutputReach(stride, 0, draw(st.integers(0, 20)), draw(st.integers(0, 20))) for stride in strides)
    halo = Reach(0, align, outputs).halo
    whole = draw(st.integers(1, 40)) if blocks is None else 2 * halo + 1 + draw(blocks)
    length = align * whole + draw(st.integers(0, align - 1))
    # Valid convolutions return fewer bins, full ones more.
    outputs = tuple(o._replace(bins=max(1, length // o.stride + draw(st.integers(-6, 6)))) for o in outputs)
    return Reach(length, align, outputs)


@st.composite
def edits(draw: st.DrawFn) -> tuple[Reach, int, int]:
    """Draw a reach, and an edit [start, end)."""
    reach = draw(reaches())
    start = draw(st.integers(0, reach.length - 1))
    end = draw(st.one_of(st.just(start + 1), st.integers(start + 1, reach.length)))
    return reach, start, end


@st.composite
def windows(draw: st.DrawFn) -> tuple[Reach, int, int, int]:
    """Draw a reach, an edit [start, end) that runs in part, and how many blocks its window has."""
    reach = draw(reaches(blocks=st.integers(2, 20)))
    start = draw(st.one_of(st.just(0), st.just(reach.length - 1), st.integers(0, reach.length - 1)))
    most = (reach.length // reach.align - 2 * reach.halo - 2) * reach.align
    end = min(reach.length, start + draw(st.integers(1, most)))
    blocks = reach.blocks(start, end)
    assert blocks is not None
    return reach, start, end, blocks


def n_blocks(reach: Reach) -> int:
    """Blocks of a sequence, a part of one at its end included."""
    return -(-reach.length // reach.align)


def reached(reach: Reach, output: OutputReach, block: int) -> set[int]:
    """The bins that a block reaches, by definition."""
    m = reach.align // output.stride
    return {b for b in range(output.bins) if block * m - output.before <= b < (block + 1) * m + output.after}


def read(reach: Reach, output: OutputReach, bins: set[int]) -> set[int]:
    """The blocks that reach any of some bins, by definition."""
    return {block for block in range(n_blocks(reach)) if reached(reach, output, block) & bins}


def holds(reach: Reach, window: EditWindow, start: int, end: int) -> None:
    """A window has all that it must have."""
    assert 0 <= window.start < window.end <= reach.length
    assert window.start % reach.align == 0
    # The same remainder as the sequence has, or padding that depends on it would be another.
    assert (window.end - window.start) % reach.align == reach.length % reach.align
    inside = {
        block
        for block in range(n_blocks(reach))
        if window.start <= block * reach.align and min((block + 1) * reach.align, reach.length) <= window.end
    }
    for output, span in zip(reach.outputs, window.spans):
        taken = set(range(*span))
        for block in range(start // reach.align, -(-end // reach.align)):
            assert reached(reach, output, block) <= taken
        assert read(reach, output, taken) <= inside


@given(windows())
@settings(deadline=None)
def test_window_takes_every_reached_bin_and_holds_what_it_reads(drawn: tuple[Reach, int, int, int]) -> None:
    reach, start, end, blocks = drawn
    window = reach.window(start, end, blocks)
    holds(reach, window, start, end)
    assert window.end - window.start == blocks * reach.align + reach.length % reach.align < reach.length


@given(windows(), st.integers(0, 20))
@settings(deadline=None)
def test_window_of_more_blocks_holds_as_well(drawn: tuple[Reach, int, int, int], more: int) -> None:
    reach, start, end, blocks = drawn
    blocks = min(blocks + more, reach.length // reach.align - 1)
    window = reach.window(start, end, blocks)
    holds(reach, window, start, end)
    assert window.end - window.start == blocks * reach.align + reach.length % reach.align


@given(edits())
@settings(deadline=None)
def test_blocks_is_none_only_where_a_window_would_be_the_whole_sequence(edit: tuple[Reach, int, int]) -> None:
    reach, start, end = edit
    low, high = start // reach.align, -(-end // reach.align)
    hull = [block for block in range(n_blocks(reach)) if low - reach.halo <= block < high + reach.halo]
    whole = len(hull) >= reach.length // reach.align
    assert reach.blocks(start, end) == (None if whole else len(hull))


@given(reaches())
@settings(deadline=None)
def test_halo_is_the_smallest_that_holds_what_is_read(reach: Reach) -> None:
    # In the middle of a sequence that is long enough, of which block 100 is edited.
    long = reach._replace(
        length=reach.align * 201, outputs=tuple(o._replace(bins=201 * reach.align // o.stride) for o in reach.outputs)
    )
    needed = 0
    for output in long.outputs:
        m = long.align // output.stride
        for bin_ in range(100 * m - output.before, 101 * m + output.after):
            # The blocks k for which k * m - before <= bin_ < (k + 1) * m + after, brute force.
            blocks = [k for k in range(201) if k * m - output.before <= bin_ < (k + 1) * m + output.after]
            needed = max(needed, 100 - min(blocks), max(blocks) - 100)
    assert reach.halo == needed


@given(windows(), st.integers(1, 10))
@settings(deadline=None)
def test_at_moves_the_end_and_nothing_else(drawn: tuple[Reach, int, int, int], more: int) -> None:
    short, start, end, blocks = drawn
    long = short.at(short.length + more * short.align)
    assert (long.halo, long.align, long.at(short.length)) == (short.halo, short.align, short)
    bins = [more * short.align // o.stride for o in short.outputs]
    assert [o.bins + n for o, n in zip(short.outputs, bins)] == [o.bins for o in long.outputs]
    if start // short.align >= short.halo:
        # At the same distance from the end, and away from the start: the same window.
        moved = more * short.align
        near, far = short.window(start, end, blocks), long.window(start + moved, end + moved, blocks)
        assert (far.start, far.end) == (near.start + moved, near.end + moved)
        for n, far_span, near_span in zip(bins, far.spans, near.spans):
            assert far_span[1] == near_span[1] + n
            assert near.start == 0 or far_span[0] == near_span[0] + n


@given(st.lists(st.integers(1, 100), min_size=1, max_size=30))
@settings(deadline=None)
def test_groups_hold_each_once_at_less_than_twice_its_blocks(blocks: list[int]) -> None:
    groups = group_by_blocks(blocks)
    assert sorted(i for group in groups for i in group) == list(range(len(blocks)))
    for group in groups:
        widest = max(blocks[i] for i in group)
        assert blocks[group[0]] == widest
        assert all(widest < 2 * blocks[i] for i in group)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=30))
@settings(deadline=None)
def test_groups_are_no_more_than_the_powers_of_two_between_the_blocks(blocks: list[int]) -> None:
    assert len(group_by_blocks(blocks)) <= (max(blocks) // min(blocks)).bit_length()


def test_groups_of_nothing_are_none() -> None:
    assert group_by_blocks([]) == []


@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(1, 20)), min_size=1, max_size=10),
    st.integers(0, 15),
)
@settings(deadline=None)
def test_merged_spans_are_the_runs_of_what_is_covered(places: list[tuple[int, int]], gap: int) -> None:
    covered = [any(start <= i < start + width for start, width in places) for i in range(120)]
    starts = [i for i in range(120) if covered[i] and not any(covered[max(0, i - gap - 1) : i])]
    ends = [i + 1 for i in range(120) if covered[i] and not any(covered[i + 1 : i + gap + 2])]
    assert merge_spans([(s, s + w) for s, w in places], gap) == list(zip(starts, ends))


def test_spans_that_touch_are_one_without_a_gap() -> None:
    assert merge_spans([(10, 20), (0, 10), (21, 30)], gap=0) == [(0, 20), (21, 30)]


def test_windows_at_the_ends_of_a_ragged_sequence() -> None:
    # 103 bp in blocks of 10: the last 3 bp are a block of their own, and go into every window.
    reach = Reach(103, 10, (OutputReach(stride=10, bins=11, before=1, after=0),))
    assert [reach.blocks(0, 1), reach.blocks(50, 51), reach.blocks(102, 103)] == [2, 3, 2]
    assert reach.window(0, 1, 2) == EditWindow(0, 23, ((0, 1),))
    assert reach.window(102, 103, 2) == EditWindow(80, 103, ((9, 11),))


@pytest.mark.parametrize("span", [(0, 100), (5, 96), (10, 100)])
def test_window_of_nearly_all_is_the_whole_sequence(span: tuple[int, int]) -> None:
    assert Reach(100, 10, (OutputReach(10, 10, 1, 1),)).blocks(*span) is None


def test_work_is_distinct_bases_once_and_windows() -> None:
    # Bins of 5 bp and a kernel of 5: an edit reaches one bin to a side, and a window has two more.
    model, X = split(stack(), 200), bases(2, 200)[[0, 1, 0]]
    with EditSession(model, X, incremental=True, batch_size=3, allow_stochastic=True) as session:
        work = session.work
        session.predict()
        assert (work.n_full, work.n_partial, work.positions, work.n_checks) == (3, 0, 2 * 200, 0)
        session.predict_edits(edits_at((1, 50, 1)))
        assert (work.n_full, work.n_partial, work.positions) == (3, 1, 2 * 200 + 25)
        assert work.n_checks > 0
        for places, width in [
            ([(0, 100, 1)], 25),
            ([(0, 0, 5)], 15),
            ([(2, 199, 1)], 15),
            ([(1, 52, 7)], 30),
            # By base: [0, 60) needs 70 bp; the three narrow ones have 25 each, in two batches.
            ([(2, 50, 1), (1, 60, 1), (0, 100, 1), (0, 0, 60)], 70 + 3 * 25),
            # The narrower ones run at the width of the widest, if that is less than twice theirs.
            ([(0, 0, 1), (0, 60, 6), (0, 110, 11)], 15 + 2 * 35),
        ]:
            before = work.positions
            session.predict_edits(edits_at(*places))
            assert work.positions - before == width
        before = work.positions
        session.commit(edits_at((0, 50, 1), (0, 60, 1), (0, 150, 1)))
        # The first two are one, from 50 to 61, and the third runs with it.
        assert work.positions - before == 35 + 35
        before = work.positions
        session.predict()
        assert work.positions == before
        assert (work.n_full, work.n_partial) == (3, 1 + 4 + 4 + 3 + 3)
        assert work.equivalents == pytest.approx(work.positions / 200)


def test_window_as_long_as_the_sequence_runs_in_full() -> None:
    model, X = split(stack(), 120), bases(1, 120)
    with watched(model.local) as calls, EditSession(model, X, incremental=True, allow_stochastic=True) as session:
        session.predict_edits(edits_at((0, 60, 1)))
        calls[:] = []
        before = session.work.positions
        session.predict_edits(edits_at((0, 10, 100), (0, 10, 99), (0, 0, 120)))
    assert (session.work.n_full, session.work.n_partial) == (3, 1)
    assert bp(calls) == session.work.positions - before == 3 * 120
