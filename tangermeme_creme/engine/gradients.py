"""SpanObjective: the objective of a model as a differentiable function of one span of each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack

import torch
from tangermeme.utils import PackedSequence

from ..sequence import Edits, pack, to_one_hot
from .cache import ActivationCache
from .codes_session import ProgressBar
from .device import autocasting, model_on, resolve_dtype, rows_at_once
from .frozen import parameters_frozen
from .incremental import (
    IncrementalModel,
    PartialPath,
    SplitError,
    check_activations,
    fall_back_to_full,
    may_run_in_part,
    splice,
)
from .memory import explain_out_of_memory
from .options import check_args, check_engine_options
from .outputs import Objective, check_objective, check_output, first_infinite, resolve_objective
from .work import Work


class SpanObjective:
    """Compute one number per sequence, differentiable in the bases of a span; all other bases are constants.

    A context, as `EditSession` is: inside, the model is on the device and in evaluation mode and its parameters require
    no gradient; device, modes and parameters are restored on exit, also after an exception. A backward pass therefore
    stores only the activations between the span and the objective. Of an `IncrementalModel` only the span and its
    surroundings run through `local`; the other bins come from its cached activations, as in a session, and are checked
    as there.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works and can be differentiated.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences; all-zero columns are unknown bases. Never modified.

    spans: torch.Tensor, shape=(N, 2), dtype=int64
        0-based half-open, in bp, all of one width W, one per sequence.

    args: sequence of torch.Tensor or None, optional
        Further inputs of the model, each with N rows. Default is None.

    objective: callable or None, optional
        From the predictions of a batch, on the device, to one number per sequence, shape (B,), by operations that can
        be differentiated. None is the mean over all output axes. Default is None.

    batch_size, dtype, device, incremental, cache, optional
        As in `EditSession`. With float16 or bfloat16 the model runs under autocast, and gradients come back in float32.

    progress: ProgressBar or None, optional
        Its `update` gets the number of sequences after each batch. Default is None.

    Attributes
    ----------
    batch_size: int
        How many sequences to pass at a time: on a CPU at most 131,072 bp, or one sequence.

    work: Work
        How many sequences ran in full and in part.

    Raises
    ------
    ValueError
        If X is not one-hot, `args` have another number of rows, or an option is unknown.

    Examples
    --------
    >>> class CountA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return X[:, 0].sum(-1, keepdim=True)
    >>> with SpanObjective(CountA(), torch.eye(4)[None], torch.tensor([[0, 2]])) as objective:
    ...     rows = torch.tensor([0])
    ...     x = objective.one_hot(rows).requires_grad_()
    ...     torch.autograd.grad(objective(x, rows).sum(), x)[0][0].tolist()
    [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """

    def __init__(
        self,
        model: torch.nn.Module,
        X: torch.Tensor | PackedSequence,
        spans: torch.Tensor,
        *,
        args: Sequence[torch.Tensor] | None = None,
        objective: Objective | None = None,
        batch_size: int = 32,
        dtype: str | torch.dtype | None = None,
        device: str | torch.device | None = None,
        incremental: bool | str = "auto",
        cache: ActivationCache | None = None,
        progress: ProgressBar | None = None,
    ) -> None:
        check_engine_options(model, batch_size, incremental, cache, dtype=dtype, device=device)
        self._codes = pack(X).to_codes()
        check_args(args, len(self._codes))
        self._model, self._args, self._spans = model, args, spans
        self._objective = resolve_objective(objective)
        self._dtype = resolve_dtype(model, dtype)
        # Autocasting casts where it needs to; a leaf in float32 then collects its gradient in float32.
        self._leaf_dtype = torch.float32 if self._dtype in (torch.float16, torch.bfloat16) else self._dtype
        self._asked_batch, self._device = batch_size, device
        self._incremental, self._cache, self._progress = incremental, cache, progress
        self._stack = ExitStack()
        self._path: PartialPath | None = None
        self.work = Work()
        self._works = [self.work] if cache is None else [self.work, cache.work]

    def __enter__(self) -> SpanObjective:
        with ExitStack() as stack:
            self._on = stack.enter_context(model_on(self._model, self._device))
            stack.enter_context(parameters_frozen(self._model))
            # Gradients are needed also inside a caller's block without gradients, or with inference only.
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            self.batch_size = rows_at_once(self._asked_batch, self._codes.shape[1], self._on)
            if self._incremental is not False and isinstance(self._model, IncrementalModel):
                self._path = PartialPath(
                    self._model, self._codes, device=self._on, dtype=self._dtype, batch_size=self.batch_size,
                    cache=self._cache, works=self._works, n_args=len(self._args or ()),
                )  # fmt: skip
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._path = None
        self._stack.__exit__(*exception)  # type: ignore[arg-type]

    @property
    def model(self) -> torch.nn.Module:
        return self._model

    def one_hot(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the spans of `rows`, shape (B, 4, W), on the device, in the dtype of the gradients."""
        codes = [self._codes[i, slice(*self._spans[i].tolist())] for i in rows.tolist()]
        return to_one_hot(torch.stack(codes).to(self._on), self._leaf_dtype)

    def __call__(self, x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Compute the objective of sequences whose spans are `x`.

        Parameters
        ----------
        x: torch.Tensor, shape=(B, 4, W)
            On the device; it need not be one-hot.

        rows: torch.Tensor, shape=(B,)
            The sequence of each.

        Returns
        -------
        value: torch.Tensor, shape=(B,)

        Raises
        ------
        ValueError
            If the model predicts NaN, infinity or another number of rows, the objective is not one number per sequence,
            or the model or the objective cannot be differentiated.
        """
        value = self._evaluate(x, rows.tolist())
        if self._progress is not None:
            self._progress.update(len(rows))
        return value

    def explain_out_of_memory(self, n: int) -> AbstractContextManager[None]:
        """Open a block for the gradients of `n` sequences at a time; a MemoryError states which memory ran out."""
        incremental = isinstance(self._model, IncrementalModel)
        return explain_out_of_memory(n, self._codes.shape[1], self._on, self._dtype, incremental=incremental)

    def _evaluate(self, x: torch.Tensor, rows: list[int]) -> torch.Tensor:
        path = self._path
        if path is not None and not self._in_part(path, rows):
            path = None
        args = [arg[rows].to(self._on, self._dtype) for arg in self._args or ()]
        activations, y = None, None
        try:
            if path is not None and (activations := self._activations(path, x, rows)) is not None:
                with autocasting(self._on, self._dtype):
                    y = path.run_head(activations, args)
                self._count(n_partial=len(rows))
                path.work.finished(len(rows))
        except SplitError as error:
            assert path is not None
            fall_back_to_full(path, error, self._incremental is True)
            self._path = activations = None
        with autocasting(self._on, self._dtype):
            if activations is None:
                self._count(n_full=len(rows))
                y = self._model(self._full_sequences(x, rows), *args)
            check_output(y, len(rows))
            value = check_objective(self._objective(y), len(rows))
        if not value.isfinite().all():
            row, got = first_infinite(value.detach())
            raise ValueError(f"the objective must be finite; got {got} for example {rows[row]}.")
        if activations is not None and not any(tensor.requires_grad for tensor in activations):
            value = value + 0 * x.sum((1, 2))  # the head reads no bin that the span reaches: a gradient of zero
        if x.requires_grad and not value.requires_grad:
            raise ValueError(
                "the model and the objective must be differentiable in X; got an objective without a gradient, from "
                f"{type(self._model).__name__}."
            )
        return value

    def _in_part(self, path: PartialPath, rows: list[int]) -> bool:
        """Return whether only the windows of the spans may run; the check uses edits that change nothing."""
        contents = [self._codes[i, slice(*self._spans[i].tolist())] for i in rows]
        edits = Edits(torch.tensor(rows), self._spans[rows, 0], torch.arange(len(rows)), contents)
        return may_run_in_part(path, edits, self._args, self._incremental is True)

    def _full_sequences(self, x: torch.Tensor, rows: list[int]) -> torch.Tensor:
        return torch.stack([self._around(x[k], i, 0, self._codes.shape[1]) for k, i in enumerate(rows)])

    def _around(self, x: torch.Tensor, i: int, start: int, end: int) -> torch.Tensor:
        """Return bases [start, end) of sequence i, shape (4, end - start), with `x` in its span."""
        first, last = self._spans[i].tolist()
        before, after = self._codes[i, start:first], self._codes[i, last:end]
        return torch.cat([to_one_hot(before.to(x.device), x.dtype), x, to_one_hot(after.to(x.device), x.dtype)], dim=-1)

    def _activations(self, path: PartialPath, x: torch.Tensor, rows: list[int]) -> list[torch.Tensor] | None:
        """Return the output of `local` with the windows of the spans run again.

        None if a window would cover the sequence.
        """
        reach, model = path.reach, path.model
        assert reach is not None
        spans = [(int(start), int(end)) for start, end in self._spans[rows]]
        blocks = [n for n in (reach.blocks(*span) for span in spans) if n is not None]
        if len(blocks) < len(rows):
            return None
        windows = [reach.window(*span, max(blocks)) for span in spans]
        stretches = [self._around(x[k], i, windows[k].start, windows[k].end) for k, i in enumerate(rows)]
        entries = path.entries(rows)
        with autocasting(self._on, self._dtype):
            outputs = check_activations(model.local(torch.stack(stretches)), len(rows), model.axis)
        per_row = []
        for k, entry in enumerate(entries):
            tensors = [tensor.to(self._on)[None].clone() for tensor in entry]
            splice(tensors, 0, outputs, k, windows[k], reach, model, trimmed=True)
            per_row.append(tensors)
        width = windows[0].end - windows[0].start
        path.work.ran(len(rows), width)
        return [torch.cat(tensors) for tensors in zip(*per_row)]

    def _count(self, **counts: int) -> None:
        for work in self._works:
            work.add(Work(**counts))
            if "n_full" in counts:
                work.arithmetic += counts["n_full"]
                work.ran(counts["n_full"], self._codes.shape[1], self._codes.shape[1])
