"""Estimate effects of means over shuffles and their uncertainty, from arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from ...support import collected

Effect = Callable[..., Any]

# Approximate memory of the resampled sums of one chunk of rows.
_CHUNK_BYTES = 2**26
# Resamples with more counts, of 8 bytes each, are not kept.
_KEPT_COUNTS = 2**19


class Estimate(NamedTuple):
    """Hold an effect and its uncertainty.

    Parameters
    ----------
    effect: numpy.ndarray, dtype=float64
        Effect of the means over shuffles.

    sem: numpy.ndarray
        Standard error of the effect (jackknife); NaN for one shuffle.

    low, high: numpy.ndarray
        Bootstrap interval of the effect; NaN for one shuffle.
    """

    effect: np.ndarray
    sem: np.ndarray
    low: np.ndarray
    high: np.ndarray


def activities_of(effect: Effect) -> list[str]:
    """List the names of the activities that an effect takes.

    Examples
    --------
    >>> activities_of(lambda y_wt, y_mut: y_mut - y_wt)
    ['y_wt', 'y_mut']
    """
    return list(inspect.signature(effect).parameters)


def standard_error(effect: Effect, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compute the jackknife standard error, shape (G,), of an effect of means over shuffles, of values of shape (G, n).

    For an effect that is linear in the activities it equals the s.e.m. of the effects of single shuffles.
    """
    n = _n_shuffles(values)
    if n < 2:
        return np.full(len(next(iter(values.values()))), np.nan)
    left_out = _evaluate(effect, values, 1 - np.eye(n, dtype=np.int64), quiet=True)
    spread = left_out - left_out.mean(axis=1, keepdims=True)
    return np.sqrt((n - 1) / n * (spread**2).sum(axis=1))


def estimate(
    effect: Effect, values: Mapping[str, np.ndarray], *, confidence: float, n_resamples: int, random_state: int
) -> tuple[Estimate, np.ndarray]:
    """Estimate an effect from activities of shape (G, n); column k of all activities is shuffle k.

    Returns
    -------
    estimate: Estimate

    undefined: numpy.ndarray, shape=(G,), dtype=int64
        Number of resamples without an effect, of rows that have an effect.
    """
    n = _n_shuffles(values)
    value = _evaluate(effect, values, np.ones((1, n), dtype=np.int64))[:, 0]
    sem, undefined = standard_error(effect, values), np.zeros(len(value), dtype=np.int64)
    if n < 2:
        return Estimate(value, sem, sem.copy(), sem.copy()), undefined
    counts = _resamples(n, n_resamples, random_state)
    tail = expanded_tail(n, confidence)
    low, high = np.empty_like(value), np.empty_like(value)
    for rows in _chunks(len(value), len(counts) * len(values)):
        chunk = {name: array[rows] for name, array in values.items()}
        resampled = _evaluate(effect, chunk, counts, quiet=True)
        low[rows], high[rows] = np.quantile(resampled, [tail, 1 - tail], axis=1)
        undefined[rows] = np.isnan(resampled).sum(axis=1)
    undefined[np.isnan(value)] = 0  # the effect itself has warned of these
    return Estimate(value, sem, low, high), undefined


def expanded_tail(n: int, confidence: float) -> float:
    """Compute the tail, on each side, of a percentile interval that covers as often as a t interval.

    The variance of resampled means is too small by (n - 1) / n, and percentiles correspond to normal tails where those
    of Student's distribution are wider: with 10 shuffles, a plain interval at 95% would cover 90%. Source: Hesterberg
    2015, The American Statistician 69(4), "expanded percentile interval".

    Examples
    --------
    >>> round(expanded_tail(10, 0.95), 4), round(expanded_tail(10_000, 0.95), 4)
    (0.0086, 0.025)
    """
    t = special.stdtrit(n - 1, 0.5 + confidence / 2)  # scipy.stats, which has the same numbers, takes long to import
    return float(special.ndtr(-t * np.sqrt(n / (n - 1))))


def _resamples(n: int, n_resamples: int, random_state: int) -> np.ndarray:
    """Count how often each resample draws each of n shuffles: shape (n_resamples, n), a function of seed and n only."""
    few = n * n_resamples <= _KEPT_COUNTS
    return (_kept_resamples if few else _drawn_resamples)(n, n_resamples, random_state)


def _drawn_resamples(n: int, n_resamples: int, random_state: int) -> np.ndarray:
    drawn = np.random.default_rng(random_state).integers(0, n, (n_resamples, n))
    places = drawn + n * np.arange(n_resamples)[:, None]
    counts = np.bincount(places.ravel(), minlength=n * n_resamples).reshape(n_resamples, n)
    counts.flags.writeable = False
    return counts


_kept_resamples = lru_cache(maxsize=4)(_drawn_resamples)  # the next table of a study draws the same


def _evaluate(effect: Effect, values: Mapping[str, np.ndarray], counts: np.ndarray, quiet: bool = False) -> np.ndarray:
    """Compute the effect, shape (G, R), of means in which shuffle k counts ``counts[r, k]`` times."""
    means = {name: _weighted_means(array, counts) for name, array in values.items()}
    # With `quiet`, references that are not above 0 are not warned of again: the effect itself has counted them.
    with collected() if quiet else nullcontext():
        return np.asarray(effect(**means), dtype=np.float64)


def _weighted_means(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Compute weighted means, shape (G, R), of values of shape (G, n).

    In float64, sums of float32 values with integer weights are exact, so that equal values keep their value. The sum
    runs shuffle by shuffle, because the rounding of a matrix product may depend on the other rows.
    """
    total = np.zeros((len(values), len(counts)))
    for k in range(values.shape[1]):
        total += values[:, k, None] * counts[:, k]
    return total / counts.sum(axis=1)


def _n_shuffles(values: Mapping[str, np.ndarray]) -> int:
    return next(iter(values.values())).shape[1]


def _chunks(n_rows: int, numbers_per_row: int) -> Iterator[slice]:
    size = max(1, _CHUNK_BYTES // (8 * numbers_per_row))
    for first in range(0, n_rows, size):
        yield slice(first, first + size)
