"""Small Borzoi networks with random weights, and the predictions of the package."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import torch
from helpers import random_sequences
from model_cases import randomised, thin

from tangermeme_creme.models import BorzoiTSS

borzoi_pytorch = pytest.importorskip("borzoi_pytorch", reason="borzoi-pytorch is not installed")


# 64 bins of 32 bp; the small models return the central 32.
LENGTH, TRACKS = 2048, [7610, (0, 1, 7610), 5, 7610]


X = random_sequences(2, LENGTH, seed=1, unknown=0.02, dtype=torch.float32)


FILLED = torch.where(X.sum(1, keepdim=True) == 0, torch.tensor(0.25), X)


@cache
def small(seed: int = 0, mouse: bool = False, loadable: bool = False) -> Any:
    """Make a small Borzoi, shared by tests, in which every parameter and running statistic changes the output.

    One that is loadable has the widths that borzoi-pytorch builds, and can be loaded from its folder.
    """
    sizes = {"dim": 48, "depth": 2, "heads": 2, "attn_dim_key": 8, "attn_dim_value": 16, "bins_to_return": 32}
    model = borzoi_pytorch.Borzoi.from_hparams(**sizes, enable_mouse_head=mouse)
    # A change anywhere must change every bin, and no track may be near zero.
    return randomised(model if loadable else thin(model), seed, lambda name: 0.1 if "head" in name else 1.5)


def cropped(target: int) -> Any:
    model = deepcopy(small())
    model.crop.target_length = target
    return model


def subset_of(tracks: Sequence[int]) -> Any:
    model = deepcopy(small())
    model.set_track_subset(tracks)
    return model


def attentions(model: Any) -> list[Any]:
    return [block[0].fn[1] for block in model.transformer]


@cache
def output(seed: int = 0) -> torch.Tensor:
    """Predict with the package, shape=(2, 7611, 32)."""
    return deepcopy(small(seed))(FILLED)


def read(y: torch.Tensor, tracks: Sequence[Any], bins: Sequence[int], reduce: str = "mean") -> torch.Tensor:
    """Read tracks and bins of the package's output, one after the other."""
    columns = []
    for group in tracks:
        values = [torch.stack([y[:, t, b] for b in bins], 1) for t in (group if isinstance(group, tuple) else (group,))]
        columns.append(sum({"mean": v.mean(1), "sum": v.sum(1), "max": v.max(1).values}[reduce] for v in values))
    return torch.stack(columns, 1)


def tss(weights: Any, **options: Any) -> BorzoiTSS:
    return BorzoiTSS(weights, **{"tracks": TRACKS, "length": LENGTH, **options})


def assert_close(actual: torch.Tensor, expected: torch.Tensor, tolerance: float = 2e-5) -> None:
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)
