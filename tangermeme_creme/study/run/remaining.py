"""Which tests of which loci are to be done, with what they start from, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..spec import TESTS
from ..store import Store
from ..tests import GIVEN_BY, NEEDS, Extent, cost_of
from .loaded_study import Setup
from .selection import basis_of, content_hash, contexts_of, swap_sources
from .tasks import Task

OF_CRES = ("distance", "multiplicity", "fine_tile")


class Agenda:
    """The tests of all loci that were drawn.

    What a locus is given of others, the categories and the draw, and for the swap test their TSS tiles, may change when
    one that failed before succeeds. Its tests then are not done any more.

    Parameters
    ----------
    setup: Setup

    store: Store

    chosen: pandas.DataFrame
        The loci of the study.

    contexts: pandas.DataFrame
        Their categories, and which were drawn.

    tiles: int
        Context tiles of a window.

    in_part: bool
        Whether edits run in part.
    """

    def __init__(
        self, setup: Setup, store: Store, chosen: pd.DataFrame, contexts: pd.DataFrame, *, tiles: int, in_part: bool
    ) -> None:
        self._setup, self._store, self._chosen, self._in_part = setup, store, chosen, in_part
        self.included = [name for name in TESTS if name in setup.spec.tests.include]
        self._context = contexts_of(contexts)
        self.names = [name for name in chosen["example"] if name in self._context]
        swapped = "swap" in self.included and len(self.names)
        self._sources = swap_sources(setup.spec, contexts, chosen) if swapped else pd.DataFrame()
        n_sources = self._sources["example"].nunique() if swapped else 0
        self._extent = Extent(tiles, sources=n_sources)
        self._sources_hash = content_hash(self._sources.to_dict("split"))
        self.todo = {name: [stage for stage in self.included if self._is_left(stage, name)] for name in self.names}

    def basis(self, stage: str, name: str) -> str:
        """A hash of what a test of a locus is given of others."""
        return basis_of(self._context[name], self._sources_hash if stage == "swap" else "")

    def current(self, stage: str) -> list[str]:
        """The loci whose test started from what they are given now; a shard of an older draw counts nowhere."""
        shards = {name: self._store.shard_of(stage, name) for name in self.names}
        return [name for name, shard in shards.items() if shard and shard.basis == self.basis(stage, name)]

    def tasks(self, seconds: float) -> Iterator[Task]:
        """A task for each locus with something to do: its tests in order, so that they share what is computed."""
        rows = {name: i for i, name in enumerate(self._chosen["example"])}
        for name, stages in self.todo.items():
            if not stages:
                continue
            given = {"sources": self._sources} if "swap" in stages else {}
            for need in dict.fromkeys(need for stage in stages for need in NEEDS[stage] if need in GIVEN_BY):
                found = self._store.rows_of(GIVEN_BY[need], name, need)
                if found is not None and GIVEN_BY[need] not in stages:
                    given[need] = found
            basis = {stage: self.basis(stage, name) for stage in stages}
            locus = self._chosen.iloc[[rows[name]]]
            yield Task(self._setup, tuple(stages), locus, self._context[name], given, basis, seconds)

    def known_cost(self) -> float:
        """Sequences to predict, but for the tests of CREs, which are not known yet."""
        return sum(
            self.cost(stage, name) for name in self.names for stage in self.todo[name] if stage not in OF_CRES
        ) + sum(self.cres_cost(name) for name in self.names if "sufficiency" not in self.todo[name])

    def cost(self, stage: str, name: str) -> float:
        """Sequences that a test of a locus predicts."""
        tracks = len(self._context[name])
        extent = self._extent._replace(tracks=tracks)
        if stage in OF_CRES:
            shard = self._store.shard_of("sufficiency", name)
            if shard is None or "cres" not in shard.files:
                return 0.0
            n = shard.files["cres"].rows  # most are one in each track
            extent = extent._replace(cres=n, cre_tiles=max(1, n / tracks))
        return cost_of(self._setup.spec, stage, extent, in_part=self._in_part).total

    def cres_cost(self, name: str) -> float:
        """Sequences that the tests of the CREs of a locus are to predict."""
        return sum(self.cost(stage, name) for stage in OF_CRES if stage in self.todo[name])

    def _is_left(self, stage: str, name: str) -> bool:
        return not self._store.is_done(stage, name, self.basis(stage, name)) or self._lacks_rows(stage, name)

    def _lacks_rows(self, stage: str, name: str) -> bool:
        """Whether a shard has no row though there is what gives some: once, workers that took turns lost them."""
        shard, needs = self._store.shard_of(stage, name), [need for need in NEEDS[stage] if need in GIVEN_BY]
        if shard is None or shard.files or not needs:
            return False
        asked = set(getattr(getattr(self._setup.spec.tests, stage), "tracks", ()) or self._context[name])
        given = self._store.rows_of(GIVEN_BY[needs[0]], name, needs[0])
        return given is not None and not asked.isdisjoint({*given["track"]} & {*self._context[name]})
