"""Which stretch of a sequence to run for an edit, and which of its bins to take: arithmetic without a model."""

from __future__ import annotations

from typing import NamedTuple

from ...sequence import Span


class OutputReach(NamedTuple):
    """How the bins of one output of `local` map to bases.

    Parameters
    ----------
    stride: int
        Bases per bin.

    bins: int
        Number of bins at the full length.

    before, after: int
        How many bins before and after its own bins an aligned block of bases reaches.
    """

    stride: int
    bins: int
    before: int
    after: int


class Reach(NamedTuple):
    """How far an edit reaches through `local`, over all of its outputs.

    Sequences are counted in blocks of `align` bp. A window that starts and ends between blocks would shift the bins of
    a pooling layer, so that its values would not be those of the full sequence; whole blocks keep every bin in phase.

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
        """Blocks to run on either side of the edited blocks, so that every bin that the edit reaches is right.

        To the right, a reached bin lies up to `after` bins from the edit, and itself reads bases up to `before` bins
        further away; to the left it is the other way round. The window has to hold both, in whole blocks.
        """
        return max(-(-(o.before + o.after) // (self.align // o.stride)) for o in self.outputs)

    def at(self, length: int) -> Reach:
        """Return the same reach for sequences of another length, a whole number of blocks away."""
        outputs = tuple(o._replace(bins=o.bins - (self.length - length) // o.stride) for o in self.outputs)
        return self._replace(length=length, outputs=outputs)

    def blocks(self, start: int, end: int) -> int | None:
        """Return how many blocks the window of the edit [start, end) has; None if it would cover the sequence.

        Examples
        --------
        >>> reach = Reach(1000, 10, (OutputReach(stride=10, bins=100, before=1, after=2),))
        >>> reach.halo, reach.blocks(500, 520), reach.blocks(0, 20), reach.blocks(20, 990)
        (3, 8, 5, None)
        """
        first, last = self._blocks_around(start, end)
        return last - first if last - first < self.length // self.align else None

    def window(self, start: int, end: int, blocks: int) -> EditWindow:
        """Place a window of `blocks` blocks, at least its own number, around the edit [start, end).

        Examples
        --------
        >>> reach = Reach(1000, 10, (OutputReach(stride=10, bins=100, before=1, after=2),))
        >>> reach.window(500, 520, 8)
        EditWindow(start=470, end=550, spans=((49, 54),))
        >>> reach.window(980, 1000, 8)   # moved to the left, so that it stays in the sequence
        EditWindow(start=920, end=1000, spans=((97, 100),))
        """
        first, _ = self._blocks_around(start, end)
        # Windows run together in one batch, so all get the same number of blocks; near the end of the sequence a wider
        # window moves to the left.
        first = min(first, self.length // self.align - blocks)
        low, high = start // self.align, -(-end // self.align)
        spans = []
        # The bases after the last whole block are added to every window, again so that all have the same length; a
        # window at the end of the sequence needs them, elsewhere they only widen the halo.
        bp = blocks * self.align + self.length % self.align
        at_start, at_end = first == 0, first * self.align + bp == self.length
        for o in self.outputs:
            bins_per_block = self.align // o.stride
            # At an end of the sequence all bins up to it are taken: padding that reflects makes a base reach further.
            start_bin = 0 if at_start else max(0, low * bins_per_block - o.before)
            end_bin = o.bins if at_end else min(o.bins, high * bins_per_block + o.after)
            spans.append((start_bin, end_bin))
        return EditWindow(first * self.align, first * self.align + bp, tuple(spans))

    def _blocks_around(self, start: int, end: int) -> tuple[int, int]:
        """Return the blocks [first, last) of an edit with its halo, within the sequence.

        The edit is rounded outwards, since a base reaches as far as the whole block that holds it. The last block of
        the sequence may be a part of one, hence the rounding up.
        """
        first = max(0, start // self.align - self.halo)
        last = min(-(-self.length // self.align), -(-end // self.align) + self.halo)
        return first, last


class EditWindow(NamedTuple):
    """A stretch of a sequence to run for an edit, and the bins to take from it.

    Parameters
    ----------
    start, end: int
        0-based and half-open, in bp of the sequence.

    spans: tuple of (int, int)
        For each output of `local`, the bins that the edit reaches, counted along the full sequence.
    """

    start: int
    end: int
    spans: tuple[Span, ...]


def group_by_blocks(blocks: list[int]) -> list[list[int]]:
    """Group windows that run together, all as wide as the widest of the group, by their numbers of blocks.

    One batch has one width. The widest is less than twice as wide as any other, so that no window doubles its cost.

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


def merge_spans(spans: list[Span], gap: int) -> list[Span]:
    """Merge spans that lie at most `gap` bp apart, in order.

    Examples
    --------
    >>> merge_spans([(50, 60), (0, 10), (12, 20)], gap=5)
    [(0, 20), (50, 60)]
    """
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
