"""Split a network behind some of its submodules into two parts that both run the unchanged network."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import ExitStack
from difflib import get_close_matches
from typing import Any

import torch

from .reads import Reads
from .split_plan import LEFT, THE_X, Plans, PlanSearch, Shapes, SplitPlan, read_besides, shapes_of, unread
from .taps import UNTOUCHED, Touched, evaluating, stop, tapped, tensors_of, with_tensors, without_values


def split_at(model: torch.nn.Module, names: Sequence[str]) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Split a network behind some of its submodules, so that ``head(local(X), *args)`` equals ``model(X, *args)``.

    `local` runs the network up to the last run of a named submodule and returns the outputs of the named submodules;
    `head` runs the network with these outputs in place of the submodules. Other modules that run before the last named
    one run again in `head`; name them to avoid that. A submodule that runs several times has one output per run; the
    tensors of a tuple, a list or a dict are outputs of their own.

    The first call of `local` finds out which outputs the rest of the network reads: the last one, and others through
    skips. It predicts the first sequence by `head` with NaN for X, follows all outputs through its operations, and
    keeps those from which the prediction comes, also where their values make no difference. If the network requires
    further inputs, or values decide what it runs, it keeps all outputs.

    Parameters
    ----------
    model: torch.nn.Module
        Neither changed nor copied; a submodule of `local`, but not of `head`. Calls must not overlap in threads.

    names: sequence of str
        Submodules, as in ``model.get_submodule(name)``. The same ones must run in the same order at each prediction.

    Returns
    -------
    local: torch.nn.Module
        From X, as the model takes it, to one tensor, or a tuple in the order of the runs if the rest reads several.
        The first X must have a length that the full model takes.

    head: torch.nn.Module
        From the output of `local`, or other values in these shapes, and further inputs to the output of the model.

    Raises
    ------
    ValueError
        If `names` is empty, or has a name that is no submodule or lies within another; if a module is compiled or
        scripted. At the first prediction, if a named submodule does not run or returns no tensor; if the rest reads X
        other than through them, or, with other further inputs, an output that was not kept; if further inputs are used
        before the last of them has run.

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
    _check_plain(model)
    local = SplitLocal(model, tuple(names))
    return local, SplitHead(local)


class SplitLocal(torch.nn.Module):
    """The network up to the last run of a named module, and the plan that both parts share."""

    def __init__(self, model: torch.nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.training = model.training
        self.names = names
        self.plan = SplitPlan(_n_required(model))
        self._plans = Plans({(0, None, ""): self.plan})

    def expect(self, n_args: int, length: int | None, state: str) -> None:
        """Say how many further inputs the next predictions have, for which length `head` predicts, in which state."""
        key = n_args, length, state
        if key not in self._plans.by_use:
            self._plans.by_use[key] = SplitPlan(_n_required(self.model), n_args)
        self.plan = self._plans.by_use[key]
        self.plan.whole = None if length is None else (4, length)

    def keep_plan(self, state: str) -> None:
        """Use the present plan for another name of the same state too."""
        for key in [key for key, plan in self._plans.by_use.items() if plan is self.plan]:
            self._plans.by_use[(*key[:2], state)] = self.plan

    def named(self) -> dict[str, torch.nn.Module]:
        return {name: self.model.get_submodule(name) for name in self.names}

    def forward(self, X: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        if not self.plan.order:
            self.decide(X)
        kept, templates, n_seen = list[torch.Tensor](), list[Any](), 0

        def visit(name: str, output: Any) -> None:
            nonlocal n_seen
            last = len(templates) == len(self.plan.order) - 1
            tensors = tensors_of(output)
            for i, tensor in enumerate(tensors, n_seen):
                if i in self.plan.kept:
                    kept.append(tensor.clone() if i in self.plan.written and not last else tensor)
            templates.append(without_values(output))
            n_seen += len(tensors)

        with tapped(self.named(), self.plan.order, visit, then=stop):
            self.model(X, *[UNTOUCHED] * self.plan.n_required)
        self.plan.saw(X, kept, templates)
        return tuple(kept) if len(kept) > 1 else kept[0]

    def stand_ins(self, activations: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor], list[Any]]:
        """Return an X, tensors, and outputs of the named modules of these, with which to run the modules after them."""
        shapes = shapes_of(activations)
        if shapes not in self.plan.seen:
            raise RuntimeError(f"head must be given rows in shapes that local has returned; got {list(shapes)}.")
        seen = self.plan.seen[shapes]
        # Of several lengths that have the same number of bins, the others may be windows of the longest.
        whole = self.plan.whole if self.plan.whole in seen else max(seen, key=lambda shape: torch.Size(shape).numel())
        X, templates = seen[whole]
        tensors = [unread(tensor, activations[0]) for template in templates for tensor in tensors_of(template)]
        for i, tensor in zip(self.plan.kept, activations):
            tensors[i] = tensor
        tensors = [tensor.clone() if i in self.plan.written else tensor for i, tensor in enumerate(tensors)]
        left = iter(tensors)
        return unread(X, activations[0]).clone(), tensors, [with_tensors(template, left) for template in templates]

    def untrimmed(
        self, activations: list[torch.Tensor], keep: Sequence[tuple[int, int] | None], axis: int
    ) -> list[torch.Tensor]:
        """Put trimmed activations back among as many bins as the network has, NaN beyond ``keep``."""

        shapes = [
            shapes
            for shapes, rows in self.plan.seen.items()
            if self.plan.whole in (None, *rows) and _trimmed(shapes, keep, axis) == shapes_of(activations)
        ]
        if not shapes:
            return activations
        bins = []
        for shape, span, tensor in zip(max(shapes), keep, activations):
            whole = tensor
            if span is not None:
                whole = unread(torch.empty((1, *shape), dtype=tensor.dtype, device="meta"), tensor).clone()
                whole.narrow(axis, span[0], span[1] - span[0]).copy_(tensor)
            bins.append(whole)
        return bins

    def decide(self, X: torch.Tensor) -> None:
        """Find in which order the modules run, and the smallest set of outputs from which to predict a sequence."""
        PlanSearch(self.model, self.named(), self.plan).run(X)


class SplitHead(torch.nn.Module):
    """The network with the outputs of its named modules replaced by activations."""

    def __init__(self, local: SplitLocal) -> None:
        super().__init__()
        # In a tuple, so that the model is not registered, moved and saved a second time.
        self._local = (local,)

    def forward(self, activations: torch.Tensor | Sequence[torch.Tensor], *args: Any) -> Any:
        (local,) = self._local
        model, named, plan = local.model, local.named(), local.plan
        activations = [activations] if isinstance(activations, torch.Tensor) else list(activations)
        passed = tuple(arg is not None for arg in args)
        if len(args) > plan.n_required and passed not in plan.cleared:
            # `local` ran without the inputs that have a default, so it must not use them.
            X, _, outputs = local.stand_ins([tensor[:1] for tensor in activations])
            with torch.no_grad(), evaluating(model), tapped(named, plan.order, replace_by=outputs, then=stop):
                model(X, *[None if arg is None else UNTOUCHED for arg in args])
        X, tensors, outputs = local.stand_ins(activations)
        # Modules before the last named one ran in `local` already and see NaN here: they must not update statistics.
        with ExitStack() as stack:
            reads = None
            if plan.branches or passed not in plan.cleared:
                reads = _following(plan, X, tensors, args)
                if args and passed not in plan.cleared:
                    reads.follow_all(LEFT, _left_by(local, X[:1]))
                stack.enter_context(reads)
            until_last = stack.enter_context(ExitStack())
            if plan.at_rest is not None:
                until_last.callback(plan.at_rest)
            until_last.enter_context(evaluating(model))
            with tapped(named, plan.order, replace_by=outputs, then=until_last.close):
                y = model(X, *args)
        if reads is not None:
            _check_reads(local, reads, y)
            plan.cleared.add(passed)
        return y


def _following(plan: SplitPlan, X: torch.Tensor, tensors: list[torch.Tensor], args: Sequence[Any]) -> Reads:
    """Follow all that the rest may read, by its index; X by `THE_X`, and further inputs by None."""
    reads = Reads()
    reads.follow(THE_X, X)
    for i, tensor in enumerate(tensors):
        reads.follow(i, tensor)
    for arg in args:
        if isinstance(arg, torch.Tensor):
            reads.follow(None, arg)
    return reads


def _left_by(local: SplitLocal, X: torch.Tensor) -> Reads:
    """Follow an unknown sequence through `local`, and so to what its modules leave outside their outputs."""
    model, plan, reads = local.model, local.plan, Reads()
    plan.passes += 1
    unknown = torch.zeros_like(X)
    reads.follow(LEFT, unknown)
    up_to_last = tapped(local.named(), plan.order, then=stop)
    with torch.no_grad(), evaluating(model), reads, up_to_last:
        model(unknown, *[UNTOUCHED] * plan.n_required)
    return reads


def _check_reads(local: SplitLocal, reads: Reads, y: Any) -> None:
    """Refuse a prediction that reads what `head` does not get, which the values of this sequence may not show."""
    plan = local.plan
    plan.branches = plan.branches or bool(reads.decided)
    unknown = (reads.behind(y) | reads.decided) - {None, *plan.kept}
    if unknown:
        what = read_besides(unknown) or f"one that reads {len(unknown)} outputs that it did not read at first"
        raise Touched(f"the rest of the model must predict from {list(local.names)} alone; got {what}.")


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


def _check_plain(model: torch.nn.Module) -> None:
    """Refuse modules whose forward cannot be stopped and started by hooks."""
    for name, module in model.named_modules():
        compiled = hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None
        scripted = isinstance(module, torch.jit.ScriptModule)
        if compiled or scripted:
            how = "compiled by torch.compile" if compiled else "a TorchScript module"
            raise ValueError(
                "a network that is split by the names of its modules must run them in Python; got "
                f"{type(module).__name__}, {how}, at {name or 'the model itself'!r}: split the module that it was made "
                "from."
            )


def _n_required(model: torch.nn.Module) -> int:
    """Return how many further inputs the model requires, as far as its signature says."""
    parameters = list(inspect.signature(model.forward).parameters.values())
    positional = [p for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
    return sum(p.default is p.empty for p in positional[1:])


def _trimmed(shapes: Shapes, keep: Sequence[tuple[int, int] | None], axis: int) -> Shapes:
    """Return the shapes without the number of rows, once each has only the bins of its span of `keep`."""
    trimmed = []
    for shape, span in zip(shapes, keep):
        sizes = [1, *shape]
        if span is not None:
            sizes[axis] = min(span[1], sizes[axis]) - span[0]
        trimmed.append(tuple(sizes[1:]))
    return tuple(trimmed)
