"""Small models of this package, and a user's model that is split by name, with random weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from tangermeme.utils import one_hot_encode, random_one_hot

from tangermeme_creme.engine.incremental import IncrementalModel
from tangermeme_creme.models import EnformerTSS
from tangermeme_creme.models.toy import MOTIFS, RegulatoryToy


def randomised(model: torch.nn.Module, seed: int = 0, gain: Callable[[str], float] = lambda name: 1.0) -> Any:
    """Draw random weights: initially, the attention of these networks adds nothing."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            noise = torch.randn(value.shape, generator=generator)
            if value.ndim == 1:
                value.copy_(value.mean().round() + (noise.abs() if "var" in name else noise) / 4)
            else:
                value.copy_(noise if "rel_" in name else gain(name) * noise / math.sqrt(value[0].numel()))
    return model.eval()


@cache
def enformer() -> IncrementalModel:
    from enformer_pytorch import Enformer

    config = {"dim": 48, "depth": 3, "heads": 4, "attn_dim_key": 8, "num_downsamples": 5, "dim_divisible_by": 8}
    network = Enformer.from_hparams(**config, target_length=40, output_heads={"human": 7})
    return EnformerTSS(randomised(network), tracks=[3, (0, 1)], bins=(19, 20))


def thin(borzoi: Any, channels: int = 24) -> Any:
    """Replace the wide layers of a Borzoi, which no setting makes narrower, by some of few channels."""
    heads = [getattr(borzoi, name, None) for name in ("human_head", "mouse_head")]
    for name, layer in list(borzoi.named_modules()):
        other: torch.nn.Module
        if isinstance(layer, torch.nn.Conv1d) and layer.groups == 1:
            n_in = channels if layer.in_channels >= 512 else layer.in_channels
            n_out = channels if layer.out_channels >= 512 and layer not in heads else layer.out_channels
            other = torch.nn.Conv1d(n_in, n_out, layer.kernel_size[0], padding=layer.padding)
        elif isinstance(layer, torch.nn.BatchNorm1d) and layer.num_features >= 512:
            other = torch.nn.BatchNorm1d(channels, eps=layer.eps)
        else:
            continue
        parent, _, last = name.rpartition(".")
        setattr(borzoi.get_submodule(parent), last, other)
    return borzoi


@cache
def borzoi() -> IncrementalModel:
    borzoi_pytorch = pytest.importorskip("borzoi_pytorch", reason="borzoi-pytorch is not installed")
    from tangermeme_creme.models import BorzoiTSS

    sizes = {"dim": 48, "depth": 2, "heads": 2, "attn_dim_key": 8, "attn_dim_value": 16, "bins_to_return": 64}
    networks = [randomised(thin(borzoi_pytorch.Borzoi.from_hparams(**sizes)), seed) for seed in range(2)]
    return BorzoiTSS(networks, tracks=[5, (0, 1)], replicates=None, length=4096)


@cache
def basenji() -> IncrementalModel:
    """Make a user's model, and split it by the names of two of its modules."""

    class Basenji(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = torch.nn.Sequential(torch.nn.Conv1d(4, 8, 15, padding=7), torch.nn.MaxPool1d(2))
            blocks = [(torch.nn.BatchNorm1d(8), torch.nn.GELU(), torch.nn.Conv1d(8, 8, 5, padding=2)) for _ in range(3)]
            self.tower = torch.nn.Sequential(*[m for block in blocks for m in (*block, torch.nn.MaxPool1d(2))])
            layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
            self.transformer = torch.nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
            self.out = torch.nn.Linear(8, 3)

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return self.out(self.transformer(self.tower(self.stem(2 * X - 0.5)).mT)).exp()

    return IncrementalModel.from_modules(randomised(Basenji()), local=["stem", "tower"])


@cache
def toy() -> IncrementalModel:
    return RegulatoryToy(2048, bin_size=32, response="saturating")


MODELS: dict[str, tuple[Callable[[], IncrementalModel], int]] = {
    "enformer": (enformer, 64 * 64),
    "borzoi": (borzoi, 4096),
    "basenji": (basenji, 512),
    "toy": (toy, 2048),
}
each = pytest.mark.parametrize(("make", "length"), MODELS.values(), ids=list(MODELS))


def sequences(length: int, n: int = 2) -> torch.Tensor:
    """Draw random bases, a few of them unknown, with the toy's motifs everywhere: any edit breaks motifs."""
    X = random_one_hot((n, 4, length), random_state=0).float()
    motifs = "".join(MOTIFS[name] for name in ("promoter", "enhancer", "silencer", "enhancer", "enhancer_b"))
    planted = one_hot_encode(motifs * (length // len(motifs))).float()
    X[0, :, : planted.shape[-1]] = planted
    X[-1, :, length // 3 : length // 3 + 9] = 0
    return X
