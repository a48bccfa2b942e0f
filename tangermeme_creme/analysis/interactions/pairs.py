"""Two perturbations together, against what each does alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...support import check_columns
from ..effects import Values, above_zero, arrays, as_float


class PairExpectation(NamedTuple):
    """Activity to expect of two perturbations together, from each alone.

    Parameters
    ----------
    additive: float64
        The two changes add up.

    multiplicative: float64
        The two fold changes multiply; NaN where an activity is not above 0.
    """

    additive: Any
    multiplicative: Any


def expected_pair(wt: Any, first: Any, second: Any) -> PairExpectation:
    """Activity to expect of two perturbations together: the second round of a greedy search.

    Paper: Figure 6e-h.

    Parameters
    ----------
    wt, first, second: number or array of one shape
        Activity of the wild type, and with each perturbation alone.

    Returns
    -------
    expected: PairExpectation
        `additive`, first + second - wt, and `multiplicative`, first * second / wt.

    Examples
    --------
    >>> expected_pair(100, 60, 70)
    PairExpectation(additive=30.0, multiplicative=42.0)
    """
    one, other, base = as_float(first, "first"), as_float(second, "second"), as_float(wt, "wt")
    product = one * other / np.where(base > 0, base, np.nan)
    product = np.where((one > 0) & (other > 0), product, np.nan)
    additive = np.asarray(one + other - base)
    return PairExpectation(*(value if value.ndim else value.item() for value in (additive, product)))


def epistasis(y_wt: Values, y_1: Values, y_2: Values, y_both: Values) -> Any:
    """What two perturbations do beyond the sum of what each does alone, over the wild type.

    (BOTH - (ONE + OTHER - WT)) / WT: the observed fold change less the additive one (paper: Methods, "Comparison with
    additive effects"). 0 is additive. Where each alone lowers the activity, above 0 both together take away less than
    the sum (superadditive, in the paper's words), and below 0 more.

    Parameters
    ----------
    y_wt, y_1, y_2, y_both: number, array, tensor or Series
        Activity of the wild type, with each perturbation alone, and with both, as the columns of
        `InteractionMapResult.to_frame`.

    Returns
    -------
    epistasis: float64, of the kind and broadcast shape of the arguments
        NaN where `y_wt` is not above 0, which is warned of.

    Raises
    ------
    ValueError
        If the shapes do not go together; the message states them.

    Examples
    --------
    >>> epistasis(100, 60, 70, 42)   # 0.42 - 0.30
    0.12
    """
    kind, (wt, one, other, both) = arrays(y_wt=y_wt, y_1=y_1, y_2=y_2, y_both=y_both)
    return kind.give((both - (one + other - wt)) / above_zero(wt, "y_wt"))


def log_epistasis(y_wt: Values, y_1: Values, y_2: Values, y_both: Values) -> Any:
    """`epistasis` of natural logarithms: observed less multiplicative.

    ln(BOTH / WT) - ln(ONE / WT) - ln(OTHER / WT). 0 where the fold changes multiply.

    Parameters
    ----------
    y_wt, y_1, y_2, y_both: number, array, tensor or Series
        As `epistasis`.

    Returns
    -------
    epistasis: float64, of the kind and broadcast shape of the arguments
        NaN where one of them is not above 0, which is warned of.

    Raises
    ------
    ValueError
        If the shapes do not go together; the message states them.

    Examples
    --------
    >>> round(log_epistasis(100, 60, 70, 42), 12)
    0.0
    """
    named = {"y_wt": y_wt, "y_1": y_1, "y_2": y_2, "y_both": y_both}
    kind, values = arrays(**named)
    wt, one, other, both = (np.log(above_zero(v, name, "have a logarithm")) for name, v in zip(named, values))
    return kind.give(both + wt - one - other)


def call_interactions(table: pd.DataFrame, *, by: str = "epistasis", threshold: float = 0.05) -> pd.DataFrame:
    """Say of each pair of tiles whether it interacts, and which way, as far as its shuffles can tell.

    Beyond the paper, whose classes are of whole traces. "positive" where the epistasis is above `threshold` and its
    interval above 0, "negative" where both are below, "none" where the whole interval is within the threshold of 0,
    else "unclear": more shuffles would tell. Of many pairs without interaction a few in a hundred have an interval that
    leaves out 0 by chance; `threshold` keeps out those that are small.

    Parameters
    ----------
    table: pandas.DataFrame
        Of `summarize_effects`, with columns `by`, and that name with `_low` and `_high`.

    by: str, optional
        Default is "epistasis"; "log_epistasis" is against the multiplicative expectation.

    threshold: float, optional
        In units of the effect: fold change over the wild type, or its logarithm. Default is 0.05.

    Returns
    -------
    called: pandas.DataFrame
        A copy with column `interaction`; None where the effect or its interval is undefined.

    Raises
    ------
    ValueError
        If a column is missing, or the threshold is negative.

    Examples
    --------
    >>> table = pd.DataFrame({"epistasis": [0.3, 0.3, 0.01], "epistasis_low": [0.2, -0.1, -0.01]})
    >>> call_interactions(table.assign(epistasis_high=[0.4, 0.7, 0.03]))["interaction"].tolist()
    ['positive', 'unclear', 'none']
    """
    check_columns(table, (by, f"{by}_low", f"{by}_high"))
    if threshold < 0:
        raise ValueError(f"threshold must be at least 0; got {threshold}.")
    effect, low, high = (as_float(table[name], name) for name in (by, f"{by}_low", f"{by}_high"))
    interaction = np.full(len(table), "unclear", dtype=object)
    interaction[(low >= -threshold) & (high <= threshold)] = "none"
    interaction[(effect > threshold) & (low > 0)] = "positive"
    interaction[(effect < -threshold) & (high < 0)] = "negative"
    interaction[np.isnan(effect + low + high)] = None
    return table.assign(interaction=pd.Series(interaction, index=table.index, dtype=object))
