"""Test readouts of any model: heads, tracks, bins."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from tangermeme.predict import predict
from tangermeme.utils import random_one_hot

from tangermeme_creme import necessity_test
from tangermeme_creme.models import PeakReadout, Readout, tss_bins

BINS, TRACKS = 6, 5
Y = torch.arange(2 * BINS * TRACKS, dtype=torch.float32).reshape(2, BINS, TRACKS) ** 1.5


class Gives(torch.nn.Module):
    """Return a fixed output for any input."""

    def __init__(self, y: Any) -> None:
        super().__init__()
        self.y = y

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        return self.y


def read(y: Any, **options: Any) -> torch.Tensor:
    return Readout(Gives(y), **options)(torch.zeros(2, 4, 8))


def test_readout_of_tracks_and_bins_equals_a_loop() -> None:
    tracks, bins = [4, 0, 4], [1, 2, 5]
    for reduce, over in (("mean", torch.mean), ("sum", torch.sum), ("max", torch.max)):
        expected = torch.stack([torch.stack([over(Y[i, bins, t]) for t in tracks]) for i in range(2)])
        assert torch.allclose(read(Y, tracks=tracks, bins=bins, reduce=reduce), expected)


def test_readout_of_everything_is_the_mean_over_bins() -> None:
    assert torch.allclose(read(Y), Y.mean(1))


def test_readout_takes_the_axes_the_other_way_round() -> None:
    other = read(Y.transpose(1, 2), tracks=[1, 3], bins=[0, 4], bin_axis=2, track_axis=1)
    assert torch.equal(other, read(Y, tracks=[1, 3], bins=[0, 4]))


def test_readout_sums_groups_of_tracks() -> None:
    expected = torch.stack([Y[:, 2, 0] + Y[:, 2, 1], Y[:, 2, 3]], dim=1)
    assert torch.equal(read(Y, tracks=[(0, 1), 3], bins=[2]), expected)


def test_readout_without_a_track_or_a_bin_axis() -> None:
    assert torch.equal(read(Y[:, :, 0], bins=[2, 3], track_axis=None), Y[:, 2:4, 0].mean(1, keepdim=True))
    assert torch.equal(read(Y[:, 0], tracks=[2, 3], bin_axis=None, track_axis=1), Y[:, 0, 2:4])


@pytest.mark.parametrize(
    ("y", "head"),
    [({"human": Y, "mouse": -Y}, "human"), ([-Y, Y], 1), ((Y, -Y), 0), ({"a": {"b": Y}}, lambda y: y["a"]["b"])],
)
def test_readout_picks_a_head(y: Any, head: Any) -> None:
    assert torch.equal(read(y, head=head, bins=[0]), Y[:, 0])


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (Y, {"tracks": [5]}, "tracks must be in [0, 5); got 5"),
        (Y, {"bins": [-1]}, "bins must be in [0, 6); got -1"),
        (Y[0], {}, "must have 3 axes; got shape (6, 5)"),
        ({"human": Y}, {"head": "mouse"}, "head must be one of ['human']; got 'mouse'"),
        ([Y], {"head": 2}, "head must be one of [0]; got 2"),
        (Y, {"head": "human"}, "needs a model with several outputs; got Tensor"),
        ([Y, Y], {}, "the output must be a tensor; got list"),
    ],
)
def test_readout_refuses_what_is_not_there(y: Any, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read(y, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reduce": "median"}, "reduce must be one of 'mean', 'sum', 'max'; got 'median'"),
        ({"bin_axis": 0}, "must be the axes after the examples; got 0 and 2"),
        ({"bin_axis": 2}, "must be the axes after the examples; got 2 and 2"),
        ({"bin_axis": None, "track_axis": None}, "must be the axes after the examples; got None and None"),
        ({"bin_axis": None, "track_axis": 1, "bins": [0]}, "bins need a bin_axis; got bins [0]"),
        ({"track_axis": None, "tracks": [0]}, "tracks need a track_axis; got tracks [0]"),
        ({"tracks": []}, "must name at least one; got [] and None"),
        ({"tracks": [[]]}, "must name at least one; got [[]] and None"),
        ({"bins": []}, "must name at least one; got None and []"),
    ],
)
def test_readout_refuses_bad_arguments(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Readout(Gives(Y), **options)


def test_readout_goes_where_a_model_goes_and_hands_on_further_inputs() -> None:
    class Profile(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv1d(4, 3, 5)

        def forward(self, X: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            return self.conv(X) * scale[:, :, None]

    X, scale = random_one_hot((3, 4, 40), random_state=0).float(), torch.tensor([[1.0], [2.0], [3.0]])
    profile = Profile().eval()
    model = Readout(profile, tracks=[2], bins=[7, 8], bin_axis=2, track_axis=1)
    expected = predict(profile, X, args=[scale])[:, 2:3, 7:9].mean(-1)
    assert torch.equal(predict(model, X, args=[scale]), expected)
    assert torch.equal(necessity_test(model, X, [(0, 20)], n=2, random_state=0, args=[scale]).y_wt, expected)


@settings(max_examples=60, deadline=None)
@given(
    bin_size=st.integers(1, 64), n_bins=st.integers(9, 50), first=st.integers(0, 99), width=st.integers(1, 6),
    data=st.data(),
)  # fmt: skip
def test_tss_bins_are_the_bins_nearest_to_the_position(
    bin_size: int, n_bins: int, first: int, width: int, data: st.DataObject
) -> None:
    position = data.draw(st.integers(first + 4 * bin_size, first + (n_bins - 4) * bin_size - 1))
    bins = tss_bins(position, bin_size=bin_size, n_bins=n_bins, first_bp=first, width=width)
    assert list(bins) == list(range(bins[0], bins[0] + width))

    def distance(start: int) -> float:
        middle = first + (start + width / 2) * bin_size
        return abs(middle - (position if width % 2 == 0 else position + 0.5))

    assert distance(bins[0]) == min(distance(start) for start in range(n_bins - width + 1))
    if width % 2:
        assert first + bins[width // 2] * bin_size <= position < first + (bins[width // 2] + 1) * bin_size


@pytest.mark.parametrize(
    ("position", "width", "got"), [(100, 2, "bins [-1, 1)"), (0, 1, "bins [-10, -9)"), (259, 3, "bins [14, 17)")]
)
def test_tss_bins_refuses_a_position_off_the_output(position: int, width: int, got: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"output of 16 bins; got {got} for position {position}")):
        tss_bins(position, bin_size=10, n_bins=16, first_bp=100, width=width)


def test_tss_bins_refuses_no_width() -> None:
    with pytest.raises(ValueError, match="at least 1; got 0 and 10"):
        tss_bins(5, bin_size=10, n_bins=16, width=0)


def test_readout_of_a_model_in_evaluation_mode_leaves_it_there() -> None:
    """tangermeme's `predict` gives all modules the mode of the outermost module back."""
    network = torch.nn.Sequential(torch.nn.Conv1d(4, 3, 5, padding=2), torch.nn.BatchNorm1d(3)).eval()
    readout = Readout(network, bin_axis=2, track_axis=1)
    predict(readout, torch.eye(4)[None].repeat(2, 1, 5), device="cpu")
    assert not any(module.training for module in network.modules())
    assert Readout(network.train(), bin_axis=2, track_axis=1).training


