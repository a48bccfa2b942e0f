"""A locus and what its tests share: the window, the backgrounds, and the activations of the unedited sequences."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from ... import engine, operators, sequence
from .columns import further_inputs

if TYPE_CHECKING:
    import torch
    from tangermeme.utils import PackedSequence

    from ...analysis import CallRule


def locus_seed(seed: int, example: str) -> int:
    """Derive the seed of a locus from that of the study and the name of the locus, so that no other locus matters.

    Examples
    --------
    >>> locus_seed(0, "GATA2") == locus_seed(0, "GATA2") != locus_seed(1, "GATA2")
    True
    """
    digest = hashlib.sha256(f"{seed}\n{example}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


class WindowReader(Protocol):
    """Reads the windows of loci, or the `width` bp around the TSS, shape (N, 4, L)."""

    def read(self, loci: pd.DataFrame, width: int | None = None) -> PackedSequence: ...


@dataclass
class StudyModel:
    """The model of a study, ready to predict, with the windows, the tiles and the settings of the tests.

    Parameters
    ----------
    model: torch.nn.Module
        In evaluation mode, on its device.

    windows: WindowReader

    length, center: int
        Length of the windows, and the TSS in them, in bp.

    tracks: tuple of str
        In the order of the model's outputs.

    tss_tile: (start, end)

    tiles: list of (start, end)
        The context tiles.

    seed: int
        Of the study.

    engine: dict
        Batch size, device, dtype and `incremental` of every prediction.

    cache_bytes: int
        The most that cached activations may take.

    n_backgrounds: int
        The most backgrounds that any test takes.

    rule: CallRule
        Which tiles are called CREs.

    max_cres: int
        The most CREs per locus and track; 0 is all.

    scale: str
        Of the effects.
    inputs: tuple of str, or of tuples of str
        The columns of the loci that are further inputs of the model.
    """

    model: torch.nn.Module
    windows: WindowReader
    length: int
    center: int
    tracks: tuple[str, ...]
    tss_tile: tuple[int, int]
    tiles: list[tuple[int, int]]
    seed: int
    engine: Mapping[str, Any]
    cache_bytes: int
    n_backgrounds: int
    rule: CallRule
    max_cres: int
    scale: str
    inputs: tuple[str | tuple[str, ...], ...]

    def args(self, loci: pd.DataFrame) -> list[torch.Tensor] | None:
        """Return the further inputs of the model for these loci, as operators take them."""
        return further_inputs(loci, self.inputs)


class LocusState:
    """What the tests of one locus share.

    Each test gets its own copy of a cache that holds the activations of the wild type and of the controls and nothing
    of another test: what a test finds does not depend on which tests ran before it in this process, to the last bit.

    Parameters
    ----------
    study: StudyModel

    locus: pandas.DataFrame
        One row.

    context: dict of str to str
        The category of its context in each track in which it was selected.

    inputs: dict of str to pandas.DataFrame
        The rows of this locus in the tables of earlier tests; tests add theirs.
    """

    def __init__(
        self, study: StudyModel, locus: pd.DataFrame, context: dict[str, str], inputs: dict[str, pd.DataFrame]
    ) -> None:
        self.study, self.context, self.inputs = study, context, inputs
        self.example = str(locus["example"].iloc[0])
        self.seed = locus_seed(study.seed, self.example)
        self._locus = locus
        self._works: list[engine.Work] = []
        self._backgrounds: PackedSequence | None = None
        self._cache: engine.ActivationCache | None = None

    @cached_property
    def X(self) -> PackedSequence:
        """The window, shape (1, 4, L)."""
        return self.study.windows.read(self._locus)

    def selected_tracks(self, asked: tuple[str, ...] = ()) -> list[tuple[int, str]]:
        """Return number and name of the tracks in which the locus was selected, of those that are asked for.

        No track asked for means all.
        """
        names = enumerate(self.study.tracks)
        return [(k, name) for k, name in names if name in self.context and (not asked or name in asked)]

    def backgrounds(self, n: int) -> PackedSequence:
        """Return the first n backgrounds, shape (1, n, 4, L)."""
        if self._backgrounds is None or self._backgrounds.shape[1] < n:
            self._backgrounds = sequence.shuffle_backgrounds(self.X, n=n, random_state=[self.seed])
        return self._backgrounds[:, :n]

    def options(self) -> dict[str, Any]:
        """Return the options of an operator: the engine's, further inputs, the seed, and a cache of the unedited."""
        options: dict[str, Any] = {
            **self.study.engine,
            "args": self.study.args(self._locus),
            "random_state": [self.seed],
        }
        if options["incremental"] is not False and isinstance(self.study.model, engine.IncrementalModel):
            cache = self._unedited().copy()
            self._works.append(cache.work)
            options["cache"] = cache
        return options

    def take_work(self) -> engine.Work:
        """Return what a model that can be split has run since the last call; the work of others is not counted."""
        total = engine.Work()
        for work in self._works:
            total.add(work)
        self._works = []
        return total

    def _unedited(self) -> engine.ActivationCache:
        """The activations of the wild type and of the TSS tile in each background, which the context test predicts."""
        if self._cache is None:
            cache, n = engine.ActivationCache(self.study.cache_bytes), self.study.n_backgrounds
            operators.context_dependence_test(
                self.study.model, self.X, self.study.tss_tile, n=n, backgrounds=self.backgrounds(n), cache=cache,
                args=self.study.args(self._locus), random_state=[self.seed], **self.study.engine,
            )  # fmt: skip
            self._works.append(cache.work)
            self._cache = cache
        return self._cache
