"""Split a network behind some of its submodules into two parts that both run the unchanged network."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch

from .agreement import agreement_tolerance, relative_difference
from .nan_probe import buffers_restored

Shapes = tuple[tuple[int, ...], ...]


def split_at(model: torch.nn.Module, names: Sequence[str]) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Split a network behind some of its submodules, so that ``head(local(X), *args)`` equals ``model(X, *args)``.

    `local` runs the network up to the last named submodule and returns the outputs of the named submodules; `head` runs
    the network with these outputs in place of the submodules. Other modules that run before the last named one run
    again in `head`; name them to avoid that.

    The first call of `local` finds out which outputs the rest of the network reads: the last one, and others through
    skips. It predicts the first sequence by `head` with NaN for X and for one output after the other, and keeps the
    outputs without which the prediction changes. If the network requires further inputs, it keeps all outputs.

    Parameters
    ----------
    model: torch.nn.Module
        Neither changed nor copied; a submodule of `local`, but not of `head`. Calls must not overlap in threads.

    names: sequence of str
        Submodules, as in ``model.get_submodule(name)``, in the order in which they run, each once per prediction.

    Returns
    -------
    local: torch.nn.Module
        From X, as the model takes it, to one tensor, or a tuple in the order of `names` if the rest reads several.
        The first X must have a length that the full model takes.

    head: torch.nn.Module
        From the output of `local`, or other values in these shapes, and further inputs to the output of the model.

    Raises
    ------
    ValueError
        If `names` is empty, or has a name that is no submodule or lies within another. At the first prediction, if a
        named submodule does not run, runs twice or out of order, or returns no tensor; if the rest reads X other than
        through them; if further inputs are used before the last of them has run.

    RuntimeError
        If `head` gets activations in shapes, apart from the number of rows, that `local` has not returned.

    Examples
    --------
    >>> layers = torch.nn.Conv1d(4, 8, 5), torch.nn.MaxPool1d(8), torch.nn.Flatten(), torch.nn.Linear(96, 2)
    >>> model, X = torch.nn.Sequential(*layers), torch.eye(4)[torch.arange(300).reshape(3, 100) % 4].mT
    >>> local, head = split_at(model, ["0", "1"])
    >>> local(X).shape
    torch.Size([3, 8, 12])
    >>> bool((head(local(X)) == model(X)).all())
    True
    """
    _check_names(model, names)
    local = _Local(model, tuple(names))
    return local, _Head(local)


class _Stop(BaseException):
    """Ends a forward early. Not an Exception, so that no except clause in the model's code catches it."""


def _stop() -> None:
    raise _Stop


