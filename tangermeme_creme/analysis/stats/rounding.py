"""Tell effects from the rounding of predictions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...support import collected
from .named_effects import NEUTRAL
from .resampling import Effect, Estimate

# Predictions in float32 that differ by less, relative to either, are equal: 16 times its precision. The same sequence
# may differ by so much between batches, and between runs in full and in part.
RESOLUTION = 2.0**-19


def only_rounding(effect: Effect, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Say of each row of activities, shape (G, n), whether its effect is within the rounding in all shuffles.

    Returns
    -------
    rounding: numpy.ndarray, shape=(G,), dtype=bool
        False for effects that are not of `EFFECTS`, and for undefined ones.

    Examples
    --------
    >>> from tangermeme_creme.analysis import normalized_effect
    >>> y_mut = np.array([[10.00001, 10.00001], [10.00001, 11.0]])
    >>> only_rounding(normalized_effect, {"y_wt": np.full((2, 2), 10.0), "y_mut": y_mut})
    array([ True, False])
    """
    neutral = NEUTRAL.get(effect)
    if neutral is None:
        return np.zeros(len(next(iter(values.values()))), dtype=bool)
    with collected():  # whoever asks has warned of undefined effects
        per_shuffle = np.asarray(effect(**values))
        reach = np.zeros_like(per_shuffle)
        for name, activity in values.items():
            step = RESOLUTION * np.abs(activity)
            reach += np.abs(np.asarray(effect(**{**values, name: activity + step})) - per_shuffle)
    return np.asarray((np.abs(per_shuffle - neutral) <= reach).all(axis=1))


def without_rounding(effect: Effect, values: Mapping[str, np.ndarray], estimated: Estimate) -> Estimate:
    """Replace effects that are only rounding by no effect, with an interval of no width.

    A tile that the model does not see may have the effect -1e-6 in each of its shuffles, and an interval that excludes
    0.
    """
    rounding, neutral = only_rounding(effect, values), NEUTRAL.get(effect, 0.0)
    replaced = zip((neutral, 0.0, neutral, neutral), estimated)
    return Estimate(*(np.where(rounding & ~np.isnan(part), number, part) for number, part in replaced))
