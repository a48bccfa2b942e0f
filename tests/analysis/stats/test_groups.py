"""Test comparisons of pairs of groups against scipy, statsmodels and all labelings."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.analysis.stats import compare_groups


def groups(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"kind": rng.choice(["enhancer", "silencer", "neutral"], 90), "track": rng.choice(["x", "y"], 90)}
    )
    table["effect"] = rng.normal(0, 1, 90) + (table["kind"] == "enhancer")
    table["mark"] = rng.poisson(3, 90).astype(float)
    table.loc[:4, "effect"] = np.nan
    table.loc[5:7, "kind"] = None
    return table


def test_groups_are_compared_as_scipy_and_statsmodels_do() -> None:
    table = groups()
    tests = compare_groups(table, ["effect", "mark"], "kind", by="track")
    assert len(tests) == 2 * 2 * 3
    for row in tests.itertuples():
        part = table[table["track"] == row.track]
        one, other = (part.loc[part["kind"] == kind, row.value].dropna() for kind in (row.group_1, row.group_2))
        expected = stats.mannwhitneyu(one, other, alternative="two-sided")
        assert (row.u, row.p) == (expected.statistic, expected.pvalue)
        assert (row.n_1, row.n_2, row.median_1) == (len(one), len(other), one.median())
        assert row.auc == pytest.approx(np.mean([(a > b) + (a == b) / 2 for a in one for b in other]), rel=1e-12)
    np.testing.assert_allclose(tests["p_bonferroni"], multipletests(tests["p"], method="bonferroni")[1], rtol=1e-12)
    np.testing.assert_allclose(tests["p_bh"], multipletests(tests["p"], method="fdr_bh")[1], rtol=1e-12)


def test_p_value_is_the_share_of_all_labelings() -> None:
    table = pd.DataFrame({"kind": list("aaabbbb"), "effect": [0.1, 2.0, 0.4, 3.0, 2.5, 0.3, 4.0]})
    tests = compare_groups(table, "effect", "kind")

    def u(chosen: tuple[int, ...]) -> int:
        return sum(table["effect"][i] > table["effect"][j] for i in chosen for j in range(7) if j not in chosen)

    every = np.array([u(chosen) for chosen in itertools.combinations(range(7), 3)])
    assert tests["u"].item() == u((0, 1, 2))
    assert tests["p"].item() == pytest.approx(
        min(1, 2 * min((every <= u((0, 1, 2))).mean(), (every >= u((0, 1, 2))).mean()))
    )


def test_what_cannot_be_tested_is_nan_and_does_not_count() -> None:
    table = groups()
    table = table[table["kind"] != "neutral"]
    table["kind"] = pd.Categorical(table["kind"], ["silencer", "enhancer", "insulator"])
    tests = compare_groups(table, "effect", "kind")
    pairs = tests[["group_1", "group_2"]].to_numpy().tolist()
    assert pairs == [["silencer", "enhancer"], ["silencer", "insulator"], ["enhancer", "insulator"]]
    assert tests["p"].isna().tolist() == tests["p_bh"].isna().tolist() == [False, True, True]
    assert tests["n_2"].tolist()[1:] == [0, 0] and np.isnan(tests["median_2"].iloc[1])
    assert tests["p"][0] == tests["p_bh"][0] == tests["p_bonferroni"][0]  # one test was made
    empty = compare_groups(table.assign(effect=np.nan), "effect", "kind")
    assert empty[["p", "p_bh", "p_bonferroni"]].isna().all(axis=None)


def test_pairs_and_errors_of_group_comparisons() -> None:
    table = groups()
    tests = compare_groups(table, "effect", "kind", pairs=[("silencer", "enhancer")])
    assert tests[["group_1", "group_2"]].to_numpy().tolist() == [["silencer", "enhancer"]]
    assert compare_groups(table.assign(effect=1.0), "effect", "kind")["p"].tolist() == [1.0] * 3
    with pytest.raises(ValueError, match="column 'marks'"):
        compare_groups(table, "marks", "kind")
    with pytest.raises(ValueError, match="groups in column 'kind'; got 'enhancers'"):
        compare_groups(table, "effect", "kind", pairs=[("enhancers", "silencer")])
    assert len(compare_groups(table.iloc[:0], "effect", "kind")) == 0


def test_infinite_values_count_as_missing() -> None:
    table = pd.DataFrame({"kind": ["a"] * 4 + ["b"] * 3, "effect": [1.0, 2, 3, np.inf, 4, 5, 6]})
    with pytest.warns(TangermemeWarning, match="effect must be finite: 1 of 7"):
        found = compare_groups(table, "effect", "kind")
    pd.testing.assert_frame_equal(found, compare_groups(table[table["effect"] < np.inf], "effect", "kind"))
    with pytest.raises(ValueError, match="effect must be a number"):
        compare_groups(table.assign(effect="1"), "effect", "kind")
