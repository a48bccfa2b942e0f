"""A hash that tells one model from another by its weights and by the plain values of its modules."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from enum import Enum
from itertools import chain
from typing import Any

import numpy as np
import torch

# What every module has: hooks, flags and the tables of its parameters, buffers and submodules.
_OF_EVERY_MODULE = frozenset(vars(torch.nn.Module()))


def fingerprint_model(model: torch.nn.Module, ignored: Collection[str] = ()) -> str:
    """Hash the class of a model, its parameters and buffers, and the plain attributes of all its modules.

    Plain attributes are numbers, texts, arrays, names of functions, and tuples, lists, sets and mappings of them: say
    the bins of a `Readout`, or the active adapter and its scaling in a LoRA layer. The code of the model does not
    count, nor does what lies in other objects, nor do the attributes that `ignored` names, as in `plain_attributes`.

    Examples
    --------
    >>> a, b = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    >>> fingerprint_model(a) == fingerprint_model(a) != fingerprint_model(b)
    True
    """
    digest = hashlib.sha256(type(model).__qualname__.encode())
    for name, tensor in sorted(chain(model.named_parameters(), model.named_buffers()), key=lambda item: item[0]):
        digest.update(f"{name} {_tensor_text(tensor)}\n".encode())
    digest.update(fingerprint_attributes(model, ignored).encode())
    return digest.hexdigest()


def fingerprint_attributes(model: torch.nn.Module, ignored: Collection[str] = ()) -> str:
    """Hash the classes and the plain attributes of all modules of a model, without its parameters and buffers.

    Examples
    --------
    >>> layer = torch.nn.Dropout(0.1)
    >>> before = fingerprint_attributes(layer)
    >>> layer.p = 0.2
    >>> fingerprint_attributes(layer) == before, fingerprint_attributes(layer, ignored=["p"]) == before
    (False, False)
    """
    classes = [f"{name} {type(module).__qualname__}" for name, module in model.named_modules()]
    values = [f"{name} {text}" for name, text in plain_attributes(model).items() if name not in ignored]
    return hashlib.sha256("\n".join([*classes, *values]).encode()).hexdigest()


def plain_attributes(model: torch.nn.Module) -> dict[str, str]:
    """Return the plain attributes of all modules of a model as text, by their names.

    Examples
    --------
    >>> plain_attributes(torch.nn.Sequential(torch.nn.Dropout(0.1)))
    {'0.inplace': 'False', '0.p': '0.1'}
    """
    return {
        f"{name}.{key}" if name else key: _plain_text(value)
        for name, module in model.named_modules()
        for key, value in sorted(vars(module).items())
        if key not in _OF_EVERY_MODULE
    }


def _plain_text(value: Any) -> str:
    """Return a plain value as text, which is the same in every process; the class alone of anything else."""
    if isinstance(value, Enum):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, torch.dtype)):
        return repr(value)
    if isinstance(value, torch.Tensor):
        return _tensor_text(value)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return f"{value.dtype} {value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_plain_text(key)}: {_plain_text(item)}' for key, item in value.items()))}}}"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(_plain_text, value)))}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_plain_text, value))}]"
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{getattr(named, '__module__', '')}.{named.__qualname__}"


def _tensor_text(tensor: torch.Tensor) -> str:
    if tensor.is_meta or tensor.layout != torch.strided:
        return f"{tensor.dtype} {tuple(tensor.shape)} {tensor.device.type} {tensor.layout}"
    data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    return f"{tensor.dtype} {tuple(tensor.shape)} {hashlib.sha256(data.tobytes()).hexdigest()}"
