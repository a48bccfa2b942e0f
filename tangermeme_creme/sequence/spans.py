"""Check spans and other integers before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch

Span = tuple[int, int]
Spans = torch.Tensor | np.ndarray | Sequence[Sequence[int]] | Sequence[int]


def check_spans(spans: Spans, length: int, name: str = "tiles") -> torch.Tensor:
    """Check spans against a window and return them as an int64 tensor.

    Parameters
    ----------
    spans: shape=(T, 2), or one (start, end)
        0-based half-open spans in bp; a tensor, an array or nested sequences of integers.

    length: int
        Length of the window in bp.

    name: str, optional
        Name of the spans in errors. Default is "tiles".

    Returns
    -------
    spans: torch.Tensor, shape=(T, 2), dtype=int64

    Raises
    ------
    ValueError
        If there is no span, or a span is negative, empty or off the end; the message names the span.

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
    """Return one span per example, shape (N, 2), from one span for all examples or one per example.

    Parameters
    ----------
    span: (start, end), or shape=(N, 2)

    n_examples: int
        N.

    length: int
        Length of the window in bp.

    name: str
        Name of the span in errors.

    Returns
    -------
    spans: torch.Tensor, shape=(N, 2), dtype=int64

    Raises
    ------
    ValueError
        As `check_spans`, or if the number of spans is neither 1 nor N.

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
        raise ValueError(f"{name} must be one span or one per example ({n_examples}); got {len(spans)}.")
    return spans


def check_one_width(spans: torch.Tensor, name: str) -> int:
    """Return the width in bp of spans, shape (N, 2), that must all have the same width.

    Raises
    ------
    ValueError
        If a width differs from the first; the message names the example.

    Examples
    --------
    >>> check_one_width(torch.tensor([[0, 5], [3, 8]]), "span")
    5
    """
    widths = spans[:, 1] - spans[:, 0]
    if (widths != widths[0]).any():
        i = int((widths != widths[0]).nonzero()[0])
        raise ValueError(f"{name} must be of one length, {widths[0]} bp; got {widths[i]} bp for example {i}.")
    return int(widths[0])


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
        Names of both in the error.

    numbers: torch.Tensor or None, optional
        The index of each span, for the error. None counts along the last axis. Default is None.

    Raises
    ------
    ValueError
        If any pair overlaps; the message names the first pair.

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
    """Refuse spans, shape (T, 2), that overlap each other.

    Raises
    ------
    ValueError
        If two spans overlap; the message names the first pair, in order of start.

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


def integers(values: Spans, name: str) -> torch.Tensor:
    """Return integers as an int64 tensor on the CPU; refuse fractions, bools, complex numbers and ragged lists.

    Examples
    --------
    >>> integers([3, 1], "positions")
    tensor([3, 1])
    """
    without = lacks_values(values) if isinstance(values, torch.Tensor) else None
    if without:
        raise ValueError(f"{name} must be dense, with values; got {without}.")
    try:
        array = values.detach().cpu() if isinstance(values, torch.Tensor) else torch.as_tensor(np.array(values))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be integers in a regular shape; got {values!r}.") from error
    if array.numel() and (array.is_floating_point() or array.is_complex() or array.dtype == torch.bool):
        raise ValueError(f"{name} must be integers; got dtype {array.dtype}.")
    if array.is_complex():
        array = array.real
    wide = array.to(torch.int64)
    if array.dtype == torch.uint64 and bool((wide < 0).any()):
        raise ValueError(f"{name} must be below 2**63; got {array.numpy().max()}.")
    return wide


def lacks_values(tensor: torch.Tensor) -> str | None:
    """Say why the numbers of a tensor cannot be read one by one (sparse, quantized, nested, on "meta"), or None.

    Examples
    --------
    >>> lacks_values(torch.ones(2)), lacks_values(torch.ones(2).to_sparse()), lacks_values(torch.ones(2, device="meta"))
    (None, 'layout torch.sparse_coo', 'a tensor on the meta device')
    """
    if tensor.is_meta:
        return "a tensor on the meta device"
    if tensor.layout != torch.strided:
        return f"layout {tensor.layout}"
    return "a nested tensor" if tensor.is_nested else "a quantized tensor" if tensor.is_quantized else None
