"""Fit Hill curves to multiplicity tests, to see if the effect of more copies saturates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...operators import MultiplicityResult
from ...sequence import check_choice
from ...support import warn
from ..effects import fold_change, tile_difference, tile_log_fold
from ..presets import SCALES
from ..values import as_float

# Three parameters are fitted; with fewer points than this the fit would be exact.
FEWEST_COPIES = 4
# If half_copies is larger than this times the tested copies, the curve has no plateau in sight.
_FURTHEST_HALF = 10.0
_HILL_BOUNDS = (0.5, 8.0)
_OVER_CONTROL = {"fold": fold_change, "difference": tile_difference, "log_fold": tile_log_fold}


class Saturation(NamedTuple):
    """Hold a Hill curve: control + (plateau - control) * c^hill / (half_copies^hill + c^hill), for c copies.

    Parameters
    ----------
    plateau: float64
        Activity with very many copies. Beyond the tested copies it is an extrapolation: see `reached`.

    half_copies: float64
        Number of copies at which the activity is halfway from the control to the plateau.

    hill: float64
        Hill coefficient, between 0.5 and 8. Above 1 the first copies have a smaller effect than the next.

    reached: float64
        Fraction of the change from the control to the plateau that the curve reaches with the last tested copy.

    r2: float64
        Fraction of the variance of the activities that the curve explains.
    """

    plateau: Any
    half_copies: Any
    hill: Any
    reached: Any
    r2: Any


def fit_saturation(y_control: Any, y_copies: Any, *, min_change: float = 0.05) -> Saturation:
    """Fit a Hill curve to the activity with one copy of a CRE, two copies and so on.

    Beyond the paper, which shows that the curves of the multiplicity test level off (Extended Data Fig. 10; Methods,
    "Multiplicity test"). Rising curves (enhancers) and falling curves (silencers) are fitted in the same way.

    Parameters
    ----------
    y_control: number or array, shape=(N,)
        Activity without a copy.

    y_copies: array or tensor, shape=(R,) or (N, R)
        Activity with 1, 2, ..., R copies, averaged over backgrounds. Missing values are left out.

    min_change: float, optional
        A curve that stays within this fraction of the control is flat and has no plateau. Default is 0.05.

    Returns
    -------
    saturation: Saturation
        Five arrays, shape (N,), or numbers. All are NaN if the curve is flat, or if fewer than 4 of its points are
        known (a warning gives the number of these curves). If the curve rises or falls without a plateau in sight
        (half_copies above 10 R), `reached` is 0 and the others are NaN.

    Raises
    ------
    ValueError
        If the shapes do not match, or `min_change` is negative.

    Examples
    --------
    >>> copies = np.arange(1, 9)
    >>> curve = fit_saturation(2.0, 2 + 10 * copies**2 / (3**2 + copies**2))
    >>> [round(number, 3) for number in curve]   # plateau 12, half of the change at 3 copies, Hill coefficient 2
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
            fits[:, i] = _fit_curve(starts[i], rows[i])
    shaped = (part.reshape(curves.shape[:-1]) for part in fits)
    return Saturation(*(part if part.ndim else part.item() for part in shaped))


