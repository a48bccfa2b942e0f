"""Which stretch of a sequence to run for an edit, and which bins of it to take: plain arithmetic."""

from __future__ import annotations

from typing import NamedTuple


class OutputReach(NamedTuple):
    """How one output of `local` hangs together with the sequence.

    Parameters
    ----------
    stride: int
        Bases a bin.

    bins: int
        Number of bins at the full length.

    before, after: int
        How many bins before and after its own an aligned block of bases reaches.
    """

    stride: int
    bins: int
    before: int
    after: int


class Reach(NamedTuple):
    """How far an edit reaches through `local`, over all of its outputs.

    Parameters
    ----------
    length: int
        Length of the sequences in bp.

    align: int
        Windows start at multiples of this many bp: a multiple of every stride.

    outputs: tuple of OutputReach
    """

    length: int
    align: int
    outputs: tuple[OutputReach, ...]

    @property
    def halo(self) -> int:
        """Blocks of `align` bp to run on either side of the edited blocks, so that every reached bin is right."""
        return max(-(-(o.before + o.after) // (self.align // o.stride)) for o in self.outputs)

    def at(self, length: int) -> Reach:
        """The same at another length, a whole number of blocks away."""
        outputs = tuple(o._replace(bins=o.bins - (self.length - length) // o.stride) for o in self.outputs)
        return self._replace(length=length, outputs=outputs)

    def blocks(self, start: int, end: int) -> int | None:
        """How many blocks the window of the edit [start, end) has; None for the whole sequence.

        Examples
        --------
        >>> reach = Reach(1000, 10, (OutputReach(stride=10, bins=100, before=1, after=2),))
        >>> reach.halo, reach.blocks(500, 520), reach.blocks(0, 20), reach.blocks(20, 990)
        (3, 8, 5, None)
        """
        first, last = self._hull(start, end)
        return last - first if last - first < self.length // self.align else None

    def window(self, start: int, end: int, blocks: int) -> Window:
        """The window of `blocks` blocks, at least its own number, to run for the edit [start, end).

        Examples
        --------
        >>> reach = Reach(1000, 10, (OutputReach(stride=10, bins=100, before=1, after=2),))
        >>> reach.window(500, 520, 8)
        Window(start=470, end=550, spans=((49, 54),))
        >>> reach.window(980, 1000, 8)   # moved to the left, so as not to leave the sequence
        Window(start=920, end=1000, spans=((97, 100),))
        """
        first, _ = self._hull(start, end)
        first = min(first, self.length // self.align - blocks)
        low, high = start // self.align, -(-end // self.align)
        spans = []
        # What is left over after the last whole block goes into every window, so that all have the same length.
        bp = blocks * self.align + self.length % self.align
        at_start, at_end = first == 0, first * self.align + bp == self.length
        for o in self.outputs:
            m = self.align // o.stride
            # At an end of the sequence all bins are taken up to it: padding that reflects makes a base reach further.
            start_bin = 0 if at_start else max(0, low * m - o.before)
            end_bin = o.bins if at_end else min(o.bins, high * m + o.after)
            spans.append((start_bin, end_bin))
        return Window(first * self.align, first * self.align + bp, tuple(spans))

    def _hull(self, start: int, end: int) -> tuple[int, int]:
        first = max(0, start // self.align - self.halo)
        last = min(-(-self.length // self.align), -(-end // self.align) + self.halo)
        return first, last


class Window(NamedTuple):
    """A stretch to run, and what of it to take.

    Parameters
    ----------
    start, end: int
        0-based and half-open, in bp of the sequence.

    spans: tuple of (int, int)
        For each output of `local`, the bins of the whole sequence that the edit reaches.
    """

    start: int
    end: int
    spans: tuple[tuple[int, int], ...]


def group_by_blocks(blocks: list[int]) -> list[list[int]]:
    """Indices in groups that run together, at the number of blocks of the widest, less than twice that of any.

    Examples
    --------
    >>> group_by_blocks([8, 3, 9, 2, 10])
    [[4, 2, 0], [1, 3]]
    """
    groups: list[list[int]] = []
    for i in sorted(range(len(blocks)), key=lambda i: -blocks[i]):
        if groups and 2 * blocks[i] > blocks[groups[-1][0]]:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def merge_spans(spans: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Spans that lie at most `gap` bp apart as one, in order.

    Examples
    --------
    >>> merge_spans([(50, 60), (0, 10), (12, 20)], gap=5)
    [(0, 20), (50, 60)]
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
