"""Effects of perturbations: what a prediction has become, relative to a reference.

Every function takes numbers, arrays, tensors or pandas Series of activities, computes in float64, and gives back the
kind it was given: a tensor if any argument is one, else a Series if any is one, else an array or a number. Arguments
have the same number of axes, of which those of size 1 are repeated, or are single numbers. (Aligning a wild type of
shape (N, tracks) with mutants of shape (N, n, tracks) from the right, as numpy does, would pair the wrong examples
without a word whenever N equals n.)

An effect whose reference is zero, negative or missing is not defined and comes back as NaN; one `TangermemeWarning`
counts the references that are zero or negative. NaN in gives NaN out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from ..support import warn

Values = Any  # a number, an array, a tensor or a Series


def normalized_effect(y_wt: Values, y_mut: Values) -> Any:
    """(WT - MUT) / WT: the context effect, and the shuffle effect of the necessity test.

    Paper: Methods, "Context dependence test" and "Necessity test" [1]_. 1 means that nothing is left of the activity, 0
    no effect; below 0 the perturbation has raised it.

    Parameters
    ----------
    y_wt: number, array, tensor or Series
        Activity of the wild type, the reference.

    y_mut: number, array, tensor or Series
        Activity after the perturbation.

    Returns
    -------
    effect: float64, of the kind and broadcast shape of the arguments
        NaN where `y_wt` is not above 0.

    Raises
    ------
    ValueError
        If the shapes do not go together; the message states them.

    References
    ----------
    .. [1] Toneyan S, Koo PK. Interpreting cis-regulatory interactions from large-scale deep neural networks.
       Nature Genetics 2024. https://doi.org/10.1038/s41588-024-01923-3

    Examples
    --------
    >>> normalized_effect(10, 5)
    0.5
    >>> normalized_effect(torch.tensor([[10.0], [4.0]]), torch.tensor([[5.0, 10.0], [4.0, 6.0]]))
    tensor([[ 0.5000,  0.0000],
            [ 0.0000, -0.5000]], dtype=torch.float64)
    """
    kind, (wt, mut) = arrays(y_wt=y_wt, y_mut=y_mut)
    return kind.give((wt - mut) / above_zero(wt, "y_wt"))


def fold_change(y_mut: Values, y_ref: Values) -> Any:
    """MUT / REF: of the swap test and greedy traces over the wild type, of the multiplicity test over the control.

    Paper: Methods, "Context swap test", "Higher-order tile interaction test", "Multiplicity test".

    Parameters
    ----------
    y_mut, y_ref: number, array, tensor or Series
        Activity after the perturbation, and of the reference.

    Returns
    -------
    fold: float64, of the kind and broadcast shape of the arguments
        NaN where `y_ref` is not above 0.

    Raises
    ------
    ValueError
        If the shapes do not go together; the message states them.

    Examples
    --------
    >>> fold_change(10, 20)
    0.5
    """
    kind, (mut, ref) = arrays(y_mut=y_mut, y_ref=y_ref)
    return kind.give(mut / above_zero(ref, "y_ref"))


def tile_effect_over_wt(y_mut: Values, y_control: Values, y_wt: Values) -> Any:
    """(MUT - CONTROL) / WT: how much of the wild type's activity a tile brings back; for enhancing contexts.

    Paper: Methods, "Sufficiency test".

    Parameters
    ----------
    y_mut, y_control, y_wt: number, array, tensor or Series
        Activity of the TSS tile with the tile in shuffled context, of the TSS tile alone there, and of the wild type.

    Returns
    -------
    effect: float64, of the kind and broadcast shape of the arguments
        NaN where `y_wt` is not above 0.

    Raises
    ------
    ValueError
        If the shapes do not go together; the message states them.

    Examples
    --------
    >>> tile_effect_over_wt(12, 2, 10)
    1.0
    """
    kind, (mut, control, wt) = arrays(y_mut=y_mut, y_control=y_control, y_wt=y_wt)
    return kind.give((mut - control) / above_zero(wt, "y_wt"))


def tile_effect_over_control(y_mut: Values, y_control: Values) -> Any:
    """(MUT - CONTROL) / CONTROL: what a tile adds to the TSS tile's own activity; for silencing and neutral contexts.

    Paper: Methods, "Sufficiency test". 1 means that activity doubles, -1 that nothing is left.

    Parameters
    ----------
    y_mut, y_control: number, array, tensor or Series
        Activity of the TSS tile with the tile in shuffled context, and of the TSS tile alone there.

    Returns
    -------
    effect: float64, of the kind and broadcast shape of the arguments
        NaN where `y_control` is not above 0.

    Raises
    ------
    ValueError
        If the shapes do not go together; the message states them.

    Examples
    --------
    >>> tile_effect_over_control(10, 20)
    -0.5
    """
    kind, (mut, control) = arrays(y_mut=y_mut, y_control=y_control)
    return kind.give((mut - control) / above_zero(control, "y_control"))


def fraction_of_max(y: Values, axis: int = -1) -> Any:
    """Activity over the largest along one axis: the curves of the distance test.

    Paper: Methods, "TSS-CRE distance test". Missing positions stay missing and do not count for the maximum.

    Parameters
    ----------
    y: array, tensor or Series
        Activities.

    axis: int, optional
        That of the positions. Default is -1.

    Returns
    -------
    fraction: float64, of the kind and shape of `y`
        NaN along the axis where the maximum is not above 0, or everything is NaN.

    Raises
    ------
    ValueError
        If `y` has no such axis, or no position along it.

    Examples
    --------
    >>> fraction_of_max([2, 5, 10, 5, 2]).tolist()
    [0.2, 0.5, 1.0, 0.5, 0.2]
    """
    kind, (values,) = arrays(y=y)
    if not -values.ndim <= axis < values.ndim or values.shape[axis] == 0:
        raise ValueError(f"y must have at least one position along axis {axis}; got shape {values.shape}.")
    largest = np.where(np.isnan(values), -np.inf, values).max(axis=axis, keepdims=True)
    largest[np.isnan(values).all(axis=axis, keepdims=True)] = np.nan
    return kind.give(values / above_zero(largest, "the maximum of y"))


class _Kind:
    """What the arguments were, so that the result can be the same."""

    def __init__(self, values: dict[str, Values]) -> None:
        self._tensor = next((v for v in values.values() if isinstance(v, torch.Tensor)), None)
        series = {name: v for name, v in values.items() if isinstance(v, pd.Series)}
        self._index = next(iter(series.values())).index if series else None
        for name, v in series.items():
            if not v.index.equals(self._index):
                raise ValueError(
                    f"Series must have the same index; got another for {name} than for {next(iter(series))}."
                )

    def give(self, result: np.ndarray) -> Any:
        if self._tensor is not None:
            return torch.from_numpy(np.asarray(result)).to(self._tensor.device)
        if self._index is not None:
            return pd.Series(result, index=self._index)
        return float(result) if np.ndim(result) == 0 else result


def arrays(**values: Values) -> tuple[_Kind, list[np.ndarray]]:
    kind = _Kind(values)
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
    return kind, list(arrays.values())


def as_float(values: Values, name: str) -> np.ndarray:
    """The values of a number, array, tensor or Series as float64; a copy only where one is needed.

    Examples
    --------
    >>> as_float(torch.tensor([1, 2]), "y")
    array([1., 2.])
    """
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, or an array, tensor or Series of them; got {values!r}.") from None


def log_activity(values: Any) -> np.ndarray:
    """Natural logarithm; NaN, without a word, where there is none.

    Examples
    --------
    >>> log_activity([1.0, 0.0]).tolist()
    [0.0, nan]
    """
    array = as_float(values, "activity")
    return np.log(np.where(array > 0, array, np.nan))


def above_zero(values: np.ndarray, name: str, to: str = "be a reference") -> np.ndarray:
    """The values that are above 0; the others as NaN, counted in a warning."""
    wrong = values <= 0
    if wrong.any():
        smallest = values[wrong].min()
        warn(
            f"{name} must be above 0 to {to}: {wrong.sum()} of {values.size} are zero or negative, down to "
            f"{smallest:g}; their effects are NaN."
        )
    return np.where(wrong, np.nan, values)
