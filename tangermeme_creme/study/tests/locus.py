"""A locus and what its tests share: the window, the backgrounds, and the activations of the unedited sequences."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd
from tangermeme.utils import PackedSequence

from ...engine import ActivationCache, Work
from ...engine.incremental import IncrementalModel
from ...operators import context_dependence_test
from ...sequence import shuffle_backgrounds
from ..run.loaded_study import Laboratory
from ..spec import StudySpec
from ..store import locus_seed


class LocusState:
    """What the tests of one locus share.

    Each test gets a cache that holds the activations of the wild type and of the controls, and nothing of another
    test: what a test finds then does not depend on which ran before it in this process, to the last bit.

    Parameters
    ----------
    lab: Laboratory

    locus: pandas.DataFrame
        One row.

    context: dict of str to str
        The category of its context in each track in which it was selected.

    given: dict of str to pandas.DataFrame
        Its rows of tables that tests before this one gave; tests add theirs.
    """

    def __init__(
        self, lab: Laboratory, locus: pd.DataFrame, context: dict[str, str], given: dict[str, pd.DataFrame]
    ) -> None:
        self.lab, self.context, self.given = lab, context, given
        self.example = str(locus["example"].iloc[0])
        self.seed = locus_seed(lab.spec.seed, self.example)
        self._locus = locus
        self._works: list[Work] = []
        self._backgrounds: PackedSequence | None = None
        self._cache: ActivationCache | None = None

    @cached_property
    def X(self) -> PackedSequence:
        """The window, shape (1, 4, L)."""
        return self.lab.windows.read(self._locus)

    @property
    def tracks(self) -> list[int]:
        """Those in which it was selected, by number."""
        return [k for k, name in enumerate(self.lab.tracks) if name in self.context]

    def backgrounds(self, n: int) -> PackedSequence:
        """The first n backgrounds, shape (1, n, 4, L)."""
        if self._backgrounds is None or self._backgrounds.shape[1] < n:
            self._backgrounds = shuffle_backgrounds(self.X, n=n, random_state=[self.seed])
        return self._backgrounds[:, :n]

    def common(self) -> dict[str, Any]:
        """What a test is called with, with a cache of the unedited sequences."""
        common = {**self.lab.engine, "random_state": [self.seed]}
        if self.lab.spec.run.incremental is not False and isinstance(self.lab.model, IncrementalModel):
            cache = self._warm().copy()
            self._works.append(cache.work)
            common["cache"] = cache
        return common

    def take_work(self) -> Work:
        """What was run since this was last asked, by a model that can be split; of any other nothing is known."""
        total = Work()
        for work in self._works:
            total.add(work)
        self._works = []
        return total

    def _warm(self) -> ActivationCache:
        if self._cache is None:
            cache = ActivationCache(int(self.lab.spec.run.cache_gib * 2**30))
            n = max(shuffles_in_use(self.lab.spec), default=1)
            context_dependence_test(
                self.lab.model, self.X, self.lab.tss_tile, n=n, backgrounds=self.backgrounds(n), cache=cache,
                random_state=[self.seed], **self.lab.engine,
            )  # fmt: skip
            self._works.append(cache.work)
            self._cache = cache
        return self._cache


def shuffles_in_use(spec: StudySpec) -> list[int]:
    """How many backgrounds each test that has them takes, of those that the study includes."""
    with_backgrounds = ("sufficiency", "distance", "multiplicity", "set_sufficiency", "fine_tile")
    return [getattr(spec.tests, name).n for name in with_backgrounds if name in spec.tests.include]
