"""Convert activities of any type to float64 arrays whose axes match, and results back to that type."""

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


class ResultType:
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
        """Return a result as a tensor, a Series, an array or a number, as the arguments were."""
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


def same_axes(**values: Values) -> tuple[ResultType, list[np.ndarray]]:
    """Return the type that a result must have, and the values as float64 arrays whose axes match.

    Raises
    ------
    ValueError
        If the shapes do not match; the message states them.
    """
    result_type = ResultType(values)
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
