"""A hash that tells the weights of one model from those of another."""

from __future__ import annotations

import hashlib
from itertools import chain

import torch


def fingerprint_model(model: torch.nn.Module) -> str:
    """Hash the class of a model and its parameters and buffers: names, dtypes, shapes and values.

    The code of the model, and values outside parameters, buffers and submodules, do not count.

    Examples
    --------
    >>> a, b = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    >>> fingerprint_model(a) == fingerprint_model(a) != fingerprint_model(b)
    True
    """
    digest = hashlib.sha256(type(model).__qualname__.encode())
    for name, tensor in sorted(chain(model.named_parameters(), model.named_buffers()), key=lambda item: item[0]):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