def saturation_table(
    result: MultiplicityResult,
    *,
    ids: Sequence[Any] | None = None,
    saturated: float = 0.9,
    min_change: float = 0.05,
    scale: str = "ratio",
) -> pd.DataFrame:
    """Fit a Hill curve to each example of a multiplicity test, as `fit_saturation`.

    Parameters
    ----------
    result: MultiplicityResult
        Result of `multiplicity_test`. The control is the mean over backgrounds.

    ids: sequence or None, optional
        N names of the examples. None is 0 to N - 1. Default is None.

    saturated: float, optional
        A curve saturates if its `reached` is at least this. Default is 0.9.

    min_change: float, optional
        As in `fit_saturation`. Default is 0.05.

    scale: "ratio", "difference" or "log_fold", optional
        How the plateau compares with the control. Curves are fitted to activities on all scales. Default is "ratio".

    Returns
    -------
    table: pandas.DataFrame
        One row per example: `example`, `n_copies` (tested), `control`, `last` (activity with all copies), `plateau`,
        `plateau_fold` (over the control; on other scales `plateau_difference` or `plateau_log_fold`), `half_copies`,
        `hill`, `reached`, `r2`, and `saturates`: "yes", "no", "flat", or None if no curve could be fitted.

    Raises
    ------
    ValueError
        If the number of `ids` is not the number of examples, or an option is out of range.
    """
    N, R = result.y_selected.shape
    if ids is not None and len(ids) != N:
        raise ValueError(f"ids must have {N} entries, one per example; got {len(ids)}.")
    check_choice("scale", scale, *SCALES)
    if not 0 < saturated < 1:
        raise ValueError(f"saturated must be between 0 and 1; got {saturated}.")
    control = as_float(result.y_control.double().mean(1), "y_control")
    curves = as_float(result.y_selected, "y_selected")
    fits = fit_saturation(control, curves, min_change=min_change)
    flat = (np.abs(curves - control[:, None]) <= min_change * np.abs(control)[:, None]).all(axis=1)
    saturates = np.full(N, None, dtype=object)
    saturates[fits.reached >= saturated] = "yes"
    saturates[fits.reached < saturated] = "no"
    saturates[flat] = "flat"
    over = "fold" if scale == "ratio" else scale
    table = pd.DataFrame({
        "example": list(range(N) if ids is None else ids), "n_copies": R, "control": control, "last": curves[:, -1],
        "plateau": fits.plateau, f"plateau_{over}": _OVER_CONTROL[over](fits.plateau, control),
    })  # fmt: skip
    return table.assign(**dict(zip(fits._fields[1:], fits[1:])), saturates=pd.Series(saturates, dtype=object))


def _fit_curve(control: float, curve: np.ndarray) -> tuple[float, ...]:
    """Fit the five numbers of `Saturation` to one curve that is not flat."""
    copies = np.arange(1, len(curve) + 1)
    known = np.isfinite(curve)
    c, change = copies[known], curve[known] - control
    scale = np.abs(change).max()
    log_half = np.log([0.05, _FURTHEST_HALF * len(curve)])

    def fraction(point: np.ndarray, at: np.ndarray = c) -> np.ndarray:
        """Compute the fraction of the change to the plateau at some copies, for point (log(half_copies), hill)."""
        return np.asarray(1 / (1 + np.exp(point[1] * (point[0] - np.log(at)))))

    def residuals(point: np.ndarray) -> np.ndarray:
        # For a given point, the best plateau has a closed form (linear least squares).
        y = fraction(point)
        return np.asarray((y * (y @ change) / (y @ y) - change) / scale)

    from scipy.optimize import least_squares  # takes long to import

    starts = [(np.log(half), hill) for half in (1.0, len(curve) / 2, 2.0 * len(curve)) for hill in (1.0, 2.0, 4.0)]
    bounds = ([log_half[0], _HILL_BOUNDS[0]], [log_half[1], _HILL_BOUNDS[1]])
    fits = [least_squares(residuals, start, bounds=bounds, xtol=1e-12, ftol=1e-12, gtol=1e-12) for start in starts]
    best = min(fits, key=lambda fit: fit.cost)
    if best.x[0] > log_half[1] - 0.01:
        return (np.nan, np.nan, np.nan, 0.0, np.nan)
    y = fraction(best.x)
    total = ((change - change.mean()) ** 2).sum()
    r2 = 1 - (best.fun**2).sum() * scale**2 / total if total > 0 else np.nan
    plateau = control + (y @ change) / (y @ y)
    return (plateau, np.exp(best.x[0]), best.x[1], fraction(best.x, copies[-1:])[0], r2)
