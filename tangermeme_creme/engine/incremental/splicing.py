"""Where edits lie, and how the bins of their windows are written into the activations of a whole sequence."""

from __future__ import annotations

import torch

from ...sequence import Edits, Span
from .local_runs import SplitError
from .model import IncrementalModel
from .windows import EditWindow, Reach


def edited_spans(edits: Edits) -> list[Span]:
    """Return the span of each edit, [start, end) in bp."""
    widths = [len(content) for content in edits.content]
    return [(s, s + widths[i]) for s, i in zip(edits.start.tolist(), edits.content_index.tolist())]


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
