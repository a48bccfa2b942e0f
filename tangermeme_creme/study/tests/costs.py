"""How many sequences a stage predicts, and how much of each."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..spec import StudySpec
from .locus import shuffles_in_use

_STEP = 50  # bp from point to point of the curves of a comparison


class Cost(NamedTuple):
    """Sequences that run through the whole network, and edits whose surroundings alone run through its first part.

    Of a model that cannot be split all of them run in full.
    """

    full: float = 0
    partial: float = 0

    @property
    def total(self) -> float:
        """Predictions."""
        return self.full + self.partial

    def times(self, k: float) -> Cost:
        """As much for k loci."""
        return Cost(self.full * k, self.partial * k)


class Extent(NamedTuple):
    """What a locus takes part in.

    Parameters
    ----------
    tiles: int
        Context tiles.

    tracks: float
        Those in which the locus was selected.

    sources: float
        TSS tiles for the swap test.

    cre_tiles: float
        Tiles that are a CRE in some track.

    cres: float
        CREs, counted in each track.
    """

    tiles: int
    tracks: float = 1
    sources: float = 0
    cre_tiles: float = 0
    cres: float = 0


def cost_of(spec: StudySpec, stage: str, extent: Extent, *, in_part: bool) -> Cost:
    """What one locus costs in a stage. That of the fine-tile search is a bound, since it ends when it ends.

    Examples
    --------
    >>> from .spec import spec_from_dict
    >>> model = {"adapter": "function", "function": "a:b", "tracks": ["A"], "length": 65536}
    >>> spec = spec_from_dict({"model": model, "windows": {"file": "x.fa"}})
    >>> cost_of(spec, "necessity", Extent(tiles=12), in_part=True)
    Cost(full=0, partial=121)
    """
    n_greedy = extent.tracks * len(spec.tests.higher_order.directions)
    T = extent.tiles
    if stage == "activity":
        return Cost(full=1)
    if stage == "context":
        return Cost(full=1 + spec.context.n)
    if stage == "shared":  # the activations that the tests of a locus share
        return Cost(full=1 + max(shuffles_in_use(spec), default=1)) if in_part else Cost()
    settings = getattr(spec.tests, stage)
    if stage == "swap":
        n = 1 + extent.sources
    elif stage == "necessity":
        n = 1 + T * settings.n
    elif stage == "sufficiency":
        n = 1 + settings.n + T * settings.n
    elif stage == "distance":
        n = extent.cre_tiles * (1 + 2 * settings.n + T * settings.n)
    elif stage == "multiplicity":
        n = extent.cres * (2 + _falling(T, settings.copies)) * settings.n
    elif stage == "higher_order":
        rounds = settings.rounds or T
        n = n_greedy * (1 + _falling(T, rounds) * settings.n + rounds * settings.n_holdout)
    elif stage == "set_sufficiency":
        n = n_greedy * (1 + settings.n + (spec.tests.higher_order.rounds or T) * settings.n)
    elif stage == "interactions":
        k = min(settings.tiles, T)
        n = extent.tracks * (1 + (k + k * (k - 1) // 2) * settings.n)
    else:
        n = extent.cres * _pruning(spec) * settings.n
    return Cost(partial=n) if in_part else Cost(full=n)


def _falling(first: int, rounds: int) -> int:
    """first + (first - 1) + ..., that many numbers."""
    return sum(first - r for r in range(rounds))


def _pruning(spec: StudySpec) -> float:
    """Passes of a background in a fine-tile search in which each stage removes a half, and in what it is compared with.

    The gradients of attributions, one a CRE, are not counted.
    """
    left, passes = float(spec.tiles.size), 2.0
    for scale, step in zip(spec.tests.fine_tile.scales, spec.tests.fine_tile.prune):
        count = math.ceil(left / scale)
        for _ in range(math.ceil(count / 2 / step)):
            passes += count
            count -= step
        left /= 2
    points = math.ceil(spec.tiles.size / _STEP) + 1
    for method in spec.tests.fine_tile.compare:
        passes += 2 + (points - 2) * spec.tests.fine_tile.draws if method == "random" else points
    return passes
