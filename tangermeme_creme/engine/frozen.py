"""What gradients need of a model: frozen parameters, and no layer that writes into its input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def explain_in_place(model: torch.nn.Module) -> Iterator[None]:
    """Name the layers that write into their input, if PyTorch refuses a gradient through them in a block.

    Raises
    ------
    ValueError
        In the place of PyTorch's RuntimeError, with the names of these layers.

    Examples
    --------
    >>> with explain_in_place(torch.nn.Sequential(torch.nn.ReLU(inplace=True))):
    ...     raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    Traceback (most recent call last):
    ...
    ValueError: gradients need layers that leave their input as it is; set inplace=False in 0 (ReLU). Got: a leaf \
Variable that requires grad is being used in an in-place operation.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if "in-place" not in text and "inplace" not in text:
            raise
        layers = [
            f"{name} ({type(module).__name__})"
            for name, module in model.named_modules()
            if getattr(module, "inplace", False)
        ]
        todo = (
            f"set inplace=False in {', '.join(layers)}" if layers else "look for operations such as += in its forward"
        )
        raise ValueError(
            f"gradients need layers that leave their input as it is; {todo}. Got: {text.splitlines()[0]}"
        ) from error


@contextmanager
def parameters_frozen(model: torch.nn.Module) -> Iterator[None]:
    """Let no parameter require a gradient in a block, so that none is computed or stored.

    Examples
    --------
    >>> layer = torch.nn.Linear(2, 1)
    >>> with parameters_frozen(layer):
    ...     layer.weight.requires_grad
    False
    >>> layer.weight.requires_grad
    True
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
