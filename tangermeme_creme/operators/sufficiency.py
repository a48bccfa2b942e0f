"""Find the tiles that are sufficient: embed them, with the TSS tile, in shuffled backgrounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..engine import EngineOptions, concatenate
from ..sequence import RandomState, ShuffleFn, Spans, check_apart, check_spans, integers, make_edits, span_per_example
from .results import SetSufficiencyResult, SufficiencyResult
from .run import cut, prepare_run, unflatten


def sufficiency_test(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tss_tile: Spans,
    tiles: Spans,
    *,
    n: int = 10,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    backgrounds: torch.Tensor | PackedSequence | None = None,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    **kwargs: Unpack[EngineOptions],
) -> SufficiencyResult:
    """Predict the TSS tile in shuffled backgrounds, alone and with one other tile at its original position.

    A tile that moves the prediction without the rest of its context is sufficient: the sufficiency test of CREME [1]_
    (Results, "Are individual CREs sufficient to drive TSS activity?"; Methods, "Sufficiency test"). The same n
    backgrounds serve the control and every tile. Costs ``1 + n + T * n`` sequences per example.

    Departures from creme-nn 0.2.5: the control is predicted once and not redrawn for each tile, a tile over the TSS
    tile is refused, raw predictions of every background, seeded shuffles, and unknown bases stay unknown.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tss_tile: (start, end), or shape=(N, 2)
        0-based half-open span in bp of the tile over the TSS, for all examples or one per example.

    tiles: shape=(T, 2)
        0-based half-open spans in bp. They may overlap each other, but not `tss_tile`.

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

    y_mut: torch.Tensor, shape=(N, T, n, ...), or a list of them

    Raises
    ------
    ValueError
        If X is not one-hot, a tile is empty, leaves the sequence or overlaps the TSS tile, n is below 1, the
        backgrounds have another shape, or the model predicts NaN; the message names the value.

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
    >>> result = sufficiency_test(CountA(), X, (20, 30), [(0, 20), (30, 60)], n=3, random_state=0)
    >>> result.y_control.shape, result.y_mut.shape
    (torch.Size([2, 3, 1]), torch.Size([2, 2, 3, 1]))
    """
    run = prepare_run(
        "sufficiency_test", model, X, n=n, shuffle_fn=shuffle_fn, backgrounds=backgrounds, args=args,
        random_state=random_state, func=func, additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    tss = span_per_example(tss_tile, run.n_examples, run.length, "tss_tile")
    spans = check_spans(tiles, run.length)
    check_apart(spans, tss[:, None], "tiles", "tss_tile")
    T = len(spans)
    y_wt, y_control, y_mut = [], [], []
    with run.running(run.n_examples * (1 + n + T * n)):
        for examples in run.blocks(run.length * (2 + n)):
            B, codes = len(examples), run.codes(examples)
            y_wt.append(run.wild_type(examples, codes))
            content = [row[start:end] for row in codes for start, end in spans.tolist()]
            rows = torch.arange(B * n).reshape(B, 1, n)
            index = torch.arange(B * T).reshape(B, T, 1)
            with run.control(examples, codes, tss[examples]) as session:
                y_control.append(unflatten(session.predict(), B, n))
                edits = make_edits(rows, spans[:, :1], index, content)
                y_mut.append(unflatten(session.predict_edits(edits), B, T, n))
    return SufficiencyResult(concatenate(y_wt), concatenate(y_control), concatenate(y_mut))


def tile_set_sufficiency_test(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tss_tile: Spans,
    tiles: Spans,
    order: torch.Tensor | Sequence[Sequence[int]],
    *,
    n: int = 10,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    backgrounds: torch.Tensor | PackedSequence | None = None,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    **kwargs: Unpack[EngineOptions],
) -> SetSufficiencyResult:
    """Predict the TSS tile in shuffled backgrounds while tiles are added one by one.

    Shows how many of the tiles that a greedy search found necessary are sufficient together: the sufficiency of CRE
    sets of CREME [1]_ (Results, "Identifying minimal sets of CREs that drive TSS activity"; Methods, "Sufficiency of
    CRE sets from higher-order test"). The same n backgrounds serve the control and every set. Costs ``1 + n + R * n``
    sequences per example.

    creme-nn 0.2.5 has no function for this test.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tss_tile: (start, end), or shape=(N, 2)
        0-based half-open span in bp of the tile over the TSS, for all examples or one per example.

    tiles: shape=(T, 2)
        0-based half-open spans in bp, the tiles of `higher_order_interaction_test`. The tiles in `order` must not
        overlap `tss_tile`.

    order: shape=(N, R), or (R,) for all examples
        Index of the tile that each round adds, as in `GreedyResult.order`.

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

    y_mut: torch.Tensor, shape=(N, R, n, ...), or a list of them

    Raises
    ------
    ValueError
        If X is not one-hot, a tile is empty, leaves the sequence or overlaps the TSS tile, `order` names a tile twice
        or a tile that does not exist, the backgrounds have another shape, or the model predicts NaN.

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
    >>> tiles = [(0, 20), (30, 60)]
    >>> y_wt, y_control, y_mut = tile_set_sufficiency_test(CountA(), X, (20, 30), tiles, [1, 0], n=3, random_state=0)
    >>> y_mut.shape, bool((y_mut[:, 1] == y_wt[:, None]).all())   # all tiles are added
    (torch.Size([2, 2, 3, 1]), True)
    """
    run = prepare_run(
        "tile_set_sufficiency_test", model, X, n=n, shuffle_fn=shuffle_fn, backgrounds=backgrounds, args=args,
        random_state=random_state, func=func, additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    tss = span_per_example(tss_tile, run.n_examples, run.length, "tss_tile")
    spans = check_spans(tiles, run.length)
    chosen = _check_order(order, run.n_examples, len(spans))
    check_apart(spans[chosen], tss[:, None], "tiles", "tss_tile", numbers=chosen)
    R = chosen.shape[1]
    y_wt, y_control, y_mut = [], [], []
    with run.running(run.n_examples * (1 + n + R * n)):
        for examples in run.blocks(run.length * (2 + n)):
            B, codes = len(examples), run.codes(examples)
            y_wt.append(run.wild_type(examples, codes))
            b = torch.arange(B)[:, None]
            rows = b * n + torch.arange(n)
            rounds = []
            with run.control(examples, codes, tss[examples]) as session:
                y_control.append(unflatten(session.predict(), B, n))
                for r in range(R):
                    added = spans[chosen[examples, r]]
                    edits = make_edits(rows, added[:, :1], b, cut(codes, added))
                    rounds.append(unflatten(session.predict_edits(edits), B, 1, n))
                    session.commit(edits)
            y_mut.append(concatenate(rounds, axis=1))
    return SetSufficiencyResult(concatenate(y_wt), concatenate(y_control), concatenate(y_mut))


def _check_order(order: torch.Tensor | Sequence[Sequence[int]], n_examples: int, n_tiles: int) -> torch.Tensor:
    chosen = integers(order, "order")
    if chosen.ndim == 1:
        chosen = chosen.expand(n_examples, -1)
    if chosen.ndim != 2 or len(chosen) != n_examples or chosen.shape[1] == 0:
        raise ValueError(f"order must have shape ({n_examples}, R) or (R,); got {tuple(chosen.shape)}.")
    bad = (chosen < 0) | (chosen >= n_tiles)
    if bad.any():
        i, r = bad.nonzero()[0].tolist()
        raise ValueError(f"order must name tiles in [0, {n_tiles}); got {chosen[i, r]} at [{i}, {r}].")
    for i, row in enumerate(chosen.tolist()):
        if len(set(row)) < len(row):
            twice = next(tile for tile in row if row.count(tile) > 1)
            raise ValueError(f"order must name a tile once; got tile {twice} twice for example {i}.")
    return chosen
