"""Split networks whose named modules leave more behind than what they return."""

from __future__ import annotations

from collections import OrderedDict, UserDict, defaultdict
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import pytest
import torch
from helpers import assert_close
from incremental_cases import F64, Does, bases, convolve, edited, edits_at, naive
from torch import nn
from torch.nn.functional import interpolate, max_pool1d

from tangermeme_creme.engine import EditSession, IncrementalModel

L = 120
EDITS = edits_at((0, 60, 1), (1, 30, 2))


class Encoder(nn.Module):
    """Returns its bins; `leave` gets what it has before the pool."""

    def __init__(self, leave: Callable[[Encoder, torch.Tensor], None]) -> None:
        super().__init__()
        self.conv, self.skip, self.leave = convolve(), nn.Buffer(torch.zeros(1, 3, 1, dtype=F64)), leave

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        h = self.conv(X)
        self.leave(self, h)
        return max_pool1d(h, 4)


class Net(nn.Module):
    """Reads the bins, and what `read` takes from the encoder."""

    def __init__(self, leave: Callable[[Encoder, torch.Tensor], None], read: Callable[[Encoder], Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder, self.read = Encoder(leave), read

    def forward(self, X: torch.Tensor, k: float | torch.Tensor = 1.0) -> torch.Tensor:
        bins = self.encoder(X)
        return k * torch.tanh(interpolate(bins, scale_factor=4) + self.read(self.encoder)).mean(-1)


def attribute(encoder: Encoder, h: torch.Tensor) -> None:
    encoder.kept = h


def buffer(encoder: Encoder, h: torch.Tensor) -> None:
    encoder.skip.copy_(h[-1:].amax(-1, keepdim=True))


def number(encoder: Encoder, h: torch.Tensor) -> None:
    encoder.kept = float(h[-1].max())


STATE: dict[str, tuple[Callable[[Encoder, torch.Tensor], None], Callable[[Encoder], Any], str]] = {
    "attribute": (attribute, lambda encoder: encoder.kept, "reads what a module left outside its output"),
    "false": (attribute, lambda encoder: (encoder.kept > 99).to(F64), "reads what a module left outside its output"),
    "buffer": (buffer, lambda encoder: encoder.skip, "reads what a module left outside its output"),
    "number": (number, lambda encoder: encoder.kept, "got another prediction"),
}


# Numbers are not followed, and with further inputs no second sequence is predicted.
@pytest.mark.parametrize(("name", "n_args"), [*product(STATE, [0]), *product(list(STATE)[:3], [1])])
@pytest.mark.parametrize("edits_first", [True, False])
def test_state_that_a_named_module_leaves_is_no_output(name: str, n_args: int, edits_first: bool) -> None:
    leave, read, message = STATE[name]
    net, X, args = Net(leave, read).eval(), bases(4, L), [torch.ones(4, 1, dtype=F64)] * n_args

    def predict() -> list[torch.Tensor]:
        with EditSession(
            IncrementalModel.from_modules(net, ["encoder"]), X, args=args or None, batch_size=1
        ) as session:
            first = [session.predict_edits(EDITS)] if edits_first else []
            return [*first, session.predict(), session.predict()]

    with pytest.warns(match=f"runs in full, not incrementally: .* {message}"):
        predictions = predict()
    of_edits = [arg[EDITS.base] for arg in args]
    expected = [naive(net, edited(X, EDITS), *of_edits)] if edits_first else []
    for y, e in zip(predictions, [*expected, naive(net, X, *args), naive(net, X, *args)], strict=True):
        assert_close(y, e)


class Scaled(nn.Module):
    """Returns its bins and a number."""

    def __init__(self, number: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.conv, self.number = convolve(), number

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, dict[str, Any]]:
        h = max_pool1d(self.conv(X), 4)
        return h, {"scale": self.number(h.detach())}


class ByNumber(nn.Module):
    def __init__(self, number: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.tower = Scaled(number)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        h, numbers = self.tower(X)
        return torch.tanh(h.mean(-1) * numbers["scale"])


NUMBERS: dict[str, tuple[Callable[[torch.Tensor], Any], bool]] = {
    "of the values": (lambda h: float(h.abs().mean()), True),
    "of the largest": (lambda h: round(h.amax().item(), 1), True),
    "of the length": (lambda h: h.shape[-1], False),
    "always the same": (lambda h: 2.0, False),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("edits_first", [True, False])
@pytest.mark.filterwarnings("ignore:.*runs in full, not incrementally")
def test_numbers_beside_the_tensors_must_be_the_same(name: str, edits_first: bool) -> None:
    number, differs = NUMBERS[name]
    net, X = ByNumber(number).eval(), bases(4, L)
    with EditSession(IncrementalModel.from_modules(net, ["tower"]), X, batch_size=1) as session:
        if edits_first:
            assert_close(session.predict_edits(EDITS), naive(net, edited(X, EDITS)))
        for _ in range(2):
            assert_close(session.predict(), naive(net, X))
        assert_close(session.predict_edits(EDITS), naive(net, edited(X, EDITS)))
    assert (session.work.n_partial == 0) == differs


class Out(dict[str, Any]):
    """Named as attributes too, as in many libraries."""

    def __init__(self, hidden: torch.Tensor) -> None:
        super().__init__(hidden=hidden)
        self.hidden = hidden


class Bag(dict[str, Any]):
    def __init__(self, items: dict[str, Any]) -> None:
        super().__init__(items)


class Few(list[Any]):
    def __init__(self, hidden: torch.Tensor, n: int) -> None:
        super().__init__([hidden, n])


class Pair(NamedTuple):
    hidden: torch.Tensor
    n: int = 1


class Made(Pair):
    def __new__(cls, hidden: torch.Tensor) -> Made:
        return super().__new__(cls, hidden, 2)


# What a named module returns, and how the rest gets at the bins in it.
CONTAINERS: dict[str, tuple[Callable[[torch.Tensor], Any], Callable[[Any], torch.Tensor]]] = {
    "attribute": (Out, lambda out: out.hidden),
    "items of attributes": (Out, lambda out: out["hidden"]),
    "dict of a dict": (lambda h: Bag({"hidden": h}), lambda out: out["hidden"]),
    "list of arguments": (lambda h: Few(h, 1), lambda out: out[0]),
    "named tuple": (Made, lambda out: out.hidden),
    "UserDict": (lambda h: UserDict({"hidden": h}), lambda out: out["hidden"]),
    "OrderedDict with numbers as keys": (lambda h: OrderedDict({7: h}), lambda out: out[7]),
    "defaultdict": (lambda h: defaultdict(list, {"hidden": h}), lambda out: out["hidden"]),
    "structure of PyTorch": (lambda h: h.max(1), lambda out: out.values[:, None]),
}


class Contained(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        pack, self.unpack = CONTAINERS[name]
        self.tower = Does(pack, convolve(), nn.MaxPool1d(4))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.unpack(self.tower(X)).mean(-1))


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_named_module_may_return_any_container(name: str) -> None:
    net, X = Contained(name).eval(), bases(2, L)
    with EditSession(IncrementalModel.from_modules(net, ["tower"]), X, batch_size=1, incremental=True) as session:
        assert_close(session.predict_edits(EDITS), naive(net, edited(X, EDITS)))
        assert_close(session.predict(), naive(net, X))
