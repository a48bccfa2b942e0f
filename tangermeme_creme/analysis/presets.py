"""The categories of contexts, and the thresholds of the paper."""

from __future__ import annotations

from typing import NamedTuple

CATEGORIES = ("enhancing", "neutral", "silencing", "other")

# Thresholds of `classify_context`, to be passed on: classify_context(effect, **CONTEXT_PRESETS["borzoi"]).
CONTEXT_PRESETS: dict[str, dict[str, float]] = {
    "enformer": {"enhancing": 0.95, "neutral": 0.05, "silencing": -0.3},
    "borzoi": {"enhancing": 0.9, "neutral": 0.05, "silencing": -0.2},
}


class CallRule(NamedTuple):
    """Thresholds of `call_cres`: which effect, in which contexts, makes an enhancer or a silencer.

    Parameters
    ----------
    enhancer, silencer: float
        An effect above, and below, makes the call.

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
