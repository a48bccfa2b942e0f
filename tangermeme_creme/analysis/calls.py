"""From effects to categories of contexts, and to tiles that are called enhancers and silencers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..sequence import check_count
from ..support import check_columns
from .effects import as_float
from .presets import CALL_PRESETS, CATEGORIES, CallRule


def classify_context(effect: Any, enhancing: float = 0.95, neutral: float = 0.05, silencing: float = -0.3) -> Any:
    """Name the category of each context by its effect on the TSS.

    Above `enhancing`; within `neutral` of 0; below `silencing`; else "other". The bounds belong to no category. Paper:
    Methods, "Context dependence test"; `CONTEXT_PRESETS` has its thresholds for Enformer, the defaults, and Borzoi.
    (The paper prints the enhancing threshold of Borzoi as -0.9, which would take in nearly every sequence; 0.9 is
    meant.)

    Parameters
    ----------
    effect: number, array, tensor or Series
        The `normalized_effect` of shuffling the context, averaged over shuffles.

    enhancing, neutral, silencing: float, optional
        Thresholds. Default is 0.95, 0.05 and -0.3.

    Returns
    -------
    category: str, array of object, or Series
        One of `CATEGORIES`, or None where the effect is NaN.

    Raises
    ------
    ValueError
        If the thresholds overlap.

    Examples
    --------
    >>> classify_context([0.97, 0.5, -0.01, -0.4, float("nan")]).tolist()
    ['enhancing', 'other', 'neutral', 'silencing', None]
    >>> from tangermeme_creme.analysis import CONTEXT_PRESETS
    >>> classify_context(0.92, **CONTEXT_PRESETS["borzoi"])
    'enhancing'
    """
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
    return category if values.ndim or isinstance(effect, torch.Tensor) else category.item()


def select_contexts(
    table: pd.DataFrame, n: int = 200, *, random_state: int, id_column: str = "example", column: str = "context"
) -> pd.DataFrame:
    """At most `n` examples of each category, drawn at random; "other" and missing categories are left out.

    Paper: Methods, "Context dependence test": 200 of each category go into all further tests. Whom a seed draws does
    not depend on the order of the rows, nor on the other categories.

    Parameters
    ----------
    table: pandas.DataFrame
        One row an example.

    n: int, optional
        The most of a category. Default is 200.

    random_state: int
        Seed.

    id_column, column: str, optional
        Where the names of the examples and their categories are. Default is "example" and "context".

    Returns
    -------
    selected: pandas.DataFrame
        Those rows of `table`, in its order.

    Raises
    ------
    ValueError
        If a column is missing, an example occurs twice, n is below 1, or the seed is negative or not whole.

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
    """Call tiles enhancers and silencers by their effects in the categories of context where that is asked.

    Paper: Methods, "Sufficiency test": enhancers bring back more than 0.3 of the wild type in enhancing contexts,
    silencers take more than 0.3 off the control in silencing ones; of Borzoi 0.15, in silencing and neutral contexts.
    By necessity the same thresholds apply to the shuffle effect.

    Parameters
    ----------
    table: pandas.DataFrame
        One row a tile, with its category of context and, by sufficiency, `over_wt` and `over_control`
        (`tile_effect_over_wt`, `tile_effect_over_control`), or, by necessity, `necessity` (`normalized_effect`).

    by: "sufficiency" or "necessity", optional
        Default is "sufficiency".

    rule: CallRule or str, optional
        Thresholds and contexts, or a name in `CALL_PRESETS`. Default is "enformer".

    context: str, optional
        The column of categories. Default is "context".

    Returns
    -------
    called: pandas.DataFrame
        A copy with column `cre`: "enhancer", "silencer" or None. A NaN effect is no call.

    Raises
    ------
    ValueError
        If a column is missing, or `by` or `rule` is none of those above.

    Examples
    --------
    >>> table = pd.DataFrame({"context": ["enhancing", "silencing"], "over_wt": [0.4, 0.0], "over_control": [9, -0.5]})
    >>> call_cres(table)["cre"].tolist()
    ['enhancer', 'silencer']
    """
    columns = {"sufficiency": ("over_wt", "over_control"), "necessity": ("necessity", "necessity")}
    if by not in columns:
        raise ValueError(f"by must be 'sufficiency' or 'necessity'; got {by!r}.")
    if isinstance(rule, str):
        if rule not in CALL_PRESETS:
            raise ValueError(f"rule must be a CallRule or one of {', '.join(CALL_PRESETS)}; got {rule!r}.")
        rule = CALL_PRESETS[rule]
    check_columns(table, (context, *columns[by]))
    up, down = (table[name] for name in columns[by])
    cre = np.full(len(table), None, dtype=object)
    cre[((up > rule.enhancer) & table[context].isin(rule.enhancer_contexts)).to_numpy()] = "enhancer"
    cre[((down < rule.silencer) & table[context].isin(rule.silencer_contexts)).to_numpy()] = "silencer"
    return table.assign(cre=pd.Series(cre, index=table.index, dtype=object))


def join_tile_effects(
    necessity: pd.DataFrame, sufficiency: pd.DataFrame, *, on: str | Sequence[str] = ("example", "tile", "track")
) -> pd.DataFrame:
    """Necessity beside sufficiency, tile by tile: a tile that is needed need not be enough, and the other way.

    Paper: Extended Data Fig. 3e.

    Parameters
    ----------
    necessity, sufficiency: pandas.DataFrame
        One row a tile each.

    on: str or sequence of str, optional
        The columns that name a tile. Default is ("example", "tile", "track").

    Returns
    -------
    joined: pandas.DataFrame
        The rows of `necessity`, then those that only `sufficiency` has; the columns of both. Other columns that both
        have must agree and are kept once where they do, else they end in "_necessity" and "_sufficiency".

    Raises
    ------
    ValueError
        If a column of `on` is missing, or a table has a tile twice.

    Examples
    --------
    >>> one = pd.DataFrame({"tile": [0, 1], "necessity": [0.2, 0.0]})
    >>> join_tile_effects(one, pd.DataFrame({"tile": [1, 0], "over_wt": [0.5, 0.1]}), on=["tile"])
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
        one, other = joined[f"{name}_necessity"], joined[f"{name}_sufficiency"]
        if one.dtype != other.dtype and "category" in (one.dtype, other.dtype):
            one, other = one.astype(object), other.astype(object)  # pandas compares no unlike categories
        if ((one == other) | one.isna() | other.isna()).all():
            joined[f"{name}_necessity"] = one.where(one.notna(), other)
            joined = joined.rename(columns={f"{name}_necessity": name}).drop(columns=f"{name}_sufficiency")
    return joined
