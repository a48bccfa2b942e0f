"""Watch the runs of some modules of a network, and let these modules return other values, without touching its code."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any

import torch


class Stop(BaseException):
    """Ends a forward early. Not an Exception, so that no except clause in the model's code catches it."""


def stop() -> None:
    """End the forward in which this is called."""
    raise Stop


class Touched(ValueError):
    """A value was used where it is unknown: a further input, or what the head does not get."""


class _Untouched(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", func)
        raise Touched(f"further inputs must not be used before the last of the local modules has run; got {name}.")


UNTOUCHED = torch.empty(0).as_subclass(_Untouched)
"""Stands for a further input that is unknown: any use of it raises `Touched`."""


def tensors_of(value: Any) -> list[torch.Tensor]:
    """List the tensors in a tensor, or in nested tuples, lists and mappings.

    Examples
    --------
    >>> tensors_of((torch.tensor(1), {"state": [torch.tensor(2), None]}))
    [tensor(1), tensor(2)]
    """
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for part in parts for tensor in tensors_of(part)]


def numbers_of(value: Any) -> list[Any]:
    """List the numbers, texts and truth values that lie beside the tensors.

    Examples
    --------
    >>> numbers_of((torch.tensor(1), {"scale": 2.0, "kind": ["even", None]}))
    [2.0, 'even']
    """
    if isinstance(value, (int, float, complex, str)):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return [number for part in parts for number in numbers_of(part)]


def with_tensors(value: Any, tensors: Iterable[torch.Tensor]) -> Any:
    """Return the same structure with other tensors, in the order of `tensors_of`.

    Examples
    --------
    >>> with_tensors((torch.tensor(1), [None, torch.tensor(2)]), [torch.tensor(3), torch.tensor(4)])
    (tensor(3), [None, tensor(4)])
    """
    left, by_id = iter(tensors), dict[int, torch.Tensor]()

    def replaced(part: Any) -> Any:
        if isinstance(part, torch.Tensor):
            by_id[id(part)] = next(left)
            return by_id[id(part)]
        if isinstance(part, Mapping):
            return _with_items(part, {key: replaced(item) for key, item in part.items()}, by_id)
        if isinstance(part, (list, tuple)):
            return _with_items(part, [replaced(item) for item in part], by_id)
        return part

    return replaced(value)


def _with_items(container: Any, items: Any, by_id: Mapping[int, torch.Tensor]) -> Any:
    """Return a copy with other items: its class may have a constructor of its own, and attributes beside the items."""
    if type(container) in (dict, list, tuple):
        return type(container)(items)
    if hasattr(container, "_fields"):
        return container._make(items)
    if isinstance(container, tuple):
        return type(container)(items)
    changed = copy.copy(container)
    for key, item in items.items() if isinstance(items, dict) else enumerate(items):
        changed[key] = item
    for name, value in list(getattr(changed, "__dict__", {}).items()):
        if id(value) in by_id:
            changed.__dict__[name] = by_id[id(value)]
    return changed


def without_values(value: Any) -> Any:
    """Return the same structure with tensors that have no values and take no memory.

    Examples
    --------
    >>> without_values((torch.ones(2), 3))
    (tensor(..., device='meta', size=(2,)), 3)
    """
    return with_tensors(value, [torch.empty_like(tensor, device="meta") for tensor in tensors_of(value)])


@contextmanager
def tapped(
    modules: Mapping[str, torch.nn.Module],
    order: Sequence[str] | None,
    visit: Callable[[str, Any], None] = lambda name, output: None,
    replace_by: Sequence[Any] | None = None,
    then: Callable[[], None] = lambda: None,
) -> Iterator[list[str]]:
    """Pass the output of each run of modules to `visit`, and replace it by the next of `replace_by`.

    Parameters
    ----------
    modules: mapping from str to torch.nn.Module

    order: sequence of str or None
        The names in the order in which the modules run, one per run; `then` is called after the last, and later runs
        are left alone. None takes runs as they come, to the end.

    Yields
    ------
    ran: list of str
        The names so far, one per run.

    Raises
    ------
    ValueError
        If the modules run in another order, not all of them run, or one returns no tensor.
    """
    ran = list[str]()

    def after(name: str, module: torch.nn.Module, inputs: Any, output: Any) -> Any:
        run = len(ran)
        if order is not None and run >= len(order):
            return None
        if order is not None and order[run] != name:
            raise ValueError(f"local modules must run in the same order each time, {list(order)}; got {[*ran, name]}.")
        if not tensors_of(output):
            raise ValueError(f"local modules must return tensors; got {type(output).__name__} from {name!r}.")
        ran.append(name)
        visit(name, output)
        if order is not None and len(ran) == len(order):
            then()
        # Returned once more, since the user's hooks may have changed the output; they did so in `local` already.
        return None if replace_by is None else replace_by[run]

    with ExitStack() as stack:
        for name, module in modules.items():
            stack.callback(module.register_forward_hook(partial(after, name)).remove)
            if replace_by is not None:
                stack.callback(_let_return(module, replace_by, ran))
        with suppress(Stop):
            yield ran
        missing = [name for name in modules if name not in ran] if order is None else list(order[len(ran) :])
        if missing:
            raise ValueError(
                f"local modules must all run; got no run of {missing}. Of a ModuleList, name the modules in it; a "
                "direct call of forward is not seen."
            )


def _let_return(module: torch.nn.Module, values: Sequence[Any], ran: list[str]) -> Callable[[], Any]:
    """Let a module return the next of `values`, by a forward on the instance that hides that of its class.

    Returns how to undo it.
    """
    own, forward = vars(module), module.forward
    undo = partial(own.update, forward=own["forward"]) if "forward" in own else partial(own.pop, "forward")
    own["forward"] = lambda *args, **kwargs: values[len(ran)] if len(ran) < len(values) else forward(*args, **kwargs)
    return undo


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Set evaluation mode in a block, module by module.

    Examples
    --------
    >>> layer = torch.nn.Dropout()
    >>> with evaluating(layer):
    ...     layer.training
    False
    """
    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, training in modes:
            module.training = training
