"""A network, spans and its gradient, shared by the tests of attributions."""

from __future__ import annotations

from typing import Any

import torch
from helpers import Mixer, random_sequences

LENGTH, SPANS = 60, [(5, 25), (30, 50), (40, 60)]
METHODS = ("saliency", "input_x_gradient", "integrated_gradients")
MODEL = Mixer(LENGTH)


def sequences(dtype: torch.dtype = torch.float64, unknown: float = 0.1) -> torch.Tensor:
    return random_sequences(3, LENGTH, seed=1, unknown=unknown, dtype=dtype)


def objective(y: torch.Tensor) -> torch.Tensor:
    return y[:, 1:3, 0].sum(1).log()


def gradient(model: torch.nn.Module, X: torch.Tensor, *args: torch.Tensor, goal: Any = objective) -> torch.Tensor:
    X = X.clone().requires_grad_()
    (value,) = torch.autograd.grad(goal(model(X, *args)).sum(), X)
    return value


def cut(values: torch.Tensor, spans: Any = SPANS) -> torch.Tensor:
    return torch.stack([row[:, start:end] for row, (start, end) in zip(values, spans)])


def close(values: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-6) -> bool:
    return values.shape == expected.shape and float((values - expected).abs().max()) <= tolerance * float(
        expected.abs().max()
    )


class Scalar(torch.nn.Module):
    """A network of modules that DeepLIFT has rules for."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        layers = [torch.nn.Conv1d(4, 6, 5), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(6 * 56, 2)]
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.layers(X)
