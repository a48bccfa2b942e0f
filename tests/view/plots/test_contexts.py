"""Figures of contexts and tiles show the values of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from tangermeme_creme.view.plots import (
    CATEGORY_COLORS,
    plot_context_effects,
    plot_effects_by_context,
    plot_necessity_sufficiency,
    plot_profile,
    plot_swap,
)

RNG = np.random.default_rng(0)
NAMES = ("enhancing", "silencing", "neutral", "other")
CONTEXTS = pd.DataFrame({"context": RNG.choice(NAMES, 300), "context_effect": RNG.normal(0.2, 0.5, 300)})
TILES = pd.DataFrame({
    "context": RNG.choice(NAMES[:3], 90), "necessity": RNG.normal(size=90), "over_wt": RNG.normal(size=90),
    "necessity_sem": RNG.random(90), "over_wt_sem": RNG.random(90),
})  # fmt: skip


def color(artist: object) -> tuple[float, ...]:
    return to_rgb(artist.get_facecolor())  # type: ignore[attr-defined]


def test_context_effects_are_counted_by_bin_and_category() -> None:
    ax = Figure().subplots()
    assert plot_context_effects(CONTEXTS, ax, bins=20) is ax
    edges = np.linspace(-1, 1, 21)
    floor = np.zeros(20)
    for k, name in enumerate(NAMES):
        bars = ax.patches[20 * k : 20 * (k + 1)]
        effects = CONTEXTS.loc[CONTEXTS["context"] == name, "context_effect"].clip(-1, 1)
        count = np.histogram(effects, edges)[0]
        assert [bar.get_height() for bar in bars] == count.tolist()
        assert [bar.get_y() for bar in bars] == floor.tolist()  # stacked
        assert {color(bar) for bar in bars} == {to_rgb(CATEGORY_COLORS[name])}
        floor += count
    assert floor.sum() == 300
    assert ax.get_legend_handles_labels()[1] == [f"{n} ({(CONTEXTS['context'] == n).sum()})" for n in NAMES]
    assert "outermost bin: also below -1 and above 1" in ax.get_xlabel()


def test_missing_context_effects_are_not_counted() -> None:
    table = pd.DataFrame({"context": ["neutral", None, None], "context_effect": [0.0, 0.5, np.nan]})
    ax = plot_context_effects(table, Figure().subplots(), thresholds=(0.95,))
    assert ax.get_legend_handles_labels()[1] == ["neutral (1)", "undefined (1)"]
    assert sum(bar.get_height() for bar in ax.patches) == 2
    assert ax.lines[0].get_xdata() == [0.95, 0.95]
    assert "outermost" not in ax.get_xlabel()


def test_context_effects_take_limits() -> None:
    ax = plot_context_effects(CONTEXTS, Figure().subplots(), limits=None, bins=5)
    values = CONTEXTS["context_effect"]
    assert ax.get_xlim() == pytest.approx((values.min(), values.max()))
    one = plot_context_effects(CONTEXTS[:1], Figure().subplots(), limits=None, bins=5)
    assert sum(bar.get_height() for bar in one.patches) == 1
    none = plot_context_effects(CONTEXTS[:0], Figure().subplots())
    assert not none.patches and none.get_legend() is None
    with pytest.raises(ValueError, match=r"lower and a higher number; got \(1, 0\)"):
        plot_context_effects(CONTEXTS, Figure().subplots(), limits=(1, 0))


def test_profiles_are_the_wild_type_and_the_mean_and_spread_of_shuffles() -> None:
    wild, mutant = RNG.random(8), RNG.random((5, 8))
    ax = plot_profile(wild, mutant, Figure().subplots(), bin_size=32, center=2, kind="silencing")
    first, second = ax.lines
    assert first.get_xdata() == pytest.approx([(k + 0.5 - 2) * 0.032 for k in range(8)])
    assert first.get_ydata().tolist() == wild.tolist()
    assert second.get_ydata() == pytest.approx(mutant.mean(axis=0))
    assert second.get_color() == CATEGORY_COLORS["silencing"]
    band = ax.collections[1].get_paths()[0].get_extents()
    spread = mutant.std(axis=0, ddof=1)
    assert [band.y0, band.y1] == pytest.approx([(mutant.mean(0) - spread).min(), (mutant.mean(0) + spread).max()])
    alone = plot_profile(wild, mutant[:1], Figure().subplots())
    assert len(alone.collections) == 1  # a single shuffle has no spread
    with pytest.raises(ValueError, match=r"got \(8,\) and \(8,\)"):
        plot_profile(wild, wild, ax)


def medians(ax: object) -> list[float]:
    """Return the medians of boxes, from left to right."""
    lines = [line for line in ax.lines if line.get_linewidth() == 1.6]  # type: ignore[attr-defined]
    return [float(line.get_ydata()[0]) for line in lines]


def test_swaps_are_boxes_by_both_categories_without_loci_in_their_original_context() -> None:
    names = [f"g{i}" for i in range(12)]
    context = dict(zip(names, np.resize(NAMES[:3], 12)))
    table = pd.DataFrame([(a, b, context[a], context[b], RNG.random() + 0.1) for a in names for b in names])
    table.columns = pd.Index(["source", "example", "source_context", "target_context", "fold_over_source"])
    ax = plot_swap(table, Figure().subplots())
    others = table[table["source"] != table["example"]]
    expected = others.groupby(["source_context", "target_context"])["fold_over_source"].median()
    assert medians(ax) == pytest.approx([expected[a, b] for a in NAMES[:3] for b in NAMES[:3]])
    assert [color(box) for box in ax.patches[:3]] == [to_rgb(CATEGORY_COLORS[name]) for name in NAMES[:3]]
    assert [text.get_text() for text in ax.texts] == [f"TSS from {name}" for name in NAMES[:3]]
    assert ax.get_xticklabels()[0].get_text() == "enhancing\n12"
    log = plot_swap(table.assign(fold_over_source=[0.0, -1.0, *others["fold_over_source"], *[1.0] * 10]), ax, log=True)
    assert log.get_yscale() == "log" and "at or below 0 left out" in log.get_ylabel()


@pytest.mark.parametrize("effect", ["necessity", "over_wt"])
def test_effects_are_boxes_by_category(effect: str) -> None:
    table = TILES.copy()
    table.loc[0, effect] = np.nan
    ax = plot_effects_by_context(table, Figure().subplots(), effect=effect)
    expected = table.groupby("context")[effect].agg(["median", "count"])
    assert medians(ax) == pytest.approx([expected["median"][name] for name in NAMES[:3]])
    assert [t.get_text() for t in ax.get_xticklabels()] == [f"{n}\n{expected['count'][n]}" for n in NAMES[:3]]
    assert ax.get_ylabel().startswith("necessity" if effect == "necessity" else "sufficiency")


def test_sufficiency_against_necessity_has_one_point_per_tile_and_its_errors() -> None:
    ax = plot_necessity_sufficiency(TILES, Figure().subplots())
    points = {line.get_label(): line.get_xydata() for line in ax.lines if "(" in str(line.get_label())}
    for name in NAMES[:3]:
        rows = TILES[TILES["context"] == name]
        assert points[f"{name} ({len(rows)})"].tolist() == rows[["necessity", "over_wt"]].to_numpy().tolist()
    segments = np.concatenate([bars.get_segments() for bars in ax.collections])
    assert len(segments) == 2 * len(TILES)
    across = segments[segments[:, 0, 1] == segments[:, 1, 1]]
    widths = sorted(across[:, 1, 0] - across[:, 0, 0])
    assert widths == pytest.approx(sorted(2 * TILES["necessity_sem"]))


def test_many_tiles_have_no_error_bars() -> None:
    many = pd.concat([TILES] * 5, ignore_index=True)
    ax = plot_necessity_sufficiency(many, Figure().subplots())
    assert not ax.collections and sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() != "None") == 450


@pytest.mark.parametrize(
    ("draw", "settings"),
    [
        (plot_context_effects, {}),
        (plot_swap, {}),
        (plot_effects_by_context, {"effect": "necessity"}),
        (plot_necessity_sufficiency, {}),
    ],
)
def test_tables_without_their_columns_are_refused(draw: object, settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"the table must have columns .*; got no "):
        draw(pd.DataFrame({"example": ["a"]}), Figure().subplots(), **settings)  # type: ignore[operator]
