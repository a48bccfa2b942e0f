"""A naive fine-tile search, and the searches that it is compared on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import torch
from helpers import (
    Mixer,
    answer,
    assert_close,
    controls,
    random_sequences,
)

from tangermeme_creme import fine_tile_search
from tangermeme_creme.operators import FineTileResult, FineTileStep
from tangermeme_creme.sequence import Span

LENGTH = 120


MODEL = Mixer(LENGTH)


class Search(NamedTuple):
    """How to search; `sign` turns the objective upside down, so that either direction has an effect to keep."""

    scales: Sequence[int]
    thresholds: Sequence[float]
    prune: Sequence[int]
    direction: str = "max"
    score: str | None = None
    sign: float = 1.0

    @property
    def by_effect(self) -> bool:
        return self.score == "effect" or (self.score is None and self.direction == "min")

    @property
    def below(self) -> bool:
        return self.direction == "min" and not self.by_effect

    def right_side(self, score: float, threshold: float) -> bool:
        return score < threshold if self.below else score > threshold

    def objective(self, y: torch.Tensor) -> torch.Tensor:
        return (self.sign * 3 * y.mean((1, 2))).exp()  # positive, and steep enough for a CRE to matter

    def run(self, X: torch.Tensor, tss: Any, cre: Any, **options: Any) -> FineTileResult:
        return fine_tile_search(
            MODEL, X, tss, cre, scales=self.scales, thresholds=self.thresholds, prune=self.prune,
            direction=self.direction, score=self.score, objective=self.objective, **options,
        )  # fmt: skip


def scorer(
    search: Search, model: torch.nn.Module, x: torch.Tensor, control: list[torch.Tensor], cre: Span, *args: torch.Tensor
) -> Callable[[frozenset[int]], float]:
    """The score of one example's CRE with some of its bases left to the background."""

    def level(removed: frozenset[int]) -> float:
        total = 0.0
        for background in control:
            sequence = background.clone()
            for position in range(*cre):
                if position not in removed:
                    sequence[:, position] = x[:, position]
            total += float(search.objective(answer(model, sequence, *args)[None]))
        return total / len(control)

    whole = level(frozenset())
    empty = level(frozenset(range(*cre))) if search.by_effect else 0.0
    gain = whole - empty
    if gain == 0 or (gain < 0) != (search.by_effect and search.direction == "min"):
        return lambda removed: math.nan
    seen: dict[frozenset[int], float] = {}

    def score(removed: frozenset[int]) -> float:
        if removed not in seen:
            seen[removed] = (level(removed) - empty) / gain
        return seen[removed]

    return score


def bases(spans: Sequence[Span]) -> frozenset[int]:
    return frozenset(position for span in spans for position in range(*span))


def naive_search(
    search: Search, score: Callable[[frozenset[int]], float], cre: Span
) -> tuple[list[Span], list[FineTileStep]]:
    """What is left of one CRE, base for base, and the trace."""
    left, removed, now = [cre], frozenset[int](), score(frozenset())
    trace = [FineTileStep(0, cre[1] - cre[0], now, ())]
    for stage, (scale, threshold, block) in enumerate(zip(search.scales, search.thresholds, search.prune)):
        if math.isnan(now):
            break
        pieces = []
        for start, end in left:
            while start < end:
                pieces.append((start, min(start + scale, end)))
                start += scale
        left, ended = pieces, False
        while left and not ended and search.right_side(now, threshold):
            hurt = {piece: score(removed | bases([piece])) * (1 if search.below else -1) for piece in left}
            ranked = sorted(left, key=lambda piece: hurt[piece])
            ended = True
            for size in range(min(block, len(left)), 0, -1):
                after = score(removed | bases(ranked[:size]))
                if search.right_side(after, threshold):
                    removed, now, ended = removed | bases(ranked[:size]), after, False
                    left = [piece for piece in left if piece not in ranked[:size]]
                    kept = sum(end - start for start, end in left)
                    trace.append(FineTileStep(stage, kept, now, tuple(sorted(ranked[:size]))))
                    break
    return left, trace


def check(result: FineTileResult, i: int, cre: Span, left: list[Span], trace: list[FineTileStep]) -> None:
    """Example i of a result against the naive search."""
    found = result.trace[i]
    assert [(step.stage, step.bp_kept, step.removed) for step in found] == [
        (step.stage, step.bp_kept, step.removed) for step in trace
    ]
    scores, expected = ([step.score for step in steps] for steps in (found, trace))
    assert_close(torch.tensor(scores, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64), equal_nan=True)
    assert [position in bases(left) for position in range(*cre)] == result.mask[i].tolist()


SEARCHES = {
    "one at a time": Search((6,), (0.9,), (1,)),
    "two stages": Search((9, 3), (0.95, 0.8), (1, 1)),
    "blocks": Search((5, 2), (0.95, 0.8), (2, 4)),
    "tails": Search((7, 4, 3), (0.97, 0.9, 0.7), (1, 2, 3)),
    "scale beyond the CRE": Search((100, 5), (0.9, 0.8), (1, 3)),
    "blocks beyond what is left": Search((5, 2), (0.9, 0.7), (50, 50)),
    "base by base": Search((10, 1), (0.9, 0.85), (1, 3)),
    "a stricter stage after": Search((6, 3), (0.8, 0.9), (1, 1)),
    "effect of an enhancer": Search((7, 3), (0.9, 0.5), (1, 2), score="effect"),
    "effect of a silencer": Search((7, 3), (0.9, 0.5), (1, 2), direction="min", sign=-1.0),
    "effect of a silencer by name": Search((7, 3), (0.9, 0.5), (2, 3), "min", "effect", -1.0),
    "activity of a silencer": Search((7, 3), (1.05, 1.3), (1, 2), "min", "activity", -1.0),
    "activity of a silencer in blocks": Search((4, 2), (1.1, 1.3), (3, 5), "min", "activity", -1.0),
}


TSS = [(50, 70), (48, 66), (60, 75)]


CRE = [(10, 40), (80, 110), (76, 106)]


SEEDS = [11, 3, 7]


def rise(seed: int, i: int) -> float:
    """How much the whole CRE of a random sequence raises the prediction."""
    x = random_sequences(1, LENGTH, seed=seed)[0]
    search = Search((), (), ())
    return 1 / scorer(search, MODEL, x, controls(x, TSS[i], 3, SEEDS[i]), CRE[i])(bases([CRE[i]]))


@cache
def fixed_examples() -> torch.Tensor:
    """Three examples, each the one of 60 whose whole CRE raises what `MODEL` predicts most."""
    seeds = [max(range(60), key=partial(rise, i=i)) for i in range(3)]
    return torch.cat([random_sequences(1, LENGTH, seed=seed) for seed in seeds])
