"""Find the bases of a CRE that carry its effect, by a nested greedy search that prunes the CRE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Unpack

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from ..engine import EngineOptions, Objective, resolve_objective
from ..sequence import RandomState, ShuffleFn, Span, Spans, check_apart, check_one_width, span_per_example
from .pruning import Pruning, check_stages
from .results import FineTileResult, FineTileStep
from .run import as_span, prepare_run
from .scores import direction_per_example, scored_by_effect, warn_of_no_effect


def fine_tile_search(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tss_tile: Spans,
    cre_tile: Spans,
    *,
    scales: Sequence[int] = (500, 50),
    thresholds: Sequence[float] = (0.9, 0.7),
    prune: Sequence[int] = (1, 10),
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
) -> FineTileResult:
    """Prune a CRE to the few sub-tiles that carry its effect.

    Starts from the TSS tile and the whole CRE in shuffled backgrounds. Each round of a stage replaces by background the
    `prune` sub-tiles whose removal hurts least, while the score stays on the right side of the threshold; the next
    stage cuts the kept sub-tiles into finer ones: the fine-tile search of CREME [1]_ (Results, "Fine-mapping sufficient
    sequence elements within CREs"; Methods, "Fine-tile search"). Sub-tiles are replaced by background, never shuffled.

    One call searches one CRE per example, enhancers and silencers alike; for several CREs of one window, repeat the
    window as several examples. To search down to 10 bp, in three stages, use ``scales=(500, 50, 10), thresholds=(0.9,
    0.8, 0.7), prune=(1, 10, 5)``.

    Costs ``n`` sequences per example for the whole CRE and, with score="effect", ``n`` for the control; then ``C * n``
    per round for C remaining sub-tiles, and ``n`` for each block of more than one sub-tile that is tried. A stage of C
    sub-tiles that prunes them one by one costs at most ``C * (C + 1) / 2 * n``.

    Departures from creme-nn 0.2.5: the step that crosses the threshold is also undone in the scores and in the removed
    spans; a block that would cross is tried again smaller, down to 1; a tail shorter than the scale is a sub-tile;
    sub-tiles stay inside the CRE and do not overlap (there is no `frac`); all of them may be removed; the leftmost of
    equal sub-tiles is removed first, not the rightmost; silencers are scored by their effect; a threshold that the
    whole CRE does not meet is refused.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tss_tile: (start, end), or shape=(N, 2)
        0-based half-open span in bp of the tile over the TSS, for all examples or one per example.

    cre_tile: (start, end), or shape=(N, 2)
        0-based half-open span in bp of the CRE, of the same length in all examples. It must not overlap `tss_tile`.

    scales: sequence of int, optional
        Length in bp of the sub-tiles of each stage. Default is (500, 50).

    thresholds: sequence of float, optional
        The score that each stage stays above; with direction="min" and score="activity", stays below. Default is
        (0.9, 0.7).

    prune: sequence of int, optional
        How many sub-tiles each stage removes per round. Default is (1, 10).

    direction: "max" or "min", or one per example, optional
        "max" for an enhancer, "min" for a silencer. Default is "max".

    score: "activity", "effect" or None, optional
        "activity" is the mean objective over that of the whole CRE, as in the paper; "effect" is (MUT - CONTROL) /
        (WHOLE - CONTROL), the same for enhancers and silencers. None is "activity" for "max" and "effect" for "min".
        Default is None.

    objective: callable or None, optional
        From the predictions of a batch to one number per sequence, shape (B,). None is the mean over all output axes.
        Default is None.

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
        (False) shows a progress bar with the CRE, the stage and the bp left. Further arguments go to your own `func`,
        as `additional_func_kwargs` do, which type checkers accept.

    Returns
    -------
    kept: list of N lists of (start, end)
        The kept spans, in bp of the window.

    mask: torch.Tensor, shape=(N, cre_length), dtype=bool
        The same spans as one flag per base of the CRE.

    trace: list of N lists of FineTileStep
        Stage, kept bp, score and removed spans of each step; the first step is the whole CRE.

    Raises
    ------
    ValueError
        If X is not one-hot, a tile is empty, leaves the sequence or overlaps the TSS tile, the CREs differ in length,
        the stages do not match, a threshold cannot be met, the backgrounds have another shape, or the model predicts
        NaN.

    Warns
    -----
    TangermemeWarning
        If the whole CRE of an example has no score: an activity that is not positive, or no effect in the asked
        direction. The whole CRE is kept, and the score is NaN.

    References
    ----------
    .. [1] Toneyan S, Koo PK. Interpreting cis-regulatory interactions from large-scale deep neural networks.
       Nature Genetics 2024. https://doi.org/10.1038/s41588-024-01923-3

    Examples
    --------
    A model that counts runs of A; the CRE holds one run:

    >>> class RunsOfA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return 1 + torch.nn.functional.avg_pool1d(X[:, :1], 8, 1).eq(1).sum(-1)
    >>> X = torch.eye(4)[:, torch.arange(200) % 4][None]
    >>> X[:, :, 120:128] = torch.tensor([1.0, 0, 0, 0])[:, None]
    >>> result = fine_tile_search(RunsOfA(), X, (0, 50), (100, 150), scales=(10,), prune=(1,), thresholds=(0.9,),
    ...                           n=2, random_state=0)
    >>> result.kept
    [[(120, 130)]]
    """
    run = prepare_run(
        "fine_tile_search", model, X, n=n, shuffle_fn=shuffle_fn, backgrounds=backgrounds, args=args,
        random_state=random_state, func=func, additional_func_kwargs=additional_func_kwargs, kwargs=kwargs,
    )  # fmt: skip
    tss = span_per_example(tss_tile, run.n_examples, run.length, "tss_tile")
    cre = span_per_example(cre_tile, run.n_examples, run.length, "cre_tile")
    check_apart(cre, tss, "cre_tile", "tss_tile")
    width = check_one_width(cre, "cre_tile")
    directions = direction_per_example(direction, run.n_examples)
    by_effect = [scored_by_effect(score, each) for each in directions]
    for each, by in set(zip(directions, by_effect)):
        stages = check_stages(scales, thresholds, prune, below=each == "min" and not by)
    goal = resolve_objective(objective)

    kept: list[list[Span]] = []
    trace: list[list[FineTileStep]] = []
    without_effect: list[int] = []
    with run.running(None):
        for i in range(run.n_examples):
            example = torch.tensor([i])
            codes = run.codes(example)
            progress = f"CRE {i + 1} of {run.n_examples}"
            run.bar.set_postfix_str(f"{progress}, whole")
            with run.control(example, codes, tss[example]) as session:
                pruning = Pruning(
                    session, codes[0], as_span(cre[i]), objective=goal, direction=directions[i], by_effect=by_effect[i],
                    report=partial(_show_progress, run.bar, progress),
                )  # fmt: skip
                if pruning.defined:
                    for k, stage in enumerate(stages):
                        pruning.run_stage(k, stage)
                else:
                    without_effect.append(i)
                kept.append(pruning.kept_spans())
                trace.append(pruning.trace)
    warn_of_no_effect(without_effect, run.n_examples)
    mask = torch.zeros((run.n_examples, width), dtype=torch.bool)
    for i, spans in enumerate(kept):
        for start, end in spans:
            mask[i, start - cre[i, 0] : end - cre[i, 0]] = True
    return FineTileResult(kept, mask, trace)


def _show_progress(bar: Any, progress: str, stage: int, bp: int) -> None:
    bar.set_postfix_str(f"{progress}, stage {stage + 1}, {bp} bp left")
