"""Measure with NaN how far a base reaches through `local`, and check the result on random bases."""

from __future__ import annotations

from collections.abc import Callable
from math import lcm
from typing import Any

import torch

from ...sequence import to_one_hot
from .agreement import agreement_tolerance, relative_difference
from .model import IncrementalModel
from .nan_probe import buffers_restored, name_global_module
from .windows import EditWindow, OutputReach, Reach

Local = Callable[[torch.Tensor], list[torch.Tensor]]

# Windows may have to start at multiples of more than the stride: a `local` that pools by 8 and upsamples by 4 returns
# bins of 2 bp, but its pools stay in phase only every 8 bp. How much it pools is not visible from outside, so multiples
# of the stride are tried from the smallest on, since small blocks make small windows: all up to 16, and then powers of
# two, as networks pool by two many times.
_MULTIPLES = (*range(1, 17), *(2**k for k in range(5, 11)))


class SplitError(ValueError):
    """A model cannot be evaluated in part; the message gives the reason."""


def run_local(model: IncrementalModel, X: torch.Tensor) -> list[torch.Tensor]:
    """Run `local` and check its outputs.

    Raises
    ------
    SplitError
        If `local` fails, or does not return floating-point tensors with one row per sequence and the bins on the
        model's axis.
    """
    try:
        outputs = model.local(X)
    except (torch.OutOfMemoryError, MemoryError):
        raise  # too little memory says nothing about the model
    except Exception as error:
        raise SplitError(
            f"local must run on any stretch of whole strides; got an error at {X.shape[-1]} bp: {error}"
        ) from error
    return check_activations(outputs, len(X), model.axis)


def check_activations(outputs: Any, n_rows: int, axis: int) -> list[torch.Tensor]:
    """Return the outputs of `local` as a list, or raise a SplitError that says what is wrong with them."""
    tensors = [outputs] if isinstance(outputs, torch.Tensor) else outputs
    if not isinstance(tensors, (list, tuple)) or not tensors:
        raise SplitError(f"local must return a tensor or a tuple of tensors; got {type(outputs).__name__}.")
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
            got = tensor.dtype if isinstance(tensor, torch.Tensor) else type(tensor).__name__
            raise SplitError(f"local must return floating-point tensors; got {got} at output {i}.")
        if tensor.ndim < 2 or len(tensor) != n_rows or not -tensor.ndim < axis < tensor.ndim or axis == 0:
            raise SplitError(
                f"local must return one row per sequence, with the bins on axis {axis}; got shape "
                f"{tuple(tensor.shape)} at output {i} for {n_rows} sequences."
            )
    return list(tensors)


