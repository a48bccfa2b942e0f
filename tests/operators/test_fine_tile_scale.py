"""Fine-tile search of many CREs, enhancers and silencers, down to 10 bp."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fine_tile_cases import CRE, LENGTH, MODEL, SEEDS, TSS, Search, bases, fixed_examples
from helpers import one_hot, put, random_sequences, shuffles
from tangermeme.ersatz import dinucleotide_shuffle

from tangermeme_creme import fine_tile_search

STAGES: dict[str, Any] = {"scales": (10, 5, 1), "thresholds": (0.9, 0.8, 0.6), "prune": (1, 2, 3)}


def silenced(y: torch.Tensor) -> torch.Tensor:
    return (3 * y.mean((1, 2))).exp()


def test_each_cre_has_its_own_direction() -> None:
    """What raises the prediction is pruned as an enhancer, the same upside down as a silencer, in one call."""
    X, tss, cre = fixed_examples(), torch.tensor(TSS), torch.tensor(CRE)
    directions = ["max", "min", "max"]
    options: dict[str, Any] = {**STAGES, "score": "effect", "n": 3}
    up = Search(**STAGES, direction="max", score="effect")
    with pytest.warns(UserWarning, match=r"1 of 3 CREs have .*: example 1\.$"):
        mixed = up._replace(direction=directions).run(X, tss, cre, n=3, random_state=SEEDS)  # type: ignore[arg-type]
    for i in (0, 2):
        alone = up.run(X[[i]], tss[[i]], cre[[i]], n=3, random_state=SEEDS[i : i + 1])
        assert mixed.trace[i] == alone.trace[0] and mixed.kept[i] == alone.kept[0]
        assert len(mixed.trace[i]) > 3
    negative = up._replace(sign=-1.0)
    down = fine_tile_search(
        MODEL, X, tss, cre, direction=["min"] * 3, objective=negative.objective, random_state=SEEDS, **options
    )
    together = fine_tile_search(
        MODEL, X, tss, cre, direction="min", objective=negative.objective, random_state=SEEDS, **options
    )
    assert down.trace == together.trace and any(len(trace) > 3 for trace in down.trace)


@pytest.mark.parametrize(
    ("direction", "message"),
    [
        (["max", "min"], r"direction must be one or one per example \(3\); got 2"),
        (["max", "up", "max"], "direction must be 'min' or 'max'; got 'up'"),
        ("both", "direction must be 'min' or 'max'; got 'both'"),
    ],
)
def test_bad_directions_are_named(direction: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fine_tile_search(MODEL, fixed_examples(), TSS, CRE, direction=direction, random_state=0)


def test_thresholds_must_suit_every_direction() -> None:
    with pytest.raises(ValueError, match="thresholds must be above 1 for direction='min' with score='activity'"):
        fine_tile_search(
            MODEL, fixed_examples(), TSS, CRE, direction=["max", "min", "max"], score="activity", random_state=0
        )


def test_the_default_score_is_that_of_each_direction() -> None:
    """An enhancer by activity, a silencer by effect: the one example that is a silencer has its own trace."""
    X = fixed_examples()
    search = Search(**STAGES, sign=-1.0)
    silencers = search._replace(direction="min").run(X, TSS, CRE, n=3, random_state=SEEDS)
    by_effect = search._replace(direction="min", score="effect").run(X, TSS, CRE, n=3, random_state=SEEDS)
    enhancers = search.run(X, TSS, CRE, n=3, random_state=SEEDS)
    mixed = search._replace(direction=["max", "min", "max"]).run(X, TSS, CRE, n=3, random_state=SEEDS)  # type: ignore[arg-type]
    assert mixed.trace == [enhancers.trace[0], silencers.trace[1], enhancers.trace[2]]
    assert silencers.trace == by_effect.trace != enhancers.trace


def test_progress_names_the_cre_the_stage_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    result = Search(**STAGES).run(fixed_examples(), TSS, CRE, n=3, random_state=SEEDS, verbose=True)
    last = result.trace[2][-1]
    shown = capsys.readouterr().err
    assert f"CRE 3 of 3, stage {last.stage + 1}, {last.bp_kept} bp left" in shown
    assert "fine_tile_search: " in shown


class Recorder(torch.nn.Module):
    """How often four Gs stand in a row, give or take where; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.seen.append(X.clone())
        runs = torch.nn.functional.avg_pool1d(X[:, 2:3], 4, 1).eq(1).squeeze(1)
        return 1 + (runs * torch.linspace(1, 2, runs.shape[1])).sum(1, keepdim=True)


def test_sub_tiles_are_background_and_never_shuffles_of_their_own() -> None:
    """Sub-tiles of 10 bp that no shuffle changes are replaced all the same: only whole sequences are shuffled."""
    pieces = ["GGGGGGGGGG", "ACACACACAC", "AAAAAAAAAA", "TGTGTGTGTG", "GGGGGGGGGG", "CCCCCCCCCC"]
    for piece in pieces:
        alone = one_hot(piece, torch.float32)[None]
        assert torch.equal(dinucleotide_shuffle(alone, n=1, random_state=0)[0, 0], alone[0])
    X = put(random_sequences(1, LENGTH, seed=3)[0], 50, one_hot("".join(pieces)))[None]
    cre, tss, asked = (50, 110), (0, 30), []

    def shuffle_fn(X: torch.Tensor, start: int = 0, end: int = -1, **options: Any) -> Any:
        asked.append((X.shape[-1], start, end))
        return dinucleotide_shuffle(X, start=start, end=end, **options)

    model = Recorder()
    result = fine_tile_search(
        model, X, tss, cre, scales=(20, 10), thresholds=(0.6, 0.5), prune=(1, 2), n=2, random_state=0,
        shuffle_fn=shuffle_fn, device="cpu", allow_stochastic=True,
    )  # fmt: skip
    assert asked == [(LENGTH, 0, LENGTH)]  # the backgrounds, and no more
    backgrounds = shuffles(X[0], 2, seed=0).float()
    changed = set()
    for row, sequence in enumerate(torch.cat(model.seen)):
        inside = sequence[:, slice(*cre)]
        background, own = backgrounds[row % 2][:, slice(*cre)], X[0, :, slice(*cre)].float()
        from_background, kept = (inside == background).all(0), (inside == own).all(0)
        assert (from_background | kept).all()
        for start in range(0, 60, 10):
            if not kept[start : start + 10].all():
                assert from_background[start : start + 10].all()  # as a whole
                changed.add(start)
    assert changed == set(range(0, 60, 10))
    removed = [step.removed for step in result.trace[0]][1:]
    assert removed and bases([span for spans in removed for span in spans]) | bases(result.kept[0]) == bases([cre])
