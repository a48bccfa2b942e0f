"""Which tests of which loci remain, what they start from, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..spec import StudyError
from ..store import Store, basis_of, content_hash, contexts_of
from ..tests import GIVEN_BY, TESTS, Extent
from .costs import cost_of
from .loaded_study import Setup
from .selection import none_selected, swap_sources
from .tasks import Task


class RemainingTests:
    """The tests of the loci that were drawn, as far as they are not done.

    A test of a locus depends on the draw too: on the categories of the locus and, for the swap test, on the TSS tiles
    of other loci. These may change when a locus that failed before succeeds; such a test is done again.

    Parameters
    ----------
    setup: Setup

    store: Store

    loci: pandas.DataFrame
        The loci of the study.

    contexts: pandas.DataFrame
        Their categories, and which were drawn.

    tiles: int
        Context tiles of a window.

    in_part: bool
        Whether edits run in part.

    Raises
    ------
    StudyError
        If there are tests to do, and no context was drawn; the message counts how many fell to what.
    """

    def __init__(
        self, setup: Setup, store: Store, loci: pd.DataFrame, contexts: pd.DataFrame, *, tiles: int, in_part: bool
    ) -> None:
        self._setup, self._store, self._loci, self._in_part = setup, store, loci, in_part
        self.included = [name for name in TESTS if name in setup.spec.tests.include]
        self._context = contexts_of(contexts)
        self.names = [name for name in loci["example"] if name in self._context]
        if self.included and not self.names:
            raise StudyError(none_selected(contexts))
        swapped = "sources" in self._needed_by(self.included) and len(self.names)
        self._sources = swap_sources(setup.spec, contexts, loci) if swapped else pd.DataFrame()
        n_sources = self._sources["example"].nunique() if swapped else 0
        self._extent = Extent(tiles, setup.spec.tiles.size, sources=n_sources)
        self._sources_hash = content_hash(self._sources.to_dict("split"))
        self.remaining = {
            name: [test for test in self.included if not store.is_done(test, name, self.basis(test, name))]
            for name in self.names
        }

    def basis(self, test: str, name: str) -> str:
        """Return a hash of what a test of a locus depends on beside the locus."""
        return basis_of(self._context[name], self._sources_hash if "sources" in TESTS[test].needs else "")

    def current(self, test: str) -> list[str]:
        """Return the loci whose shard of a test is of the present draw."""
        shards = {name: self._store.shard_of(test, name) for name in self.names}
        return [name for name, shard in shards.items() if shard and shard.basis == self.basis(test, name)]

    def tasks(self, seconds: float) -> Iterator[Task]:
        """Make a task per locus: its remaining tests in order, so that they share what is computed."""
        rows = {name: i for i, name in enumerate(self._loci["example"])}
        for name, tests in self.remaining.items():
            if not tests:
                continue
            inputs = {"sources": self._sources} if "sources" in self._needed_by(tests) else {}
            for table in self._needed_by(tests):
                if table in GIVEN_BY and GIVEN_BY[table] not in tests:
                    stored = self._store.rows_of(GIVEN_BY[table], name, table)
                    if stored is not None:
                        inputs[table] = stored
            basis = {test: self.basis(test, name) for test in tests}
            locus = self._loci.iloc[[rows[name]]]
            yield Task(self._setup, tuple(tests), locus, self._context[name], inputs, basis, seconds)

    def known_cost(self) -> float:
        """Return the sequences to predict without those of the CREs that no test has called yet."""
        return sum(
            self.cost(test, name)
            for name in self.names
            for test in self.remaining[name]
            if not TESTS[test].of_cres or GIVEN_BY["cres"] not in self.remaining[name]
        )

    def cost(self, test: str, name: str) -> float:
        """Return the sequences that a test of a locus predicts."""
        tracks = len(self._context[name])
        extent = self._extent._replace(tracks=tracks)
        if TESTS[test].of_cres:
            shard = self._store.shard_of(GIVEN_BY["cres"], name)
            if shard is None or "cres" not in shard.files:
                return 0.0
            n = shard.files["cres"].rows  # most are one in each track
            extent = extent._replace(cres=n, cre_tiles=max(1, n / tracks))
        return cost_of(self._setup.spec, test, extent, in_part=self._in_part).total

    def cres_cost(self, name: str) -> float:
        """Return the sequences that the remaining tests of the CREs of a locus predict."""
        return sum(self.cost(test, name) for test in self.remaining[name] if TESTS[test].of_cres)

    @staticmethod
    def _needed_by(tests: list[str]) -> list[str]:
        """The tables that tests start from, each once."""
        return list(dict.fromkeys(table for test in tests for table in TESTS[test].needs))
