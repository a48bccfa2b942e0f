"""Networks in two parts, edits to their sequences, and naive ways to predict them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from helpers import random_sequences
from hypothesis import assume, strategies as st
from torch import nn

from tangermeme_creme.engine.incremental import IncrementalModel, as_list
from tangermeme_creme.sequence import Edits

CPU = torch.device("cpu")
F64 = torch.float64


class Mix(nn.Module):
    """Every activation in every number that it returns, nonlinearly; further inputs scale and shift these."""

    def __init__(self, shapes: Sequence[tuple[int, ...]], tracks: int = 3) -> None:
        super().__init__()
        sizes = [torch.Size(shape).numel() for shape in shapes]
        self.weights = nn.ParameterList(torch.randn(size, tracks, dtype=F64) * size**-0.5 for size in sizes)

    def forward(self, activations: torch.Tensor | tuple[torch.Tensor, ...], *args: torch.Tensor) -> Any:
        y = torch.tanh(sum(part.flatten(1) @ w for part, w in zip(as_list(activations), self.weights)))
        for arg in args:
            y = y * arg + arg
        return y


class MixTwo(Mix):
    """Two outputs, of different shapes."""

    def forward(self, activations: Any, *args: torch.Tensor) -> Any:
        y = super().forward(activations, *args)
        return [y, y.amax(1)]


class Does(nn.Module):
    """A function of X as a module, after some layers."""

    def __init__(self, function: Callable[[torch.Tensor], Any], *layers: nn.Module) -> None:
        super().__init__()
        self.layers, self.function = nn.Sequential(*layers), function

    def forward(self, X: torch.Tensor) -> Any:
        return self.function(self.layers(X))


class Both(nn.Module):
    """What `first` returns, and what `second` makes of it."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = self.first(X)
        return y, self.second(y)


