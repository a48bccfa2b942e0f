"""Tie-breaking that does not depend on rounding: values that are equal up to rounding tie, and the first is taken.

A model rounds the same sequence differently in another batch. Tiles without an effect, or two shuffles on either side
of their mean, tie exactly; without a tolerance the batch size would decide between them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch


def rounding(y: torch.Tensor) -> torch.Tensor:
    """Return how far apart predictions of one example may lie and still count as equal: 8 units in the last place.

    The unit is that of the largest prediction of the same example, so that a strong example does not blur the choices
    of a weak one in the same batch.

    Parameters
    ----------
    y: torch.Tensor, shape=(B, ...)
        Predictions of B examples; NaN is ignored.

    Returns
    -------
    tolerance: torch.Tensor, shape=(B, 1), dtype=float64

    Examples
    --------
    >>> (rounding(torch.tensor([[1.0, -8.0], [0.5, torch.nan]])) / torch.finfo(torch.float32).eps).tolist()
    [[64.0], [4.0]]
    """
    dtype = y.dtype if y.is_floating_point() else torch.float32
    largest = y.double().nan_to_num(nan=0.0).abs().reshape(len(y), -1).amax(1, keepdim=True)
    return 8 * torch.finfo(dtype).eps * largest


def first_best(values: torch.Tensor, tolerance: torch.Tensor) -> torch.Tensor:
    """Return the first index per row, shape (B, C), whose value is within `tolerance`, shape (B, 1), of the highest.

    NaN is never chosen.

    Examples
    --------
    >>> first_best(torch.tensor([[torch.nan, 1.0, 3.0, 3.1]]), torch.tensor([[0.2]]))
    tensor([2])
    """
    filled = values.nan_to_num(nan=-torch.inf)
    return (filled >= filled.amax(1, keepdim=True) - tolerance).int().argmax(1)


def ranked(values: Sequence[float], tolerance: float) -> list[int]:
    """Sort indices from the highest value to the lowest; neighbours within `tolerance` keep their order in `values`.

    Examples
    --------
    >>> ranked([1.0, 3.0, 3.1, 2.0], 0.2)
    [1, 2, 3, 0]
    """
    order = sorted(range(len(values)), key=lambda j: -values[j])
    groups: list[list[int]] = []
    for j in order:
        if groups and values[groups[-1][-1]] - values[j] <= tolerance:
            groups[-1].append(j)
        else:
            groups.append([j])
    return [j for group in groups for j in sorted(group)]