class _Untouched(torch.Tensor):
    """Stands for a further input that is unknown: any use of it raises an error."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", func)
        raise ValueError(f"further inputs must not be used before the last of the local modules has run; got {name}.")


_UNTOUCHED = torch.empty(0).as_subclass(_Untouched)


class _Local(torch.nn.Module):
    """The network up to the last named module, and the state that both parts share."""

    def __init__(self, model: torch.nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.training = model.training
        self.names = names
        # Which outputs to keep: measured by a prediction, or all, if a prediction needs further inputs.
        self.kept: tuple[str, ...] = names if _n_required(model) else ()
        # Outputs that the code around the named modules may write into, so that it gets copies of them.
        self.written = frozenset(names)
        # By the shapes of the returned outputs: X and the outputs that are not returned, without their data.
        self.seen: dict[Shapes, tuple[torch.Tensor, dict[str, torch.Tensor]]] = {}

    def named(self) -> dict[str, torch.nn.Module]:
        return {name: self.model.get_submodule(name) for name in self.names}

    def forward(self, X: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        if not self.kept:
            self._decide(X)
        outputs, dropped = dict[str, torch.Tensor](), dict[str, torch.Tensor]()

        def visit(name: str, output: torch.Tensor) -> None:
            if name in self.kept:
                copied = name in self.written and name != self.names[-1]
                outputs[name] = output.clone() if copied else output
            else:
                dropped[name] = torch.empty_like(output, device="meta")

        with _tapped(self.named(), visit, then=_stop):
            self.model(X, *[_UNTOUCHED] * _n_required(self.model))
        shapes = _shapes(outputs.values())
        # Of several lengths that have the same number of bins, the longest is stored: the others are windows of it.
        if shapes not in self.seen or X.shape[1:].numel() >= self.seen[shapes][0].shape[1:].numel():
            self.seen[shapes] = torch.empty_like(X, device="meta"), dropped
        return tuple(outputs.values()) if len(outputs) > 1 else outputs[self.kept[0]]

    def stand_ins(self, activations: list[torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Return an X, and an output of each named module, with which to run the modules after them."""
        shapes = _shapes(activations)
        if shapes not in self.seen:
            raise RuntimeError(f"head must be given rows in shapes that local has returned; got {list(shapes)}.")
        X, dropped = self.seen[shapes]
        outputs = dict(zip(self.kept, activations))
        outputs |= {name: _unread(tensor, activations[0]) for name, tensor in dropped.items()}
        outputs = {name: tensor.clone() if name in self.written else tensor for name, tensor in outputs.items()}
        return _unread(X, activations[0]).clone(), outputs

    def _decide(self, X: torch.Tensor) -> None:
        """Find the smallest set of outputs from which `head` predicts the first sequence."""
        named, outputs, written = self.named(), dict[str, torch.Tensor](), set[str]()

        def attempt(keep: Sequence[str]) -> str | None:
            """Predict from these outputs only; return the error, or None if the prediction is right."""
            replaced = {n: out.clone() if n in keep else torch.full_like(out, math.nan) for n, out in outputs.items()}
            try:
                with _tapped(named, replace_by=replaced):
                    y = _tensors(self.model(_unread(x, x).clone()))
            except Exception as error:
                return f"{type(error).__name__}: {error}"
            # The version of a new tensor is 0 until it is written into.
            written.update(name for name, value in replaced.items() if value._version)
            return None if _same(y, expected) else "another prediction, or none that is finite"

        # Without inference mode: its tensors do not record whether they were written into.
        with buffers_restored(self.model), torch.inference_mode(False), torch.no_grad(), _evaluating(self.model):
            # X may hold the NaN that measures the reach of `local`, and the model may write into X.
            x = torch.nan_to_num(X[:1]) if len(X) else X.new_ones((1, *X.shape[1:]))
            with _tapped(named, lambda name, output: outputs.update({name: output.clone()})):
                expected = _tensors(self.model(x))
            keep = self.names
            if wrong := attempt(keep):
                raise ValueError(f"the model must predict the same from {list(keep)} as from X; got {wrong}.")
            for name in self.names[:-1]:
                fewer = tuple(other for other in keep if other != name)
                if outputs[name].is_floating_point() and not attempt(fewer):
                    keep = fewer
        self.kept, self.written = keep, frozenset(written)


class _Head(torch.nn.Module):
    """The network with the outputs of its named modules replaced by activations."""

    def __init__(self, local: _Local) -> None:
        super().__init__()
        # In a tuple, so that the model is not registered, moved and saved a second time.
        self._local = (local,)
        self._cleared: set[tuple[bool, ...]] = set()

    def forward(self, activations: torch.Tensor | Sequence[torch.Tensor], *args: Any) -> Any:
        (local,) = self._local
        model, named = local.model, local.named()
        tensors = [activations] if isinstance(activations, torch.Tensor) else list(activations)
        passed = tuple(arg is not None for arg in args)
        if len(args) > _n_required(model) and passed not in self._cleared:
            # `local` ran without the inputs that have a default, so it must not use them.
            X, outputs = local.stand_ins([tensor[:1] for tensor in tensors])
            with torch.no_grad(), _evaluating(model), _tapped(named, replace_by=outputs, then=_stop):
                model(X, *[None if arg is None else _UNTOUCHED for arg in args])
            self._cleared.add(passed)
        X, outputs = local.stand_ins(tensors)
        # Modules before the last named one ran in `local` already and see NaN here: they must not update statistics.
        with ExitStack() as until_last:
            until_last.enter_context(_evaluating(model))
            with _tapped(named, replace_by=outputs, then=until_last.close):
                return model(X, *args)


