"""Classify how tiles act together, from traces of greedy searches and their expectation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...sequence import check_choice
from ...support import check_columns
from ..values import as_float

# A trace with a larger m.s.e. is not multiplicative; for searches of enhancers ("min") and of silencers ("max").
MULTIPLICATIVE_MSE = {"min": 0.04, "max": 0.01}


def classify_interaction(observed: Any, additive: Any, *, far: float = 0.1, close: float = 0.05) -> Any:
    """Classify how a set of tiles acts, from its observed trace and its additive trace.

    Paper: Methods, "Comparison with additive effects". With a m.s.e. above `far`, a trace is "superadditive" if the
    observed mean is above the additive mean, and else "subadditive". With a m.s.e. below `close` it is "additive", and
    in between "ambiguous".

    Parameters
    ----------
    observed, additive: array, shape=(..., R)
        Fold change over the wild type by round. Rounds in which either trace is NaN do not count.

    far, close: float, optional
        Thresholds of the m.s.e. Defaults are 0.1 and 0.05.

    Returns
    -------
    category: str, or array of object, shape=(...)
        None for a trace in which no round counts.

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
    """Classify traces as "multiplicative" or "nonmultiplicative".

    Paper: Methods, "Comparison with multiplicative effects". A trace is "nonmultiplicative" if its m.s.e. is above 0.04
    in a search for enhancers, or above 0.01 in a search for silencers.

    Parameters
    ----------
    observed, multiplicative: array, shape=(..., R)
        Logarithm of the activity over the logarithm of the wild type's activity, by round.

    direction: "min" or "max"
        Direction of the search: "min" for enhancers, "max" for silencers.

    Returns
    -------
    category: str, or array of object, shape=(...)
        None for a trace in which no round counts.

    Raises
    ------
    ValueError
        If the shapes differ, or `direction` is neither "min" nor "max".

    Examples
    --------
    >>> classify_multiplicative([0.9, 0.8], [0.75, 0.65], direction="min")
    'multiplicative'
    >>> classify_multiplicative([0.9, 0.8], [0.75, 0.65], direction="max")
    'nonmultiplicative'
    """
    check_choice("direction", direction, "min", "max")
    mse, _ = _compare(observed, multiplicative)
    category = np.where(mse > MULTIPLICATIVE_MSE[direction], "nonmultiplicative", "multiplicative").astype(object)
    category[np.isnan(mse)] = None
    return category if category.ndim else category.item()


def classify_traces(
    table: pd.DataFrame, *, direction: str, far: float = 0.1, close: float = 0.05, by: str | Sequence[str] = "example"
) -> pd.DataFrame:
    """Classify each trace of a table by `classify_interaction` and `classify_multiplicative`.

    Paper: Figure 6a-d and Extended Data Fig. 9; enhancers and silencers have the same additive thresholds.

    Parameters
    ----------
    table: pandas.DataFrame
        A table from `greedy_traces`.

    direction: "min" or "max"
        Direction of the search.

    far, close: float, optional
        As in `classify_interaction`.

    by: str or sequence of str, optional
        Columns that name a trace. Default is "example".

    Returns
    -------
    classes: pandas.DataFrame
        One row per trace: the columns of `by`, `mse_additive`, `interaction`, `mse_multiplicative` and
        `multiplicative`. An undefined trace has NaN and None.

    Raises
    ------
    ValueError
        If a column is missing, or as in the two functions.

    Examples
    --------
    >>> table = pd.DataFrame({"example": "GATA2", "observed": [0.9, 0.8], "additive": [0.4, 0.0]})
    >>> table = table.assign(observed_log=[0.9, 0.8], multiplicative_log=[0.9, 0.8])
    >>> classify_traces(table, direction="min")[["example", "interaction", "multiplicative"]]
      example    interaction  multiplicative
    0   GATA2  superadditive  multiplicative
    """
    names = [by] if isinstance(by, str) else list(by)
    pairs = {"additive": ("observed", "additive"), "multiplicative": ("observed_log", "multiplicative_log")}
    check_columns(table, [*names, *(column for pair in pairs.values() for column in pair)])
    rows = []
    for name, trace in table.groupby(names, sort=False, dropna=False):
        added, multiplied = ([trace[column].to_numpy() for column in pair] for pair in pairs.values())
        rows.append((
            *name, float(_compare(*added)[0]), classify_interaction(*added, far=far, close=close),
            float(_compare(*multiplied)[0]), classify_multiplicative(*multiplied, direction=direction),
        ))  # fmt: skip
    columns = [*names, "mse_additive", "interaction", "mse_multiplicative", "multiplicative"]
    classes = pd.DataFrame(rows, columns=columns)
    for column in ("interaction", "multiplicative"):  # pandas would replace None by NaN
        classes[column] = pd.Series([row[columns.index(column)] for row in rows], dtype=object)
    return classes


def _compare(observed: Any, expected: Any) -> tuple[np.ndarray, np.ndarray]:
    """Compute the m.s.e., and whether the observed mean is larger, over the rounds in which both traces are known."""
    y, y_expected = as_float(observed, "observed"), as_float(expected, "expected")
    if y.shape != y_expected.shape or y.ndim == 0:
        raise ValueError(f"traces must have one shape, (..., rounds); got {y.shape} and {y_expected.shape}.")
    difference = y - y_expected
    known = ~np.isnan(difference)
    count = np.where(known.any(-1), known.sum(-1), np.nan)
    mse = np.where(known, difference**2, 0).sum(-1) / count
    return np.asarray(mse), np.asarray(np.where(known, difference, 0).sum(-1) > 0)
