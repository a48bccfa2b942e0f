"""How much memory a device has, and what to do when it runs out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def explain_out_of_memory(
    n: int, length: int, device: torch.device, dtype: torch.dtype, *, incremental: bool
) -> Iterator[None]:
    """Turn an allocation that failed into an error that states the request and the memory, and what needs less.

    Raises
    ------
    MemoryError

    Examples
    --------
    >>> with explain_out_of_memory(4, 1000, torch.device("cpu"), torch.float32, incremental=False):
    ...     raise torch.OutOfMemoryError("Tried to allocate 2.00 GiB")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    MemoryError: gradients of 4 sequences of 1000 bp at a time, in float32, ran out of memory on cpu...
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        # PyTorch has its own error for accelerators only.
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and "can't allocate memory" not in str(error):
            raise
        advice = [f"a batch_size below {n}"] if n > 1 else []
        if dtype not in (torch.float16, torch.bfloat16):
            advice.append("dtype=torch.bfloat16")
        if not incremental:
            advice.append("a span of an IncrementalModel, which stores activations around the span only")
        raise MemoryError(
            f"gradients of {n} sequences of {length} bp at a time, in {str(dtype).removeprefix('torch.')}, ran out of "
            f"{_describe_memory(device)}; {' or '.join(advice) or 'shorter sequences'} would need less. Got: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from error


def free_bytes(device: torch.device) -> int:
    """Return the free bytes of a CUDA device, with those that PyTorch reserves and does not use; 0 for a CPU.

    Examples
    --------
    >>> free_bytes(torch.device("cpu"))
    0
    """
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _describe_memory(device: torch.device) -> str:
    gib = 2**30
    if device.type == "cuda":
        free, total = free_bytes(device), torch.cuda.get_device_properties(device).total_memory
        return f"memory on {device}, of which {free / gib:.1f} of {total / gib:.1f} GiB were free"
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not every system knows its memory
        return f"memory on {device}"
    return f"memory on {device}, of {total / gib:.1f} GiB"
