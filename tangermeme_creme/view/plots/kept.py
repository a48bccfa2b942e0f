"""Plot how many bases fine-tile searches keep, and which: the paper's Figure 3c to e."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from tangermeme.plot import plot_logo

from ...analysis import BASE_COLORS
from .style import HATCHES, INK, count_axis, groups_of, legend, need


def plot_kept_bp(
    table: pd.DataFrame, ax: Any, *, value: str = "bp_kept", by: str = "cre", bin_size: int | None = None
) -> Any:
    """Draw a histogram of the bases left per CRE at the end of a search: Figure 3c.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per CRE, such as `summary` of `compare_fine_mapping` (``value="fewest_bp", by="method"``). Or one row
        per step of each search, with `step`, `example` and `cre_tile`, such as the table `fine_tile` of a study: then
        the last step of each CRE counts. Rows without a value are left out, and the legend counts them.

    ax: matplotlib.axes.Axes

    value: str, optional
        The column of bp. Default is "bp_kept".

    by: str, optional
        The column of groups. Default is "cre".

    bin_size: int or None, optional
        The width of bins in bp. None takes a fortieth of the largest value, in whole tens. Default is None.

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
    >>> table = pd.DataFrame({"bp_kept": [150, 420, 190], "cre": "enhancer"})
    >>> ax = plot_kept_bp(table, Figure().subplots(), bin_size=200)
    >>> [float(bar.get_height()) for bar in ax.patches], ax.get_legend_handles_labels()[1]
    ([2.0, 0.0, 1.0], ['enhancer (median 190 bp of 3)'])
    """
    need(table, [value, by])
    if "step" in table.columns:
        names = [name for name in ("example", "cre_tile", "track") if name in table.columns]
        table = table.sort_values("step", kind="stable").drop_duplicates(names, keep="last")
    known = table[table[value].notna()]
    width = bin_size or max(10, int(np.ceil(known[value].max() / 400)) * 10 if len(known) else 10)
    edges = np.arange(0, (known[value].max() if len(known) else 0) + width + 1, width)
    floor = np.zeros(len(edges) - 1)
    for name, color, part in groups_of(table, by):
        values = part[value].dropna().to_numpy(dtype=float)
        count, _ = np.histogram(values, edges)
        lost = len(part) - len(values)
        middle = f"median {np.median(values):,.0f} bp of {len(values)}" if len(values) else "none"
        ax.bar(
            edges[:-1], count, width, bottom=floor, align="edge", color=color, hatch=HATCHES.get(name), edgecolor=INK,
            linewidth=0.4, label=f"{name} ({middle}{f', {lost} unknown' if lost else ''})",
        )  # fmt: skip
        floor += count
    ax.set_xlabel("bases kept (bp)")
    ax.set_ylabel("CREs")
    count_axis(ax)
    legend(ax)
    return ax


def plot_cre_logo(
    X: Any,
    ax: Any,
    *,
    start: int,
    importance: Any = None,
    kept: pd.DataFrame | None = None,
    center: int | None = None,
) -> Any:
    """Draw a stretch of a CRE as a logo, with letters as high as the importance of the base: Figure 3d and e, close up.

    Parameters
    ----------
    X: torch.Tensor or array, shape=(4, W)
        One-hot, A C G T. An unknown base leaves a gap. Letters of more than a few hundred bases are too small to read.

    ax: matplotlib.axes.Axes
        Positions on its x axis count the bases from 0; tick labels are positions in the window.

    start: int
        The first base, in bp of the window.

    importance: array, shape=(W,), or None, optional
        One number per base, for example ``comparison.importance["saliency"][0]`` cut to the stretch. None draws kept
        bases with height 1 and others with 0.35, or all with 1 without `kept`. Default is None.

    kept: pandas.DataFrame or None, optional
        `start` and `end` of kept bases in bp of the window; they are underlined. Default is None.

    center: int or None, optional
        The TSS in bp of the window, which becomes 0 on the axis. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> kept = pd.DataFrame({"start": [101], "end": [103]})
    >>> ax = plot_cre_logo(torch.eye(4), Figure().subplots(), start=100, kept=kept)
    >>> [round(float(path.get_extents().height), 2) for path in ax.collections[0].get_paths()]
    [0.35, 1.0, 1.0, 0.35]
    """
    one_hot = np.asarray(X, dtype=float)
    if one_hot.ndim != 2 or one_hot.shape[0] != 4 or not one_hot.shape[1]:
        raise ValueError(f"X must have shape (4, W); got {one_hot.shape}.")
    width = one_hot.shape[1]
    inside = np.zeros(width, dtype=bool)
    if kept is not None:
        need(kept, ["start", "end"])
        for low, high in (kept[["start", "end"]].to_numpy(dtype=int) - start).clip(0, width):
            inside[low:high] = True
    if importance is None:
        heights = np.where(inside, 1.0, 0.35) if kept is not None else np.ones(width)
    else:
        heights = np.asarray(importance, dtype=float)
        if heights.shape != (width,):
            raise ValueError(f"importance must have one number per base, shape ({width},); got shape {heights.shape}.")
    plot_logo(torch.from_numpy(one_hot * heights), ax=ax, color=BASE_COLORS)
    low, high = min(0.0, heights.min()), max(0.0, heights.max())
    room = 0.08 * ((high - low) or 1.0)
    ax.set_ylim(low - room, high + room / 2)
    for first, last in _runs(inside):
        ax.plot([first, last], [low - room / 2] * 2, color=INK, linewidth=2, solid_capstyle="butt")
    step = next(step for step in (5, 10, 20, 50, 100, 200, 500, 1000, width) if width / step <= 12)
    zero = 0 if center is None else center
    ticks = [k for k in range(width) if (start + k - zero) % step == 0]
    ax.set_xticks([k + 0.475 for k in ticks], [f"{start + k - zero:,}" for k in ticks])
    ax.set_xlabel("position in the window (bp)" if center is None else "distance to the TSS (bp)")
    ax.set_ylabel("importance" if importance is not None else "")
    if importance is None:
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    return ax


def _runs(inside: np.ndarray) -> list[tuple[int, int]]:
    """Return where stretches of True begin and end."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in steps.reshape(-1, 2)]
