"""Two CREs, a network that suits all methods, and one comparison of all of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from helpers import random_sequences, shuffles

from tangermeme_creme.analysis.fine_mapping import METHODS, FineMappingComparison, compare_fine_mapping

LENGTH, WIDTH, SEEDS, IDS = 160, 40, [4, 9], ["left", "right"]
TSS = [(60, 90), (70, 100)]
CRE = [(10, 50), (110, 150)]
MOTIFS = {"CA": np.array([[0.01, 0.97], [0.97, 0.01], [0.01, 0.01], [0.01, 0.01]])}
SEARCH: dict[str, Any] = {"scales": (10, 4), "thresholds": (0.8, 0.5), "prune": (1, 2)}
SCORED: dict[str, Any] = {"score": "effect", "n": 3}
LOOK: dict[str, Any] = {
    "steps": 6,
    "draws": 3,
    "n_steps": 8,
    "threshold": 0.6,
    "motifs": MOTIFS,
    "motif_threshold": 0.07,
}


class Network(torch.nn.Module):
    """Of modules that DeepLIFT has rules for; not linear, positive, in single precision."""

    n_fill = 0.0  # an unknown base is zeros on purpose

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.local = torch.nn.Sequential(torch.nn.Conv1d(4, 8, 7, padding=3), torch.nn.ReLU(), torch.nn.AvgPool1d(4))
        self.head = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(8 * LENGTH // 4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2)
        )

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.head(self.local(X))


def objective(y: torch.Tensor) -> torch.Tensor:
    return 3 + y[:, 0] - y[:, 1]


@cache
def model() -> Network:
    return Network()


def embedded(x: torch.Tensor, i: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The control and the CRE of example i in each of its backgrounds, shape (3, 4, L) each."""
    (start, end), (first, last) = CRE[i], TSS[i]
    control = shuffles(x, 3, SEEDS[i]).float()
    control[:, :, first:last] = x[:, first:last].float()
    whole = control.clone()
    whole[:, :, start:end] = x[:, start:end].float()
    return control, whole


@torch.no_grad()
def gain(x: torch.Tensor, i: int) -> float:
    control, whole = embedded(x, i)
    return float((objective(model()(whole)) - objective(model()(control))).mean())


@cache
def sequences() -> torch.Tensor:
    """Two sequences, each the one of 60 whose whole CRE raises the objective most."""
    chosen = [max(range(60), key=lambda k, i=i: gain(random_sequences(1, LENGTH, seed=k)[0], i)) for i in range(2)]
    return torch.cat([random_sequences(1, LENGTH, seed=k) for k in chosen])


def compare(**options: Any) -> FineMappingComparison:
    given = {
        "X": sequences(),
        "tss_tile": TSS,
        "cre_tile": CRE,
        "random_state": SEEDS,
        "objective": objective,
        "ids": IDS,
    }
    return compare_fine_mapping(
        **{"model": model(), **given, "methods": METHODS, **SEARCH, **SCORED, **LOOK, **options}
    )


@cache
def everything() -> FineMappingComparison:
    return compare()


def curve_of(result: FineMappingComparison, i: int, method: str, draw: int = 0) -> dict[int, float]:
    table = result.curves
    part = table[(table["example"] == IDS[i]) & (table["method"] == method) & (table["draw"] == draw)]
    return dict(zip(part["bp_kept"], part["score"]))
