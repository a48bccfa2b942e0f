"""Figures of CREs show the values of their tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from scipy import stats

from tangermeme_creme.view.plots import (
    CATEGORY_COLORS,
    plot_cre_distances,
    plot_cre_logo,
    plot_distance_curves,
    plot_enrichment,
    plot_kept_bp,
    plot_multiplicity,
    plot_signal,
)

RNG = np.random.default_rng(1)
CRES = pd.DataFrame(
    {"distance": RNG.integers(-40, 40, 60) * 1000.0 + 0.5, "cre": RNG.choice(["enhancer", "silencer"], 60)}
)
CURVES = pd.DataFrame([
    {"example": name, "cre_tile": 3, "cre": kind, "offset": offset, "fraction_of_max": RNG.random(), "track": "A"}
    for name, kind in (("a", "enhancer"), ("b", "enhancer"), ("c", "enhancer"), ("d", "silencer"))
    for offset in (-10_000, -5_000, 5_000)
])  # fmt: skip


def test_distances_are_counted_in_bins_with_the_tss_in_the_middle_of_one() -> None:
    ax = plot_cre_distances(CRES, Figure().subplots(), bin_size=10_000)
    edges = np.arange(np.floor(CRES["distance"].min() / 1e4 + 0.5), CRES["distance"].max() / 1e4 + 1.5) * 1e4 - 5e3
    for name in ("enhancer", "silencer"):
        (container,) = [c for c in ax.containers if c.get_label().startswith(name)]
        count = np.histogram(CRES.loc[CRES["cre"] == name, "distance"], edges)[0]
        assert [bar.get_height() for bar in container] == count.tolist()
    first = ax.containers[0][0]
    assert first.get_x() * 1000 == pytest.approx(edges[0]) and first.get_width() == 5
    assert -ax.get_xlim()[0] == ax.get_xlim()[1]
    assert not plot_cre_distances(CRES[:0], Figure().subplots()).patches
    with pytest.raises(ValueError, match="above 0; got 0"):
        plot_cre_distances(CRES, ax, bin_size=0)


def test_signal_is_one_box_per_track_and_kind() -> None:
    table = pd.DataFrame([
        {"signal": signal, "cre": kind, "mean": RNG.random()}
        for signal in ("DNase", "H3K27ac") for kind in ("enhancer", "silencer", "neutral") for _ in range(9)
    ])  # fmt: skip
    ax = plot_signal(table, Figure().subplots())
    medians = [float(line.get_ydata()[0]) for line in ax.lines if line.get_linewidth() == 1.6]
    expected = table.groupby(["cre", "signal"])["mean"].median()
    kinds = ("enhancer", "silencer", "neutral")
    assert medians == pytest.approx([expected[kind, signal] for kind in kinds for signal in ("DNase", "H3K27ac")])
    assert ax.get_legend_handles_labels()[1] == list(kinds)


def test_enrichment_is_a_volcano_plot_that_names_the_lowest_p_values() -> None:
    p = np.array([1e-9, 0.2, 0.0, 0.04, np.nan])
    fold = np.array([2.0, 1.0, -3.0, -0.5, 1.0])
    table = pd.DataFrame({"signal": list("ABCDE"), "group_1": "enhancer", "group_2": "silencer", "log2_fold": fold})
    ax = plot_enrichment(table.assign(p_bonferroni=p), Figure().subplots(), names=2)
    drawn = {line.get_label(): line.get_xydata() for line in ax.lines if "(" in str(line.get_label())}
    assert drawn["more in enhancers (1)"].tolist() == [[2.0, pytest.approx(9)]]
    assert drawn["more in silencers (2)"].tolist() == [[-3.0, -np.log10(np.finfo(float).tiny)], [-0.5, -np.log10(0.04)]]
    assert drawn["p 0.05 or more (1)"].tolist() == [[1.0, -np.log10(0.2)]]
    assert [text.get_text() for text in ax.texts] == ["C", "A"]  # the two lowest p values
    other = table.assign(p_bonferroni=p, group_1=["enhancer"] * 4 + ["neutral"])
    with pytest.raises(ValueError, match=r"one pair of groups; got .*'neutral'"):
        plot_enrichment(other, ax)


def test_distance_curves_are_means_with_standard_errors() -> None:
    ax = plot_distance_curves(CURVES, Figure().subplots())
    lines = {str(line.get_label()): line for line in ax.lines}
    enhancers = CURVES[CURVES["cre"] == "enhancer"].groupby("offset")["fraction_of_max"]
    assert lines["enhancer (3)"].get_xdata().tolist() == [-10, -5, 5]
    assert lines["enhancer (3)"].get_ydata() == pytest.approx(enhancers.mean().to_numpy())
    assert lines["enhancer (3)"].get_color() == CATEGORY_COLORS["enhancer"]
    (band,) = ax.collections  # none of the single silencer, whose interval is not in the table
    error = enhancers.apply(stats.sem)
    ends = band.get_paths()[0].vertices
    for offset in error.index:
        at = ends[ends[:, 0] == offset / 1000, 1]
        assert sorted({round(float(y), 9) for y in at}) == pytest.approx(
            [enhancers.mean()[offset] - error[offset], enhancers.mean()[offset] + error[offset]]
        )
    thin = [line for line in ax.lines if line.get_linewidth() == 0.5]
    assert [line.get_ydata().tolist() for line in thin] == [
        CURVES.loc[CURVES["example"] == name, "fraction_of_max"].tolist() for name in "abc"
    ]


def test_a_single_curve_has_the_interval_of_its_shuffles() -> None:
    one = CURVES[CURVES["example"] == "d"]
    one = one.assign(
        fraction_of_max_low=one["fraction_of_max"] - 0.25, fraction_of_max_high=one["fraction_of_max"] + 0.5
    )
    ax = plot_distance_curves(one, Figure().subplots(), single=False)
    box = ax.collections[0].get_paths()[0].get_extents()
    values = one["fraction_of_max"]
    assert [box.y0, box.y1] == pytest.approx([values.min() - 0.25, values.max() + 0.5])


def test_multiplicity_begins_at_the_control_and_has_the_median_plateau() -> None:
    table = pd.DataFrame([
        {"example": name, "cre_tile": 1, "cre": "enhancer", "copies": k, "fold_over_control": RNG.random() + k}
        for name in "ab" for k in (1, 2, 3)
    ])  # fmt: skip
    fits = pd.DataFrame({
        "cre": ["enhancer"] * 3 + ["silencer"], "plateau_fold": [4.0, 8.0, 99.0, 5.0],
        "saturates": ["yes", "yes", "no", "yes"],
    })  # fmt: skip
    ax = plot_multiplicity(table, Figure().subplots(), saturation=fits)
    lines = {str(line.get_label()): line for line in ax.lines}
    mean = table.groupby("copies")["fold_over_control"].mean()
    assert lines["enhancer (2)"].get_xydata().tolist() == [[0, 1], *[[k, mean[k]] for k in (1, 2, 3)]]
    assert lines["enhancer: median plateau of 2"].get_ydata() == [6.0, 6.0]
    assert not [label for label in lines if label.startswith("silencer")]
    log = plot_multiplicity(table, Figure().subplots(), log=True)
    assert log.get_yscale() == "log"


def test_kept_bases_are_counted_at_the_last_step_of_each_search() -> None:
    steps = pd.DataFrame({
        "example": ["a", "a", "b", "b", "c"], "cre_tile": 2, "cre": ["enhancer"] * 4 + ["silencer"],
        "step": [1, 0, 0, 1, 0], "bp_kept": [150.0, 5000.0, 5000.0, 330.0, np.nan],
    })  # fmt: skip
    ax = plot_kept_bp(steps, Figure().subplots(), bin_size=100)
    edges = [bar.get_x() for bar in ax.containers[0]]
    counted = {edge: bar.get_height() for edge, bar in zip(edges, ax.containers[0]) if bar.get_height()}
    assert counted == {100: 1, 300: 1}
    labels = ax.get_legend_handles_labels()[1]
    assert labels == ["enhancer (median 240 bp of 2)", "silencer (none, 1 unknown)"]


def letters(ax: Any) -> list[tuple[float, float, float]]:
    """Return the place and the height of each letter."""
    boxes = [path.get_extents() for path in ax.collections[0].get_paths()]
    return [(round(box.x0, 1), round(box.y0, 6), round(box.height, 6)) for box in boxes]


def test_logos_are_as_high_as_bases_are_important() -> None:
    X = torch.nn.functional.one_hot(torch.tensor([0, 2, 1, 3, 3]), 4).T
    X[:, 4] = 0  # unknown
    before = X.clone()
    ax = plot_cre_logo(X, Figure().subplots(), start=1000, importance=[0.5, 1.0, -0.75, 0.25, 9.0], center=1002)
    heights = [height for _, _, height in letters(ax)]
    assert heights == pytest.approx([0.5, 1.0, 0.75, 0.25])
    assert [low for _, low, _ in letters(ax)] == pytest.approx([0, 0, -0.75, 0])
    assert torch.equal(X, before)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0"] and ax.get_xticks()[0] == pytest.approx(2.475)


def test_logos_underline_kept_bases() -> None:
    X = torch.eye(4).repeat(1, 5)
    kept = pd.DataFrame({"start": [90, 107, 118], "end": [103, 110, 400]})
    ax = plot_cre_logo(X, Figure().subplots(), start=100, kept=kept)
    assert [list(line.get_xdata()) for line in ax.lines] == [[0, 3], [7, 10], [18, 20]]
    tall = {k for k, (_, _, height) in enumerate(letters(ax)) if height == 1}
    assert tall == {0, 1, 2, 7, 8, 9, 18, 19}


@pytest.mark.parametrize(
    ("X", "importance", "match"),
    [
        (torch.zeros(3, 5), None, r"shape \(4, W\); got \(3, 5\)"),
        (torch.zeros(4, 5), np.zeros(4), r"shape \(5,\); got shape \(4,\)"),
    ],
)
def test_logos_refuse_other_shapes(X: torch.Tensor, importance: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        plot_cre_logo(X, Figure().subplots(), start=0, importance=importance)
