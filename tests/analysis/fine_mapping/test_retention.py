"""Retention curves against sequences built base by base, and against the search on the same backgrounds."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fine_tile_cases import CRE, LENGTH, MODEL, SEEDS, TSS, Search, bases, fixed_examples, scorer
from helpers import CountA, ScaledMixer, TwoHeads, assert_close, controls, random_sequences, shuffles
from hypothesis import given, settings, strategies as st
from tangermeme.utils import PackedSequence, TangermemeWarning

from tangermeme_creme.analysis.fine_mapping import random_ranking, retention_curve

WIDTH = 30
ACTIVITY, EFFECT = Search((), (), ()), Search((), (), (), score="effect")


def importance(draws: int | None = None, seed: int = 0) -> torch.Tensor:
    shape = (3, WIDTH) if draws is None else (3, draws, WIDTH)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def curve(ranking: torch.Tensor, search: Search = ACTIVITY, model: Any = MODEL, **options: Any) -> Any:
    options = {"n": 3, "random_state": SEEDS, "objective": search.objective, **options}
    return retention_curve(
        model, fixed_examples(), TSS, CRE, ranking, direction=search.direction, score=search.score, **options
    )


@pytest.mark.parametrize("search", [ACTIVITY, EFFECT], ids=["activity", "effect"])
@pytest.mark.parametrize("batch_size", [1, 64])
def test_the_score_is_that_of_the_most_important_bases_in_background(search: Search, batch_size: int) -> None:
    ranking = importance(2)
    result = curve(ranking, search, steps=4, batch_size=batch_size)
    assert result.bp_kept.tolist() == [30, 26, 22, 18, 14, 10, 6, 2, 0]
    for i, (start, _) in enumerate(CRE):
        x = fixed_examples()[i]
        score = scorer(search, MODEL, x, controls(x, TSS[i], 3, SEEDS[i]), CRE[i])
        for d in range(2):
            ranked = sorted(range(WIDTH), key=lambda position: ranking[i, d, position])
            for p, bp in enumerate(result.bp_kept.tolist()):
                gone = bases([(start + position, start + position + 1) for position in ranked[: WIDTH - bp]])
                assert float(result.score[i, d, p]) == pytest.approx(score(gone), abs=1e-10)


def test_ends_are_the_whole_cre_and_the_control() -> None:
    result = curve(importance(), EFFECT)
    assert_close(result.score[:, 0, 0], torch.ones(3, dtype=torch.float64))
    assert_close(result.score[:, 0, -1], torch.zeros(3, dtype=torch.float64))
    assert result.y_kept.shape == (3, 1, 2, 3)


def test_scores_are_those_of_the_search_on_the_same_sequences() -> None:
    """What a search has kept after each step, given as rankings, has the scores of its trace."""
    search = Search((6, 3), (0.9, 0.6), (1, 2))
    found = search.run(fixed_examples(), TSS, CRE, n=3, random_state=SEEDS)
    checked = 0
    for i, (start, _) in enumerate(CRE):
        ranking = torch.zeros(1, WIDTH)
        for k, step in enumerate(found.trace[i]):
            for first, last in step.removed:
                ranking[0, first - start : last - start] = k
        ranking[found.mask[i][None]] = len(found.trace[i])
        bp = [step.bp_kept for step in found.trace[i]]
        result = retention_curve(
            MODEL, fixed_examples()[[i]], TSS[i], CRE[i], ranking, steps=bp, n=3, random_state=SEEDS[i : i + 1],
            objective=search.objective,
        )  # fmt: skip
        scores = dict(zip(result.bp_kept.tolist(), result.score[0, 0].tolist()))
        for step in found.trace[i]:
            assert scores[step.bp_kept] == pytest.approx(step.score, abs=1e-10)
            checked += 1
    assert checked > 8


def test_given_backgrounds_are_those_of_the_seed() -> None:
    drawn = torch.stack([shuffles(x, 5, seed) for x, seed in zip(fixed_examples(), SEEDS)])
    expected = curve(importance(), steps=7)
    for backgrounds in (drawn, PackedSequence.from_one_hot(drawn)):
        assert_close(curve(importance(), steps=7, random_state=SEEDS, backgrounds=backgrounds).score, expected.score)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_order_follows_the_ranking_with_ties_at_random(data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, 3), min_size=WIDTH, max_size=WIDTH))
    ranking = torch.tensor(values).expand(3, WIDTH)
    result = curve(ranking, steps=WIDTH)
    for i in range(3):
        order = result.order[i, 0].tolist()
        assert sorted(order) == list(range(WIDTH))
        assert [values[position] for position in order] == sorted(values)
    bp = torch.tensor([[data.draw(st.integers(0, WIDTH))] for _ in range(3)])
    kept = result.kept(bp)
    assert kept.sum(-1).equal(bp)
    for i in range(3):
        inside, outside = ranking[i][kept[i, 0]], ranking[i][~kept[i, 0]]
        assert not len(inside) or not len(outside) or inside.min() >= outside.max()


def test_a_mask_keeps_its_own_bases_for_longest() -> None:
    mask = torch.zeros(3, WIDTH, dtype=torch.bool)
    mask[:, 4:9] = mask[0, 20:22] = True
    result = curve(mask, steps=[7, 5, 12])
    assert result.bp_kept.tolist() == [30, 12, 7, 5, 0]
    assert torch.equal(result.kept(mask.sum(1, keepdim=True))[:, 0], mask)


def test_a_constant_is_the_random_baseline() -> None:
    ranking = random_ranking(3, WIDTH, draws=4)
    result = curve(ranking, steps=5)
    orders = {tuple(order) for order in result.order.reshape(-1, WIDTH).tolist()}
    assert len(orders) == 12
    again = curve(random_ranking(3, WIDTH, draws=2), steps=5)
    assert torch.equal(again.order, result.order[:, :2]) and torch.equal(again.score, result.score[:, :2])
    places = torch.cat([curve(random_ranking(3, WIDTH, draws=40), steps=WIDTH, random_state=s).order for s in range(5)])
    first = torch.bincount(places[..., 0].flatten(), minlength=WIDTH)
    assert first.min() > 0 and first.max() < 60  # 600 of them, 20 a position


def test_the_first_k_of_n_backgrounds_are_those_of_k() -> None:
    few, many = curve(importance(), steps=10), curve(importance(), steps=10, n=5)
    assert_close(many.y_kept[..., :3], few.y_kept)


def test_args_and_several_outputs() -> None:
    args = [torch.tensor([[1.0], [2.0], [5.0]]).double(), torch.arange(6.0).reshape(3, 2).double()]
    options: dict[str, Any] = {"steps": 10, "n": 2}
    together = retention_curve(
        ScaledMixer(LENGTH), fixed_examples(), TSS, CRE, importance(), args=args, random_state=SEEDS, **options
    )
    for i in range(3):
        alone = retention_curve(
            ScaledMixer(LENGTH), fixed_examples()[[i]], TSS[i], CRE[i], importance()[[i]],
            args=[arg[[i]] for arg in args], random_state=SEEDS[i], **options,
        )  # fmt: skip
        assert_close(alone.y_kept, together.y_kept[[i]])
    heads = curve(importance(), model=TwoHeads(LENGTH), objective=lambda y: y[1].mean(1), steps=10)
    assert heads.score.shape == (3, 1, 4)
    with pytest.raises(ValueError, match="objective must be given"):
        curve(importance(), model=TwoHeads(LENGTH), objective=None)


def test_a_silencer_is_scored_by_its_effect() -> None:
    upside_down = ACTIVITY._replace(direction="min", sign=-1.0)
    result = curve(importance(), upside_down, steps=6)
    means = result.y_kept.double().mean(-1)
    defined = (means[..., :1] < means[..., -1:]).flatten()
    assert defined.any()
    expected = (means - means[..., -1:]) / (means[..., :1] - means[..., -1:])
    assert_close(result.score[defined], expected[defined])


def test_a_cre_without_an_effect_has_no_score_and_is_named() -> None:
    X = random_sequences(2, LENGTH, seed=2)
    with pytest.warns(TangermemeWarning, match=r"^1 of 2 CREs have .* the score is NaN: example 1\.$"):
        result = retention_curve(
            CountA(), X, TSS[0], CRE[0], importance()[:2], steps=10, n=2, random_state=0, objective=first_only(X)
        )
    assert result.score[0].isfinite().all() and result.score[1].isnan().all()
    assert result.y_kept[1].isfinite().all()


def first_only(X: torch.Tensor) -> Any:
    """As many A as the first sequence or its shuffles have is 1, any other number is 0."""
    own = int(X[0, 0].sum())
    assert int(X[1, 0].sum()) != own
    near = sorted([own, int(X[1, 0].sum())])
    middle = sum(near) / 2
    return lambda y: ((y[:, 0] > middle) == (own > middle)).float()


def test_cost_is_that_of_the_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    calls = []
    hook = MODEL.register_forward_pre_hook(lambda _, inputs: calls.append(len(inputs[0])))
    try:
        result = curve(importance(2), steps=7, verbose=True, allow_stochastic=True)
    finally:
        hook.remove()
    P = len(result.bp_kept)
    assert sum(calls) == 3 * (2 * 3 + 2 * (P - 2) * 3)
    assert f"{sum(calls)}/{sum(calls)}" in capsys.readouterr().err


def test_the_table_has_a_row_a_point() -> None:
    result = curve(importance(2), steps=10)
    table = result.to_frame(ids=["a", "b", "c"])
    assert table.columns.tolist() == ["example", "draw", "bp_kept", "score"]
    assert len(table) == 3 * 2 * 4
    row = table[(table["example"] == "b") & (table["draw"] == 1) & (table["bp_kept"] == 10)]
    assert row["score"].item() == float(result.score[1, 1, 2])


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "shape": ({"ranking": torch.zeros(3, 29)}, r"ranking must have shape \(3, 30\) or \(3, D, 30\).*got \(3, 29\)"),
    "no draw": ({"ranking": torch.zeros(3, 0, 30)}, r"got \(3, 0, 30\)"),
    "examples": ({"ranking": torch.zeros(1, 30)}, r"got \(1, 30\)"),
    "steps": ({"steps": 0}, "steps must be at least 1; got 0"),
    "steps of bp": ({"steps": [5, 31]}, "at most the 30 bp of the CRE; got 31 at index 1"),
    "negative bp": ({"steps": [-1]}, r"steps\[0\] must be at least 0; got -1"),
    "fraction": ({"steps": [0.5]}, r"steps\[0\] must be an integer; got 0.5"),
    "direction": ({"direction": "up"}, "direction must be 'min' or 'max'; got 'up'"),
    "score": ({"score": "loss"}, "score must be 'activity', 'effect' or None; got 'loss'"),
    "overlap": ({"cre_tile": (40, 70)}, r"cre_tile must not overlap tss_tile"),
    "lengths": ({"cre_tile": [(0, 30), (0, 29), (0, 30)]}, "must be of one length, 30 bp; got 29 bp for example 1"),
    "backgrounds": ({"backgrounds": fixed_examples()[:, None]}, r"must have shape \(3, 10 or more, 4, 120\); got"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_named(name: str) -> None:
    options, message = BAD[name]
    arguments: dict[str, Any] = {"ranking": importance(), "cre_tile": CRE, "random_state": 0, **options}
    with pytest.raises(ValueError, match=message):
        retention_curve(MODEL, fixed_examples(), TSS, **arguments)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_nan_and_infinity_in_a_ranking_are_placed(bad: float) -> None:
    ranking = importance(2)
    ranking[1, 1, 7] = bad
    with pytest.raises(ValueError, match=f"must be finite; got {bad} for example 1, draw 1, position 7"):
        curve(ranking)
    with pytest.raises(ValueError, match=r"must hold real numbers; got torch\.complex"):
        curve(ranking * 1j)


def test_no_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="draws must be at least 1; got 0"):
        random_ranking(3, WIDTH, draws=0)
