"""Compare groups of rows by Mann-Whitney U tests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ...support import check_columns
from ..values import as_float


def compare_groups(
    table: pd.DataFrame,
    values: str | Sequence[str],
    group: str,
    *,
    pairs: Sequence[tuple[Any, Any]] | None = None,
    by: str | Sequence[str] = (),
) -> pd.DataFrame:
    """Compare pairs of groups of rows by two-sided Mann-Whitney U tests, corrected for the number of tests.

    Paper: Figures 2 and 6 (Bonferroni in Fig. 2g). Missing values do not count, nor do infinite ones, with a warning.
    All tests, of all values, pairs and strata, are corrected together. A test with an empty group gives NaN and does
    not count in the correction.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per observation.

    values: str or sequence of str
        Columns of numbers to test.

    group: str
        Column of groups. Rows without a group are left out.

    pairs: sequence of (group, group) or None, optional
        Pairs of groups to compare. None is all pairs, in order of appearance or of categories. Default is None.

    by: str or sequence of str, optional
        Columns that divide the rows into strata, for example `track`; groups are compared within each stratum. Default
        is ().

    Returns
    -------
    tests: pandas.DataFrame
        One row per test: the columns of `by`, `value`, `group_1`, `group_2`, `n_1`, `n_2`, `median_1`, `median_2`, `u`
        (of the first group), `auc` (``u / (n_1 * n_2)``: the probability that a value of the first group is larger
        than one of the second), `p`, `p_bonferroni` and `p_bh` (Benjamini-Hochberg).

    Raises
    ------
    ValueError
        If a column is missing, or a group in `pairs` has no row.

    Examples
    --------
    >>> table = pd.DataFrame({"kind": ["a"] * 3 + ["b"] * 3, "effect": [1.0, 2, 3, 4, 5, 6]})
    >>> compare_groups(table, "effect", "kind")[["group_1", "group_2", "u", "p"]]
      group_1 group_2    u    p
    0       a       b  0.0  0.1
    """
    columns = [values] if isinstance(values, str) else list(values)
    strata = [by] if isinstance(by, str) else list(by)
    check_columns(table, [*columns, group, *strata])
    labels = table[group]
    categories = labels.cat.categories if isinstance(labels.dtype, pd.CategoricalDtype) else labels.dropna().unique()
    compared = list(combinations(list(categories), 2)) if pairs is None else [tuple(pair) for pair in pairs]
    for label in (label for pair in compared for label in pair):
        if label not in categories:
            raise ValueError(f"pairs must be of groups in column {group!r}; got {label!r} beside {list(categories)}.")
    table = table.assign(**{column: as_float(table[column], column) for column in columns})
    parts = table.groupby(strata, sort=False, dropna=False) if strata else [((), table)]
    rows = []
    for stratum, part in parts:
        for column in columns:
            numbers = part[column].to_numpy()
            for pair in compared:
                samples = [numbers[(part[group] == label).to_numpy(dtype=bool, na_value=False)] for label in pair]
                test = _mann_whitney(*(sample[~np.isnan(sample)] for sample in samples))
                rows.append((*stratum, column, *pair, *test))
    names = ["value", "group_1", "group_2", "n_1", "n_2", "median_1", "median_2", "u", "auc", "p"]
    tests = pd.DataFrame(rows, columns=[*strata, *names])
    p = tests["p"].to_numpy(dtype=np.float64)
    known = ~np.isnan(p)
    tests["p_bonferroni"] = np.minimum(p * known.sum(), 1)
    tests["p_bh"] = np.nan
    if known.any():
        from scipy import stats  # takes long to import

        tests.loc[known, "p_bh"] = stats.false_discovery_control(p[known], method="bh")
    return tests


def _mann_whitney(first: np.ndarray, second: np.ndarray) -> tuple[float, ...]:
    n = len(first), len(second)
    medians = [float(np.median(sample)) if len(sample) else np.nan for sample in (first, second)]
    if not all(n):
        return (*n, *medians, np.nan, np.nan, np.nan)
    from scipy import stats

    test = stats.mannwhitneyu(first, second, alternative="two-sided")
    return (*n, *medians, float(test.statistic), float(test.statistic) / (n[0] * n[1]), float(test.pvalue))
