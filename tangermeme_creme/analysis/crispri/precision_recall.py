"""Compute precision and recall per distance bin, for effects and for distance as a predictor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve

ALL = "all"


def bins_by_distance(edges: Sequence[float]) -> tuple[np.ndarray, list[str]]:
    """Return edges in bp as an array, and a label per bin; a bin includes its lower edge and excludes its upper edge.

    Raises
    ------
    ValueError
        If there are fewer than two edges, an edge is negative or NaN, or the edges do not increase.

    Examples
    --------
    >>> bins_by_distance((0, 2_500, 10_000, float("inf")))[1]
    ['0-2.5 kb', '2.5-10 kb', '>=10 kb']
    """
    rule = "distance_bins must be at least two increasing edges in bp, from 0"
    try:
        array = np.asarray(edges, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{rule}; got {edges!r}.") from error
    if array.ndim != 1 or len(array) < 2:
        raise ValueError(f"{rule}; got {edges!r}.")
    bad = np.flatnonzero(~np.r_[array[0] >= 0, array[1:] > array[:-1]])
    if len(bad):
        raise ValueError(f"{rule}; got {float(array[bad[0]])} at index {bad[0]}.")
    labels = [
        f">={low / 1000:.15g} kb" if np.isinf(high) else f"{low / 1000:.15g}-{high / 1000:.15g} kb"
        for low, high in pairwise(array.tolist())
    ]
    return array, labels


def label_distances(distance: np.ndarray, edges: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Return the label of the bin of each distance in bp; None outside of all bins.

    Examples
    --------
    >>> label_distances(np.array([5, 10_000, 90_000]), *bins_by_distance((0, 10_000, 50_000))).tolist()
    ['0-10 kb', '10-50 kb', None]
    """
    place = np.searchsorted(edges, distance, side="right") - 1
    names = np.array([*labels, None], dtype=object)
    return names[np.where((place >= 0) & (place < len(labels)), place, len(labels))]


def curves_and_summary(
    pairs: pd.DataFrame, labels: Sequence[str], *, confidence: float, n_resamples: int, random_state: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute precision-recall curves of scores and of distances per distance bin, and their summary.

    Parameters
    ----------
    pairs: pandas.DataFrame
        `regulated`, `score`, `distance` and `distance_bin`. The order of rows must be reproducible, because the
        resamples draw row numbers.

    labels: sequence of str
        Labels of the bins. The resamples of bin k depend on the seed and on k only; k is 0 for "all".

    confidence, n_resamples, random_state: optional
        As in `compare_with_crispri`.

    Returns
    -------
    curves, summary: pandas.DataFrame
        As in `CrispriComparison`, without the numbers of rows that were left out.

    Examples
    --------
    >>> pairs = pd.DataFrame({"regulated": [True, False], "score": [2.0, 1.0], "distance": [9, 5], "distance_bin": "x"})
    >>> _, summary = curves_and_summary(pairs, [], confidence=0.95, n_resamples=9, random_state=0)
    >>> summary[["predictor", "auprc", "gain"]]
      predictor  auprc  gain
    0    effect    1.0   0.5
    1  distance    0.5   NaN
    """
    curves, rows = [], []
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    for k, label in enumerate([ALL, *labels]):
        part = pairs if k == 0 else pairs[pairs["distance_bin"] == label]
        regulated = part["regulated"].to_numpy(dtype=bool)
        scores = {
            "effect": part["score"].to_numpy(dtype=np.float64),
            "distance": -part["distance"].to_numpy(dtype=np.float64),
        }
        values = dict.fromkeys(scores, np.nan)
        resampled = {name: np.full(1, np.nan) for name in scores}
        if 0 < regulated.sum() < len(regulated):
            values = {name: float(average_precision_score(regulated, score)) for name, score in scores.items()}
            generator = np.random.default_rng([random_state, k])
            resampled = dict(zip(scores, _resample(regulated, list(scores.values()), n_resamples, generator)))
            curves += [_pr_curve(regulated, score, predictor=name, label=label) for name, score in scores.items()]
        for name in scores:
            row: dict[str, Any] = {"predictor": name, "distance_bin": label}
            row |= {"n": len(part), "n_regulated": int(regulated.sum())}
            row["prevalence"] = regulated.mean() if len(part) else np.nan
            row["auprc"] = values[name]
            row["auprc_low"], row["auprc_high"] = _quantiles(resampled[name], tails)
            if name == "effect":
                row["gain"] = values["effect"] - values["distance"]
                row["gain_low"], row["gain_high"] = _quantiles(resampled["effect"] - resampled["distance"], tails)
            rows.append(row)
    columns = ["predictor", "distance_bin", "threshold", "recall", "precision"]
    table = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=columns)
    return table.astype(dict.fromkeys(columns[2:], np.float64)), pd.DataFrame(rows)


def resampled_precision(regulated: np.ndarray, score: np.ndarray) -> Callable[[np.ndarray], float]:
    """Make a function that computes the average precision of a resample from the number of times it draws each pair.

    The scores are sorted only once. The function equals scikit-learn's `average_precision_score` with the counts as
    weights, and returns NaN for resamples without a regulated pair.

    Examples
    --------
    >>> precision = resampled_precision(np.array([True, False, True]), np.array([3.0, 2.0, 1.0]))
    >>> precision(np.array([1, 1, 0])), round(precision(np.array([1, 1, 1])), 4), precision(np.array([0, 3, 0]))
    (1.0, 0.8333, nan)
    """
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    positive = regulated[order].astype(np.int64)

    def average_precision(counts: np.ndarray) -> float:
        drawn = counts[order]
        called, correct = np.cumsum(drawn)[ends], np.cumsum(drawn * positive)[ends]
        if correct[-1] == 0:
            return np.nan
        precision = correct / np.maximum(called, 1)  # where no pair is called, none is correct
        return float((np.diff(correct, prepend=0) * precision).sum() / correct[-1])

    return average_precision


def _resample(
    regulated: np.ndarray, scores: Sequence[np.ndarray], n_resamples: int, generator: np.random.Generator
) -> np.ndarray:
    """Compute the average precision of each predictor, shape (P, R), in the same resamples of pairs."""
    predictors = [resampled_precision(regulated, score) for score in scores]
    values = np.empty((len(predictors), n_resamples))
    n = len(regulated)
    for r in range(n_resamples):
        counts = np.bincount(generator.integers(0, n, n), minlength=n)
        values[:, r] = [average_precision(counts) for average_precision in predictors]
    return values


def _quantiles(values: np.ndarray, tails: list[float]) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, tails) if len(known) else (np.nan, np.nan)
    return float(low), float(high)


def _pr_curve(regulated: np.ndarray, score: np.ndarray, *, predictor: str, label: str) -> pd.DataFrame:
    """Compute a curve from the highest threshold to the lowest; the first threshold calls no pair."""
    precision, recall, thresholds = precision_recall_curve(regulated, score)
    columns = {"threshold": np.r_[thresholds, np.inf], "recall": recall, "precision": precision}
    return pd.DataFrame(
        {"predictor": predictor, "distance_bin": label} | {name: array[::-1] for name, array in columns.items()}
    )