def measure_reach(model: IncrementalModel, length: int, device: torch.device, dtype: torch.dtype) -> Reach:
    """Measure how far an edit reaches through the `local` of a model.

    NaN in the first quarter of a sequence, then in the last, show how far a base reaches to either side. The result is
    checked on a short random sequence, whose windows must give the same bins as the sequence itself. Runs `local` on
    two full sequences and several short ones.

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
    counts: dict[int, list[int]] = {}

    def local(X: torch.Tensor) -> list[torch.Tensor]:
        outputs = run_local(model, X)
        counts[X.shape[-1]] = [output.shape[model.axis] for output in outputs]
        return outputs

    def count(bp: int) -> list[int]:
        if bp not in counts:
            local(_bases(1, bp, device, dtype))
        return counts[bp]

    with buffers_restored(model.local), torch.no_grad():
        # A quarter is wide enough that some base of it reaches furthest at every phase of the pools, and leaves three
        # quarters to see where the reach ends.
        q = max(1, length // 4)
        heads = _reached(model, local, _with_nan(length, 0, q, device, dtype))
        tails = _reached(model, local, _with_nan(length, length - q, length, device, dtype))
        bins = [len(reached) for reached in heads]
        to_right = [_last(reached) + 1 for reached in heads]
        to_left = [_first(reached) for reached in tails]
        if any(right == n and left == 0 for n, right, left in zip(bins, to_right, to_left)):
            name = name_global_module(model.local, _with_nan(length, 0, q, device, dtype))
            raise SplitError(f"local must be position-local; a base reaches from end to end through {name}.")
        if not all(heads[i].any() and tails[i].any() for i in range(len(bins))):
            raise SplitError("local must pass on NaN, with which its reach is measured; got none in its output.")
        strides = [_stride(lambda bp, i=i: count(bp)[i], length, n) for i, n in enumerate(bins)]  # type: ignore[misc]
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
                _check_windows(model, local, reach, device, dtype)
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


def _bases(n: int, length: int, device: torch.device, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 4, (n, length), generator=generator, dtype=torch.uint8)
    return to_one_hot(codes.to(device), dtype)


def _with_nan(length: int, start: int, end: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    X = _bases(1, length, device, dtype)
    X[..., start:end] = torch.nan
    return X


def _reached(model: IncrementalModel, local: Local, X: torch.Tensor) -> list[torch.Tensor]:
    """Return which bins of each output hold NaN, shape (bins,)."""
    return [_nan_bins(output, model.axis) for output in local(X)]


def _nan_bins(output: torch.Tensor, axis: int) -> torch.Tensor:
    return output.isnan().movedim(axis, -1).reshape(-1, output.shape[axis]).any(0).cpu()


def _first(reached: torch.Tensor) -> int:
    return int(reached.to(torch.uint8).argmax()) if reached.any() else len(reached)


def _last(reached: torch.Tensor) -> int:
    return len(reached) - 1 - _first(reached.flip(0))


def _stride(count: Callable[[int], int], length: int, n: int) -> int:
    """Return the bases per bin: by how many bp the sequence must grow for one more bin."""
    if n < 2:
        raise SplitError(f"local must return more than one bin; got {n} for {length} bp.")
    about = -(-length // n)
    if length % n == 0 and any(_gains_at(count, fewer, about) for fewer in _fewer(n)):
        return about
    failure: SplitError | None = None
    # Outputs of few bins need a start below half the length; large kernels need one that is not much shorter.
    for start in (length // 2, length // 4):
        try:
            return _stride_from(count, min(start, 64 * about), length)
        except SplitError as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _stride_from(count: Callable[[int], int], start: int, length: int) -> int:
    first = _next_gain(count, start, length)
    second = _next_gain(count, first, length)
    stride, rest = divmod(second - first, count(second) - count(first))
    if rest or not stride:
        raise SplitError(
            f"the bins of local must follow the length at a fixed stride; got {count(first)} and {count(second)} "
            f"at {first} and {second} bp."
        )
    return stride


def _fewer(n: int) -> list[int]:
    """Return round numbers of bins below n: `local` may accept only lengths of whole pools."""
    return sorted({min(64, n // 2) // pool * pool for pool in (1, 4, 16, 64)} - {0})


def _gains_at(count: Callable[[int], int], bins: int, stride: int) -> bool:
    """Return whether `bins` strides give `bins` bins, and one base less gives one bin less, or an error."""
    try:
        if count(bins * stride) != bins:
            return False
    except SplitError:
        return False  # the sequence may be too short for the kernels
    try:
        return count(bins * stride - 1) == bins - 1
    except SplitError:
        return True


def _next_gain(count: Callable[[int], int], start: int, length: int) -> int:
    """Return the shortest length above `start` that has more bins, by doubling steps and then bisection."""
    low, high = start, start + 1
    while count(high) == count(start):
        low, high = high, high + 2 * (high - start)
        if high > length:
            raise SplitError(f"the bins of local must follow the length; got {count(start)} at {start} and {low} bp.")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) == count(start) else (low, middle)
    return high


def _check_windows(
    model: IncrementalModel, local: Local, reach: Reach, device: torch.device, dtype: torch.dtype
) -> None:
    """Refuse a reach if windows of a short random sequence give other bins than the sequence itself."""
    # Long enough for blocks in the middle whose windows touch neither end, with the same remainder as the full length.
    blocks = 4 * reach.halo + 7
    short = reach.at(min(reach.length, blocks * reach.align + reach.length % reach.align))
    X = _bases(1, short.length, device, dtype)
    base = local(X)
    bins = [output.shape[model.axis] for output in base]
    if bins != [o.bins for o in short.outputs]:
        raise SplitError(
            f"the bins of local must follow the length at a fixed stride; got {bins} at {short.length} bp."
        )
    last = -(-short.length // reach.align) - 1
    near = min(reach.halo + 2, 32)  # near the ends, padding that reflects may make bases reach further
    # Two neighbours in the middle: the starts of their windows cannot both be in phase by chance.
    tried = {*range(near), last // 2, last // 2 + 1, *range(last - near + 1, last + 1)}
    for block in sorted(tried & set(range(last + 1))):
        start, end = block * reach.align, min((block + 1) * reach.align, short.length)
        n_blocks = short.blocks(start, end)
        if n_blocks is None:
            continue
        # One row has other bases, which `local` may ignore; the other has NaN, which shows all bins that read them.
        edited = X.repeat(2, 1, 1)
        edited[0, :, start:end] = X[0, :, start:end].roll(1, dims=0)
        edited[1, :, start] = edited[1, :, end - 1] = torch.nan
        window = short.window(start, end, n_blocks)
        spliced = [torch.cat([output] * 2) for output in base]
        outputs, in_full = local(edited[..., window.start : window.end]), local(edited)
        for row in range(2):
            splice(spliced, row, outputs, row, window, short, model)
        same_nan = all(torch.equal(y.isnan(), expected.isnan()) for y, expected in zip(spliced, in_full))
        error = max(relative_difference(y[:1], expected[:1]) for y, expected in zip(spliced, in_full))
        if error > agreement_tolerance(dtype, device) or not same_nan:
            raise SplitError(
                f"local must give a part of the sequence the same values as in the whole sequence; got a difference of "
                f"{error:.2g}. It may depend on the position, or swallow NaN, with which its reach is measured."
            )


def splice(
    into: list[torch.Tensor],
    row: int,
    outputs: list[torch.Tensor],
    source_row: int,
    window: EditWindow,
    reach: Reach,
    model: IncrementalModel,
    trimmed: bool = False,
) -> None:
    """Write the reached bins of a window into activations; `trimmed` if these hold the bins of ``model.keep`` only."""
    for i, (o, (first, last)) in enumerate(zip(reach.outputs, window.spans)):
        low, high = (model.keep[i] if trimmed and model.keep else None) or (0, o.bins)
        first, last = max(first, low), min(last, high)
        if first >= last:
            continue
        offset = window.start // o.stride
        axis = model.axis - 1 if model.axis > 0 else model.axis
        n_bins = outputs[i][source_row].shape[axis]
        if last - offset > n_bins:
            raise SplitError(
                f"the bins of local must follow the length at a fixed stride; got {n_bins} at "
                f"{window.end - window.start} bp."
            )
        source = outputs[i][source_row].narrow(axis, first - offset, last - first)
        into[i][row].narrow(axis, first - low, last - first).copy_(source)
