"""The score of the fine-tile search: the fraction of the activity or effect of a CRE that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..sequence import check_choice
from ..support import warn

NO_EFFECT = "no activity or effect to keep"


class CreScore(NamedTuple):
    """Score the kept part of one CRE: its mean objective, or its effect over the control, over that of the whole CRE.

    Parameters
    ----------
    direction: "min" or "max"

    by_effect: bool
        Score the effect over the control instead of the activity.

    control, whole: float
        Mean objective without the CRE (0 if scored by activity) and with the whole CRE.

    Examples
    --------
    >>> by_activity, by_effect = CreScore("max", False, 0.0, 8.0), CreScore("min", True, 8.0, 2.0)
    >>> by_activity(4.0), by_effect(5.0), by_effect.defined, CreScore("max", True, 8.0, 2.0).defined
    (0.5, 0.5, True, False)
    """

    direction: str
    by_effect: bool
    control: float
    whole: float

    @property
    def gain(self) -> float:
        """The activity or effect that a score of 1 stands for."""
        return self.whole - self.control

    @property
    def defined(self) -> bool:
        """Whether the CRE has an activity or effect to keep: scores divide by it, which must not be 0 or reversed."""
        return self.gain < 0 if self.by_effect and self.direction == "min" else self.gain > 0

    @property
    def below(self) -> bool:
        """Whether a score must stay below a threshold: the activity of a silencer rises as it is pruned."""
        return self.direction == "min" and not self.by_effect

    def __call__(self, mean: Any) -> Any:
        return (mean - self.control) / self.gain

    def right_side(self, score: float, threshold: float) -> bool:
        """Whether a score is on the right side of a threshold."""
        return score < threshold if self.below else score > threshold


def check_threshold(threshold: float, *, below: bool, name: str = "threshold", at: str = "") -> None:
    """Refuse a threshold on the wrong side of 1, the score of the whole CRE.

    Raises
    ------
    ValueError
        If it is no number, not below 1, or not above 1 for a score that must stay below it; the message ends in `at`,
        its place.

    Examples
    --------
    >>> check_threshold(0.8, below=False)
    """
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float, np.integer, np.floating)):
        raise ValueError(f"{name} must be a number; got {threshold!r}{at}.")
    if below and not threshold > 1:
        raise ValueError(
            f"{name} must be above 1 for direction='min' with score='activity', where pruning a silencer raises the "
            f"score; got {threshold}{at}."
        )
    if not below and not threshold < 1:
        raise ValueError(f"{name} must be below 1, the score of the whole CRE; got {threshold}{at}.")


def is_listed(values: object) -> bool:
    """Return whether values have entries in an order: a list, a tuple, an array or a column, and no text.

    Examples
    --------
    >>> is_listed((500, 50)), is_listed("max"), is_listed(np.array("max"))
    (True, False, False)
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, np.ndarray, pd.Series)):
        return False
    return getattr(values, "ndim", 1) == 1


def scored_by_effect(score: str | None, direction: str) -> bool:
    """Return whether CREs of a direction are scored by their effect; score=None does so for silencers.

    Raises
    ------
    ValueError
        If `score` is neither "activity", "effect" nor None.

    Examples
    --------
    >>> scored_by_effect(None, "min"), scored_by_effect(None, "max"), scored_by_effect("effect", "max")
    (True, False, True)
    """
    if score is not None and (not isinstance(score, str) or score not in ("activity", "effect")):
        raise ValueError(f"score must be 'activity', 'effect' or None; got {score!r}.")
    return score == "effect" or (score is None and direction == "min")


def direction_per_example(direction: str | Sequence[str], n_examples: int) -> list[str]:
    """Return one direction per example, from one for all or one per example.

    Raises
    ------
    ValueError
        If a direction is neither "min" nor "max", or their number is neither one nor that of the examples.

    Examples
    --------
    >>> direction_per_example("max", 2), direction_per_example(["max", "min"], 2)
    (['max', 'max'], ['max', 'min'])
    """
    if not is_listed(direction):
        check_choice("direction", direction, "min", "max")
        return [direction] * n_examples  # type: ignore[list-item]
    directions = list(direction)
    if len(directions) != n_examples:
        raise ValueError(f"direction must be one or one per example ({n_examples}); got {len(directions)}.")
    for each in directions:
        check_choice("direction", each, "min", "max")
    return directions


def warn_of_no_effect(examples: Sequence[int], of: int) -> None:
    """Warn once which of the CREs have no score."""
    if examples:
        shown = ", ".join(map(str, examples[:5])) + (", ..." if len(examples) > 5 else "")
        warn(
            f"{len(examples)} of {of} CREs have {NO_EFFECT} in the asked direction, so that nothing is pruned and the "
            f"score is NaN: example {shown}."
        )
