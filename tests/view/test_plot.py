"""What is drawn equals the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from tangermeme_creme.view.plot import plot_greedy_trace, plot_tile_effects

RNG = np.random.default_rng(0)
EFFECTS = pd.DataFrame(
    [
        (start, start + 10, track, shuffle, RNG.normal())
        for start in (0, 10, 40)
        for track in ("A", "B")
        for shuffle in range(3)
    ],
    columns=["start", "end", "track", "shuffle", "effect"],
)


def test_tile_effects_are_drawn_as_means_with_their_error_where_the_tiles_lie() -> None:
    ax = Figure().subplots()
    assert plot_tile_effects(EFFECTS, ax, center=20) is ax
    drawn = [(round(bar.get_x() * 1000, 6), bar.get_height()) for bar in ax.patches]
    mean = EFFECTS.groupby(["track", "start"])["effect"].mean()
    expected = [(start - 20 + 5 * k, mean[track, start]) for k, track in enumerate("AB") for start in (0, 10, 40)]
    assert drawn == [pytest.approx(pair) for pair in expected]
    sem = EFFECTS[EFFECTS["track"] == "A"].groupby("start")["effect"].sem()
    errors = next(container for container in ax.containers if isinstance(container, ErrorbarContainer))
    segments = errors.lines[2][0].get_segments()
    assert [float(end - start) for (_, start), (_, end) in segments] == pytest.approx(list(2 * sem))
    assert ax.get_legend_handles_labels()[1] == ["A", "B"]


def test_greedy_trace_is_relative_to_the_wild_type() -> None:
    table = pd.DataFrame({"round": [1, 0, 0], "y_start": [3.0, 6.0, 6.0], "y_selected": [1.5, 3.0, 3.0]})
    ax = plot_greedy_trace(table, Figure().subplots(), label="min")
    assert ax.lines[0].get_xdata().tolist() == [0, 1, 2]
    assert ax.lines[0].get_ydata().tolist() == [1.0, 0.5, 0.25]
    assert ax.lines[0].get_label() == "min"


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="must have columns start, end, track, effect; got no track, effect"):
        plot_tile_effects(EFFECTS[["start", "end"]], Figure().subplots())
    with pytest.raises(ValueError, match="got no round"):
        plot_greedy_trace(EFFECTS.assign(y_start=1, y_selected=1), Figure().subplots())
