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
from .windows import Reach


def edit_to_check(codes: torch.Tensor, edits: Edits | None, reach: Reach) -> Edits:
    """Return the edit nearest to the middle; if that does not run in part, or there are none, an edit of one base."""
    middle = codes.shape[1] // 2
    if edits is not None:
        spans = edited_spans(edits)
        e = min(range(len(spans)), key=lambda e: abs(sum(spans[e]) - codes.shape[1]))
        if reach.blocks(*spans[e]) is not None:
            return Edits(edits.base[[e]], edits.start[[e]], edits.content_index[[e]], edits.content)
    content = [(codes[0, middle : middle + 1] + 1) % 4]
    return Edits(torch.tensor([0]), torch.tensor([middle]), torch.tensor([0]), content)


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
        y = work.measure_whole(predict)
        in_full = check_output(y if itself else parts.run_whole(codes, args), 1)
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
    limit = agreement_tolerance(parts.dtype, parts.device)
    error = max(relative_difference(a, b) for a, b in zip(activations, model.trim(seen[0])))
    if error > limit:
        raise SplitError(
            f"the output of local for an edit must not depend on the window; got a difference of {error:.2g}."
        )
    in_part = check_output(parts.finish(activations, args), 1)
    error = max(relative_difference(a, b) for a, b in zip(in_part, in_full))
    if error > limit:
        raise SplitError(f"head(local(X)) must be the model's own prediction; got a difference of {error:.2g}.")
