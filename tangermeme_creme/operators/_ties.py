"""Choices that rounding does not make: what is equal but for rounding is equal, and the first of it is taken.

A model rounds a sequence differently in another batch. Tiles without an effect, or two shuffles around their own mean,
tie exactly; without a tolerance the batch size would decide between them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch


def rounding(y: torch.Tensor) -> torch.Tensor:
    """How far apart predictions like `y` may lie and still be equal: a few units in the last place of the largest.

    Examples
    --------
    >>> bool(rounding(torch.tensor([1.0, -8.0])) < 1e-5)
    True
    """
    dtype = y.dtype if y.is_floating_point() else torch.float32
    return 8 * torch.finfo(dtype).eps * y.double().abs().max()


def first_best(values: torch.Tensor, tolerance: torch.Tensor) -> torch.Tensor:
    """The first index in each row, shape (B, C), whose value is within `tolerance` of the highest; NaN never is.

    Examples
    --------
    >>> first_best(torch.tensor([[torch.nan, 1.0, 3.0, 3.1]]), torch.tensor(0.2))
    tensor([2])
    """
    filled = values.nan_to_num(nan=-torch.inf)
    return (filled >= filled.amax(1, keepdim=True) - tolerance).int().argmax(1)


def ranked(values: Sequence[float], tolerance: float) -> list[int]:
    """Indices from the highest value to the lowest; values that follow within `tolerance` keep the given order.

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
