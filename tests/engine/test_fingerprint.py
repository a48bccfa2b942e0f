"""The hash of a model: what changes it, and what does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tangermeme_creme.engine import fingerprint_model


class Renamed(nn.Linear):
    """The same parameters in another class."""


def layer(form: type[nn.Linear] = nn.Linear) -> nn.Linear:
    model = form(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 2.0]]))
        model.bias.zero_()
    return model


def with_buffer(value: float) -> nn.Linear:
    model = layer()
    model.register_buffer("scale", torch.tensor(value))
    return model


def reshaped() -> nn.Linear:
    model = layer()
    model.weight = nn.Parameter(model.weight.detach().reshape(2, 1))
    return model


def with_value(value: float) -> nn.Linear:
    model = layer()
    with torch.no_grad():
        model.weight[0, 1] = value
    return model


@pytest.mark.parametrize(
    "other",
    [
        lambda: layer(Renamed), lambda: layer().double(), lambda: with_buffer(0.0), reshaped,
        lambda: with_value(2.0000002),
    ],
    ids=["class", "dtype", "name", "shape", "value"],
)  # fmt: skip
def test_class_names_dtypes_shapes_and_values_count(other: Callable[[], nn.Module]) -> None:
    assert fingerprint_model(other()) != fingerprint_model(layer())


def test_values_of_buffers_count() -> None:
    assert fingerprint_model(with_buffer(1.0)) != fingerprint_model(with_buffer(2.0))


def test_mode_and_gradients_do_not_count() -> None:
    assert fingerprint_model(layer().eval().requires_grad_(False)) == fingerprint_model(layer())
