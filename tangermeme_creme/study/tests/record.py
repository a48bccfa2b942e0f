"""What a study knows of one of its tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ...support import Section
from .costs import Extent
from .summary import Summary

if TYPE_CHECKING:
    from .frames import LocusTables
    from .locus import LocusState


class StudyFacts(NamedTuple):
    """What the settings of a test are checked against.

    Parameters
    ----------
    include: tuple of str
        The tests of the study.

    length, tile_size, n_tiles: int
        Of the windows and the tiles in bp; how many context tiles fit into a window.

    silencer_contexts: tuple of str
        The contexts in which silencers are called.

    scale: str
        Of the effects.
    """

    include: tuple[str, ...]
    length: int
    tile_size: int
    n_tiles: int
    silencer_contexts: tuple[str, ...]
    scale: str = "ratio"

    @property
    def tiles_in_words(self) -> str:
        """What limits a number of tiles."""
        return f"the context tiles of {self.tile_size} bp in a window of {self.length} bp"


def _no_problems(settings: Any, study: StudyFacts) -> Iterable[str]:
    return ()


@dataclass(frozen=True, kw_only=True)
class StudyTest:
    """One test of a study: its settings, its tables, how it runs, and what it costs.

    Parameters
    ----------
    name: str
        Its name in the study: of its table of settings, of its stage, and of its main table.

    doc: str
        Its comment in the template.

    settings: type
        A `Section`, the table ``[tests.<name>]``. Its key `tracks`, if it has one, chooses tracks of the study, and its
        key `n` is the number of shuffles.

    run: callable
        ``run(locus, settings, tables)`` tests one locus and adds rows to the tables.

    cost: callable
        ``cost(tests, extent)``: sequences predicted per locus, where `tests` has the settings of every test.

    gives: tuple of str
        Its tables. Those of raw predictions are not named.

    needs: tuple of str, optional
        The tables of the same locus that it starts from: of earlier tests, or "sources", the TSS tiles of the swap
        test. Without rows in each of them the test stores an empty shard.

    backgrounds: bool, optional
        Whether it puts tiles into shuffled backgrounds, which all tests of a locus share. Default is False.

    rows: callable or None, optional
        ``rows(extent)``: rows per locus and track of its main table. None estimates them from the cost. Default is
        None.

    raw: bool, optional
        Whether it can store the prediction of every shuffle. Default is True.

    check: callable, optional
        ``check(settings, study)`` yields what is wrong with the settings in this study, each as a sentence that
        begins with the key. Default finds nothing.

    summaries: tuple of Summary, optional
        What reports say about its tables.
    """

    name: str
    doc: str
    settings: type[Section]
    run: Callable[[LocusState, Any, LocusTables], None]
    cost: Callable[[Any, Extent], float]
    gives: tuple[str, ...]
    needs: tuple[str, ...] = ()
    backgrounds: bool = False
    rows: Callable[[Extent], float] | None = None
    raw: bool = True
    check: Callable[[Any, StudyFacts], Iterable[str]] = _no_problems
    summaries: tuple[Summary, ...] = ()

    @property
    def of_cres(self) -> bool:
        """Whether it tests the CREs that another test called."""
        return "cres" in self.needs
