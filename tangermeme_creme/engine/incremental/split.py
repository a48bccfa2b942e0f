"""A network in two parts, cut behind some of its submodules: both run the network itself, and change nothing of it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch

from .agreement import difference, tolerance
from .nan_probe import buffers_kept

Shapes = tuple[tuple[int, ...], ...]


def split_at(model: torch.nn.Module, names: Sequence[str]) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Split a network behind some of its submodules, such that ``head(local(X), *args)`` is ``model(X, *args)``.

    `local` runs the network up to the last of these submodules and returns what they returned; `head` runs it with them
    replaced by what it is given. What else runs before the last of them runs in `head` again, for nothing: name it too.

    The first call of `local` finds out which outputs the rest reads, the last one and others through skips: it predicts
    the first sequence by `head` with NaN for X and for one output after the other, and keeps those without which the
    prediction is not the network's. Of a network that requires further inputs it keeps them all.

    Parameters
    ----------
    model: torch.nn.Module
        Neither changed nor copied; a part of `local`, but not of `head`. Calls must not overlap in threads.

    names: sequence of str
        Submodules, as in ``model.get_submodule(name)``, in the order in which they run, each once in a prediction.

    Returns
    -------
    local: torch.nn.Module
        From X, as the model takes it, to one tensor, or a tuple in the order of `names` if the rest reads several.
        The first X must be of a length that the whole model takes.

    head: torch.nn.Module
        From what `local` returned, or other values in these shapes, and further inputs to what the model returns.

    Raises
    ------
    ValueError
        If `names` is empty, or names what is no submodule, or a module within another. At the first prediction, if one
        does not run, runs twice or out of order, or returns no tensor; if the rest reads X in another way than through
        them; if further inputs are used before the last of them has run.

    RuntimeError
        If `head` gets activations in shapes, but for the number of rows, that `local` has not returned.

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
    """Ends a forward early. No Exception, so that no except clause of the model's own takes it for one."""


def _stop() -> None:
    raise _Stop


