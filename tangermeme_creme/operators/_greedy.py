"""Greedy search in rounds: try every remaining candidate, and choose the one with the best mean."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..engine import CodesSession, Objective
from ..sequence import Edits, make_edits
from ._ties import first_best, rounding


class GreedyRounds:
    """Search C candidate edits greedily, with n shuffles per candidate, for B examples in step.

    Parameters
    ----------
    session: CodesSession
        ``B * lineages`` bases; lineage k of example b is row ``b * lineages + k``.

    starts: torch.Tensor, shape=(B, C)
        Where each candidate is written, in bp.

    index: torch.Tensor, shape=(B, C, n)
        Which content of the pool each candidate writes in each shuffle.

    content: sequence of torch.Tensor
        The pool of base codes.

    objective: callable

    direction: "min" or "max"
        Whether the lowest or the highest mean is chosen; the first of several that are equal up to rounding.

    lineages: int
        1 if all shuffles are tried on one sequence, or n if shuffle k is tried on lineage k.
    """

    def __init__(
        self,
        session: CodesSession,
        starts: torch.Tensor,
        index: torch.Tensor,
        content: Sequence[torch.Tensor],
        *,
        objective: Objective,
        direction: str,
        lineages: int,
    ) -> None:
        self._session, self._starts, self._index, self._content = session, starts, index, content
        self._objective, self._direction, self._lineages = objective, direction, lineages
        self._untried = torch.ones(starts.shape, dtype=torch.bool)

    def try_all(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Predict every remaining candidate and choose the best, without changing the base sequences.

        Costs one sequence per remaining candidate and shuffle.

        Returns
        -------
        values: torch.Tensor, shape=(B, C, n)
            The objective of each candidate; NaN for those that were fixed before.

        best: torch.Tensor, shape=(B,)
            The candidate with the best mean.

        mean: torch.Tensor, shape=(B,), dtype=float64
            The mean of that candidate over its shuffles.
        """
        n = self._index.shape[-1]
        b, c = self._untried.nonzero(as_tuple=True)
        tried = self._session.predict_edits(self._edits(b, c, torch.arange(n)), objective=self._objective)
        assert isinstance(tried, torch.Tensor)
        tried = tried if tried.is_floating_point() else tried.float()
        values = torch.full(self._index.shape, torch.nan, dtype=tried.dtype)
        values[b, c] = tried.reshape(-1, n)
        means = values.double().mean(-1)
        best = first_best(-means if self._direction == "min" else means, rounding(values))
        return values, best, means[torch.arange(len(best)), best]

    def fix(self, best: torch.Tensor, shuffle: torch.Tensor) -> None:
        """Write candidate ``best[b]`` into the sequences of example b, and do not try it again.

        `shuffle`, shape (B, lineages), names the shuffle that goes into each lineage.
        """
        b = torch.arange(len(best))
        self._session.commit(self._edits(b, best, shuffle))
        self._untried[b, best] = False

    def _edits(self, b: torch.Tensor, c: torch.Tensor, shuffle: torch.Tensor) -> Edits:
        shuffle = shuffle.expand(len(b), -1)
        lineage = torch.arange(shuffle.shape[1]) if self._lineages > 1 else torch.zeros(1, dtype=torch.int64)
        rows = b[:, None] * self._lineages + lineage
        index = self._index[b[:, None], c[:, None], shuffle]
        return make_edits(rows, self._starts[b, c][:, None], index, self._content)
