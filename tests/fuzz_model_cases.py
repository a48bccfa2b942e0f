"""Models and functions for random calls of operators: good, broken, and with errors of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from torch import nn

from tangermeme_creme.engine import IncrementalModel


def own(error: Exception) -> Exception:
    """Mark an error as that of a model or function of the caller, which may pass through as it is."""
    error.own = True  # type: ignore[attr-defined]
    return error


class Net(nn.Module):
    """A convolution, weighted by place, and two tracks: (N, 2). Further inputs, one row per sequence, scale these."""

    n_fill: float | None = 0.0

    def __init__(self, dtype: torch.dtype = torch.float64, positive: bool = True) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.kernel = nn.Parameter(torch.randn(3, 4, 3, generator=generator, dtype=torch.float64).to(dtype))
        self.out = nn.Parameter(torch.randn(3, 2, generator=generator, dtype=torch.float64).to(dtype))
        self.positive = positive

    def tracks(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        h = nn.functional.conv1d(X, self.kernel, padding=1).relu()
        y = (h * (1 + torch.arange(X.shape[-1], dtype=h.dtype) / X.shape[-1])).mean(-1) @ self.out
        y = nn.functional.softplus(y) if self.positive else y
        for arg in args:
            y = y * (1 + arg.reshape(len(arg), -1).mean(1, keepdim=True))
        return y

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        return self.tracks(X, *args)


class Returns(Net):
    """What a function makes of the tracks; what is drawn at random in there is not fixed by any seed."""

    def __init__(self, change: Callable[[torch.Tensor], Any], dtype: torch.dtype = torch.float64) -> None:
        super().__init__(dtype)
        self.change = change

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        return self.change(self.tracks(X, *args))


class Trained(Net):
    """In training mode but for one layer, which stays in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout, self.norm = nn.Dropout(0.5), nn.BatchNorm1d(2, dtype=torch.float64)
        self.norm.eval()

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        return self.norm(self.dropout(self.tracks(X, *args)))


class Overwrites(Net):
    """Changes its input in place, which is its own copy."""

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        y = self.tracks(X, *args)
        X.zero_()
        return y


class Counts(nn.Module):
    """Numbers of A and C, as integers or another dtype: a model without parameters or n_fill."""

    def __init__(self, dtype: torch.dtype = torch.int64) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        return (X[:, :2] * (1 + torch.arange(X.shape[-1]) % 3)).sum(-1).to(self.dtype)


class Head(nn.Module):
    """Every activation, nonlinearly: (N, 2), or that and its highest."""

    def __init__(self, dtype: torch.dtype, several: bool = False) -> None:
        super().__init__()
        self.scale, self.several = nn.Parameter(torch.ones((), dtype=dtype)), several

    def forward(self, h: torch.Tensor, *args: torch.Tensor) -> Any:
        y = torch.tanh((h * torch.arange(1, h.shape[-1] + 1, dtype=h.dtype)).mean(-1))[:, :2] * self.scale
        for arg in args:
            y = y * (1 + arg.reshape(len(arg), -1).mean(1, keepdim=True))
        return [y, y.amax(1)] if self.several else y


def in_part(dtype: torch.dtype = torch.float64, several: bool = False) -> IncrementalModel:
    """A network in two parts, with a stride of 2."""
    torch.manual_seed(0)
    return IncrementalModel(
        nn.Sequential(nn.Conv1d(4, 3, 3, padding=1, dtype=dtype), nn.GELU(), nn.MaxPool1d(2)), Head(dtype, several)
    ).eval()


class Counter(Net):
    """Another shape in each call."""

    calls = 0

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        self.calls += 1
        return self.tracks(X, *args)[:, : 1 + self.calls % 2]


def raises(make: Callable[[], Exception]) -> Callable[..., Any]:
    def change(*what: Any, **options: Any) -> Any:
        raise own(make())

    return change


def meta() -> nn.Module:
    return Net().to("meta")


GOOD: dict[str, Callable[[], Any]] = {
    "tracks": Net,
    "signed": lambda: Net(positive=False),
    "single precision": lambda: Net(torch.float32),
    "one number": lambda: Returns(lambda y: y[:, 0]),
    "bins": lambda: Returns(lambda y: torch.stack([y, 2 * y, y**2], 1)),
    "a list": lambda: Returns(lambda y: [y, y.sum(1)]),
    "a tuple of one": lambda: Returns(lambda y: (y,)),
    "training": Trained,
    "overwrites": Overwrites,
    "integers": Counts,
    "flags": lambda: Returns(lambda y: y > 0.8),
    "small integers": lambda: Counts(torch.uint8),
    "no parameters": lambda: Counts(torch.float32),
    "in part": in_part,
    "in part, single": lambda: in_part(torch.float32),
    "in part, several": lambda: in_part(several=True),
}
"""All must run and equal the naive loop."""

