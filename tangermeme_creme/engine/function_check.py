"""Whether a model is a function of one sequence: the same prediction each time, alone and beside others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..support import warn
from .agreement import relative_difference
from .outputs import check_output


def warn_of_stochastic_model(
    model: torch.nn.Module, y: Any, predict_alone: Callable[[], Any], tolerance: float
) -> None:
    """Warn if a model predicts one sequence otherwise on its own than it did before, in a batch.

    Dropout that is always on and statistics of the batch are the usual reasons. Costs one sequence.

    Parameters
    ----------
    model: torch.nn.Module

    y: torch.Tensor, shape=(B, ...), or a list of them
        Predictions of a batch.

    predict_alone: callable
        Predicts the first sequence of the batch on its own.

    tolerance: float
        How far predictions may differ by rounding, relative to the largest.

    Examples
    --------
    >>> warn_of_stochastic_model(torch.nn.Identity(), torch.ones(2, 3), lambda: torch.ones(1, 3), 1e-4)
    """
    together = [output[:1] for output in check_output(y, len(y) if isinstance(y, torch.Tensor) else len(y[0]))]
    alone = check_output(predict_alone(), 1)
    if [output.shape for output in alone] != [output.shape for output in together]:
        return  # refused by its own name, as is what is not finite
    if not all(bool(output.isfinite().all()) for output in (*together, *alone)):
        return
    difference = max(map(relative_difference, alone, together))
    if difference > tolerance:
        warn(
            f"{type(model).__name__} must give a sequence the same prediction each time; predicted again, on its own, "
            f"one sequence differs by {difference:.2g} of its largest value. Look for dropout that is always on and "
            "statistics of the batch; allow_stochastic=True says that this is meant."
        )
