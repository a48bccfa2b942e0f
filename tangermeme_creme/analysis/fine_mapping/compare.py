"""Compare the fine-tile search with attributions, motif hits and random bases: who keeps the effect with fewest bp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import pandas as pd
import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import PackedSequence

from ...engine import ActivationCache, EngineOptions, IncrementalModel, Objective
from ...operators import (
    NO_EFFECT,
    Labels,
    as_span,
    check_stages,
    check_threshold,
    direction_per_example,
    labelled,
    prepare_run,
    scored_by_effect,
    warn_of_no_effect,
)
from ...sequence import (
    RandomState,
    ShuffleFn,
    Spans,
    check_apart,
    check_choice,
    check_count,
    check_one_width,
    span_per_example,
)
from ...support import dropped
from ._comparison_tables import FineMappingComparison, comparison_tables
from ._one_cre import CreInBackgrounds, CreResults, compare_on_cre
from .curves import even_thresholds
from .methods import check_methods
from .motifs import Motifs, check_p_value, read_motifs
from .overlap import Truth, truth_mask
from .rankings import check_ranking, points


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
    **kwargs: Unpack[EngineOptions],
) -> FineMappingComparison:
    """Prune CREs by the fine-tile search, by attributions, by motif hits and at random, on the same backgrounds.

    The comparison of Figure 3b to e of CREME (Toneyan & Koo 2024; Results, "Fine-mapping sufficient sequence elements
    within CREs"; Methods, "Fine-tile search"), for any model. `retention_curve` scores every method as the search is
    scored. One CRE is compared at a time, so that memory does not grow with their number.

    Costs per example: the sequences of `fine_tile_search`, ``(2 + (P - 2) * draws) * n`` for "random", ``P * n`` for
    each other method with P points, and the passes of `captum_attribution` for each attribution; n times these passes
    with ``attribute_in="backgrounds"``, except for DeepLIFT, which has n pairs of sequences either way. A comparison
    of the search alone costs ``2 * n`` more. Of an `IncrementalModel` the sequence and the controls run through `local`
    once.

    Departures from the paper: integrated gradients, DeepLIFT and the absolute values are compared too; random bases are
    averaged over draws; motif hits are those of FIMO for your motifs, on both strands.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works and, for attributions, can be differentiated.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    tss_tile, cre_tile: (start, end), or shape=(N, 2)
        0-based half-open spans in bp, for all examples or one per example: the tile over the TSS, and the CRE, of the
        same length W in all examples. The two must not overlap.

    methods: sequence of str, optional
        Names in `METHODS`. "search" is the fine-tile search, "random" the mean of random rankings, "motifs" keeps the
        bases in motif hits longest. "saliency" ranks bases by the gradient at the observed base, as does
        "input_x_gradient"; "saliency_absolute" by the largest gradient of the four bases, unless the base is unknown;
        other names with "_absolute" by the absolute value. "corrected_saliency" and "deep_lift_shap" are functions of
        tangermeme; DeepLIFT has rules for modules only. Default is the search, the three methods of Captum and
        random.

    rankings: mapping of str to torch.Tensor, shape=(N, W) or (N, D, W), or None, optional
        Your own rankings, by name; bases with a larger value are kept longer. Default is None.

    motifs, motif_threshold: optional
        For "motifs", as in `motif_hits`.

    truth: path, pandas.DataFrame or None, optional
        Known elements to compare the kept bases with: with `loci`, a BED file or a table of `chrom`, `start` and `end`;
        without `loci`, a table of `example`, `start` and `end` in bp of the window. Default is None.

    loci: pandas.DataFrame or None, optional
        `chrom`, `tss` (its 0-based base) and `strand` of each example, whose window is centred on it. Default is None.

    ids: sequence or None, optional
        N different names for column `example`. Default is None, 0 to N - 1.

    attribute_in: "wild_type" or "backgrounds", optional
        Where attributions are computed: in the unedited sequence, as in the paper; or in the sequences that are scored,
        the CRE and the TSS tile in each of the n backgrounds, and averaged. The baseline of integrated gradients and of
        DeepLIFT is then the same background without the CRE; in the wild type, that of integrated gradients is 0.25 for
        all four bases, and that of DeepLIFT is the backgrounds. Default is "wild_type".

    threshold: float, optional
        The score for the fewest bp: below 1, or above 1 for a silencer that is scored by activity. Default is 0.8.

    steps, draws: optional
        For the curves: steps as in `retention_curve`, and the number of random rankings. Default is 50 bp and 10.

    n_steps: int, optional
        Steps of integrated gradients. Default is 50.

    scales, thresholds, prune, direction, score, objective: optional
        For the search, as in `fine_tile_search`, except that thresholds of None go in even steps from 1 to `threshold`,
        so that the search ends at the score of the comparison: (0.9, 0.8). Attributions need a differentiable
        objective.

    n, shuffle_fn, backgrounds, args, random_state, **kwargs: optional
        As in `fine_tile_search`, without a `func`: `batch_size`, `dtype`, `device`, `incremental`, `cache` and
        `verbose`.

    Returns
    -------
    comparison: FineMappingComparison

    Raises
    ------
    ValueError
        If a method is unknown, or an argument breaks a rule above or one of the functions named there.

    MemoryError
        If the gradients of a sequence do not fit.

    Warns
    -----
    TangermemeWarning
        If the whole CRE of an example has no score: its scores are NaN.

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
    run = prepare_run(
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
    own_rankings = {name: check_ranking(values, N, width, name) for name, values in (rankings or {}).items()}
    asked = check_methods(methods, motifs, list(own_rankings))
    check_count("draws", draws)
    check_count("n_steps", n_steps)
    check_p_value(motif_threshold, "motif_threshold")
    points(steps, width)
    stops = even_thresholds(threshold, len(scales)) if thresholds is None else thresholds
    for silencer in sorted(set(below)):
        check_threshold(threshold, below=silencer)
        check_stages(scales, stops, prune, below=silencer)
    check_choice("attribute_in", attribute_in, "wild_type", "backgrounds")
    names = labelled("example", N, ids, "ids")["example"].tolist()
    again = pd.Index(names).duplicated()
    if again.any():
        raise ValueError(f"ids must be different names; got {names[int(again.argmax())]!r} twice.")
    known = None if truth is None else truth_mask(truth, cre, ids=names, loci=loci, length=run.length)
    options: dict[str, Any] = {
        "motifs": None if motifs is None else read_motifs(motifs), "motif_threshold": motif_threshold,
        "in_backgrounds": attribute_in == "backgrounds", "n_steps": n_steps, "steps": steps, "draws": draws,
        "search": {"scales": scales, "thresholds": stops, "prune": prune}, "threshold": threshold,
    }  # fmt: skip
    caches = isinstance(model, IncrementalModel) and engine.get("incremental") is not False
    results: list[CreResults] = []
    # Every method would warn, each time of example 0; one warning for all examples is given below.
    with (
        run.running(N * len(asked), unit="method"),
        dropped(NO_EFFECT, "tangermeme's predict casts", "unknown bases, in"),
    ):
        for i in range(N):
            example = torch.tensor([i])
            drawn = PackedSequence.from_codes(run.draw_backgrounds(example, run.codes(example))).reshape(1, n)
            shared: dict[str, Any] = {"args": _rows(args, i), "objective": objective, **engine}
            if caches and engine.get("cache") is None:
                shared["cache"] = ActivationCache()
            attribution = {name: value for name, value in shared.items() if name != "allow_stochastic"}
            seed = run.seeds[i]
            common = {
                **shared, "n": n, "backgrounds": drawn, "random_state": [seed], "direction": directions[i],
                "score": score,
            }  # fmt: skip
            cre_in_backgrounds = CreInBackgrounds(
                run.X[example], as_span(tss[i]), as_span(cre[i]), drawn, seed, directions[i], common
            )
            bar = _MethodBar(run.bar, f"CRE {i + 1} of {N}")
            rankings_here = {name: values[[i]] for name, values in own_rankings.items()}
            try:
                result = compare_on_cre(
                    cre_in_backgrounds, model, asked, rankings=rankings_here, attribution=attribution, below=below[i],
                    show_method=bar, **options,
                )  # fmt: skip
            except Exception as error:
                error.add_note(f"Raised by method {bar.method} for example {names[i]!r} of compare_fine_mapping.")
                raise
            results.append(result)
            run.bar.update(1)
    warn_of_no_effect([i for i, result in enumerate(results) if result.curves["score"].isna().any()], N)
    return comparison_tables(results, names, cre, known, threshold, below)


class _MethodBar:
    """Shows in a progress bar which method of which CRE runs."""

    def __init__(self, bar: Any, cre: str) -> None:
        self._bar, self._cre = bar, cre
        self.method = ""

    def __call__(self, method: str) -> None:
        self._bar.update(1 if self.method else 0)
        self._bar.set_postfix_str(f"{self._cre}, {method}")
        self.method = method


def _rows(args: Sequence[torch.Tensor] | None, i: int) -> list[torch.Tensor] | None:
    return None if args is None else [arg[i : i + 1] for arg in args]
