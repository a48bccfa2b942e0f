"""Attributions by functions of tangermeme's, or with their signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from tangermeme.utils import PackedSequence

from ...engine import (
    Objective,
    check_objective,
    check_output,
    mean_objective,
    memory_stated,
    model_on,
    parameters_frozen,
    rows_at_once,
)
from ...sequence import to_one_hot


def attribute_by(
    function: Callable[..., Any],
    model: torch.nn.Module,
    X: PackedSequence,
    spans: torch.Tensor,
    *,
    objective: Objective | None,
    args: Sequence[torch.Tensor] | None,
    seeds: list[int],
    progress: Any,
    kwargs: dict[str, Any],
    batch_size: int,
    dtype: str | torch.dtype | None,
    device: str | torch.device | None,
) -> torch.Tensor:
    """Ask a function of tangermeme's about whole sequences, a batch at a time, and keep the spans, shape (N, 4, W).

    `spans` have shape (N, 2), and `seeds` one int an example. The function gets a model of one output, the objective,
    `args` where there are any, those of the other arguments that it takes, and `kwargs`, of which tensors with N rows
    follow their examples.

    Raises
    ------
    ValueError
        If what comes back has another shape than the sequences.

    MemoryError
        As `captum_attribution`.
    """
    accepted = inspect.signature(function).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values())
    seeded = "random_state" in accepted or takes_any
    scalar = _Scalar(model, mean_objective if objective is None else objective)
    first = next(model.parameters(), None)
    own = torch.float32 if first is None else first.dtype
    run_as = getattr(torch, dtype) if isinstance(dtype, str) else dtype or own
    parts: list[torch.Tensor] = []
    # Restores each module's mode on its own, where a function may restore all from the outermost.
    with model_on(scalar, device) as on, parameters_frozen(model):
        at_once = rows_at_once(batch_size, X.length, on)
        given: dict[str, Any] = {"batch_size": at_once, "dtype": dtype, "device": on}
        for rows in torch.arange(len(X)).split(1 if seeded else at_once):
            given |= {"random_state": seeds[int(rows[0])]} if seeded else {}
            some = {name: value for name, value in given.items() if name in accepted or takes_any}
            if args is not None:  # which must not be left out
                some["args"] = [arg[rows.to(arg.device)] for arg in args]
            with memory_stated(model, min(at_once, len(rows)), X.length, on, run_as):
                values = function(scalar, to_one_hot(X[rows].to_codes()), **{**some, **_of_rows(kwargs, rows, len(X))})
            if not isinstance(values, torch.Tensor) or tuple(values.shape) != (len(rows), 4, X.length):
                got = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
                raise ValueError(f"method must return a tensor of shape {(len(rows), 4, X.length)}; got {got}.")
            parts.extend(
                row[:, slice(*spans[i].tolist())].clone() for i, row in zip(rows.tolist(), values.detach().cpu())
            )
            progress.update(len(rows))
    return torch.stack(parts)


def _of_rows(kwargs: dict[str, Any], rows: torch.Tensor, n: int) -> dict[str, Any]:
    """The rows of what has one an example, such as references."""
    return {
        name: value[rows] if isinstance(value, (torch.Tensor, PackedSequence)) and len(value) == n else value
        for name, value in kwargs.items()
    }


class _Scalar(torch.nn.Module):
    """A model of one output, the objective, shape (N, 1): what tangermeme's functions can be asked about."""

    def __init__(self, model: torch.nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model, self._objective = model, objective

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        y = self.model(X, *args)
        check_output(y, len(X))
        return check_objective(self._objective(y), len(X))[:, None]
