"""Compare two perturbations together with each perturbation alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...support import check_columns
from ..values import Values, above_zero, as_float, same_axes

THRESHOLD = 0.05  # of `call_interactions`, for fold changes over the wild type and for their logarithms


class PairExpectation(NamedTuple):
    """Hold the expected activity of two perturbations together.

    Parameters
    ----------
    additive: float64
        Expected activity if the two changes add up.

    multiplicative: float64
        Expected activity if the two fold changes multiply; NaN where an activity is not above 0.
    """

    additive: Any
    multiplicative: Any


def expected_pair(wt: Any, first: Any, second: Any) -> PairExpectation:
    """Compute the expected activity of two perturbations together, for example in round 2 of a greedy search.

    Paper: Figure 6e-h.

    Parameters
    ----------
    wt, first, second: number or array of one shape
        Activity of the wild type, and of each perturbation alone.

    Returns
    -------
    expected: PairExpectation
        `additive`, first + second - wt, and `multiplicative`, first * second / wt.

    Examples
    --------
    >>> expected_pair(100, 60, 70)
    PairExpectation(additive=30.0, multiplicative=42.0)
    """
    y_1, y_2, base = as_float(first, "first"), as_float(second, "second"), as_float(wt, "wt")
    product = y_1 * y_2 / np.where(base > 0, base, np.nan)
    product = np.where((y_1 > 0) & (y_2 > 0), product, np.nan)
    additive = np.asarray(y_1 + y_2 - base)
    return PairExpectation(*(value if value.ndim else value.item() for value in (additive, product)))


def epistasis(y_wt: Values, y_1: Values, y_2: Values, y_both: Values) -> Any:
    """Compute (BOTH - (FIRST + SECOND - WT)) / WT: the observed minus the additive fold change of two perturbations.

    Paper: Methods, "Comparison with additive effects". 0 is additive. If each perturbation alone lowers the activity,
    epistasis above 0 means that both together lower it by less than the sum (superadditive, in the paper's words), and
    epistasis below 0 that they lower it by more.

    Parameters
    ----------
    y_wt, y_1, y_2, y_both: number, array, tensor or Series
        Activity of the wild type, of each perturbation alone, and of both, as in the columns of
        `InteractionMapResult.to_frame`.

    Returns
    -------
    epistasis: float64, of the type and broadcast shape of the arguments
        NaN where `y_wt` is not above 0, with a warning.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> epistasis(100, 60, 70, 42)   # 0.42 - 0.30
    0.12
    """
    result_type, (wt, one, other, both) = same_axes(y_wt=y_wt, y_1=y_1, y_2=y_2, y_both=y_both)
    return result_type.convert((both - (one + other - wt)) / above_zero(wt, "y_wt"))


def epistasis_difference(y_wt: Values, y_1: Values, y_2: Values, y_both: Values) -> Any:
    """Compute BOTH - (FIRST + SECOND - WT): `epistasis` in units of the prediction, for predictions without ratios.

    Of log predictions it is `log_epistasis` of what they are the logarithms of.

    Parameters
    ----------
    y_wt, y_1, y_2, y_both: number, array, tensor or Series
        As `epistasis`.

    Returns
    -------
    epistasis: float64, of the type and broadcast shape of the arguments

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> epistasis_difference(-1.0, -2.0, -3.0, -3.5)
    0.5
    """
    result_type, (wt, one, other, both) = same_axes(y_wt=y_wt, y_1=y_1, y_2=y_2, y_both=y_both)
    return result_type.convert(both - (one + other - wt))


def log_epistasis(y_wt: Values, y_1: Values, y_2: Values, y_both: Values) -> Any:
    """Compute ln(BOTH / WT) - ln(FIRST / WT) - ln(SECOND / WT): `epistasis` of natural logarithms.

    0 means that the fold changes multiply.

    Parameters
    ----------
    y_wt, y_1, y_2, y_both: number, array, tensor or Series
        As `epistasis`.

    Returns
    -------
    epistasis: float64, of the type and broadcast shape of the arguments
        NaN where an activity is not above 0, with a warning.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> round(log_epistasis(100, 60, 70, 42), 12)
    0.0
    """
    named = {"y_wt": y_wt, "y_1": y_1, "y_2": y_2, "y_both": y_both}
    result_type, values = same_axes(**named)
    wt, one, other, both = (np.log(above_zero(v, name, "have a logarithm")) for name, v in zip(named, values))
    return result_type.convert(both + wt - one - other)


def call_interactions(table: pd.DataFrame, *, by: str = "epistasis", threshold: float | None = None) -> pd.DataFrame:
    """Call pairs of tiles that interact, positively or negatively.

    Beyond the paper, which classifies traces only. A pair is "positive" if its epistasis is above `threshold` and its
    interval above 0, "negative" if its epistasis is below ``-threshold`` and its interval below 0, "none" if its
    interval lies within `threshold` of 0, and else "unclear": more shuffles are needed. By chance, a few of a hundred
    pairs without interaction have an interval that excludes 0; `threshold` excludes small effects among these.

    Parameters
    ----------
    table: pandas.DataFrame
        A table from `summarize_effects`, with the column that `by` names and the columns with `_low` and `_high` after
        its name.

    by: str, optional
        Column of the effect. "log_epistasis" compares with the multiplicative expectation. Default is "epistasis".

    threshold: float or None, optional
        Threshold in units of the effect. None is 0.05 for fold changes over the wild type and for their logarithms;
        "epistasis_difference", in units of the model, has no default. Default is None.

    Returns
    -------
    called: pandas.DataFrame
        A copy of `table` with column `interaction`; None where the effect or its interval is undefined.

    Raises
    ------
    ValueError
        If a column is missing, or the threshold is negative, or missing for "epistasis_difference".

    Examples
    --------
    >>> table = pd.DataFrame({"epistasis": [0.3, 0.3, 0.01], "epistasis_low": [0.2, -0.1, -0.01]})
    >>> call_interactions(table.assign(epistasis_high=[0.4, 0.7, 0.03]))["interaction"].tolist()
    ['positive', 'unclear', 'none']
    """
    check_columns(table, (by, f"{by}_low", f"{by}_high"))
    if threshold is None:
        if by == "epistasis_difference":
            raise ValueError(f"threshold must be given for {by!r}, in units of the model; got none.")
        threshold = THRESHOLD
    if threshold < 0:
        raise ValueError(f"threshold must be at least 0; got {threshold}.")
    effect, low, high = (as_float(table[name], name) for name in (by, f"{by}_low", f"{by}_high"))
    interaction = np.full(len(table), "unclear", dtype=object)
    interaction[(low >= -threshold) & (high <= threshold)] = "none"
    interaction[(effect > threshold) & (low > 0)] = "positive"
    interaction[(effect < -threshold) & (high < 0)] = "negative"
    interaction[np.isnan(effect + low + high)] = None
    return table.assign(interaction=pd.Series(interaction, index=table.index, dtype=object))
