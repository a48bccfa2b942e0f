"""Name effects as their columns in tables."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from ..effects import (
    difference,
    fold_change,
    log_fold,
    normalized_effect,
    tile_difference,
    tile_effect_over_control,
    tile_effect_over_wt,
    tile_log_fold,
)
from ..interactions import epistasis, epistasis_difference, log_epistasis
from ..values import Values
from .resampling import Effect


def fold_over_wt(y_mut: Values, y_wt: Values) -> Any:
    """Compute `fold_change` over the wild type."""
    return fold_change(y_mut, y_wt)


def fold_over_control(y_mut: Values, y_control: Values) -> Any:
    """Compute `fold_change` over the control."""
    return fold_change(y_mut, y_control)


EFFECTS: dict[str, Effect] = {
    "context_effect": normalized_effect,
    "necessity": normalized_effect,
    "over_wt": tile_effect_over_wt,
    "over_control": tile_effect_over_control,
    "fold_over_wt": fold_over_wt,
    "fold_over_control": fold_over_control,
    "epistasis": epistasis,
    "log_epistasis": log_epistasis,
    "epistasis_difference": epistasis_difference,
    "difference": difference,
    "log_fold": log_fold,
}

# The functions of names that stand for another function in tables that have a control.
_WITH_CONTROL: dict[str, Effect] = {"difference": tile_difference, "log_fold": tile_log_fold}

# What each effect is if the perturbation changes nothing.
NEUTRAL: dict[Effect, float] = {
    **dict.fromkeys((*EFFECTS.values(), *_WITH_CONTROL.values()), 0.0),
    **dict.fromkeys((fold_change, fold_over_wt, fold_over_control), 1.0),
}


def effects_by_name(
    effects: str | Sequence[str] | Mapping[str, Effect], columns: Container[str] = ()
) -> dict[str, Effect]:
    """Return effects by name, from names in `EFFECTS` or from a mapping of names to functions.

    If the `columns` have y_control, "difference" and "log_fold" are those of MUT and CONTROL, and else of WT and MUT.

    Raises
    ------
    ValueError
        If there is no effect, or a name is not in `EFFECTS`.

    Examples
    --------
    >>> effects_by_name("necessity")["necessity"].__name__
    'normalized_effect'
    """
    if isinstance(effects, Mapping):
        named = dict(effects)
    else:
        names = [effects] if isinstance(effects, str) else list(effects)
        unknown = [name for name in names if name not in EFFECTS]
        if unknown:
            raise ValueError(f"effects must be functions or among {', '.join(EFFECTS)}; got {unknown[0]!r}.")
        named = {name: EFFECTS[name] for name in names}
        if "y_control" in columns:
            named |= {name: _WITH_CONTROL[name] for name in names if name in _WITH_CONTROL}
    if not named:
        raise ValueError("effects must be at least one; got none.")
    return named
