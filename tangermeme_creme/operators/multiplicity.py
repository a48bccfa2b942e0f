"""Measure how the prediction responds to dosage: add copies of one CRE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..engine import EngineOptions, Objective, resolve_objective
from ..sequence import (
    RandomState,
    ShuffleFn,
    Spans,
    check_apart,
    check_choice,
    check_count,
    check_disjoint,
    make_edits,
    span_per_example,
)
from ._greedy import GreedyRounds
from .results import MultiplicityResult
from .run import check_positions, cut, prepare_run


def multiplicity_test(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tss_tile: Spans,
    cre_tile: Spans,
    positions: torch.Tensor | Sequence[int],
    *,
    direction: str,
    objective: Objective | None = None,
    copies: int = 15,
    n: int = 10,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    backgrounds: torch.Tensor | PackedSequence | None = None,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    **kwargs: Unpack[EngineOptions],
) -> MultiplicityResult:
    """Add copies of a CRE to shuffled backgrounds, each at the position that moves the prediction furthest.

    Whether the prediction levels off shows how it responds to dosage: the multiplicity test of CREME [1]_ (Results,
    "How does Enformer respond to dosage of CREs?"; Methods, "Multiplicity test"). Each round tries the CRE at every
    remaining position and chooses the one with the best mean; all n backgrounds are carried on. Costs ``2 * n + sum((P
    - r) * n for r in range(copies))`` sequences per example.

    Departures from creme-nn 0.2.5: the control and the CRE at its original position are returned per background, any
    objective may be used, a position over the TSS tile or over another position is refused, more copies than positions
    are refused before anything is computed, seeded shuffles.

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
        Starts of the copies in bp. A copy must lie inside the sequence and overlap neither `tss_tile` nor a copy at
        another position.

    direction: "min" or "max"
        Whether each round looks for the lowest or the highest mean objective.

    objective: callable or None, optional
        From the predictions of a batch to one number per sequence, shape (B,). None is the mean over all output axes.
        Default is None.

    copies: int, optional
        R, how many copies are added. Default is 15, as in the paper.

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
    result: MultiplicityResult
        Values of the objective: `y_control` (N, n), `y_original` (N, n), `positions` (N, R), `y_candidates`
        (N, R, P, n) with NaN for positions that have a copy, `y_selected` (N, R).

    Raises
    ------
    ValueError
        If X is not one-hot, a tile is empty, leaves the sequence or overlaps the TSS tile, positions overlap, there are
        more copies than positions, the backgrounds have another shape, or the model predicts NaN.

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
    >>> result = multiplicity_test(
    ...     CountA(), X, (20, 30), (40, 50), [0, 10, 30], direction="max", copies=2, n=3, random_state=0
    ... )
    >>> result.positions.shape, result.y_candidates.shape
    (torch.Size([2, 2]), torch.Size([2, 2, 3, 3]))
    """
    check_choice("direction", direction, "min", "max")
    run = prepare_run(
        "multiplicity_test", model, X, n=n, shuffle_fn=shuffle_fn, backgrounds=backgrounds, args=args,
        random_state=random_state, func=func, additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    tss = span_per_example(tss_tile, run.n_examples, run.length, "tss_tile")
    cre = span_per_example(cre_tile, run.n_examples, run.length, "cre_tile")
    check_apart(cre, tss, "cre_tile", "tss_tile")
    starts = check_positions(positions, tss, cre, run.length)
    P = len(starts)
    check_disjoint(torch.stack([starts, starts + (cre[:, 1] - cre[:, 0]).max()], dim=1), "positions")
    check_count("copies", copies, minimum=None)
    if not 1 <= copies <= P:
        raise ValueError(f"copies must be between 1 and the number of positions, {P}; got {copies}.")
    goal = resolve_objective(objective)
    cost = 2 * n + sum((P - r) * n for r in range(copies))
    parts: list[tuple[torch.Tensor, ...]] = []
    with run.running(run.n_examples * cost):
        for examples in run.blocks(run.length * (2 + n)):
            B, codes = len(examples), run.codes(examples)
            content = cut(codes, cre[examples])
            b = torch.arange(B)
            chosen, y_candidates, y_selected = [], [], []
            with run.control(examples, codes, tss[examples]) as session:
                y_control = session.predict(objective=goal)
                rows = torch.arange(B * n).reshape(B, n)
                edits = make_edits(rows, cre[examples, :1], b[:, None], content)
                y_original = session.predict_edits(edits, objective=goal)
                search = GreedyRounds(
                    session, starts.expand(B, P), b[:, None, None].expand(B, P, n), content,
                    objective=goal, direction=direction, lineages=n,
                )  # fmt: skip
                for _ in range(copies):
                    values, best, mean = search.try_all()
                    search.fix(best, torch.arange(n))
                    chosen.append(starts[best])
                    y_candidates.append(values)
                    y_selected.append(mean.to(values.dtype))
            before = [y.reshape(B, n) for y in (y_control, y_original)]  # type: ignore[union-attr]
            parts.append((*before, *(torch.stack(part, dim=1) for part in (chosen, y_candidates, y_selected))))
    return MultiplicityResult(*(torch.cat(field) for field in zip(*parts)))
