"""Measure how much of the effect of a CRE its most important bases keep, for any ranking of its bases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Unpack

import numpy as np
import pandas as pd
import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ...engine import CodesSession, EngineOptions, Objective, resolve_objective
from ...operators import (
    CreScore,
    Labels,
    direction_per_example,
    labelled,
    prepare_run,
    scored_by_effect,
    warn_of_no_effect,
)
from ...sequence import RandomState, ShuffleFn, Spans, check_apart, check_one_width, make_edits, span_per_example
from .rankings import check_ranking, points, removal_order

# The points of a curve are predicted in groups whose contents take about this many bytes.
_POOL_BASES = 2**24


class RetentionResult(NamedTuple):
    """Result of `retention_curve`.

    Parameters
    ----------
    bp_kept: torch.Tensor, shape=(P,), dtype=int64
        How many of the most important bases are kept: the whole CRE first, then fewer, and none last.

    score: torch.Tensor, shape=(N, D, P), dtype=float64
        The score with these bases, as in the search; NaN for a CRE that has no score.

    y_kept: torch.Tensor, shape=(N, D, P, n)
        The objective behind the score, in each background. [..., -1] is the control.

    order: torch.Tensor, shape=(N, D, W), dtype=int64
        Positions in the CRE, the least important first: the order in which they were replaced.
    """

    bp_kept: torch.Tensor
    score: torch.Tensor
    y_kept: torch.Tensor
    order: torch.Tensor

    def kept(self, bp: torch.Tensor) -> torch.Tensor:
        """Return the bases that are kept at `bp`, shape (N, D), as one flag per base of the CRE, shape (N, D, W)."""
        place = self.order.argsort(-1)
        return place >= self.order.shape[-1] - bp[..., None]

    def to_frame(self, *, ids: Labels = None) -> pd.DataFrame:
        """Return one row per (example, draw, kept bp): `example`, `draw`, `bp_kept`, `score`."""
        N, D, P = self.score.shape
        names = labelled("example", N, ids, "ids")["example"]
        return pd.DataFrame(
            {
                "example": np.repeat(names, D * P),
                "draw": np.tile(np.repeat(np.arange(D), P), N),
                "bp_kept": np.tile(self.bp_kept.numpy(), N * D),
                "score": self.score.reshape(-1).numpy(),
            }
        )


def retention_curve(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tss_tile: Spans,
    cre_tile: Spans,
    ranking: torch.Tensor,
    *,
    steps: int | Sequence[int] = 50,
    direction: str | Sequence[str] = "max",
    score: str | None = None,
    objective: Objective | None = None,
    n: int = 10,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    backgrounds: torch.Tensor | PackedSequence | None = None,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    **kwargs: Unpack[EngineOptions],
) -> RetentionResult:
    """Replace the least important bases of a CRE by background, step by step, and score the kept bases.

    The paper compares the fine-tile search with such curves (Toneyan & Koo 2024, Fig. 3b and c; Methods, "Fine-tile
    search"): the TSS tile and the CRE in shuffled backgrounds, as in the search, with the bases that a ranking puts
    last replaced by background. With the same backgrounds, or the same `random_state`, a curve and a search are scored
    on the same sequences.

    Costs ``2 n`` sequences per example for the whole CRE and the control, and ``n`` per further step and draw.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tss_tile: (start, end), or shape=(N, 2)
        0-based half-open span in bp of the tile over the TSS, for all examples or one per example.

    cre_tile: (start, end), or shape=(N, 2)
        0-based half-open span in bp of the CRE, of the same length W in all examples. It must not overlap `tss_tile`.

    ranking: torch.Tensor, shape=(N, W) or (N, D, W)
        The importance of each base of the CRE, numbers or a mask; bases with a larger one are kept longer. D rankings
        per example, or one. Equal bases are put in random order, so that the bases of a mask are kept longest, and a
        constant ranking is the random baseline.

    steps: int or sequence of int, optional
        An int is how many bp each step replaces; a sequence is how many bp are kept at each step, in any order. All and
        none are always added. Default is 50.

    direction, score, objective: optional
        As in `fine_tile_search`.

    n, shuffle_fn, backgrounds, args, random_state, func, additional_func_kwargs, **kwargs: optional
        As in `fine_tile_search`. Draw d of an example breaks ties by the seed of the example and d.

    Returns
    -------
    result: RetentionResult
        `bp_kept`, `score`, `y_kept` and `order`.

    Raises
    ------
    ValueError
        If X is not one-hot, a tile is empty, leaves the sequence or overlaps the TSS tile, the CREs differ in length,
        the ranking has another shape or holds NaN, a step is beyond the CRE, the backgrounds have another shape, or
        the model predicts NaN.

    Warns
    -----
    TangermemeWarning
        If the whole CRE of an example has no score, as in `fine_tile_search`. Its scores are NaN.

    Examples
    --------
    A model that looks for eight A in one place inside the CRE, and a ranking that puts this place first:

    >>> class EightA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return 1 + X[:, :1, 120:128].prod(-1)
    >>> X = torch.eye(4)[:, torch.arange(200) % 4][None]
    >>> X[:, :, 120:128] = torch.tensor([1.0, 0, 0, 0])[:, None]
    >>> ranking = torch.zeros(1, 50)
    >>> ranking[:, 20:28] = 1
    >>> result = retention_curve(EightA(), X, (0, 50), (100, 150), ranking, steps=[8, 4], n=2, random_state=0)
    >>> result.bp_kept.tolist(), result.score[0, 0].tolist()
    ([50, 8, 4, 0], [1.0, 1.0, 0.5, 0.5])
    """
    run = prepare_run(
        "retention_curve", model, X, n=n, shuffle_fn=shuffle_fn, backgrounds=backgrounds, args=args,
        random_state=random_state, func=func, additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    tss = span_per_example(tss_tile, run.n_examples, run.length, "tss_tile")
    cre = span_per_example(cre_tile, run.n_examples, run.length, "cre_tile")
    check_apart(cre, tss, "cre_tile", "tss_tile")
    width = check_one_width(cre, "cre_tile")
    directions = direction_per_example(direction, run.n_examples)
    by_effect = [scored_by_effect(score, each) for each in directions]
    order = removal_order(check_ranking(ranking, run.n_examples, width), run.seeds)
    bp_kept = points(steps, width)
    goal = resolve_objective(objective)

    y_kept, scores, without_effect = [], [], []
    with run.running(run.n_examples * n * (2 + order.shape[1] * (len(bp_kept) - 2))):
        for i in range(run.n_examples):
            example = torch.tensor([i])
            codes = run.codes(example)
            start, end = cre[i].tolist()
            with run.control(example, codes, tss[example]) as session:
                y = _curves(session, codes[0, start:end], start, order[i], bp_kept, goal)
            means = y.double().mean(-1)
            control, whole = float(means[0, -1]), float(means[0, 0])
            value = CreScore(directions[i], by_effect[i], control if by_effect[i] else 0.0, whole)
            if not value.defined:
                without_effect.append(i)
            scores.append(value(means) if value.defined else torch.full_like(means, torch.nan))
            y_kept.append(y)
    warn_of_no_effect(without_effect, run.n_examples)
    return RetentionResult(torch.tensor(bp_kept), torch.stack(scores), torch.stack(y_kept), order)


def _curves(
    session: CodesSession, cre: torch.Tensor, start: int, order: torch.Tensor, bp_kept: list[int], goal: Objective
) -> torch.Tensor:
    """Predict the objective of each point of each draw in each background, shape (D, P, n).

    `session` holds the control, `cre` the base codes of the CRE, shape (W,).
    """
    n, width = len(session), len(cre)
    background = session.cut(start, start + width)
    y_control = session.predict(objective=goal)
    y_whole = session.predict_edits(
        make_edits(torch.arange(n), torch.tensor(start), torch.tensor(0), [cre]), objective=goal
    )
    assert isinstance(y_control, torch.Tensor)
    assert isinstance(y_whole, torch.Tensor)
    y = torch.empty((len(order), len(bp_kept), n), dtype=y_whole.dtype)
    y[:, 0], y[:, -1] = y_whole, y_control
    between = torch.arange(1, len(bp_kept) - 1)
    for d in range(len(order)):
        for group in between.split(max(1, _POOL_BASES // (n * width))) if len(between) else ():
            starts: list[int] = []
            contents: list[torch.Tensor] = []
            for p in group.tolist():
                kept = order[d, width - bp_kept[p] :]
                # Outside the outermost kept bases the control has background already.
                low, high = int(kept.min()), int(kept.max()) + 1
                content = background[:, low:high].clone()
                content[:, kept - low] = cre[kept]
                starts.append(start + low)
                contents.extend(content)
            index = torch.arange(len(contents)).reshape(len(starts), n)
            edits = make_edits(torch.arange(n), torch.tensor(starts)[:, None], index, contents)
            values = session.predict_edits(edits, objective=goal)
            assert isinstance(values, torch.Tensor)
            y[d, group] = values.reshape(len(starts), n)
    return y
