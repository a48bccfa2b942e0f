"""Check on one edit that a model predicts the same in part as in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from ...sequence import Edits, apply_edits
from ..agreement import agreement_tolerance, relative_difference
from ..outputs import check_output
from .arithmetic import PathWork
from .local_runs import SplitError
from .model import overrides_forward
from .parts import Parts
from .splicing import edited_spans, splice
from .split import SplitLocal
from .window_checks import compare_windows
from .windows import Reach


def edit_to_check(codes: torch.Tensor, edits: Edits | None, reach: Reach) -> Edits:
    """Choose an edit that runs in part: nearest to the middle, of the base sequence with the most unknown bases.

    If none runs in part, or there are none, it is an edit of one base.
    """
    n_unknown, middle = (codes > 3).sum(1), codes.shape[1] // 2
    if edits is not None:
        spans, rows = edited_spans(edits), edits.base.tolist()
        in_part = [e for e, span in enumerate(spans) if reach.blocks(*span) is not None]
        if in_part:
            e = min(in_part, key=lambda e: (-int(n_unknown[rows[e]]), abs(sum(spans[e]) - codes.shape[1])))
            return Edits(edits.base[[e]], edits.start[[e]], edits.content_index[[e]], edits.content)
    row = int(n_unknown.argmax())
    content = [(codes[row, middle : middle + 1] + 1) % 4]
    return Edits(torch.tensor([row]), torch.tensor([middle]), torch.tensor([0]), content)


def check_edit(
    parts: Parts,
    reach: Reach,
    work: PathWork,
    codes: torch.Tensor,
    of_base: Callable[[], list[torch.Tensor]],
    edit: Edits,
    args: Sequence[torch.Tensor] | None,
) -> None:
    """Predict one edit in part and in full, and compare the activations and the predictions.

    Parameters
    ----------
    parts: Parts
        Of the model.

    reach: Reach
        Of the model.

    work: PathWork
        Counts what runs, and measures the arithmetic.

    codes: torch.Tensor, shape=(1, L), dtype=uint8
        The base sequence of the edit.

    of_base: callable
        Returns the trimmed activations of this sequence, in memory of their own.

    edit: Edits
        One edit that runs in part.

    args: sequence of torch.Tensor or None
        Further inputs, each with one row.

    Raises
    ------
    SplitError
        With the difference.
    """
    model, codes, length = parts.model, codes.clone(), codes.shape[1]
    apply_edits(codes, edit, rows=torch.tensor([0]))
    seen: list[list[torch.Tensor]] = []

    def predict() -> object:
        """Predict by `local` and `head` on the whole sequence; keep what `local` returns."""
        seen[:] = [parts.run_local(codes)]
        return parts.finish(model.trim(seen[0]), args)

    # A model whose forward is head(local(X)) itself is not predicted once more.
    itself = not isinstance(model.local, SplitLocal) and not overrides_forward(model)
    with parts.identity.noting_what_changes():
        # In full first, so that what fails there as well is told as the model's own error.
        whole = None if itself else parts.run_whole(codes, args)
        y = work.measure_whole(predict)
        in_full = check_output(y if itself else whole, 1)
    work.count(n_checks=1 if itself else 2)
    activations = of_base()
    (span,) = edited_spans(edit)
    blocks = reach.blocks(*span)
    assert blocks is not None
    window = reach.window(*span, blocks)
    stretch = codes[:, window.start : window.end]
    outputs = work.measure_local(lambda: parts.run_local(stretch), stretch.shape[1])
    splice(activations, 0, outputs, 0, window, reach, model, trimmed=True)
    work.count(n_checks=stretch.shape[1] / length)
    expected, limit = model.trim(seen[0]), agreement_tolerance(parts.dtype, parts.device)
    error = max(relative_difference(a, b) for a, b in zip(activations, expected))
    if error > limit:
        raise SplitError(
            f"the output of local for an edit must not depend on the window; got a difference of {error:.2g}."
        )
    _check_near_the_ends(parts, reach, work, codes, expected)
    in_part = check_output(parts.finish(activations, args), 1)
    error = max(relative_difference(a, b) for a, b in zip(in_part, in_full))
    if error > limit:
        raise SplitError(f"head(local(X)) must be the model's own prediction; got a difference of {error:.2g}.")


def _check_near_the_ends(
    parts: Parts, reach: Reach, work: PathWork, codes: torch.Tensor, outputs: list[torch.Tensor]
) -> None:
    """Compare a window near each end with the whole sequence: a network may treat them otherwise than the middle."""
    length, limit = codes.shape[1], agreement_tolerance(parts.dtype, parts.device)

    def run(start: int, end: int) -> list[torch.Tensor]:
        work.count(n_checks=(end - start) / length)
        return parts.run_local(codes[:, start:end])

    last = -(-length // reach.align) - 1
    # The first window that does not begin where the sequence does, and the last.
    compare_windows(run, reach, parts.model, outputs, [min(reach.halo + 1, last), last], limit, trimmed=True)
