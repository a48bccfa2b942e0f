"""Where `fine_tile_search` departs from `prune_sequence` of creme-nn 0.2.5, on a model with hand-set weights.

A CRE of A in a window and in backgrounds of T, and a model that is 10 plus, or 40 minus, what the sub-tiles that are
left are worth. That the two agree elsewhere is shown in `test_parity.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from reference import Predictor, assert_agree, import_reference, to_reference

from tangermeme_creme.operators import FineTileResult, fine_tile_search
from tangermeme_creme.sequence import Span

creme = import_reference()

LENGTH, N = 60, 2
TSS: Span = (0, 10)
CRE: Span = (20, 40)
TILES: list[Span] = [(20, 25), (25, 30), (30, 35), (35, 40)]

T_ONLY = torch.zeros(1, 4, LENGTH)
T_ONLY[:, 3] = 1
X = T_ONLY.clone()
X[:, :, slice(*CRE)] = torch.tensor([1.0, 0, 0, 0])[:, None]
BACKGROUNDS = T_ONLY[:, None].repeat(1, N, 1, 1)


class Worth(torch.nn.Module):
    """``start + sum(worth of each sub-tile whose first base is A)``, shape (B, 1, 1)."""

    n_fill = 0.0  # an unknown base is zeros on purpose

    def __init__(self, worth: Sequence[float], start: float = 10, scale: int = 5) -> None:
        super().__init__()
        self.start = start
        self.weight = torch.nn.Parameter(torch.zeros(LENGTH, dtype=torch.float64))
        self.weight.data[CRE[0] : CRE[1] : scale] = torch.tensor(worth, dtype=torch.float64)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.start + (X[:, 0] @ self.weight)[:, None, None]

    def without(self, *removed: Span) -> float:
        """What it predicts of the CRE when some sub-tiles are background."""
        left = X.double().clone()
        for span in removed:
            left[:, :, slice(*span)] = T_ONLY[:, :, slice(*span)].double()
        return float(self(left).detach())


def prune_there(model: Worth, scale: int, threshold: float, block: int = 1, **kwargs: Any) -> dict[str, Any]:
    """One stage of the reference. It prints as it goes, which pytest captures."""
    control = to_reference(BACKGROUNDS[0])
    settings = {"frac": 1, "cre_type": "enhancer", **kwargs}
    summary = creme.prune_sequence(
        Predictor(model, LENGTH), to_reference(X[0]), control, model.without(), *CRE, [scale], [threshold],
        N_batches=[block], **settings,
    )  # fmt: skip
    return summary[scale]


def prune_here(model: Worth, scale: int, threshold: float, block: int = 1, **kwargs: Any) -> FineTileResult:
    """The same stage of ours."""
    return fine_tile_search(
        model, X, TSS, CRE, scales=(scale,), thresholds=(threshold,), prune=(block,), backgrounds=BACKGROUNDS, n=N,
        **kwargs,
    )  # fmt: skip


def spans(tiles: Any) -> list[Span]:
    """Sub-tiles of the reference, in order of start."""
    return sorted((int(start), int(end)) for start, end in tiles)


def test_step_that_crosses_is_undone_everywhere() -> None:
    model = Worth([1, 2, 4, 8])  # 25 in all
    theirs = prune_there(model, 5, threshold=0.8)
    assert_agree([24 / 25, 22 / 25, 18 / 25], theirs["scores"])
    assert spans(theirs["all_removed_tiles"]) == TILES[:3]
    assert spans(theirs["insert_coords"]) == TILES[2:]  # so that its third tile is both removed and left
    assert theirs["bps"] == [15, 10, 5]

    ours = prune_here(model, 5, threshold=0.8)
    assert [step.removed for step in ours.trace[0]] == [(), (TILES[0],), (TILES[1],)]
    assert [step.bp_kept for step in ours.trace[0]] == [20, 15, 10]
    expected = [model.without(*TILES[:k]) / model.without() for k in range(3)]
    assert_agree([step.score for step in ours.trace[0]], expected)
    assert ours.kept == [[(30, 40)]]


def test_block_that_crosses_is_tried_again_smaller() -> None:
    model = Worth([1, 2, 4, 8])
    theirs = prune_there(model, 5, threshold=0.8, block=3)
    assert_agree([18 / 25], theirs["scores"])  # crosses at once, and the stage ends
    assert spans(theirs["insert_coords"]) == TILES
    ours = prune_here(model, 5, threshold=0.8, block=3)
    assert [step.removed for step in ours.trace[0]] == [(), tuple(TILES[:2])]
    assert_agree(ours.trace[0][1].score, 22 / 25)
    # Down to single ones.
    ours = prune_here(model, 5, threshold=0.9, block=3)
    assert [step.removed for step in ours.trace[0]] == [(), (TILES[0],)]


def test_tail_shorter_than_the_scale_is_a_sub_tile() -> None:
    tiles = [(20, 28), (28, 36), (36, 40)]
    model = Worth([2, 8, 1], scale=8)  # 21 in all, and the tail is worth least
    theirs = prune_there(model, 8, threshold=0.8)
    assert spans(theirs["all_removed_tiles"]) == tiles[:2]  # the second crosses
    assert spans(theirs["insert_coords"]) == tiles[1:2]
    assert theirs["bps"][0] == 12  # its tail is still in the sequence, but in neither list
    ours = prune_here(model, 8, threshold=0.8)
    assert [step.removed for step in ours.trace[0]] == [(), (tiles[2],), (tiles[0],)]
    assert ours.kept == [[tiles[1]]]


def test_sub_tiles_never_leave_the_cre() -> None:
    model = Worth([1, 2, 4, 8])
    theirs = prune_there(model, 10, threshold=0.8, frac=0.5)  # in steps of 5
    assert spans(theirs["insert_coords"])[-1] == (35, 45)
    for scale in (3, 7, 10, 19, 20, 21):
        trace = prune_here(model, scale, threshold=0.1).trace[0]
        removed = [span for step in trace for span in step.removed]
        assert removed and all(CRE[0] <= start < end <= CRE[1] for start, end in removed)


def test_all_of_the_cre_may_go() -> None:
    model = Worth([1, 2, 4, 8])
    with pytest.raises(ValueError, match="same number of dimensions"):  # numpy, with no sub-tile left to choose
        prune_there(model, 5, threshold=0.3)
    ours = prune_here(model, 5, threshold=0.3)
    assert ours.kept == [[]] and not ours.mask.any()
    assert_agree(ours.trace[0][-1].score, 10 / 25)


def test_leftmost_of_equal_sub_tiles_goes_first() -> None:
    model = Worth([2, 2, 2, 2])
    theirs = prune_there(model, 5, threshold=0.8)
    assert spans(theirs["all_removed_tiles"][:1]) == TILES[-1:]
    assert prune_here(model, 5, threshold=0.8).trace[0][1].removed == (TILES[0],)


def test_silencers_are_scored_by_their_effect() -> None:
    model = Worth([-1, -2, -4, -8], start=40)  # 25 in all, 40 without
    # The reference asks of a silencer that the activity stays below a threshold, and so does nothing for one below 1.
    theirs = prune_there(model, 5, threshold=0.7, cre_type="silencer")
    assert theirs["scores"] == [] and spans(theirs["insert_coords"]) == TILES
    with pytest.raises(ValueError, match=r"thresholds must be above 1 .* got 0\.7"):
        prune_here(model, 5, threshold=0.7, direction="min", score="activity")

    ours = prune_here(model, 5, threshold=0.7, direction="min")
    assert [step.removed for step in ours.trace[0]] == [(), (TILES[0],), (TILES[1],)]
    whole, control = model.without(), model.without(CRE)
    expected = [(model.without(*TILES[:k]) - control) / (whole - control) for k in range(3)]
    assert_agree([step.score for step in ours.trace[0]], expected)
    # An enhancer of the same effects has the same scores by effect.
    mirrored = prune_here(Worth([1, 2, 4, 8]), 5, threshold=0.7, direction="max", score="effect")
    assert mirrored.trace == ours.trace
