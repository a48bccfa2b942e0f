"""Tell one state of a model from another: by its structure, its values, and what it computes."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch

from ..agreement import agreement_tolerance
from ..cache import ActivationCache
from ..device import autocasting, resolve_dtype
from ..fingerprint import fingerprint_attributes, fingerprint_model, plain_attributes
from ..work import Work
from .local_runs import LocalRuns, PartFails, SplitError
from .model import IncrementalModel
from .split import SplitLocal

# By the length of the sequences: the lengths that `local` may take for a probe, the shortest first.
_PROBED: weakref.WeakKeyDictionary[IncrementalModel, dict[int, list[int]]] = weakref.WeakKeyDictionary()

# The names of attributes that a prediction changes.
_VOLATILE: weakref.WeakKeyDictionary[IncrementalModel, set[str]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class RunAs:
    """How a model is run.

    Parameters
    ----------
    length: int
        Length of the sequences in bp.

    device: torch.device

    dtype: torch.dtype

    n_args: int
        How many further inputs it gets.
    """

    length: int
    device: torch.device
    dtype: torch.dtype
    n_args: int


class ModelIdentity:
    """What tells the activations of a model from those of others, and from its own before it was changed.

    Parameters
    ----------
    model: IncrementalModel
        In evaluation mode, on the device.

    run_as: RunAs

    works: list of Work
        All of them count what is run here.

    cache: ActivationCache or None
        Whose entries the model is to be told by; None if they are not shared.

    keys: dict
        Shared by sessions between which the model does not change: it is told from others once.

    Attributes
    ----------
    structure: hashable
        Of `local`.

    attributes: str
        A hash of the plain attributes, without those that a prediction changes.
    """

    def __init__(
        self,
        model: IncrementalModel,
        run_as: RunAs,
        works: list[Work],
        cache: ActivationCache | None,
        keys: dict[Hashable, Hashable],
    ) -> None:
        self._model, self._run_as, self._works, self._cache, self._keys = model, run_as, works, cache, keys
        self.structure: Hashable = (weakref.ref(model.local), repr(model.local), model.keep, model.axis)
        self.attributes = fingerprint_attributes(model, _VOLATILE.get(model, ()))

    @cached_property
    def key(self) -> Hashable:
        """The key of the model in a cache."""
        how = self._run_as, torch.get_float32_matmul_precision()
        key: Hashable = (weakref.ref(self._model), self.structure, how)
        if self._cache is None:
            return key
        if key not in self._keys:
            with self.noting_what_changes():
                probe = self._probe()
            volatile = {name.removeprefix("local.") for name in _VOLATILE.get(self._model, ())}
            weights = fingerprint_model(self._model.local, volatile)
            # Not all that a model computes with is a tensor or a plain attribute.
            tolerance = agreement_tolerance(self._run_as.dtype, self._run_as.device) / 100
            self._keys[key] = (key, weights, self._cache.state_of((key, weights), probe, tolerance))
        return self._keys[key]

    @contextmanager
    def noting_what_changes(self) -> Iterator[None]:
        """Find attributes that a prediction changes, such as counters, which do not tell one model from another."""
        before = plain_attributes(self._model)
        yield
        after = plain_attributes(self._model)
        changed = {name for name in before | after if before.get(name) != after.get(name)}
        if changed:
            volatile = _VOLATILE.setdefault(self._model, set())
            volatile |= changed
            self.attributes = fingerprint_attributes(self._model, volatile)
            if isinstance(self._model.local, SplitLocal):
                self._model.local.keep_plan(self.attributes)

    def decide(self) -> None:
        """Let a network that is split by the names of its modules find out, once, how these run, and for what.

        Raises
        ------
        SplitError
            If it cannot be split there.
        """
        local = self._model.local
        self._model.expect(self._run_as.n_args, self._run_as.length, self.attributes)
        if not isinstance(local, SplitLocal) or local.plan.order:
            return
        with self.counting_passes():
            try:
                dtype = resolve_dtype(self._model, None)  # no autocasting here
                local.decide(self._runs().random(1, self._run_as.length).to(dtype))
            except (torch.OutOfMemoryError, MemoryError):
                raise  # too little memory says nothing about the model
            except ValueError as error:
                raise SplitError(str(error)) from error
            except Exception as error:
                raise PartFails(f"a random sequence must be predicted; got {type(error).__name__}: {error}") from error

    @contextmanager
    def counting_passes(self) -> Iterator[None]:
        """Count the sequences that a split network runs to find out what its parts read."""
        plan = self._model.local.plan if isinstance(self._model.local, SplitLocal) else None
        passes = plan.passes if plan else 0
        try:
            yield
        finally:
            self._count(plan.passes - passes if plan else 0)

    def _probe(self) -> list[torch.Tensor]:
        """Run `local` on a short random sequence, always the same; on a whole one if it takes no other."""
        self.decide()
        runs, length = self._runs(), self._run_as.length
        lengths = _PROBED.setdefault(self._model, {}).setdefault(length, [])
        lengths += [max(1, length // share) for share in (16, 4, 1)] if not lengths else []
        try:
            with torch.no_grad(), autocasting(self._run_as.device, self._run_as.dtype):
                while True:
                    try:
                        X = runs.random(1, lengths[0])
                        X[..., : len(X[0, 0]) // 8] = 0  # unknown bases too may be read in another way
                        return [output.cpu() for output in runs(X)]
                    except SplitError:
                        if len(lengths) == 1:
                            raise
                        del lengths[0]
        finally:
            self._count(runs.sequences)

    def _runs(self) -> LocalRuns:
        return LocalRuns(self._model, self._run_as.length, self._run_as.device, self._run_as.dtype)

    def _count(self, sequences: float) -> None:
        for work in self._works:
            work.add(Work(n_checks=sequences))