def convolve(kernel: int = 5, inputs: int = 4, outputs: int = 3, **options: Any) -> nn.Conv1d:
    """A convolution in float64 that keeps the length, unless the options say otherwise."""
    options.setdefault("padding", (kernel - 1) * options.get("dilation", 1) // 2)
    return nn.Conv1d(inputs, outputs, kernel, dtype=F64, **options)


def stack(pool: int = 5, kernel: int = 5) -> nn.Sequential:
    """Convolution, nonlinearity, pooling: three channels, bins of `pool` bp, from a fixed seed."""
    torch.manual_seed(0)
    return nn.Sequential(convolve(kernel), nn.GELU(), nn.MaxPool1d(pool))


def split(
    local: nn.Module,
    length: int,
    head: Callable[[list[tuple[int, ...]]], nn.Module] = Mix,
    form: type[IncrementalModel] = IncrementalModel,
    **options: Any,
) -> IncrementalModel:
    """A network of `local` and a dense head that fits it, in evaluation mode."""
    with torch.no_grad():
        whole = IncrementalModel(local, nn.Identity(), **options).eval()
        shapes = [tuple(part.shape[1:]) for part in whole.trim(as_list(local(bases(1, length))))]
    return form(local, head(shapes), **options).eval()


def bases(n: int, length: int, seed: int = 0, unknown: float = 0.0) -> torch.Tensor:
    """One-hot sequences in float64."""
    return random_sequences(n, length, seed, unknown, dtype=F64)


def hot(codes: torch.Tensor) -> torch.Tensor:
    """Codes, shape (..., L), as one-hot, shape (..., 4, L); 4 is an all-zero column."""
    return nn.functional.one_hot(codes.long(), 5)[..., :4].mT.to(F64)


def edits_at(*places: tuple[int, int, int], seed: int = 0) -> Edits:
    """Edits of (row, start, width), each with random content of its own, unknown bases included."""
    generator = torch.Generator().manual_seed(seed)
    content = [torch.randint(0, 5, (width,), generator=generator).to(torch.uint8) for _, _, width in places]
    row, start, _ = zip(*places)
    return Edits(torch.tensor(row), torch.tensor(start), torch.arange(len(places)), content)


def write(X: torch.Tensor, edits: Edits) -> torch.Tensor:
    """A copy of the sequences with all edits written in, in order."""
    X = X.clone()
    for row, start, i in zip(edits.base, edits.start, edits.content_index):
        X[row, :, start : start + len(edits.content[i])] = hot(edits.content[i])
    return X


def edited(X: torch.Tensor, edits: Edits) -> torch.Tensor:
    """Each edit on its own, shape (E, 4, L)."""
    alone = [Edits(*(part[[e]] for part in edits[:3]), edits.content) for e in range(len(edits.base))]
    return torch.stack([write(X, one)[one.base[0]] for one in alone])


@torch.no_grad()
def naive(model: nn.Module, X: torch.Tensor, *args: torch.Tensor) -> Any:
    """The network itself, a sequence at a time."""
    rows = [model(X[i : i + 1], *(arg[i : i + 1] for arg in args)) for i in range(len(X))]
    return torch.cat(rows) if isinstance(rows[0], torch.Tensor) else [torch.cat(part) for part in zip(*rows)]


@contextmanager
def watched(module: nn.Module) -> Iterator[list[tuple[int, int]]]:
    """How many sequences of how many bp a module is given, call by call."""
    calls: list[tuple[int, int]] = []
    hook = module.register_forward_pre_hook(lambda _, inputs: calls.append((len(inputs[0]), inputs[0].shape[-1])))
    try:
        yield calls
    finally:
        hook.remove()


def bp(calls: list[tuple[int, int]]) -> int:
    """How many bases a module was given."""
    return sum(rows * width for rows, width in calls)


@st.composite
def layers(draw: st.DrawFn, modes: Sequence[str], kernels: Sequence[int], inputs: int = 4) -> nn.Sequential:
    """Draw a convolution, perhaps a normalization, and perhaps a pooling."""
    kernel, mode = draw(st.sampled_from(kernels)), draw(st.sampled_from(modes))
    dilation, valid = draw(st.integers(1, 3)), draw(st.booleans())
    # With zeros, torch warns that padding="same" copies, where the sides differ.
    padding: Any = 0 if valid else (kernel - 1) * dilation // 2 if mode == "zeros" else "same"
    drawn: list[nn.Module] = [convolve(kernel, inputs, dilation=dilation, padding=padding, padding_mode=mode)]
    if draw(st.booleans()):
        norm = nn.BatchNorm1d(3, dtype=F64)
        norm.running_mean, norm.running_var = torch.randn(3, dtype=F64), torch.rand(3, dtype=F64) + 0.5
        drawn.append(norm)
    drawn.append(draw(st.sampled_from([nn.GELU(), nn.ReLU(), nn.Identity()])))
    stride = draw(st.integers(1, 5))
    if draw(st.booleans()):
        drawn.append(nn.MaxPool1d(stride, ceil_mode=draw(st.booleans())))
    elif draw(st.booleans()):
        drawn.append(nn.AvgPool1d(3, stride, padding=1))
    return nn.Sequential(*drawn)


@st.composite
def models(
    draw: st.DrawFn,
    length: int,
    modes: Sequence[str] = ("zeros", "reflect", "replicate"),
    kernels: Sequence[int] = range(1, 8),
    n_layers: int = 3,
) -> IncrementalModel:
    """Draw a network: one to three layers in `local`, one output or two, bins last or first, all of them or some."""
    torch.manual_seed(draw(st.integers(0, 1000)))
    drawn = [draw(layers(modes, kernels, 3 if i else 4)) for i in range(draw(st.integers(1, n_layers)))]
    local: nn.Module = nn.Sequential(*drawn)
    if draw(st.booleans()):
        local = Both(local, draw(layers(modes, kernels, 3)))
    axis = draw(st.sampled_from([-1, 2, 1]))
    if axis == 1:
        local = Does(lambda y: y.mT if isinstance(y, torch.Tensor) else [part.mT for part in y], local)
    try:
        with torch.no_grad():
            n_bins = [part.shape[axis] for part in as_list(local.eval()(bases(1, length)))]
    except RuntimeError:  # too short for its kernels
        n_bins = []
    assume(n_bins and all(n_bins))
    keep = None
    if draw(st.booleans()):
        starts = [draw(st.integers(0, n - 1)) for n in n_bins]
        keep = [draw(st.sampled_from([None, (start, (start + n + 1) // 2)])) for start, n in zip(starts, n_bins)]
    return split(local, length, axis=axis, keep=keep)


@st.composite
def some_edits(draw: st.DrawFn, n_rows: int, length: int, most: int = 6) -> Edits:
    """Draw edits of one base up to the whole sequence, often at its ends."""
    places = []
    for _ in range(draw(st.integers(1, most))):
        width = draw(st.one_of(st.just(1), st.integers(1, 1 + length // 10), st.integers(1, length)))
        start = draw(st.one_of(st.just(0), st.just(length - width), st.integers(0, length - width)))
        places.append((draw(st.integers(0, n_rows - 1)), start, width))
    return edits_at(*places, seed=draw(st.integers(0, 1000)))
