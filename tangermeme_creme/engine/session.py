"""EditSession: base sequences, edits to them, and predictions, a batch at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import torch
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..sequence import Edits, apply_edits, check_edits, pack, to_one_hot
from .cache import ActivationCache
from .device import model_on, rows_at_once
from .incremental import IncrementalModel, PartialPath, SplitError, give_up, runs_in_part
from .options import can_run_in_part, check_args, check_engine_options
from .outputs import Objective, Output, OutputRows, check_output
from .work import Work


class Progress(Protocol):
    """What a session reports to: tqdm, or anything with its `update`."""

    def update(self, n: int) -> object: ...


class EditSession:
    """Base sequences that stay, and edits to them that exist a batch at a time.

    A session is a context: it moves the model to the device once, in evaluation mode, and restores the device and
    every training flag on exit, also after an exception. Each sequence costs one forward pass, or a part of one if the
    model is an `IncrementalModel`; `work` has the counts.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        The base sequences, one-hot; all-zero columns are unknown bases. Never modified.

    args: sequence of torch.Tensor or None, optional
        Further inputs of the model, each with N rows; an edit takes the row of its base. tangermeme's `predict` casts
        them to `dtype`. Default is None.

    func: callable, optional
        What is called on the model and the edited sequences: tangermeme's `predict`, or anything with the signature
        ``func(model, X, args=..., **kwargs)``, say `deep_lift_shap`, which then gets one-hot sequences in the dtype
        of X on the CPU. Default is `predict`.

    func_kwargs: dict or None, optional
        Further arguments of `func`. Default is None.

    random_state: int or None, optional
        Handed on to a `func` that takes a `random_state`. Default is None.

    batch_size: int, optional
        The most sequences that exist, and are predicted, at a time. On a CPU, `predict` gets no more than 131,072 bp
        at a time, or one sequence: larger batches are slower there. Default is 32.

    dtype: str, torch.dtype or None, optional
        As in tangermeme's `predict`: of the sequences, and of autocasting. None is the model's. Default is None.

    device: str, torch.device or None, optional
        None is CUDA when there is one, else the CPU. Default is None.

    incremental: "auto", True or False, optional
        Whether an `IncrementalModel` runs on no more of a sequence than what an edit changes. Before its first edit a
        model is checked: its reach is measured, and one edit is predicted both ways. If that fails, "auto" runs in
        full, with one warning that says why, and True raises. Default is "auto".

    cache: ActivationCache or None, optional
        Kept activations of base sequences, to share between sessions of an `IncrementalModel`. None is one of the
        session's own. Default is None.

    one_hot_dtype: torch.dtype or None, optional
        Of the sequences that a `func` other than `predict` gets. None is that of X, int8 when packed. Default is None.

    progress: Progress or None, optional
        Its `update` is told the number of sequences after each batch. Default is None.

    names: sequence of str or None, optional
        What to call each base sequence in errors. Default is None, "sequence 0" and so on.

    Attributes
    ----------
    work: Work
        How many predictions were made in full and in part, and how many bases ran.

    Raises
    ------
    ValueError
        If X is not one-hot, `args` have another number of rows, `batch_size` is below 1, the model predicts NaN,
        changes its output shape or returns another number of rows, or `incremental` is True and the model cannot be
        evaluated in part.

    Examples
    --------
    >>> from tangermeme_creme.sequence import make_edits
    >>> class CountA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return X[:, 0].sum(-1, keepdim=True)
    >>> X = torch.zeros(1, 4, 6)
    >>> X[:, 3] = 1
    >>> two_a = torch.zeros(2, dtype=torch.uint8)
    >>> with EditSession(CountA(), X) as session:
    ...     session.predict(), session.predict_edits(make_edits(0, [0, 4], 0, [two_a])), session.work.n_full
    (tensor([[0.]]), tensor([[2.],
            [2.]]), 3)
    """

    def __init__(
        self,
        model: torch.nn.Module,
        X: torch.Tensor | PackedSequence,
        *,
        args: Sequence[torch.Tensor] | None = None,
        func: Callable[..., Any] = predict,
        func_kwargs: dict[str, Any] | None = None,
        random_state: int | None = None,
        batch_size: int = 32,
        dtype: str | torch.dtype | None = None,
        device: str | torch.device | None = None,
        incremental: bool | str = "auto",
        cache: ActivationCache | None = None,
        one_hot_dtype: torch.dtype | None = None,
        progress: Progress | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        check_engine_options(model, batch_size, incremental, cache)
        self._codes = pack(X).to_codes()
        self._one_hot_dtype = one_hot_dtype or (X.dtype if isinstance(X, torch.Tensor) else torch.int8)
        check_args(args, len(self._codes))
        self._model, self._args = model, args
        self._func, self._func_kwargs = func, dict(func_kwargs or {})
        self._random_state = random_state
        self._batch_size, self._dtype, self._device = batch_size, dtype, device
        self._progress, self._names = progress, names
        self._in_part = can_run_in_part(model, incremental, func, self._func_kwargs)
        self._required, self._cache = incremental is True, cache
        self._stack = ExitStack()
        self._on: torch.device | None = None
        self._path: PartialPath | None = None
        self.work = Work()
        self._works = [self.work] if cache is None else [self.work, cache.work]

    def __enter__(self) -> EditSession:
        self._on = self._stack.enter_context(model_on(self._model, self._device))
        self._at_once = self._batch_size
        if self._func is predict:
            self._at_once = rows_at_once(self._batch_size, self.length, self._on)
        if self._in_part:
            assert isinstance(self._model, IncrementalModel)
            self._path = PartialPath(
                self._model, self._codes, device=self._on, dtype=self._dtype, batch_size=self._at_once,
                cache=self._cache, works=self._works,
            )  # fmt: skip
        return self

    def __exit__(self, *exception: object) -> None:
        self._on = self._path = None
        self._stack.__exit__(*exception)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def length(self) -> int:
        """Length of the sequences in bp."""
        return self._codes.shape[1]

    def predict(self, *, objective: Objective | None = None) -> Output:
        """Predict the base sequences as they are now.

        Parameters
        ----------
        objective: callable or None, optional
            Applied to the predictions of each batch, so that only its (B,) is kept. Default is None.

        Returns
        -------
        y: torch.Tensor, shape=(N, ...), or a list of them
        """
        rows = torch.arange(len(self))
        return self._run(rows, None, objective)

    def predict_edits(self, edits: Edits, *, objective: Objective | None = None) -> Output:
        """Predict each edit on its own; the bases stay as they are.

        Parameters
        ----------
        edits: Edits
            E edits.

        objective: callable or None, optional
            As in `predict`. Default is None.

        Returns
        -------
        y: torch.Tensor, shape=(E, ...), or a list of them

        Raises
        ------
        ValueError
            If an edit leaves its sequence, or names a base or a content that is not there.
        """
        check_edits(edits, len(self), self.length)
        return self._run(edits.base, edits, objective)

    def commit(self, edits: Edits) -> None:
        """Write edits into the base sequences, in order.

        Costs no forward pass. Kept activations are brought up to date, for which the edited windows run.

        Raises
        ------
        ValueError
            As `predict_edits`.
        """
        check_edits(edits, len(self), self.length)
        if self._path is None:
            apply_edits(self._codes, edits)
        else:
            self._path.commit(edits)

    def cut(self, start: int, end: int) -> torch.Tensor:
        """Base codes of span [start, end) of every base sequence as it is now, shape (N, end - start)."""
        return self._codes[:, start:end].clone()

    def _run(self, base: torch.Tensor, edits: Edits | None, objective: Objective | None) -> Output:
        if self._on is None:
            raise RuntimeError("an EditSession predicts inside its `with` block only.")
        if len(base) == 0:
            raise ValueError("there must be at least one sequence to predict; got none.")

        def describe(row: int) -> str:
            index = int(base[row])
            name = f"sequence {index}" if self._names is None else self._names[index]
            if edits is None:
                return name
            start = int(edits.start[row])
            return f"{name} edited at [{start}, {start + len(edits.content[int(edits.content_index[row])])})"

        kept = OutputRows(len(base), describe, objective)
        path = self._path
        if path is not None and not runs_in_part(path, edits, self._args, self._required):
            path = None
        # Edits of one base together, so that its activations are needed for a while and then no more.
        order = torch.arange(len(base)) if path is None else base.argsort(stable=True)
        for rows in order.split(self._at_once):
            part = None if edits is None else _take(edits, rows)
            args = None if self._args is None else [arg[base[rows].to(arg.device)] for arg in self._args]
            try:
                y = None if path is None else path.predict(base[rows], part, args)
            except SplitError as error:
                assert path is not None
                give_up(path, error, self._required)
                path = None
            y = self._call(base[rows], part, args) if path is None else self._after(y, len(rows))
            kept.add(y, len(rows), rows)
            if self._progress is not None:
                self._progress.update(len(rows))
        return kept.result

    def _call(self, base: torch.Tensor, edits: Edits | None, args: list[torch.Tensor] | None) -> Any:
        """Run whole sequences through `func`."""
        codes = self._codes[base]
        if edits is not None:
            apply_edits(codes, edits, rows=torch.arange(len(codes)))
        for work in self._works:
            work.n_full += len(codes)
            work.ran(len(codes), self.length, self.length)
        if self._func is predict:
            # Decoding on the device moves one byte a base, a sixteenth of what one-hot floats would take.
            X = to_one_hot(codes.to(self._on))
            options = {"batch_size": len(codes), "dtype": self._dtype, "device": self._on, **self._func_kwargs}
            options.pop("func", None)
            return predict(self._model, X, args=args, func=lambda y: self._after(y, len(codes)), **options)
        kwargs: dict[str, Any] = {"batch_size": self._batch_size, "dtype": self._dtype, "device": self._on}
        if self._random_state is not None:
            kwargs["random_state"] = self._random_state
        accepted = inspect.signature(self._func).parameters
        kwargs = {name: value for name, value in kwargs.items() if name in accepted and value is not None}
        X = to_one_hot(codes, self._one_hot_dtype)
        return self._func(self._model, X, args=args, **{**kwargs, **self._func_kwargs})

    def _after(self, y: Any, n_rows: int) -> Any:
        """What the caller's own function makes of the predictions of a batch, checked before it sees them."""
        check_output(y, n_rows)
        after = self._func_kwargs.get("func") if self._func is predict else None
        return y if after is None else after(y)


def _take(edits: Edits, rows: torch.Tensor) -> Edits:
    return Edits(edits.base[rows], edits.start[rows], edits.content_index[rows], edits.content)
