"""The thresholds of a study: those of its presets, with what its settings change."""

from __future__ import annotations

from ...analysis import CALL_PRESETS, CONTEXT_PRESETS, CallRule, ContextThresholds
from .sections import ContextSpec, CresSpec


def context_thresholds(spec: ContextSpec) -> ContextThresholds:
    """Return the thresholds of `classify_context`.

    Examples
    --------
    >>> context_thresholds(ContextSpec(enhancing=0.5))
    {'enhancing': 0.5, 'neutral': 0.05, 'silencing': -0.3}
    """
    preset = CONTEXT_PRESETS[spec.preset]
    return {
        "enhancing": preset["enhancing"] if spec.enhancing is None else spec.enhancing,
        "neutral": preset["neutral"] if spec.neutral is None else spec.neutral,
        "silencing": preset["silencing"] if spec.silencing is None else spec.silencing,
    }


def call_rule(spec: CresSpec) -> CallRule:
    """Return the rule of `call_cres`.

    Examples
    --------
    >>> call_rule(CresSpec(enhancer=0.5)).enhancer
    0.5
    """
    changed = {name: getattr(spec, name) for name in CallRule._fields if getattr(spec, name) is not None}
    return CALL_PRESETS[spec.preset]._replace(**changed)
