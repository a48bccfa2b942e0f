"""Check what a model returns, and gather it row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ..sequence import lacks_values

Output = torch.Tensor | list[torch.Tensor]
"""One tensor, or a list of them for a model with several outputs; the first axis is the sequence."""

Objective = Callable[[Any], torch.Tensor]


def map_output(function: Callable[[torch.Tensor], torch.Tensor], y: Output) -> Output:
    """Apply a function to the output of a model, or to each of several outputs.

    Examples
    --------
    >>> map_output(lambda y: y + 1, [torch.zeros(1), torch.ones(1)])
    [tensor([1.]), tensor([2.])]
    """
    return function(y) if isinstance(y, torch.Tensor) else [function(y_) for y_ in y]


def concatenate(parts: Sequence[Output], axis: int = 0) -> Output:
    """Concatenate outputs along an axis.

    Raises
    ------
    ValueError
        If they differ in their number or in their shape but for that axis.

    Examples
    --------
    >>> concatenate([torch.zeros(1), torch.ones(2)])
    tensor([0., 1., 1.])
    """
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    shapes = [_shapes(part, axis) for part in parts]
    changed = next((shape for shape in shapes if shape != shapes[0]), None)
    if changed is not None:
        raise ValueError(f"the model's output must keep its shape; got {changed} after {shapes[0]}.")
    if isinstance(first, torch.Tensor):
        return torch.cat(list(parts), dim=axis)  # type: ignore[arg-type]
    return [torch.cat([part[k] for part in parts], dim=axis) for k in range(len(first))]


def _shapes(y: Output, axis: int) -> list[tuple[int, ...]]:
    """Return the shape of each output without one axis."""
    tensors = [y] if isinstance(y, torch.Tensor) else y
    return [(*tensor.shape[:axis], *tensor.shape[axis + 1 :]) for tensor in tensors]


class OutputRows:
    """Gather the rows that a model returns, batch by batch; refuse NaN, infinity, wrong shapes and missing rows.

    Parameters
    ----------
    total: int
        Number of rows. They are written into place, so that they exist once.

    row_name: callable
        From the index of a row to its name in errors.

    objective: callable or None, optional
        Applied to each batch after the check; only its result is stored. Default is None.

    Examples
    --------
    >>> rows = OutputRows(3, lambda row: f"sequence {row}")
    >>> rows.add(torch.zeros(2, 5), 2)
    >>> rows.add(torch.ones(1, 5), 1)
    >>> rows.result.sum(1)
    tensor([0., 0., 5.])
    """

    def __init__(self, total: int, row_name: Callable[[int], str], objective: Objective | None = None) -> None:
        self._total = total
        self._row_name = row_name
        self._objective = objective
        self._shapes: list[tuple[int, ...]] = []
        self._buffers: list[torch.Tensor] = []
        self._single = True
        self._filled = 0

    def add(self, y: Any, n_rows: int, rows: torch.Tensor | None = None) -> None:
        """Check and store the outputs of `n_rows` sequences: the next ones, or those at `rows`, shape (n_rows,)."""
        rows = torch.arange(self._filled, self._filled + n_rows) if rows is None else rows
        outputs = [output.detach().cpu() for output in check_output(y, n_rows)]
        self._refuse_infinite(outputs, "the model must predict finite numbers", rows)
        shapes = [tuple(output.shape[1:]) for output in outputs]
        if self._filled and shapes != self._shapes:
            raise ValueError(
                f"the model's output must keep its shape; got {shapes} for {self._row_name(int(rows[0]))} "
                f"after {self._shapes}."
            )
        self._shapes = shapes
        single = isinstance(y, torch.Tensor)
        if self._objective is not None:
            outputs = [apply_objective(self._objective, outputs[0] if single else outputs, n_rows)]
            self._refuse_infinite(outputs, "the objective must be finite", rows)
        if not self._filled:
            self._single = single or self._objective is not None
            self._buffers = [torch.empty((self._total, *o.shape[1:]), dtype=o.dtype) for o in outputs]
        for buffer, output in zip(self._buffers, outputs):
            buffer[rows] = output
        self._filled += n_rows

    @property
    def result(self) -> Output:
        """The gathered rows: a tensor, or a list of tensors for a model with several outputs."""
        return self._buffers[0] if self._single else self._buffers

    def _refuse_infinite(self, outputs: list[torch.Tensor], rule: str, rows: torch.Tensor) -> None:
        for output in outputs:
            if output.is_floating_point() and not output.isfinite().all():
                row, value = first_infinite(output)
                half = f", in {str(output.dtype).removeprefix('torch.')}" if output.dtype.itemsize < 4 else ""
                raise ValueError(f"{rule}; got {value} for {self._row_name(int(rows[row]))}{half}.")


def first_infinite(values: torch.Tensor) -> tuple[int, str]:
    """Return the first row with a value that is not finite, and that value: NaN, inf or -inf.

    Examples
    --------
    >>> first_infinite(torch.tensor([[1.0, 2.0], [3.0, -torch.inf]]))
    (1, '-inf')
    """
    flat = values.reshape(len(values), -1)
    row, column = (~flat.isfinite()).nonzero()[0].tolist()
    return row, str(float(flat[row, column])).replace("nan", "NaN")


def check_output(y: Any, n_rows: int) -> list[torch.Tensor]:
    """Return the outputs of a model as a list of tensors, on the device where they lie.

    Raises
    ------
    ValueError
        If `y` is neither a tensor nor a list or tuple of tensors, is complex, or does not have one row per sequence.

    Examples
    --------
    >>> [tuple(output.shape) for output in check_output(torch.zeros(2, 5), 2)]
    [(2, 5)]
    """
    outputs = [y] if isinstance(y, torch.Tensor) else y
    if not isinstance(outputs, (list, tuple)) or not outputs:
        got = f"{type(y).__name__}"
        if isinstance(y, Mapping):
            keys = ", ".join(map(repr, list(y)[:5]))
            got += f" with {keys}: Readout(model, head={next(iter(y), None)!r}) picks one"
        raise ValueError(f"the model must return a tensor or a list of tensors; got {got}.")
    for k, output in enumerate(outputs):
        if not isinstance(output, torch.Tensor):
            raise ValueError(f"the model must return tensors; got {type(output).__name__} at output {k}.")
        kind = str(output.dtype).removeprefix("torch.") if output.is_complex() else lacks_values(output)
        if kind:
            raise ValueError(f"the model must return real numbers in dense tensors; got {kind} at output {k}.")
        if output.ndim == 0 or len(output) != n_rows:
            raise ValueError(
                f"the model must return one row per sequence; got shape {tuple(output.shape)} at output {k} "
                f"for {n_rows} sequences."
            )
        if output.numel() == 0:
            got = f"shape {tuple(output.shape)} at output {k}"
            raise ValueError(f"the model must return at least one number per sequence; got {got}.")
    return list(outputs)


def mean_objective(y: Output) -> torch.Tensor:
    """Average each prediction over all output axes, in float32 at least: the default objective of greedy tests.

    Parameters
    ----------
    y: torch.Tensor, shape=(B, ...)

    Returns
    -------
    objective: torch.Tensor, shape=(B,)

    Raises
    ------
    ValueError
        If the model has several outputs, which have no common mean.

    Examples
    --------
    >>> mean_objective(torch.arange(4.0).reshape(1, 2, 2))
    tensor([1.5000])
    """
    if not isinstance(y, torch.Tensor):
        raise ValueError(f"objective must be given for a model with several outputs; got {len(y)} outputs.")
    y = y if y.dtype == torch.float64 else y.float()
    return y.reshape(len(y), -1).mean(1)


def resolve_objective(objective: Objective | None) -> Objective:
    """Return the objective of a search, by default the mean over all output axes; refuse what is no function.

    Examples
    --------
    >>> resolve_objective(None) is mean_objective
    True
    """
    if objective is not None and not callable(objective):
        raise ValueError(f"objective must be a function of the predictions, or None; got {objective!r:.60}.")
    return mean_objective if objective is None else objective


def apply_objective(objective: Objective, y: Output, n_rows: int) -> torch.Tensor:
    """Return the objective of each of `n_rows` sequences, shape (n_rows,), on the CPU.

    Raises
    ------
    ValueError
        If the objective does not return one number per sequence.

    Examples
    --------
    >>> apply_objective(mean_objective, torch.ones(2, 3), 2)
    tensor([1., 1.])
    """
    return check_objective(objective(y), n_rows).detach().cpu()


def check_objective(value: Any, n_rows: int) -> torch.Tensor:
    """Check what an objective returned, and return it on the device where it lies.

    Raises
    ------
    ValueError
        If it is not one real number per sequence.

    Examples
    --------
    >>> check_objective(torch.ones(2), 2)
    tensor([1., 1.])
    """
    if not isinstance(value, torch.Tensor) or tuple(value.shape) != (n_rows,):
        got = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
        raise ValueError(f"objective must return a tensor of shape ({n_rows},); got {got}.")
    if value.is_complex():
        raise ValueError(f"objective must return real numbers; got {str(value.dtype).removeprefix('torch.')}.")
    return value
