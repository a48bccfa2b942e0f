"""Define the categories of contexts, and the thresholds of the paper."""

from __future__ import annotations

from typing import NamedTuple

CATEGORIES = ("enhancing", "neutral", "silencing", "other")

# Thresholds of `classify_context`: classify_context(effect, **CONTEXT_PRESETS["borzoi"]).
CONTEXT_PRESETS: dict[str, dict[str, float]] = {
    "enformer": {"enhancing": 0.95, "neutral": 0.05, "silencing": -0.3},
    "borzoi": {"enhancing": 0.9, "neutral": 0.05, "silencing": -0.2},
}


class CallRule(NamedTuple):
    """Hold the thresholds of `call_cres`, and the contexts in which enhancers and silencers are called.

    Parameters
    ----------
    enhancer, silencer: float
        A tile is an enhancer if its effect is above `enhancer`, and a silencer if its effect is below `silencer`.

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
