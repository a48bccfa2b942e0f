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

from typing import Any

import numpy as np

from .values import Values, above_zero, same_axes


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


def _log2(values: np.ndarray, name: str) -> np.ndarray:
    return np.log2(above_zero(values, name, "have a logarithm"))
