"""The pruning of one CRE: what is left, what each removal costs, and the trace."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from ..engine import EditSession, Objective
from ..sequence import Edits, Span, check_count, make_edits
from ._ties import ranked, rounding
from .results import FineTileStep
from .scores import CreScore, check_threshold


class Stage(NamedTuple):
    """Sub-tiles of `scale` bp, pruned `prune` at a time, while the score stays on the right side of `threshold`."""

    scale: int
    threshold: float
    prune: int


def check_stages(
    scales: Sequence[int], thresholds: Sequence[float], prune: Sequence[int], *, below: bool
) -> list[Stage]:
    """The stages of a search; `below` says that the score must stay below the thresholds, which are then above 1.

    Raises
    ------
    ValueError
        If there is no stage, the three differ in number, or one has a scale or a block below 1, or a threshold that the
        whole CRE, whose score is 1, is on the wrong side of.
    """
    if not len(scales) == len(thresholds) == len(prune) > 0:
        got = f"{len(scales)}, {len(thresholds)} and {len(prune)}"
        raise ValueError(f"scales, thresholds and prune must have one entry a stage; got {got}.")
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
    """One CRE in n backgrounds, pruned in place.

    Parameters
    ----------
    session: EditSession
        n bases, the control: backgrounds with the TSS tile.

    codes: torch.Tensor, shape=(L,)
        The sequence that the CRE is from.

    cre: (start, end)

    objective: callable

    direction: "min" or "max"

    by_effect: bool
        Score the effect over the control instead of the activity.

    report: callable
        Told the stage and the bp left, after each step.
    """

    def __init__(
        self,
        session: EditSession,
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
        self._left: list[Span] = [cre]
        control = self._mean(session.predict(objective=objective)) if by_effect else 0.0
        session.commit(self._edits([cre], [list(self._current)]))
        self._value = CreScore(direction, by_effect, control, self._mean(session.predict(objective=objective)))
        self.defined = self._value.defined
        self._score = 1.0 if self.defined else math.nan
        self._tolerance = 0.0
        self.trace = [FineTileStep(0, cre[1] - cre[0], self._score, ())]

    def run_stage(self, k: int, stage: Stage) -> None:
        """Cut what is left into sub-tiles and prune them until the next removal would cross the threshold."""
        self._left = [
            (start, min(start + stage.scale, end))
            for first, end in self._left
            for start in range(first, end, stage.scale)
        ]
        while self._left and self._value.right_side(self._score, stage.threshold):
            single = self._scores([[tile] for tile in self._left])
            # A higher score hurts less, unless it has to stay below. Of equal ones the leftmost goes first.
            order = ranked([-score if self._value.below else score for score in single], self._tolerance)
            for size in range(min(stage.prune, len(order)), 0, -1):
                removed = [self._left[j] for j in sorted(order[:size])]
                score = single[order[0]] if size == 1 else self._scores([removed])[0]
                if self._value.right_side(score, stage.threshold):
                    self._remove(k, removed, score)
                    break
            else:
                return

    def kept_spans(self) -> list[Span]:
        """What is left, with spans that touch made one."""
        merged: list[Span] = []
        for start, end in self._left:
            if merged and merged[-1][1] == start:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((start, end))
        return merged

    def _scores(self, removals: list[list[Span]]) -> list[float]:
        """The score of each set of sub-tiles being replaced by background, each on its own."""
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
        self._left = [tile for tile in self._left if tile not in removed]
        self._score = score
        kept = sum(end - start for start, end in self._left)
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
        """Edit e writes ``contents[e][k]`` into background k at ``spans[e]``."""
        n = len(self._session)
        index = torch.arange(len(spans) * n).reshape(len(spans), n)
        starts = torch.tensor([start for start, _ in spans])[:, None]
        return make_edits(torch.arange(n), starts, index, [code for content in contents for code in content])

    @staticmethod
    def _mean(y: object) -> float:
        assert isinstance(y, torch.Tensor)
        return float(y.double().mean())
