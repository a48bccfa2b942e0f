"""Test BorzoiTSS against the forward of the package, on small networks with random weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy

import pytest
import torch
from borzoi_cases import (
    FILLED,
    LENGTH,
    TRACKS,
    X,
    assert_close,
    attentions,
    cropped,
    output,
    read,
    small,
    subset_of,
    tss,
)
from borzoi_pytorch.pytorch_borzoi_model import TRACKS_DF
from borzoi_pytorch.pytorch_borzoi_transformer import Attention, get_positional_embed
from helpers import put, tile_shuffles
from tangermeme.predict import predict

from tangermeme_creme import necessity_test
from tangermeme_creme.models import BORZOI_TRACKS


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.mark.parametrize("bins", [None, [0], [31], [15, 16], [20, 3, 3, 31, 17], range(32)])
def test_borzoi_equals_the_package(bins: Sequence[int] | None) -> None:
    assert_close(tss(small(), bins=bins)(X), read(output(), TRACKS, range(12, 20) if bins is None else bins))


@pytest.mark.parametrize(("target", "n_bins"), [(64, 64), (-1, 64), (63, 62), (31, 30)])
def test_borzoi_equals_the_package_whatever_it_crops(target: int, n_bins: int) -> None:
    y = cropped(target)(FILLED[:1])
    assert y.shape[2] == n_bins
    for bins in ([0], [1, 2], [n_bins - 1], [n_bins - 1, 0]):
        assert_close(tss(cropped(target), bins=bins)(X[:1]), read(y, TRACKS, bins))
    assert_close(tss(cropped(target))(X[:1]), read(y, TRACKS, range(n_bins // 2 - 4, n_bins // 2 + 4)))


def test_borzoi_in_float64_equals_the_package_without_its_last_cast() -> None:
    double = deepcopy(small()).double()
    for attention in attentions(double):  # The package makes float32 positions, which do not work with float64 weights.
        attention.positions = get_positional_embed(LENGTH // 128, 4096, 32, "cpu").double()
    embedded = double.final_joined_convs(double.get_embs_after_crop(FILLED[:1].double()))
    expected = read(double.final_softplus(double.human_head(embedded)), TRACKS, [5, 30])
    assert_close(tss(double, bins=[5, 30])(X[:1].double()), expected, tolerance=1e-11)


@pytest.mark.parametrize("reduce", ["mean", "sum", "max"])
def test_borzoi_reduces_the_bins_of_each_track_and_then_sums_tracks(reduce: str) -> None:
    assert_close(tss(small(), bins=[2, 30, 9], reduce=reduce)(X), read(output(), TRACKS, [2, 30, 9], reduce))


def test_borzoi_replicates_are_averaged_or_an_axis() -> None:
    expected = torch.stack([read(output(seed), TRACKS, [4]) for seed in (0, 7)], 1)
    assert_close(tss([small(), small(7)], bins=[4], replicates=None)(X), expected)
    assert_close(tss((small(), small(7)), bins=[4])(X), expected.mean(1))
    assert_close(tss(small(), bins=[4], replicates=None)(X), expected[:, :1])


def test_borzoi_sums_strands_as_the_identifiers_pair_them() -> None:
    names = TRACKS_DF["identifier"]
    plus, minus, alone = (int(names[names == name].index[0]) for name in ("CNhs12336+", "CNhs12336-", "ENCFF833POA"))
    adapter = tss(small(), tracks=[minus, alone, (plus,), (3, 8)], bins=[1], sum_strands=True)
    assert_close(adapter(X), read(output(), [(plus, minus), alone, plus, (3, 8)], [1]))


def test_borzoi_paper_tracks_are_those_that_the_analysis_takes() -> None:
    described = TRACKS_DF["description"].str.split(":").str
    for line, tracks in BORZOI_TRACKS.items():
        label = line if line == "PC-3" else f"{line} ENCODE, biol_"
        assert tracks == tuple(TRACKS_DF.index[(described[0] == "CAGE") & (described[-1].str.strip() == label)])


def test_borzoi_mouse_head() -> None:
    expected = read(deepcopy(small(mouse=True))(FILLED, is_human=False), [2607, 1], [3])
    assert_close(tss(small(mouse=True), tracks=[2607, 1], bins=[3], head="mouse")(X), expected)


def test_borzoi_counts_tracks_in_a_subset() -> None:
    assert_close(tss(subset_of([9, 7610]), tracks=[1, 0], bins=[3])(X), read(output(), [7610, 9], [3]))


def test_borzoi_fills_unknown_bases_and_leaves_nan() -> None:
    raw = read(deepcopy(small())(X), TRACKS, [30])
    assert (raw - read(output(), TRACKS, [30])).abs().max() > 1e-2
    assert_close(tss(small(), bins=[30], n_fill=0)(X), raw)
    assert tss(small())(X[:1].masked_fill(torch.arange(LENGTH) == 1000, torch.nan)).isnan().all()


def test_borzoi_shares_the_model_and_leaves_it_as_it_is() -> None:
    mine = deepcopy(small(mouse=True)).train()
    mine.conv_dna.eval()
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    flags = [part.training for part in mine.modules()]
    adapter = tss(mine)
    assert [part.training for part in mine.modules()] == flags
    adapter.eval()(X[:1])
    assert all(torch.equal(before[name], value) for name, value in mine.state_dict().items())
    assert [attention.positions for attention in attentions(mine)] == [None, None]
    ours = [value.data_ptr() for value in adapter.state_dict().values()]
    theirs = [value.data_ptr() for name, value in mine.state_dict().items() if not name.startswith("mouse_head")]
    assert sorted(ours) == sorted(theirs)


def test_borzoi_keeps_evaluation_mode_through_predict() -> None:
    model = deepcopy(small())
    predict(tss(model), X[:1], device="cpu")
    assert not any(part.training for part in model.modules())


def test_borzoi_head_leaves_its_inputs_as_they_are() -> None:
    adapter = tss([small(), small()], bins=[0, 20])
    activations = adapter.trim(adapter.local(X[:1]))
    before = [a.clone() for a in activations]
    adapter.head(activations)
    assert len(before) == 6 and all(torch.equal(a, b) for a, b in zip(activations, before))


@pytest.mark.parametrize(("bins", "target"), [([20], 32), ([15, 13], 32), ([0], 64), ([63], 64)])
def test_borzoi_is_given_what_reaches_its_bins_and_no_more(bins: list[int], target: int) -> None:
    package = cropped(target)
    adapter = tss(package, bins=bins)
    in_32, in_64, in_128 = *adapter.keep[:2], adapter.head.readouts[0].model.in_128
    # Starts at the bins of 32 bp, without attention, so that a NaN does not spread to all positions.
    package.conv_dna, package.res_tower, package.transformer = (torch.nn.Identity() for _ in range(3))
    channels = package.horizontal_conv0.conv_layer.in_channels
    x = torch.randn(1, channels, LENGTH // 32, generator=torch.Generator().manual_seed(0))

    def reaching(layer: str, spoils: torch.Tensor) -> list[int]:
        found = []
        for position, spoil in enumerate(spoils):
            with getattr(package, layer).register_forward_hook(lambda module, args, y, spoil=spoil: y + spoil):
                if package.get_embs_after_crop(x)[:, :, bins].isnan().any():
                    found.append(position)
        return found

    def one_nan(n: int) -> torch.Tensor:
        return torch.zeros(n, n).fill_diagonal_(torch.nan)

    assert reaching("horizontal_conv0", one_nan(64)) == list(range(*in_32))
    assert reaching("horizontal_conv1", one_nan(32)) == list(range(*in_64))
    assert reaching("transformer", one_nan(16)[:, :, None]) == list(range(*in_128))


def test_borzoi_last_block_takes_only_the_queries_of_its_bins() -> None:
    model, shapes = deepcopy(small()), []
    for block in model.transformer:
        block[1].register_forward_pre_hook(lambda module, args: shapes.append(tuple(args[0].shape)))
    tss(model, bins=[20])(X)  # Bin 36 of the window, which needs 35 to 37, of 64 bp 16 to 19, of 128 bp 8 and 9.
    assert shapes == [(2, 16, 48), (2, 2, 48)]


def test_borzoi_local_takes_any_stretch() -> None:
    local = tss(small()).local
    for whole, part, stride in zip(local(X[:1]), local(X[:1, :, 512:1536]), (32, 64, 128)):
        assert_close(part[:, :, 384 // stride : 640 // stride], whole[:, :, 896 // stride : 1152 // stride])


def test_borzoi_does_not_trust_the_positions_that_the_package_keeps() -> None:
    used = deepcopy(small())
    for attention in attentions(used):
        attention.positions = get_positional_embed(32, 4096, 32, "cpu")  # As after a sequence of twice the length.
    expected = read(output(), TRACKS, [7])
    assert not torch.allclose(read(used(FILLED), TRACKS, [7]), expected, rtol=1e-2)
    assert_close(tss(used, bins=[7])(X), expected)


def test_borzoi_calls_a_block_with_another_attention_as_it_is() -> None:
    class Other(Attention):
        """Stand in for FlashAttention."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) * 2

    changed = deepcopy(small())
    for attention in attentions(changed):
        attention.__class__ = Other
    assert_close(tss(changed, bins=[7])(X), read(changed(FILLED), TRACKS, [7]))


def test_borzoi_last_layer_is_in_float32_under_autocasting() -> None:
    model, dtypes = deepcopy(small()), []
    model.final_softplus.register_forward_pre_hook(lambda module, args: dtypes.append(args[0].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        tss(model)(X[:1])
    assert dtypes == [torch.float32]


def test_borzoi_goes_where_a_model_goes() -> None:
    adapter, tile = tss(small()), (1000, 1500)
    expected = read(output(), TRACKS, range(12, 20))
    assert_close(predict(adapter, X.to(torch.int8), batch_size=1, device="cpu"), expected)
    result = necessity_test(adapter, X.to(torch.int8), [tile], n=1, random_state=3, device="cpu", incremental=False)
    edited = [put(x, tile[0], tile_shuffles(x, tile, 1, 3 + i)[0]) for i, x in enumerate(X)]
    assert_close(result.y_wt, expected)
    assert_close(result.y_mut[:, 0, 0], adapter(torch.stack(edited)))
