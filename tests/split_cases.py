"""Small networks that run their modules in many ways, for the tests of splitting them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import LSTM, BatchNorm1d, Conv1d, Linear, MaxPool1d, Module, ReLU, Sequential
from torch.nn.functional import interpolate, one_hot

Forward = Callable[..., Any]
F64 = torch.float64
TWO, THREE = ["stem", "tower"], ["stem", "middle", "tower"]


def block(inputs: int, outputs: int, pool: int = 2) -> Sequential:
    return Sequential(Conv1d(inputs, outputs, 3, padding=1), BatchNorm1d(outputs), ReLU(), MaxPool1d(pool))


def bases(n: int = 3, length: int = 48, seed: int = 0) -> torch.Tensor:
    codes = torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(seed))
    return one_hot(codes, 4).mT.to(F64).contiguous()


class Chain(Module):
    """Convolutions, then a transformer, as in Basenji and Enformer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.middle, self.tower = block(4, 8), block(8, 8, pool=1), Sequential(block(8, 8), block(8, 8))
        self.attend = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.5)
        self.norm, self.out = BatchNorm1d(8), Linear(8, 2)
        self.lstm, self.pair, self.parts = LSTM(8, 8, batch_first=True), Pair(), Parts()
        self.to(F64).eval()

    def rest(self, h: torch.Tensor) -> torch.Tensor:
        return self.out(self.attend(self.norm(h).mT))

    def forward(self, X: torch.Tensor) -> Any:
        return self.rest(self.tower(self.stem(X)))


class UNet(Chain):
    """The rest reads the output of `tower`, and that of `stem` through a skip, but not that of `middle`."""

    def forward(self, X: torch.Tensor) -> Any:
        skip = self.stem(X)
        return self.rest(self.tower(self.middle(skip)).repeat_interleave(4, -1) + skip)


def permuted(self: Chain, X: torch.Tensor) -> Any:
    """Takes (N, L, 4) and fills N, in place, before the stem; reads the length of X after it."""
    length, X = X.shape[1], X.mT.clone()
    X[(X == 0).all(1, keepdim=True).expand_as(X)] = 0.25
    return interpolate(Chain.forward(self, X).mT, size=length)


def in_place(self: Chain, X: torch.Tensor) -> Any:
    """Writes into X, and into the outputs of all three; the rest reads those of `stem` and `tower`."""
    skip = self.stem(X.mul_(0.5))
    skip *= 2
    h = self.tower(self.middle(skip).sub_(1))
    h += 1
    return self.rest(h) + skip.mean()


def gated(self: Chain, X: torch.Tensor) -> Any:
    """Reads the output of `stem` through a comparison, which is False for NaN."""
    skip = self.stem(X)
    return self.rest(self.tower(skip)) + (skip > skip.mean()).sum()


def several(self: Chain, X: torch.Tensor) -> Any:
    """Several outputs, nested; looks at the shape of the output of `stem`, and counts its runs in a buffer."""
    h = self.stem(X)
    y = self.rest(self.tower(h)).view(len(h), -1, 2)
    self.norm.num_batches_tracked += 1
    return {"profile": [y, (y.exp(),)], "total": y.sum(1).argmax(-1)}


def stubborn(self: Chain, X: torch.Tensor) -> Any:
    try:
        return Chain.forward(self, X)
    except Exception:
        return Chain.forward(self, X)


def scaled(self: Chain, X: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor | None = None) -> Any:
    y = Chain.forward(self, X) * scale
    return y if shift is None else y + shift


def shifted(self: Chain, X: torch.Tensor, shift: torch.Tensor | None = None, tracks: int = 2) -> Any:
    y = Chain.forward(self, X)[..., :tracks]
    return y if shift is None else y + shift


def added(self: Chain, X: torch.Tensor, *more: torch.Tensor) -> Any:
    return sum(more, Chain.forward(self, X))


def twice(self: Chain, X: torch.Tensor) -> Any:
    """Runs one module two times, one after the other."""
    return self.rest(self.middle(self.middle(self.stem(X))))


def twice_with_skip(self: Chain, X: torch.Tensor) -> Any:
    """Runs one module two times, and reads what it returned both times."""
    first = self.middle(self.stem(X))
    return self.rest(self.middle(first) + first)


def recurrent(self: Chain, X: torch.Tensor) -> Any:
    """Reads the first tensor of a nested tuple."""
    return self.rest(self.lstm(self.stem(X).mT)[0].mT)


def both_of_a_tuple(self: Chain, X: torch.Tensor) -> Any:
    a, b = self.pair(self.stem(X))
    return self.rest(a * b)


def named_parts(self: Chain, X: torch.Tensor) -> Any:
    """Reads one of three values in a dictionary."""
    return self.rest(self.parts(self.stem(X))["bins"])


class Pair(Module):
    def forward(self, x: torch.Tensor) -> Any:
        return x + 1, x - 1


class Parts(Module):
    def forward(self, x: torch.Tensor) -> Any:
        return {"total": x.sum(-1), "bins": x * 2, "width": x.shape[-1]}


def net(forward: Forward) -> Any:
    return type("Net", (Chain,), {"forward": forward})()


def state_of(model: Module) -> list[Any]:
    """All that a prediction might leave behind."""
    own = [(sorted(vars(m)), m.training, list(m._forward_hooks), list(m._forward_pre_hooks)) for m in model.modules()]
    return [own, {key: value.tolist() for key, value in model.state_dict().items()}]


def assert_equal(y: Any, expected: Any) -> None:
    torch.testing.assert_close(y, expected, rtol=0, atol=0)
