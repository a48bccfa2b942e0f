"""Split your own network so that edits run in part: a Basenji-like CNN and transformer with random weights.

    python examples/own_model.py

Prints the work of both ways, and the largest difference of their predictions.
"""

from __future__ import annotations

import time
from itertools import pairwise

import torch

from tangermeme_creme import necessity_test
from tangermeme_creme.engine import ActivationCache, IncrementalModel
from tangermeme_creme.sequence import tile_grid

LENGTH = 65_536


class Basset128(torch.nn.Module):
    """Pool convolutions to bins of 128 bp, run a transformer over the bins, and read the two central bins."""

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        widths = [4, *[channels] * 7]
        self.tower = torch.nn.Sequential(
            *[
                torch.nn.Sequential(
                    torch.nn.Conv1d(a, b, 5, padding=2), torch.nn.BatchNorm1d(b), torch.nn.GELU(), torch.nn.MaxPool1d(2)
                )
                for a, b in pairwise(widths)
            ]
        )
        layer = torch.nn.TransformerEncoderLayer(channels, 4, 2 * channels, batch_first=True)
        self.transformer = torch.nn.TransformerEncoder(layer, 2)
        self.tracks = torch.nn.Linear(channels, 10)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        bins = self.transformer(self.tower(X).mT)
        centre = bins.shape[1] // 2
        return self.tracks(bins[:, centre - 1 : centre + 1]).mean(1)


def main() -> None:
    torch.manual_seed(0)
    network = Basset128().eval()
    X = torch.nn.functional.one_hot(torch.randint(0, 4, (1, LENGTH)), 4).mT
    tiles = tile_grid(LENGTH).context

    model = IncrementalModel.from_modules(network, local=["tower"])

    results = {}
    for name, incremental in (("in full", False), ("incremental", "auto")):
        cache = ActivationCache()
        began = time.perf_counter()
        results[name] = necessity_test(model, X, tiles, n=4, random_state=0, incremental=incremental, cache=cache).y_mut
        print(f"{name:>11}: {time.perf_counter() - began:.1f} s; {cache.work}")
    gap = (results["incremental"] - results["in full"]).abs().max() / results["in full"].abs().max()
    print(f"largest difference, relative to the largest prediction: {gap:.1e}")


if __name__ == "__main__":
    main()
