"""Plot tiles as cells: those that greedy searches choose (Figure 5d and e), and pairs that interact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize

from .style import GUIDE, INK, guide, need

_CALLED = 0.05  # smallest epistasis that `call_interactions` calls: rounding errors must not look like epistasis


def plot_tile_positions(table: pd.DataFrame, ax: Any, *, center: int = 0, first: int = 5) -> Any:
    """Draw the tiles that greedy searches choose, by place and round, and how often each: Figure 5d and e.

    The map has one row per locus, and tiles of earlier rounds are darker. Bars above count the loci that chose a tile.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per locus and round, for one direction and track: `example`, `n_tiles` (1 in the first round), `start`
        and `end` in bp.

    ax: matplotlib.axes.Axes
        The bars are drawn on a child axis above it.

    center: int, optional
        The position in bp that becomes 0 on the axis, usually the TSS. Default is 0.

    first: int, optional
        The number of rounds to draw. Default is 5.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"example": ["a", "a", "b"], "n_tiles": [1, 2, 1], "start": [0, 5, 5], "end": [5, 10, 10]})
    >>> ax = plot_tile_positions(table, Figure().subplots())
    >>> ax.collections[0].get_array().filled(0).tolist()
    [[1.0, 2.0], [0.0, 1.0]]
    >>> [float(bar.get_height()) for bar in ax.child_axes[0].patches]
    [1.0, 2.0]
    """
    need(table, ["example", "n_tiles", "start", "end"])
    chosen = table[table["n_tiles"] <= first]
    rounds = max(2, min(first, int(chosen["n_tiles"].max()))) if len(chosen) else 2
    loci = list(chosen["example"].drop_duplicates())
    spans = chosen[["start", "end"]].drop_duplicates().sort_values("start").to_numpy(dtype=float)
    if not len(spans):
        return ax
    edges = np.unique(spans)  # columns of gaps between tiles stay empty
    grid = np.full((len(loci), len(edges) - 1), np.nan)
    row = {name: k for k, name in enumerate(loci)}
    for locus, rank, start, end in chosen[["example", "n_tiles", "start", "end"]].itertuples(index=False):
        low, high = np.searchsorted(edges, [start, end])
        grid[row[locus], low:high] = rank
    mesh = ax.pcolormesh(
        (edges - center) / 1000, np.arange(len(loci) + 1), np.ma.masked_invalid(grid), cmap="cividis",
        norm=Normalize(1, rounds), rasterized=len(loci) > 100,
    )  # fmt: skip
    ax.invert_yaxis()
    few = len(loci) <= 20
    ax.set_yticks(np.arange(len(loci)) + 0.5 if few else [], loci if few else [], fontsize="small")
    ax.set_ylabel(f"loci ({len(loci)})")
    ax.set_xlabel("distance to the TSS (kb)")
    guide(ax, x=0)
    count = chosen.groupby(["start", "end"]).size().reset_index(name="loci").sort_values("start")
    above = ax.inset_axes((0, 1.03, 1, 0.28), sharex=ax)
    above.bar(
        (count["start"] - center) / 1000, count["loci"], (count["end"] - count["start"]) / 1000, align="edge",
        color=GUIDE, edgecolor=INK, linewidth=0.4,
    )  # fmt: skip
    above.tick_params(labelbottom=False)
    above.yaxis.get_major_locator().set_params(integer=True)
    above.set_ylabel("loci", fontsize="small")
    bar = ax.figure.colorbar(mesh, ax=ax, ticks=range(1, rounds + 1), pad=0.02)
    bar.set_label("round")
    bar.ax.invert_yaxis()
    return ax


def plot_interaction_map(table: pd.DataFrame, ax: Any, *, value: str = "epistasis", called: str | None = None) -> Any:
    """Draw how far the effect of each pair of tiles is from that of its two tiles alone, as a mean over loci.

    Parameters
    ----------
    table: pandas.DataFrame
        The table of `interaction_map`: `tile_1`, `tile_2` and the value. Pairs without a value stay empty.

    ax: matplotlib.axes.Axes

    value: str, optional
        "epistasis", on the scale of the prediction over the wild type, "log_epistasis" or "epistasis_difference".
        Default is "epistasis".

    called: str or None, optional
        The column of calls, for a table of one locus: pairs that are "positive" or "negative" get a sign. None takes
        the calls of the value, if the table has them and one locus. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"tile_1": [0, 0], "tile_2": [1, 2], "epistasis": [0.5, -0.25]})
    >>> plot_interaction_map(table, Figure().subplots()).collections[0].get_array().filled(0).tolist()
    [[0.0, 0.5, -0.25], [0.5, 0.0, 0.0], [-0.25, 0.0, 0.0]]
    """
    need(table, ["tile_1", "tile_2", value])
    tiles = sorted({*table["tile_1"], *table["tile_2"]})
    place = {tile: k for k, tile in enumerate(tiles)}
    grid = np.full((len(tiles), len(tiles)), np.nan)
    for (one, other), mean in table.groupby(["tile_1", "tile_2"])[value].mean().items():
        grid[place[one], place[other]] = grid[place[other], place[one]] = mean
    bound = max(np.nanmax(np.abs(grid)), _CALLED) if np.isfinite(grid).any() else _CALLED
    steps = np.arange(len(tiles) + 1) - 0.5
    scale = Normalize(-bound, bound)
    mesh = ax.pcolormesh(steps, steps, np.ma.masked_invalid(grid), cmap="PuOr_r", norm=scale)
    ax.set_aspect("equal")
    ax.invert_yaxis()
    shown = range(0, len(tiles), max(1, len(tiles) // 12))
    ax.set_xticks(list(shown), [str(tiles[k]) for k in shown])
    ax.set_yticks(list(shown), [str(tiles[k]) for k in shown])
    ax.set_xlabel("tile")
    ax.set_ylabel("tile")
    if called is None:
        column = {"log_epistasis": "log_interaction"}.get(value, "interaction")
        one_locus = "example" not in table.columns or table["example"].nunique() == 1
        called = column if column in table.columns and one_locus else None
    if called is not None:
        need(table, [called])
        for one, other, call in table[["tile_1", "tile_2", called]].itertuples(index=False):
            for x, y in ((one, other), (other, one)) if call in ("positive", "negative") else ():
                sign = "+" if call == "positive" else "\N{MINUS SIGN}"
                ax.text(place[x], place[y], sign, ha="center", va="center", fontsize="small", color=INK)
    names = {
        "epistasis": "epistasis, over wild type",
        "log_epistasis": "epistasis of natural logs",
        "epistasis_difference": "epistasis, in units of the prediction",
    }
    ax.figure.colorbar(mesh, ax=ax, pad=0.02).set_label(names.get(value, value))
    return ax
