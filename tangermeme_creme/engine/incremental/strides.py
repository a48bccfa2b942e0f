"""Measure how many bases a bin has, by how many bins sequences of some lengths have."""

from __future__ import annotations

from collections.abc import Callable

from .local_runs import LocalRuns, SplitError


def measure_strides(runs: LocalRuns, bins: list[int]) -> list[int]:
    """Return the bases per bin of each output of `local`.

    The full length and one that is as short as `local` takes leave few strides that give both numbers of bins, mostly
    one; else further lengths tell them apart.

    Parameters
    ----------
    runs: LocalRuns

    bins: list of int
        The number of bins of each output at the full length.

    Raises
    ------
    SplitError
        If an output has a single bin, or its bins do not follow the length at a fixed stride.
    """
    strides = []
    for i, n in enumerate(bins):
        if n < 2:
            raise SplitError(f"local must return more than one bin; got {n} for {runs.length} bp.")

        def count(bp: int, i: int = i) -> int:
            return runs.bins(bp)[i]

        strides.append(_stride(count, runs.length, n))
    return strides


def _stride(count: Callable[[int], int], length: int, n: int) -> int:
    failure: SplitError | None = None
    for short in _short_lengths(length, n):
        try:
            if not 0 < count(short) < n:
                continue
            if (stride := _stride_from(count, short, length, n)) is not None:
                return stride
            failure = SplitError(
                f"the bins of local must follow the length at a fixed stride; got {count(short)} and {n} at {short} "
                f"and {length} bp."
            )
        except SplitError as error:  # shorter than the kernels, or no whole pools
            failure = failure or error
    raise failure or SplitError(f"the bins of local must follow the length; got {n} at {length} and at {short} bp.")


def _stride_from(count: Callable[[int], int], short: int, length: int, n: int) -> int | None:
    """Return the stride at which a short sequence and the full length have their bins; None if there is none."""
    possible = _strides_between(length - short, n - count(short))
    whole = length // n if length % n == 0 else 0
    if whole in possible and count(short) * whole == short and _loses_a_bin(count, short):
        possible = [whole]
    if len(possible) > 1:
        # The first base of a bin, found by bisection, leaves fewer strides: k bins later at most k strides have passed.
        first = _next_gain(count, short, possible[-1])
        k = n - count(first)
        possible = [stride for stride in possible if stride * k <= length - first < stride * (k + 1)]
        while len(possible) > 1:
            middle = possible[len(possible) // 2]
            gained = count(first + middle - 1) > count(first)
            possible = [stride for stride in possible if (stride < middle) == gained]
    return possible[0] if possible else None


def _short_lengths(length: int, n: int) -> list[int]:
    """Return lengths to try, the shortest first: whole bins, parts of the length, and those that pad as the length."""
    whole = [pool * (min(64, n // 2) // pool) * (length // n) for pool in (64, 16, 4, 1)] if length % n == 0 else []
    parts = [length * eighths // 8 for eighths in (1, 2, 4, 6, 7)]
    # A network that pads to whole pools has its bins in blocks; whole pools away, it pads by as much.
    as_padded = [length - 64 * max(1, (length - bp) // 64) for bp in parts]
    return sorted({bp for bp in whole if bp}) + [bp for bp in parts if bp] + [bp for bp in as_padded if bp > 0]


def _strides_between(bp: int, bins: int) -> list[int]:
    """Return the strides by which `bp` more bases may give `bins` more bins, whatever the phase.

    Examples
    --------
    >>> _strides_between(98_304, 768), _strides_between(90, 7)
    ([128], [12, 13, 14])
    """
    most = bp if bins < 2 else -(-bp // (bins - 1)) - 1
    return list(range(bp // (bins + 1) + 1, most + 1))


def _loses_a_bin(count: Callable[[int], int], bp: int) -> bool:
    """Return whether a sequence that is one base shorter has one bin less, or is refused."""
    try:
        return count(bp - 1) == count(bp) - 1
    except SplitError:
        return True


def _next_gain(count: Callable[[int], int], start: int, most: int) -> int:
    """Return the shortest length above `start` that has more bins, at most `most` bp away, by bisection."""
    low, high = start, start + most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) == count(start) else (low, middle)
    return high
