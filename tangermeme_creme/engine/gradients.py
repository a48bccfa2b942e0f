"""The objective of a model as a differentiable function of one span of each sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import torch
from tangermeme.utils import PackedSequence

from ..sequence import Edits, pack, to_one_hot
from .cache import ActivationCache
from .device import arithmetic, model_on, rows_at_once
from .incremental import IncrementalModel, PartialPath, SplitError, check_activations, give_up, runs_in_part, splice
from .memory import memory_stated
from .options import check_args, check_engine_options
from .outputs import Objective, check_objective, check_output, mean_objective
from .work import Work


class SpanObjective:
    """One number a sequence, as a differentiable function of the bases of a span; all other bases are constants.

    A context, as `EditSession` is: the model is on the device and in evaluation mode inside, its parameters ask for no
    gradient, and all of that is as it was on exit, also after an exception. So no more is kept for a backward pass than
    what leads from the span to the objective. Of an `IncrementalModel` only the span and its surroundings run through
    `local` then; the rest comes from its kept activations, as in a session, and is checked as there.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works and can be differentiated.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences; all-zero columns are unknown bases. Never modified.

    spans: torch.Tensor, shape=(N, 2), dtype=int64
        0-based half-open, in bp, of one width W, one for each sequence.

    args: sequence of torch.Tensor or None, optional
        Further inputs of the model, each with N rows. Default is None.

    objective: callable or None, optional
        From the predictions of a batch, on the device, to one number a sequence, shape (B,), by operations that can be
        differentiated. None is the mean over all output axes. Default is None.

    batch_size, dtype, device, incremental, cache, optional
        As in `EditSession`. With float16 or bfloat16 the model runs under autocast, and gradients come back in float32.

    progress: tqdm or None, optional
        Its `update` is told how many sequences ran. Default is None.

    Attributes
    ----------
    batch_size: int
        How many sequences to give at a time: on a CPU no more than 131,072 bp, or one.

    work: Work
        How many sequences ran in full and in part.

    Raises
    ------
    ValueError
        If X is not one-hot, `args` have another number of rows, or an option is not one.

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
        progress: Any = None,
    ) -> None:
        check_engine_options(model, batch_size, incremental, cache)
        self._codes = pack(X).to_codes()
        check_args(args, len(self._codes))
        self._model, self._args, self._spans = model, args, spans
        self._objective = mean_objective if objective is None else objective
        first = next(model.parameters(), None)
        own = torch.float32 if first is None else first.dtype
        self._dtype: torch.dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype or own
        # Autocasting casts what it needs to; a leaf in float32 then collects its gradient in float32.
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
            # The gradients of a caller's own block without them, or with inference only, are still wanted.
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            self.batch_size = rows_at_once(self._asked_batch, self._codes.shape[1], self._on)
            if self._incremental is not False and isinstance(self._model, IncrementalModel):
                self._path = PartialPath(
                    self._model, self._codes, device=self._on, dtype=self._dtype, batch_size=self.batch_size,
                    cache=self._cache, works=self._works,
                )  # fmt: skip
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._path = None
        self._stack.__exit__(*exception)  # type: ignore[arg-type]

    def one_hot(self, rows: torch.Tensor) -> torch.Tensor:
        """The spans of some sequences, shape (B, 4, W), on the device, in the dtype of the gradients."""
        codes = [self._codes[i, slice(*self._spans[i].tolist())] for i in rows.tolist()]
        return to_one_hot(torch.stack(codes).to(self._on), self._leaf_dtype)

    def __call__(self, x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """The objective with the spans as they are in `x`.

        Parameters
        ----------
        x: torch.Tensor, shape=(B, 4, W)
            On the device; not one-hot, if it so happens.

        rows: torch.Tensor, shape=(B,)
            The sequence of each.

        Returns
        -------
        value: torch.Tensor, shape=(B,)

        Raises
        ------
        ValueError
            If the model predicts NaN or another number of rows, the objective is not one number a sequence, or the two
            cannot be differentiated.
        """
        value = self._evaluate(x, rows.tolist())
        if self._progress is not None:
            self._progress.update(len(rows))
        return value

    def memory_stated(self, n: int) -> AbstractContextManager[None]:
        """A block for the gradients of `n` sequences at a time; a MemoryError says which memory ran out."""
        return memory_stated(self._model, n, self._codes.shape[1], self._on, self._dtype)

    def _evaluate(self, x: torch.Tensor, rows: list[int]) -> torch.Tensor:
        path = self._path
        if path is not None and not self._in_part(path, rows):
            path = None
        try:
            activations = None if path is None else self._activations(path, x, rows)
        except SplitError as error:
            assert path is not None
            give_up(path, error, self._incremental is True)
            path = self._path = activations = None
        args = [arg[rows].to(self._on, self._dtype) for arg in self._args or ()]
        with arithmetic(self._on, self._dtype):
            if activations is None:
                self._count(n_full=len(rows))
                y = self._model(self._whole(x, rows), *args)
            else:
                assert path is not None
                self._count(n_partial=len(rows))
                y = path.model.finish(activations, *args)
            check_output(y, len(rows))
            value = check_objective(self._objective(y), len(rows))
        if value.isnan().any():
            raise ValueError(
                f"the objective must not be NaN; got NaN for example {rows[int(value.isnan().nonzero()[0])]}."
            )
        if activations is not None and not any(tensor.requires_grad for tensor in activations):
            value = value + 0 * x.sum((1, 2))  # the span is beyond all bins that are read: a gradient of zero
        if x.requires_grad and not value.requires_grad:
            raise ValueError(
                "the model and the objective must be differentiable in X; got an objective without a gradient, from "
                f"{type(self._model).__name__}."
            )
        return value

    def _in_part(self, path: PartialPath, rows: list[int]) -> bool:
        """Whether the windows of the spans may run on their own: an edit that changes nothing finds out."""
        contents = [self._codes[i, slice(*self._spans[i].tolist())] for i in rows]
        edits = Edits(torch.tensor(rows), self._spans[rows, 0], torch.arange(len(rows)), contents)
        return runs_in_part(path, edits, self._args, self._incremental is True)

    def _whole(self, x: torch.Tensor, rows: list[int]) -> torch.Tensor:
        return torch.stack([self._around(x[k], i, 0, self._codes.shape[1]) for k, i in enumerate(rows)])

    def _around(self, x: torch.Tensor, i: int, start: int, end: int) -> torch.Tensor:
        """Bases [start, end) of sequence i, shape (4, end - start), with `x` in its span."""
        first, last = self._spans[i].tolist()
        before, after = self._codes[i, start:first], self._codes[i, last:end]
        return torch.cat([to_one_hot(before.to(x.device), x.dtype), x, to_one_hot(after.to(x.device), x.dtype)], dim=-1)

    def _activations(self, path: PartialPath, x: torch.Tensor, rows: list[int]) -> list[torch.Tensor] | None:
        """What `local` gives, with the windows of the spans run anew; None if a window would be the whole sequence."""
        reach, model = path.reach, path.model
        assert reach is not None
        spans = [(int(start), int(end)) for start, end in self._spans[rows]]
        blocks = [n for n in (reach.blocks(*span) for span in spans) if n is not None]
        if len(blocks) < len(rows):
            return None
        windows = [reach.window(*span, max(blocks)) for span in spans]
        stretches = [self._around(x[k], i, windows[k].start, windows[k].end) for k, i in enumerate(rows)]
        with arithmetic(self._on, self._dtype):
            outputs = check_activations(model.local(torch.stack(stretches)), len(rows), model.axis)
        per_row = []
        for k, entry in enumerate(path.entries(rows)):
            tensors = [tensor.to(self._on)[None].clone() for tensor in entry]
            splice(tensors, 0, outputs, k, windows[k], reach, model, kept=True)
            per_row.append(tensors)
        width = windows[0].end - windows[0].start
        for work in self._works:
            work.ran(len(rows), width, reach.length)
        return [torch.cat(tensors) for tensors in zip(*per_row)]

    def _count(self, **counts: int) -> None:
        for work in self._works:
            work.add(Work(**counts))
            if "n_full" in counts:
                work.ran(counts["n_full"], self._codes.shape[1], self._codes.shape[1])


@contextmanager
def parameters_frozen(model: torch.nn.Module) -> Iterator[None]:
    """No parameter asks for a gradient, so that nothing is kept for one.

    Examples
    --------
    >>> layer = torch.nn.Linear(2, 1)
    >>> with parameters_frozen(layer):
    ...     layer.weight.requires_grad
    False
    >>> layer.weight.requires_grad
    True
    """
    wanted = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in wanted:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(True)
