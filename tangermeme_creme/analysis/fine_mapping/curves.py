"""Summarize curves of score by kept bp: the fewest bp that keep the effect, and the area under the curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.integrate import trapezoid

from ...support import check_columns
from ..values import as_float


def fewest_bp(bp_kept: Any, score: Any, *, threshold: float = 0.8, below: bool = False) -> float:
    """Return the fewest bp at which the score still reaches the threshold, as in Figure 3c of the paper.

    A curve may fall below the threshold and rise again; the point with the fewest bp that reaches it counts.

    Parameters
    ----------
    bp_kept, score: array, shape=(P,)
        A curve, in any order. Points with a score of NaN are ignored.

    threshold: float, optional
        Default is 0.8, as in the paper.

    below: bool, optional
        Whether the score must be at most the threshold instead, as for the activity of a silencer. Default is False.

    Returns
    -------
    bp: float
        NaN if no point reaches the threshold.

    Raises
    ------
    ValueError
        If the two differ in shape or have more than one axis.

    Examples
    --------
    >>> fewest_bp([5000, 2000, 500, 0], [1.0, 1.1, 0.85, 0.1])
    500.0
    """
    bp, value = _curve(bp_kept, score)
    with np.errstate(invalid="ignore"):
        at = value <= threshold if below else value >= threshold
    return float(bp[at].min()) if at.any() else np.nan


def area_under_curve(bp_kept: Any, score: Any) -> float:
    """Return the area under a curve of scores, by trapezoids, divided by the bp that it spans: its mean height.

    1 for a curve that keeps the full score until the end; above 1 if pruning raises the score. Compare curves over the
    same bp, as a rule from the whole CRE to none of it.

    Parameters
    ----------
    bp_kept, score: array, shape=(P,)
        A curve, in any order. Points with a score of NaN are ignored.

    Returns
    -------
    area: float
        NaN if fewer than two points have a score.

    Raises
    ------
    ValueError
        If the two differ in shape or have more than one axis.

    Examples
    --------
    >>> area_under_curve([100, 50, 0], [1.0, 1.0, 0.0])
    0.75
    """
    bp, value = _curve(bp_kept, score)
    order = np.argsort(bp, kind="stable")
    bp, value = bp[order], value[order]
    if len(bp) < 2 or bp[0] == bp[-1]:
        return np.nan
    return float(trapezoid(value, bp) / (bp[-1] - bp[0]))


def summarize_curves(table: pd.DataFrame, *, threshold: float = 0.8, below: bool = False) -> pd.DataFrame:
    """Compute the fewest bp and the area of each curve of a table, averaged over draws.

    Parameters
    ----------
    table: pandas.DataFrame
        `bp_kept` and `score`, one row per point. All columns other than these and `draw` name the curve, for example
        `example` and `method`.

    threshold, below: optional
        As in `fewest_bp`.

    Returns
    -------
    summary: pandas.DataFrame
        One row per curve, in the order of the table: its names, `draws`, `fewest_bp` and `area`, means over draws.
        `fewest_bp` ignores draws that never reach the threshold; it is NaN if no draw does.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"method": "random", "draw": [0, 0, 0, 1, 1, 1], "bp_kept": [100, 50, 0] * 2})
    >>> table["score"] = [1.0, 0.9, 0.0, 1.0, 0.1, 0.0]
    >>> summarize_curves(table).round(6).to_dict("records")
    [{'method': 'random', 'draws': 2, 'fewest_bp': 75.0, 'area': 0.5}]
    """
    check_columns(table, ["bp_kept", "score"])
    names = [name for name in table.columns if name not in ("bp_kept", "score", "draw")]
    rows = []
    for _, curves in table.groupby(names, sort=False, dropna=False) if names else [((), table)]:
        draws = [draw for _, draw in curves.groupby("draw")] if "draw" in curves else [curves]
        fewest = [fewest_bp(draw["bp_kept"], draw["score"], threshold=threshold, below=below) for draw in draws]
        areas = [area_under_curve(draw["bp_kept"], draw["score"]) for draw in draws]
        rows.append((*curves[names].iloc[0], len(draws), _mean(fewest), _mean(areas)))
    return pd.DataFrame(rows, columns=[*names, "draws", "fewest_bp", "area"])


def even_thresholds(threshold: float, n: int) -> list[float]:
    """Thresholds of n stages, in even steps from 1 to the last.

    Examples
    --------
    >>> [round(stop, 6) for stop in even_thresholds(0.8, 2)]
    [0.9, 0.8]
    """
    return [*(1 + (threshold - 1) * (k + 1) / n for k in range(n - 1)), threshold]


def _curve(bp_kept: Any, score: Any) -> tuple[np.ndarray, np.ndarray]:
    bp, value = as_float(bp_kept, "bp_kept"), as_float(score, "score")
    if bp.ndim != 1 or bp.shape != value.shape:
        raise ValueError(f"bp_kept and score must be a curve, shape (P,) each; got {bp.shape} and {value.shape}.")
    counts = ~np.isnan(value)
    return bp[counts], value[counts]


def _mean(values: list[float]) -> float:
    finite = [value for value in values if not np.isnan(value)]
    return float(np.mean(finite)) if finite else np.nan
