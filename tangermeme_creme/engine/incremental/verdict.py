"""Whether a model may be evaluated in part: measured once per model, length and dtype."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence

import torch

from ...sequence import Edits
from ...support import warn
from .local_runs import SplitError
from .model import IncrementalModel, overrides_forward
from .path import PartialPath
from .splicing import edited_spans
from .windows import Reach

# Reasons are stored as text: an error would hold its frames, and with them the model, for good.
_KNOWN: weakref.WeakKeyDictionary[IncrementalModel, dict[Hashable, Reach | str]] = weakref.WeakKeyDictionary()


def may_run_in_part(
    path: PartialPath, edits: Edits | None, args: Sequence[torch.Tensor] | None, required: bool
) -> bool:
    """Return whether a path may predict these edits, or its base sequences, and give it the reach of its model.

    The first edits of a model are needed for the answer: the reach is measured, and one of the edits is predicted both
    ways. Base sequences need no check, unless the model's forward is overridden, nor do edits of more than half the
    sequence, which run in full.

    Parameters
    ----------
    path: PartialPath

    edits: Edits or None
        None for the base sequences.

    args: sequence of torch.Tensor or None
        Further inputs of the model, with one row per base sequence.

    required: bool
        Whether to raise instead of returning False.

    Warns
    -----
    TangermemeWarning
        With the reason, the first time that a model turns out to have to run in full.

    Raises
    ------
    SplitError
        If the model is required to run in part, and it cannot.
    """
    verdict = _KNOWN.get(path.model, {}).get(path.conditions)
    if verdict is None:
        if edits is None and not overrides_forward(path.model):
            return True
        if edits is not None and all(2 * (end - start) > path.length for start, end in edited_spans(edits)):
            return False
        try:
            path.reach = verdict = path.measure()
            path.check(edits, args)
            _KNOWN.setdefault(path.model, {})[path.conditions] = verdict
        except SplitError as error:
            fall_back_to_full(path, error, required)
            return False
    if isinstance(verdict, str):
        if required:
            raise _refusal(verdict)
        return False
    path.reach = verdict
    return True


def fall_back_to_full(path: PartialPath, error: SplitError, required: bool) -> None:
    """Remember why a model has to run in full, and warn of it, or raise if the model is required to run in part."""
    path.reach = None
    _KNOWN.setdefault(path.model, {})[path.conditions] = str(error)
    if required:
        raise _refusal(str(error)) from error
    warn(f"{type(path.model).__name__} runs in full, not incrementally: {error}")


def _refusal(reason: str) -> SplitError:
    return SplitError(f"incremental=True needs a model that can be evaluated in part: {reason}")
