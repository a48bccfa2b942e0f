"""How figures and page show the swap test: TSS tiles in the contexts of other loci."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ...analysis import effect_in
from ...study.spec import StudySpec
from ..plots import plot_swap
from .panels import Drawn, median_by, panels
from .record import PageTable, SectionView, SummaryTable, formulas_on
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table = tables["swap"]
    effect = effect_in(table, "fold_over_source")
    ratios = effect == "fold_over_source"
    if len(table):
        table = table[(table["example"] != table["source"]) & table[effect].notna()]
        table = table.dropna(subset=["source_context", "target_context"])

    def draw(rows: pd.DataFrame, ax: Any) -> None:
        values = rows[effect]
        log = bool(ratios and (values > 0).all() and values.max() > 20 * values.min())
        plot_swap(rows, ax, value=effect, log=log)

    yield from panels(
        table,
        "swap",
        "TSS tiles in other contexts",
        f"The prediction of each TSS tile in the contexts of other loci, {'over' if ratios else 'against'} that in its "
        "original context, by the "
        "categories of both contexts.",
        draw,
        lambda rows: "; ".join(
            f"TSS from {source}: {median_by(part, effect, 'target_context')}"
            for source, part in rows.groupby("source_context")
        ),
        size=(6.4, 3.6),
        most=2,
    )


def _reading(spec: StudySpec) -> str:
    same = 1 if spec.effects.scale == "ratio" else 0
    return (
        f"The TSS tile of one locus, the source, is put into the context of another locus. At {same} the TSS tile is "
        f"as active there as in its original context, above {same} more active, below {same} less. The summary leaves "
        "out loci in their original context."
    )


VIEW = SectionView(
    title="Contexts swapped",
    formulas=lambda scale: formulas_on(
        scale, (("fold over source", "MUT / WT of the source"),), "MUT", "WT of the source"
    ),
    reading=_reading,
    limits=(
        "Why a context fits: contexts of one category differ in more than their category. A source that is weak in "
        "its original context has large folds in any other."
    ),
    draw=_draw,
    summaries=(SummaryTable("swap", "Fold over the source by categories: quartiles"),),
    tables=(
        PageTable(
            "swap", "TSS tiles in other contexts",
            ("example", "source", "track", "source_context", "target_context", "fold_over_source", "difference",
             "log_fold", "y_source", "y_target", "y_mut"),
            rank="fold_over_source", neutral=1.0, closed=True,
        ),
    ),
    columns={
        "fold_over_source": "MUT / the prediction of the source in its original context",
        "source": "name of the locus whose TSS tile is put into the context of the other",
    },
)  # fmt: skip
