"""Prune one CRE: the kept sub-tiles, the score of each removal, and the trace."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from ..engine import CodesSession, Objective
from ..engine.incremental import merge_spans
from ..sequence import Edits, Span, check_count, make_edits
from ._ties import ranked, rounding
from .results import FineTileStep
from .scores import CreScore, check_threshold, is_listed


class Stage(NamedTuple):
    """One stage: sub-tiles of `scale` bp, of which `prune` are removed per round, and the threshold of the score."""

    scale: int
    threshold: float
    prune: int


def check_stages(
    scales: Sequence[int], thresholds: Sequence[float], prune: Sequence[int], *, below: bool
) -> list[Stage]:
    """Check and return the stages of a search; with `below` the score must stay below the thresholds, all above 1.

    Raises
    ------
    ValueError
        If there is no stage, the three differ in number, a scale or a block is below 1, or a threshold is on the wrong
        side of 1, the score of the whole CRE.
    """
    for name, values in (("scales", scales), ("thresholds", thresholds), ("prune", prune)):
        if not is_listed(values):
            raise ValueError(f"{name} must be a list with one entry per stage; got {values!r}.")
    if not len(scales) == len(thresholds) == len(prune) > 0:
        got = f"{len(scales)}, {len(thresholds)} and {len(prune)}"
        raise ValueError(f"scales, thresholds and prune must have one entry per stage; got {got}.")
    for k, (scale, threshold, block) in enumerate(zip(scales, thresholds, prune)):
        check_count(f"scales[{k}]", scale, minimum=None)
        check_count(f"prune[{k}]", block, minimum=None)
        if scale < 1:
            raise ValueError(f"scales must be at least 1 bp; got {scale} at index {k}.")
        if block < 1:
            raise ValueError(f"prune must be at least 1; got {block} at index {k}.")
        check_threshold(threshold, below=below, name="thresholds", at=f" at index {k}")
    return [Stage(*stage) for stage in zip(scales, thresholds, prune)]


class Pruning:
    """Prune one CRE in n backgrounds, in place.

    Parameters
    ----------
    session: CodesSession
        n base sequences, the control: backgrounds with the TSS tile.

    codes: torch.Tensor, shape=(L,)
        The sequence that holds the CRE.

    cre: (start, end)

    objective: callable

    direction: "min" or "max"

    by_effect: bool
        Score the effect over the control instead of the activity.

    report: callable
        Called with the stage and the kept bp after each step.
    """

    def __init__(
        self,
        session: CodesSession,
        codes: torch.Tensor,
        cre: Span,
        *,
        objective: Objective,
        direction: str,
        by_effect: bool,
        report: Callable[[int, int], None] = lambda stage, bp: None,
    ) -> None:
        self._session, self._objective, self._report = session, objective, report
        self._background = session.cut(*cre)
        self._current = codes[slice(*cre)].repeat(len(session), 1)
        self._first = cre[0]
        self._kept: list[Span] = [cre]
        control = self._mean(session.predict(objective=objective)) if by_effect else 0.0
        session.commit(self._edits([cre], [list(self._current)]))
        self._value = CreScore(direction, by_effect, control, self._mean(session.predict(objective=objective)))
        self.defined = self._value.defined
        self._score = 1.0 if self.defined else math.nan
        self._tolerance = 0.0
        self.trace = [FineTileStep(0, cre[1] - cre[0], self._score, ())]

    def run_stage(self, k: int, stage: Stage) -> None:
        """Cut the kept spans into sub-tiles and prune them until the next removal would cross the threshold."""
        self._kept = [
            (start, min(start + stage.scale, end))
            for first, end in self._kept
            for start in range(first, end, stage.scale)
        ]
        while self._kept and self._value.right_side(self._score, stage.threshold):
            single = self._scores([[tile] for tile in self._kept])
            # A removal with a higher score hurts less, unless the score has to stay below. Ties: the leftmost first.
            order = ranked([-score if self._value.below else score for score in single], self._tolerance)
            for size in range(min(stage.prune, len(order)), 0, -1):
                removed = [self._kept[j] for j in sorted(order[:size])]
                score = single[order[0]] if size == 1 else self._scores([removed])[0]
                if self._value.right_side(score, stage.threshold):
                    self._remove(k, removed, score)
                    break
            else:
                return

    def kept_spans(self) -> list[Span]:
        """Return the kept spans; spans that touch are merged."""
        return merge_spans(self._kept, gap=0)

    def _scores(self, removals: list[list[Span]]) -> list[float]:
        """Score each set of sub-tiles as if it alone were replaced by background."""
        spans = [(removed[0][0], removed[-1][1]) for removed in removals]
        contents = [list(self._without(removed)[:, self._local(span)]) for removed, span in zip(removals, spans)]
        y = self._session.predict_edits(self._edits(spans, contents), objective=self._objective)
        assert isinstance(y, torch.Tensor)
        self._tolerance = float(rounding(y[None])) / abs(self._value.gain)
        return [self._value(mean) for mean in y.double().reshape(len(removals), -1).mean(1).tolist()]

    def _remove(self, k: int, removed: list[Span], score: float) -> None:
        self._current = self._without(removed)
        span = (removed[0][0], removed[-1][1])
        self._session.commit(self._edits([span], [list(self._current[:, self._local(span)])]))
        self._kept = [tile for tile in self._kept if tile not in removed]
        self._score = score
        kept = sum(end - start for start, end in self._kept)
        self.trace.append(FineTileStep(k, kept, score, tuple(removed)))
        self._report(k, kept)

    def _without(self, removed: list[Span]) -> torch.Tensor:
        codes = self._current.clone()
        for span in removed:
            codes[:, self._local(span)] = self._background[:, self._local(span)]
        return codes

    def _local(self, span: Span) -> slice:
        return slice(span[0] - self._first, span[1] - self._first)

    def _edits(self, spans: list[Span], contents: list[list[torch.Tensor]]) -> Edits:
        """Make edits that write ``contents[e][k]`` into background k at ``spans[e]``."""
        n = len(self._session)
        index = torch.arange(len(spans) * n).reshape(len(spans), n)
        starts = torch.tensor([start for start, _ in spans])[:, None]
        return make_edits(torch.arange(n), starts, index, [code for content in contents for code in content])

    @staticmethod
    def _mean(y: object) -> float:
        assert isinstance(y, torch.Tensor)
        return float(y.double().mean())
