"""Whether a model may be evaluated in part: found out once a model, a length and an arithmetic."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence

import torch

from ...sequence import Edits
from ...support import warn
from .model import IncrementalModel
from .path import PartialPath, has_own_forward, spans_of
from .reach import SplitError
from .windows import Reach

# Reasons as text: an error would keep its frames, and with them the model, for good.
_KNOWN: weakref.WeakKeyDictionary[IncrementalModel, dict[Hashable, Reach | str]] = weakref.WeakKeyDictionary()


def runs_in_part(path: PartialPath, edits: Edits | None, args: Sequence[torch.Tensor] | None, required: bool) -> bool:
    """Whether a path may be used for these edits, or for its base sequences; tells the path the reach of its model.

    What is not known yet is found out when it is needed: the reach is measured, and one of the edits is predicted
    both ways. It is not needed for base sequences, unless something may have been made of the model's forward, nor for
    edits of more than half the sequence.

    Parameters
    ----------
    path: PartialPath

    edits: Edits or None
        None for the base sequences.

    args: sequence of torch.Tensor or None
        Further inputs of the model, with a row for each base sequence.

    required: bool
        Whether to raise instead of returning False.

    Warns
    -----
    TangermemeWarning
        With the reason, the first time that a model turns out to have to run in full.

    Raises
    ------
    SplitError
        If it is required that the model runs in part, and it cannot.
    """
    verdict = _KNOWN.get(path.model, {}).get(path.conditions)
    if verdict is None:
        if edits is None and not has_own_forward(path.model):
            return True
        if edits is not None and all(2 * (end - start) > path.length for start, end in spans_of(edits)):
            return False
        try:
            path.reach = verdict = path.measure()
            path.check(edits, args)
            _KNOWN.setdefault(path.model, {})[path.conditions] = verdict
        except SplitError as error:
            give_up(path, error, required)
            return False
    if isinstance(verdict, str):
        if required:
            raise _refusal(verdict)
        return False
    path.reach = verdict
    return True


def give_up(path: PartialPath, error: SplitError, required: bool) -> None:
    """Remember why a model has to run in full, and say so: by a warning, or by an error if it must not."""
    path.reach = None
    _KNOWN.setdefault(path.model, {})[path.conditions] = str(error)
    if required:
        raise _refusal(str(error)) from error
    warn(f"{type(path.model).__name__} runs in full, not incrementally: {error}")


def _refusal(reason: str) -> SplitError:
    return SplitError(f"incremental=True needs a model that can be evaluated in part: {reason}")
