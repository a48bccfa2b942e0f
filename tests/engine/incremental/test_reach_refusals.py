"""Refusing a `local` that cannot be split, by its cause, without a trace on the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from incremental_cases import CPU, F64, Does, convolve, stack
from torch import nn

from tangermeme_creme.engine.incremental import IncrementalModel, Reach, SplitError, measure_reach


def model(local: nn.Module, axis: int = -1) -> IncrementalModel:
    return IncrementalModel(local, nn.Identity(), axis=axis).eval()


def measured(local: nn.Module, length: int, axis: int = -1) -> Reach:
    return measure_reach(model(local, axis), length, CPU, F64)


class Recurrent(nn.Module):
    def __init__(self, both: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 3, batch_first=True, bidirectional=both, dtype=F64)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.lstm(X.mT)[0].mT


class Attentive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(4, 1, batch_first=True, dtype=F64)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.attend(X.mT, X.mT, X.mT)[0].mT


class AlwaysTraining(nn.BatchNorm1d):
    def train(self, mode: bool = True) -> AlwaysTraining:
        return super().train(True)


class Embedded(nn.Module):
    """Adds a vector of its own to each place."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X + torch.arange(X.shape[-1], dtype=F64).sin()


def after(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(convolve(5), *layers)


L = 120


END_TO_END = r"local must be position-local; a base reaches from end to end through "


BAD: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "batch statistics": (
        lambda: after(nn.BatchNorm1d(3, track_running_stats=False, dtype=F64)),
        END_TO_END + r"1 \(BatchNorm1d\)",
    ),
    "training": (lambda: after(AlwaysTraining(3, dtype=F64)), END_TO_END + r"1 \(AlwaysTraining, in training mode\)"),
    "groups": (lambda: after(nn.GroupNorm(1, 3, dtype=F64)), END_TO_END + r"1 \(GroupNorm\)"),
    "instances": (lambda: after(nn.InstanceNorm1d(3, dtype=F64)), END_TO_END + r"1 \(InstanceNorm1d\)"),
    "layer": (lambda: after(nn.LayerNorm(L, dtype=F64)), r"1 \(LayerNorm\)"),
    "recurrent": (lambda: Recurrent(True), r"lstm \(LSTM\)"),
    "one way": (lambda: Recurrent(False), r"a reach of up to \d+ bp to a side of a base"),
    "attention": (Attentive, r"attend \(MultiheadAttention\)"),
    "circular": (lambda: nn.Sequential(convolve(5, padding_mode="circular")), END_TO_END + r"0 \(Conv1d\)"),
    "fixed bins": (lambda: after(nn.AdaptiveAvgPool1d(20)), r"bins of local must follow the length; got 20 at "),
    "few fixed bins": (lambda: after(nn.AdaptiveAvgPool1d(3)), "bins of local must follow the length; got 3 at "),
    "dilation": (lambda: convolve(3, dilation=50), r"a reach of up to \d+ bp .* as long as the sequence of 120 bp"),
    "embedding": (lambda: after(Embedded(), convolve(3, 3)), "It may depend on the position"),
    "no NaN": (lambda: after(Does(torch.nan_to_num)), "local must pass on NaN"),
    "no NaN in one": (lambda: Does(lambda y: (y, y.nan_to_num()), convolve(3)), "local must pass on NaN"),
    "comparison": (lambda: Does(lambda X: (X > 0.5).to(F64)), "local must pass on NaN"),
    "integers": (lambda: Does(lambda y: y.nan_to_num().long(), convolve(3)), "floating-point tensors; got torch.int64"),
    "no axis": (lambda: Does(lambda y: y.flatten(), convolve(3)), r"one row per sequence, with the bins on axis -1"),
    "no bins": (lambda: Does(lambda y: y.mean((1, 2)), convolve(3)), r"with the bins on axis -1; got shape \(1,\)"),
    "one bin": (lambda: Does(lambda y: y.amax(-1, keepdim=True), convolve(3)), "more than one bin|end to end through"),
    "other rows": (
        lambda: Does(lambda y: torch.cat([y, y]), convolve(3)),
        r"got shape \(2, 3, 120\) at output 0 for 1",
    ),
    "dict": (lambda: Does(lambda y: {"y": y}, convolve(3)), "a tensor or a tuple of tensors; got dict"),
    "nothing": (lambda: Does(lambda y: (), convolve(3)), "a tensor or a tuple of tensors; got tuple"),
    "numbers": (lambda: Does(lambda y: (y, 3), convolve(3)), "floating-point tensors; got int at output 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_split_is_refused_by_its_cause(name: str) -> None:
    make, message = BAD[name]
    torch.manual_seed(0)
    with pytest.raises(SplitError, match=message):
        measured(make(), L)


def must_be_full(error: type[Exception]) -> nn.Module:
    def check(X: torch.Tensor) -> torch.Tensor:
        if X.shape[-1] != L:
            raise error("only the full length will do")
        return X

    return nn.Sequential(Does(check), stack())


@pytest.mark.parametrize("error", [ValueError, RuntimeError, IndexError, AssertionError, TypeError, KeyError])
def test_local_that_takes_only_the_full_length_is_refused(error: type[Exception]) -> None:
    with pytest.raises(
        SplitError, match=r"any stretch of whole strides; got an error at \d+ bp: .*only the full length"
    ):
        measured(must_be_full(error), L)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError, KeyboardInterrupt])
def test_running_out_of_memory_is_no_property_of_the_model(error: type[BaseException]) -> None:
    with pytest.raises(error):
        measured(must_be_full(error), L)  # type: ignore[arg-type]


def test_axis_that_is_not_there_is_refused() -> None:
    for axis in (0, 3, -3, -4):
        with pytest.raises(SplitError, match=f"with the bins on axis {axis}; got shape"):
            measured(stack(), L, axis=axis)


class Average(nn.Module):
    """Keeps a running average in a buffer that it replaces."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("average", torch.zeros(3, dtype=F64))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.average = 0.9 * self.average + 0.1 * X.mean((0, 2))
        return X


@pytest.mark.parametrize("norm", [lambda: AlwaysTraining(3, dtype=F64), Average], ids=["in place", "replaced"])
def test_measuring_leaves_no_trace_in_running_statistics(norm: Callable[[], nn.Module]) -> None:
    local = after(norm())
    before: dict[str, Any] = {name: value.clone() for name, value in local.state_dict().items()}
    try:
        measured(local, L)
    except SplitError:
        assert isinstance(local[1], AlwaysTraining)
    assert all(torch.equal(value, before[name]) for name, value in local.state_dict().items())


def test_measuring_leaves_no_hooks() -> None:
    local = after(nn.GroupNorm(1, 3, dtype=F64))
    with pytest.raises(SplitError):
        measured(local, L)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in local.modules())
