"""A model on its device for the length of a block, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain

import torch

# Larger tensors leave the caches of a CPU, and its allocator maps them anew each time: twice as slow when measured.
_CPU_BP = 2**17


def resolve_device(device: str | torch.device | None) -> torch.device:
    """The device to run on; None is CUDA when there is one, else the CPU, as in tangermeme.

    A CUDA device without an index becomes the current one, so that it compares equal to where a model then lies.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    resolved = torch.device(device)
    if resolved.type == "cuda" and resolved.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return resolved


def rows_at_once(batch_size: int, length: int, device: torch.device) -> int:
    """How many sequences of `length` bp to run at a time: on a CPU no more than 131,072 bp, or one sequence.

    Examples
    --------
    >>> rows_at_once(32, 131_072, torch.device("cpu")), rows_at_once(32, 1000, torch.device("cpu"))
    (1, 32)
    """
    return min(batch_size, max(1, _CPU_BP // length)) if device.type == "cpu" else batch_size


def arithmetic(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Autocasting where tangermeme's `predict` autocasts, else nothing.

    Examples
    --------
    >>> with arithmetic(torch.device("cpu"), torch.bfloat16):
    ...     torch.is_autocast_enabled("cpu")
    True
    """
    on_cpu = device.type == "cpu" and dtype in (torch.bfloat16, torch.float16)
    on_cuda = device.type == "cuda" and dtype != torch.float32
    return torch.autocast(device.type, dtype=dtype) if on_cpu or on_cuda else nullcontext()


@contextmanager
def model_on(model: torch.nn.Module, device: str | torch.device | None = None) -> Iterator[torch.device]:
    """Move a model to a device in evaluation mode, once, and restore both on exit, also after an exception.

    The training flag of every submodule is restored on its own, so that a layer that was frozen in evaluation mode
    stays so. A block within a block on the same device does nothing.

    Parameters
    ----------
    model: torch.nn.Module

    device: str, torch.device or None, optional
        None is CUDA when there is one, else the CPU. Default is None.

    Yields
    ------
    device: torch.device

    Examples
    --------
    >>> model = torch.nn.Linear(2, 1)
    >>> with model_on(model, "cpu") as device:
    ...     device, model.training
    (device(type='cpu'), False)
    >>> model.training
    True
    """
    target = resolve_device(device)
    first = next(chain(model.parameters(), model.buffers()), None)
    original = None if first is None else first.device
    training = [module for module in model.modules() if module.training]
    try:
        if original is not None and original != target:
            model.to(target)
        model.eval()
        yield target
    finally:
        for module in training:
            module.training = True
        if original is not None and original != target:
            model.to(original)
