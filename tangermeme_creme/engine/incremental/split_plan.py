"""Find out how a network runs the modules at which it is split, and which of their outputs the rest reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from ..agreement import agreement_tolerance, relative_difference
from .nan_probe import buffers_restored
from .reads import Reads
from .taps import UNTOUCHED, Touched, evaluating, numbers_of, tapped, tensors_of, with_tensors, without_values

Shapes = tuple[tuple[int, ...], ...]

_OTHER = "another prediction, or none that is finite"

THE_X = "X"
"""The name of X among the tensors that are followed; the others have their index."""

LEFT = "left"
"""The name of all that an earlier prediction left on the modules, outside what they return."""


def read_besides(names: set[Hashable]) -> str | None:
    """Say what a prediction reads that `head` does not get; None if it is nothing of the sequence or of its state."""
    if LEFT in names:
        return "one that reads what a module left outside its output, such as an attribute of its own"
    return "one that reads X as well" if THE_X in names else None


@dataclass
class SplitPlan:
    """How the two parts run the network: found out at the first prediction.

    Parameters
    ----------
    n_required: int
        How many further inputs the model requires.

    n_further: int
        How many a caller of the whole model passes, as far as known: a forward with ``*args`` does not say.

    passes: int
        How many whole predictions it took to find out which outputs to keep.

    again: list of str
        The modules with weights that run in `local` and once more in `head`.

    at_rest: callable or None
        Called by `head` when the last named module has run and the rest begins.

    order: tuple of str
        The names in the order of their runs; empty before the first prediction.

    kept: tuple of int
        Which of the tensors that these runs return to keep, by index over all runs.

    written: frozenset of int
        Which tensors the code around the named modules may write into, so that it gets copies of them.

    branches: bool
        Whether values decide what runs in the rest, so that another sequence may read more.

    cleared: set
        The patterns of further inputs with which `head` was seen to read nothing but what it gets.

    seen: dict
        By the shapes of the returned tensors, and then by the shape of one row of X: X, and all outputs, without their
        data.

    whole: tuple of int or None
        The shape of one row of X for which `head` predicts; None is the longest of those seen.
    """

    n_required: int
    n_further: int = 0
    passes: int = 0
    again: list[str] = field(default_factory=list)
    at_rest: Callable[[], None] | None = None
    order: tuple[str, ...] = ()
    kept: tuple[int, ...] = ()
    written: frozenset[int] = frozenset()
    branches: bool = False
    cleared: set[tuple[bool, ...]] = field(default_factory=set)
    seen: dict[Shapes, dict[tuple[int, ...], tuple[torch.Tensor, list[Any]]]] = field(default_factory=dict)
    whole: tuple[int, ...] | None = None

    def saw(self, X: torch.Tensor, kept: list[torch.Tensor], outputs: list[Any]) -> None:
        """Remember that X gave these tensors to keep, from these outputs.

        Raises
        ------
        Touched
            If another X gave other numbers beside the tensors, which `head` would get from either.
        """
        by_length = self.seen.setdefault(shapes_of(kept), {})
        _, before = by_length.get(tuple(X.shape[1:]), (None, outputs))
        if numbers_of(outputs) != numbers_of(before):
            raise Touched(
                "local modules must return the same numbers for every sequence, beside their tensors; got "
                f"{numbers_of(before)}, then {numbers_of(outputs)}."
            )
        by_length[tuple(X.shape[1:])] = without_values(X), [without_values(output) for output in outputs]


def shapes_of(tensors: Iterable[torch.Tensor]) -> Shapes:
    """Return the shapes of tensors without the number of rows."""
    return tuple(tuple(tensor.shape[1:]) for tensor in tensors)


@dataclass
class Plans:
    """The plans of one network.

    Parameters
    ----------
    by_use: dict from (int, int or None, str) to SplitPlan
        By how many further inputs a prediction has, the length of the sequences, and a hash of what else decides which
        code runs: the rest may read other outputs for each of them.
    """

    by_use: dict[tuple[int, int | None, str], SplitPlan]


class PlanSearch:
    """Find in which order named modules run, and the smallest set of outputs from which to predict.

    Parameters
    ----------
    model: torch.nn.Module

    named: dict from str to torch.nn.Module
        The modules at which it is split.

    plan: SplitPlan
        Gets the answer.
    """

    def __init__(self, model: torch.nn.Module, named: dict[str, torch.nn.Module], plan: SplitPlan) -> None:
        self.model, self.named, self.plan = model, named, plan

    def run(self, X: torch.Tensor) -> None:
        """Predict the first sequence of X, shape (N, 4, L), in several ways."""
        # Without inference mode: its tensors do not record whether they were written into.
        with buffers_restored(self.model), torch.inference_mode(False), torch.no_grad(), evaluating(self.model):
            # X may hold the NaN that measures the reach of `local`, and the model may write into X.
            x = torch.nan_to_num(X[:1]) if len(X) else X.new_ones((1, *X.shape[1:]))
            try:
                order, outputs, expected, reads = self._watch(x.clone())
            except TypeError:
                # A forward with ``*args`` hides how many further inputs a module within it requires.
                if self.plan.n_further <= self.plan.n_required:
                    raise
                self.plan.n_required = self.plan.n_further
                order, outputs, expected, reads = self._watch(x.clone())
            n = sum(len(tensors_of(output)) for output in outputs)
            kept, written = tuple(range(n)), set(range(n))
            if not max(self.plan.n_required, self.plan.n_further):
                if LEFT in reads.decided:
                    # A number that a module keeps is not followed; of another sequence, it gives another prediction.
                    self.plan.passes += 1
                    self.model(x.flip(1))
                kept, written = self._reduce(x, order, outputs, expected, reads)
        self.plan.order, self.plan.kept, self.plan.written = tuple(order), kept, frozenset(written)
        # `head` may get activations that were cached before.
        tensors = [tensor for output in outputs for tensor in tensors_of(output)]
        self.plan.saw(x, [tensors[i] for i in kept], outputs)

    def _watch(self, x: torch.Tensor) -> tuple[list[str], list[Any], list[torch.Tensor], Reads]:
        """Predict a sequence.

        Returns the names in the order of their runs, what these returned, the prediction, and what was followed.
        """
        outputs, finished, y = list[Any](), list[tuple[str, int]](), list[torch.Tensor]()
        reads, n_seen = Reads(), 0
        reads.follow(LEFT, x)

        def visit(name: str, output: Any) -> None:
            nonlocal n_seen
            for tensor in tensors_of(output):
                reads.follow(n_seen, tensor)
                n_seen += 1
            outputs.append(with_tensors(output, [tensor.clone() for tensor in tensors_of(output)]))

        def finish(name: str, *_: Any) -> None:
            finished.append((name, len(outputs)))

        inside = {module for root in self.named.values() for module in root.modules()}
        with ExitStack() as stack:
            for name, module in self.model.named_modules():
                if module not in inside and not inside & set(module.modules()):
                    stack.callback(module.register_forward_hook(partial(finish, name)).remove)
            self.plan.passes += 1
            with tapped(self.named, None, visit) as order, reads:
                try:
                    y = tensors_of(self.model(x, *[UNTOUCHED] * self.plan.n_required))
                except Touched:
                    if set(order) < set(self.named):
                        raise
        weighted = {name for name, _ in self.model.named_modules() if _has_weights(self.model.get_submodule(name))}
        before = {name for name, n in finished if n < len(outputs)} & weighted
        self.plan.again = [name for name in before if not any(name.startswith(f"{other}.") for other in before)]
        self.plan.again.sort(key=[name for name, _ in finished].index)
        return order, outputs, y, reads

    def _reduce(
        self,
        x: torch.Tensor,
        order: Sequence[str],
        outputs: list[Any],
        expected: list[torch.Tensor],
        watched: Reads,
    ) -> tuple[tuple[int, ...], set[int]]:
        """Return which tensors of the outputs the rest reads, and which it may write into."""
        tensors = [tensor for output in outputs for tensor in tensors_of(output)]
        kept, written = set(range(len(tensors))), set[int]()

        def attempt(keep: set[int]) -> tuple[str | None, Reads, set[Hashable]]:
            """Predict from these tensors only.

            Returns the error, or None if the prediction is right, and what was read for it.
            """
            self.plan.passes += 1
            X, reads = unread(x, x).clone(), Reads()
            reads.follow_all(LEFT, watched)
            replaced = [t.clone() if i in keep else unread(t, t).clone() for i, t in enumerate(tensors)]
            left = iter(replaced)
            reads.follow(THE_X, X)
            for i, tensor in enumerate(replaced):
                reads.follow(i, tensor)
            try:
                with tapped(self.named, order, replace_by=[with_tensors(output, left) for output in outputs]), reads:
                    y = self.model(X)
            except (torch.OutOfMemoryError, MemoryError):
                raise  # too little memory says nothing about the model
            except Exception as error:
                return f"{type(error).__name__}: {error}", reads, set()
            # The version of a new tensor is 0 until it is written into.
            written.update(i for i, value in enumerate(replaced) if value._version)
            same = _same(tensors_of(y), expected)
            return None if same else _OTHER, reads, reads.behind(y)

        def settle(keep: set[int]) -> bool:
            """Keep what a prediction reads, and see that this is enough; return whether it is."""
            nonlocal kept
            for _ in range(3):
                wrong, reads, behind = attempt(keep)
                needed = {i for i in range(len(tensors)) if i in behind} or keep
                if reads.decided or read_besides(behind) or (wrong and needed == keep):
                    return False
                if needed == keep:
                    kept = keep
                    return True
                keep = needed
            return False

        def drop(some: list[int]) -> None:
            """Drop those without which the prediction stays the same: all together, or else half by half."""
            nonlocal kept
            if not some or len(kept) == len(some):
                return
            if not attempt(kept - set(some))[0]:
                kept -= set(some)
            elif len(some) > 1:
                drop(some[: len(some) // 2])
                drop(some[len(some) // 2 :])

        # A module that returns its own input makes another tensor seem to be read.
        if settle({i for i in kept if i in watched.behind(expected)} or kept):
            return tuple(sorted(kept)), written
        wrong, reads, behind = attempt(kept)
        if not wrong or wrong == _OTHER:
            wrong = read_besides(behind | reads.decided) or (wrong and wrong + self._in_place())
        if wrong:
            raise ValueError(f"the model must predict the same from {list(self.named)} as from X; got {wrong}.")
        self.plan.branches = bool(reads.decided)
        # Where values decide what is read, another sequence may need any of them.
        if not self.plan.branches:
            integers = {i for i, tensor in enumerate(tensors) if not tensor.is_floating_point()}  # cannot be NaN
            drop(sorted(kept - integers - behind))
        return tuple(sorted(kept)), written

    def _in_place(self) -> str:
        """Name modules that write into their input, which may be the output of another; empty if there are none."""
        names = [name for name, m in self.named.items() if any(getattr(part, "inplace", False) for part in m.modules())]
        return f" (note that {names} work in place)" if names else ""


def _has_weights(module: torch.nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def unread(like: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Return NaN, one value in memory, with the shape and dtype of `like` and the rows and device of `rows`."""
    one = torch.full([1] * like.ndim, math.nan if like.is_floating_point() else 0, dtype=like.dtype)
    return one.to(rows.device).expand(len(rows), *like.shape[1:])


def _same(y: list[torch.Tensor], expected: list[torch.Tensor]) -> bool:
    """Return whether two predictions agree up to rounding; NaN and predictions without a tensor never agree."""
    return 0 < len(y) == len(expected) and all(
        relative_difference(a, b) <= agreement_tolerance(a.dtype, a.device)
        if a.is_floating_point()
        else torch.equal(a, b)
        for a, b in zip(y, expected)
    )
