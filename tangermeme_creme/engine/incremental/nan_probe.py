"""Find the module of a network that carries one base to the far end of the sequence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def buffers_restored(module: torch.nn.Module) -> Iterator[None]:
    """Restore every buffer on exit: batch normalization in training mode would store NaN for good.

    Examples
    --------
    >>> norm = torch.nn.BatchNorm1d(2)
    >>> with buffers_restored(norm), torch.no_grad():
    ...     _ = norm(torch.full((1, 2, 5), torch.nan))
    >>> norm.running_mean
    tensor([0., 0.])
    """
    owners = [(owner, name) for owner in module.modules() for name, _ in owner.named_buffers(recurse=False)]
    before = [(owner, name, getattr(owner, name), getattr(owner, name).clone()) for owner, name in owners]
    try:
        yield
    finally:
        with torch.no_grad():
            for owner, name, buffer, value in before:
                setattr(owner, name, buffer)
                buffer.copy_(value)


def name_global_module(module: torch.nn.Module, X: torch.Tensor) -> str:
    """Name the first submodule that carries NaN from the first part of a sequence to its last position.

    Parameters
    ----------
    module: torch.nn.Module

    X: torch.Tensor, shape=(1, 4, L)
        With NaN in its first columns.

    Returns
    -------
    name: str
        Name and class of the module, and "in training mode" if it is; "local" if no single module is found.

    Examples
    --------
    >>> X = torch.zeros(1, 4, 12)
    >>> X[..., :3] = torch.nan
    >>> local = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 3), torch.nn.GroupNorm(1, 2)).eval()
    >>> name_global_module(local, X)
    '1 (GroupNorm)'
    """
    spreading: list[str] = []
    names = {submodule: name for name, submodule in module.named_modules()}

    def look(submodule: torch.nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if not spreading and _at_the_end(output) and not any(_at_the_end(x) for x in inputs):
            training = ", in training mode" if submodule.training else ""
            spreading.append(f"{names[submodule] or 'local'} ({type(submodule).__name__}{training})")

    # A submodule returns before the module that holds it, so the first one is the innermost.
    hooks = [submodule.register_forward_hook(look) for submodule in names]
    try:
        module(X)
    finally:
        for hook in hooks:
            hook.remove()
    return spreading[0] if spreading else "local"


def _at_the_end(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_at_the_end(part) for part in x)
    if not isinstance(x, torch.Tensor) or not x.is_floating_point() or x.ndim < 2:
        return False
    nan = x.isnan()
    if not nan.any():
        return False
    for axis in range(1, x.ndim):
        reached = nan.movedim(axis, 0).flatten(1).any(1)
        if not reached.all():
            return bool(reached[-1])
    return True
