"""Check on random bases that windows give the bins of the sequence which holds them."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ..agreement import agreement_tolerance, relative_difference
from .local_runs import LocalRuns, SplitError
from .model import IncrementalModel
from .splicing import splice
from .windows import Reach

_MOST_NEAR_AN_END = 32


def check_windows(runs: LocalRuns, reach: Reach) -> None:
    """Refuse a reach if windows of a short random sequence give other bins than the sequence itself.

    Runs the sequence, two copies with NaN in some blocks and one with other bases there, and windows: around these
    blocks, in the middle, and near both ends, as many as one or two whole sequences have bases for.

    Raises
    ------
    SplitError
    """
    # Long enough for blocks in the middle whose windows touch neither end, with the same remainder as the full length.
    blocks = 4 * reach.halo + 7
    short = reach.at(min(reach.length, blocks * reach.align + reach.length % reach.align))
    last = -(-short.length // reach.align) - 1
    # Two neighbours in the middle: the starts of their windows cannot both be in phase by chance.
    ends, beside_ends = [last // 2, 0, last], [last // 2 + 1, reach.halo + 1, last - reach.halo - 1]
    # Some windows hold unknown bases, some do not: a network may treat a sequence that has any in another way.
    X = runs.random(1, short.length, unknown=True)
    base = runs(X)
    bins = [output.shape[runs.model.axis] for output in base]
    if bins != [o.bins for o in short.outputs]:
        raise SplitError(
            f"the bins of local must follow the length at a fixed stride; got {bins} at {short.length} bp."
        )
    # Windows that are out of phase show in the middle, at the least cost.
    _compare(runs, short, X, base, [ends[0], beside_ends[0]])
    for nan_in in (ends, beside_ends):
        edited = X.clone()
        for block in nan_in:
            start, end = _span(short, block)
            edited[..., start] = edited[..., end - 1] = torch.nan
        outputs = runs(edited)
        _check_outside(runs, short, outputs, base, nan_in)
        _compare(runs, short, edited, outputs, nan_in)
    # Other bases, which `local` may take in where it swallows NaN.
    edited = X.clone()
    for block in ends:
        start, end = _span(short, block)
        edited[..., start:end] = edited[..., start:end].roll(1, dims=1)
    _check_outside(runs, short, runs(edited), base, ends)
    # Near the ends, padding that reflects may make bases reach further.
    width = (2 * short.halo + 1) * short.align
    near = min(short.halo + 2, _MOST_NEAR_AN_END, max(1, runs.length // (2 * width)))
    # All of them on bases too: a window that is as short as those at the ends may be what a network treats otherwise.
    tried = {*range(near), *range(last - near + 1, last + 1), *ends[1:], *beside_ends[1:]}
    _compare(runs, short, X, base, sorted(tried & set(range(last + 1))))


def _span(reach: Reach, block: int) -> tuple[int, int]:
    return block * reach.align, min((block + 1) * reach.align, reach.length)


def _compare(runs: LocalRuns, reach: Reach, X: torch.Tensor, outputs: list[torch.Tensor], blocks: list[int]) -> None:
    limit = agreement_tolerance(runs.dtype, runs.device)
    compare_windows(lambda start, end: runs(X[..., start:end]), reach, runs.model, outputs, blocks, limit)


def compare_windows(
    run: Callable[[int, int], list[torch.Tensor]],
    reach: Reach,
    model: IncrementalModel,
    outputs: list[torch.Tensor],
    blocks: list[int],
    limit: float,
    trimmed: bool = False,
) -> None:
    """Refuse a reach if the windows of blocks give other bins than the sequence, or NaN in other bins.

    Parameters
    ----------
    run: callable
        Runs `local` on the bases [start, end) of the sequence, and returns its outputs. The caller counts its cost.

    reach: Reach
        Of the model.

    model: IncrementalModel
        Says on which axis the bins are, and which of them it keeps.

    outputs: list of torch.Tensor, each with one row
        What `local` returns for the whole sequence.

    blocks: list of int
        Numbers of blocks of ``reach.align`` bp, of which each is compared in the window around it.

    limit: float
        The largest relative difference that is rounding.

    trimmed: bool, optional
        Whether the outputs hold the bins of ``model.keep`` only. Default is False.

    Raises
    ------
    SplitError
        With the largest relative difference.
    """
    for block in blocks:
        start, end = _span(reach, block)
        n_blocks = reach.blocks(start, end)
        if n_blocks is None:
            continue
        window = reach.window(start, end, n_blocks)
        spliced = [output.clone() for output in outputs]
        splice(spliced, 0, run(window.start, window.end), 0, window, reach, model, trimmed)
        _check_same(spliced, outputs, limit)


def _check_outside(
    runs: LocalRuns, reach: Reach, outputs: list[torch.Tensor], base: list[torch.Tensor], blocks: list[int]
) -> None:
    """Refuse a reach if editing blocks has changed bins that these are said not to reach."""
    restored = [output.clone() for output in outputs]
    for block in blocks:
        start, end = _span(reach, block)
        n_blocks = reach.blocks(start, end)
        if n_blocks is None:
            return
        for i, (first, last) in enumerate(reach.window(start, end, n_blocks).spans):
            if first >= last:
                continue  # of an output that crops, an edit at an end may reach no bin
            into = restored[i].narrow(runs.model.axis, first, last - first)
            into.copy_(base[i].narrow(runs.model.axis, first, last - first))
    _check_same(restored, base, agreement_tolerance(runs.dtype, runs.device))


def _check_same(got: list[torch.Tensor], expected: list[torch.Tensor], limit: float) -> None:
    same_nan = all(torch.equal(y.isnan(), e.isnan()) for y, e in zip(got, expected))
    error = max(relative_difference(y.nan_to_num(), e.nan_to_num()) for y, e in zip(got, expected))
    if error > limit or not same_nan:
        raise SplitError(
            f"local must give a part of the sequence the same values as in the whole sequence; got a difference of "
            f"{error:.2g}. It may depend on the position, or swallow NaN, with which its reach is measured."
        )