class _Untouched(torch.Tensor):
    """In the place of a further input that is not known: any use of it is an error."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", func)
        raise ValueError(f"further inputs must not be used before the last of the local modules has run; got {name}.")


_UNTOUCHED = torch.empty(0).as_subclass(_Untouched)


class _Local(torch.nn.Module):
    """The network up to the last named module, and what both parts know of it."""

    def __init__(self, model: torch.nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.training = model.training
        self.names = names
        # Found out by a prediction, or all, if none can be made without further inputs.
        self.kept: tuple[str, ...] = names if _n_required(model) else ()
        # Outputs that the code around the named modules may write into, so that it gets copies.
        self.written = frozenset(names)
        # By the shapes of what was returned: X, and the outputs that were not, without their data.
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
        # Of lengths with as many bins the longest: the others are windows of it.
        if shapes not in self.seen or X.shape[1:].numel() >= self.seen[shapes][0].shape[1:].numel():
            self.seen[shapes] = torch.empty_like(X, device="meta"), dropped
        return tuple(outputs.values()) if len(outputs) > 1 else outputs[self.kept[0]]

    def stand_ins(self, activations: list[torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """An X, and an output of each named module, with which to run what comes after them."""
        shapes = _shapes(activations)
        if shapes not in self.seen:
            raise RuntimeError(f"head must be given rows in shapes that local has returned; got {list(shapes)}.")
        X, dropped = self.seen[shapes]
        given = dict(zip(self.kept, activations))
        given |= {name: _unread(tensor, activations[0]) for name, tensor in dropped.items()}
        given = {name: tensor.clone() if name in self.written else tensor for name, tensor in given.items()}
        return _unread(X, activations[0]).clone(), given

    def _decide(self, X: torch.Tensor) -> None:
        """Find out which outputs to keep: as few as it takes to predict the first sequence."""
        named, outputs, written = self.named(), dict[str, torch.Tensor](), set[str]()

        def attempt(keep: Sequence[str]) -> str | None:
            """Predict with these outputs alone; what was wrong with it."""
            given = {n: out.clone() if n in keep else torch.full_like(out, math.nan) for n, out in outputs.items()}
            try:
                with _tapped(named, given=given):
                    y = _tensors(self.model(_unread(x, x).clone()))
            except Exception as error:
                return f"{type(error).__name__}: {error}"
            # The version of a fresh tensor is 0, until something is written into it.
            written.update(name for name, value in given.items() if value._version)
            return None if _same(y, expected) else "another prediction, or none that is finite"

        # Without inference mode, as tensors made in it do not say whether they were written into.
        with buffers_kept(self.model), torch.inference_mode(False), torch.no_grad(), _evaluating(self.model):
            # X may hold the NaN with which the reach of `local` is measured, and the model may write into it.
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
    """The network with its named modules replaced by what it is given."""

    def __init__(self, local: _Local) -> None:
        super().__init__()
        # In a tuple, so that the model is not registered, moved and saved a second time.
        self._local = (local,)
        self._cleared: set[tuple[bool, ...]] = set()

    def forward(self, activations: torch.Tensor | Sequence[torch.Tensor], *args: Any) -> Any:
        (local,) = self._local
        model, named = local.model, local.named()
        tensors = [activations] if isinstance(activations, torch.Tensor) else list(activations)
        given_at = tuple(arg is not None for arg in args)
        if len(args) > _n_required(model) and given_at not in self._cleared:
            # `local` went without inputs that have a default, so they must not matter to it.
            X, given = local.stand_ins([tensor[:1] for tensor in tensors])
            with torch.no_grad(), _evaluating(model), _tapped(named, given=given, then=_stop):
                model(X, *[None if arg is None else _UNTOUCHED for arg in args])
            self._cleared.add(given_at)
        X, given = local.stand_ins(tensors)
        # What runs up to the last named module ran in `local` already, and sees NaN here: no statistics of it.
        with ExitStack() as until_last:
            until_last.enter_context(_evaluating(model))
            with _tapped(named, given=given, then=until_last.close):
                return model(X, *args)


@contextmanager
def _tapped(
    modules: Mapping[str, torch.nn.Module],
    visit: Callable[[str, torch.Tensor], None] = lambda name, output: None,
    given: Mapping[str, torch.Tensor] | None = None,
    then: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Show `visit` the outputs of modules, let them return what is `given` instead, and call `then` after the last."""
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
        # Given again, as hooks of the user's own may have changed it, and did so in `local` already.
        return None if given is None else given[name]

    with ExitStack() as stack:
        for name, module in modules.items():
            stack.callback(module.register_forward_hook(partial(after, name)).remove)
            if given is not None:
                stack.callback(_let_return(module, given[name]))
        with suppress(_Stop):
            yield
        if len(ran) < len(names):
            raise ValueError(f"{rule}; got no run of {names[len(ran) :]}.")


def _let_return(module: torch.nn.Module, value: torch.Tensor) -> Callable[[], Any]:
    """Give the instance a forward of its own, which comes before that of its class; how to take it away again."""
    own = vars(module)
    undo = partial(own.update, forward=own["forward"]) if "forward" in own else partial(own.pop, "forward")
    own["forward"] = lambda *args, **kwargs: value
    return undo


@contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode, module by module, for a while."""
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
    """How many further inputs the model does not go without."""
    parameters = list(inspect.signature(model.forward).parameters.values())[1:]
    return sum(p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD for p in parameters)


def _unread(like: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """NaN, a single one in memory, shaped and typed like one tensor, but with the rows and the device of another."""
    one = torch.full([1] * like.ndim, math.nan if like.is_floating_point() else 0, dtype=like.dtype)
    return one.to(rows.device).expand(len(rows), *like.shape[1:])


def _shapes(tensors: Iterable[torch.Tensor]) -> Shapes:
    """But for the number of rows."""
    return tuple(tuple(tensor.shape[1:]) for tensor in tensors)


def _tensors(y: Any) -> list[torch.Tensor]:
    """The tensors in what a model returned."""
    if isinstance(y, torch.Tensor):
        return [y]
    parts = y.values() if isinstance(y, Mapping) else y if isinstance(y, (list, tuple)) else ()
    return [tensor for part in parts for tensor in _tensors(part)]


def _same(y: list[torch.Tensor], expected: list[torch.Tensor]) -> bool:
    """Whether two predictions agree to rounding; NaN agrees with nothing, nor does a prediction without a tensor."""
    return 0 < len(y) == len(expected) and all(
        difference(a, b) <= tolerance(a.dtype, a.device) if a.is_floating_point() else torch.equal(a, b)
        for a, b in zip(y, expected)
    )
