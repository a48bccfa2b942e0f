"""What figures and page need to know of one test of a study, or of another section."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ...analysis import SCALES
from ...study.spec import StudySpec
from ...study.tests import SCALE_WORDS
from .panels import Drawn
from .study_tables import StudyTables

# Columns that tables of several tests begin with.
TILE_COLUMNS = ("example", "track", "context", "tile", "start", "end", "n")
CRE_COLUMNS = ("example", "track", "cre", "cre_tile", "cre_start", "cre_end")
SET_COLUMNS = ("example", "track", "context", "direction")


Formulas = tuple[tuple[str, str], ...]


def interval(*names: str) -> tuple[str, ...]:
    """Return the columns of values and of the ends of their intervals."""
    return tuple(f"{name}{end}" for name in names for end in ("", "_low", "_high"))


def effects(*names: str) -> tuple[str, ...]:
    """Return the columns of effects with their intervals, and those of other scales, which stand in their place."""
    return interval(*names, *SCALES[1:])


def formulas_on(scale: str, ratios: Formulas, one: str, other: str) -> Formulas:
    """Return the formulas of a section: those of ratios, or of the activities that another scale compares.

    Examples
    --------
    >>> formulas_on("log_fold", (("necessity", "(WT - MUT) / WT"),), "WT", "MUT")
    (('log2 fold change', 'log2(WT / MUT)'),)
    """
    if scale == "ratio":
        return ratios
    formula = f"{one} - {other}" if scale == "difference" else f"log2({one} / {other})"
    return ((SCALE_WORDS[scale], formula),)


@dataclass(frozen=True)
class SummaryTable:
    """A table of `summary_tables` on the page.

    Parameters
    ----------
    name, title: str

    values: tuple of str
        The page shows the rows whose column `value` is one of these. () shows all rows.
    """

    name: str
    title: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageTable:
    """A table of a study on the page.

    Parameters
    ----------
    name, title: str

    columns: tuple of str
        The columns to show, as far as the table has them. () shows all columns.

    rank: str or None
        The column that ranks the rows of a long table, or the effect of another scale that the table has in its place;
        the page shows the rows with the largest values. None leaves a long table out.

    neutral: float
        The value of `rank` that means no effect, which on other scales is 0: values are ranked by their distance from
        it.

    closed: bool
        Whether the reader has to open the table.

    replaced_by: str
        The name of a table with the same rows. If that table has rows, the page shows it and leaves this one out.
    """

    name: str
    title: str
    columns: tuple[str, ...] = ()
    rank: str | None = None
    neutral: float = 0.0
    closed: bool = False
    replaced_by: str = ""


@dataclass(frozen=True)
class SectionView:
    """A section of the page, and its figures.

    Parameters
    ----------
    title: str

    reading: callable
        Takes the spec of the study and returns how to read the numbers.

    limits: str
        What the numbers do not tell.

    formulas: tuple of (str, str), or callable
        Names of numbers, and how they are computed. A callable takes the scale of the effects and returns them.

    draw: callable or None
        Takes the tables of a study and yields figures. None: the section has no figure.

    summaries: tuple of SummaryTable

    tables: tuple of PageTable

    columns: dict of str to str
        Meanings of columns that the tables of this section alone have. `report/columns.py` has those of all others.

    files: dict of str to str
        What exported files contain, by the beginning of their names.
    """

    title: str
    reading: Callable[[StudySpec], str]
    limits: str
    formulas: Formulas | Callable[[str], Formulas] = ()
    draw: Callable[[StudyTables], Iterator[Drawn]] | None = None
    summaries: tuple[SummaryTable, ...] = ()
    tables: tuple[PageTable, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
