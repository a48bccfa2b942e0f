"""How tiles combine: greedy traces and pairs against additive and multiplicative expectation, and saturation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..operators.results import GreedyResult
from ._pairs import PairExpectation, call_interactions, epistasis, expected_pair, log_epistasis
from ._saturation import Saturation, fit_saturation, saturation_table
from .effects import above_zero, as_float, log_activity

__all__ = [
    "PairExpectation",
    "Saturation",
    "additive_trace",
    "call_interactions",
    "classify_interaction",
    "classify_multiplicative",
    "epistasis",
    "expected_pair",
    "fit_saturation",
    "greedy_traces",
    "log_epistasis",
    "multiplicative_trace",
    "saturation_table",
]

# Above these m.s.e. a trace is not multiplicative: searches for enhancers ("min") and for silencers ("max").
MULTIPLICATIVE_MSE = {"min": 0.04, "max": 0.01}


def additive_trace(wt: Any, single: Any, order: Any) -> np.ndarray:
    """(WT + cumulative sum of single effects) / WT, along the order of a greedy search.

    Paper: Methods, "Comparison with additive effects".

    Parameters
    ----------
    wt: number or array, shape=(N,)
        Activity of the wild type.

    single: array, shape=(T,) or (N, T)
        Activity with each tile shuffled alone: the first round of the search, averaged over shuffles.

    order: array of int, shape=(R,) or (N, R)
        The tiles in the order in which they were fixed.

    Returns
    -------
    trace: numpy.ndarray, shape=(R,) or (N, R), dtype=float64
        Expected fold change over the wild type with the first r + 1 tiles shuffled; NaN where the wild type is not
        above 0, which is warned of.

    Raises
    ------
    ValueError
        If the shapes do not go together, or `order` names a tile that is not there.

    Examples
    --------
    >>> additive_trace(100, [60, 70], [0, 1]).tolist()
    [0.6, 0.3]
    """
    base, chosen = _singles(wt, single, order)
    return (base + np.cumsum(chosen - base, axis=-1)) / above_zero(base, "wt")


def multiplicative_trace(wt: Any, single: Any, order: Any, *, scale: str = "log") -> np.ndarray:
    """`additive_trace` of natural logarithms: fold changes multiply.

    Paper: Methods, "Comparison with multiplicative effects". Beyond the paper, ``scale="fold"`` gives the expected
    fold change itself, which is also defined where the wild type is below 1 and its logarithm negative.

    Parameters
    ----------
    wt, single, order:
        As in `additive_trace`.

    scale: "log" or "fold", optional
        The logarithm of the expected activity over that of the wild type, which `classify_multiplicative` compares, or
        the fold change over the wild type. Default is "log".

    Returns
    -------
    trace: numpy.ndarray, shape=(R,) or (N, R), dtype=float64
        NaN from where an activity is not above 0; on scale "log" also where the wild type is not above 1, which is
        warned of.

    Raises
    ------
    ValueError
        As `additive_trace`, or `scale` is neither of those above.

    Examples
    --------
    >>> multiplicative_trace(100, [50, 50], [0, 1], scale="fold").round(6).tolist()
    [0.5, 0.25]
    >>> multiplicative_trace(100, [10, 10], [0, 1]).round(6).tolist()
    [0.5, 0.0]
    """
    if scale not in ("log", "fold"):
        raise ValueError(f"scale must be 'log' or 'fold'; got {scale!r}.")
    base, chosen = (log_activity(values) for values in _singles(wt, single, order))
    expected = base + np.cumsum(chosen - base, axis=-1)
    if scale == "fold":
        return np.exp(expected - base)
    return expected / above_zero(base, "the logarithm of wt")


def classify_interaction(observed: Any, additive: Any, *, far: float = 0.1, close: float = 0.05) -> Any:
    """Name how a set of tiles acts, from its trace and the additive one.

    Paper: Methods, "Comparison with additive effects". With a m.s.e. above `far`, "superadditive" where the observed
    mean is above the additive one and "subadditive" where it is below; "additive" below `close`; else "ambiguous".

    Parameters
    ----------
    observed, additive: array, shape=(..., R)
        Fold change over the wild type by round. Rounds in which either is NaN do not count.

    far, close: float, optional
        Thresholds of the m.s.e. Default is 0.1 and 0.05.

    Returns
    -------
    category: str, or array of object, shape=(...)
        None where no round counts.

    Raises
    ------
    ValueError
        If the shapes differ, or `close` is above `far`.

    Examples
    --------
    >>> classify_interaction([[0.9, 0.8], [0.5, 0.1]], [[0.4, 0.0], [0.5, 0.1]]).tolist()
    ['superadditive', 'additive']
    """
    if not 0 <= close <= far:
        raise ValueError(f"thresholds must keep 0 <= close <= far; got close={close}, far={far}.")
    mse, above = _compare(observed, additive)
    category = np.full(mse.shape, "ambiguous", dtype=object)
    category[mse < close] = "additive"
    category[(mse > far) & above] = "superadditive"
    category[(mse > far) & ~above] = "subadditive"
    category[np.isnan(mse)] = None
    return category if category.ndim else category.item()


def classify_multiplicative(observed: Any, multiplicative: Any, *, direction: str) -> Any:
    """ "multiplicative", or "nonmultiplicative" where the m.s.e. is above 0.04 (enhancers) or 0.01 (silencers).

    Paper: Methods, "Comparison with multiplicative effects".

    Parameters
    ----------
    observed, multiplicative: array, shape=(..., R)
        Logarithm of the activity over that of the wild type, by round.

    direction: "min" or "max"
        That of the search: for enhancers or for silencers.

    Returns
    -------
    category: str, or array of object, shape=(...)
        None where no round counts.

    Raises
    ------
    ValueError
        If the shapes differ, or `direction` is neither of those above.

    Examples
    --------
    >>> classify_multiplicative([0.9, 0.8], [0.75, 0.65], direction="min")
    'multiplicative'
    >>> classify_multiplicative([0.9, 0.8], [0.75, 0.65], direction="max")
    'nonmultiplicative'
    """
    if direction not in MULTIPLICATIVE_MSE:
        raise ValueError(f"direction must be 'min' or 'max'; got {direction!r}.")
    mse, _ = _compare(observed, multiplicative)
    category = np.where(mse > MULTIPLICATIVE_MSE[direction], "nonmultiplicative", "multiplicative").astype(object)
    category[np.isnan(mse)] = None
    return category if category.ndim else category.item()


def greedy_traces(result: GreedyResult, *, ids: Sequence[Any] | None = None) -> pd.DataFrame:
    """The trace of a greedy search beside what additive and multiplicative effects would have given.

    Parameters
    ----------
    result: GreedyResult
        Of `higher_order_interaction_test`. The single effects are the means of its first round.

    ids: sequence or None, optional
        N names. Default is None, 0 to N - 1.

    Returns
    -------
    table: pandas.DataFrame
        One row an (example, round): `example`, `round`, `n_tiles`, `tile`, `observed`, `additive`, `multiplicative`
        (fold changes over the wild type), `observed_log` and `multiplicative_log` (logarithm over that of the wild
        type) and, where the search had a holdout, `holdout`: the observed fold change without the winner's curse.
        Fold changes are NaN where the wild type is not above 0, logarithms over its own where it is not above 1; each
        is warned of once.

    Raises
    ------
    ValueError
        If there are not as many `ids` as examples.
    """
    N, R = result.order.shape
    if ids is not None and len(ids) != N:
        raise ValueError(f"ids must have {N} entries, one for each example; got {len(ids)}.")
    order, selected = result.order.numpy(), as_float(result.y_selected, "y_selected")
    single = as_float(result.y_candidates[:, 0].double().mean(-1), "single")
    wt = above_zero(as_float(result.y_start[:, 0], "wt"), "the wild type")  # warned of once, for all columns
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
    names = list(range(N) if ids is None else ids)
    table = pd.DataFrame({
        "example": [name for name in names for _ in range(R)],
        "round": np.tile(np.arange(R), N),
        "n_tiles": np.tile(np.arange(1, R + 1), N),
        "tile": order.ravel(),
    })  # fmt: skip
    return table.assign(**{name: values.ravel() for name, values in columns.items()})


def _singles(wt: Any, single: Any, order: Any) -> tuple[np.ndarray, np.ndarray]:
    """The wild type, shape (..., 1), and the single activities in order, shape (..., R)."""
    base, alone = as_float(wt, "wt"), as_float(single, "single")
    tiles = np.asarray(order.cpu() if isinstance(order, torch.Tensor) else order)
    N = {a.shape[0] for a, own in ((base, 0), (alone, 1), (tiles, 1)) if a.ndim > own}
    if base.ndim > 1 or alone.ndim not in (1, 2) or tiles.ndim not in (1, 2) or len(N) > 1:
        rule = "wt, single and order must have shapes (N,), (N, T) and (N, R), or lack N"
        raise ValueError(f"{rule}; got {base.shape}, {alone.shape} and {tiles.shape}.")
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


def _compare(observed: Any, expected: Any) -> tuple[np.ndarray, np.ndarray]:
    """Over the rounds in which both are known: the m.s.e., and whether the observed mean is the larger."""
    one, other = as_float(observed, "observed"), as_float(expected, "expected")
    if one.shape != other.shape or one.ndim == 0:
        raise ValueError(f"traces must have one shape, (..., rounds); got {one.shape} and {other.shape}.")
    difference = one - other
    known = ~np.isnan(difference)
    count = np.where(known.any(-1), known.sum(-1), np.nan)
    mse = np.where(known, difference**2, 0).sum(-1) / count
    return np.asarray(mse), np.asarray(np.where(known, difference, 0).sum(-1) > 0)
