"""Define the categories of contexts, and the thresholds of the paper."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple, TypedDict

# Scales of effects. "difference" and "log_fold" are also the names of the effects, and of their columns in tables.
SCALES = ("ratio", "difference", "log_fold")

CATEGORIES = ("enhancing", "neutral", "silencing", "other")


class ContextThresholds(TypedDict):
    """Hold the thresholds of `classify_context`."""

    enhancing: float
    neutral: float
    silencing: float


# Thresholds of `classify_context`, of ratios: classify_context(effect, **CONTEXT_PRESETS["borzoi"]).
CONTEXT_PRESETS: dict[str, ContextThresholds] = {
    "enformer": {"enhancing": 0.95, "neutral": 0.05, "silencing": -0.3},
    "borzoi": {"enhancing": 0.9, "neutral": 0.05, "silencing": -0.2},
}


class CallRule(NamedTuple):
    """Hold the thresholds of `call_cres`, and the contexts in which enhancers and silencers are called.

    Parameters
    ----------
    enhancer, silencer: float
        A tile is an enhancer if its effect is above `enhancer`, and a silencer if its effect is below `silencer`. The
        defaults are for ratios.

    enhancer_contexts, silencer_contexts: tuple of str
        Categories of contexts in which tiles are called.
    """

    enhancer: float = 0.3
    silencer: float = -0.3
    enhancer_contexts: tuple[str, ...] = ("enhancing",)
    silencer_contexts: tuple[str, ...] = ("silencing",)


CALL_PRESETS: dict[str, CallRule] = {
    "enformer": CallRule(),
    "borzoi": CallRule(silencer=-0.15, silencer_contexts=("silencing", "neutral")),
}


def effect_in(columns: Container[str], ratio: str) -> str:
    """Find the column of an effect: that of the ratio or, in a study on another scale, the one in its place.

    Examples
    --------
    >>> effect_in(["tile", "over_wt"], "over_wt"), effect_in(["tile", "difference"], "over_wt")
    ('over_wt', 'difference')
    """
    return next((name for name in (ratio, *SCALES[1:]) if name in columns), ratio)
