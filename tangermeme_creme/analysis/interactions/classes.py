"""How tiles combine: greedy traces and pairs against additive and multiplicative expectation, and saturation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...support import check_columns
from ..effects import as_float
from .pairs import PairExpectation, call_interactions, epistasis, expected_pair, log_epistasis
from .saturation import Saturation, fit_saturation, saturation_table
from .traces import additive_trace, greedy_traces, multiplicative_trace

__all__ = [
    "PairExpectation",
    "Saturation",
    "additive_trace",
    "call_interactions",
    "classify_interaction",
    "classify_multiplicative",
    "classify_traces",
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


def classify_traces(
    table: pd.DataFrame, *, direction: str, far: float = 0.1, close: float = 0.05, by: str | Sequence[str] = "example"
) -> pd.DataFrame:
    """`classify_interaction` and `classify_multiplicative` of each trace of a table.

    Paper: Figure 6a-d and Extended Data Fig. 9; the additive thresholds serve for enhancers and silencers alike.

    Parameters
    ----------
    table: pandas.DataFrame
        Of `greedy_traces`.

    direction: "min" or "max"
        That of the search.

    far, close: float, optional
        As in `classify_interaction`.

    by: str or sequence of str, optional
        The columns that name a trace. Default is "example".

    Returns
    -------
    classes: pandas.DataFrame
        One row a trace: the columns of `by`, `mse_additive`, `interaction`, `mse_multiplicative` and
        `multiplicative`. An undefined trace has NaN and None.

    Raises
    ------
    ValueError
        If a column is missing, or as the two functions.

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
    for column in ("interaction", "multiplicative"):  # pandas would make NaN of None
        classes[column] = pd.Series([row[columns.index(column)] for row in rows], dtype=object)
    return classes


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
