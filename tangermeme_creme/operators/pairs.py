"""Find the tiles that depend on each other: shuffle all pairs, alone and together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..engine import EngineOptions, Output, concatenate
from ..sequence import RandomState, ShuffleFn, Spans, check_disjoint, check_spans, make_edits
from .results import InteractionMapResult
from .run import prepare_run, unflatten


def interaction_map(
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
) -> InteractionMapResult:
    """Predict with each tile shuffled alone, and with each pair of tiles shuffled together.

    A greedy search follows one path through the sets of tiles; this test looks at all pairs. The interaction of a pair
    is the effect of both tiles together beyond the effects of each alone: `analysis.interactions.epistasis` compares it
    with the additive expectation of CREME [1]_ (Methods, "Comparison with additive effects"), `log_epistasis` with the
    multiplicative one. The map is neither in the paper nor in creme-nn 0.2.5, whose second greedy round has the pairs
    with one tile.

    Shuffle k of a pair writes shuffle k of both tiles, the same shuffles that are tried alone and that `necessity_test`
    draws for the same seed, so that the noise of a shuffle is on both sides of the comparison. Costs ``1 + T * n + T *
    (T - 1) / 2 * n`` sequences per example: with 38 tiles and 10 shuffles 7,411; an `IncrementalModel` runs all but the
    first in part.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tiles: shape=(T, 2)
        At least two 0-based half-open spans in bp that do not overlap each other.

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

    y_single: torch.Tensor, shape=(N, T, n, ...), or a list of them

    y_pair: torch.Tensor, shape=(N, T * (T - 1) / 2, n, ...), or a list of them
        In the order of `itertools.combinations`: (0, 1), (0, 2), ..., (1, 2), ...

    Raises
    ------
    ValueError
        If X is not one-hot, there are fewer than two tiles, a tile is empty, leaves the sequence or overlaps another,
        n is below 1, or the model predicts NaN; the message names the value.

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
    >>> result = interaction_map(CountA(), X, [(0, 20), (20, 40), (40, 60)], n=4, random_state=0)
    >>> result.y_single.shape, result.y_pair.shape
    (torch.Size([2, 3, 4, 1]), torch.Size([2, 3, 4, 1]))
    """
    run = prepare_run(
        "interaction_map", model, X, n=n, shuffle_fn=shuffle_fn, args=args, random_state=random_state, func=func,
        additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    spans = check_spans(tiles, run.length)
    check_disjoint(spans, "tiles")
    T, width = len(spans), int((spans[:, 1] - spans[:, 0]).sum())
    if T < 2:
        raise ValueError(f"tiles must be at least two to have a pair; got {T}.")
    starts = spans[:, 0]
    y_wt, y_single, y_pair = [], [], []
    with run.running(run.n_examples * (1 + T * n + T * (T - 1) // 2 * n)):
        for examples in run.blocks(run.length * (1 + n) + n * width):
            B, codes = len(examples), run.codes(examples)
            content = run.draw_tiles(examples, codes, spans, n)
            index = torch.arange(B * T * n).reshape(B, T, n)
            y_wt.append(run.wild_type(examples, codes))
            # Row b * n + k is for shuffle k of example b: one tile is written into it, and the others are tried on top.
            rows = torch.arange(B * n).reshape(B, 1, n)
            with run.session(codes.repeat_interleave(n, dim=0), examples.repeat_interleave(n)) as session:
                singles = session.predict_edits(make_edits(rows, starts[:, None], index, content))
                y_single.append(unflatten(singles, B, T, n))
                pairs: list[Output] = []
                for t in range(T - 1):
                    start, end = spans[t].tolist()
                    session.commit(make_edits(rows[:, 0], start, index[:, t], content))
                    edits = make_edits(rows, starts[t + 1 :, None], index[:, t + 1 :], content)
                    pairs.append(unflatten(session.predict_edits(edits), B, T - 1 - t, n))
                    session.commit(make_edits(rows[:, 0], start, torch.arange(B)[:, None], list(codes[:, start:end])))
                y_pair.append(concatenate(pairs, axis=1))
    return InteractionMapResult(concatenate(y_wt), concatenate(y_single), concatenate(y_pair))
