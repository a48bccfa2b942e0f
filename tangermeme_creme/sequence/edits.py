"""Represent sequences as base codes of one byte each, and edits of these sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from tangermeme.utils import PackedSequence

from .spans import lacks_values

UNKNOWN = 4
"""The code of an unknown base; A C G T are 0 to 3."""

# One-hot input is packed this many bases at a time, so that intermediate arrays stay small.
_CHUNK_BASES = 2**24

# torch can compare and sum these dtypes. Wider unsigned integers and 8-bit floats are cast first.
_ARITHMETIC = (
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
)


class Edits(NamedTuple):
    """Hold E independent edits: edit e writes ``content[content_index[e]]`` into row ``base[e]`` from ``start[e]`` on.

    Edits are lazy: a session builds the edited sequences one batch at a time. Each content is stored once, however
    many rows and positions it is written to.

    Parameters
    ----------
    base: torch.Tensor, shape=(E,), dtype=int64
        Row of the base sequence that each edit changes.

    start: torch.Tensor, shape=(E,), dtype=int64
        First position that each edit writes, in bp.

    content_index: torch.Tensor, shape=(E,), dtype=int64
        Index of the content that each edit writes.

    content: sequence of torch.Tensor, each shape=(width,), dtype=uint8
        The pool of base codes (A C G T are 0 to 3, unknown is 4).
    """

    base: torch.Tensor
    start: torch.Tensor
    content_index: torch.Tensor
    content: Sequence[torch.Tensor]


def make_edits(
    base: torch.Tensor | Sequence[int] | int,
    start: torch.Tensor | Sequence[int] | int,
    content_index: torch.Tensor | Sequence[int] | int,
    content: Sequence[torch.Tensor],
) -> Edits:
    """Make edits from indices that broadcast against each other, in row-major order.

    Parameters
    ----------
    base, start, content_index: int, sequence or torch.Tensor
        Integers that broadcast to one shape, with one edit per element.

    content: sequence of torch.Tensor
        The pool of base codes.

    Returns
    -------
    edits: Edits

    Examples
    --------
    >>> edits = make_edits(0, [[3], [8]], [[0, 1]], [torch.tensor([0, 1]), torch.tensor([2, 3])])
    >>> edits.start.tolist(), edits.content_index.tolist()
    ([3, 3, 8, 8], [0, 1, 0, 1])
    """
    parts = [torch.as_tensor(part, dtype=torch.int64) for part in (base, start, content_index)]
    base_, start_, index_ = (part.reshape(-1) for part in torch.broadcast_tensors(*parts))
    return Edits(base_, start_, index_, content)


def check_edits(edits: Edits, n_rows: int, length: int) -> None:
    """Refuse edits whose row, span or content does not exist.

    Parameters
    ----------
    edits: Edits

    n_rows: int
        Number of base sequences.

    length: int
        Length of the base sequences in bp.

    Raises
    ------
    ValueError
        The message names the first bad edit and its value.

    Examples
    --------
    >>> check_edits(make_edits(0, 8, 0, [torch.tensor([0, 1])]), n_rows=1, length=10)
    """
    widths = torch.tensor([len(content) for content in edits.content], dtype=torch.int64)
    for name, values, upper in (
        ("base", edits.base, n_rows),
        ("content_index", edits.content_index, len(widths)),
    ):
        bad = (values < 0) | (values >= upper)
        if bad.any():
            e = int(bad.nonzero()[0])
            raise ValueError(f"{name} of an edit must be in [0, {upper}); got {values[e]} at index {e}.")
    end = edits.start + widths[edits.content_index]
    bad = (edits.start < 0) | (end > length)
    if bad.any():
        e = int(bad.nonzero()[0])
        raise ValueError(
            f"an edit must lie inside the sequence of {length} bp; got [{edits.start[e]}, {end[e]}) at index {e}."
        )


def apply_edits(codes: torch.Tensor, edits: Edits, rows: torch.Tensor | None = None) -> None:
    """Write edits into `codes`, shape (rows, L), in place: edit e into row ``rows[e]``, by default ``base[e]``."""
    targets = edits.base if rows is None else rows
    for row, start, index in zip(targets.tolist(), edits.start.tolist(), edits.content_index.tolist()):
        content = edits.content[index]
        codes[row, start : start + len(content)] = content


def pack(X: torch.Tensor | PackedSequence, name: str = "X", batch_axes: int = 1) -> PackedSequence:
    """Check one-hot sequences and pack them at two bits per base.

    Parameters
    ----------
    X: torch.Tensor, shape=(..., 4, L), or PackedSequence
        One-hot sequences of any numeric dtype, on any device. All-zero columns are unknown bases.

    name: str, optional
        Name of X in errors. Default is "X".

    batch_axes: int, optional
        Number of axes before (4, L). Default is 1.

    Returns
    -------
    X: PackedSequence
        The same sequences. A PackedSequence is returned unchanged.

    Raises
    ------
    ValueError
        If X has another shape, holds no sequence, or is not one-hot; the message names the first bad value.

    Examples
    --------
    >>> pack(torch.eye(4)[None])
    PackedSequence(shape=(1, 4, 4), n_runs=0, alphabet=ACGT)
    """
    expected = "(N, 4, L)" if batch_axes == 1 else "(N, n, 4, L)"
    if not isinstance(X, (torch.Tensor, PackedSequence)):
        raise ValueError(f"{name} must be a torch.Tensor or a PackedSequence; got {type(X).__name__}.")
    if isinstance(X, torch.Tensor):
        without = str(X.dtype) if X.is_complex() else lacks_values(X)
        if without:
            raise ValueError(f"{name} must be a dense tensor of real values; got {without}.")
    if X.ndim != batch_axes + 2 or X.shape[-2] != 4:
        raise ValueError(f"{name} must have shape {expected}; got {tuple(X.shape)}.")
    if 0 in X.shape:
        raise ValueError(f"{name} must hold at least one sequence of at least one base; got {tuple(X.shape)}.")
    if isinstance(X, PackedSequence):
        return X
    rows = X.detach().reshape(-1, *X.shape[-2:])
    step = max(1, _CHUNK_BASES // X.shape[-1])
    parts = []
    for i in range(0, len(rows), step):
        chunk = rows[i : i + step]
        if chunk.dtype not in _ARITHMETIC:
            chunk = chunk.to(torch.float32)
        try:
            parts.append(PackedSequence.from_one_hot(chunk))
        except ValueError:
            raise ValueError(_one_hot_error(chunk, X.shape, name, i)) from None
    return join_packed(parts).reshape(*X.shape[:-2])


def _one_hot_error(rows: torch.Tensor, shape: Sequence[int], name: str, first: int) -> str:
    rule = f"{name} must be one-hot, with all-zero columns for unknown bases"
    bad = (rows != 0) & (rows != 1)
    if bad.any():
        row, channel, position = bad.nonzero()[0].tolist()
        value = rows[row, channel, position].item()
        index = [*_unravel(first + row, shape[:-2]), channel, position]
        return f"{rule}; got {value} at {index}."
    row, position = (rows.to(torch.int32).sum(1) > 1).nonzero()[0].tolist()
    bases = rows[row, :, position].nonzero().reshape(-1).tolist()
    index = [*_unravel(first + row, shape[:-2]), "channel", position]
    return f"{rule}; got ones in channels {bases} at [{', '.join(map(str, index))}]."


def _unravel(flat: int, shape: Sequence[int]) -> list[int]:
    return [int(i) for i in torch.unravel_index(torch.tensor(flat), tuple(shape))]


def join_packed(parts: list[PackedSequence]) -> PackedSequence:
    """Join packed sequences of one length along their batch axis."""
    if len(parts) == 1:
        return parts[0]
    offset, runs = 0, []
    for part in parts:
        runs.append(part.n_runs + torch.tensor([offset, 0, 0]))
        offset += len(part)
    return PackedSequence(torch.cat([part.data for part in parts]), parts[0].length, torch.cat(runs))


def span_codes(X: PackedSequence, spans: torch.Tensor) -> torch.Tensor:
    """Return the base codes, shape (N, W), of one span per sequence, shape (N, 2); all spans have one width W.

    Examples
    --------
    >>> span_codes(pack(torch.eye(4)[None]), torch.tensor([[1, 3]])).tolist()
    [[1, 2]]
    """
    return torch.stack([X[torch.tensor([i])].to_codes()[0, a:b] for i, (a, b) in enumerate(spans.tolist())])


def to_one_hot(codes: torch.Tensor, dtype: torch.dtype = torch.int8) -> torch.Tensor:
    """Convert base codes, shape (..., L), to one-hot, shape (..., 4, L), on the same device.

    Examples
    --------
    >>> to_one_hot(torch.tensor([[0, 3, 4]], dtype=torch.uint8)).tolist()
    [[[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0]]]
    """
    bases = torch.arange(4, dtype=codes.dtype, device=codes.device)
    hot = codes.unsqueeze(-2) == bases[:, None]
    return hot.view(torch.int8) if dtype == torch.int8 else hot.to(dtype)
