"""Find sets of tiles that drive the prediction together, by a greedy search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..engine import EngineOptions, Objective, resolve_objective
from ..sequence import RandomState, ShuffleFn, Spans, check_choice, check_count, check_disjoint, check_spans, make_edits
from ._greedy import GreedyRounds
from ._ties import first_best, rounding
from .results import GreedyResult
from .run import prepare_run


def higher_order_interaction_test(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tiles: Spans,
    *,
    direction: str,
    objective: Objective | None = None,
    rounds: int | None = None,
    n: int = 10,
    carry: str = "closest",
    n_holdout: int = 0,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    **kwargs: Unpack[EngineOptions],
) -> GreedyResult:
    """Shuffle tile after tile, in each round the one that moves the prediction furthest.

    Each round shuffles every remaining tile on the sequence that the last round carried on, and fixes the tile with the
    lowest ("min", enhancers) or highest ("max", silencers) mean objective: the higher-order interaction test
    of CREME [1]_ (Results, "Identifying minimal sets of CREs that drive TSS activity"; Methods, "Higher-order tile
    interaction test"). The shuffles of a tile are the same in every round. Costs ``1 + sum((T - r) * n for r in
    range(R)) + R * n_holdout`` sequences per example.

    Departures from creme-nn 0.2.5: the objective is the mean over all output axes and not over track 0 only (although
    its `initial_pred` is over all tracks), all n shuffles can be carried on, the chosen tile can be estimated again
    from fresh shuffles, the tiles of the caller are not modified, tiles must not overlap, more rounds than tiles are
    refused before anything is computed, seeded shuffles.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tiles: shape=(T, 2)
        0-based half-open spans in bp that do not overlap each other.

    direction: "min" or "max"
        Whether each round looks for the lowest or the highest mean objective.

    objective: callable or None, optional
        From the predictions of a batch to one number per sequence, shape (B,). None is the mean over all output axes.
        Default is None.

    rounds: int or None, optional
        R, the number of rounds. None is the number of tiles. Default is None.

    n: int, optional
        Shuffles per tile. The first k of n equal a run with n=k in the first round. Default is 10.

    carry: "closest" or "all", optional
        What the next round starts from: "closest" carries the one shuffle of the chosen tile whose objective is nearest
        to the mean, as in the reference; "all" carries all n, so that lineage k holds shuffle k of every fixed tile.
        Default is "closest".

    n_holdout: int, optional
        How many fresh shuffles estimate the chosen tile again, since selection makes the winner look better than it is.
        They are the next shuffles of the random stream of the tile, and are written into the sequence that the round
        started from (with carry="all" into lineages 0, 1, ... in turn). Default is 0.

    shuffle_fn: callable, optional
        A function with tangermeme's signature ``(X, start, end, n, random_state)``; it gets the tile only. Default
        is `tangermeme.ersatz.dinucleotide_shuffle`.

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
    result: GreedyResult
        `order` (N, R), `y_start` (N, R + 1), `y_candidates` (N, R, T, n) with NaN for tiles already fixed, `y_selected`
        (N, R) and `y_holdout` (N, R) or None.

    Raises
    ------
    ValueError
        If X is not one-hot, a tile is empty, leaves the sequence or overlaps another, there are more rounds than tiles,
        `direction` or `carry` is unknown, or the model predicts NaN; the message names the value.

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
    >>> result = higher_order_interaction_test(CountA(), X, [(0, 20), (30, 60)], direction="min", n=3, random_state=0)
    >>> result.order.tolist(), result.y_start.shape   # a shuffle keeps the counts, so tiles tie and the first is taken
    ([[0, 1], [0, 1]], torch.Size([2, 3]))
    """
    check_choice("direction", direction, "min", "max")
    check_choice("carry", carry, "closest", "all")
    check_count("n_holdout", n_holdout, minimum=0)
    run = prepare_run(
        "higher_order_interaction_test", model, X, n=n, shuffle_fn=shuffle_fn, args=args, random_state=random_state,
        func=func, additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    spans = check_spans(tiles, run.length)
    check_disjoint(spans, "tiles")
    T, width = len(spans), int((spans[:, 1] - spans[:, 0]).sum())
    R = T if rounds is None else rounds
    check_count("rounds", R, minimum=None)
    if not 1 <= R <= T:
        raise ValueError(f"rounds must be between 1 and the number of tiles, {T}; got {R}.")
    goal = resolve_objective(objective)
    lineages = n if carry == "all" else 1
    drawn = n + n_holdout
    cost = 1 + sum((T - r) * n for r in range(R)) + R * n_holdout
    parts: list[tuple[torch.Tensor, ...]] = []
    with run.running(run.n_examples * cost):
        for examples in run.blocks(run.length * (1 + lineages) + drawn * width):
            B, codes = len(examples), run.codes(examples)
            content = run.draw_tiles(examples, codes, spans, drawn)
            index = torch.arange(B * T * drawn).reshape(B, T, drawn)
            b = torch.arange(B)
            with run.session(codes, examples) as session:
                y_start = [session.predict(objective=goal)]
            order, y_candidates, y_selected, y_holdout = [], [], [], []
            repeated = examples.repeat_interleave(lineages)
            with run.session(codes.repeat_interleave(lineages, dim=0), repeated) as session:
                search = GreedyRounds(
                    session, spans[:, 0].expand(B, T), index[:, :, :n], content,
                    objective=goal, direction=direction, lineages=lineages,
                )  # fmt: skip
                for _ in range(R):
                    values, best, mean = search.try_all()
                    if n_holdout:
                        rows = b[:, None] * lineages + torch.arange(n_holdout) % lineages
                        edits = make_edits(rows, spans[best, :1], index[b, best, n:], content)
                        fresh = session.predict_edits(edits, objective=goal)
                        y_holdout.append(fresh.reshape(B, n_holdout).double().mean(1).to(values.dtype))  # type: ignore[union-attr]
                    chosen = values[b, best]
                    nearest = first_best(-(chosen.double() - mean[:, None]).abs(), rounding(chosen))
                    search.fix(best, torch.arange(n) if carry == "all" else nearest[:, None])
                    order.append(best)
                    y_candidates.append(values)
                    y_selected.append(mean.to(values.dtype))
                    y_start.append(y_selected[-1] if carry == "all" else chosen[b, nearest])
            rounds_ = [order, y_start, y_candidates, y_selected, *([y_holdout] if n_holdout else [])]
            parts.append(tuple(torch.stack(part, dim=1) for part in rounds_))  # type: ignore[arg-type]
    fields: list[Any] = [torch.cat(field) for field in zip(*parts)]
    if not n_holdout:
        fields.append(None)
    return GreedyResult(*fields)
