"""The measured reach of `local`, against arithmetic and against one base at a time."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import pytest
import torch
from hypothesis import given, settings, strategies as st
from incremental_cases import CPU, F64, Both, Does, bases, convolve, stack
from torch import nn

from tangermeme_creme.engine.incremental import IncrementalModel, Reach, SplitError, as_list, measure_reach


def model(local: nn.Module, axis: int = -1) -> IncrementalModel:
    return IncrementalModel(local, nn.Identity(), axis=axis).eval()


def measured(local: nn.Module, length: int, axis: int = -1) -> Reach:
    return measure_reach(model(local, axis), length, CPU, F64)


def outputs(local: nn.Module, length: int, axis: int = -1) -> list[tuple[int, ...]]:
    return [tuple(output) for output in measured(local, length, axis).outputs]


def up(factor: int = 2) -> nn.Module:
    return nn.Upsample(scale_factor=factor)


@pytest.mark.parametrize(("kernel", "padding", "dilation"), [(1, 0, 1), (5, 2, 1), (4, 1, 1), (3, 2, 2)])
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate"])
def test_reach_of_a_convolution_is_its_kernel(kernel: int, padding: int, dilation: int, mode: str) -> None:
    # Bin i reads [i - padding, i - padding + width), so base x reaches [x + padding + 1 - width, x + padding].
    width = (kernel - 1) * dilation + 1
    local = convolve(kernel, padding=padding, dilation=dilation, padding_mode=mode)
    before, after = width - 1 - padding, padding
    assert outputs(local, 64) == [(1, 64 + 2 * padding - width + 1, before, after)]


def test_reach_of_a_valid_convolution_is_to_the_left() -> None:
    assert outputs(convolve(7, padding=0), 64) == [(1, 58, 6, 0)]


@pytest.mark.parametrize("pool", [2, 3, 5, 7])
@pytest.mark.parametrize("kind", [nn.MaxPool1d, nn.AvgPool1d])
def test_reach_of_a_pooling_is_its_own_bin(pool: int, kind: type[nn.Module]) -> None:
    assert outputs(kind(pool), 40 * pool) == [(pool, 40, 0, 0)]


@pytest.mark.parametrize(("pool", "kernel", "bins"), [(4, 9, 1), (4, 11, 2), (8, 17, 1), (2, 7, 2)])
def test_reach_of_a_pooled_convolution_is_in_bins(pool: int, kernel: int, bins: int) -> None:
    # Half a kernel, in whole bins.
    assert bins == -(-(kernel // 2) // pool)
    assert outputs(nn.Sequential(convolve(kernel), nn.MaxPool1d(pool)), 48 * pool) == [(pool, 48, bins, bins)]


def test_reach_of_layers_adds_up() -> None:
    # 2 + 3 * 4 = 14 bp before pooling by 8; then 2 bins of 8 bp.
    layers = [convolve(5), convolve(9, 3, dilation=3), nn.MaxPool1d(8), convolve(5, 3)]
    assert outputs(nn.Sequential(*layers), 8 * 64) == [(8, 64, 4, 4)]


@pytest.mark.parametrize(("ceil_mode", "bins"), [(False, 24), (True, 25)])
def test_length_need_not_be_divisible(ceil_mode: bool, bins: int) -> None:
    reach = measured(nn.Sequential(convolve(3), nn.MaxPool1d(5, ceil_mode=ceil_mode)), 123)
    assert (reach.length, reach.align, *reach.outputs) == (123, 5, (5, bins, 1, 1))


@pytest.mark.parametrize(("block", "pool", "length"), [(8, 1, 499), (4, 1, 97), (8, 2, 360), (16, 4, 599), (8, 1, 512)])
def test_stride_of_a_network_that_pads_to_whole_blocks(block: int, pool: int, length: int) -> None:
    pad = Does(lambda X: nn.functional.pad(X, (0, -X.shape[-1] % block)))
    local = nn.Sequential(convolve(5), pad, nn.MaxPool1d(pool))
    assert [o[:2] for o in outputs(local, length)] == [(pool, -(-length // block) * block // pool)]


@pytest.mark.parametrize(("length", "pools"), [(104, (4, 3)), (135, (7, 2)), (220, (7, 3)), (10240, (10, 10, 10))])
def test_stride_is_not_the_length_over_a_few_bins(length: int, pools: tuple[int, ...]) -> None:
    # Of 104 bp, 96 are in eight bins of twelve; thirteen would go into the length as well.
    torch.manual_seed(0)
    layers = [(convolve(1, 3 if i else 4), nn.GELU(), nn.MaxPool1d(pool)) for i, pool in enumerate(pools)]
    try:
        (o,) = measured(nn.Sequential(*(layer for some in layers for layer in some)), length).outputs
    except SplitError:
        assert length // prod(pools) < 8  # too few for windows
    else:
        assert (o.stride, o.bins) == (prod(pools), length // prod(pools))


def test_outputs_have_strides_of_their_own() -> None:
    local = Both(nn.Sequential(convolve(3), nn.MaxPool1d(3)), nn.Sequential(convolve(3, 3), nn.MaxPool1d(5)))
    reach = measured(local, 15 * 24)
    assert reach.align == 15
    assert [(o.stride, o.bins) for o in reach.outputs] == [(3, 120), (15, 24)]


@pytest.mark.parametrize("length", [128, 160, 200])
def test_windows_align_to_what_is_pooled_on_the_way(length: int) -> None:
    # Back at one bin a base, but in pairs of fours.
    local = nn.Sequential(convolve(3), nn.MaxPool1d(4), convolve(3, 3), up(4))
    assert measured(local, length).align == 4
    assert [o.stride for o in measured(local, length).outputs] == [1]


def test_bins_may_come_first() -> None:
    transposed = Does(lambda y: y.mT, stack())
    assert outputs(transposed, 200, axis=1) == outputs(stack(), 200)


def test_bins_may_have_a_height() -> None:
    assert outputs(Does(lambda y: y[:, :, None], stack()), 200) == outputs(stack(), 200)


def test_a_list_is_as_good_as_a_tuple() -> None:
    assert outputs(Does(lambda y: [y, 2 * y], stack()), 200) == 2 * outputs(stack(), 200)


def covers(reach: Reach, local: nn.Module, axis: int = -1) -> bool:
    """Whether the window of each base holds all that it reaches on its own, brute force."""
    X = bases(1, reach.length).repeat(reach.length, 1, 1)
    positions = torch.arange(reach.length)
    X[positions, :, positions] = torch.nan
    with torch.no_grad():
        parts = as_list(local.eval()(X))
    for i, (o, part) in enumerate(zip(reach.outputs, parts)):
        nan = part.isnan().movedim(axis, -1).reshape(reach.length, -1, o.bins).any(1)
        for p in positions.tolist():
            blocks = reach.blocks(p, p + 1)
            first, last = (0, o.bins) if blocks is None else reach.window(p, p + 1, blocks).spans[i]
            if nan[p, :first].any() or nan[p, last:].any():
                return False
    return True


LOCALS: dict[str, Callable[[], nn.Module]] = {
    "odd": lambda: stack(5, 7),
    "even": lambda: nn.Sequential(convolve(4), convolve(6, 3), nn.MaxPool1d(3)),
    "dilated": lambda: nn.Sequential(convolve(3, dilation=3), convolve(5, 3, dilation=2), nn.AvgPool1d(4)),
    "overlapping bins": lambda: nn.Sequential(convolve(5), nn.MaxPool1d(7, stride=3, padding=3)),
    "strided": lambda: nn.Sequential(convolve(7, stride=3), convolve(3, 3, stride=2)),
    "seven": lambda: nn.Sequential(convolve(5), nn.MaxPool1d(7, ceil_mode=True)),
    "valid": lambda: nn.Sequential(convolve(7, padding=0), nn.MaxPool1d(2), convolve(3, 3, padding=0)),
    "upsampled": lambda: nn.Sequential(convolve(3), nn.MaxPool1d(2), up(), convolve(3, 3)),
    "transposed convolution": lambda: nn.Sequential(
        convolve(3), nn.MaxPool1d(4), nn.ConvTranspose1d(3, 3, 4, 2, 1, dtype=F64)
    ),
    "reflecting": lambda: nn.Sequential(convolve(5, padding_mode="reflect"), nn.MaxPool1d(2)),
    "replicating": lambda: nn.Sequential(convolve(9, padding_mode="replicate"), nn.MaxPool1d(3)),
    "two outputs": lambda: Both(stack(2, 5), nn.Sequential(convolve(3, 3), nn.MaxPool1d(2))),
    "even, reflecting": lambda: nn.Sequential(convolve(5), convolve(4, 3, padding="same", padding_mode="reflect")),
    "valid, replicating": lambda: nn.Sequential(convolve(4, padding=0), nn.ReplicationPad1d((6, 2))),
    "valid, reflecting": lambda: nn.Sequential(convolve(4, padding=0), nn.ReflectionPad1d((12, 16))),
    "valid, reflecting as much": lambda: nn.Sequential(convolve(5, padding=0), nn.ReflectionPad1d(4)),
}


@pytest.mark.parametrize("length", [96, 117, 133, 180, 211])
@pytest.mark.parametrize("name", LOCALS)
def test_no_base_reaches_further_than_was_measured(name: str, length: int) -> None:
    torch.manual_seed(0)
    local = LOCALS[name]()
    try:
        reach = measured(local, length)
    except SplitError:
        # Refused they are right as well: what reaches further at the ends, and lengths that are not in whole pairs.
        assert "," in name or (name in ("upsampled", "transposed convolution") and length % 4)
    else:
        assert covers(reach, local)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 7), st.integers(120, 260))
@settings(max_examples=25, deadline=None)
def test_reach_is_tight_to_a_block(kernel: int, dilation: int, pool: int, length: int) -> None:
    torch.manual_seed(0)
    local = nn.Sequential(convolve(kernel, dilation=dilation), nn.MaxPool1d(pool))
    reach = measured(local, length)
    assert covers(reach, local)
    (o,) = reach.outputs
    tighter = [o._replace(before=o.before - 2), o._replace(after=o.after - 2)]
    assert not any(covers(reach._replace(outputs=(t,)), local) for t in tighter)


@pytest.mark.parametrize("length", [126, 243, 367])
def test_a_shift_by_one_block_is_a_shift(length: int) -> None:
    # Strided by 3 and widened by 3: one bin a base, but in threes, which no power of two is a multiple of.
    torch.manual_seed(0)
    local = nn.Sequential(
        convolve(3, stride=3, padding=2, dilation=2), nn.ConvTranspose1d(3, 3, 1, stride=3, dtype=F64), convolve(25, 3)
    )
    try:
        reach = measured(local, length)
    except SplitError:
        return
    assert reach.align % 3 == 0


@pytest.mark.parametrize("length", [244, 246, 247])
def test_what_seldom_fires_does_not_hide_what_windows_align_to(length: int) -> None:
    # One motif of eight bases, which no random sequence that is tried has: all else is zero, wherever a window starts.
    detect, two = nn.Conv1d(4, 1, 8, dtype=F64), nn.Conv1d(1, 1, 2, 2, 1, dilation=3, bias=False, dtype=F64)
    detect.weight.data[0] = torch.eye(4, dtype=F64)[[0, 1, 2, 3, 3, 1, 0, 0]].mT
    detect.bias.data[:], two.weight.data[:] = -7, 1
    local = nn.Sequential(nn.ZeroPad1d((0, 7)), detect, nn.ReLU(), nn.MaxPool1d(4, 4, 2), two, up())
    assert measured(local, length).align % 8 == 0


def after(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(convolve(5), *layers)
