"""Compute effects of perturbations: changes of a prediction relative to a reference.

Every function takes numbers, arrays, tensors or pandas Series of activities, computes in float64, and returns the type
of its arguments: a tensor if any argument is a tensor, else a Series if any is a Series, else an array or a number.
All arguments must have the same number of axes (axes of size 1 are repeated) or be single numbers. (numpy would align
a wild type of shape (N, tracks) with mutants of shape (N, n, tracks) from the right, and silently pair the wrong
examples whenever N equals n.)

A ratio whose reference is zero, negative or missing is undefined: NaN. One `TangermemeWarning` gives the number of
references that are zero or negative. NaN in an argument gives NaN in the result, and so does infinity, with a warning.
Predictions on a scale that has no ratios, such as logarithms and z scores, have differences.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd

from ..support import warn

Values = Any  # a number, an array, a tensor or a Series

# With a larger fraction of references that are not above 0, the model may predict on another scale.
_FEW = 0.1
_OTHER_SCALES = (
    " Predictions that may be negative, such as logarithms and z scores, have no ratios: take the effect difference, "
    "or log_fold of those that are above 0."
)


def normalized_effect(y_wt: Values, y_mut: Values) -> Any:
    """Compute (WT - MUT) / WT: the context effect, and the shuffle effect of the necessity test.

    Paper: Methods, "Context dependence test" and "Necessity test" [1]_. 1 means that no activity remains, 0 means no
    effect, and below 0 the perturbation raises the activity.

    Parameters
    ----------
    y_wt: number, array, tensor or Series
        Activity of the wild type, the reference.

    y_mut: number, array, tensor or Series
        Activity after the perturbation.

    Returns
    -------
    effect: float64, of the type and broadcast shape of the arguments
        NaN where `y_wt` is not above 0.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    References
    ----------
    .. [1] Toneyan S, Koo PK. Interpreting cis-regulatory interactions from large-scale deep neural networks.
       Nature Genetics 2024. https://doi.org/10.1038/s41588-024-01923-3

    Examples
    --------
    >>> normalized_effect(10, 5)
    0.5
    >>> import torch
    >>> normalized_effect(torch.tensor([[10.0], [4.0]]), torch.tensor([[5.0, 10.0], [4.0, 6.0]]))
    tensor([[ 0.5000,  0.0000],
            [ 0.0000, -0.5000]], dtype=torch.float64)
    """
    result_type, (wt, mut) = same_axes(y_wt=y_wt, y_mut=y_mut)
    return result_type.convert((wt - mut) / above_zero(wt, "y_wt"))


def fold_change(y_mut: Values, y_ref: Values) -> Any:
    """Compute MUT / REF: over the wild type in swap tests and greedy traces, over the control in multiplicity tests.

    Paper: Methods, "Context swap test", "Higher-order tile interaction test", "Multiplicity test".

    Parameters
    ----------
    y_mut, y_ref: number, array, tensor or Series
        Activity after the perturbation, and of the reference.

    Returns
    -------
    fold: float64, of the type and broadcast shape of the arguments
        NaN where `y_ref` is not above 0.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> fold_change(10, 20)
    0.5
    """
    result_type, (mut, ref) = same_axes(y_mut=y_mut, y_ref=y_ref)
    return result_type.convert(mut / above_zero(ref, "y_ref"))


def tile_effect_over_wt(y_mut: Values, y_control: Values, y_wt: Values) -> Any:
    """Compute (MUT - CONTROL) / WT: the fraction of the wild type's activity that a tile restores.

    For enhancing contexts. Paper: Methods, "Sufficiency test".

    Parameters
    ----------
    y_mut, y_control, y_wt: number, array, tensor or Series
        Activity of the TSS tile and the tile in shuffled context, of the TSS tile alone in shuffled context, and of
        the wild type.

    Returns
    -------
    effect: float64, of the type and broadcast shape of the arguments
        NaN where `y_wt` is not above 0.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> tile_effect_over_wt(12, 2, 10)
    1.0
    """
    result_type, (mut, control, wt) = same_axes(y_mut=y_mut, y_control=y_control, y_wt=y_wt)
    return result_type.convert((mut - control) / above_zero(wt, "y_wt"))


def tile_effect_over_control(y_mut: Values, y_control: Values) -> Any:
    """Compute (MUT - CONTROL) / CONTROL: the change that a tile makes to the activity of the TSS tile.

    For silencing and neutral contexts. Paper: Methods, "Sufficiency test". 1 means that the activity doubles, -1 that
    no activity remains.

    Parameters
    ----------
    y_mut, y_control: number, array, tensor or Series
        Activity of the TSS tile and the tile in shuffled context, and of the TSS tile alone in shuffled context.

    Returns
    -------
    effect: float64, of the type and broadcast shape of the arguments
        NaN where `y_control` is not above 0.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> tile_effect_over_control(10, 20)
    -0.5
    """
    result_type, (mut, control) = same_axes(y_mut=y_mut, y_control=y_control)
    return result_type.convert((mut - control) / above_zero(control, "y_control"))


def difference(y_wt: Values, y_mut: Values) -> Any:
    """Compute WT - MUT: what a perturbation takes away, in units of the prediction.

    Beyond the paper, for predictions that have no ratios, such as logarithms and z scores; of log predictions it is the
    logarithm of a fold change. It has the sign of `normalized_effect`: above 0 the perturbation lowers the activity.

    Parameters
    ----------
    y_wt, y_mut: number, array, tensor or Series
        Activity of the wild type, and after the perturbation.

    Returns
    -------
    effect: float64, of the type and broadcast shape of the arguments

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> difference(-1.5, -4.0)
    2.5
    """
    result_type, (wt, mut) = same_axes(y_wt=y_wt, y_mut=y_mut)
    return result_type.convert(wt - mut)


def tile_difference(y_mut: Values, y_control: Values) -> Any:
    """Compute MUT - CONTROL: what a tile adds to the activity of the TSS tile, in units of the prediction.

    Beyond the paper, for predictions that have no ratios. It has the sign of `tile_effect_over_control`: above 0 the
    tile raises the activity.

    Parameters
    ----------
    y_mut, y_control: number, array, tensor or Series
        Activity of the TSS tile and the tile in shuffled context, and of the TSS tile alone in shuffled context.

    Returns
    -------
    effect: float64, of the type and broadcast shape of the arguments

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> tile_difference(-1.5, -4.0)
    2.5
    """
    result_type, (mut, control) = same_axes(y_mut=y_mut, y_control=y_control)
    return result_type.convert(mut - control)


def log_fold(y_wt: Values, y_mut: Values) -> Any:
    """Compute log2(WT / MUT): `difference` of logarithms to base 2.

    Beyond the paper. 1 means that half of the activity remains, -1 that it doubles.

    Parameters
    ----------
    y_wt, y_mut: number, array, tensor or Series
        As in `difference`.

    Returns
    -------
    effect: float64, of the type and broadcast shape of the arguments
        NaN where an activity is not above 0, with a warning.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> log_fold(8, 2)
    2.0
    """
    result_type, (wt, mut) = same_axes(y_wt=y_wt, y_mut=y_mut)
    return result_type.convert(_log2(wt, "y_wt") - _log2(mut, "y_mut"))


def tile_log_fold(y_mut: Values, y_control: Values) -> Any:
    """Compute log2(MUT / CONTROL): `tile_difference` of logarithms to base 2.

    Beyond the paper. 1 means that the tile doubles the activity, -1 that half of it remains.

    Parameters
    ----------
    y_mut, y_control: number, array, tensor or Series
        As in `tile_difference`.

    Returns
    -------
    effect: float64, of the type and broadcast shape of the arguments
        NaN where an activity is not above 0, with a warning.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.

    Examples
    --------
    >>> tile_log_fold(2, 8)
    -2.0
    """
    result_type, (mut, control) = same_axes(y_mut=y_mut, y_control=y_control)
    return result_type.convert(_log2(mut, "y_mut") - _log2(control, "y_control"))


def fraction_of_max(y: Values, axis: int = -1) -> Any:
    """Divide activities by their maximum along one axis: the curves of the distance test.

    Paper: Methods, "TSS-CRE distance test". Missing positions stay missing and do not count for the maximum.

    Parameters
    ----------
    y: array, tensor or Series
        Activities.

    axis: int, optional
        Axis of the positions. Default is -1.

    Returns
    -------
    fraction: float64, of the type and shape of `y`
        NaN along the axis where the maximum is not above 0, or all positions are NaN.

    Raises
    ------
    ValueError
        If the axis does not exist or has no position.

    Examples
    --------
    >>> fraction_of_max([2, 5, 10, 5, 2]).tolist()
    [0.2, 0.5, 1.0, 0.5, 0.2]
    """
    result_type, (values,) = same_axes(y=y)
    if not -values.ndim <= axis < values.ndim or values.shape[axis] == 0:
        raise ValueError(f"y must have at least one position along axis {axis}; got shape {values.shape}.")
    largest = np.where(np.isnan(values), -np.inf, values).max(axis=axis, keepdims=True)
    largest[np.isnan(values).all(axis=axis, keepdims=True)] = np.nan
    return result_type.convert(values / above_zero(largest, "the maximum of y"))


class _ResultType:
    """Record the type of the arguments, and convert results to it."""

    def __init__(self, values: dict[str, Values]) -> None:
        self._tensor = next((v for v in values.values() if is_tensor(v)), None)
        series = {name: v for name, v in values.items() if isinstance(v, pd.Series)}
        self._index = next(iter(series.values())).index if series else None
        for name, v in series.items():
            if not v.index.equals(self._index):
                raise ValueError(
                    f"Series must have the same index; got another for {name} than for {next(iter(series))}."
                )

    def convert(self, result: np.ndarray) -> Any:
        if self._tensor is not None:
            return sys.modules["torch"].from_numpy(np.asarray(result)).to(self._tensor.device)
        if self._index is not None:
            return pd.Series(result, index=self._index)
        return float(result) if np.ndim(result) == 0 else result


def is_tensor(value: Any) -> bool:
    """Say whether a value is a tensor, without importing torch: tables are read faster without it.

    Examples
    --------
    >>> is_tensor([1.0])
    False
    """
    return "torch" in sys.modules and isinstance(value, sys.modules["torch"].Tensor)


def same_axes(**values: Values) -> tuple[_ResultType, list[np.ndarray]]:
    """Return the type that a result must have, and the values as float64 arrays whose axes match.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.
    """
    result_type = _ResultType(values)
    arrays = {name: as_float(v, name) for name, v in values.items()}
    shapes = {name: a.shape for name, a in arrays.items()}
    axes = {len(shape) for shape in shapes.values() if shape}
    try:
        np.broadcast_shapes(*shapes.values())
        fits = len(axes) <= 1
    except ValueError:
        fits = False
    if not fits:
        got = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"activities must have the same axes, of equal size or 1, or be single numbers; got {got}.")
    return result_type, list(arrays.values())


def as_float(values: Values, name: str) -> np.ndarray:
    """Return real numbers as a float64 array, with NaN for infinite ones; values are copied only if needed.

    An infinite prediction, of a half-precision model say, has no effect: a warning gives the number of those.

    Examples
    --------
    >>> as_float([1, 2], "y")
    array([1., 2.])
    """
    if is_tensor(values):
        array = values.detach().cpu()
        array = (array if array.is_complex() else array.double()).numpy()
    elif isinstance(values, pd.Series) and pd.api.types.is_numeric_dtype(values.dtype):
        array = values.to_numpy(na_value=np.nan) if values.hasnans else values.to_numpy()
    else:
        array = np.asarray(values)
    try:
        # Texts that look like numbers, dates and complex numbers would be converted without a word.
        numbers = array.astype(np.float64, copy=False) if array.dtype.kind in "biufO" else None
    except (TypeError, ValueError):
        numbers = None
    if numbers is None or (array.dtype.kind == "O" and any(isinstance(value, (str, bytes)) for value in array.flat)):
        got = array.dtype if array.dtype.kind == "c" else repr(values)
        raise ValueError(f"{name} must be a number, or an array, tensor or Series of them; got {got}.")
    infinite = np.isinf(numbers)
    if infinite.any():
        warn(f"{name} must be finite: {infinite.sum()} of {numbers.size} are infinite, and count as missing (NaN).")
        numbers = np.where(infinite, np.nan, numbers)
    return numbers


def log_activity(values: Any) -> np.ndarray:
    """Compute the natural logarithm, with NaN for values that are not above 0.

    Examples
    --------
    >>> log_activity([1.0, 0.0]).tolist()
    [0.0, nan]
    """
    array = as_float(values, "activity")
    return np.log(np.where(array > 0, array, np.nan))


def above_zero(values: np.ndarray, name: str, to: str = "be a reference") -> np.ndarray:
    """Replace values that are not above 0 by NaN; a warning gives their number."""
    bad = values <= 0
    if bad.any():
        lowest, other_scale = values[bad].min(), bad.sum() > _FEW * bad.size
        warn(
            f"{name} must be above 0 to {to}: {bad.sum()} of {values.size} are zero or negative, down to {lowest:g}; "
            f"their effects are NaN.{_OTHER_SCALES if other_scale or lowest < 0 else ''}"
        )
    return np.where(bad, np.nan, values)


def _log2(values: np.ndarray, name: str) -> np.ndarray:
    return np.log2(above_zero(values, name, "have a logarithm"))
