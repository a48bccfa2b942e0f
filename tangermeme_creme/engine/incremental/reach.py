"""Measure with NaN how far a base reaches through `local`, and check the result on random bases."""

from __future__ import annotations

from math import lcm

import torch

from .local_runs import LocalRuns, SplitError
from .model import IncrementalModel
from .nan_probe import buffers_restored, name_global_module
from .strides import measure_strides
from .window_checks import check_windows
from .windows import OutputReach, Reach

# Windows may have to start at multiples of more than the stride: a `local` that pools by 8 and upsamples by 4 returns
# bins of 2 bp, but its pools stay in phase only every 8 bp. How much it pools is not visible from outside, so multiples
# of the stride are tried from the smallest on, since small blocks make small windows: all up to 16, and then powers of
# two, as networks pool by two many times.
_MULTIPLES = (*range(1, 17), *(2**k for k in range(5, 11)))


def measure_reach(model: IncrementalModel, length: int, device: torch.device, dtype: torch.dtype) -> Reach:
    """Measure how far an edit reaches through the `local` of a model.

    NaN in the first quarter of a sequence, then in the last, show how far a base reaches to either side. The result is
    checked on a short random sequence, whose windows must give the same bins as the sequence itself. Runs `local` on
    two whole sequences, on short ones and on windows, together on as many bases as 3 to 10 whole sequences have, and
    never on more than those of 24.

    Parameters
    ----------
    model: IncrementalModel
        In evaluation mode, on the device.

    length: int
        Length of the sequences in bp.

    device: torch.device

    dtype: torch.dtype
        Of the one-hot sequences.

    Returns
    -------
    reach: Reach

    Raises
    ------
    SplitError
        If a base reaches all bins, or so far that windows would save nothing; if bins do not follow the sequence at a
        fixed stride; or if `local` gives other values for a stretch than for the sequence that holds it.
    """
    return reach_of(LocalRuns(model, length, device, dtype))


def reach_of(runs: LocalRuns) -> Reach:
    """Measure the reach of a model by the runs of its `local`, which count their bases; see `measure_reach`."""
    model, length = runs.model, runs.length
    with buffers_restored(model.local), torch.no_grad():
        # A quarter is wide enough that some base of it reaches furthest at every phase of the pools, and leaves three
        # quarters to see where the reach ends.
        q = max(1, length // 4)
        (heads, decided), (tails, _) = _reached(runs, 0, q), _reached(runs, length - q, length)
        bins = [len(reached) for reached in heads]
        to_right = [_last(reached) + 1 for reached in heads]
        to_left = [_first(reached) for reached in tails]
        if any(right == n and left == 0 for n, right, left in zip(bins, to_right, to_left)):
            X = runs.random(1, length)
            X[..., :q] = torch.nan
            name = name_global_module(model.local, X)
            hint = _hint(runs(X), model.axis)
            raise SplitError(f"local must be position-local; a base reaches from end to end through {name}.{hint}")
        if not all(heads[i].any() and tails[i].any() for i in range(len(bins))):
            raise SplitError("local must pass on NaN, with which its reach is measured; got none in its output.")
        if decided:
            raise SplitError(
                "local must run the same operations for every sequence; values of X decide what it runs, as in an if, "
                "so that another sequence may run otherwise than its windows."
            )
        strides = measure_strides(runs, bins)
        failure: SplitError | None = None
        for multiple in _MULTIPLES:
            align = lcm(*strides) * multiple
            # Counted from the nearer block edge: `before` and `after` may come out too large, but never too small.
            low, high = q // align * align, -(-(length - q) // align) * align
            outputs = [
                OutputReach(s, n, max(0, high // s - left), max(0, right - low // s))
                for s, n, left, right in zip(strides, bins, to_left, to_right)
            ]
            reach = Reach(length, align, tuple(outputs))
            if reach.blocks(length // 2, length // 2 + 1) is None:
                break
            try:
                check_windows(runs, reach)
                return reach
            except SplitError as error:
                failure = failure or error
    if failure is None:
        bp = max(max(o.before, o.after) * o.stride for o in reach.outputs)
        raise SplitError(
            f"local must leave most of the sequence as it was; got a reach of up to {bp} bp to a side of a base, "
            f"so that windows would be as long as the sequence of {length} bp."
        )
    raise failure


def _reached(runs: LocalRuns, start: int, end: int) -> tuple[list[torch.Tensor], bool]:
    """Return which bins of each output hold NaN, shape (bins,), for a sequence with NaN in [start, end).

    Also returns whether values decided what ran.
    """
    X = runs.random(1, runs.length)
    X[..., start:end] = torch.nan
    outputs, decided = runs.following(X)
    axis = runs.model.axis
    return [y.isnan().movedim(axis, -1).reshape(-1, y.shape[axis]).any(0).cpu() for y in outputs], decided


def _hint(outputs: list[torch.Tensor], axis: int) -> str:
    """Name another axis along which NaN in the first bases does not reach all of an output."""
    for y in outputs:
        for other in range(1, y.ndim):
            reached = y.isnan().movedim(other, 0).flatten(1).any(1)
            if other != axis % y.ndim and reached.any() and not reached.all():
                return f" If the bins lie on another axis, give axis={other}."
    return ""


def _first(reached: torch.Tensor) -> int:
    return int(reached.to(torch.uint8).argmax()) if reached.any() else len(reached)


def _last(reached: torch.Tensor) -> int:
    return len(reached) - 1 - _first(reached.flip(0))
