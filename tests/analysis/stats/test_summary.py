"""Test tables of effects with their uncertainty against single estimates and pandas."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st
from tangermeme.utils import TangermemeWarning, random_one_hot

from tangermeme_creme import necessity_test, sufficiency_test
from tangermeme_creme.analysis.stats import estimate_effect, summarize_effects
from tangermeme_creme.support import collected


def test_a_tile_without_any_prediction_is_nan_and_its_neighbours_are_not() -> None:
    _, table = example_table()
    dead = (table["example"] == "a") & (table["tile"] == 1)
    gone = summarize_effects(table.assign(y_mut=table["y_mut"].mask(dead)), ["over_wt", "over_control"])
    whole = summarize_effects(table, ["over_wt", "over_control"])
    effects = [name for name in whole.columns if name.startswith("over_")]
    rows = (whole["example"] == "a") & (whole["tile"] == 1)
    assert rows.sum() == 2 and gone.loc[rows, effects].isna().all(axis=None) and (gone["n"] == 8).all()
    pd.testing.assert_frame_equal(gone[~rows], whole[~rows])


class Noisy(torch.nn.Module):
    """Predict (N, 2): positive, and different after every shuffle."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(2, 4, 5, generator=generator))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        h = torch.nn.functional.conv1d(X, self.weight).relu()
        return 1 + (h * torch.linspace(0, 1, h.shape[-1])).mean(-1)


def example_table(n: int = 8) -> tuple[Any, pd.DataFrame]:
    X = random_one_hot((2, 4, 120), random_state=0).float()
    tiles = [(0, 30), (70, 100)]
    result = sufficiency_test(Noisy(), X, (40, 60), tiles, n=n, random_state=0)
    return result, result.to_frame(tiles=tiles, ids=["a", "b"], tracks=["x", "y"])


def test_summary_of_a_result_is_the_estimate_of_each_tile_and_track() -> None:
    result, table = example_table()
    table["context"] = table["example"].map({"a": "enhancing", "b": None})
    summary = summarize_effects(table, ["over_wt", "over_control"])
    assert summary.columns.tolist() == [
        "example", "tile", "start", "end", "track", "context", "n", "over_wt", "over_wt_sem", "over_wt_low",
        "over_wt_high", "over_control", "over_control_sem", "over_control_low", "over_control_high",
    ]  # fmt: skip
    assert len(summary) == 2 * 2 * 2 and (summary["n"] == 8).all()
    assert summary["context"].isna().tolist() == [False] * 4 + [True] * 4
    y_wt, y_control, y_mut = (y.double() for y in result)
    found = estimate_effect("over_wt", axis=2, y_wt=y_wt[:, None, None], y_control=y_control[:, None], y_mut=y_mut)
    for end, part in zip(("", "_sem", "_low", "_high"), found):
        np.testing.assert_array_equal(summary["over_wt" + end], part.ravel())
    control = y_control.mean(1)[:, None]
    np.testing.assert_allclose(summary["over_control"], ((y_mut.mean(2) - control) / control).ravel(), rtol=1e-12)


def test_order_of_rows_changes_nothing_but_the_order() -> None:
    _, table = example_table()
    summary = summarize_effects(table, "over_control")
    mixed = summarize_effects(table.sample(frac=1, random_state=0), "over_control")
    keys = ["example", "tile", "track"]
    pd.testing.assert_frame_equal(
        mixed.sort_values(keys).reset_index(drop=True), summary.sort_values(keys).reset_index(drop=True)
    )
    one = summarize_effects(table[table["example"] == "b"], "over_control")
    pd.testing.assert_frame_equal(one, summary[summary["example"] == "b"].reset_index(drop=True))


def test_holdout_is_the_last_shuffles_and_changes_no_effect() -> None:
    _, table = example_table(n=14)
    summary = summarize_effects(table, "over_control", n_holdout=6)
    first, last = (
        summarize_effects(part, "over_control") for part in (table[table["shuffle"] < 8], table[table["shuffle"] >= 8])
    )
    assert (summary["n"] == 8).all() and (summary["n_holdout"] == 6).all()
    for end in ("", "_sem", "_low", "_high"):
        np.testing.assert_array_equal(summary[f"over_control{end}"], first[f"over_control{end}"])
        np.testing.assert_array_equal(summary[f"over_control_holdout{end}"], last[f"over_control{end}"])


def test_groups_may_have_different_numbers_of_shuffles() -> None:
    _, table = example_table()
    fewer = table[(table["example"] == "a") | (table["shuffle"] < 6)]
    summary = summarize_effects(fewer, "over_control")
    assert summary.groupby("example")["n"].unique().map(list).to_dict() == {"a": [8], "b": [6]}
    alone = summarize_effects(fewer[fewer["example"] == "b"], "over_control")
    pd.testing.assert_frame_equal(summary[summary["example"] == "b"].reset_index(drop=True), alone)


def test_effects_of_ones_own_take_columns_by_name() -> None:
    _, table = example_table()
    summary = summarize_effects(table, {"gain": lambda y_mut, y_control: y_mut - y_control})
    expected = table.assign(gain=table["y_mut"].astype(float) - table["y_control"].astype(float))
    np.testing.assert_allclose(
        summary["gain"], expected.groupby(["example", "tile", "track"])["gain"].mean(), rtol=1e-9
    )


