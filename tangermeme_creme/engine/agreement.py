"""Whether two ways to compute the same activations or predictions agree."""

from __future__ import annotations

import torch


def agreement_tolerance(dtype: torch.dtype, device: torch.device) -> float:
    """Return how far two ways to compute the same may differ, relative to the largest value.

    On CUDA, single precision may mean TensorFloat-32.

    Examples
    --------
    >>> agreement_tolerance(torch.float32, torch.device("cpu"))
    0.0001
    """
    if dtype == torch.float64:
        return 1e-9
    if dtype == torch.float32:
        return 1e-4 if device.type == "cpu" else 2e-3
    return 5e-2


def relative_difference(y: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest difference, relative to the largest expected value; inf for NaN or another shape.

    Differences of a few of the smallest numbers of the dtype, 2e-7 in float16, are rounding, and so 0.

    Examples
    --------
    >>> relative_difference(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 4.0]))
    0.25
    """
    if not y.is_floating_point():
        y, expected = y.double(), expected.double()
    if y.shape != expected.shape or not bool(y.isfinite().all()):
        return float("inf")
    scale = float(expected.abs().max()) if expected.numel() else 0.0
    largest = float((y - expected).abs().max()) if expected.numel() else 0.0
    smallest = torch.finfo(y.dtype).smallest_normal * torch.finfo(y.dtype).eps
    return 0.0 if largest <= 3 * smallest else largest / scale if scale else float("inf")
