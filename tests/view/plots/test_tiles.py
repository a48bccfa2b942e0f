"""What is drawn equals the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from tangermeme_creme.view.plots import plot_greedy_trace, plot_tile_effects

RNG = np.random.default_rng(0)
EFFECTS = pd.DataFrame(
    [(start, start + 10, track, RNG.normal()) for start in (0, 10, 40) for track in ("A", "B")],
    columns=["start", "end", "track", "over_wt"],
)
EFFECTS = EFFECTS.assign(over_wt_low=EFFECTS["over_wt"] - 0.1, over_wt_high=EFFECTS["over_wt"] + RNG.random(6))


def test_tile_effects_are_drawn_with_their_interval_where_the_tiles_lie() -> None:
    ax = Figure().subplots()
    assert plot_tile_effects(EFFECTS, ax, effect="over_wt", center=20) is ax
    drawn = [(round(bar.get_x() * 1000, 6), bar.get_height()) for bar in ax.patches]
    table = EFFECTS.sort_values(["track", "start"])
    places = [start - 20 + 5 * k for k in (0, 1) for start in (0, 10, 40)]
    assert drawn == [pytest.approx(pair) for pair in zip(places, table["over_wt"])]
    errors = [container for container in ax.containers if isinstance(container, ErrorbarContainer)]
    segments = [segment for bars in errors for segment in bars.lines[2][0].get_segments()]
    assert [float(low) for (_, low), _ in segments] == pytest.approx(table["over_wt_low"].tolist())
    assert [float(high) for _, (_, high) in segments] == pytest.approx(table["over_wt_high"].tolist())
    assert ax.get_legend_handles_labels()[1] == ["A", "B"]


def test_tile_effects_without_an_interval_are_drawn_as_bars() -> None:
    table = EFFECTS.assign(over_wt_low=np.nan, over_wt_high=np.nan)
    ax = plot_tile_effects(table, Figure().subplots(), effect="over_wt")
    assert [bar.get_height() for bar in ax.patches] == table.sort_values(["track", "start"])["over_wt"].tolist()


def test_greedy_trace_is_relative_to_the_wild_type() -> None:
    table = pd.DataFrame({"round": [1, 0, 0], "y_start": [3.0, 6.0, 6.0], "y_selected": [1.5, 3.0, 3.0]})
    ax = plot_greedy_trace(table, Figure().subplots(), label="min")
    assert ax.lines[0].get_xdata().tolist() == [0, 1, 2]
    assert ax.lines[0].get_ydata().tolist() == [1.0, 0.5, 0.25]
    assert ax.lines[0].get_label() == "min"


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must have columns start, .* over_wt_high; got no track, over_wt,"):
        plot_tile_effects(EFFECTS[["start", "end"]], Figure().subplots(), effect="over_wt")
    with pytest.raises(ValueError, match="got no round"):
        plot_greedy_trace(EFFECTS.assign(y_start=1, y_selected=1), Figure().subplots())
