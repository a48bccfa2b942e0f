"""Read the further inputs of a model from the table of loci."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...support import check_columns

if TYPE_CHECKING:
    import torch


def further_inputs(loci: pd.DataFrame, columns: Sequence[str | Sequence[str]]) -> list[torch.Tensor] | None:
    """Return the further inputs of a model for some loci, one float32 tensor per entry of `columns`.

    Parameters
    ----------
    loci: pandas.DataFrame, N rows
        With `example`, the name of each locus.

    columns: sequence of str, or of sequences of str
        The names of the columns: a name gives shape (N, 1), a sequence of names shape (N, names).

    Returns
    -------
    args: list of torch.Tensor, or None
        None if there are no columns.

    Raises
    ------
    ValueError
        If a column is missing, or a value is no finite number.

    Examples
    --------
    >>> loci = pd.DataFrame({"example": ["a", "b"], "age": [1, 2], "utr5": [3.0, 4.0], "utr3": [5.0, 6.0]})
    >>> further_inputs(loci, ["age", ["utr5", "utr3"]])
    [tensor([[1.],
            [2.]]), tensor([[3., 5.],
            [4., 6.]])]
    """
    import torch

    if not columns:
        return None
    inputs = []
    for names in columns:
        names = [names] if isinstance(names, str) else list(names)
        check_columns(loci, names, "loci")
        numbers = loci[names].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused
            numbers = numbers.astype(np.float32)
        bad = np.argwhere(~np.isfinite(numbers))
        if len(bad):
            row, k = bad[0].tolist()
            value, locus = str(loci[names[k]].iloc[row])[:50], loci["example"].iloc[row]
            raise ValueError(f"further inputs must be numbers; got {value!r} in column {names[k]!r} of {locus!r}.")
        inputs.append(torch.from_numpy(numbers))
    return inputs