@contextmanager
def _tapped(
    modules: Mapping[str, torch.nn.Module],
    visit: Callable[[str, torch.Tensor], None] = lambda name, output: None,
    replace_by: Mapping[str, torch.Tensor] | None = None,
    then: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Pass the outputs of modules to `visit`, replace them by `replace_by`, and call `then` after the last module."""
    names, ran = list(modules), list[str]()
    rule = f"local modules must run once each and in the order of their names, {names}"

    def after(name: str, module: torch.nn.Module, inputs: Any, output: Any) -> torch.Tensor | None:
        if [*ran, name] != names[: len(ran) + 1]:
            raise ValueError(f"{rule}; got {name!r} after {ran}.")
        if not isinstance(output, torch.Tensor):
            raise ValueError(f"local modules must return a tensor; got {type(output).__name__} from {name!r}.")
        ran.append(name)
        visit(name, output)
        if len(ran) == len(names):
            then()
        # Returned once more, since the user's hooks may have changed the output; they did so in `local` already.
        return None if replace_by is None else replace_by[name]

    with ExitStack() as stack:
        for name, module in modules.items():
            stack.callback(module.register_forward_hook(partial(after, name)).remove)
            if replace_by is not None:
                stack.callback(_let_return(module, replace_by[name]))
        with suppress(_Stop):
            yield
        if len(ran) < len(names):
            raise ValueError(f"{rule}; got no run of {names[len(ran) :]}.")


def _let_return(module: torch.nn.Module, value: torch.Tensor) -> Callable[[], Any]:
    """Let a module return a value, by a forward on the instance that hides that of its class; return how to undo it."""
    own = vars(module)
    undo = partial(own.update, forward=own["forward"]) if "forward" in own else partial(own.pop, "forward")
    own["forward"] = lambda *args, **kwargs: value
    return undo


@contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Set evaluation mode in a block, module by module."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, training in modes:
            module.training = training


def _check_names(model: torch.nn.Module, names: Sequence[str]) -> None:
    if isinstance(names, str) or not names:
        raise ValueError(f"names must be a sequence of at least one name; got {names!r}.")
    known = {name: module for name, module in model.named_modules(remove_duplicate=False) if name}
    for i, name in enumerate(names):
        if name not in known:
            close = get_close_matches(str(name), known, n=5) or [child for child, _ in model.named_children()]
            raise ValueError(f"names must be submodules of the model, such as {close}; got {name!r}.")
        for other in names[:i]:
            if known[name] in known[other].modules() or known[other] in known[name].modules():
                raise ValueError(f"no name must stand for another module or a part of it; got {other!r} and {name!r}.")


def _n_required(model: torch.nn.Module) -> int:
    """Return how many further inputs the model requires."""
    parameters = list(inspect.signature(model.forward).parameters.values())[1:]
    return sum(p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD for p in parameters)


def _unread(like: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Return NaN, one value in memory, with the shape and dtype of `like` and the rows and device of `rows`."""
    one = torch.full([1] * like.ndim, math.nan if like.is_floating_point() else 0, dtype=like.dtype)
    return one.to(rows.device).expand(len(rows), *like.shape[1:])


def _shapes(tensors: Iterable[torch.Tensor]) -> Shapes:
    """Return the shapes of tensors without the number of rows."""
    return tuple(tuple(tensor.shape[1:]) for tensor in tensors)


def _tensors(y: Any) -> list[torch.Tensor]:
    """List the tensors in the output of a model."""
    if isinstance(y, torch.Tensor):
        return [y]
    parts = y.values() if isinstance(y, Mapping) else y if isinstance(y, (list, tuple)) else ()
    return [tensor for part in parts for tensor in _tensors(part)]


def _same(y: list[torch.Tensor], expected: list[torch.Tensor]) -> bool:
    """Return whether two predictions agree up to rounding; NaN and predictions without a tensor never agree."""
    return 0 < len(y) == len(expected) and all(
        relative_difference(a, b) <= agreement_tolerance(a.dtype, a.device)
        if a.is_floating_point()
        else torch.equal(a, b)
        for a, b in zip(y, expected)
    )
