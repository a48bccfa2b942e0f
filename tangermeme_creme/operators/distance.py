"""Measure how the effect of a CRE depends on distance: move the CRE through shuffled backgrounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..engine import EngineOptions, concatenate, map_output
from ..sequence import RandomState, ShuffleFn, Spans, check_apart, make_edits, span_per_example
from .results import DistanceResult
from .run import check_positions, cut, prepare_run, unflatten


def distance_test(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tss_tile: Spans,
    cre_tile: Spans,
    positions: torch.Tensor | Sequence[int],
    *,
    n: int = 10,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    backgrounds: torch.Tensor | PackedSequence | None = None,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    **kwargs: Unpack[EngineOptions],
) -> DistanceResult:
    """Predict the TSS tile in shuffled backgrounds with a CRE at each of several positions.

    The curve over positions shows the effect of the CRE by distance: the TSS-CRE distance test of CREME [1]_ (Results,
    "How does a CRE's effect on a target gene depend on distance?"; Methods, "TSS-CRE distance test"). The same n
    backgrounds serve the control and every position. Costs ``1 + 2 * n + P * n`` sequences per example.

    Departures from creme-nn 0.2.5: the backgrounds are always shared (in creme-nn with ``seed=True`` only, whose first
    background is unseeded), the TSS tile alone is predicted too, a position over the TSS tile is refused, raw
    predictions of every background. The control of creme-nn is `y_original` here.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tss_tile: (start, end), or shape=(N, 2)
        0-based half-open span in bp of the tile over the TSS, for all examples or one per example.

    cre_tile: (start, end), or shape=(N, 2)
        0-based half-open span in bp of the CRE, for all examples or one per example. It must not overlap `tss_tile`.

    positions: shape=(P,)
        Starts of the CRE in bp. At every position the CRE must lie inside the sequence and not overlap `tss_tile`.

    n: int, optional
        Backgrounds per example. The first k of n equal a run with n=k. Default is 10.

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

    y_control: torch.Tensor, shape=(N, n, ...), or a list of them

    y_original: torch.Tensor, shape=(N, n, ...), or a list of them

    y_mut: torch.Tensor, shape=(N, P, n, ...), or a list of them

    Raises
    ------
    ValueError
        If X is not one-hot, a tile is empty, leaves the sequence or overlaps the TSS tile at its original
        position or at one of `positions`, n is below 1, the backgrounds have another shape, or the model predicts NaN.

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
    >>> result = distance_test(CountA(), X, (20, 30), (40, 50), [0, 10, 30, 40, 50], n=3, random_state=0)
    >>> result.y_mut.shape, bool((result.y_mut[:, 3] == result.y_original).all())
    (torch.Size([2, 5, 3, 1]), True)
    """
    run = prepare_run(
        "distance_test", model, X, n=n, shuffle_fn=shuffle_fn, backgrounds=backgrounds, args=args,
        random_state=random_state, func=func, additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    tss = span_per_example(tss_tile, run.n_examples, run.length, "tss_tile")
    cre = span_per_example(cre_tile, run.n_examples, run.length, "cre_tile")
    check_apart(cre, tss, "cre_tile", "tss_tile")
    starts = check_positions(positions, tss, cre, run.length)
    P = len(starts)
    y_wt, y_control, y_moved = [], [], []
    with run.running(run.n_examples * (1 + 2 * n + P * n)):
        for examples in run.blocks(run.length * (2 + n)):
            B, codes = len(examples), run.codes(examples)
            y_wt.append(run.wild_type(examples, codes))
            # The original position of the CRE comes first, then the positions.
            places = torch.cat([cre[examples, :1], starts.expand(B, P)], dim=1)[:, :, None]
            rows = torch.arange(B * n).reshape(B, 1, n)
            b = torch.arange(B)[:, None, None]
            with run.control(examples, codes, tss[examples]) as session:
                y_control.append(unflatten(session.predict(), B, n))
                edits = make_edits(rows, places, b, cut(codes, cre[examples]))
                y_moved.append(unflatten(session.predict_edits(edits), B, 1 + P, n))
    moved = concatenate(y_moved)
    y_original, y_mut = map_output(lambda y: y[:, 0], moved), map_output(lambda y: y[:, 1:], moved)
    return DistanceResult(concatenate(y_wt), concatenate(y_control), y_original, y_mut)