@pytest.mark.parametrize("axes", [(1, 2), (2, 1)])
def test_peak_readout_gives_the_activity_and_where_the_profile_is_highest(axes: tuple[int, int]) -> None:
    y = torch.zeros(2, 8, 3)
    y[0, 1, 0] = y[0, 6, 1] = y[1, 4, 0] = y[1, 3, 1] = 5.0
    y[1, 6, 1] = 4.0
    y[1, 6, 0] = 3.0  # with track 1 the highest sum of the two
    given = y if axes == (1, 2) else y.transpose(1, 2)
    options = {"bin_axis": axes[0], "track_axis": axes[1], "tracks": [0, 1, (0, 1)]}
    place = {"position": 100, "bin_size": 10, "n_bins": 8, "first_bp": 60}  # the TSS between bins 3 and 4
    readout = PeakReadout(Gives(given), **place, **options)
    activity, offset = readout(torch.zeros(2, 4, 8))
    assert torch.equal(activity, read(given, bins=[3, 4], **options))
    # Bin b has its middle at 65 + 10 b; of equal bins the first counts.
    assert offset.tolist() == [[-25.0, 25.0, -25.0], [5.0, -5.0, 25.0]]
    with pytest.raises(ValueError, match="the output must have 7 bins; got 8"):
        PeakReadout(Gives(given), **place | {"n_bins": 7}, **options)(torch.zeros(2, 4, 8))
    with pytest.raises(ValueError, match=r"bins \[19, 21\) for position 260"):
        PeakReadout(Gives(given), **place | {"position": 260}, **options)