def test_one_sequence_one_tile_one_shuffle_one_track() -> None:
    X = random_one_hot((1, 4, 120), random_state=0).float()
    model = torch.nn.Sequential(Noisy(), torch.nn.Linear(2, 1))
    table = necessity_test(model, X, [(0, 40)], n=1, random_state=0).to_frame()
    summary = summarize_effects(table, {"change": lambda y_wt, y_mut: y_mut - y_wt})
    assert len(summary) == 1 and summary["n"].item() == 1
    assert summary["change"].item() != 0 and np.isnan(summary["change_sem"].item())


def test_tables_that_cannot_be_summarized_are_refused() -> None:
    _, table = example_table()
    with pytest.raises(ValueError, match="must have columns 'y_1', 'y_2', 'y_both'; got example"):
        summarize_effects(table, "epistasis")
    with pytest.raises(ValueError, match="shuffle 3 twice for example a, tile 0"):
        summarize_effects(pd.concat([table, table[table["shuffle"] == 3]]), "over_wt")
    with pytest.raises(ValueError, match=r"more shuffles than the 8 that are held out; got 8 for example a, tile 0"):
        summarize_effects(table, "over_wt", n_holdout=8)
    with pytest.raises(ValueError, match=r"same for all shuffles of a row; got only rows of one shuffle by .*, effect"):
        summarize_effects(table.assign(effect=np.arange(len(table))), "over_wt")
    with pytest.raises(ValueError, match="at least one; got none"):
        summarize_effects(table, [])
    assert len(summarize_effects(table.iloc[:0], "over_wt")) == 0


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=60, unique=True)
)
@settings(max_examples=60, deadline=None)
def test_summary_means_are_those_of_groupby(rows: list[tuple[int, int, int]]) -> None:
    table = pd.DataFrame(rows, columns=["example", "tile", "shuffle"])
    if table.groupby(["example", "tile"]).size().max() == 1 and table["shuffle"].nunique() > 1:
        return
    table["y_mut"] = np.arange(len(table)) ** 1.5 + 1
    table["y_wt"] = 100.0
    with np.errstate(all="raise"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("tangermeme_creme.analysis.stats.summary.warn", lambda message: None)
        summary = summarize_effects(table, "necessity", n_resamples=20)
    grouped = table.groupby(["example", "tile"], sort=False)["y_mut"]
    np.testing.assert_allclose(summary["necessity"], 1 - grouped.mean() / 100, rtol=1e-12)
    np.testing.assert_allclose(summary["necessity_sem"], grouped.sem() / 100, rtol=1e-9, atol=1e-15)
    seen = table[["example", "tile"]].drop_duplicates().reset_index(drop=True)
    pd.testing.assert_frame_equal(summary[["example", "tile"]], seen)


def test_difference_and_log_fold_compare_with_the_control_where_there_is_one() -> None:
    _, table = example_table()
    of_control = summarize_effects(table, ["difference", "log_fold"], n_resamples=10)
    activities = ["y_mut", "y_control", "y_wt"]
    exact = table.astype(dict.fromkeys(activities, float))
    means = exact.groupby(["example", "tile", "track"], sort=False)[activities].mean()
    mut, control, wt = (means[name].to_numpy() for name in activities)
    np.testing.assert_allclose(of_control["difference"], mut - control, rtol=1e-9)
    np.testing.assert_allclose(of_control["log_fold"], np.log2(mut / control), rtol=1e-9)
    of_wt = summarize_effects(table.drop(columns="y_control"), ["difference", "log_fold"], n_resamples=10)
    np.testing.assert_allclose(of_wt["difference"], wt - mut, rtol=1e-9)
    np.testing.assert_allclose(of_wt["log_fold"], np.log2(wt / mut), rtol=1e-9)


def test_infinite_shuffles_of_a_table_are_counted_once_and_leave_no_effect() -> None:
    _, table = example_table()
    bad = table.assign(y_mut=table["y_mut"].where(table.index != 3, np.inf))
    with pytest.warns(TangermemeWarning, match="y_mut must be finite: 1 of 64 are infinite") as caught:
        summary = summarize_effects(bad, ["over_wt", "over_control"], n_resamples=10)
    assert len(caught) == 1 and summary["over_wt"].isna().sum() == summary["over_control_low"].isna().sum() == 1


def test_undefined_resamples_are_counted_once_per_effect_over_all_rows() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"tile": np.repeat([0, 1, 2], 8), "shuffle": list(range(8)) * 3, "y_mut": 2.0})
    table["y_control"] = np.r_[rng.normal(0.2, 1, 8), rng.normal(0.3, 1, 8), rng.normal(5, 0.1, 8)]
    with collected() as notices:
        summary = summarize_effects(table, "over_control", n_resamples=300, n_holdout=2)
    undefined = [notice for notice in notices if "resamples" in notice]
    assert len(undefined) == 1 and re.search(
        r"\d+ of 6 intervals are NaN, for up to \d+ of 300 resamples", undefined[0]
    )
    assert summary["over_control_low"].notna().tolist()[2]
