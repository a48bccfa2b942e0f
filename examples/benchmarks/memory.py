"""Measure the peak memory of a necessity test: 38 tiles x 10 shuffles at 196,608 bp on a trivial model.

    python examples/benchmarks/memory.py [--reference]

Prints by how much the peak resident memory rises above the resident memory before the test, after all imports and
compilation. `--reference` measures creme-nn 0.2.5 on the same input, if it is installed. Linux only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from tangermeme.utils import random_one_hot

from tangermeme_creme import necessity_test
from tangermeme_creme.sequence import tile_grid

LENGTH, N_SHUFFLES = 196_608, 10


class CountA(torch.nn.Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X[:, 0].sum(-1, keepdim=True)


def status(field: str) -> float:
    """Read a field of /proc/self/status, in MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def rise(call: Callable[[], object]) -> float:
    """Measure by how much `call` raises the peak over the resident memory before it, in MB."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak to the resident memory
    before = status("VmRSS")
    call()
    return status("VmHWM") - before


def ours(X: torch.Tensor, tiles: torch.Tensor) -> None:
    necessity_test(CountA(), X, tiles, n=N_SHUFFLES, random_state=0)


def reference(X: torch.Tensor, tiles: torch.Tensor) -> None:
    from creme import creme

    class Model:
        def predict(self, x):  # type: ignore[no-untyped-def]
            return x[:, :, 0].sum(-1, keepdims=True)

    creme.necessity_test(Model(), X[0].numpy().T, tiles.tolist(), N_SHUFFLES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reference", action="store_true", help="measure creme-nn instead")
    arguments = parser.parse_args()
    test = reference if arguments.reference else ours

    X = random_one_hot((1, 4, LENGTH), random_state=0)
    tiles = tile_grid(LENGTH, 5000).context
    test(X[:, :, :2000], torch.tensor([[0, 100]]))  # imports and compiles
    print(json.dumps({"test": test.__name__, "tiles": len(tiles), "rise_mb": round(rise(lambda: test(X, tiles)))}))


if __name__ == "__main__":
    main()