BAD: dict[str, Callable[[], Any]] = {
    "NaN": lambda: Returns(lambda y: y * torch.nan),
    "infinite": lambda: Returns(lambda y: y / 0),
    "complex": lambda: Returns(lambda y: y * 1j),
    "fewer rows": lambda: Returns(lambda y: torch.cat([y, y])[: len(y) - 1]),
    "more rows": lambda: Returns(lambda y: torch.cat([y, y])),
    "a dict": lambda: Returns(lambda y: {"y": y}),
    "nothing": lambda: Returns(lambda y: None),
    "text": lambda: Returns(lambda y: "y"),
    "a number": lambda: Returns(lambda y: y.mean()),
    "an empty list": lambda: Returns(lambda y: []),
    "a list with None": lambda: Returns(lambda y: [y, None]),
    "a list of lists": lambda: Returns(lambda y: [[y], [y]]),
    "sparse": lambda: Returns(lambda y: y.to_sparse()),
    "meta values": lambda: Returns(lambda y: y.to("meta")),
    "numpy": lambda: Returns(lambda y: y.numpy()),
    "no numbers": lambda: Returns(lambda y: y[:, :0]),
    "a function": lambda: lambda X: X.sum(),
    "None": lambda: None,
    "a class": lambda: Net,
    "text for a model": lambda: "model",
    "on the meta device": meta,
}
"""All must be refused, with a message."""

ODD: dict[str, Callable[[], Any]] = {
    "changing shape": Counter,
    "always random": lambda: Returns(lambda y: y + torch.rand(())),
    "of the batch": lambda: Returns(lambda y: y - y.mean(0)),
    "half precision": lambda: Returns(lambda y: y.half()),
    "no forward": nn.Module,
    "fails": lambda: Returns(raises(lambda: RuntimeError("weights are missing"))),
    "fails by key": lambda: Returns(raises(lambda: KeyError("head"))),
    "fails without a word": lambda: Returns(raises(AssertionError)),
    "no further inputs": lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 1)).eval(),
}
"""May run, be refused, or raise errors of their own."""


def double(model: Any, X: torch.Tensor, args: Any = None) -> Any:
    """A func of one's own: twice what the model predicts."""
    first = next(model.parameters(), torch.zeros(()))
    y = model(X.to(first.dtype), *(() if args is None else [arg.to(first.dtype) for arg in args]))
    return 2 * y if isinstance(y, torch.Tensor) else [2 * part for part in y]


def add(model: Any, X: torch.Tensor, args: Any = None, offset: float = 0.0, **options: Any) -> Any:
    """A func with arguments of its own, which gets the seed of each example too."""
    y = double(model, X, args)
    return y + offset if isinstance(y, torch.Tensor) else [part + offset for part in y]


def turned(X: torch.Tensor, n: int, random_state: int) -> torch.Tensor:
    """A shuffle function of one's own, without a span: shuffle k turns the sequence around k + seed bases."""
    return torch.stack([X.roll(k + random_state % 7, -1) for k in range(n)], 1)


BAD_SHUFFLES: list[Any] = [
    *(None, "dinucleotide", 5, torch.nn.Identity),
    lambda X, n, random_state: X,
    lambda X, n, random_state: None,
    lambda X, n, random_state: X[:, None].expand(-1, n, -1, -1) * 0.5,
    lambda X, n, random_state: X[:, None].expand(-1, n, -1, -1).to_sparse(),
    lambda X: X,
    lambda X, n, random_state: [X] * n,
]
ODD_SHUFFLES: list[Any] = [
    raises(lambda: RuntimeError("no shuffle")),
    raises(lambda: KeyError("identical")),
    lambda X, start, end, n, random_state: dinucleotide_shuffle(X, start, end, n, random_state, allow_N=True),
]
BAD_OBJECTIVES: list[Any] = [
    *(5, "mean", torch.ones(1)),
    lambda y: None,
    lambda y: y,
    lambda y: 0.0,
    lambda y: first(y).mean(),
    lambda y: first(y) * torch.nan,
    lambda y: first(y) * 1j,
    lambda y: first(y).numpy(),
    lambda: 0,
]


def first(y: Any) -> torch.Tensor:
    """An objective for any output: the first of it, one number per sequence."""
    y = y if isinstance(y, torch.Tensor) else y[0]
    return y.double().reshape(len(y), -1)[:, 0]
