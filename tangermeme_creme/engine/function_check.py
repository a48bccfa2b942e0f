"""Whether a model is a function of one sequence: the same prediction each time, alone and beside others."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any

import torch

from ..support import warn
from .agreement import relative_difference
from .outputs import check_output

# By length, dtype and device: how far two predictions of one sequence lay apart.
_DIFFERENCE: weakref.WeakKeyDictionary[torch.nn.Module, dict[Hashable, float]] = weakref.WeakKeyDictionary()


def warn_of_stochastic_model(
    model: torch.nn.Module,
    conditions: Hashable,
    y: Any,
    predict_alone: Callable[[], Any],
    tolerance: float,
) -> bool:
    """Warn if a model predicts one sequence otherwise on its own than it did before, in a batch.

    Dropout that is always on and statistics of the batch are the usual reasons. Predicts once per model and conditions.

    Parameters
    ----------
    model: torch.nn.Module

    conditions: hashable
        Under which the model runs.

    y: torch.Tensor, shape=(B, ...), or a list of them
        Predictions of a batch.

    predict_alone: callable
        Predicts the first sequence of the batch on its own.

    tolerance: float
        How far predictions may differ by rounding, relative to the largest.

    Returns
    -------
    predicted: bool
        Whether the sequence was predicted now.

    Examples
    --------
    >>> layer = torch.nn.Identity()
    >>> warn_of_stochastic_model(layer, None, torch.ones(2, 3), lambda: torch.ones(1, 3), 1e-4)
    True
    """
    known = _DIFFERENCE.setdefault(model, {})
    new = conditions not in known
    if new:
        together = [output[:1] for output in check_output(y, len(y) if isinstance(y, torch.Tensor) else len(y[0]))]
        if not all(bool(output.isfinite().all()) for output in together):
            return False  # refused by its own name, later
        alone = check_output(predict_alone(), 1)
        if [output.shape for output in alone] != [output.shape for output in together]:
            return True  # refused as well
        known[conditions] = max(map(relative_difference, alone, together))
    if known[conditions] > tolerance:
        warn(
            f"{type(model).__name__} must give a sequence the same prediction each time; predicted again, on its own, "
            f"one sequence differs by {known[conditions]:.2g} of its largest value. Look for dropout that is always on "
            "and statistics of the batch; allow_stochastic=True says that this is meant."
        )
    return new
