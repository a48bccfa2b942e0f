"""What tells a model, and a file, from any other."""

from __future__ import annotations

import hashlib
import os
from itertools import chain
from pathlib import Path

import torch

_WHOLE = 2**26  # bytes of a file up to which all of it counts
_BLOCK = 2**16
_BLOCKS = 256


def fingerprint_model(model: torch.nn.Module) -> str:
    """A hash of the class of a model and of its parameters and buffers: names, types, shapes and values.

    What a model keeps elsewhere than in parameters, buffers and submodules, its code among it, does not count.

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


def fingerprint_file(path: str | os.PathLike[str]) -> str:
    """A hash of the content of a file: of all of it up to 64 MiB, else of its size and 256 places evenly in it.

    Examples
    --------
    >>> fingerprint_file(__file__) == fingerprint_file(__file__)
    True
    """
    path = Path(path)
    size = path.stat().st_size
    digest = hashlib.sha256(f"{size}\n".encode())
    with open(path, "rb") as file:
        if size <= _WHOLE:
            for block in iter(lambda: file.read(2**20), b""):
                digest.update(block)
        else:
            for i in range(_BLOCKS):
                file.seek((size - _BLOCK) * i // (_BLOCKS - 1))
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()
