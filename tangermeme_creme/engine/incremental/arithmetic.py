"""Count the arithmetic of the parts of a model, to tell what incremental inference saves."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import flop_registry

from ...support import warn
from ..work import Work
from .dispatch import Dispatch
from .model import IncrementalModel
from .split import SplitLocal

T = TypeVar("T")

# Modules that run in both parts are named in a warning if they cost more than this share of a prediction.
_WORTH_A_WARNING = 0.05


@dataclass
class Arithmetic:
    """Floating-point operations per sequence, as PyTorch counts them: those of convolutions and matrix products.

    Parameters
    ----------
    local: dict from int to float
        By the width of the stretch in bp; for other widths in proportion.

    head: float

    again: float
        Of `head`, for modules that ran in `local` already; see `IncrementalModel.from_modules`.

    Examples
    --------
    >>> counts = Arithmetic({100: 6.0, 50: 2.0}, head=5.0, again=1.0)
    >>> counts.whole(100), counts.of_local(25)
    (10.0, 0.0)
    """

    local: dict[int, float] = field(default_factory=dict)
    head: float = 0.0
    again: float = 0.0

    def whole(self, length: int) -> float:
        """Return the operations of one whole prediction; 0 if they are not known."""
        return self.local.get(length, 0.0) + self.head - self.again

    def of_local(self, width: int) -> float:
        """Return the operations of `local` on a stretch: a straight line, since convolutions that crop lose a part."""
        if width in self.local or len(self.local) < 2:
            longest = max(self.local, default=0)
            return self.local.get(width, self.local[longest] * width / longest if longest else 0.0)
        (a, flops_a), (b, flops_b) = sorted(self.local.items())[:: len(self.local) - 1]
        return max(0.0, flops_a + (flops_b - flops_a) * (width - a) / (b - a))


# By the model, and by what else decides which operations run.
_KNOWN: weakref.WeakKeyDictionary[IncrementalModel, dict[Hashable, Arithmetic]] = weakref.WeakKeyDictionary()


class PathWork:
    """Count the work of predictions in part: sequences, bases and arithmetic.

    Parameters
    ----------
    model: IncrementalModel

    length: int
        Length of the sequences in bp.

    conditions: hashable
        Sessions of one model under the same conditions measure its operations once.

    works: list of Work
        All of them count.
    """

    def __init__(self, model: IncrementalModel, length: int, conditions: Hashable, works: list[Work]) -> None:
        self._model, self._length, self._works = model, length, works
        self._arithmetic = _KNOWN.setdefault(model, {}).setdefault((length, conditions), Arithmetic())
        self._flops, self._bases = 0.0, 0.0  # that ran since the last prediction

    def count(self, **counts: float) -> None:
        """Add counts to every `Work`."""
        for work in self._works:
            work.add(Work(**counts))  # type: ignore[arg-type]

    def ran(self, rows: int, width: int) -> None:
        """Count stretches of `width` bp that ran through `local`."""
        for work in self._works:
            work.ran(rows, width, self._length)
        self._flops += rows * self._arithmetic.of_local(width)
        self._bases += rows * width / self._length

    def finished(self, rows: int) -> None:
        """Count predictions whose `head` has run, with all that ran for them before."""
        whole = self._arithmetic.whole(self._length)
        self.count(arithmetic=(self._flops + rows * self._arithmetic.head) / whole if whole else self._bases)
        self._flops, self._bases = 0.0, 0.0

    def measure_whole(self, run: Callable[[], T]) -> T:
        """Predict one sequence in full, and measure the operations of both parts."""
        local, marks, before = self._model.local, list[int](), list[int]()
        counter, passes = _FlopCounter(), _passes(local)

        def mark(*_: object) -> None:
            marks.append(counter.flops)

        hook = local.register_forward_hook(mark)
        if isinstance(local, SplitLocal):
            local.plan.at_rest = lambda: before.append(counter.flops)
        try:
            result = _counted(run, counter)
        finally:
            hook.remove()
            if isinstance(local, SplitLocal):
                local.plan.at_rest = None
        if len(marks) == 1 and counter.flops:
            # The first run of `head` may run `local` once more, to see what this leaves behind.
            at_head = marks[0] * (1 + _passes(local) - passes)
            self._arithmetic.local[self._length] = float(marks[0])
            self._arithmetic.head = float(counter.flops - at_head)
            self._arithmetic.again = float(sum(before[:1]) - at_head) if before else 0.0
            self._warn_of_twice()
        return result

    def measure_local(self, run: Callable[[], T], width: int) -> T:
        """Run `local` on one stretch, and measure its operations."""
        counter = _FlopCounter()
        result = _counted(run, counter)
        if counter.flops:
            self._arithmetic.local[width] = float(counter.flops)
        return result

    def _warn_of_twice(self) -> None:
        local, whole = self._model.local, self._arithmetic.whole(self._length)
        if isinstance(local, SplitLocal) and self._arithmetic.again > _WORTH_A_WARNING * whole:
            share, names = f"{self._arithmetic.again / whole:.0%}", ", ".join(local.plan.again)
            n = len(local.plan.again)
            what = f"{n} module{'s run' if n > 1 else ' runs'}" if names else "operations of the forward itself run"
            todo = f"name them in from_modules as well; got {names}" if names else "put them into a module, and name it"
            warn(
                f"{what} twice, before the last of {list(local.names)} and again in the head, for {share} of the "
                f"arithmetic of a prediction: {todo}."
            )


def _passes(local: torch.nn.Module) -> int:
    return local.plan.passes if isinstance(local, SplitLocal) else 0


class _FlopCounter(Dispatch):
    """Add up the operations of what runs, by PyTorch's own formulas.

    PyTorch's `FlopCounterMode` counts the same, but imports PyTorch's compiler first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        formula = flop_registry.get(func._overloadpacket)
        if formula is None and func is not torch.ops.prim.device.default:
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **kwargs)
        if formula is not None:
            self.flops += formula(*args, **kwargs, out_val=result)
        return result


def _counted(run: Callable[[], T], counter: _FlopCounter) -> T:
    """Run under a counter; without one where a model cannot be run under it."""
    try:
        with _without_fused_layers(), counter:
            return run()
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception:
        counter.flops = 0
        return run()  # raises what is wrong with the model itself


@contextmanager
def _without_fused_layers() -> Iterator[None]:
    """Run attention as the matrix products that it is made of: fused layers are not counted."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
