"""How many sequences a stage of a study predicts, in full and in part."""

from __future__ import annotations

from typing import NamedTuple


class Cost(NamedTuple):
    """Sequences that run through the whole network, and edits of which only the edited window runs through `local`.

    A model that cannot be split runs all of them in full.
    """

    full: float = 0
    partial: float = 0

    @property
    def total(self) -> float:
        """Predictions."""
        return self.full + self.partial

    def times(self, k: float) -> Cost:
        """Return the cost of k loci."""
        return Cost(self.full * k, self.partial * k)


class Extent(NamedTuple):
    """How much of a locus is tested.

    Parameters
    ----------
    tiles: int
        Context tiles.

    tile_size: int
        Length of a tile in bp.

    tracks: float
        Tracks in which the locus was selected.

    sources: float
        TSS tiles for the swap test.

    cre_tiles: float
        Tiles that are a CRE in any track.

    cres: float
        CREs, counted once per track.
    """

    tiles: int
    tile_size: int
    tracks: float = 1
    sources: float = 0
    cre_tiles: float = 0
    cres: float = 0


def falling_sum(first: int, terms: int) -> int:
    """Add first + (first - 1) + ..., `terms` numbers: the candidates of all rounds of a greedy search.

    >>> falling_sum(12, 3)
    33
    """
    return sum(first - k for k in range(terms))
