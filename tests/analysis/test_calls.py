"""Test categories of contexts, calls of CREs, and joined necessity and sufficiency."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.analysis import (
    CALL_PRESETS,
    CONTEXT_PRESETS,
    CallRule,
    call_cres,
    classify_context,
    join_tile_effects,
    select_contexts,
)


def test_classify_context_bounds_belong_to_no_category():
    bounds = [0.95, 0.05, -0.05, -0.3]
    assert set(classify_context(bounds)) == {"other"}
    assert classify_context(np.nextafter(bounds, [1, 0, 0, -1])).tolist() == [
        "enhancing", "neutral", "neutral", "silencing",
    ]  # fmt: skip


def test_classify_context_presets_and_kinds():
    effect = pd.Series([0.92, -0.25, np.nan], index=list("abc"))
    assert classify_context(effect).tolist() == ["other", "other", None]
    assert classify_context(effect, **CONTEXT_PRESETS["borzoi"]).to_dict() == {
        "a": "enhancing", "b": "silencing", "c": None,
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"silencing <= -neutral.*got enhancing=-0.9"):
        classify_context(effect, enhancing=-0.9)


OTHER_SCALES = ("difference", "log_fold")


@pytest.mark.parametrize("scale", OTHER_SCALES)
def test_contexts_on_another_scale_need_thresholds_in_its_units(scale: str) -> None:
    effect = pd.Series([3.0, 0.1, -2.0, 1.0], name=scale)
    thresholds = {"enhancing": 2.5, "neutral": 0.2, "silencing": -1.5}
    assert classify_context(effect, **thresholds).tolist() == ["enhancing", "neutral", "silencing", "other"]
    assert classify_context(effect.tolist(), **thresholds, scale=scale).tolist()[0] == "enhancing"
    for given in ({}, {"enhancing": 2.5, "silencing": -1.5}):
        with pytest.raises(ValueError, match=f"must be given on scale '{scale}', in its units; got no .*neutral"):
            classify_context(effect, **given)
        with pytest.raises(ValueError, match=f"on scale '{scale}'"):
            classify_context(effect.tolist(), **given, scale=scale)
    with pytest.raises(ValueError, match="'difference' or 'log_fold'; got 'logit'"):
        classify_context(effect, scale="logit")


@pytest.mark.parametrize("scale", OTHER_SCALES)
def test_calls_on_another_scale_need_a_rule_in_its_units(scale: str) -> None:
    table = pd.DataFrame({"context": ["enhancing", "silencing", "enhancing"], scale: [0.6, -0.6, 0.4]})
    called = call_cres(table, by=scale, rule=CallRule(enhancer=0.5, silencer=-0.5))
    assert called["cre"].tolist() == ["enhancer", "silencer", None]
    for rule in ({}, {"rule": "borzoi"}, {"rule": CALL_PRESETS["borzoi"]}):
        with pytest.raises(ValueError, match=f"thresholds in units of {scale}; got .*of ratios"):
            call_cres(table, by=scale, **rule)


def test_a_tile_with_an_infinite_effect_is_not_called() -> None:
    table = pd.DataFrame(
        {"context": ["enhancing", "silencing"], "over_wt": [np.inf, 0.0], "over_control": [0, -np.inf]}
    )
    with pytest.warns(TangermemeWarning, match="must be finite: 1 of 2") as caught:
        assert call_cres(table)["cre"].isna().all()
    assert len(caught) == 2  # one per column


def test_select_contexts_caps_each_category_whatever_the_order():
    rng = np.random.default_rng(0)
    names = ["enhancing", "neutral", "silencing", "other", None]
    table = pd.DataFrame({"example": [f"g{i}" for i in range(300)], "context": rng.choice(names, 300)})
    table.loc[table["context"] == "silencing", "context"] = "other"
    table.loc[:2, "context"] = "silencing"
    chosen = select_contexts(table, 20, random_state=1)
    assert chosen["context"].value_counts().to_dict() == {"enhancing": 20, "neutral": 20, "silencing": 3}
    assert chosen.index.is_monotonic_increasing
    shuffled = table.sample(frac=1, random_state=0)
    assert set(select_contexts(shuffled, 20, random_state=1)["example"]) == set(chosen["example"])
    assert set(select_contexts(table, 20, random_state=2)["example"]) != set(chosen["example"])
    with pytest.raises(ValueError, match="'g0' twice"):
        select_contexts(pd.concat([table, table]), 20, random_state=1)
    with pytest.raises(ValueError, match="random_state must be an integer; got None"):
        select_contexts(table, 20, random_state=None)
    with pytest.raises(ValueError, match="random_state must be at least 0; got -1"):
        select_contexts(table, 20, random_state=-1)


def test_call_cres_calls_only_in_the_right_context_and_by_the_right_effect():
    rows = [
        ("enhancing", 0.31, 0.0, "enhancer"),
        ("enhancing", 0.30, 9.0, None),
        ("enhancing", -0.9, -0.9, None),
        ("neutral", 0.9, -0.9, None),
        ("silencing", 0.9, -0.31, "silencer"),
        ("silencing", 0.9, -0.30, None),
        ("silencing", np.nan, np.nan, None),
        (None, 0.9, -0.9, None),
    ]
    table = pd.DataFrame(rows, columns=["context", "over_wt", "over_control", "expected"], index=range(3, 11))
    called = call_cres(table)
    assert called["cre"].tolist() == [row[-1] for row in rows] and "cre" not in table
    borzoi = call_cres(table, rule="borzoi")["cre"].tolist()
    assert borzoi == ["enhancer", None, None, "silencer", "silencer", "silencer", None, None]
    rule = CallRule(enhancer=0.8, enhancer_contexts=("neutral",))
    assert call_cres(table, rule=rule)["cre"].tolist()[3] == "enhancer"


def test_call_cres_errors_name_what_is_missing():
    with pytest.raises(ValueError, match="columns 'over_wt', 'over_control'; got context"):
        call_cres(pd.DataFrame({"context": []}))
    with pytest.raises(ValueError, match=r"by must be .*'x'"):
        call_cres(pd.DataFrame(), by="x")
    with pytest.raises(ValueError, match="enformer, borzoi; got 'y'"):
        call_cres(pd.DataFrame(), rule="y")


def test_join_tile_effects_keeps_every_tile_and_what_differs():
    necessity = pd.DataFrame(
        {"example": "a", "tile": [2, 0, 1], "start": [20, 0, 10], "y_wt": 1.0, "necessity": [3, 1, 2]}
    )
    sufficiency = pd.DataFrame(
        {"example": "a", "tile": [0, 1, 5], "start": [0, 10, 50], "y_wt": 2.0, "over_wt": [1, 2, 3]}
    )
    joined = join_tile_effects(necessity, sufficiency, on=["example", "tile"])
    assert joined["tile"].tolist() == [2, 0, 1, 5]
    assert joined["start"].tolist() == [20, 0, 10, 50]
    assert {"y_wt_necessity", "y_wt_sufficiency"} <= set(joined.columns)
    assert joined["over_wt"].isna().tolist() == [True, False, False, False]
    with pytest.raises(ValueError, match=r"sufficiency must have each tile once; got \{'tile': 0\}"):
        join_tile_effects(necessity, pd.DataFrame({"tile": [0, 0]}), on=["tile"])


def test_join_tile_effects_of_categories_that_are_alike_and_that_are_not():
    one = pd.DataFrame({"tile": [0, 1], "context": pd.Categorical(["neutral", "silencing"])})
    other = pd.DataFrame({"tile": [1, 2], "context": pd.Categorical(["silencing", "enhancing"])})
    joined = join_tile_effects(one, other, on="tile")
    assert joined["context"].tolist() == ["neutral", "silencing", "enhancing"]
    unlike = join_tile_effects(one, other.assign(tile=[0, 2]), on="tile")
    assert unlike["context_necessity"].tolist()[0] == "neutral"
    assert unlike["context_sufficiency"].tolist()[0] == "silencing"
    assert isinstance(join_tile_effects(one, one, on="tile")["context"].dtype, pd.CategoricalDtype)
