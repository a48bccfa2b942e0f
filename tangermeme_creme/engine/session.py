"""EditSession: predict base sequences and edits to them, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..sequence import pack
from .cache import ActivationCache
from .codes_session import CodesSession, ProgressBar
from .device import model_on
from .options import check_args, check_engine_options, check_func


class EditSession(CodesSession):
    """Predict base sequences, and edits to them that exist only a batch at a time.

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
        The function that is called on the model and the edited sequences: tangermeme's `predict`, or another with the
        signature ``func(model, X, args=..., **kwargs)``, such as `deep_lift_shap`. Your own function gets one-hot
        sequences in the dtype of X on the CPU. Default is `predict`.

    func_kwargs: dict or None, optional
        Further arguments of `func`. Default is None.

    random_state: int or None, optional
        Passed on to a `func` that takes a `random_state`. Default is None.

    batch_size: int, optional
        The most sequences that exist, and are predicted, at a time. On a CPU, `predict` gets at most 131,072 bp at a
        time, or one sequence: larger batches are slower there. Default is 32.

    dtype: str, torch.dtype or None, optional
        As in tangermeme's `predict`: of the sequences, and of autocasting. None is the model's. Default is None.

    device: str, torch.device or None, optional
        None is CUDA if available, else the CPU. Default is None.

    incremental: "auto", True or False, optional
        Whether an `IncrementalModel` runs only on the part of a sequence that an edit changes. Before its first edit a
        model is checked: its reach is measured, and one edit is predicted both ways. If the check fails, "auto" runs
        in full, with one warning that gives the reason, and True raises. Default is "auto".

    cache: ActivationCache or None, optional
        Cached activations of base sequences, shared between sessions of an `IncrementalModel`. None makes a cache for
        this session alone. Default is None.

    one_hot_dtype: torch.dtype or None, optional
        The dtype of the sequences that your own `func` gets. None is that of X, int8 when packed. Default is None.

    progress: ProgressBar or None, optional
        Its `update` gets the number of sequences after each batch. Default is None.

    names: sequence of str or None, optional
        Names of the base sequences in errors. Default is None, "sequence 0" and so on.

    allow_stochastic: bool, optional
        Whether the model is meant to be random, or to depend on the other sequences of a batch. Otherwise one sequence
        is predicted once more on its own, and a warning gives the difference. Default is False.

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
        progress: ProgressBar | None = None,
        names: Sequence[str] | None = None,
        allow_stochastic: bool = False,
    ) -> None:
        check_engine_options(
            model, batch_size, incremental, cache, dtype=dtype, device=device, allow_stochastic=allow_stochastic
        )
        check_func(func, func_kwargs)
        codes = pack(X).to_codes()
        check_args(args, len(codes))
        super().__init__(
            model, codes, device=None, args=args, func=func, func_kwargs=func_kwargs, random_state=random_state,
            batch_size=batch_size, dtype=dtype, incremental=incremental, cache=cache,
            one_hot_dtype=one_hot_dtype or (X.dtype if isinstance(X, torch.Tensor) else torch.int8),
            progress=progress, names=names, allow_stochastic=allow_stochastic,
        )  # fmt: skip
        self._asked_device = device
        self._stack = ExitStack()

    def __enter__(self) -> EditSession:
        with ExitStack() as stack:
            self._device = stack.enter_context(model_on(self._model, self._asked_device))
            super().__enter__()
            self._stack = stack.pop_all()  # from here on `__exit__` gives the model back
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._device = None
        self._stack.__exit__(*exception)  # type: ignore[arg-type]
