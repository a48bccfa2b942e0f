"""How figures and page show the sufficiency test: what each tile adds to the TSS tile alone."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ...analysis import join_tile_effects
from ..plots import plot_necessity_sufficiency
from .cres import call_text
from .panels import Drawn, effects_by_context, panels
from .record import TILE_COLUMNS, PageTable, SectionView, SummaryTable, interval
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table, necessity = tables["sufficiency"], tables["necessity"]
    what = "that a tile adds to the TSS tile in shuffled sequence"
    yield from effects_by_context(table, "over_wt", "Sufficiency over wild type", what)
    yield from effects_by_context(table, "over_control", "Sufficiency over control", what)
    if len(necessity) and len(table):
        yield from panels(
            join_tile_effects(necessity, table).dropna(subset=["necessity", "over_wt"]),
            "necessity_sufficiency",
            "Sufficiency against necessity",
            "The share of the prediction that each tile adds to the TSS tile alone, against the share that is lost "
            "when the tile is shuffled. On the dashed line both are the same.",
            plot_necessity_sufficiency,
            _agreement,
        )


def _agreement(rows: pd.DataFrame) -> str:
    if min(rows["necessity"].nunique(), rows["over_wt"].nunique()) < 2:
        return f"{len(rows)} tiles, of which one effect or both do not vary"
    return f"{len(rows)} tiles, rank correlation {rows['necessity'].corr(rows['over_wt'], 'spearman'):.2f}"


VIEW = SectionView(
    title="Sufficiency",
    formulas=(("over WT", "(MUT - CONTROL) / WT"), ("over control", "(MUT - CONTROL) / CONTROL")),
    reading=lambda spec: (
        "The TSS tile and one other tile are put into shuffled backgrounds; CONTROL is the TSS tile alone in the same "
        "backgrounds. Over WT is the part of the wild type's activity that the tile brings back; over control is the "
        f"change that the tile makes, negative where it lowers the activity. {call_text(spec)}"
    ),
    limits=(
        "Whether the tile is needed at its place: sufficient is not necessary. Backgrounds are unlike genomes, and if "
        "the control is small, a small change is a large effect over it. The tiles were called by the same numbers "
        "that are shown, so the largest effects are on average too large: the winner is also lucky."
    ),
    draw=_draw,
    summaries=(
        SummaryTable("sufficiency", "Sufficiency of tiles: quartiles"),
        SummaryTable("calls", "Tiles that were called"),
        SummaryTable("tests", "Sufficiency between contexts: Mann-Whitney U tests", ("over_wt", "over_control")),
    ),
    tables=(
        PageTable(
            "sufficiency", "Sufficiency by tile",
            (*TILE_COLUMNS, *interval("over_wt"), *interval("over_control"), "y_wt", "y_control", "y_mut", "cre"),
            rank="over_control", closed=True,
        ),
    ),
    columns={
        "enhancers": "number of tiles called enhancers",
        "silencers": "number of tiles called silencers",
    },
    files={"over_control": "sufficiency over control", "over_wt": "sufficiency over WT"},
)  # fmt: skip
