"""Compare methods on one CRE: the search and every ranking, on the same backgrounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from ...operators import FineTileResult, FineTileStep, fine_tile_search
from .curves import fewest_bp
from .methods import attribute, attribution_of, rank
from .motifs import mask_of_hits, motif_hits
from .rankings import points, random_ranking
from .retention import RetentionResult, retention_curve

UNIFORM = 0.25  # per base: the baseline of integrated gradients in the wild type


class CreInBackgrounds(NamedTuple):
    """One CRE of a comparison with its window and backgrounds.

    Parameters
    ----------
    X: PackedSequence, shape=(1, 4, L)

    tss, cre: (start, end)
        0-based and half-open, in bp of the window.

    backgrounds: PackedSequence, shape=(1, n, 4, L)

    seed: int

    direction: "min" or "max"

    common: dict
        Further arguments of the search and of every curve.
    """

    X: PackedSequence
    tss: tuple[int, int]
    cre: tuple[int, int]
    backgrounds: PackedSequence
    seed: int
    direction: str
    common: dict[str, Any]

    @property
    def width(self) -> int:
        return self.cre[1] - self.cre[0]

    @property
    def codes(self) -> torch.Tensor:
        """Base codes of the CRE, shape (W,)."""
        return self.X.to_codes()[0, slice(*self.cre)]

    def controls(self) -> PackedSequence:
        """Return the TSS tile in each background, shape (n, 4, L)."""
        codes = self.backgrounds.to_codes()[0].clone()
        codes[:, slice(*self.tss)] = self.X.to_codes()[0, slice(*self.tss)]
        return PackedSequence.from_codes(codes)

    def embedded(self) -> PackedSequence:
        """Return the TSS tile and the whole CRE in each background, shape (n, 4, L)."""
        codes = self.controls().to_codes()
        codes[:, slice(*self.cre)] = self.codes
        return PackedSequence.from_codes(codes)


class CreResults(NamedTuple):
    """The results of all methods for one CRE.

    Parameters
    ----------
    curves: pandas.DataFrame
        `method`, `draw`, `bp_kept`, `score`.

    kept: dict of str to torch.Tensor, shape=(D, W), dtype=bool
        The bases that each method keeps at its fewest bp at the threshold; a method that misses it is left out.

    own: dict of str to (bp, score)
        Where a method stops without a threshold: the search at its last step, motifs with all hits.

    importance: dict of str to torch.Tensor, shape=(W,)
        Signed attributions at the observed bases.

    search: FineTileResult or None

    hits: pandas.DataFrame or None
    """

    curves: pd.DataFrame
    kept: dict[str, torch.Tensor]
    own: dict[str, tuple[int, float]]
    importance: dict[str, torch.Tensor]
    search: FineTileResult | None
    hits: pd.DataFrame | None


def compare_on_cre(
    example: CreInBackgrounds,
    model: torch.nn.Module,
    methods: Sequence[str],
    *,
    rankings: Mapping[str, torch.Tensor],
    motifs: Any,
    motif_threshold: float,
    in_backgrounds: bool,
    n_steps: int,
    search: dict[str, Any],
    attribution: dict[str, Any],
    steps: int | Sequence[int],
    draws: int,
    threshold: float,
    below: bool,
    show_method: Callable[[str], None],
) -> CreResults:
    """Run every method on one CRE; `compare_fine_mapping` documents the arguments."""
    curves: list[pd.DataFrame] = []
    kept: dict[str, torch.Tensor] = {}
    own: dict[str, tuple[int, float]] = {}
    attributions: dict[str, torch.Tensor] = {}
    searched: FineTileResult | None = None
    hits: pd.DataFrame | None = None
    control: float | None = None

    def curve(ranking: torch.Tensor, curve_steps: int | Sequence[int]) -> RetentionResult:
        return retention_curve(model, example.X, example.tss, example.cre, ranking, steps=curve_steps, **example.common)

    for method in methods:
        show_method(method)
        curve_steps: int | Sequence[int] = steps
        if method == "search":
            searched = fine_tile_search(model, example.X, example.tss, example.cre, **search, **example.common)
            continue
        if method == "random":
            ranking = random_ranking(1, example.width, draws=draws)
        elif method == "motifs":
            hits = motif_hits(example.X, motifs, motif_threshold, span=example.cre)
            ranking = mask_of_hits(hits, torch.tensor([example.cre]))
            curve_steps = [*points(steps, example.width), int(ranking.sum())]
        elif method in rankings:
            ranking = rankings[method]
        else:
            name = attribution_of(method)
            if name not in attributions:
                sequences, references = example.X, example.backgrounds
                starts: PackedSequence | float = UNIFORM
                if in_backgrounds:
                    sequences, starts = example.embedded(), example.controls()
                    references = starts.reshape(len(starts), 1)
                attributions[name] = attribute(
                    name, model, sequences, example.cre, starts=starts, references=references, n_steps=n_steps,
                    random_state=example.seed, **_repeat_args(attribution, len(sequences)),
                )  # fmt: skip
            ranking = rank(method, attributions[name], example.codes, example.direction)[None]
        result = curve(ranking, curve_steps)
        control = float(result.score[0, 0, -1])
        curves.append(result.to_frame().assign(method=method))
        if method == "motifs":
            bp = int(ranking.sum())
            own[method] = bp, float(result.score[0, 0, result.bp_kept.tolist().index(bp)])
        fewest = [fewest_bp(result.bp_kept, score, threshold=threshold, below=below) for score in result.score[0]]
        if not any(math.isnan(bp) for bp in fewest):
            kept[method] = result.kept(torch.tensor([fewest]).long())[0]
    if searched is not None:
        if control is None:
            control = float(curve(random_ranking(1, example.width, draws=1), [0]).score[0, 0, -1])
        trace = searched.trace[0]
        own["search"] = trace[-1].bp_kept, trace[-1].score
        path = [(step.bp_kept, step.score) for step in trace]
        if path[-1][0] > 0:  # a search ends at its threshold; every curve ends at the control, without any base
            path.append((0, control))
        fewest_of_search = fewest_bp(*zip(*path), threshold=threshold, below=below)
        if not math.isnan(fewest_of_search):
            kept["search"] = _kept_at(trace, example.cre, int(fewest_of_search))
        curves.append(pd.DataFrame(path, columns=["bp_kept", "score"]).assign(method="search", draw=0))
    table = pd.concat(curves, ignore_index=True)[["method", "draw", "bp_kept", "score"]]
    in_order = table["method"].map({method: k for k, method in enumerate(methods)}).argsort(kind="stable")
    importance = {name: rank(name, values, example.codes, "max") for name, values in attributions.items()}
    return CreResults(
        table.iloc[in_order].reset_index(drop=True),
        {method: kept[method] for method in methods if method in kept},
        own,
        importance,
        searched,
        hits,
    )


def _kept_at(trace: list[FineTileStep], cre: tuple[int, int], bp: int) -> torch.Tensor:
    """Return the bases that a search keeps after the step at which it keeps `bp`, shape (1, W)."""
    mask = torch.full((1, cre[1] - cre[0]), bp > 0)
    for step in trace:
        if step.bp_kept < bp:
            break
        for start, end in step.removed:
            mask[0, start - cre[0] : end - cre[0]] = False
    return mask


def _repeat_args(options: dict[str, Any], n: int) -> dict[str, Any]:
    """Repeat `args` of one example for n sequences of the example."""
    args = options.get("args")
    return options if args is None else {**options, "args": [arg.expand(n, *arg.shape[1:]) for arg in args]}
