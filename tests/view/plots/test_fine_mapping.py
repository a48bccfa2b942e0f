"""Figures of fine mapping show the values of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tangermeme_creme.view.plots import plot_fine_mapping, plot_retention_curves

RNG = np.random.default_rng(0)
POINTS = {"search": [100, 80, 35, 0], "saliency": [100, 50, 20, 0], "random": [100, 50, 0]}
CURVES = pd.DataFrame(
    [
        (example, method, draw, bp, RNG.normal())
        for example in ("a", "b", "c")
        for method, points in POINTS.items()
        for draw in range(3 if method == "random" else 1)
        for bp in points
    ],
    columns=["example", "method", "draw", "bp_kept", "score"],
)


def interpolated(example: str, method: str, draw: int, pruned: np.ndarray) -> np.ndarray:
    part = CURVES[(CURVES["example"] == example) & (CURVES["method"] == method) & (CURVES["draw"] == draw)]
    return np.interp(100 - pruned, part["bp_kept"][::-1], part["score"][::-1])


def test_curves_are_means_over_cres_with_their_standard_error() -> None:
    ax = plot_retention_curves(CURVES, Figure().subplots())
    assert [line.get_label() for line in ax.lines[:3]] == ["search (3)", "saliency (3)", "random (3)"]
    for line, band, method in zip(ax.lines, ax.collections, POINTS):
        pruned = line.get_xdata()
        draws = 3 if method == "random" else 1
        each = [np.mean([interpolated(e, method, d, pruned) for d in range(draws)], axis=0) for e in "abc"]
        np.testing.assert_allclose(line.get_ydata(), np.mean(each, axis=0))
        error = np.std(each, axis=0, ddof=1) / np.sqrt(3)
        heights = band.get_paths()[0].vertices
        at = heights[np.isclose(heights[:, 0], pruned[30])][:, 1]
        assert {round(float(y), 6) for y in at} == {
            round(float(np.mean(each, axis=0)[30] + side * error[30]), 6) for side in (-1, 1)
        }
    assert ax.lines[3].get_ydata() == pytest.approx([0.8, 0.8])


def test_methods_are_drawn_in_the_asked_order_and_one_cre_has_no_band() -> None:
    one = CURVES[CURVES["example"] == "b"]
    ax = plot_retention_curves(one, Figure().subplots(), methods=["random", "search"], threshold=None)
    assert [line.get_label() for line in ax.lines] == ["random (1)", "search (1)"]
    assert not ax.collections
    np.testing.assert_allclose(ax.lines[1].get_ydata(), interpolated("b", "search", 0, ax.lines[1].get_xdata()))


def test_a_cre_without_scores_is_not_drawn() -> None:
    blank = CURVES.assign(score=CURVES["score"].where(CURVES["example"] != "c"))
    ax = plot_retention_curves(blank, Figure().subplots(), methods=["search"])
    assert ax.lines[0].get_label() == "search (2)"
    nothing = plot_retention_curves(blank.assign(score=np.nan), Figure().subplots())
    assert len(nothing.lines) == 1  # the threshold


def test_lines_of_many_methods_differ() -> None:
    table = pd.concat([CURVES[CURVES["method"] == "search"].assign(method=f"m{k}") for k in range(20)])
    ax = plot_retention_curves(table, Figure().subplots(), threshold=None)
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 20


KEPT = pd.DataFrame(
    {"method": ["search", "saliency", "search"], "start": [1010, 1013, 1020], "end": [1012, 1014, 1030]}
)
HITS = pd.DataFrame({"start": [1004], "end": [1011]})


def test_a_cre_is_drawn_with_a_strip_for_each_method_and_the_hits() -> None:
    importance = RNG.normal(size=40)
    ax = plot_fine_mapping(importance, Figure().subplots(), start=1000, kept=KEPT, hits=HITS, center=500)
    assert ax.get_xlabel() == "distance to the TSS (kb)"
    lines, *strips = ax.collections
    drawn = np.array([segment[:, 1] for segment in lines.get_segments()])
    np.testing.assert_allclose(drawn, np.stack([np.zeros(40), importance], axis=1))
    places = np.array([segment[0, 0] for segment in lines.get_segments()])
    np.testing.assert_allclose(places, (np.arange(40) + 500.5) / 1000)
    assert [text.get_text() for text in ax.texts] == ["search", "saliency", "motif hits"]
    spans = [
        [
            (round(path.vertices[:, 0].min() * 1000), round(path.vertices[:, 0].max() * 1000))
            for path in strip.get_paths()
        ]
        for strip in strips
    ]
    assert spans == [[(510, 512), (520, 530)], [(513, 514)], [(504, 511)]]
    bottoms = [strip.get_paths()[0].vertices[:, 1].min() for strip in strips]
    assert bottoms == sorted(bottoms, reverse=True) and max(bottoms) < 0.3
    # The strips are below all heights, and nothing is written beside them.
    low, high = ax.get_ylim()
    top = max(strip.get_paths()[0].vertices[:, 1].max() for strip in strips)
    assert low + top * (high - low) < importance.min() < importance.max() < high
    assert all(importance.min() <= tick <= importance.max() for tick in ax.get_yticks())


def test_importance_alone_and_none_at_all_are_drawn() -> None:
    ax = plot_fine_mapping([0.0, 0.0, 0.0], Figure().subplots(), start=5, label="gradient")
    assert ax.get_ylabel() == "gradient" and not ax.texts
    assert ax.get_xlabel() == "position in the window (kb)" and ax.get_xlim() == pytest.approx((0.005, 0.008))


def test_missing_columns_and_methods_are_named() -> None:
    ax = Figure().subplots()
    with pytest.raises(ValueError, match=r"must have columns example, .*; got no draw, score"):
        plot_retention_curves(CURVES.drop(columns=["draw", "score"]), ax)
    with pytest.raises(ValueError, match="methods must be of search, saliency, random; got 'shap'"):
        plot_retention_curves(CURVES, ax, methods=["shap"])
    with pytest.raises(ValueError, match=r"one number per base, shape \(W,\); got shape \(1, 40\)"):
        plot_fine_mapping(np.zeros((1, 40)), ax, start=0)
    with pytest.raises(ValueError, match="got no method"):
        plot_fine_mapping(np.zeros(4), ax, start=0, kept=HITS)
    with pytest.raises(ValueError, match="got no start, end"):
        plot_fine_mapping(np.zeros(4), ax, start=0, hits=HITS.drop(columns=["start", "end"]))
