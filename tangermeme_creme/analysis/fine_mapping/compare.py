"""The fine-tile search beside attributions, motif hits and random bases: which keeps the effect with fewest bases."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import PackedSequence

from ...engine import ActivationCache, Objective
from ...engine.incremental import IncrementalModel
from ...operators import (
    NO_EFFECT,
    Labels,
    check_stages,
    check_threshold,
    direction_per_example,
    labelled,
    prepare,
    scored_by_effect,
    warn_of_no_effect,
)
from ...sequence import RandomState, ShuffleFn, Spans, check_apart, check_count, check_one_width, span_per_example
from ._comparison_tables import FineMappingComparison, gather
from ._one_cre import Answers, Locus, compare_one
from .attribution import captum_attribution
from .curves import area_under_curve, even_thresholds, fewest_bp, summarize_curves
from .methods import METHODS, check_methods
from .motifs import Motifs, check_p_value, motif_hits, motif_mask, read_motifs
from .overlap import Truth, truth_mask
from .rankings import check_ranking, points, random_ranking
from .retention import RetentionResult, retention_curve

__all__ = [
    "METHODS",
    "FineMappingComparison",
    "RetentionResult",
    "area_under_curve",
    "captum_attribution",
    "compare_fine_mapping",
    "fewest_bp",
    "motif_hits",
    "motif_mask",
    "random_ranking",
    "retention_curve",
    "summarize_curves",
]


def compare_fine_mapping(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    tss_tile: Spans,
    cre_tile: Spans,
    *,
    methods: Sequence[str] = (
        "search",
        "saliency",
        "saliency_absolute",
        "input_x_gradient_absolute",
        "integrated_gradients",
        "integrated_gradients_absolute",
        "random",
    ),
    rankings: Mapping[str, torch.Tensor] | None = None,
    motifs: Motifs | None = None,
    motif_threshold: float = 1e-4,
    truth: Truth | None = None,
    loci: pd.DataFrame | None = None,
    ids: Labels = None,
    attribute_in: str = "wild_type",
    threshold: float = 0.8,
    steps: int | Sequence[int] = 50,
    draws: int = 10,
    n_steps: int = 50,
    scales: Sequence[int] = (500, 50),
    thresholds: Sequence[float] | None = None,
    prune: Sequence[int] = (1, 10),
    direction: str | Sequence[str] = "max",
    score: str | None = None,
    objective: Objective | None = None,
    n: int = 10,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    backgrounds: torch.Tensor | PackedSequence | None = None,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    **kwargs: Any,
) -> FineMappingComparison:
    """Prune CREs by the fine-tile search, by attributions, by motif hits and at random, on the same backgrounds.

    The comparison of CREME's Figure 3b to e (Toneyan & Koo 2024; Results, "Fine-mapping sufficient sequence elements
    within CREs"; Methods, "Fine-tile search"), for any model. Every method is scored as the search is, by
    `retention_curve`. One CRE is compared at a time, so that memory does not grow with their number.

    Costs an example what `fine_tile_search` does, ``(2 + (P - 2) * draws) * n`` for "random", ``P * n`` for each other
    method with P points, and what `captum_attribution` does for each attribution: n times that with
    ``attribute_in="backgrounds"``, but for DeepLIFT, which has n pairs of sequences either way. The search alone costs
    ``2 * n`` more. Of an `IncrementalModel` the sequence and the controls run through `local` once.

    Departures from the paper: integrated gradients, DeepLIFT and the absolute values are compared too; random bases are
    averaged over draws; motif hits are those of FIMO on given motifs, with both strands.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works and, for attributions, can be differentiated.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tss_tile, cre_tile: (start, end), or shape=(N, 2)
        0-based half-open spans in bp, for all examples or one each: the tile over the TSS, and the CRE, of one length W
        in all examples. The two must not overlap.

    methods: sequence of str, optional
        Of `METHODS`. "search" is the fine-tile search, "random" the mean of random rankings, "motifs" keeps the bases
        in motif hits for longest. "saliency" ranks bases by the gradient at the observed base, which is
        "input_x_gradient"; "saliency_absolute" by the largest gradient of the four bases, unless the base is unknown;
        any other with "_absolute" by the absolute value. "corrected_saliency" and "deep_lift_shap" are tangermeme's;
        DeepLIFT has rules for modules only. Default is the search, Captum's three methods and random.

    rankings: mapping of str to torch.Tensor, shape=(N, W) or (N, D, W), or None, optional
        Rankings of one's own, by name, larger to be kept for longer. Default is None.

    motifs, motif_threshold: optional
        Of "motifs": as in `motif_hits`.

    truth: path, pandas.DataFrame or None, optional
        Known elements to compare the kept bases with: with `loci`, a BED file or a table of `chrom`, `start` and `end`;
        without, a table of `example`, `start` and `end` in bp of the window. Default is None.

    loci: pandas.DataFrame or None, optional
        `chrom`, `tss` (its 0-based base) and `strand` of each example, whose window is centred on it. Default is None.

    ids: sequence or None, optional
        N names for column `example`, no two alike. Default is None, 0 to N - 1.

    attribute_in: "wild_type" or "backgrounds", optional
        Where attributions are taken: in the sequence itself, as in the paper; or in the sequences that are scored, the
        CRE and the TSS tile in each of the n backgrounds, and averaged. There integrated gradients start from, and
        DeepLIFT compares with, the same background without the CRE; in the wild type the first start where all four
        bases are 0.25, and the second compares with the backgrounds. Default is "wild_type".

    threshold: float, optional
        Of the fewest bp: below 1, or above for a silencer by activity. Default is 0.8.

    steps, draws: optional
        Of the curves: as in `retention_curve`, and how many random rankings. Default is 50 bp and 10.

    n_steps: int, optional
        Of integrated gradients. Default is 50.

    scales, thresholds, prune, direction, score, objective: optional
        Of the search: as in `fine_tile_search`, but that thresholds of None go in even steps from 1 to `threshold`, so
        that the search ends where it is counted: (0.9, 0.8). For attributions the objective must be differentiable.

    n, shuffle_fn, backgrounds, args, random_state, **kwargs: optional
        As in `fine_tile_search`, but for `func`: `batch_size`, `dtype`, `device`, `incremental`, `cache` and `verbose`.

    Returns
    -------
    comparison: FineMappingComparison

    Raises
    ------
    ValueError
        If a method is unknown, or an argument is not as above or in the functions named there.

    MemoryError
        If the gradients of a sequence do not fit.

    Warns
    -----
    TangermemeWarning
        If the whole CRE of an example has no score to keep: its scores are NaN.

    Examples
    --------
    >>> class EightA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return 1 + X[:, :1, 120:128].prod(-1)
    >>> X = torch.eye(4)[:, torch.arange(200) % 4][None]
    >>> X[:, :, 120:128] = torch.tensor([1.0, 0, 0, 0])[:, None]
    >>> result = compare_fine_mapping(EightA(), X, (0, 50), (100, 150), methods=["search", "saliency", "random"],
    ...                               scales=(10, 2), prune=(1, 1), steps=2, n=2, random_state=0)
    >>> result.summary.set_index("method")["fewest_bp"].to_dict()
    {'search': 8.0, 'saliency': 8.0, 'random': 45.0}
    """
    engine = {name: value for name, value in kwargs.items() if name != "verbose"}
    run = prepare(
        "compare_fine_mapping", model, X, n=n, shuffle_fn=shuffle_fn, backgrounds=backgrounds, args=args,
        random_state=random_state, kwargs=kwargs,
    )  # fmt: skip
    N = run.n_examples
    tss = span_per_example(tss_tile, N, run.length, "tss_tile")
    cre = span_per_example(cre_tile, N, run.length, "cre_tile")
    check_apart(cre, tss, "cre_tile", "tss_tile")
    width = check_one_width(cre, "cre_tile")
    directions = direction_per_example(direction, N)
    below = [each == "min" and not scored_by_effect(score, each) for each in directions]
    mine = {name: check_ranking(values, N, width, name) for name, values in (rankings or {}).items()}
    asked = check_methods(methods, motifs, list(mine))
    check_count("draws", draws)
    check_count("n_steps", n_steps)
    check_p_value(motif_threshold, "motif_threshold")
    points(steps, width)
    stops = even_thresholds(threshold, len(scales)) if thresholds is None else thresholds
    for silencer in sorted(set(below)):
        check_threshold(threshold, below=silencer)
        check_stages(scales, stops, prune, below=silencer)
    if attribute_in not in ("wild_type", "backgrounds"):
        raise ValueError(f"attribute_in must be 'wild_type' or 'backgrounds'; got {attribute_in!r}.")
    names = labelled("example", N, ids, "ids")["example"].tolist()
    again = pd.Index(names).duplicated()
    if again.any():
        raise ValueError(f"ids must be names of their own; got {names[int(again.argmax())]!r} twice.")
    known = None if truth is None else truth_mask(truth, cre, ids=names, loci=loci, length=run.length)
    options: dict[str, Any] = {
        "motifs": None if motifs is None else read_motifs(motifs), "motif_threshold": motif_threshold,
        "in_backgrounds": attribute_in == "backgrounds", "n_steps": n_steps, "steps": steps, "draws": draws,
        "search": {"scales": scales, "thresholds": stops, "prune": prune}, "threshold": threshold,
    }  # fmt: skip
    caches = isinstance(model, IncrementalModel) and engine.get("incremental") is not False
    answers: list[Answers] = []
    with run.running(N * len(asked), unit="method"), warnings.catch_warnings():
        # Of every method on its own, and of an example 0; said once of all below.
        warnings.filterwarnings("ignore", message=f".*{NO_EFFECT}")
        warnings.filterwarnings("ignore", message="tangermeme's predict casts")
        for i in range(N):
            example = torch.tensor([i])
            drawn = PackedSequence.from_codes(run.draw_backgrounds(example, run.codes(example))).reshape(1, n)
            shared: dict[str, Any] = {"args": _rows(args, i), "objective": objective, **engine}
            if caches and engine.get("cache") is None:
                shared["cache"] = ActivationCache()
            seed = run.seeds[i]
            common = {
                **shared, "n": n, "backgrounds": drawn, "random_state": [seed], "direction": directions[i],
                "score": score,
            }  # fmt: skip
            locus = Locus(run.X[example], _span(tss[i]), _span(cre[i]), drawn, seed, directions[i], common)
            report = _Report(run.bar, f"CRE {i + 1} of {N}")
            own_rankings = {name: values[[i]] for name, values in mine.items()}
            try:
                answer = compare_one(
                    locus, model, asked, rankings=own_rankings, attribution=shared, below=below[i], report=report,
                    **options,
                )  # fmt: skip
            except Exception as error:
                error.add_note(
                    f"This was {report.method} of example {names[i]!r}, on its own, of compare_fine_mapping."
                )
                raise
            answers.append(answer)
            run.bar.update(1)
    warn_of_no_effect([i for i, answer in enumerate(answers) if answer.curves["score"].isna().any()], N)
    return gather(answers, names, cre, known, threshold, below)


class _Report:
    """Tells a progress bar which method of which CRE is at work."""

    def __init__(self, bar: Any, cre: str) -> None:
        self._bar, self._cre = bar, cre
        self.method = ""

    def __call__(self, method: str) -> None:
        self._bar.update(1 if self.method else 0)
        self._bar.set_postfix_str(f"{self._cre}, {method}")
        self.method = method


def _span(row: torch.Tensor) -> tuple[int, int]:
    start, end = row.tolist()
    return start, end


def _rows(args: Sequence[torch.Tensor] | None, i: int) -> list[torch.Tensor] | None:
    return None if args is None else [arg[i : i + 1] for arg in args]
