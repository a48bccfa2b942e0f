"""Small models and naive ways that the tests share: plain torch and tangermeme, nothing of tangermeme_creme."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from tangermeme.ersatz import dinucleotide_shuffle

BASES = "ACGT"

assert_close = partial(torch.testing.assert_close, rtol=1e-10, atol=1e-12)
"""For predictions in float64, where only the order of additions may differ."""


class CountA(torch.nn.Module):
    """How many A there are, shape (N, 1): exact in every dtype, and the same after every shuffle."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X[:, 0].sum(-1, keepdim=True)


class Mixer(torch.nn.Module):
    """Convolution, bins, a dense mix of the bins, tracks: positive, in float64, and different at every place.

    Returns (N, bins, tracks). Its weights come from `seed` alone.
    """

    n_fill = 0.0  # an unknown base is zeros on purpose

    def __init__(self, length: int, bins: int = 4, tracks: int = 2, seed: int = 0, channels: int = 6) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.bins = bins
        self.kernel = self._weights(generator, channels, 4, 5)
        self.place = self._weights(generator, length)
        self.mix = self._weights(generator, bins, bins)
        self.out = self._weights(generator, channels, tracks)

    @staticmethod
    def _weights(generator: torch.Generator, *shape: int) -> torch.nn.Parameter:
        return torch.nn.Parameter(torch.randn(shape, generator=generator, dtype=torch.float64))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        h = torch.nn.functional.conv1d(X, self.kernel, padding=2).relu() * self.place
        h = torch.nn.functional.adaptive_avg_pool1d(h, self.bins)
        h = torch.tanh(torch.einsum("ncb,bd->ncd", h, self.mix))
        return torch.nn.functional.softplus(torch.einsum("ncd,ct->ndt", h, self.out))


class ScaledMixer(Mixer):
    """A `Mixer` with two further inputs: a factor, shape (N, 1), and an offset for each track, shape (N, tracks)."""

    def forward(self, X: torch.Tensor, factor: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
        return super().forward(X) * factor[:, :, None] + offset[:, None]


class TwoHeads(Mixer):
    """A `Mixer` with two outputs: (N, bins, tracks), and the highest of each track, (N, tracks)."""

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = super().forward(X)
        return y, y.amax(1)


def random_sequences(
    n: int, length: int, seed: int = 0, unknown: float = 0.0, dtype: torch.dtype = torch.int8
) -> torch.Tensor:
    """One-hot sequences, shape (n, 4, length), of which a fraction `unknown` of the columns is all zero."""
    rng = np.random.default_rng(seed)
    codes = torch.from_numpy(rng.integers(0, 4, (n, length)))
    X = torch.nn.functional.one_hot(codes, 4).transpose(1, 2).to(dtype).contiguous()
    return X * torch.from_numpy(rng.random((n, 1, length)) >= unknown).to(dtype)


def one_hot(text: str, dtype: torch.dtype = torch.int8) -> torch.Tensor:
    """A string as one-hot, shape (4, L); N is an all-zero column."""
    return torch.tensor([[base == letter for base in text] for letter in BASES]).to(dtype)


def text_of(x: torch.Tensor) -> str:
    """One-hot, shape (4, L), as a string."""
    letters = []
    for column in x.T.tolist():
        letters.append(BASES[column.index(1)] if 1 in column else "N")
    return "".join(letters)


def codes_of(text: str) -> torch.Tensor:
    """A string as base codes, shape (L,), uint8."""
    return torch.tensor([(BASES + "N").index(letter) for letter in text], dtype=torch.uint8)


def put(x: torch.Tensor, start: int, content: torch.Tensor) -> torch.Tensor:
    """A copy of one sequence, shape (4, L), with `content`, shape (4, width), written in at `start`."""
    edited = x.clone()
    edited[:, start : start + content.shape[-1]] = content
    return edited


def shuffles(x: torch.Tensor, n: int, seed: int) -> torch.Tensor:
    """The n dinucleotide shuffles of one sequence, shape (n, 4, L).

    Where all n are alike tangermeme refuses; the first then stands for each.
    """
    try:
        return dinucleotide_shuffle(x[None], n=n, random_state=seed, allow_N=True)[0]
    except ValueError:
        return dinucleotide_shuffle(x[None], n=1, random_state=seed, allow_N=True)[0].repeat(n, 1, 1)


def tile_shuffles(x: torch.Tensor, tile: tuple[int, int], n: int, seed: int) -> torch.Tensor:
    """The n shuffles of one tile of one sequence, shape (n, 4, width)."""
    start, end = tile
    mixed = int(np.random.SeedSequence([seed, start, end]).generate_state(1)[0] >> 1)
    return shuffles(x[:, start:end], n, mixed)


def controls(x: torch.Tensor, tss: tuple[int, int], n: int, seed: int) -> list[torch.Tensor]:
    """The TSS tile of one sequence in each of its n backgrounds."""
    start, end = tss
    return [put(background, start, x[:, start:end]) for background in shuffles(x, n, seed)]


@torch.no_grad()
def answer(model: torch.nn.Module, x: torch.Tensor, *args: torch.Tensor) -> Any:
    """The model's output for one sequence, shape (4, L), without the batch axis."""
    y = model(x[None].double(), *(arg[None] for arg in args))
    return y[0] if isinstance(y, torch.Tensor) else [part[0] for part in y]


def answers(model: torch.nn.Module, sequences: Sequence[torch.Tensor]) -> torch.Tensor:
    """The model's outputs for some sequences, one after the other."""
    return torch.stack([answer(model, x) for x in sequences])
