"""Options of the engine and further inputs of a model, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypedDict

import torch
from tangermeme.predict import predict

from ..sequence import check_count
from ..support import warn
from .cache import ActivationCache
from .incremental import IncrementalModel


class RunOptions(TypedDict, total=False):
    """How to run a model; `EditSession` documents the options and has their defaults."""

    batch_size: int
    dtype: str | torch.dtype | None
    device: str | torch.device | None
    verbose: bool


class EngineOptions(RunOptions, total=False):
    """The options that every test of this package takes as keyword arguments."""

    incremental: bool | str
    cache: ActivationCache | None


def check_engine_options(
    model: torch.nn.Module, batch_size: int = 32, incremental: bool | str = "auto", cache: object | None = None
) -> None:
    """Refuse options that no session can run with.

    Raises
    ------
    ValueError
        If `batch_size` is below 1, `incremental` is not "auto", True or False, `cache` is not an `ActivationCache`, or
        either of the last two needs an incremental path that the model does not have.

    Examples
    --------
    >>> check_engine_options(torch.nn.Identity(), 32, "auto", None)
    """
    check_count("batch_size", batch_size)
    if incremental not in ("auto", True, False):
        raise ValueError(f"incremental must be 'auto', True or False; got {incremental!r}.")
    if cache is not None and not isinstance(cache, ActivationCache):
        raise ValueError(f"cache must be an ActivationCache; got {type(cache).__name__}.")
    if (incremental is True or cache is not None) and not isinstance(model, IncrementalModel):
        asked = "incremental=True" if incremental is True else "cache"
        raise ValueError(f"{asked} needs an IncrementalModel; got {type(model).__name__}.")


def wants_in_part(
    model: torch.nn.Module, incremental: bool | str, func: Callable[..., Any], func_kwargs: dict[str, Any]
) -> bool:
    """Return whether to try the incremental path: for plain predictions of an `IncrementalModel`, unless turned off.

    Raises
    ------
    ValueError
        If `incremental` is True and `func` does more than predict.

    Examples
    --------
    >>> wants_in_part(torch.nn.Identity(), "auto", predict, {})
    False
    """
    if incremental is False or not isinstance(model, IncrementalModel):
        return False
    others = sorted(set(func_kwargs) - {"func"})
    if func is predict and not others:
        return True
    if incremental is True:
        got = f"arguments {others}" if func is predict else getattr(func, "__name__", repr(func))
        raise ValueError(f"incremental=True needs tangermeme's predict as func, with no arguments but func; got {got}.")
    return False


def check_args(args: Iterable[torch.Tensor] | None, n_examples: int, name: str = "args") -> None:
    """Refuse further inputs that do not have one row per example.

    Raises
    ------
    ValueError
        The message names the index and the value.

    Examples
    --------
    >>> check_args([torch.zeros(2, 3)], 2)
    """
    for i, arg in enumerate(args or ()):
        if not isinstance(arg, torch.Tensor) or arg.ndim == 0:
            got = type(arg).__name__
            raise ValueError(f"{name} must be tensors with one row per example; got {got} at index {i}.")
        if len(arg) != n_examples:
            got = str(len(arg))
            raise ValueError(f"{name} must have {n_examples} rows, one per example; got {got} at index {i}.")


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
