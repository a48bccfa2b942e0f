"""The published K562 tables give the published counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tangermeme_creme.analysis.calls import call_cres, classify_context
from tangermeme_creme.analysis.effects import (
    fraction_of_max,
    normalized_effect,
    tile_effect_over_control,
    tile_effect_over_wt,
)
from tangermeme_creme.analysis.interactions import additive_trace, expected_pair, multiplicative_trace

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "paper_data"


def read(name: str) -> pd.DataFrame:
    path = FOLDER / f"k562_{name}.csv"
    if not path.exists():
        pytest.skip(f"the published table {path.name} is not at hand")
    return pd.read_csv(path)


def test_context_effects_and_categories_are_the_published_ones():
    table = read("context_dependence")
    effect = normalized_effect(table["wt"], table["mean_mut"])
    assert len(table) == 600
    np.testing.assert_allclose(effect, table["delta_mean"], atol=1e-6)
    category = classify_context(effect)
    assert (category == table["context"]).all()
    assert category.value_counts().to_dict() == {"enhancing": 200, "neutral": 200, "silencing": 200}


def test_necessity_calls_count_as_published():
    table = read("necessity").rename(columns={"Normalized shuffle effect": "necessity"})
    called = call_cres(table, by="necessity")
    assert len(called) == 22_800
    assert called["cre"].value_counts().to_dict() == {"enhancer": 238, "silencer": 143}


def test_sufficient_cres_have_the_published_effects_and_classes():
    table = read("sufficient_cres")
    over_wt = tile_effect_over_wt(table["mut"], table["control"], table["wt"])
    over_control = tile_effect_over_control(table["mut"], table["control"])
    np.testing.assert_allclose(over_wt, table["(MUT - CONTROL) / WT"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(over_control, table["(MUT - CONTROL) / CONTROL"], rtol=1e-5, atol=1e-5)
    called = call_cres(table.assign(over_wt=over_wt, over_control=over_control))
    assert (called["cre"] == table["tile class"].str.lower()).all()
    assert called["cre"].value_counts().to_dict() == {"silencer": 222, "enhancer": 74}


def test_distance_curves_peak_downstream_and_fall_faster_upstream():
    table = read("distance")
    curves = table.groupby("enf_data_id", sort=False)
    assert len(table) == 296 * 38 and curves.ngroups == 296
    # The table has the curve as a fraction of its own maximum or minimum; the activity is behind the effect.
    enhancers = table[table["tile class"] == "Enhancer"]
    activity = enhancers.pivot_table(
        index="enf_data_id", columns="Binned distance (Kb)", values="Fold change over control"
    )
    curve = pd.Series(fraction_of_max(activity.to_numpy(), axis=1).mean(0), index=activity.columns)
    assert len(activity) == 74 and curve.idxmax() == 5.0
    for kb in (5, 10, 20, 40, 60, 80):
        assert curve[-kb] < curve[kb]


def test_pairs_of_the_second_round_against_additive_and_multiplicative_expectation():
    """Additive effects explain additive pairs, multiplicative ones explain the superadditive better (Fig. 6e-h)."""
    table = read("second_iteration_min").pivot(index="seq_id", columns="step", values="activity")
    wt, first, second, both = (table[name] for name in ("wt", "greedy_it1", "greedy_it2", "two_cres_shuffled"))
    assert len(table) == 600
    expected = expected_pair(wt, first, second)
    np.testing.assert_allclose(expected.additive, first + second - wt)
    np.testing.assert_allclose(expected.multiplicative, first * second / wt)
    singles = np.stack([first, second], axis=1)
    np.testing.assert_allclose(additive_trace(wt.to_numpy(), singles, [0, 1])[:, 1], expected.additive / wt)
    folds = multiplicative_trace(wt.to_numpy(), singles, [0, 1], scale="fold")
    np.testing.assert_allclose(folds[:, 1], expected.multiplicative / wt)

    observed = both / wt
    above = observed > expected.additive / wt + 0.05
    far = {name: (value / wt - observed).abs()[above].median() for name, value in expected._asdict().items()}
    assert above.sum() > 20 and far["multiplicative"] < far["additive"]
