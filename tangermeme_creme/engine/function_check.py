"""Whether a model is a function of one sequence: the same prediction each time, alone and beside others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..support import warn
from .agreement import relative_difference
from .outputs import check_output


def difference_alone(y: Any, predict_alone: Callable[[], Any]) -> float:
    """Return how far a model predicts one sequence otherwise on its own than in a batch, relative to its largest value.

    0 for other shapes and for what is not finite, which are refused by their own names. Costs one sequence.

    Parameters
    ----------
    y: torch.Tensor, shape=(B, ...), or a list of them
        Predictions of a batch.

    predict_alone: callable
        Predicts the first sequence of the batch on its own.

    Examples
    --------
    >>> difference_alone(torch.ones(2, 3), lambda: torch.full((1, 3), 2.0))
    0.5
    """
    together = [output[:1] for output in check_output(y, len(y) if isinstance(y, torch.Tensor) else len(y[0]))]
    alone = check_output(predict_alone(), 1)
    if [output.shape for output in alone] != [output.shape for output in together]:
        return 0.0
    if not all(bool(output.isfinite().all()) for output in (*together, *alone)):
        return 0.0
    return max(map(relative_difference, together, alone))


def warn_of_stochastic_model(model: torch.nn.Module, difference: float) -> None:
    """Warn that a model predicts one sequence otherwise on its own: by dropout, or by statistics of the batch."""
    warn(
        f"{type(model).__name__} must give a sequence the same prediction each time; predicted again, on its own, "
        f"one sequence differs by {difference:.2g} of its largest value. Look for dropout that is always on and "
        "statistics of the batch; allow_stochastic=True says that this is meant."
    )
