"""Spans, tile grids, and the way from window coordinates to the genome."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

Span = tuple[int, int]
Spans = torch.Tensor | np.ndarray | Sequence[Sequence[int]] | Sequence[int]


class TileGrid(NamedTuple):
    """A centre tile and the context tiles around it.

    Parameters
    ----------
    center: tuple of int, (start, end)
        The tile over the TSS, 0-based and half-open, in bp of the window.

    context: torch.Tensor, shape=(T, 2)
        The other tiles, from left to right.
    """

    center: Span
    context: torch.Tensor


def tile_grid(length: int, size: int = 5000, center: int | None = None) -> TileGrid:
    """Tile a window outwards from its centre.

    The centre tile is ``[center - size // 2, center - size // 2 + size)``. Context tiles follow on both sides in
    steps of `size`, all that fit whole, one that fits exactly at an end of the window included. For Enformer this is
    the grid of CREME (Toneyan & Koo 2024, Methods): 38 context tiles of 5 kb. Costs no forward pass.

    Departure from creme-nn 0.2.5: it drops a last tile that fits exactly.

    Parameters
    ----------
    length: int
        Length of the window in bp.

    size: int, optional
        Length of a tile in bp. Default is 5000.

    center: int or None, optional
        The position that the centre tile is centred on, say the TSS in a window that is not centred on it.
        None is ``length // 2``. Default is None.

    Returns
    -------
    grid: TileGrid
        `center` (start, end) and `context`, shape=(T, 2), int64.

    Raises
    ------
    ValueError
        If the centre tile leaves the window.

    Examples
    --------
    >>> grid = tile_grid(196_608)
    >>> grid.center, len(grid.context), grid.context[0].tolist(), grid.context[-1].tolist()
    ((95804, 100804), 38, [804, 5804], [190804, 195804])
    """
    check_count("size", size)
    center = length // 2 if center is None else int(center)
    start = center - size // 2
    if start < 0 or start + size > length:
        raise ValueError(
            f"the centre tile must lie inside the window of {length} bp; got [{start}, {start + size}) "
            f"for center {center} and size {size}."
        )
    starts = [*range(start % size, start, size), *range(start + size, length - size + 1, size)]
    context = torch.tensor(starts, dtype=torch.int64)[:, None] + torch.tensor([0, size])
    return TileGrid((start, start + size), context.reshape(-1, 2))


def check_spans(spans: Spans, length: int, name: str = "tiles") -> torch.Tensor:
    """Spans as an int64 tensor, checked against a window.

    Parameters
    ----------
    spans: shape=(T, 2), or one (start, end)
        0-based half-open spans in bp; a tensor, an array or nested sequences of integers.

    length: int
        Length of the window in bp.

    name: str, optional
        What to call the spans in an error.

    Returns
    -------
    spans: torch.Tensor, shape=(T, 2), dtype=int64

    Raises
    ------
    ValueError
        If there is no span, or one is negative, empty or off the end; the message names it.

    Examples
    --------
    >>> check_spans((2, 5), 10)
    tensor([[2, 5]])
    """
    array = integers(spans, name)
    if array.numel() == 0:
        raise ValueError(f"{name} must hold at least one span; got none.")
    if array.shape == (2,):
        array = array[None]
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} must have shape (T, 2); got {tuple(array.shape)}.")
    for i, (start, end) in enumerate(array.tolist()):
        if start < 0 or end > length:
            raise ValueError(f"{name} must lie inside the window of {length} bp; got [{start}, {end}) at index {i}.")
        if end <= start:
            raise ValueError(f"{name} must end after they start; got [{start}, {end}) at index {i}.")
    return array


def span_per_example(span: Spans, n_examples: int, length: int, name: str) -> torch.Tensor:
    """One span for all examples, or one each, as shape (N, 2).

    Parameters
    ----------
    span: (start, end), or shape=(N, 2)

    n_examples: int
        N.

    length: int
        Length of the window in bp.

    name: str
        What to call the span in an error.

    Returns
    -------
    spans: torch.Tensor, shape=(N, 2), dtype=int64

    Raises
    ------
    ValueError
        As `check_spans`, or if there are neither one nor N spans.

    Examples
    --------
    >>> span_per_example((2, 5), 2, 10, "tss_tile")
    tensor([[2, 5],
            [2, 5]])
    """
    spans = check_spans(span, length, name)
    if len(spans) == 1:
        return spans.expand(n_examples, 2)
    if len(spans) != n_examples:
        raise ValueError(f"{name} must be one span or one an example ({n_examples}); got {len(spans)}.")
    return spans


def check_apart(
    spans: torch.Tensor,
    others: torch.Tensor,
    name: str,
    other_name: str,
    numbers: torch.Tensor | None = None,
) -> None:
    """Refuse spans that overlap others.

    Parameters
    ----------
    spans, others: torch.Tensor, shape=(..., 2)
        Spans that broadcast against each other.

    name, other_name: str
        What to call them in the error.

    numbers: torch.Tensor or None, optional
        The index of each of `spans`, for the error. None counts along the last axis. Default is None.

    Raises
    ------
    ValueError
        If any pair overlaps; the message names the first.

    Examples
    --------
    >>> check_apart(torch.tensor([[0, 5]]), torch.tensor([[5, 9]]), "tiles", "tss_tile")
    """
    spans, others = torch.broadcast_tensors(spans, others)
    overlap = (spans[..., 0] < others[..., 1]) & (others[..., 0] < spans[..., 1])
    if overlap.any():
        index = tuple(overlap.nonzero()[0].tolist())
        (start, end), (other_start, other_end) = spans[index].tolist(), others[index].tolist()
        number = index[-1] if numbers is None else int(numbers[index])
        raise ValueError(
            f"{name} must not overlap {other_name} [{other_start}, {other_end}); got [{start}, {end}) "
            f"at index {number}."
        )


def check_disjoint(spans: torch.Tensor, name: str) -> None:
    """Refuse spans, shape (T, 2), of which two overlap.

    Raises
    ------
    ValueError
        The message names the first overlapping pair, in order of start.

    Examples
    --------
    >>> check_disjoint(torch.tensor([[5, 9], [0, 5]]), "tiles")
    """
    order = spans[:, 0].argsort(stable=True).tolist()
    for i, j in pairwise(order):
        if spans[j, 0] < spans[i, 1]:
            raise ValueError(
                f"{name} must not overlap each other; got [{spans[i, 0]}, {spans[i, 1]}) at index {i} and "
                f"[{spans[j, 0]}, {spans[j, 1]}) at index {j}."
            )


def span_to_genome(start: int, end: int, *, tss: int, strand: str, length: int) -> Span:
    """The genomic span of a span of a TSS-centred window.

    The window puts the TSS base at local index ``length // 2`` on both strands; a window of the '-' strand is
    reverse-complemented.

    Parameters
    ----------
    start, end: int
        0-based half-open span in bp of the window.

    tss: int
        0-based genomic position of the TSS base ('+': GTF start - 1; '-': GTF end - 1).

    strand: str
        "+" or "-".

    length: int
        Length of the window in bp.

    Returns
    -------
    span: tuple of int, (start, end)
        0-based half-open genomic span. Its sequence, reverse-complemented on '-', is the window's own at [start, end).

    Raises
    ------
    ValueError
        If `strand` is neither "+" nor "-".

    Examples
    --------
    >>> span_to_genome(5, 7, tss=100, strand="+", length=10), span_to_genome(5, 7, tss=100, strand="-", length=10)
    ((100, 102), (99, 101))
    """
    if strand == "+":
        return tss - length // 2 + start, tss - length // 2 + end
    if strand == "-":
        return tss + length // 2 + 1 - end, tss + length // 2 + 1 - start
    raise ValueError(f"strand must be '+' or '-'; got {strand!r}.")


def check_count(name: str, value: int, minimum: int | None = 1) -> None:
    """Refuse a count that is not an integer, or is below `minimum` where there is one.

    Examples
    --------
    >>> check_count("n", 10)
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} must be an integer; got {value!r}.")
    if minimum is not None and value < minimum:
        raise ValueError(f"{name} must be at least {minimum}; got {value}.")


def integers(values: Spans, name: str) -> torch.Tensor:
    """Values as an int64 tensor on the CPU; a fraction, a bool or a ragged list is refused.

    Examples
    --------
    >>> integers([3, 1], "positions")
    tensor([3, 1])
    """
    try:
        array = values.detach().cpu() if isinstance(values, torch.Tensor) else torch.as_tensor(np.array(values))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be integers in a regular shape; got {values!r}.") from error
    if array.numel() and (array.is_floating_point() or array.dtype == torch.bool):
        raise ValueError(f"{name} must be integers; got dtype {array.dtype}.")
    return array.to(torch.int64)
