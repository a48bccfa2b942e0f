"""Summaries of curves against hand-made values, naive loops and scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from scipy.integrate import trapezoid

from tangermeme_creme.analysis.fine_mapping import area_under_curve, fewest_bp, summarize_curves

scores = st.floats(-2, 3, allow_nan=False)
curves = st.lists(st.tuples(st.integers(0, 5000), scores), min_size=2, max_size=20, unique_by=lambda point: point[0])


@given(curve=curves, threshold=scores, below=st.booleans(), order=st.randoms())
def test_fewest_bp_is_the_lowest_point_at_the_threshold(
    curve: list[tuple[int, float]], threshold: float, below: bool, order: object
) -> None:
    order.shuffle(curve)  # type: ignore[attr-defined]
    at = [bp for bp, score in curve if (score <= threshold if below else score >= threshold)]
    found = fewest_bp(*zip(*curve), threshold=threshold, below=below)
    assert found == min(at) if at else np.isnan(found)


def test_a_curve_that_dips_and_rises_counts_where_it_is_lowest() -> None:
    assert fewest_bp([100, 80, 60, 40, 20, 0], [1.0, 0.7, 0.9, 0.8, 0.79, 0.0]) == 40


@given(curve=curves, order=st.randoms())
def test_the_area_is_the_trapezoids_over_the_bp_of_the_curve(curve: list[tuple[int, float]], order: object) -> None:
    bp, score = zip(*sorted(curve))
    expected = trapezoid(score, bp) / (bp[-1] - bp[0])
    order.shuffle(curve)  # type: ignore[attr-defined]
    assert area_under_curve(*zip(*curve)) == pytest.approx(expected)


def test_areas_by_hand() -> None:
    assert area_under_curve([5000, 0], [1, 1]) == 1
    assert area_under_curve([5000, 0], [1, 0]) == 0.5
    assert area_under_curve([100, 99, 0], [1, 0, 0]) == pytest.approx(0.005)


def test_points_without_a_score_do_not_count() -> None:
    bp, score = [100, 50, 20, 0], [1.0, np.nan, 0.9, np.nan]
    assert fewest_bp(bp, score) == 20
    assert area_under_curve(bp, score) == pytest.approx(0.95)
    assert np.isnan(fewest_bp(bp, [np.nan] * 4)) and np.isnan(area_under_curve(bp, [np.nan] * 4))
    assert np.isnan(area_under_curve([100], [1.0])) and np.isnan(fewest_bp([], []))


def test_a_table_has_one_row_a_curve_and_means_over_draws() -> None:
    rng = np.random.default_rng(0)
    rows = [
        (example, method, draw, bp, rng.random())
        for example in ("b", "a")
        for method, draws in (("search", 1), ("random", 3))
        for draw in range(draws)
        for bp in (100, 60, 30, 0)
    ]
    table = pd.DataFrame(rows, columns=["example", "method", "draw", "bp_kept", "score"])
    summary = summarize_curves(table, threshold=0.4)
    assert summary.columns.tolist() == ["example", "method", "draws", "fewest_bp", "area"]
    assert summary[["example", "method", "draws"]].to_numpy().tolist() == [
        ["b", "search", 1], ["b", "random", 3], ["a", "search", 1], ["a", "random", 3],
    ]  # fmt: skip
    for row in summary.itertuples():
        part = table[(table["example"] == row.example) & (table["method"] == row.method)]
        each = [draw for _, draw in part.groupby("draw")]
        bp = [fewest_bp(draw["bp_kept"], draw["score"], threshold=0.4) for draw in each]
        assert row.fewest_bp == pytest.approx(np.nanmean(bp))
        assert row.area == pytest.approx(np.mean([area_under_curve(draw["bp_kept"], draw["score"]) for draw in each]))


def test_draws_without_a_point_at_the_threshold_do_not_count() -> None:
    table = pd.DataFrame({"draw": [0, 0, 1, 1], "bp_kept": [10, 0] * 2, "score": [0.9, 0.1, 0.5, 0.1]})
    assert summarize_curves(table)["fewest_bp"].tolist() == [10]
    assert summarize_curves(table, threshold=2)["fewest_bp"].isna().all()
    assert summarize_curves(table, threshold=0.3, below=True)["fewest_bp"].tolist() == [0]


def test_an_empty_table_has_no_row() -> None:
    empty = pd.DataFrame({"method": [], "bp_kept": [], "score": []})
    assert summarize_curves(empty).columns.tolist() == ["method", "draws", "fewest_bp", "area"]
    assert len(summarize_curves(empty)) == 0


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="table must have column 'score'; got bp_kept"):
        summarize_curves(pd.DataFrame({"bp_kept": [1]}))
    for function in (fewest_bp, area_under_curve):
        with pytest.raises(ValueError, match=r"must be a curve, shape \(P,\) each; got \(2,\) and \(3,\)"):
            function([1, 2], [1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match=r"got \(1, 2\) and \(1, 2\)"):
            function([[1, 2]], [[1.0, 2.0]])
