"""How figures and page show the swap test: TSS tiles in the contexts of other loci."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ..plots import plot_swap
from .panels import Drawn, median_by, panels
from .record import PageTable, SectionView, SummaryTable
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table = tables["swap"]
    if len(table):
        table = table[(table["example"] != table["source"]) & table["fold_over_source"].notna()]
        table = table.dropna(subset=["source_context", "target_context"])

    def draw(rows: pd.DataFrame, ax: Any) -> None:
        values = rows["fold_over_source"]
        plot_swap(rows, ax, log=bool((values > 0).all() and values.max() > 20 * values.min()))

    yield from panels(
        table,
        "swap",
        "TSS tiles in other contexts",
        "The prediction of each TSS tile in the contexts of other loci, over that in its original context, by the "
        "categories of both contexts.",
        draw,
        lambda rows: "; ".join(
            f"TSS from {source}: {median_by(part, 'fold_over_source', 'target_context')}"
            for source, part in rows.groupby("source_context")
        ),
        size=(6.4, 3.6),
        most=2,
    )


VIEW = SectionView(
    title="Contexts swapped",
    formulas=(("fold over source", "MUT / WT of the source"),),
    reading=lambda spec: (
        "The TSS tile of one locus, the source, is put into the context of another locus. At 1 the TSS tile is as "
        "active there as in its original context, above 1 more active, below 1 less. The summary leaves out loci in "
        "their original context."
    ),
    limits=(
        "Why a context fits: contexts of one category differ in more than their category. A source that is weak in "
        "its original context has large folds in any other."
    ),
    draw=_draw,
    summaries=(SummaryTable("swap", "Fold over the source by categories: quartiles"),),
    tables=(
        PageTable(
            "swap", "TSS tiles in other contexts",
            ("example", "source", "track", "source_context", "target_context", "fold_over_source", "y_source",
             "y_target", "y_mut"),
            rank="fold_over_source", neutral=1.0, closed=True,
        ),
    ),
    columns={
        "fold_over_source": "MUT / the prediction of the source in its original context",
        "source": "name of the locus whose TSS tile is put into the context of the other",
    },
)  # fmt: skip
