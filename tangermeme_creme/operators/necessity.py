"""Find the tiles that a prediction needs: shuffle one tile at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..engine import EngineOptions, concatenate
from ..sequence import RandomState, ShuffleFn, Spans, check_spans, make_edits
from .results import NecessityResult
from .run import prepare_run, unflatten


def necessity_test(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tiles: Spans,
    *,
    n: int = 10,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    **kwargs: Unpack[EngineOptions],
) -> NecessityResult:
    """Predict before and after shuffling each tile, one tile at a time.

    If shuffling a tile moves the prediction, the model needs the tile in this context: the necessity test of CREME
    [1]_ (Results, "Which CREs are necessary for gene expression?"; Methods, "Necessity test"). Costs ``1 + T * n``
    sequences per example.

    Departures from creme-nn 0.2.5: raw predictions of every shuffle instead of their mean, seeded shuffles, unknown
    bases stay unknown, and no table of all edited sequences in memory.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tiles: shape=(T, 2)
        0-based half-open spans in bp. They may overlap.

    n: int, optional
        Shuffles per tile. The first k of n equal a run with n=k. Default is 10.

    shuffle_fn: callable, optional
        A function with tangermeme's signature ``(X, start, end, n, random_state)``; it gets the tile only. Default
        is `tangermeme.ersatz.dinucleotide_shuffle`.

    args: sequence of torch.Tensor or None, optional
        Further inputs of the model, each with N rows. Default is None.

    random_state: int, one int per example, or None, optional
        An int gives example i the seed ``random_state + i``. The shuffles of a tile depend only on the seed of the
        example and on the tile. Default is None.

    func: callable, optional
        Called on the model and the sequences, a batch at a time. Default is tangermeme's `predict`.

    additional_func_kwargs: dict or None, optional
        Further arguments of `func`. Default is None.

    **kwargs: EngineOptions, optional
        `batch_size` (32), `dtype`, `device`, `incremental` ("auto") and `cache`, as in `EditSession`; `verbose`
        (False) shows a progress bar. Further arguments go to your own `func`, as `additional_func_kwargs` do, which
        type checkers accept.

    Returns
    -------
    y_wt: torch.Tensor, shape=(N, ...), or a list of them for a model with several outputs

    y_mut: torch.Tensor, shape=(N, T, n, ...), or a list of them

    Raises
    ------
    ValueError
        If X is not one-hot, a tile is empty or leaves the sequence, n is below 1, or the model predicts NaN; the
        message names the value.

    References
    ----------
    .. [1] Toneyan S, Koo PK. Interpreting cis-regulatory interactions from large-scale deep neural networks.
       Nature Genetics 2024. https://doi.org/10.1038/s41588-024-01923-3

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> class CountA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return X[:, 0].sum(-1, keepdim=True)
    >>> X = random_one_hot((2, 4, 60), random_state=0)
    >>> y_wt, y_mut = necessity_test(CountA(), X, [(0, 20), (20, 60)], n=3, random_state=0)
    >>> y_mut.shape, bool((y_mut == y_wt[:, None, None]).all())   # a shuffle keeps the counts
    (torch.Size([2, 2, 3, 1]), True)
    """
    run = prepare_run(
        "necessity_test", model, X, n=n, shuffle_fn=shuffle_fn, args=args, random_state=random_state, func=func,
        additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    spans = check_spans(tiles, run.length)
    T, width = len(spans), int((spans[:, 1] - spans[:, 0]).sum())
    y_wt, y_mut = [], []
    with run.running(run.n_examples * (1 + T * n)):
        for examples in run.blocks(run.length + n * width):
            B, codes = len(examples), run.codes(examples)
            content = run.draw_tiles(examples, codes, spans, n)
            index = torch.arange(B * T * n).reshape(B, T, n)
            base = torch.arange(B)[:, None, None]
            with run.session(codes, examples) as session:
                y_wt.append(session.predict())
                edits = make_edits(base, spans[:, :1], index, content)
                y_mut.append(unflatten(session.predict_edits(edits), B, T, n))
    return NecessityResult(concatenate(y_wt), concatenate(y_mut))
