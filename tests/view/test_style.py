"""Colours that everyone tells apart, and means with what is known of their uncertainty."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy import stats

from tangermeme_creme.view.plots.style import CATEGORY_COLORS, boxes, draw_mean, groups_of, means

CONTEXTS = ("enhancing", "silencing", "neutral", "other")
CLASSES = ("superadditive", "subadditive", "additive", "ambiguous")
# Linear RGB as dichromats see it: Machado, Oliveira and Fernandes, 2009, severity 1.
DICHROMATS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def grey(color: str) -> float:
    return float(np.array(to_rgb(color)) @ [0.299, 0.587, 0.114])


def seen(color: str, matrix: list[list[float]]) -> np.ndarray:
    linear = np.array(matrix) @ np.array(to_rgb(color)) ** 2.2
    return linear.clip(0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("names", [CONTEXTS, CLASSES])
def test_colors_of_categories_differ_in_grey(names: tuple[str, ...]) -> None:
    gaps = {
        pair: abs(grey(CATEGORY_COLORS[pair[0]]) - grey(CATEGORY_COLORS[pair[1]])) for pair in combinations(names, 2)
    }
    assert min(gaps.values()) * 255 > 30, gaps


@pytest.mark.parametrize("names", [CONTEXTS, CLASSES])
@pytest.mark.parametrize("kind", DICHROMATS)
def test_the_colour_blind_tell_categories_apart(kind: str, names: tuple[str, ...]) -> None:
    colors = {name: seen(CATEGORY_COLORS[name], DICHROMATS[kind]) for name in names}
    gaps = {pair: np.linalg.norm(colors[pair[0]] - colors[pair[1]]) for pair in combinations(names, 2)}
    assert min(gaps.values()) > 0.15, gaps


def test_one_kind_has_one_color() -> None:
    assert CATEGORY_COLORS["enhancing"] == CATEGORY_COLORS["enhancer"] == CATEGORY_COLORS["positive"]
    assert CATEGORY_COLORS["silencing"] == CATEGORY_COLORS["silencer"] == CATEGORY_COLORS["negative"]


def test_groups_are_in_the_order_of_categories_whatever_that_of_rows() -> None:
    table = pd.DataFrame({"context": ["other", "neutral", "mine", "silencing", None, "enhancing"]})
    found = [(name, color) for name, color, _ in groups_of(table, "context")]
    assert [name for name, _ in found] == ["enhancing", "silencing", "neutral", "other", "mine"]
    assert [color for _, color in found[:4]] == [CATEGORY_COLORS[name] for name in CONTEXTS]
    assert [len(rows) for _, _, rows in groups_of(table, None)] == [6]


def test_means_have_the_standard_error_of_several_and_the_interval_of_one() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": [1, 1, 1, 2], "y": rng.normal(size=4), "y_low": -9.0, "y_high": 9.0})
    found = means(table, "x", "y")
    some = table["y"][:3]
    assert found.loc[1, "mean"] == pytest.approx(some.mean())
    assert found.loc[1, "high"] - found.loc[1, "mean"] == pytest.approx(stats.sem(some))
    assert found.loc[2, ["low", "high"]].tolist() == [-9, 9]
    assert means(table.drop(columns=["y_low", "y_high"]), "x", "y")["low"].isna().tolist() == [False, True]


def test_a_mean_whose_uncertainty_is_not_known_has_no_band() -> None:
    ax = Figure().subplots()
    draw_mean(ax, pd.DataFrame({"mean": [1.0, 2.0], "low": np.nan, "high": np.nan}, index=[0, 1]), color="k")
    assert len(ax.lines) == 1 and not ax.collections


def test_boxes_show_quartiles_whiskers_and_what_lies_beyond() -> None:
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
