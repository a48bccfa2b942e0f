"""The device, mode and dtype in which a model runs, for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain

import torch

# Larger tensors do not fit the caches of a CPU, and its allocator maps their memory anew each time: twice as slow when
# measured.
_CPU_BP = 2**17

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def resolve_device(device: str | torch.device | None) -> torch.device:
    """Return the device to run on; None is CUDA if available, else the CPU, as in tangermeme.

    A CUDA device without an index becomes the current device, so that it equals the device of a model moved to it.

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


def resolve_dtype(model: torch.nn.Module, dtype: str | torch.dtype | None) -> torch.dtype:
    """Return the dtype to run a model in; None is that of its parameters, and float32 for a model without any.

    Examples
    --------
    >>> resolve_dtype(torch.nn.Linear(2, 1).double(), None), resolve_dtype(torch.nn.Identity(), "bfloat16")
    (torch.float64, torch.bfloat16)
    """
    if dtype is None:
        first = next(model.parameters(), None)
        return torch.float32 if first is None else first.dtype
    resolved: torch.dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    return resolved


def check_dtype(dtype: object) -> None:
    """Refuse a dtype that no model runs in.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_dtype("bfloat16")
    """
    named = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if dtype is not None and not any(named is known for known in _DTYPES):
        raise ValueError(f"dtype must be float16, bfloat16, float32 or float64 of torch, or its name; got {dtype!r}.")


def check_device(device: object) -> None:
    """Refuse a device that is none, or that this machine lacks.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_device("cpu")
    """
    if device is None:
        return
    try:
        resolved = torch.device(device)  # type: ignore[call-overload]
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"device must be a device of torch, such as 'cpu' or 'cuda:0'; got {device!r}.") from error
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device must be one of this machine's; got {device!r}, of {torch.cuda.device_count()} CUDA devices."
        )
    if resolved.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device must be one of this machine's; got {device!r}, and no MPS device.")
    if resolved.type == "meta":
        raise ValueError("device must be one that computes; got 'meta'.")
    if resolved.type not in ("cpu", "cuda", "mps"):
        try:
            torch.empty(0, device=resolved)
        except (RuntimeError, AssertionError, ImportError) as error:
            raise ValueError(f"device must be one of this machine's; got {device!r}.") from error


def rows_at_once(batch_size: int, length: int, device: torch.device) -> int:
    """Return how many sequences of `length` bp to run at a time: on a CPU at most 131,072 bp, or one sequence.

    Examples
    --------
    >>> rows_at_once(32, 131_072, torch.device("cpu")), rows_at_once(32, 1000, torch.device("cpu"))
    (1, 32)
    """
    return min(batch_size, max(1, _CPU_BP // length)) if device.type == "cpu" else batch_size


def autocasting(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Autocast in a block where tangermeme's `predict` autocasts; elsewhere do nothing.

    Examples
    --------
    >>> with autocasting(torch.device("cpu"), torch.bfloat16):
    ...     torch.is_autocast_enabled("cpu")
    True
    """
    on_cpu = device.type == "cpu" and dtype in (torch.bfloat16, torch.float16)
    on_cuda = device.type == "cuda" and dtype != torch.float32
    return torch.autocast(device.type, dtype=dtype) if on_cpu or on_cuda else nullcontext()


@contextmanager
def model_on(model: torch.nn.Module, device: str | torch.device | None = None) -> Iterator[torch.device]:
    """Move a model to a device in evaluation mode, once, and restore both on exit, also after an exception.

    The training flag of every submodule is restored separately, so that a layer that was frozen in evaluation mode
    stays frozen. A block within a block on the same device does nothing.

    Parameters
    ----------
    model: torch.nn.Module

    device: str, torch.device or None, optional
        None is CUDA if available, else the CPU. Default is None.

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
