"""Measure the cost of the engine beyond `predict`: 1,000 edits of a 2,114 bp sequence on a small CNN.

    python examples/benchmarks/overhead.py [--repeats 7]

Times a necessity test (drawing the shuffles included) and a session on ready-made edits against tangermeme's `predict`
on the same edited sequences, ready-made as int8 and as float32 one-hot, in turn in one process, and prints the ratios
of the medians. Compare timings only with timings of the same machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from tangermeme.predict import predict
from tangermeme.utils import random_one_hot

from tangermeme_creme import necessity_test
from tangermeme_creme.engine import EditSession
from tangermeme_creme.sequence import Shuffler, apply_edits, make_edits, pack, tile_grid, to_one_hot

LENGTH, SIZE, N_SHUFFLES, BATCH = 2114, 100, 50, 64


class SmallCNN(torch.nn.Module):
    """Predict in the shapes of a small accessibility model: (N, 4, 2114) to (N, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Conv1d(4, 64, 21, padding=10),
            torch.nn.ReLU(),
            *[
                layer
                for k in range(1, 5)
                for layer in (torch.nn.Conv1d(64, 64, 3, dilation=2**k, padding=2**k), torch.nn.ReLU())
            ],
        )
        self.head = torch.nn.Linear(64, 1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(X).mean(-1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model, X = SmallCNN().to(arguments.device), random_one_hot((1, 4, LENGTH), random_state=0)
    options = {"batch_size": BATCH, "device": arguments.device}
    tiles = tile_grid(LENGTH, SIZE).context  # 20 tiles of 100 bp, 50 shuffles per tile: 1,000 edits

    from tangermeme.ersatz import dinucleotide_shuffle

    codes, shuffler = pack(X).to_codes(), Shuffler(dinucleotide_shuffle)
    content = [row for s, e in tiles.tolist() for row in shuffler.tile(codes[0], s, e, N_SHUFFLES, seed=0, example=0)]
    edits = make_edits(
        0, tiles[:, :1].expand(-1, N_SHUFFLES), torch.arange(len(content)).reshape(-1, N_SHUFFLES), content
    )
    edited = codes.repeat(len(edits.base), 1)
    apply_edits(edited, edits, rows=torch.arange(len(edited)))
    ready_int8 = to_one_hot(edited)
    ready_float = ready_int8.float()

    def in_session() -> torch.Tensor:
        with EditSession(model, X, **options) as session:
            return session.predict_edits(edits)  # type: ignore[return-value]

    runs: dict[str, Callable[[], torch.Tensor]] = {
        "predict, int8 ready-made": lambda: predict(model, ready_int8, **options),
        "predict, float32 ready-made": lambda: predict(model, ready_float, **options),
        "session": in_session,
        "necessity_test": lambda: necessity_test(model, X, tiles, n=N_SHUFFLES, random_state=0, **options).y_mut[0],
    }
    expected = runs["predict, int8 ready-made"]().reshape(-1)
    for name, run in runs.items():
        assert torch.allclose(run().reshape(-1), expected, atol=1e-5), name
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(arguments.repeats):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    median = {name: statistics.median(times) for name, times in seconds.items()}
    base = median["predict, float32 ready-made"]
    print(json.dumps({"edits": len(edited), **{name: round(t, 4) for name, t in median.items()}}))
    print(json.dumps({"ratio to predict": {name: round(t / base, 3) for name, t in median.items()}}))


if __name__ == "__main__":
    main()
