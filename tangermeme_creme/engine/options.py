"""Options and further inputs, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from tangermeme.predict import predict

from ..sequence.notices import warn
from ..sequence.tiles import check_count


def check_engine_options(
    model: torch.nn.Module, batch_size: int, incremental: bool | str, cache: object | None
) -> None:
    """Refuse options that no session can run with.

    Raises
    ------
    ValueError
        If `batch_size` is below 1, `incremental` is none of "auto", True, False, or it or `cache` asks for an
        incremental path that the model does not have.

    Examples
    --------
    >>> check_engine_options(torch.nn.Identity(), 32, "auto", None)
    """
    check_count("batch_size", batch_size)
    if incremental not in ("auto", True, False):
        raise ValueError(f"incremental must be 'auto', True or False; got {incremental!r}.")
    if incremental is True or cache is not None:
        asked = "incremental=True" if incremental is True else "cache"
        raise ValueError(f"{asked} needs a model with an incremental path; got {type(model).__name__}.")


def check_args(args: Iterable[torch.Tensor] | None, n_examples: int, name: str = "args") -> None:
    """Refuse further inputs that do not have one row an example.

    Raises
    ------
    ValueError
        The message names the index and what was got.

    Examples
    --------
    >>> check_args([torch.zeros(2, 3)], 2)
    """
    for i, arg in enumerate(args or ()):
        if not isinstance(arg, torch.Tensor) or arg.ndim == 0:
            got = type(arg).__name__
            raise ValueError(f"{name} must be tensors with one row an example; got {got} at index {i}.")
        if len(arg) != n_examples:
            got = str(len(arg))
            raise ValueError(f"{name} must have {n_examples} rows, one an example; got {got} at index {i}.")


def warn_of_cast_args(args: Iterable[torch.Tensor] | None, func: Callable[..., Any], name: str = "args") -> None:
    """Warn once where tangermeme's `predict` will hand an integer input to the model as a float.

    Examples
    --------
    >>> warn_of_cast_args([torch.zeros(2, 3)], predict)
    """
    cast = [f"{name}[{i}] ({arg.dtype})" for i, arg in enumerate(args or ()) if not arg.is_floating_point()]
    if cast and func is predict:
        warn(
            f"tangermeme's predict casts {', '.join(cast)} to the model's floating dtype; wrap a model that needs "
            "integers in one that casts them back."
        )
