"""The fine-tile search against a naive one that knows nothing but which bases are background."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import pytest
import torch
from helpers import (
    CountA,
    Mixer,
    ScaledMixer,
    TwoHeads,
    answer,
    assert_close,
    controls,
    one_hot,
    random_sequences,
    shuffles,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tangermeme.utils import TangermemeWarning

from tangermeme_creme import fine_tile_search
from tangermeme_creme.operators.results import FineTileResult, FineTileStep
from tangermeme_creme.sequence.edits import pack

LENGTH = 120
MODEL = Mixer(LENGTH)
Span = tuple[int, int]


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


@pytest.mark.parametrize("batch_size", [1, 64])
@pytest.mark.parametrize("search", SEARCHES.values(), ids=list(SEARCHES))
def test_fine_tile_equals_a_naive_search(search: Search, batch_size: int) -> None:
    X = fixed_examples()
    result = search.run(X, TSS, CRE, n=3, random_state=SEEDS, batch_size=batch_size)
    assert any(len(trace) > 2 for trace in result.trace)
    for i in range(3):
        control = controls(X[i], TSS[i], 3, SEEDS[i])
        score = scorer(search, MODEL, X[i], control, CRE[i])
        check(result, i, CRE[i], *naive_search(search, score, CRE[i]))


def test_fine_tile_searches_of_these_tests_remove_whole_blocks_and_smaller_ones() -> None:
    for name in ("blocks", "tails", "blocks beyond what is left", "activity of a silencer in blocks"):
        search = SEARCHES[name]
        steps = [
            step for trace in search.run(fixed_examples(), TSS, CRE, n=3, random_state=SEEDS).trace for step in trace
        ]
        blocks = {(step.stage, len(step.removed)) for step in steps if step.removed and step.bp_kept}
        assert any(size < search.prune[stage] for stage, size in blocks)
        assert any(size > 1 for _, size in blocks)


@st.composite
def searches(draw: st.DrawFn) -> tuple[Search, Span, Span]:
    """Draw stages, a direction and a score, and a TSS tile with a CRE apart from it."""
    stages = draw(st.integers(1, 2))
    direction, score = draw(st.sampled_from([("max", None), ("max", "effect"), ("min", "effect"), ("min", "activity")]))
    low, high = (1.001, 1.5) if (direction, score) == ("min", "activity") else (0.3, 0.999)
    search = Search(
        draw(st.lists(st.integers(2, 12), min_size=stages, max_size=stages)),
        draw(st.lists(st.floats(low, high), min_size=stages, max_size=stages)),
        draw(st.lists(st.integers(1, 4), min_size=stages, max_size=stages)),
        direction,
        score,
        -1.0 if direction == "min" else 1.0,
    )
    start = draw(st.integers(0, 30))
    return search, (50, 70), (start, start + draw(st.integers(1, 20)))


@given(searches(), st.integers(0, 1000))
@settings(max_examples=15, deadline=None, derandomize=True)  # rounding could decide between sub-tiles that do nothing
@pytest.mark.filterwarnings("ignore::tangermeme.utils.TangermemeWarning")  # of CREs without an effect to keep
def test_fine_tile_equals_a_naive_search_for_any_stages(drawn: tuple[Search, Span, Span], seed: int) -> None:
    search, tss, cre = drawn
    X = random_sequences(1, LENGTH, seed=8)
    result = search.run(X, tss, cre, n=3, random_state=seed)
    score = scorer(search, MODEL, X[0], controls(X[0], tss, 3, seed), cre)
    check(result, 0, cre, *naive_search(search, score, cre))


@pytest.mark.parametrize("search", SEARCHES.values(), ids=list(SEARCHES))
def test_fine_tile_trace_stays_on_the_right_side_of_every_threshold(search: Search) -> None:
    for trace in search.run(fixed_examples(), TSS, CRE, n=3, random_state=SEEDS).trace:
        assert trace[0] == FineTileStep(0, 30, 1.0, ())
        assert [step.stage for step in trace] == sorted(step.stage for step in trace)
        for step in trace[1:]:
            assert search.right_side(step.score, search.thresholds[step.stage])


@pytest.mark.parametrize("search", SEARCHES.values(), ids=list(SEARCHES))
def test_fine_tile_removed_and_kept_are_the_cre(search: Search) -> None:
    result = search.run(fixed_examples(), TSS, CRE, n=3, random_state=SEEDS)
    for i, cre in enumerate(CRE):
        removed = [span for step in result.trace[i] for span in step.removed]
        assert sorted([*bases(removed), *bases(result.kept[i])]) == list(range(*cre))
        assert len(bases(removed)) == sum(end - start for start, end in removed)  # none twice
        assert all(left[1] < right[0] for left, right in zip(result.kept[i], result.kept[i][1:]))


@pytest.mark.parametrize("search", SEARCHES.values(), ids=list(SEARCHES))
def test_fine_tile_mask_equals_kept(search: Search) -> None:
    result = search.run(fixed_examples(), TSS, CRE, n=3, random_state=SEEDS)
    assert result.mask.dtype == torch.bool and result.mask.shape == (3, 30)
    for i, (start, end) in enumerate(CRE):
        expected = [position in bases(result.kept[i]) for position in range(start, end)]
        assert result.mask[i].tolist() == expected
        assert result.trace[i][-1].bp_kept == sum(expected)


@pytest.mark.parametrize("search", SEARCHES.values(), ids=list(SEARCHES))
def test_fine_tile_last_score_is_that_of_what_is_kept(search: Search) -> None:
    X = fixed_examples()
    result = search.run(X, TSS, CRE, n=3, random_state=SEEDS)
    for i, cre in enumerate(CRE):
        score = scorer(search, MODEL, X[i], controls(X[i], TSS[i], 3, SEEDS[i]), cre)
        removed = frozenset(range(*cre)) - bases(result.kept[i])
        assert result.trace[i][-1].score == pytest.approx(score(removed), rel=1e-10)


# By hand


class Places(torch.nn.Module):
    """The sum of what each A at [0, 10) adds; every other base adds nothing."""

    def __init__(self, weights: Sequence[float], offset: float = 0.0) -> None:
        super().__init__()
        self.weights, self.offset = torch.tensor(weights), offset

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.offset + (X[:, 0, :10] * self.weights).sum(-1, keepdim=True)


def by_hand(weights: Sequence[float], offset: float = 0.0, **options: Any) -> FineTileResult:
    """Search [0, 10), ten A, in two backgrounds of C."""
    X, backgrounds = one_hot("A" * 10 + "G" * 10)[None], one_hot("C" * 20).expand(1, 2, 4, 20)
    return fine_tile_search(Places(weights, offset), X, (10, 20), (0, 10), backgrounds=backgrounds, n=2, **options)


def removed(result: FineTileResult) -> list[list[Span]]:
    return [list(step.removed) for step in result.trace[0][1:]]


def test_fine_tile_removes_what_hurts_least_first() -> None:
    weights = [4, 1, 9, 9, 9, 9, 9, 9, 9, 2]
    result = by_hand(weights, scales=(1,), thresholds=(0.89,), prune=(1,))
    # 70 in all; 0.89 of it is 62.3, so that 1, 2 and 4 may go (63), and no 9.
    assert removed(result) == [[(1, 2)], [(9, 10)], [(0, 1)]]
    assert [step.score for step in result.trace[0]] == pytest.approx([1, 69 / 70, 67 / 70, 63 / 70])
    assert result.kept == [[(2, 9)]]


def test_fine_tile_stops_before_the_threshold_is_met_exactly() -> None:
    result = by_hand([1] * 10, scales=(1,), thresholds=(0.5,), prune=(1,))
    assert [step.bp_kept for step in result.trace[0]] == [10, 9, 8, 7, 6]


def test_fine_tile_undoes_the_step_that_crosses() -> None:
    result = by_hand([1] * 9 + [100], scales=(1, 1), thresholds=(0.95, 0.94), prune=(1, 1))
    # Of 109: 104 is 0.954 and 103 is 0.945, which only the second stage allows; 102 is 0.936.
    assert [step.stage for step in result.trace[0]] == [0] * 6 + [1]
    assert [step.score for step in result.trace[0]] == pytest.approx([k / 109 for k in range(109, 102, -1)])
    assert removed(result) == [[(k, k + 1)] for k in range(6)]


def test_fine_tile_takes_the_leftmost_of_equal_sub_tiles() -> None:
    result = by_hand([1] * 10, scales=(3,), thresholds=(0.1,), prune=(1,))
    assert removed(result) == [[(9, 10)], [(0, 3)], [(3, 6)]]  # the tail hurts least


def test_fine_tile_retries_smaller_blocks_down_to_one() -> None:
    result = by_hand([1] * 10, scales=(1,), thresholds=(0.25,), prune=(4,))
    assert [len(spans) for spans in removed(result)] == [4, 3]
    result = by_hand([1] * 10, scales=(1,), thresholds=(0.45,), prune=(4,))
    assert [len(spans) for spans in removed(result)] == [4, 1]


def test_fine_tile_lists_a_block_from_left_to_right() -> None:
    result = by_hand([3, 2, 1, 9, 9, 9, 9, 9, 9, 9], scales=(1,), thresholds=(0.85,), prune=(3,))
    assert removed(result) == [[(0, 1), (1, 2), (2, 3)]]


def test_fine_tile_removes_all_that_adds_nothing() -> None:
    result = by_hand([0] * 10, offset=5, scales=(4,), thresholds=(0.9,), prune=(1,))
    assert removed(result) == [[(0, 4)], [(4, 8)], [(8, 10)]]
    assert result.kept == [[]] and not result.mask.any()
    assert result.trace[0][-1] == FineTileStep(0, 0, 1.0, ((8, 10),))


def test_fine_tile_cuts_the_survivors_of_a_stage_into_the_next() -> None:
    weights = [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    result = by_hand(weights, scales=(4, 3), thresholds=(0.9, 0.9), prune=(1, 1))
    # Of (0, 4), (4, 8) and the tail (8, 10) the first goes; then (4, 7), (7, 8), (8, 10) are tried.
    assert removed(result) == [[(0, 4)], [(7, 8)]]
    assert result.kept == [[(4, 7), (8, 10)]]


def test_fine_tile_effect_of_a_silencer_leaves_the_control_out() -> None:
    weights = [-1.0] * 5 + [0] * 5
    result = by_hand(weights, offset=100, scales=(1,), thresholds=(0.7,), prune=(1,), direction="min")
    assert removed(result) == [[(k, k + 1)] for k in (5, 6, 7, 8, 9, 0)]
    assert [step.score for step in result.trace[0]] == pytest.approx([1.0] * 6 + [0.8])
    assert result.kept == [[(1, 5)]]


def test_fine_tile_activity_of_a_silencer_stays_below_the_threshold() -> None:
    weights = [-1.0] * 5 + [0] * 5
    options: dict[str, Any] = {"scales": (1,), "prune": (1,), "direction": "min", "score": "activity"}
    result = by_hand(weights, offset=10, thresholds=(1.3,), **options)
    assert [step.score for step in result.trace[0]] == pytest.approx([1.0] * 6 + [1.2])
    assert removed(result)[-1] == [(0, 1)]


def test_fine_tile_default_score_is_activity_for_max_and_effect_for_min() -> None:
    for direction, sign, score in (("max", 1, "activity"), ("min", -1, "effect")):
        weights = [sign * k for k in range(10)]
        options: dict[str, Any] = {"scales": (2,), "thresholds": (0.8,), "prune": (1,), "direction": direction}
        given_ = by_hand(weights, offset=100.0, score=score, **options)
        assert by_hand(weights, offset=100.0, **options).trace == given_.trace


# What has no score


@pytest.mark.parametrize(
    ("weights", "offset", "options"),
    [
        ([0] * 10, 0.0, {}),
        ([-1] * 10, 5.0, {}),
        ([0] * 10, 5.0, {"score": "effect"}),
        ([-1] * 10, 5.0, {"score": "effect"}),
        ([0] * 10, 5.0, {"direction": "min"}),
        ([1] * 10, 5.0, {"direction": "min"}),
        ([-1] * 10, 5.0, {"direction": "min", "score": "activity", "thresholds": (1.1,)}),
    ],
    ids=[
        "zero",
        "negative",
        "no effect",
        "an effect downwards",
        "no effect, min",
        "an effect upwards, min",
        "negative, min",
    ],
)
def test_fine_tile_without_a_score_keeps_everything(weights: list[float], offset: float, options: dict) -> None:
    with pytest.warns(TangermemeWarning, match=r"^1 of 1 CREs have .* left whole with a score of NaN: example 0\.$"):
        result = by_hand(weights, offset, **{"scales": (3,), "thresholds": (0.5,), "prune": (1,), **options})
    assert result.kept == [[(0, 10)]] and result.mask.all()
    (step,) = result.trace[0]
    assert step[:2] == (0, 10) and math.isnan(step.score) and step.removed == ()


def test_fine_tile_warns_once_of_all_examples_without_a_score() -> None:
    X = random_sequences(7, 60)
    with pytest.warns(TangermemeWarning) as caught:
        result = fine_tile_search(
            CountA(), X, (30, 40), (0, 10), scales=(5,), thresholds=(0.5,), prune=(1,), n=2, random_state=0,
            objective=lambda y: 0 * y[:, 0],
        )  # fmt: skip
    (warning,) = caught
    assert str(warning.message).startswith("7 of 7 CREs ") and "example 0, 1, 2, 3, 4, ..." in str(warning.message)
    assert warning.filename == __file__
    assert result.kept == [[(0, 10)]] * 7


def test_fine_tile_names_only_the_examples_without_a_score() -> None:
    backgrounds = one_hot("C" * 20).expand(3, 1, 4, 20)
    X = torch.stack([one_hot(text + "G" * 10) for text in ("A" * 10, "C" * 10, "A" * 10)])
    with pytest.warns(TangermemeWarning, match=r"^1 of 3 CREs have .*: example 1\.$"):
        result = fine_tile_search(
            Places([1.0] * 10), X, (10, 20), (0, 10), scales=(5,), thresholds=(0.4,), prune=(1,), n=1,
            backgrounds=backgrounds,
        )  # fmt: skip
    assert result.kept == [[(5, 10)], [(0, 10)], [(5, 10)]]


def test_fine_tile_with_a_score_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_hand([1] * 10, scales=(3,), thresholds=(0.5,), prune=(1,))


# Inputs


def test_fine_tile_hands_args_to_their_examples() -> None:
    X, search = fixed_examples(), Search((6,), (0.9,), (1,))
    args = [torch.tensor([[1.0], [3.0], [10.0]]).double(), torch.rand(3, 2).double()]
    model = ScaledMixer(LENGTH)
    result = fine_tile_search(
        model, X, TSS, CRE, scales=(6,), thresholds=(0.9,), prune=(1,), n=2, random_state=SEEDS, args=args,
        objective=search.objective,
    )  # fmt: skip
    for i in range(3):
        score = scorer(search, model, X[i], controls(X[i], TSS[i], 2, SEEDS[i]), CRE[i], *(arg[i] for arg in args))
        check(result, i, CRE[i], *naive_search(search, score, CRE[i]))


def test_fine_tile_takes_backgrounds_and_uses_the_first_n() -> None:
    X, search = fixed_examples(), Search((6,), (0.9,), (1,))
    drawn = torch.stack([shuffles(X[i], 4, SEEDS[i]) for i in range(3)])
    expected = search.run(X, TSS, CRE, n=2, random_state=SEEDS)
    for given_ in (drawn, pack(drawn, batch_axes=2)):
        result = search.run(X, TSS, CRE, n=2, backgrounds=given_)
        assert result.trace == expected.trace and result.kept == expected.kept


def test_fine_tile_takes_an_objective_of_several_outputs() -> None:
    X, options = fixed_examples(), {"scales": (6,), "thresholds": (0.9,), "prune": (1,), "n": 2, "random_state": 0}
    result = fine_tile_search(TwoHeads(LENGTH), X, TSS, CRE, objective=lambda y: y[0].mean((1, 2)), **options)
    assert result.trace == fine_tile_search(MODEL, X, TSS, CRE, **options).trace


def test_fine_tile_searches_in_two_stages_by_default() -> None:
    X = random_sequences(1, 1600)
    result = fine_tile_search(CountA(), X, (0, 100), (200, 1400), n=2, random_state=0)
    search = Search((500, 50), (0.9, 0.7), (1, 10))
    sizes = {(end - start) for step in result.trace[0] for start, end in step.removed}
    assert sizes <= {500, 200, 50}
    for step in result.trace[0][1:]:
        assert search.right_side(step.score, search.thresholds[step.stage])


def test_fine_tile_refuses_several_outputs_without_an_objective() -> None:
    with pytest.raises(ValueError, match="objective must be given for a model with several outputs; got 2 outputs"):
        fine_tile_search(TwoHeads(LENGTH), random_sequences(1, LENGTH), (50, 70), (10, 40), n=2)


def test_fine_tile_refuses_cres_of_different_length() -> None:
    with pytest.raises(ValueError, match="cre_tile must be of one length, 30 bp; got 29 bp for example 2"):
        fine_tile_search(MODEL, fixed_examples(), TSS, [(10, 40), (80, 110), (76, 105)], n=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "down"}, "direction must be 'min' or 'max'; got 'down'"),
        ({"score": "fold"}, "score must be 'activity', 'effect' or None; got 'fold'"),
        ({"scales": (5,)}, "must have one entry a stage; got 1, 2 and 2"),
        ({"thresholds": (0.9, 0.8, 0.7)}, "must have one entry a stage; got 2, 3 and 2"),
        ({"scales": (), "thresholds": (), "prune": ()}, "must have one entry a stage; got 0, 0 and 0"),
        ({"scales": (5, 0)}, "scales must be at least 1 bp; got 0 at index 1"),
        ({"prune": (0, 1)}, "prune must be at least 1; got 0 at index 0"),
        ({"thresholds": (0.9, 1.0)}, "thresholds must be below 1, the score of the whole CRE; got 1.0 at index 1"),
        ({"thresholds": (1.3, 0.9)}, "thresholds must be below 1, the score of the whole CRE; got 1.3 at index 0"),
        ({"thresholds": (math.nan, 0.9)}, "thresholds must be below 1, the score of the whole CRE; got nan at index 0"),
        ({"direction": "min", "thresholds": (0.9, 1.1)}, "thresholds must be below 1.*; got 1.1 at index 1"),
        (
            {"direction": "min", "score": "activity"},
            "thresholds must be above 1 for direction='min'.*; got 0.9 at index 0",
        ),
        (
            {"direction": "min", "score": "activity", "thresholds": (1.1, 1.0)},
            "thresholds must be above 1 for direction='min'.*; got 1.0 at index 1",
        ),
    ],
)
def test_fine_tile_refuses_bad_stages(options: dict[str, Any], message: str) -> None:
    defaults: dict[str, Any] = {"scales": (5, 2), "thresholds": (0.9, 0.7), "prune": (1, 2), "n": 2}
    with pytest.raises(ValueError, match=message):
        fine_tile_search(MODEL, random_sequences(1, LENGTH), (50, 70), (10, 40), **{**defaults, **options})


@pytest.mark.parametrize(
    ("tss", "cre", "message"),
    [
        ((50, 70), (30, 51), r"cre_tile must not overlap tss_tile \[50, 70\); got \[30, 51\) at index 0"),
        ((50, 121), (10, 40), r"tss_tile must lie inside the window of 120 bp; got \[50, 121\)"),
        ((50, 70), (40, 40), r"cre_tile must end after they start; got \[40, 40\)"),
        ((50, 70), [(10, 40), (10, 40)], r"cre_tile must be one span or one an example \(3\); got 2"),
    ],
)
def test_fine_tile_refuses_bad_tiles(tss: Any, cre: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fine_tile_search(MODEL, fixed_examples(), tss, cre, n=2)


@pytest.mark.parametrize("shape", [(2, 3, 4, LENGTH), (3, 1, 4, LENGTH), (3, 2, 4, LENGTH + 1)])
def test_fine_tile_refuses_backgrounds_of_another_shape(shape: tuple[int, ...]) -> None:
    message = re.escape(f"backgrounds must have shape (3, 2 or more, 4, 120); got {shape}.")
    with pytest.raises(ValueError, match=message):
        fine_tile_search(MODEL, fixed_examples(), TSS, CRE, n=2, backgrounds=torch.zeros(shape))
