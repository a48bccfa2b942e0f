"""Groups in the order of categories, means with their uncertainty, and box plots."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy import stats

from tangermeme_creme.view.plots.style import CATEGORY_COLORS, boxes, draw_mean, groups_of, means

CONTEXTS = ("enhancing", "silencing", "neutral", "other")


def test_groups_are_in_the_order_of_categories_not_of_rows() -> None:
    table = pd.DataFrame({"context": ["other", "neutral", "mine", "silencing", None, "enhancing"]})
    groups = [(name, color) for name, color, _ in groups_of(table, "context")]
    assert [name for name, _ in groups] == ["enhancing", "silencing", "neutral", "other", "mine"]
    assert [color for _, color in groups[:4]] == [CATEGORY_COLORS[name] for name in CONTEXTS]
    assert [len(rows) for _, _, rows in groups_of(table, None)] == [6]


def test_means_have_the_standard_error_of_several_and_the_interval_of_one() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": [1, 1, 1, 2], "y": rng.normal(size=4), "y_low": -9.0, "y_high": 9.0})
    curve = means(table, "x", "y")
    several = table["y"][:3]
    assert curve.loc[1, "mean"] == pytest.approx(several.mean())
    assert curve.loc[1, "high"] - curve.loc[1, "mean"] == pytest.approx(stats.sem(several))
    assert curve.loc[2, ["low", "high"]].tolist() == [-9, 9]
    assert means(table.drop(columns=["y_low", "y_high"]), "x", "y")["low"].isna().tolist() == [False, True]


def test_a_mean_of_unknown_uncertainty_has_no_band() -> None:
    ax = Figure().subplots()
    draw_mean(ax, pd.DataFrame({"mean": [1.0, 2.0], "low": np.nan, "high": np.nan}, index=[0, 1]), color="k")
    assert len(ax.lines) == 1 and not ax.collections


def test_boxes_show_quartiles_whiskers_and_values_beyond() -> None:
    values = np.array([*np.linspace(0, 1, 21), 9.0])
    ax = Figure().subplots()
    boxes(ax, [values], [3.0], ["silencer"])
    (box,) = ax.patches
    drawn = box.get_path().vertices[:, 1]
    assert [drawn.min(), drawn.max()] == pytest.approx(np.percentile(values, [25, 75]))
    assert box.get_facecolor()[:3] == to_rgb(CATEGORY_COLORS["silencer"]) and box.get_hatch()
    assert ax.lines[-1].get_ydata().tolist() == [9.0]
    assert [float(line.get_ydata()[0]) for line in ax.lines if len(set(line.get_ydata())) == 1].count(
        float(np.median(values))
    ) == 1  # fmt: skip


def test_few_values_are_all_shown_as_points() -> None:
    ax = Figure().subplots()
    boxes(ax, [[1.0, 2.0, 4.0]], [0.0], ["enhancer"])
    assert ax.lines[-1].get_ydata().tolist() == [1.0, 2.0, 4.0]
