"""Compute traces of greedy searches, with additive and multiplicative expectations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...operators import GreedyResult
from ...sequence import check_choice
from ..presets import SCALES
from ..values import above_zero, as_float, is_tensor, log_activity


def additive_trace(wt: Any, single: Any, order: Any) -> np.ndarray:
    """Compute (WT + cumulative sum of single effects) / WT, along the order of a greedy search.

    Paper: Methods, "Comparison with additive effects".

    Parameters
    ----------
    wt: number or array, shape=(N,)
        Activity of the wild type.

    single: array, shape=(T,) or (N, T)
        Activity with each tile shuffled alone: the first round of the search, averaged over shuffles.

    order: array of int, shape=(R,) or (N, R)
        Indices of the tiles in the order in which the search fixed them.

    Returns
    -------
    trace: numpy.ndarray, shape=(R,) or (N, R), dtype=float64
        Expected fold change over the wild type with the first r + 1 tiles shuffled; NaN where the wild type is not
        above 0, with a warning.

    Raises
    ------
    ValueError
        If the shapes do not match, or `order` names a tile that does not exist.

    Examples
    --------
    >>> additive_trace(100, [60, 70], [0, 1]).tolist()
    [0.6, 0.3]
    """
    base, chosen = _singles_in_order(wt, single, order)
    return (base + np.cumsum(chosen - base, axis=-1)) / above_zero(base, "wt")


def multiplicative_trace(wt: Any, single: Any, order: Any, *, scale: str = "log") -> np.ndarray:
    """Compute the trace in which fold changes multiply: `additive_trace` of natural logarithms.

    Paper: Methods, "Comparison with multiplicative effects". Beyond the paper, ``scale="fold"`` gives the expected
    fold change, which is also defined if the wild type is below 1 and its logarithm negative.

    Parameters
    ----------
    wt, single, order:
        As in `additive_trace`.

    scale: "log" or "fold", optional
        "log" gives the logarithm of the expected activity over the logarithm of the wild type's activity, for
        `classify_multiplicative`; "fold" gives the fold change over the wild type. Default is "log".

    Returns
    -------
    trace: numpy.ndarray, shape=(R,) or (N, R), dtype=float64
        NaN from the first round in which an activity is not above 0; on scale "log" also where the wild type is not
        above 1, with a warning.

    Raises
    ------
    ValueError
        As `additive_trace`, or if `scale` is neither "log" nor "fold".

    Examples
    --------
    >>> multiplicative_trace(100, [50, 50], [0, 1], scale="fold").round(6).tolist()
    [0.5, 0.25]
    >>> multiplicative_trace(100, [10, 10], [0, 1]).round(6).tolist()
    [0.5, 0.0]
    """
    check_choice("scale", scale, "log", "fold")
    base, chosen = (log_activity(values) for values in _singles_in_order(wt, single, order))
    expected = base + np.cumsum(chosen - base, axis=-1)
    if scale == "fold":
        return np.exp(expected - base)
    return expected / above_zero(base, "the logarithm of wt")


def greedy_traces(result: GreedyResult, *, ids: Sequence[Any] | None = None, scale: str = "ratio") -> pd.DataFrame:
    """Tabulate the trace of a greedy search with its additive and multiplicative expectations.

    Parameters
    ----------
    result: GreedyResult
        Result of `higher_order_interaction_test`. The single effects are the means of its first round.

    ids: sequence or None, optional
        N names of the examples. None is 0 to N - 1. Default is None.

    scale: "ratio", "difference" or "log_fold", optional
        "ratio" gives fold changes over the wild type, "log_fold" their logarithms to base 2. "difference", for
        predictions that have no ratios, gives MUT - WT, and no multiplicative expectation. Default is "ratio".

    Returns
    -------
    table: pandas.DataFrame
        One row per example and round: `example`, `round`, `n_tiles`, `tile`, `observed`, `additive`, `multiplicative`
        (fold changes over the wild type), `observed_log` and `multiplicative_log` (logarithm of the activity over that
        of the wild type's) and, if the search had a holdout, `holdout`: the observed fold change in shuffles that were
        not used to select the tile. Fold changes are NaN where the wild type is not above 0, and ratios of logarithms
        where it is not above 1; one warning is given for each.

    Raises
    ------
    ValueError
        If the number of `ids` is not the number of examples, or the scale is unknown.
    """
    check_choice("scale", scale, *SCALES)
    N, R = result.order.shape
    if ids is not None and len(ids) != N:
        raise ValueError(f"ids must have {N} entries, one per example; got {len(ids)}.")
    names = list(range(N) if ids is None else ids)
    table = pd.DataFrame({
        "example": [name for name in names for _ in range(R)],
        "round": np.tile(np.arange(R), N),
        "n_tiles": np.tile(np.arange(1, R + 1), N),
        "tile": result.order.numpy().ravel(),
    })  # fmt: skip
    columns = _differences(result) if scale == "difference" else _folds(result)
    if scale == "log_fold":
        for name in ("observed", "additive", "multiplicative", "holdout"):
            if name in columns:
                columns[name] = log_activity(columns[name]) / np.log(2)
    return table.assign(**{name: values.ravel() for name, values in columns.items()})


def _differences(result: GreedyResult) -> dict[str, np.ndarray]:
    wt = as_float(result.y_start[:, :1], "wt")
    single = as_float(result.y_candidates[:, 0].double().mean(-1), "single")
    _, chosen = _singles_in_order(wt[:, 0], single, result.order.numpy())
    columns = {"observed": result.y_selected, "holdout": result.y_holdout}
    traces = {name: as_float(y, f"y_{name}") - wt for name, y in columns.items() if y is not None}
    return {"observed": traces.pop("observed"), "additive": np.cumsum(chosen - wt, axis=-1), **traces}


def _folds(result: GreedyResult) -> dict[str, np.ndarray]:
    order, selected = result.order.numpy(), as_float(result.y_selected, "y_selected")
    single = as_float(result.y_candidates[:, 0].double().mean(-1), "single")
    wt = above_zero(as_float(result.y_start[:, 0], "wt"), "the wild type")  # one warning for all columns
    log_wt = log_activity(wt)[:, None]
    log_reference = above_zero(log_wt, "the logarithm of the wild type")
    fold = multiplicative_trace(wt, single, order, scale="fold")
    columns = {
        "observed": selected / wt[:, None],
        "additive": additive_trace(wt, single, order),
        "multiplicative": fold,
        "observed_log": log_activity(selected) / log_reference,
        "multiplicative_log": (log_wt + log_activity(fold)) / log_reference,
    }
    if result.y_holdout is not None:
        columns["holdout"] = as_float(result.y_holdout, "y_holdout") / wt[:, None]
    return columns


def _singles_in_order(wt: Any, single: Any, order: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the wild type, shape (..., 1), and the single activities in order, shape (..., R)."""
    base, alone = as_float(wt, "wt"), as_float(single, "single")
    tiles = np.asarray(order.cpu() if is_tensor(order) else order)
    N = {array.shape[0] for array, n_axes in ((base, 0), (alone, 1), (tiles, 1)) if array.ndim > n_axes}
    if base.ndim > 1 or alone.ndim not in (1, 2) or tiles.ndim not in (1, 2) or len(N) > 1:
        rule = "wt, single and order must have shapes (N,), (N, T) and (N, R), or lack N"
        raise ValueError(f"{rule}; got {base.shape}, {alone.shape} and {tiles.shape}.")
    if tiles.size == 0:
        tiles = tiles.astype(np.int64)
    if not np.issubdtype(tiles.dtype, np.integer) or (tiles < 0).any() or (tiles >= alone.shape[-1]).any():
        raise ValueError(f"order must be indices of the {alone.shape[-1]} tiles; got {tiles.tolist()}.")
    if alone.ndim == 1 and tiles.ndim == 1:
        chosen = alone[tiles]
    else:
        rows = N.pop()
        alone = np.broadcast_to(alone, (rows, alone.shape[-1]))
        chosen = np.take_along_axis(alone, np.broadcast_to(tiles, (rows, tiles.shape[-1])), axis=1)
    if base.ndim and chosen.ndim == 1:
        chosen = np.broadcast_to(chosen, (len(base), len(chosen)))
    return base[..., None], chosen
