"""Classify contexts by their effects, and call tiles enhancers and silencers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..sequence import check_choice, check_count
from ..support import check_columns
from .presets import CALL_PRESETS, CATEGORIES, CONTEXT_PRESETS, SCALES, CallRule
from .values import as_float, is_tensor


def classify_context(
    effect: Any,
    enhancing: float | None = None,
    neutral: float | None = None,
    silencing: float | None = None,
    *,
    scale: str | None = None,
) -> Any:
    """Classify each context by its effect on the TSS.

    A context is "enhancing" above `enhancing`, "neutral" within `neutral` of 0, "silencing" below `silencing`, and else
    "other"; the thresholds themselves are "other". Paper: Methods, "Context dependence test". `CONTEXT_PRESETS` has
    the paper's thresholds for Enformer, the defaults, and for Borzoi. (The paper prints the enhancing threshold of
    Borzoi as -0.9, which nearly every sequence would pass; 0.9 is meant.)

    Parameters
    ----------
    effect: number, array, tensor or Series
        The `normalized_effect` of shuffling the context, averaged over shuffles; or, on another scale, the
        `difference` or the `log_fold`.

    enhancing, neutral, silencing: float or None, optional
        Thresholds, in units of the effect. None is 0.95, 0.05 and -0.3 for ratios; other scales have no defaults.
        Default is None.

    scale: "ratio", "difference", "log_fold" or None, optional
        Scale of the effect. None is the name of a Series that is called "difference" or "log_fold", such as a column
        of `summarize_effects`, and else "ratio". Default is None.

    Returns
    -------
    category: str, array of object, or Series
        One of `CATEGORIES`, or None where the effect is NaN or infinite; a warning gives the number of the latter.

    Raises
    ------
    ValueError
        If the thresholds overlap, a threshold is missing on a scale that has no defaults, or the scale is unknown.

    Examples
    --------
    >>> classify_context([0.97, 0.5, -0.01, -0.4, float("nan")]).tolist()
    ['enhancing', 'other', 'neutral', 'silencing', None]
    >>> from tangermeme_creme.analysis import CONTEXT_PRESETS
    >>> classify_context(0.92, **CONTEXT_PRESETS["borzoi"])
    'enhancing'
    >>> classify_context([2.0, 0.1], enhancing=1.5, neutral=0.2, silencing=-1.0, scale="difference").tolist()
    ['enhancing', 'neutral']
    """
    enhancing, neutral, silencing = _thresholds(effect, scale, (enhancing, neutral, silencing))
    if not silencing <= -neutral <= 0 <= neutral <= enhancing:
        raise ValueError(
            "thresholds must keep silencing <= -neutral <= 0 <= neutral <= enhancing; got "
            f"enhancing={enhancing}, neutral={neutral}, silencing={silencing}."
        )
    values = as_float(effect, "effect")
    category = np.full(values.shape, "other", dtype=object)
    category[values > enhancing] = "enhancing"
    category[np.abs(values) < neutral] = "neutral"
    category[values < silencing] = "silencing"
    category[np.isnan(values)] = None
    if isinstance(effect, pd.Series):
        return pd.Series(category, index=effect.index, dtype=object)
    return category if values.ndim or is_tensor(effect) else category.item()


def _thresholds(
    effect: Any, scale: str | None, thresholds: tuple[float | None, float | None, float | None]
) -> tuple[float, float, float]:
    """Fill in the thresholds of ratios; refuse to do so on a scale whose units they do not have."""
    if scale is None:
        scale = effect.name if isinstance(effect, pd.Series) and effect.name in SCALES else "ratio"
    check_choice("scale", scale, *SCALES)
    defaults = CONTEXT_PRESETS["enformer"]
    named = dict(zip(defaults, thresholds))
    missing = [name for name, value in named.items() if value is None]
    if missing and scale != "ratio":
        raise ValueError(
            f"{', '.join(defaults)} must be given on scale {scale!r}, in its units; got no {' and no '.join(missing)}."
        )
    of_ratios = (defaults["enhancing"], defaults["neutral"], defaults["silencing"])
    enhancing, neutral, silencing = (a if b is None else b for a, b in zip(of_ratios, thresholds))
    return enhancing, neutral, silencing


def select_contexts(
    table: pd.DataFrame, n: int = 200, *, random_state: int, id_column: str = "example", column: str = "context"
) -> pd.DataFrame:
    """Draw at most `n` examples of each category at random, without "other" and missing categories.

    Paper: Methods, "Context dependence test": 200 of each category go into all further tests. The examples that a seed
    draws do not depend on the order of the rows or on the other categories.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per example.

    n: int, optional
        Largest number of examples per category. Default is 200.

    random_state: int
        Seed.

    id_column, column: str, optional
        Columns of the names of the examples and of their categories. Defaults are "example" and "context".

    Returns
    -------
    selected: pandas.DataFrame
        The drawn rows, in the order of `table`.

    Raises
    ------
    ValueError
        If a column is missing, an example occurs twice, n is below 1, or the seed is negative or not an integer.

    Examples
    --------
    >>> table = pd.DataFrame({"example": list("abc"), "context": ["neutral", "neutral", "other"]})
    >>> len(select_contexts(table, 1, random_state=0)), len(select_contexts(table, 5, random_state=0))
    (1, 2)
    """
    check_columns(table, (id_column, column))
    check_count("n", n)
    check_count("random_state", random_state, minimum=0)
    repeated = table[id_column].duplicated()
    if repeated.any():
        raise ValueError(f"{id_column} must name each example once; got {table[id_column][repeated].iloc[0]!r} twice.")
    chosen = np.zeros(len(table), dtype=bool)
    for k, category in enumerate(CATEGORIES[:3]):
        rows = np.flatnonzero(table[column] == category)
        rows = rows[np.argsort(table[id_column].iloc[rows].astype(str).to_numpy(), kind="stable")]
        generator = np.random.default_rng([random_state, k])
        chosen[generator.permutation(rows)[:n]] = True
    return table[chosen]


def call_cres(
    table: pd.DataFrame,
    *,
    by: str = "sufficiency",
    rule: CallRule | str = "enformer",
    context: str = "context",
) -> pd.DataFrame:
    """Call tiles enhancers and silencers by their effects and the categories of their contexts.

    Paper: Methods, "Sufficiency test". In enhancing contexts, enhancers restore more than 0.3 of the wild type's
    activity. In silencing contexts, silencers lower the control by more than 0.3; for Borzoi by more than 0.15, in
    silencing and neutral contexts. By necessity, the same thresholds apply to the shuffle effect.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per tile, with the category of its context and, by sufficiency, `over_wt` and `over_control`
        (`tile_effect_over_wt`, `tile_effect_over_control`), by necessity, `necessity` (`normalized_effect`), or the
        effect that `by` names.

    by: "sufficiency", "necessity", "difference" or "log_fold", optional
        Effects to call by. Default is "sufficiency".

    rule: CallRule or str, optional
        Thresholds and contexts, or a name in `CALL_PRESETS`. These have the thresholds of ratios: by "difference" and
        "log_fold" a rule with thresholds in their units is needed. Default is "enformer".

    context: str, optional
        Column of categories. Default is "context".

    Returns
    -------
    called: pandas.DataFrame
        A copy of `table` with column `cre`: "enhancer", "silencer" or None. Tiles whose effect is NaN or infinite are
        not called; a warning gives the number of the latter.

    Raises
    ------
    ValueError
        If a column is missing, `by` or `rule` is unknown, or the rule is a preset and the effect is no ratio.

    Examples
    --------
    >>> table = pd.DataFrame({"context": ["enhancing", "silencing"], "over_wt": [0.4, 0.0], "over_control": [9, -0.5]})
    >>> call_cres(table)["cre"].tolist()
    ['enhancer', 'silencer']
    """
    columns = {"sufficiency": ("over_wt", "over_control"), "necessity": ("necessity", "necessity")}
    columns |= {name: (name, name) for name in SCALES[1:]}
    if by not in columns:
        raise ValueError(f"by must be one of {', '.join(columns)}; got {by!r}.")
    if by in SCALES and (isinstance(rule, str) or any(rule is preset for preset in CALL_PRESETS.values())):
        got = repr(rule) if isinstance(rule, str) else "that of a preset"
        raise ValueError(
            f"rule must be a CallRule with thresholds in units of {by}; got {got}, whose thresholds are of ratios."
        )
    if isinstance(rule, str):
        if rule not in CALL_PRESETS:
            raise ValueError(f"rule must be a CallRule or one of {', '.join(CALL_PRESETS)}; got {rule!r}.")
        rule = CALL_PRESETS[rule]
    check_columns(table, (context, *columns[by]))
    effects = {name: as_float(table[name], name) for name in dict.fromkeys(columns[by])}
    up, down = (effects[name] for name in columns[by])
    cre = np.full(len(table), None, dtype=object)
    cre[(up > rule.enhancer) & table[context].isin(rule.enhancer_contexts).to_numpy()] = "enhancer"
    cre[(down < rule.silencer) & table[context].isin(rule.silencer_contexts).to_numpy()] = "silencer"
    return table.assign(cre=pd.Series(cre, index=table.index, dtype=object))


def join_tile_effects(
    necessity: pd.DataFrame, sufficiency: pd.DataFrame, *, on: str | Sequence[str] = ("example", "tile", "track")
) -> pd.DataFrame:
    """Join the necessity and the sufficiency of each tile, to compare them.

    Paper: Extended Data Fig. 3e. A necessary tile may be insufficient, and a sufficient tile unnecessary.

    Parameters
    ----------
    necessity, sufficiency: pandas.DataFrame
        Tables with one row per tile.

    on: str or sequence of str, optional
        Columns that name a tile. Default is ("example", "tile", "track").

    Returns
    -------
    joined: pandas.DataFrame
        The rows of `necessity`, then the rows that only `sufficiency` has, with the columns of both. If both tables
        have another column with equal values, it occurs once; with unequal values it occurs twice, with "_necessity"
        and "_sufficiency" after its name.

    Raises
    ------
    ValueError
        If a column of `on` is missing, or a table has a tile twice.

    Examples
    --------
    >>> needed = pd.DataFrame({"tile": [0, 1], "necessity": [0.2, 0.0]})
    >>> join_tile_effects(needed, pd.DataFrame({"tile": [1, 0], "over_wt": [0.5, 0.1]}), on=["tile"])
       tile  necessity  over_wt
    0     0        0.2      0.1
    1     1        0.0      0.5
    """
    keys = [on] if isinstance(on, str) else list(on)
    for name, table in (("necessity", necessity), ("sufficiency", sufficiency)):
        check_columns(table, keys)
        repeated = table.duplicated(keys)
        if repeated.any():
            got = table.loc[repeated, keys].iloc[0].to_dict()
            raise ValueError(f"{name} must have each tile once; got {got} twice.")
    both = [name for name in necessity.columns if name in sufficiency.columns and name not in keys]
    outer = necessity.merge(sufficiency, on=keys, how="outer", suffixes=("_necessity", "_sufficiency"), sort=False)
    place = necessity[keys].assign(_place=np.arange(len(necessity)))
    order = outer[keys].merge(place, on=keys, how="left", sort=False)["_place"].to_numpy()
    joined = outer.iloc[np.argsort(np.where(np.isnan(order), np.inf, order), kind="stable")].reset_index(drop=True)
    for name in both:
        left, right = joined[f"{name}_necessity"], joined[f"{name}_sufficiency"]
        if left.dtype != right.dtype and "category" in (left.dtype, right.dtype):
            left, right = left.astype(object), right.astype(object)  # pandas does not compare unlike categories
        if ((left == right) | left.isna() | right.isna()).all():
            joined[f"{name}_necessity"] = left.where(left.notna(), right)
            joined = joined.rename(columns={f"{name}_necessity": name}).drop(columns=f"{name}_sufficiency")
    return joined
