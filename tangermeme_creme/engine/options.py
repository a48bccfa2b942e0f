"""Options of the engine and further inputs of a model, checked before anything is computed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any, TypedDict

import numpy as np
import torch
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..sequence import UNKNOWN, check_count, lacks_values
from ..support import warn
from .cache import ActivationCache
from .device import check_device, check_dtype
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
    allow_stochastic: bool


def check_engine_options(
    model: torch.nn.Module,
    batch_size: int = 32,
    incremental: bool | str = "auto",
    cache: object | None = None,
    *,
    dtype: object = None,
    device: object = None,
    allow_stochastic: bool = False,
    verbose: object = False,
) -> None:
    """Refuse a model or options that no session can run with.

    Raises
    ------
    ValueError
        If the model is not a `torch.nn.Module` with values on a device, `batch_size` is below 1, `incremental` is not
        "auto", True or False, `cache` is not an `ActivationCache`, either of the last two needs an incremental path
        that the model does not have, `dtype` is none that a model runs in, the machine lacks `device`, or a flag is
        neither True nor False.

    Examples
    --------
    >>> check_engine_options(torch.nn.Identity(), 32, "auto", None)
    """
    _check_model(model)
    check_count("batch_size", batch_size)
    check_dtype(dtype)
    check_device(device)
    if not isinstance(allow_stochastic, bool):
        raise ValueError(f"allow_stochastic must be True or False; got {allow_stochastic!r}.")
    if not isinstance(verbose, (bool, int, np.bool_)):
        raise ValueError(f"verbose must be True or False; got {verbose!r:.60}.")
    if not isinstance(incremental, (bool, str)) or incremental not in ("auto", True, False):
        raise ValueError(f"incremental must be 'auto', True or False; got {incremental!r}.")
    if cache is not None and not isinstance(cache, ActivationCache):
        raise ValueError(f"cache must be an ActivationCache; got {type(cache).__name__}.")
    if (incremental is True or cache is not None) and not isinstance(model, IncrementalModel):
        asked = "incremental=True" if incremental is True else "cache"
        raise ValueError(f"{asked} needs an IncrementalModel; got {type(model).__name__}.")


def _check_model(model: object) -> None:
    if isinstance(model, torch.nn.Module):
        values = next(chain(model.parameters(), model.buffers()), None)
        if isinstance(values, torch.Tensor) and values.is_meta:
            raise ValueError(
                f"the model must have values on a device; got {type(model).__name__} on the meta device: load its "
                "weights."
            )
        return
    got = f"a {type(model).__name__}"
    if hasattr(model, "module") and callable(model.module):  # as torch.export gives it
        got += ", whose .module() is one"
    elif callable(model):
        got += ": put it into the forward of a module"
    raise ValueError(f"model must be a torch.nn.Module; got {got}.")


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


def check_func(func: object, func_kwargs: object, name: str = "func_kwargs") -> None:
    """Refuse a `func` that is no function, and further arguments of it that are no dict by name.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_func(predict, {"verbose": False})
    """
    if not callable(func):
        raise ValueError(f"func must be a function of a model and sequences; got {func!r:.60}.")
    if func_kwargs is not None and not (
        isinstance(func_kwargs, Mapping) and all(isinstance(k, str) for k in func_kwargs)
    ):
        raise ValueError(f"{name} must be a dict of arguments by name, or None; got {func_kwargs!r:.60}.")


def takes(func: Callable[..., Any], keyword: str) -> bool:
    """Return whether a function takes a keyword argument, by its name or among any others.

    Examples
    --------
    >>> takes(predict, "device"), takes(predict, "random_state"), takes(lambda model, X, **kwargs: X, "random_state")
    (True, False, True)
    """
    try:
        parameters = inspect.signature(func).parameters
    except ValueError:  # a function of C without a signature
        return False
    return keyword in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


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
    if isinstance(args, torch.Tensor):
        raise ValueError(
            f"{name} must be a list of tensors; got one tensor, of shape {tuple(args.shape)}: put it in a list."
        )
    if args is not None and not isinstance(args, (list, tuple)):
        raise ValueError(f"{name} must be a list or tuple of tensors; got {type(args).__name__}.")
    for i, arg in enumerate(args or ()):
        without = lacks_values(arg) if isinstance(arg, torch.Tensor) else None
        if without:
            raise ValueError(f"{name} must be dense tensors with values; got {without} at index {i}.")
        if not isinstance(arg, torch.Tensor) or arg.ndim == 0:
            got = type(arg).__name__
            raise ValueError(f"{name} must be tensors with one row per example; got {got} at index {i}.")
        if len(arg) != n_examples:
            got = str(len(arg))
            raise ValueError(f"{name} must have {n_examples} rows, one per example; got {got} at index {i}.")


def warn_of_unknown_bases(model: torch.nn.Module, X: PackedSequence, name: str = "X") -> None:
    """Warn where sequences have unknown bases and the model does not say what it gets for them.

    A model says so by an attribute `n_fill` of any of its modules, as the adapters and `Readout` have it.

    Examples
    --------
    >>> warn_of_unknown_bases(torch.nn.Identity(), PackedSequence.from_one_hot(torch.eye(4)[None]))
    """
    if any(getattr(module, "n_fill", None) is not None for module in model.modules()):
        return
    codes = X.to_codes()
    unknown = (codes == UNKNOWN).sum(-1)
    if unknown.any():
        warn(
            f"{name} has {int(unknown.sum()):,} unknown bases, in {int((unknown > 0).sum())} of {len(codes)} "
            f"sequences, and {type(model).__name__} gets zeros for them. Many models were trained with 0.25: "
            "Readout(model, n_fill=0.25) fills them in; n_fill=0 says that zeros are right."
        )


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
