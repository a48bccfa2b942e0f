"""Attributions by functions of tangermeme, or by functions with the same signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from tangermeme.utils import PackedSequence

from ...engine import (
    IncrementalModel,
    Objective,
    check_objective,
    check_output,
    explain_in_place,
    explain_out_of_memory,
    model_on,
    parameters_frozen,
    resolve_dtype,
    resolve_objective,
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
    """Attribute full sequences by a function of tangermeme, a batch at a time, and return the spans, shape (N, 4, W).

    `spans` have shape (N, 2), and `seeds` one int per example. The function gets a model whose only output is the
    objective, `args` unless None, the other arguments that it accepts, and `kwargs`, of which `references` are
    split by example.

    Raises
    ------
    ValueError
        If the result has another shape than the sequences.

    MemoryError
        As `captum_attribution`.
    """
    accepted = inspect.signature(function).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values())
    seeded = "random_state" in accepted or takes_any
    scalar = _ObjectiveModel(model, resolve_objective(objective))
    run_as, incremental = resolve_dtype(model, dtype), isinstance(model, IncrementalModel)
    parts: list[torch.Tensor] = []
    # `model_on` restores the mode of each module, while a function may set all modules to the mode of the outermost.
    with model_on(scalar, device) as on, parameters_frozen(model):
        at_once = rows_at_once(batch_size, X.length, on)
        engine: dict[str, Any] = {"batch_size": at_once, "dtype": dtype, "device": on}
        for rows in torch.arange(len(X)).split(1 if seeded else at_once):
            engine |= {"random_state": seeds[int(rows[0])]} if seeded else {}
            options = {name: value for name, value in engine.items() if name in accepted or takes_any}
            if args is not None:  # passed also to a function that does not name them, so that they are not ignored
                options["args"] = [arg[rows.to(arg.device)] for arg in args]
            options |= _take_rows(kwargs, rows, len(X))
            with (
                explain_out_of_memory(min(at_once, len(rows)), X.length, on, run_as, incremental=incremental),
                explain_in_place(model),
                # Gradients are needed also inside a caller's block without gradients, or with inference only.
                torch.inference_mode(False),
                torch.enable_grad(),
            ):
                values = function(scalar, to_one_hot(X[rows].to_codes()), **options)
            if not isinstance(values, torch.Tensor) or tuple(values.shape) != (len(rows), 4, X.length):
                got = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
                raise ValueError(f"method must return a tensor of shape {(len(rows), 4, X.length)}; got {got}.")
            parts.extend(
                row[:, slice(*spans[i].tolist())].clone() for i, row in zip(rows.tolist(), values.detach().cpu())
            )
            progress.update(len(rows))
    return torch.stack(parts)


def _take_rows(kwargs: dict[str, Any], rows: torch.Tensor, n: int) -> dict[str, Any]:
    """Return keyword arguments with the rows of the references of some examples.

    By name: another tensor may happen to have as many rows as there are examples. References may also be a function.
    """
    references = kwargs.get("references")
    if not isinstance(references, (torch.Tensor, PackedSequence)):
        return kwargs
    if len(references) != n:
        raise ValueError(f"references must have {n} rows, one per example; got {len(references)}.")
    return {**kwargs, "references": references[rows]}


class _ObjectiveModel(torch.nn.Module):
    """A model whose only output is the objective, shape (N, 1), as the functions of tangermeme need it."""

    def __init__(self, model: torch.nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model, self._objective = model, objective

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        y = self.model(X, *args)
        check_output(y, len(X))
        return check_objective(self._objective(y), len(X))[:, None]
