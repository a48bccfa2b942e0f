"""What the two parity modules share: creme-nn 0.2.5 and tangermeme_creme on the same models, sequences and shuffles.

creme-nn takes one sequence of shape (L, 4) in numpy and a model with `predict`, and asks
`creme.shuffle.dinuc_shuffle` for a shuffle whenever it needs one. `Predictor` is such a model around one of torch, and
`Replay` answers with the shuffles that our operators draw, in the order in which the reference asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

import numpy as np
import pytest
import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import random_one_hot

from tangermeme_creme.sequence import Shuffler, Span, shuffle_backgrounds

TOLERANCE = 1e-6


def import_reference() -> ModuleType:
    """The module `creme.creme`; skips the test module where creme-nn is absent."""
    reason = "the reference implementation is absent: pip install --no-deps creme-nn==0.2.5"
    return pytest.importorskip("creme.creme", reason=reason)


def examples(n_examples: int, length: int, unknown: Span | None = None) -> torch.Tensor:
    """Random one-hot sequences, shape (N, 4, L); the last has unknown bases at `unknown`."""
    X = random_one_hot((n_examples, 4, length), random_state=3).float()
    if unknown is not None:
        X[-1, :, slice(*unknown)] = 0
    return X


def to_reference(X: torch.Tensor) -> np.ndarray:
    """Sequences of shape (..., 4, L) as the reference takes them, shape (..., L, 4)."""
    return X.transpose(-1, -2).numpy().copy()


@contextmanager
def one_thread() -> Iterator[None]:
    """The models here are so small that waiting for a second thread would take most of the time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class BinsByTracks(torch.nn.Module):
    """Two convolutions with random weights, pooled to bins that are then mixed: positive, shape (B, bins, tracks).

    In float64: rounding, which depends on how many sequences make a batch, then stays far below `TOLERANCE`.
    """

    n_fill = 0.0  # an unknown base is zeros on purpose

    def __init__(self, length: int, bins: int = 5, tracks: int = 3, filters: int = 8, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)

        def weight(*shape: int, fan_in: int, gain: float = 2) -> torch.nn.Parameter:
            return torch.nn.Parameter(
                torch.randn(*shape, generator=generator, dtype=torch.float64) * (gain / fan_in**0.5)
            )

        self.shape = (bins, tracks)
        self.pool = length // bins
        self.first = weight(filters, 4, 9, fan_in=9)
        self.second = weight(filters, filters, 5, fan_in=filters * 5)
        self.mix = weight(bins * tracks, filters * bins, fan_in=filters * bins, gain=1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        hidden = torch.nn.functional.conv1d(X, self.first, padding=4).relu()
        hidden = torch.nn.functional.conv1d(hidden, self.second, padding=2).relu()
        pooled = torch.nn.functional.avg_pool1d(hidden, self.pool).flatten(1)
        return torch.nn.functional.softplus(pooled @ self.mix.T).reshape(len(X), *self.shape)


class Predictor:
    """A torch model as the reference calls it. `rows` counts the sequences that it predicted."""

    def __init__(self, model: torch.nn.Module, length: int) -> None:
        self.model = model
        self.seq_length = length
        self.rows = 0

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predictions, shape (B, ...), of sequences of shape (B, L, 4); of shape (L, 4), with B = 1."""
        X = torch.as_tensor(np.asarray(x, dtype=np.float64)).transpose(-1, -2)
        X = X if X.ndim == 3 else X[None]
        self.rows += len(X)
        with torch.no_grad():
            return self.model(X).numpy()


class Replay:
    """Stands in for `dinuc_shuffle`: the shuffles that our operators draw for one example, again and again.

    Parameters
    ----------
    X: torch.Tensor, shape=(1, 4, L)

    n: int
        How many shuffles there are of the whole sequence and of each tile; shuffle n is shuffle 0 again.

    seed: int
        The seed of the example.

    tiles: sequence of (start, end)
        Those whose slices the reference will ask for. A slice is known by its bases.

    Attributes
    ----------
    asked: Counter
        How many shuffles were asked for, by the length of the sequence.
    """

    def __init__(self, X: torch.Tensor, n: int, seed: int, tiles: Sequence[Span] = ()) -> None:
        whole = to_reference(shuffle_backgrounds(X, n=n, random_state=seed)[0].to_one_hot())
        self._shuffles = {self._key(to_reference(X[0])): whole}
        codes = torch.where(X[0].any(0), X[0].argmax(0), 4).to(torch.uint8)
        shuffler = Shuffler(dinucleotide_shuffle)
        for start, end in tiles:
            drawn = shuffler.tile(codes, start, end, n, seed=seed, example=0)
            key = self._key(to_reference(X[0, :, start:end]))
            assert key not in self._shuffles, "two tiles hold the same bases"
            self._shuffles[key] = np.identity(5)[drawn.numpy()][..., :4]
        self._next: Counter[bytes] = Counter()
        self.asked: Counter[int] = Counter()

    def __call__(self, seq: np.ndarray, num_shufs: int | None = None, seed: int | None = None) -> np.ndarray:
        key = self._key(seq)
        shuffles = self._shuffles[key]
        wanted = np.arange(num_shufs or 1) + self._next[key]
        self._next[key] += len(wanted)
        self.asked[len(seq)] += len(wanted)
        result = shuffles[wanted % len(shuffles)].astype(seq.dtype)
        return result if num_shufs else result[0]

    @staticmethod
    def _key(seq: np.ndarray) -> bytes:
        return np.ascontiguousarray(seq).astype(np.int8).tobytes()


def assert_agree(ours: object, theirs: object) -> None:
    """The same shape, and the same numbers to `TOLERANCE`."""
    ours_, theirs_ = (torch.as_tensor(np.asarray(y)) for y in (ours, theirs))
    torch.testing.assert_close(ours_, theirs_, rtol=0, atol=TOLERANCE, check_dtype=False)


def largest_gap(ours: torch.Tensor, theirs: np.ndarray) -> float:
    """The largest difference between two arrays of one shape."""
    assert tuple(ours.shape) == np.shape(theirs)
    return float(np.abs(ours.numpy() - theirs).max())
