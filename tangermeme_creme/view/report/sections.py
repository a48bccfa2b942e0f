"""The sections of a page: one per test of a study, with its figures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from ...analysis import effect_in
from ...study.spec import StudySpec, window_center, window_length
from ...study.tables import summary_tables
from ..figures import StudyFigure
from ..tests import Formulas, SectionView, section_views
from .images import Image, image_of
from .tables import ShownTable, content_of, shown_table
from .text import without_folders


@dataclass(frozen=True)
class PageSection:
    """A section of a page. `view` is its record; `reading` and `formulas` say how to read its numbers."""

    key: str
    view: SectionView
    reading: str
    formulas: Formulas
    images: list[Image]
    tables: list[ShownTable]


def sections_of(
    spec: StudySpec,
    tables: Mapping[str, pd.DataFrame],
    figures: Sequence[StudyFigure],
    loci: Mapping[str, int],
    genes: Mapping[str, str],
) -> list[PageSection]:
    """Return the sections that have a row or a figure, in the order of the tests.

    Raises
    ------
    ValueError
        If no section has the name that a figure gives.
    """
    views = section_views()
    for figure in figures:
        if figure.section not in views:
            raise ValueError(f"the section of a figure must be one of {', '.join(views)}; got {figure.section!r}.")
    summaries = summary_tables(tables, length=window_length(spec), center=window_center(spec))
    sections = []
    for key, view in views.items():
        images = [image_of(figure) for figure in figures if figure.section == key]
        shown = [*_summaries(key, view, summaries), *_tables(view, spec.effects.scale, tables, loci, genes)]
        if images or shown:
            formulas = view.formulas(spec.effects.scale) if callable(view.formulas) else view.formulas
            sections.append(PageSection(key, view, view.reading(spec), formulas, images, shown))
    return sections


def _summaries(key: str, view: SectionView, summaries: Mapping[str, pd.DataFrame]) -> list[ShownTable]:
    shown = []
    for summary in view.summaries:
        table = summaries.get(summary.name, pd.DataFrame())
        if summary.values and len(table):
            values = [effect_in(set(table["value"]), value) for value in summary.values]
            table = table[table["value"].isin(values)]
        if len(table):
            # Without meanings of columns: in a summary a column may mean something else than in its table.
            content = content_of(_without_folders(table), summary.title)
            shown.append(ShownTable(f"summary-{key}-{summary.name}", summary.title, "", [], content))
    return shown


def _tables(
    view: SectionView, scale: str, tables: Mapping[str, pd.DataFrame], loci: Mapping[str, int], genes: Mapping[str, str]
) -> list[ShownTable]:
    # On other scales than that of ratios, every effect is 0 where nothing changes.
    views = view.tables if scale == "ratio" else [replace(table, neutral=0.0) for table in view.tables]
    return [
        shown_table(page_table, _without_folders(tables[page_table.name]), loci, genes)
        for page_table in views
        if len(tables.get(page_table.name, ())) and not len(tables.get(page_table.replaced_by, ()))
    ]


def _without_folders(table: pd.DataFrame) -> pd.DataFrame:
    messages = [name for name in ("message", "first_message") if name in table]
    return table.assign(**{name: table[name].map(without_folders) for name in messages})
