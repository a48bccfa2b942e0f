"""Test traces and pairs against additive and multiplicative expectations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st
from tangermeme.utils import TangermemeWarning

from tangermeme_creme import higher_order_interaction_test
from tangermeme_creme.analysis.interactions import (
    additive_trace,
    call_interactions,
    classify_interaction,
    classify_multiplicative,
    classify_traces,
    epistasis,
    epistasis_difference,
    expected_pair,
    greedy_traces,
    log_epistasis,
    multiplicative_trace,
)
from tangermeme_creme.models import Readout
from tangermeme_creme.models.toy import Element, RegulatoryToy, simulate_sequence
from tangermeme_creme.operators import GreedyResult


@given(st.data())
def test_traces_equal_a_loop_over_tiles(data):
    T, N = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    activity = st.floats(0.1, 50, allow_nan=False)
    wt = [data.draw(activity) + 2 for _ in range(N)]
    single = [[data.draw(activity) for _ in range(T)] for _ in range(N)]
    order = [data.draw(st.permutations(range(T))) for _ in range(N)]
    added, multiplied = additive_trace(wt, single, order), multiplicative_trace(wt, single, order, scale="fold")
    logs = multiplicative_trace(wt, single, order)
    for i in range(N):
        total, product = wt[i], wt[i]
        for r, tile in enumerate(order[i]):
            total += single[i][tile] - wt[i]
            product *= single[i][tile] / wt[i]
            assert added[i, r] == pytest.approx(total / wt[i], abs=1e-9)
            assert multiplied[i, r] == pytest.approx(product / wt[i], rel=1e-9)
            assert logs[i, r] == pytest.approx(np.log(product) / np.log(wt[i]), abs=1e-9)
    assert additive_trace(wt[0], single[0], []).shape == (0,)
    np.testing.assert_array_equal(additive_trace(wt[0], single[0], order[0]), added[0])
    np.testing.assert_array_equal(additive_trace(torch.tensor(wt, dtype=torch.float64), single, np.array(order)), added)


def test_traces_without_a_reference_are_nan_and_counted():
    with pytest.warns(TangermemeWarning, match="wt must be above 0.*1 of 2"):
        trace = additive_trace([0.0, 2.0], [1.0, 1.0], [0, 1])
    np.testing.assert_array_equal(trace, [[np.nan, np.nan], [0.5, 0.0]])
    with pytest.warns(TangermemeWarning, match="the logarithm of wt must be above 0.*1 of 1"):
        assert np.isnan(multiplicative_trace(0.5, [0.2], [0])).all()  # the logarithm of 0.5 is negative
    assert multiplicative_trace(0.5, [0.25], [0], scale="fold").tolist() == [0.5]
    assert np.isnan(multiplicative_trace(2.0, [1.0, 0.0], [0, 1])).tolist() == [False, True]


def test_trace_errors_say_what_was_got():
    with pytest.raises(ValueError, match=r"indices of the 2 tiles; got \[0, 2\]"):
        additive_trace(1.0, [1.0, 1.0], [0, 2])
    with pytest.raises(ValueError, match=r"got \(2,\), \(3, 2\)"):
        additive_trace([1.0, 1.0], np.ones((3, 2)), [0, 1])
    with pytest.raises(ValueError, match="scale must be 'log' or 'fold'; got 'x'"):
        multiplicative_trace(1.0, [1.0], [0], scale="x")
    with pytest.raises(ValueError, match=r"one shape.*\(2,\) and \(3,\)"):
        classify_interaction([1.0, 1.0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"close=0\.2, far=0\.1"):
        classify_interaction([1.0], [1.0], close=0.2)
    with pytest.raises(ValueError, match=r"direction must be .* got 'up'"):
        classify_multiplicative([1.0], [1.0], direction="up")


def test_classify_interaction_at_and_between_the_thresholds():
    zero = np.zeros((6, 1))
    gaps = np.sqrt([[0.11], [0.11], [0.07], [0.04], [0.0], [np.nan]]) * [[1], [-1], [1], [-1], [1], [1]]
    assert classify_interaction(gaps, zero).tolist() == [
        "superadditive", "subadditive", "ambiguous", "additive", "additive", None,
    ]  # fmt: skip
    assert classify_interaction([0.5, np.nan], [0.5, 9.0]) == "additive"  # a missing round does not count
    assert classify_interaction([0.5], [0.0], far=0.25, close=0.25) == "ambiguous"  # bounds belong to no class


def test_expected_pair_where_a_product_is_not_defined():
    added, multiplied = expected_pair([100, 100, 0], [60, -1, 1], [70, 50, 1])
    assert added.tolist() == [30, -51, 2]
    np.testing.assert_array_equal(multiplied, [42, np.nan, np.nan])


@pytest.mark.parametrize(
    ("response", "kind"), [("additive", "additive"), ("multiplicative", "superadditive"), ("saturating", "subadditive")]
)
def test_toy_response_is_called_what_it_is(response, kind):
    """Two enhancers beside the TSS: additive; a log link (superadditive, multiplicative); a plateau (subadditive)."""
    length, tiles = 8192, [(k, k + 1024) for k in (1024, 2048, 5120, 6144)]
    elements = [Element("promoter", 4096), Element("enhancer", 2300, 6), Element("enhancer", 5300, 6)]
    X = simulate_sequence(length, elements, random_state=0)
    toy = RegulatoryToy(length, response=response, basal=1.5)
    model = Readout(toy, bins=[toy.tss_bin])
    result = higher_order_interaction_test(model, X, tiles, direction="min", rounds=2, n=3, random_state=0)
    assert sorted(result.order[0].tolist()) == [1, 2]
    table = greedy_traces(result, ids=["gene"])
    assert classify_interaction(table["observed"].to_numpy(), table["additive"].to_numpy()) == kind
    logs = table["observed_log"].to_numpy(), table["multiplicative_log"].to_numpy()
    expected = "multiplicative" if response == "multiplicative" else "nonmultiplicative"
    assert classify_multiplicative(*logs, direction="min") == expected
    classes = classify_traces(table, direction="min")
    assert classes[["example", "interaction", "multiplicative"]].to_numpy().tolist() == [["gene", kind, expected]]
    assert classes["mse_additive"].item() == pytest.approx(((table["observed"] - table["additive"]) ** 2).mean())
    assert classes["mse_multiplicative"].item() == pytest.approx(((logs[0] - logs[1]) ** 2).mean())


def greedy(wt: list[float]) -> GreedyResult:
    """Make a result of two tiles: the first halves the activity, the second lowers it by 0.5."""
    start = torch.tensor(wt, dtype=torch.float64)[:, None]
    alone = torch.cat([start / 2, start - 0.5], dim=1)
    both = start / 2 - 0.5
    second = torch.cat([torch.full_like(start, torch.nan), both], dim=1)
    return GreedyResult(
        order=torch.tensor([[0, 1]] * len(wt)),
        y_start=torch.cat([start, alone[:, :1], both], dim=1),
        y_candidates=torch.stack([alone, second], dim=1)[..., None],
        y_selected=torch.cat([alone[:, :1], both], dim=1),
        y_holdout=torch.cat([alone[:, :1], both], dim=1) + 0.1,
    )


def test_traces_of_a_search_one_row_per_round() -> None:
    table = greedy_traces(greedy([4.0]), ids=["gene"])
    assert table[["example", "round", "n_tiles", "tile"]].to_numpy().tolist() == [["gene", 0, 1, 0], ["gene", 1, 2, 1]]
    np.testing.assert_allclose(table["observed"], [0.5, 0.375])
    np.testing.assert_allclose(table["additive"], [0.5, 0.375])
    np.testing.assert_allclose(table["multiplicative"], [0.5, 0.5 * 3.5 / 4])
    np.testing.assert_allclose(table["observed_log"], np.log([2, 1.5]) / np.log(4))
    np.testing.assert_allclose(table["multiplicative_log"], np.log([2, 1.75]) / np.log(4))
    np.testing.assert_allclose(table["holdout"], [2.1 / 4, 1.6 / 4])
    np.testing.assert_allclose(table["multiplicative_log"], multiplicative_trace(4.0, [2.0, 3.5], [0, 1]))
    with pytest.raises(ValueError, match=r"ids must have 1 entries, one per example; got 2"):
        greedy_traces(greedy([4.0]), ids=["a", "b"])


def test_traces_of_a_search_without_a_reference_are_warned_of_once_each() -> None:
    with pytest.warns(TangermemeWarning) as caught:
        table = greedy_traces(greedy([0.0, 0.8, 4.0]))
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert "the wild type must be above 0" in messages[0] and "1 of 3" in messages[0]
    assert "the logarithm of the wild type must be above 0" in messages[1] and "1 of 3" in messages[1]
    assert table["observed"].isna().groupby(table["example"]).all().tolist() == [True, False, False]
    assert table["observed_log"].isna().groupby(table["example"]).all().tolist() == [True, True, False]
    assert table.loc[table["example"] == 1, ["additive", "holdout"]].notna().all(axis=None)


def test_classes_of_several_traces_some_undefined() -> None:
    with pytest.warns(TangermemeWarning):
        table = greedy_traces(greedy([0.0, 0.8, 4.0]), ids=["zero", "low", "high"])
    classes = classify_traces(table, direction="max")
    assert classes["example"].tolist() == ["zero", "low", "high"]
    assert classes["interaction"].tolist() == [None, "additive", "additive"]
    assert classes["multiplicative"].tolist() == [None, None, "multiplicative"]
    assert classes["mse_additive"].isna().tolist() == [True, False, False]
    several = pd.concat([table.assign(direction=name) for name in ("a", "b")])
    assert len(classify_traces(several, direction="max", by=["direction", "example"])) == 6
    assert len(classify_traces(table.iloc[:0], direction="min")) == 0
    with pytest.raises(ValueError, match="column 'observed_log'"):
        classify_traces(table.drop(columns="observed_log"), direction="min")


def searched(wt: float, single: list[float], selected: list[float], holdout: list[float] | None = None) -> GreedyResult:
    """The result of a search over two tiles, which fixes the second and then the first."""
    candidates = torch.full((1, 2, 2, 1), torch.nan)
    candidates[0, 0, :, 0] = torch.tensor(single)
    start = torch.tensor([[wt, *selected]])
    held = None if holdout is None else torch.tensor([holdout])
    return GreedyResult(torch.tensor([[1, 0]]), start, candidates, start[:, 1:], held)


def test_traces_of_predictions_without_ratios_are_differences_from_the_wild_type() -> None:
    table = greedy_traces(searched(-1.0, [-2.0, -4.0], [-4.0, -4.5], [-3.5, -4.0]), scale="difference")
    assert table["observed"].tolist() == [-3.0, -3.5] and table["additive"].tolist() == [-3.0, -4.0]
    assert table["holdout"].tolist() == [-2.5, -3.0]
    assert {"multiplicative", "observed_log"}.isdisjoint(table.columns)
    with pytest.raises(ValueError, match="'difference' or 'log_fold'; got 'z'"):
        greedy_traces(searched(-1.0, [-2.0, -4.0], [-4.0, -4.5]), scale="z")


def test_traces_of_log_folds_are_logarithms_of_the_folds() -> None:
    result = searched(8.0, [4.0, 2.0], [2.0, 1.0])
    folds, logs = greedy_traces(result), greedy_traces(result, scale="log_fold")
    assert logs["observed"].tolist() == [-2.0, -3.0] and logs["multiplicative"].tolist() == pytest.approx([-2.0, -3.0])
    assert folds["additive"].tolist() == [0.25, -0.25] and np.isnan(logs["additive"]).tolist() == [False, True]
    assert logs["observed_log"].tolist() == folds["observed_log"].tolist()


def test_pairs_in_units_of_the_prediction_are_those_of_its_exponential() -> None:
    logs = {"y_wt": -1.0, "y_1": -2.0, "y_2": -3.0, "y_both": -3.5}
    assert epistasis_difference(**logs) == 0.5
    assert log_epistasis(**{name: np.exp(y) for name, y in logs.items()}) == pytest.approx(0.5)
    table = pd.DataFrame({"epistasis_difference": [0.5], "epistasis_difference_low": [0.4]})
    table["epistasis_difference_high"] = 0.6
    assert call_interactions(table, by="epistasis_difference", threshold=0.2)["interaction"].tolist() == ["positive"]
    with pytest.raises(ValueError, match="threshold must be given for 'epistasis_difference'"):
        call_interactions(table, by="epistasis_difference")


@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
def test_an_infinite_round_does_not_decide_the_class(infinity: float) -> None:
    with pytest.warns(TangermemeWarning, match="observed must be finite: 1 of 3"):
        assert classify_interaction([0.9, 0.8, infinity], [0.9, 0.8, 0.7]) == "additive"
    with pytest.warns(TangermemeWarning, match="y_both must be finite: 1 of 1"):
        assert np.isnan(epistasis(1.0, 1.0, 1.0, infinity))
    table = pd.DataFrame({"epistasis": [infinity], "epistasis_low": [0.1], "epistasis_high": [0.2]})
    with pytest.warns(TangermemeWarning, match="epistasis must be finite: 1 of 1"):
        assert call_interactions(table)["interaction"].tolist() == [None]
