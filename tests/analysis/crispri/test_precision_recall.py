"""Test precision, recall and their intervals by hand and against loops over resampled rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from crispri_cases import QUICK, naive_average_precision, pair_table, simulated, tile_table
from hypothesis import given, settings, strategies as st
from sklearn.metrics import average_precision_score

from tangermeme_creme.analysis.crispri import compare_with_crispri, resampled_precision


def test_curve_and_area_by_hand():
    # scores 4, 3, 3, 1: regulated, regulated, not, not; distances 1000, 900, 800, 700
    effects = tile_table([4.0, 3.0, 3.0, 1.0])
    table = pair_table((0, 100, True), (100, 200, True), (200, 300, False), (300, 400, False))
    pairs, curves, summary = compare_with_crispri(effects, table, **QUICK)
    curve = curves[(curves["predictor"] == "effect") & (curves["distance_bin"] == "all")]
    assert curve["threshold"].tolist() == [np.inf, 4, 3, 1]
    assert curve["recall"].tolist() == [0, 0.5, 1, 1]
    assert curve["precision"].tolist() == pytest.approx([1, 1, 2 / 3, 0.5])
    effect, distance = summary.iloc[0], summary.iloc[1]
    assert effect["auprc"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert distance["auprc"] == pytest.approx(1 / 2 * 1 / 3 + 1 / 2 * 2 / 4)  # the regulated ones are the furthest
    assert effect["gain"] == pytest.approx(5 / 6 - 5 / 12) and np.isnan(distance["gain"])
    assert effect[["n", "n_regulated", "prevalence"]].tolist() == [4, 2, 0.5]
    nearness = curves[(curves["predictor"] == "distance") & (curves["distance_bin"] == "all")]
    assert nearness["threshold"].tolist() == [np.inf, -700, -800, -900, -1000]
    assert set(pairs["distance_bin"]) == {"0-10 kb"}


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(st.booleans(), st.integers(-3, 3), st.integers(0, 4)), min_size=1, max_size=25))
def test_average_precision_of_a_resample_is_that_of_its_rows(rows):
    regulated, score, counts = (np.array(column) for column in zip(*rows))
    value = resampled_precision(regulated, score.astype(float))(counts)
    if not counts[regulated].sum():
        assert np.isnan(value)
        return
    drawn = np.repeat(regulated, counts), np.repeat(score, counts)
    assert value == pytest.approx(naive_average_precision(*(column.tolist() for column in drawn)), rel=1e-12)
    assert value == pytest.approx(average_precision_score(regulated, score, sample_weight=counts), rel=1e-12)


def test_intervals_are_those_of_resampled_rows():
    effects, table = simulated(150)
    pairs, _, summary = compare_with_crispri(
        effects, table, effect="necessity", n_resamples=40, confidence=0.8, random_state=5, distance_bins=(0, 800, 9e9)
    )
    for k, label in enumerate(["all", "0-0.8 kb", "0.8-9000000 kb"]):
        part = pairs if k == 0 else pairs[pairs["distance_bin"] == label].reset_index(drop=True)
        rng, values = np.random.default_rng([5, k]), []
        for _ in range(40):
            rows = part.iloc[rng.integers(0, len(part), len(part))]
            values.append([average_precision_score(rows["regulated"], x) for x in (rows["score"], -rows["distance"])])
        both = np.array(values)
        effect, distance = (summary[summary["distance_bin"] == label].iloc[i] for i in (0, 1))
        for row, numbers in ((effect, both[:, 0]), (distance, both[:, 1])):
            got = row[["auprc_low", "auprc_high"]].tolist()
            assert got == pytest.approx(np.quantile(numbers, [0.1, 0.9]).tolist(), rel=1e-12)
        gains = np.quantile(both[:, 0] - both[:, 1], [0.1, 0.9]).tolist()
        assert effect[["gain_low", "gain_high"]].tolist() == pytest.approx(gains, rel=1e-12)
        assert effect["auprc_low"] < effect["auprc"] < effect["auprc_high"]


def test_intervals_of_a_bin_do_not_depend_on_other_bins():
    effects, table = simulated()
    options = {"effect": "necessity", "n_resamples": 30}
    one = compare_with_crispri(effects, table, distance_bins=(0, 500, 1000, np.inf), **options).summary
    other = compare_with_crispri(effects, table, distance_bins=(200, 500, 1000), **options).summary
    for label in ("all", "0.5-1 kb"):
        same = [rows[rows["distance_bin"] == label].reset_index(drop=True) for rows in (one, other)]
        assert same[0]["auprc_low"].notna().all()
        pd.testing.assert_frame_equal(*same, check_exact=True)
    pairs = compare_with_crispri(effects, table, distance_bins=(200, 500, 1000), **options).pairs
    assert pairs["distance_bin"][pairs["distance"] < 200].isna().all() and (pairs["distance"] < 200).any()
    assert other.loc[0, "n"] == len(pairs) > other["n"][2::2].sum()


def test_bins_without_both_kinds_are_nan_and_have_no_curve():
    effects = tile_table([3.0, 2.0, 1.0, 0.5], tss=2000)
    table = pair_table((0, 100, True), (100, 200, True), (200, 300, False), (300, 400, False))
    _, curves, summary = compare_with_crispri(effects, table, distance_bins=(1_800, 1_900, 3_000, 9_000), **QUICK)
    by_bin = summary[summary["predictor"] == "effect"].set_index("distance_bin")
    assert by_bin["prevalence"].to_dict() == pytest.approx(
        {"all": 0.5, "1.8-1.9 kb": 1.0, "1.9-3 kb": 1.0, "3-9 kb": np.nan}, nan_ok=True
    )
    assert by_bin["n"].tolist() == [4, 1, 1, 0]
    assert by_bin[["auprc", "auprc_low", "gain"]].iloc[1:].isna().all(axis=None)
    assert set(curves["distance_bin"]) == {"all"}
    none = compare_with_crispri(effects, table.assign(Regulated=False), **QUICK)
    assert not len(none.curves) and none.summary["auprc"].isna().all()
    assert none.summary.loc[0, "prevalence"] == 0
    columns = ["predictor", "distance_bin", "threshold", "recall", "precision"]
    assert none.curves.columns.tolist() == columns


def test_resamples_with_nothing_regulated_do_not_count():
    effects = tile_table([3.0, 2.0, 1.0, 0.5])
    table = pair_table((0, 100, True), (100, 200, False), (200, 300, False), (300, 400, False))
    # about a third of the resamples hold no regulated pair; the first resample of this seed is one of these
    options = {"effect": "necessity", "distance_bins": (0, np.inf)}
    seed = next(s for s in range(99) if 0 not in np.random.default_rng([s, 0]).integers(0, 4, 4))
    one = compare_with_crispri(effects, table, n_resamples=1, random_state=seed, **options).summary.iloc[0]
    assert one["auprc"] == 1 and np.isnan(one[["auprc_low", "gain_low"]].tolist()).all()
    many = compare_with_crispri(effects, table, n_resamples=50, random_state=seed, **options).summary.iloc[0]
    assert many["auprc_low"] == 1
