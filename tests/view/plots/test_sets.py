"""Figures of sets of tiles show the values of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from tangermeme_creme.view.plots import (
    CATEGORY_COLORS,
    plot_expectation,
    plot_greedy_traces,
    plot_interaction_map,
    plot_set_sufficiency,
    plot_tile_positions,
)

RNG = np.random.default_rng(2)
TRACES = pd.DataFrame([
    {
        "example": name, "context": context, "interaction": kind, "n_tiles": k, "observed": RNG.random(),
        "holdout": RNG.random(), "additive": RNG.random(), "multiplicative": RNG.random(), "fold_over_wt": RNG.random(),
    }
    for name, context, kind in (
        ("a", "enhancing", "additive"), ("b", "enhancing", "superadditive"), ("c", "neutral", "additive")
    )
    for k in (1, 2, 3)
])  # fmt: skip


@pytest.mark.parametrize("trace", ["observed", "holdout", "additive", "multiplicative"])
def test_traces_are_means_over_loci_from_the_wild_type_on(trace: str) -> None:
    ax = plot_greedy_traces(TRACES, Figure().subplots(), traces=[trace])
    mean = TRACES.groupby("n_tiles")[trace].mean()
    assert ax.lines[0].get_xydata().tolist() == [[0, 1], *[[k, mean[k]] for k in (1, 2, 3)]]
    error = TRACES.groupby("n_tiles")[trace].apply(stats.sem)
    band = ax.collections[0].get_paths()[0].vertices
    for k in (1, 2, 3):
        ends = band[band[:, 0] == k, 1]
        assert [ends.min(), ends.max()] == pytest.approx([mean[k] - error[k], mean[k] + error[k]])


def test_traces_differ_in_colour_and_line_style() -> None:
    ax = plot_greedy_traces(TRACES, Figure().subplots(), traces=["observed", "holdout", "additive", "multiplicative"])
    lines = ax.lines[:4]
    assert len({line.get_color() for line in lines}) == len({line.get_linestyle() for line in lines}) == 4
    assert ax.get_legend_handles_labels()[1][2:] == ["additive expectation", "multiplicative expectation"]
    with pytest.raises(ValueError, match=r"traces must be of observed.*; got 'y_wt'"):
        plot_greedy_traces(TRACES, ax, traces=["y_wt"])


def test_traces_by_category_have_its_color() -> None:
    ax = plot_greedy_traces(TRACES, Figure().subplots(), by="context")
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["enhancing (2)"].get_color() == CATEGORY_COLORS["enhancing"]
    single = TRACES.loc[TRACES["example"] == "c", "observed"].tolist()
    assert lines["neutral (1)"].get_ydata().tolist() == [1.0, *single]
    assert len(ax.collections) == 1  # a single locus has no band


def test_expectation_is_one_point_per_locus_by_class() -> None:
    ax = plot_expectation(TRACES, Figure().subplots(), model="multiplicative", n_tiles=3)
    points = {line.get_label(): line.get_xydata() for line in ax.lines if "(" in str(line.get_label())}
    rows = TRACES[(TRACES["n_tiles"] == 3) & (TRACES["interaction"] == "additive")]
    assert points["additive (2)"].tolist() == rows[["observed", "multiplicative"]].to_numpy().tolist()
    assert set(points) == {"additive (2)", "superadditive (1)"}


def test_positions_are_one_row_per_locus_and_one_bar_per_tile() -> None:
    tiles = [(0, 5), (5, 10), (15, 20)]  # the TSS tile is between
    rows = [
        (f"g{i}", k + 1, *tiles[t])
        for i, order in enumerate([(0, 2, 1), (2, 0, 1), (2, 1, 0)])
        for k, t in enumerate(order)
    ]
    table = pd.DataFrame(rows, columns=["example", "n_tiles", "start", "end"])
    ax = plot_tile_positions(table, Figure().subplots(), center=10, first=2)
    grid = ax.collections[0].get_array()
    assert grid.filled(0).tolist() == [[1, 0, 0, 2], [2, 0, 0, 1], [0, 2, 0, 1]]
    assert ax.collections[0].get_coordinates()[0, :, 0].tolist() == [-0.01, -0.005, 0, 0.005, 0.01]
    (above,) = ax.child_axes
    assert [(bar.get_x(), bar.get_height()) for bar in above.patches] == [(-0.01, 2), (-0.005, 1), (0.005, 3)]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["g0", "g1", "g2"]
    assert not plot_tile_positions(table[:0], Figure().subplots()).collections


def test_sets_are_means_by_category() -> None:
    ax = plot_set_sufficiency(TRACES, Figure().subplots())
    lines = {line.get_label(): line for line in ax.lines}
    mean = TRACES[TRACES["context"] == "enhancing"].groupby("n_tiles")["fold_over_wt"].mean()
    assert lines["enhancing (2)"].get_xydata().tolist() == [[k, mean[k]] for k in (1, 2, 3)]
    assert ax.get_ylabel() == "fold change over wild type"


def test_a_map_has_each_pair_twice_and_signs_called_pairs() -> None:
    table = pd.DataFrame({
        "example": "a", "tile_1": [2, 2, 4], "tile_2": [4, 7, 7], "epistasis": [0.5, -0.25, np.nan],
        "interaction": ["positive", "negative", "none"],
    })  # fmt: skip
    ax = plot_interaction_map(table, Figure().subplots())
    mesh = ax.collections[0]
    assert mesh.get_array().filled(9).tolist() == [[9, 0.5, -0.25], [0.5, 9, 9], [-0.25, 9, 9]]
    assert (mesh.norm.vmin, mesh.norm.vmax) == (-0.5, 0.5)
    signs = {(text.get_position(), text.get_text()) for text in ax.texts}
    assert signs == {((0, 1), "+"), ((1, 0), "+"), ((0, 2), "\N{MINUS SIGN}"), ((2, 0), "\N{MINUS SIGN}")}
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2", "4", "7"]


def test_a_map_of_several_loci_is_their_mean_without_signs() -> None:
    table = pd.DataFrame(
        {"example": ["a", "b"], "tile_1": 0, "tile_2": 1, "epistasis": [0.5, 0.1], "interaction": "positive"}
    )
    ax = plot_interaction_map(table, Figure().subplots())
    assert ax.collections[0].get_array().max() == pytest.approx(0.3) and not ax.texts


def test_rounding_does_not_look_like_epistasis() -> None:
    table = pd.DataFrame({"tile_1": [0], "tile_2": [1], "epistasis": [1e-9]})
    assert plot_interaction_map(table, Figure().subplots()).collections[0].norm.vmax == 0.05


@pytest.mark.parametrize(("scale", "label"), [("difference", "difference from"), ("log_fold", "log2 fold change over")])
def test_traces_on_other_scales_begin_at_zero(scale: str, label: str) -> None:
    ax = plot_greedy_traces(TRACES, Figure().subplots(), traces=["observed"], scale=scale)
    assert ax.lines[0].get_ydata()[0] == 0 and ax.get_ylabel() == f"{label} wild type"
    ax = plot_expectation(TRACES, Figure().subplots(), scale=scale)
    assert ("difference from WT" if scale == "difference" else "log2 fold over WT") in ax.get_xlabel()
    ax = plot_set_sufficiency(TRACES.rename(columns={"fold_over_wt": scale}), Figure().subplots(), value=scale)
    assert ax.get_ylabel() == f"{label} control"
