"""Test EnformerTSS against the indexed full output of the package's model."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from enformer_pytorch import Enformer
from enformer_pytorch.modeling_enformer import Attention
from tangermeme.predict import predict
from tangermeme.utils import random_one_hot

from tangermeme_creme import necessity_test
from tangermeme_creme.models import ENFORMER_TRACKS, EnformerTSS

SMALL: dict[str, Any] = {
    "dim": 48, "depth": 2, "heads": 4, "attn_dim_key": 8, "num_downsamples": 3, "dim_divisible_by": 8,
    "target_length": 10, "output_heads": {"human": 7, "mouse": 5},
}  # fmt: skip
BIN = 8


def small(dtype: torch.dtype = torch.float64, **config: Any) -> Enformer:
    """Build a small Enformer with random parameters: initially, its attention and normalization do nothing."""
    enformer = Enformer.from_hparams(**{**SMALL, **config}).to(dtype).eval()
    generator = torch.Generator().manual_seed(0)
    for name, parameter in enformer.named_parameters():
        scale = 1 if name.endswith(("_bias", "rel_k.weight")) else parameter.shape[-1] ** -0.5
        parameter.data = scale * torch.randn(parameter.shape, generator=generator, dtype=dtype)
    for module in enformer.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean = 0.3 * torch.randn(module.running_mean.shape, generator=generator, dtype=dtype)
            module.running_var = 0.5 + torch.rand(module.running_var.shape, generator=generator, dtype=dtype)
    return enformer


def sequences(bins: int = 16, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return random_one_hot((2, 4, bins * BIN), random_state=0).to(dtype)


@torch.no_grad()
def by_hand(
    enformer: Enformer, X: torch.Tensor, groups: Any, bins: Any, head: str = "human", reduce: str = "mean"
) -> torch.Tensor:
    y = enformer(X.transpose(1, 2))[head]
    over = {"mean": torch.mean, "sum": torch.sum, "max": torch.max}[reduce]
    rows = [[sum(over(y_i[list(bins), t]) for t in group) for group in groups] for y_i in y]
    return torch.stack([torch.stack(row) for row in rows])


@torch.no_grad()
def tss(enformer: Any, X: torch.Tensor, **options: Any) -> torch.Tensor:
    return EnformerTSS(enformer, **{"tracks": [3], "bins": (4, 5), **options})(X)


def close(y: torch.Tensor, expected: torch.Tensor, rtol: float = 1e-10) -> bool:
    return y.shape == expected.shape and torch.allclose(y, expected, rtol=rtol, atol=0)


def agree(enformer: Enformer, X: torch.Tensor, groups: Any = ([3],), bins: Any = (4, 5), **options: Any) -> bool:
    return close(tss(enformer, X, tracks=groups, bins=bins, **options), by_hand(enformer, X, groups, bins, **options))


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("bins", [[0], [4, 5], [0, 9], range(10), [7, 2, 5], [3, 3, 8], torch.tensor([1, 2]).numpy()])
def test_enformer_equals_the_package_at_any_depth_and_in_any_bins(depth: int, bins: Any) -> None:
    assert agree(small(depth=depth), sequences(), bins=bins)


@pytest.mark.parametrize("tracks", [[[6], [0], [6]], [(1, 2)], [[4], (5, 0, 1), [2]]])
def test_enformer_takes_tracks_and_sums_groups_of_them(tracks: Any) -> None:
    assert agree(small(), sequences(), tracks)


@pytest.mark.parametrize("head", ["human", "mouse"])
@pytest.mark.parametrize("reduce", ["mean", "sum", "max"])
def test_enformer_takes_heads_and_reductions(head: str, reduce: str) -> None:
    assert agree(small(), sequences(), [[1], [4, 0]], [2, 6, 7], head=head, reduce=reduce)


# 16 and 11, 15 and 10, 11 and 10 differ by an odd number: the package then returns one bin fewer than target_length.
@pytest.mark.parametrize(
    ("bins", "target", "returned"),
    [(16, 10, 10), (16, -1, 16), (16, 16, 16), (16, 11, 10), (15, 10, 9), (15, 11, 11), (15, -1, 15), (11, 10, 9)],
)
def test_enformer_crops_as_the_package_does(bins: int, target: int, returned: int) -> None:
    enformer, X = small(target_length=target), sequences(bins)
    assert len(enformer(X[0].T)["human"]) == returned
    assert agree(enformer, X, bins=[0, returned // 2, returned - 1], reduce="sum")


def test_enformer_fills_unknown_bases() -> None:
    enformer, X = small(), sequences()
    X[0, :, 50:60] = X[1, :, 3] = 0
    unchanged = X.clone()
    for options, value in (({"n_fill": 0}, 0), ({}, 0.25), ({"n_fill": 0.5}, 0.5)):
        filled = X.clone()
        filled[0, :, 50:60] = filled[1, :, 3] = value
        assert close(tss(enformer, X, **options), by_hand(enformer, filled, [[3]], (4, 5)))
    assert torch.equal(X, unchanged)


def test_enformer_does_not_take_nan_for_an_unknown_base() -> None:
    X = sequences()
    X[0, :, 40] = torch.tensor([torch.nan, 0, 0, 0])
    assert tss(small(), X).isnan().tolist() == [[True], [False]]


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.float16, torch.float64])
def test_enformer_takes_sequences_of_any_dtype(dtype: torch.dtype) -> None:
    enformer, X = small(torch.float32), sequences(dtype=torch.float32)
    X[:, :, 70:75] = 0
    assert torch.equal(tss(enformer, X.to(dtype)), tss(enformer, X))


def test_enformer_agrees_in_single_precision() -> None:
    enformer, X = small(torch.float32, depth=3), sequences(dtype=torch.float32)
    assert close(tss(enformer, X, tracks=[0, 6]), by_hand(enformer, X, [[0], [6]], (4, 5)), rtol=1e-5)


def test_enformer_local_gives_a_stretch_the_values_of_the_whole() -> None:
    X = sequences(24)
    X[:, :, 95:99] = 0
    local = EnformerTSS(small(), tracks=[0], bins=[0]).local
    with torch.no_grad():
        whole, stretch = local(X), local(X[:, :, 7 * BIN : 18 * BIN])
    assert whole.shape == (2, 24, 48) and whole.is_contiguous()
    assert close(stretch[:, 4:-4], whole[:, 11:14], rtol=1e-9)


@pytest.mark.parametrize("which", range(11))
def test_enformer_drops_out_where_the_package_does(which: int) -> None:
    # A dropout of everything is not random. Batch normalization stays in evaluation mode.
    enformer, X = small(), sequences()
    before = by_hand(enformer, X, [[3]], (4, 5))
    dropouts = [module for module in enformer.modules() if isinstance(module, torch.nn.Dropout)]
    assert len(dropouts) == 11
    dropouts[which].train().p = 1.0
    assert agree(enformer, X)
    assert not close(by_hand(enformer, X, [[3]], (4, 5)), before, rtol=1e-6)


def test_enformer_stays_in_step_with_the_model() -> None:
    enformer, X = small(), sequences()
    model = EnformerTSS(enformer, tracks=[3], bins=(4, 5))
    for parameter in enformer.parameters():
        parameter.data += 0.1
    enformer.set_target_length(8)
    assert close(predict(model, X, device="cpu"), by_hand(enformer, X, [[3]], (4, 5)))


def test_enformer_has_the_models_parameters_and_no_others_each_once() -> None:
    enformer = small()
    model = EnformerTSS(enformer, tracks=[3, 3], bins=(4, 5))
    kept = {id(t) for name, t in enformer.state_dict(keep_vars=True).items() if "mouse" not in name}
    assert sorted(map(id, model.state_dict(keep_vars=True).values())) == sorted(kept)
    assert {id(p) for p in model.parameters()} == {id(p) for p in enformer.parameters()} & kept


def state(enformer: Enformer) -> list[Any]:
    flags = [(m.training, len(m._forward_hooks), len(m._forward_pre_hooks)) for m in enformer.modules()]
    return [flags, [(name, id(p), p.tolist()) for name, p in enformer.state_dict(keep_vars=True).items()]]


@pytest.mark.parametrize("training", [False, True])
def test_enformer_leaves_the_model_as_it_was(training: bool) -> None:
    enformer, X = small().train(training), sequences()
    before = state(enformer)
    model = EnformerTSS(enformer, tracks=[3], bins=(4, 5))
    predict(model, X, device="cpu")
    assert state(enformer) == before
    enformer.stem.train(not training)
    before = state(enformer)
    necessity_test(model, X, [(0, 40)], n=1, random_state=0, device="cpu", incremental=False)
    assert state(enformer) == before


def test_enformer_goes_where_a_model_goes() -> None:
    enformer, X = small(), sequences()
    model = EnformerTSS(enformer, tracks=[3, (0, 1)], bins=(4, 5))
    expected = by_hand(enformer, X, [[3], [0, 1]], (4, 5))
    assert close(predict(model, X, batch_size=1, device="cpu"), expected)
    result = necessity_test(model, X, [(0, 40), (40, 80)], n=3, random_state=0, device="cpu", incremental=False)
    assert close(result.y_wt, expected) and result.y_mut.shape == (2, 2, 3, 2)
    assert not close(result.y_mut[:, :, 0], expected[:, None].expand(-1, 2, -1), rtol=1e-3)


def test_enformer_loads_a_folder(tmp_path: Path) -> None:
    enformer, X = small(torch.float32), sequences(dtype=torch.float32)
    enformer.save_pretrained(tmp_path, safe_serialization=False)
    for folder in (tmp_path, str(tmp_path)):
        assert close(tss(folder, X), tss(enformer, X), rtol=1e-6)


def test_enformer_loads_the_published_weights_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def from_pretrained(name: str) -> Enformer:
        asked.append(name)
        return small(torch.float32, output_heads={"human": 5313}, target_length=896).train()

    monkeypatch.setattr("enformer_pytorch.from_pretrained", from_pretrained)
    model = EnformerTSS(tracks="paper")
    assert asked == ["EleutherAI/enformer-official-rough"]
    assert not any(module.training for module in model.modules())
    X = sequences(898, torch.float32)
    assert close(model(X), by_hand(from_pretrained("").eval(), X, [[4824], [5110], [5111]], (447, 448)), rtol=1e-5)


def test_enformer_knows_the_tracks_of_the_paper_by_name() -> None:
    assert ENFORMER_TRACKS == {"PC-3": 4824, "GM12878": 5110, "K562": 5111}  # Methods of Toneyan & Koo 2024
    enformer, X = small(output_heads={"human": 5313}), sequences()
    by_name = tss(enformer, X, tracks=["K562", 7, ("PC-3", "GM12878")])
    assert close(by_name, by_hand(enformer, X, [[5111], [7], [4824, 5110]], (4, 5)))
    assert torch.equal(tss(enformer, X, tracks="paper"), tss(enformer, X, tracks=[4824, 5110, 5111]))


def test_enformer_sets_tf_gamma_on_a_folder(tmp_path: Path) -> None:
    X = sequences(1536, torch.float32)[:1]
    # 192 positional features, because the tables have 192 / 6 columns.
    enformer, with_tf = (small(torch.float32, dim=192, heads=1, use_tf_gamma=on) for on in (False, True))
    enformer.save_pretrained(tmp_path, safe_serialization=False)
    plain, expected = by_hand(enformer, X, [[3]], (4, 5)), by_hand(with_tf, X, [[3]], (4, 5))
    assert not close(expected, plain, rtol=1e-4)
    assert close(tss(tmp_path, X), plain, rtol=1e-5)
    assert close(tss(with_tf, X), expected, rtol=1e-5)
    assert close(tss(tmp_path, X, use_tf_gamma=True), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="with use_tf_gamma, X must be 1536 bins long; got 16 bins"):
        tss(tmp_path, X[:, :, : 16 * BIN], use_tf_gamma=True)


def test_enformer_follows_the_folder_on_tf_gamma_unless_told(tmp_path: Path) -> None:
    small(torch.float32, use_tf_gamma=True).save_pretrained(tmp_path, safe_serialization=False)
    for told, expected in ((None, True), (True, True), (False, False)):
        model = EnformerTSS(tmp_path, tracks=[3], bins=(4, 5), use_tf_gamma=told)
        assert [m.use_tf_gamma for m in model.modules() if isinstance(m, Attention)] == [expected] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": torch.nn.Linear(1, 1)}, "weights must be a name on the hub, a folder or an Enformer; got Linear"),
        ({"weights": "/gone"}, "weights must be a name on the hub or a folder that exists; got '/gone'"),
        ({"weights": "no/such/folder"}, "a name on the hub or a folder that exists; got 'no/such/folder'"),
        ({"weights": Path("no")}, "weights must be a name on the hub or a folder that exists; got 'no'"),
        ({"use_tf_gamma": False}, "use_tf_gamma is for weights that are loaded, not for a model; got False"),
        ({"head": "rat"}, "head must be one of ['human', 'mouse']; got 'rat'"),
        ({"reduce": "median"}, "reduce must be one of 'mean', 'sum', 'max'; got 'median'"),
        ({"tracks": []}, "tracks must name at least one; got []"),
        ({"tracks": [1, ()]}, "tracks to be summed must be at least one; got () at index 1"),
        ({"tracks": "K562"}, "tracks must be a sequence, or 'paper'; got 'K562'"),
        ({"tracks": 3}, "tracks must be a sequence, or 'paper'; got 3"),
        ({"tracks": [1, "HeLa"]}, "must be named 'PC-3', 'GM12878', 'K562'; got 'HeLa' at index 1"),
        ({"tracks": [0, 7]}, "tracks of head 'human' must be in [0, 7); got 7 at index 1"),
        ({"tracks": [0, (1, -1)]}, "tracks of head 'human' must be in [0, 7); got -1 at index 1"),
        ({"tracks": ["K562"], "head": "mouse"}, "tracks of head 'mouse' must be in [0, 5); got 5111 at index 0"),
        ({"tracks": [0, True]}, "tracks must be integers; got True at index 1"),
        ({"tracks": [0, (1, 2.0)]}, "tracks must be integers; got 2.0 at index 1"),
        ({"bins": []}, "bins must be a sequence that names at least one; got []"),
        ({"bins": 4}, "bins must be a sequence that names at least one; got 4"),
        ({"bins": [4, -1]}, "bins must be 0 or more; got -1 at index 1"),
        ({"bins": [4, 10]}, "bins must be in [0, 10); got 10 at index 1"),
        ({"bins": [4, False]}, "bins must be integers; got False at index 1"),
    ],
)
def test_enformer_refuses_bad_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        EnformerTSS(**{"weights": small(), "tracks": [3], "bins": (4, 5), **options})


@pytest.mark.parametrize(
    ("target", "shape", "message"),
    [
        (10, (2, 4, 128, 1), "X must have shape (N, 4, L), with L a multiple of 8; got shape (2, 4, 128, 1)"),
        (10, (2, 5, 128), "X must have shape (N, 4, L), with L a multiple of 8; got shape (2, 5, 128)"),
        (10, (2, 4, 0), "X must have shape (N, 4, L), with L a multiple of 8; got shape (2, 4, 0)"),
        (10, (2, 4, 124), "X must have shape (N, 4, L), with L a multiple of 8; got shape (2, 4, 124)"),
        (10, (2, 4, 72), "X must be at least as long as the 10 bins that the model returns; got 9 bins"),
        (10, (2, 4, 88), "bins must be in [0, 9) for 11 bins of X; got 9"),  # an odd crop removes one more bin
        (-1, (2, 4, 72), "bins must be in [0, 9) for 9 bins of X; got 9"),
    ],
)
def test_enformer_refuses_sequences_that_do_not_fit(target: int, shape: tuple[int, ...], message: str) -> None:
    model = EnformerTSS(small(target_length=target), tracks=[3], bins=[0, 9])
    with pytest.raises(ValueError, match=re.escape(message)):
        model(torch.zeros(shape))


def test_enformer_imports_transformers_only_when_it_is_built() -> None:
    code = "import sys, tangermeme_creme.models.enformer as e; print('transformers' in sys.modules, e.__name__)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == [
        "False",
        "tangermeme_creme.models.enformer",
    ]
