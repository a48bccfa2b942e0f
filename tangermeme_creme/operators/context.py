"""Measure how much the context of a tile matters: shuffle it, or swap it for another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..engine import EngineOptions, concatenate
from ..sequence import RandomState, ShuffleFn, Span, Spans, check_choice, check_spans, make_edits, span_per_example
from .results import ContextResult, SwapResult
from .run import cut, prepare_run, unflatten


def context_dependence_test(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tile: Spans,
    *,
    n: int = 100,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    backgrounds: torch.Tensor | PackedSequence | None = None,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    **kwargs: Unpack[EngineOptions],
) -> ContextResult:
    """Predict before and after shuffling everything but one tile.

    How far the prediction falls without the context shows how much of it comes from there: the context dependence test
    of CREME [1]_ (Results, "How much does distal context affect TSS activity?"; Methods, "Context dependence test").
    Costs ``1 + n`` sequences per example.

    Departures from creme-nn 0.2.5: raw predictions of every shuffle instead of mean and standard deviation, seeded
    shuffles, and unknown bases stay unknown.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tile: (start, end), or shape=(N, 2)
        0-based half-open span in bp of the tile that is not shuffled, as a rule the tile over the TSS.

    n: int, optional
        Backgrounds per example. The first k of n equal a run with n=k. Default is 100, as in the paper.

    shuffle_fn: callable, optional
        A function with tangermeme's signature ``(X, start, end, n, random_state)``. Default is
        `tangermeme.ersatz.dinucleotide_shuffle`.

    backgrounds: torch.Tensor, shape=(N, n, 4, L), or PackedSequence, or None, optional
        Backgrounds to use instead of drawing them, from `shuffle_backgrounds`, so that tests share them; the first n
        are used. Default is None.

    args: sequence of torch.Tensor or None, optional
        Further inputs of the model, each with N rows. Default is None.

    random_state: int, one int per example, or None, optional
        An int gives example i the seed ``random_state + i``. Default is None.

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

    y_mut: torch.Tensor, shape=(N, n, ...), or a list of them

    Raises
    ------
    ValueError
        If X is not one-hot, the tile is empty or leaves the sequence, n is below 1, the backgrounds have another shape,
        or the model predicts NaN; the message names the value.

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
    >>> y_wt, y_mut = context_dependence_test(CountA(), X, (20, 30), n=3, random_state=0)
    >>> y_wt.shape, y_mut.shape
    (torch.Size([2, 1]), torch.Size([2, 3, 1]))
    """
    run = prepare_run(
        "context_dependence_test", model, X, n=n, shuffle_fn=shuffle_fn, backgrounds=backgrounds, args=args,
        random_state=random_state, func=func, additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    spans = span_per_example(tile, run.n_examples, run.length, "tile")
    y_wt, y_mut = [], []
    with run.running(run.n_examples * (1 + n)):
        for examples in run.blocks(run.length * (1 + n)):
            codes = run.codes(examples)
            y_wt.append(run.wild_type(examples, codes))
            with run.control(examples, codes, spans[examples]) as session:
                y_mut.append(unflatten(session.predict(), len(examples), n))
    return ContextResult(concatenate(y_wt), concatenate(y_mut))


def context_swap_test(
    model: torch.nn.Module,
    X_source: torch.Tensor | PackedSequence,
    X_target: torch.Tensor | PackedSequence,
    tile: Span,
    *,
    pairs: str = "all",
    args: Sequence[torch.Tensor] | None = None,
    args_target: Sequence[torch.Tensor] | None = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    **kwargs: Unpack[EngineOptions],
) -> SwapResult:
    """Predict a tile of one sequence in the context of another.

    Whether a TSS keeps its activity among the CREs of another gene shows how well contexts fit genes: the context swap
    test of CREME [1]_ (Results, "How compatible are contexts for different genes?"; Methods, "Context swap test").
    Costs ``Ns + Nt + Ns * Nt`` sequences, or ``3 * N`` for matched pairs. Nothing is drawn at random.

    Departures from creme-nn 0.2.5: all pairs in one call, and the predictions of both unedited sequences.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X_source: torch.Tensor, shape=(Ns, 4, L), or PackedSequence
        One-hot sequences that the tile is taken from. All-zero columns are unknown bases.

    X_target: torch.Tensor, shape=(Nt, 4, L), or PackedSequence
        One-hot sequences whose tile is replaced.

    tile: (start, end)
        0-based half-open span in bp, the same in all sequences.

    pairs: "all" or "matched", optional
        Every source in every target, or source i in target i. Default is "all".

    args: sequence of torch.Tensor or None, optional
        Further inputs of the model, each with Ns rows. A swapped sequence takes the inputs of its source, since its
        prediction is compared with that of the source. Default is None.

    args_target: sequence of torch.Tensor or None, optional
        Further inputs for the unedited targets, each with Nt rows. Default is None.

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
    y_source: torch.Tensor, shape=(Ns, ...), or a list of them for a model with several outputs

    y_target: torch.Tensor, shape=(Nt, ...), or a list of them

    y_mut: torch.Tensor, shape=(Ns, Nt, ...), or (N, ...) for matched pairs, or a list of them

    Raises
    ------
    ValueError
        If a sequence is not one-hot, the lengths differ, the tile is empty or leaves the sequence, matched pairs differ
        in number, only one of `args` and `args_target` is given, or the model predicts NaN.

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
    >>> y_source, y_target, y_mut = context_swap_test(CountA(), X, X[[1, 0, 0]], (20, 30))
    >>> y_mut.shape, bool((y_mut[0, 1] == y_source[0]).all())   # into its own context
    (torch.Size([2, 3, 1]), True)
    """
    check_choice("pairs", pairs, "all", "matched")
    if (args is None) != (args_target is None):
        missing = "args" if args is None else "args_target"
        raise ValueError(f"args and args_target must be given together; got no {missing}.")
    shared: dict[str, Any] = {
        "func": func, "additional_func_kwargs": additional_func_kwargs, "kwargs": kwargs,
    }  # fmt: skip
    run = prepare_run("context_swap_test", model, X_source, args=args, X_name="X_source", **shared)
    target = prepare_run(
        "context_swap_test", model, X_target, args=args_target, X_name="X_target", args_name="args_target", **shared
    )
    run.noun, target.noun = "source", "target"
    if run.length != target.length:
        raise ValueError(f"sources and targets must be of one length; got {run.length} and {target.length} bp.")
    Ns, Nt = run.n_examples, target.n_examples
    if pairs == "matched" and Ns != Nt:
        raise ValueError(f"matched pairs need as many sources as targets; got {Ns} and {Nt}.")
    span = check_spans(tile, run.length, "tile")
    if len(span) != 1:
        raise ValueError(f"tile must be one span for all sequences; got {len(span)}.")
    start = int(span[0, 0])

    y_source, y_target, y_mut = [], [], []
    with run.running(Ns + Nt + (Ns * Nt if pairs == "all" else Ns)):
        target.bar, target.device = run.bar, run.device
        for examples in run.blocks(run.length):
            y_source.append(run.wild_type(examples, run.codes(examples)))
        for examples in target.blocks(run.length):
            y_target.append(target.wild_type(examples, target.codes(examples)))
        # The tile is written into the target; the sequence takes the further inputs of its source.
        sources, targets = torch.arange(Ns), torch.arange(Nt)
        if pairs == "all":
            sources, targets = sources.repeat_interleave(Nt), targets.repeat(Ns)
        for pair in run.blocks(run.length, total=len(sources)):
            s, t = sources[pair], targets[pair]
            content = cut(run.codes(s), span.expand(len(s), 2))
            rows = torch.arange(len(s))
            names = [f"source {i} in target {j}," for i, j in zip(s.tolist(), t.tolist())]
            with run.session(target.codes(t), s, names) as session:
                y_mut.append(session.predict_edits(make_edits(rows, start, rows, content)))
    y_mut_ = concatenate(y_mut)
    if pairs == "all":
        y_mut_ = unflatten(y_mut_, Ns, Nt)
    return SwapResult(concatenate(y_source), concatenate(y_target), y_mut_)
