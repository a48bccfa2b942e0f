"""Name effects as their columns in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..effects import Values, fold_change, normalized_effect, tile_effect_over_control, tile_effect_over_wt
from ..interactions import epistasis, log_epistasis
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
}


def effects_by_name(effects: str | Sequence[str] | Mapping[str, Effect]) -> dict[str, Effect]:
    """Return effects by name, from names in `EFFECTS` or from a mapping of names to functions.

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
    if not named:
        raise ValueError("effects must be at least one; got none.")
    return named
