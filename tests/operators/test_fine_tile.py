"""The search against a naive one that knows only which bases are background."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import torch
from fine_tile_cases import (
    CRE,
    LENGTH,
    MODEL,
    SEARCHES,
    SEEDS,
    TSS,
    Search,
    bases,
    check,
    fixed_examples,
    naive_search,
    scorer,
)
from helpers import (
    CountA,
    ScaledMixer,
    TwoHeads,
    controls,
    random_sequences,
    shuffles,
)
from hypothesis import given, settings, strategies as st

from tangermeme_creme import fine_tile_search
from tangermeme_creme.operators import FineTileStep
from tangermeme_creme.sequence import pack

Span = tuple[int, int]


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
        ({"scales": (5,)}, "must have one entry per stage; got 1, 2 and 2"),
        ({"thresholds": (0.9, 0.8, 0.7)}, "must have one entry per stage; got 2, 3 and 2"),
        ({"scales": (), "thresholds": (), "prune": ()}, "must have one entry per stage; got 0, 0 and 0"),
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
        ((50, 70), [(10, 40), (10, 40)], r"cre_tile must be one span or one per example \(3\); got 2"),
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
