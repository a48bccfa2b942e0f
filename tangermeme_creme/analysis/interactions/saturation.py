"""Whether the effect of more copies levels off: a Hill curve through the activities of a multiplicity test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from ...operators import MultiplicityResult
from ...support import warn
from ..effects import as_float, fold_change

# Three numbers are fitted; fewer points than these would be met by any.
FEWEST_COPIES = 4
# Copies to half beyond this many times those tested are no plateau in sight.
_FURTHEST = 10.0
_HILL = (0.5, 8.0)


class Saturation(NamedTuple):
    """A Hill curve: control + (plateau - control) * c^hill / (half_copies^hill + c^hill), for c copies.

    Parameters
    ----------
    plateau: float64
        The activity that more copies would come to. Beyond the copies tested it is an extrapolation: see `reached`.

    half_copies: float64
        How many copies go half the way from the control to the plateau.

    hill: float64
        The Hill coefficient, between 0.5 and 8: above 1 the first copies do less than the next.

    reached: float64
        Fraction of the way to the plateau that the curve has come with the last copy tested.

    r2: float64
        Fraction of the variance of the curve that is explained.
    """

    plateau: Any
    half_copies: Any
    hill: Any
    reached: Any
    r2: Any


def fit_saturation(y_control: Any, y_copies: Any, *, min_change: float = 0.05) -> Saturation:
    """Fit a Hill curve to the activity with one copy of a CRE, two copies and so on.

    Beyond the paper, which shows the curves of the multiplicity test (Extended Data Fig. 10; Methods, "Multiplicity
    test") and sees them level off. Rising and falling curves, of enhancers and silencers, are fitted alike.

    Parameters
    ----------
    y_control: number or array, shape=(N,)
        Activity without a copy.

    y_copies: array or tensor, shape=(R,) or (N, R)
        Activity with 1, 2, ..., R copies, averaged over backgrounds. Missing ones are left out.

    min_change: float, optional
        A curve that stays within this fraction of the control is flat, and has no plateau to speak of. Default is 0.05.

    Returns
    -------
    saturation: Saturation
        Five arrays, shape (N,), or numbers. All NaN where the curve is flat, where fewer than 4 of its points are
        known, which is warned of with the count, or where it rises or falls with no plateau in sight (copies to half
        beyond 10 R), but for `reached`, which then is 0.

    Raises
    ------
    ValueError
        If the shapes do not go together, or `min_change` is negative.

    Examples
    --------
    >>> copies = np.arange(1, 9)
    >>> found = fit_saturation(2.0, 2 + 10 * copies**2 / (3**2 + copies**2))
    >>> [round(number, 3) for number in found]   # plateau 12, half after 3 copies, Hill coefficient 2
    [12.0, 3.0, 2.0, 0.877, 1.0]
    >>> fit_saturation(2.0, 2.0 + copies).reached
    0.0
    """
    control, curves = as_float(y_control, "y_control"), as_float(y_copies, "y_copies")
    if curves.ndim not in (1, 2) or control.shape not in ((), curves.shape[:-1]) or curves.shape[-1] == 0:
        raise ValueError(
            f"y_control and y_copies must have shapes (N,) and (N, R), or lack N; got {control.shape} and "
            f"{curves.shape}."
        )
    if min_change < 0:
        raise ValueError(f"min_change must be at least 0; got {min_change}.")
    rows = curves.reshape(-1, curves.shape[-1])
    starts = np.broadcast_to(control, curves.shape[:-1]).reshape(-1)
    few = (np.isfinite(rows).sum(axis=1) < FEWEST_COPIES) | ~np.isfinite(starts)
    if few.any():
        warn(
            f"a curve must have a control and {FEWEST_COPIES} numbers of copies to be fitted: {few.sum()} of "
            f"{len(few)} have fewer; their saturation is NaN."
        )
    fits = np.full((5, len(rows)), np.nan)
    for i in np.flatnonzero(~few):
        if np.nanmax(np.abs(rows[i] - starts[i])) > min_change * abs(starts[i]):
            fits[:, i] = _fit(starts[i], rows[i])
    shaped = (part.reshape(curves.shape[:-1]) for part in fits)
    return Saturation(*(part if part.ndim else part.item() for part in shaped))


def saturation_table(
    result: MultiplicityResult, *, ids: Sequence[Any] | None = None, saturated: float = 0.9, min_change: float = 0.05
) -> pd.DataFrame:
    """`fit_saturation` of each curve of a multiplicity test.

    Parameters
    ----------
    result: MultiplicityResult
        Of `multiplicity_test`. The control is the mean over backgrounds.

    ids: sequence or None, optional
        N names. Default is None, 0 to N - 1.

    saturated: float, optional
        A curve that has come this fraction of the way to its plateau saturates. Default is 0.9.

    min_change: float, optional
        As in `fit_saturation`. Default is 0.05.

    Returns
    -------
    table: pandas.DataFrame
        One row an example: `example`, `n_copies` (tested), `control`, `last` (activity with all of them), `plateau`,
        `plateau_fold` (over the control), `half_copies`, `hill`, `reached`, `r2`, and `saturates`: "yes", "no", "flat",
        or None where nothing could be fitted.

    Raises
    ------
    ValueError
        If there are not as many `ids` as examples, or an option is out of its range.
    """
    N, R = result.y_selected.shape
    if ids is not None and len(ids) != N:
        raise ValueError(f"ids must have {N} entries, one for each example; got {len(ids)}.")
    if not 0 < saturated < 1:
        raise ValueError(f"saturated must be between 0 and 1; got {saturated}.")
    control = as_float(result.y_control.double().mean(1), "y_control")
    curves = as_float(result.y_selected, "y_selected")
    found = fit_saturation(control, curves, min_change=min_change)
    flat = (np.abs(curves - control[:, None]) <= min_change * np.abs(control)[:, None]).all(axis=1)
    saturates = np.full(N, None, dtype=object)
    saturates[found.reached >= saturated] = "yes"
    saturates[found.reached < saturated] = "no"
    saturates[flat] = "flat"
    table = pd.DataFrame({
        "example": list(range(N) if ids is None else ids), "n_copies": R, "control": control, "last": curves[:, -1],
        "plateau": found.plateau, "plateau_fold": fold_change(found.plateau, control),
    })  # fmt: skip
    return table.assign(**dict(zip(found._fields[1:], found[1:])), saturates=pd.Series(saturates, dtype=object))


def _fit(control: float, curve: np.ndarray) -> tuple[float, ...]:
    """The five numbers of one curve that is not flat."""
    copies = np.arange(1, len(curve) + 1)
    known = np.isfinite(curve)
    c, change = copies[known], curve[known] - control
    scale = np.abs(change).max()
    log_half = np.log([0.05, _FURTHEST * len(curve)])

    def way(point: np.ndarray, at: np.ndarray = c) -> np.ndarray:
        """How much of the way to the plateau the curve has come with some copies; log(half) and hill are given."""
        return np.asarray(1 / (1 + np.exp(point[1] * (point[0] - np.log(at)))))

    def misses(point: np.ndarray) -> np.ndarray:
        # Given the other two, the best plateau is a matter of one division.
        gone = way(point)
        return np.asarray((gone * (gone @ change) / (gone @ gone) - change) / scale)

    starts = [(np.log(half), hill) for half in (1.0, len(curve) / 2, 2.0 * len(curve)) for hill in (1.0, 2.0, 4.0)]
    bounds = ([log_half[0], _HILL[0]], [log_half[1], _HILL[1]])
    fits = [least_squares(misses, start, bounds=bounds, xtol=1e-12, ftol=1e-12, gtol=1e-12) for start in starts]
    best = min(fits, key=lambda fit: fit.cost)
    if best.x[0] > log_half[1] - 0.01:
        return (np.nan, np.nan, np.nan, 0.0, np.nan)
    gone = way(best.x)
    total = ((change - change.mean()) ** 2).sum()
    r2 = 1 - (best.fun**2).sum() * scale**2 / total if total > 0 else np.nan
    plateau = control + (gone @ change) / (gone @ gone)
    return (plateau, np.exp(best.x[0]), best.x[1], way(best.x, copies[-1:])[0], r2)
