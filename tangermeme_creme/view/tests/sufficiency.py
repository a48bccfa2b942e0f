"""How figures and page show the sufficiency test: what each tile adds to the TSS tile alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from ...analysis import effect_in, join_tile_effects
from ...study.spec import StudySpec
from ..plots import plot_necessity_sufficiency
from .cres import call_text
from .panels import Drawn, effects_by_context, panels
from .record import TILE_COLUMNS, PageTable, SectionView, SummaryTable, effects, formulas_on
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table, necessity = tables["sufficiency"], tables["necessity"]
    what = "that a tile adds to the TSS tile in shuffled sequence"
    effect, x, y, share = effect_in(table, "over_wt"), "necessity", "over_wt", "share"
    if effect == "over_wt":
        yield from effects_by_context(table, "over_wt", "Sufficiency over wild type", what)
        yield from effects_by_context(table, "over_control", "Sufficiency over control", what)
    else:
        yield from effects_by_context(table, effect, "Sufficiency", what, "sufficiency")
        x, y, share = f"{effect}_necessity", f"{effect}_sufficiency", "part"
    if len(necessity) and len(table):
        yield from panels(
            _joined(necessity, table, effect).dropna(subset=[x, y]),
            "necessity_sufficiency",
            "Sufficiency against necessity",
            f"The {share} of the prediction that each tile adds to the TSS tile alone, against the {share} that is "
            "lost when the tile is shuffled. On the dashed line both are the same.",
            partial(plot_necessity_sufficiency, x=x, y=y),
            partial(_agreement, x, y),
        )


def _joined(necessity: pd.DataFrame, sufficiency: pd.DataFrame, effect: str) -> pd.DataFrame:
    """Join both effects of each tile. On other scales both tables have one name for them."""
    if effect == "over_wt":
        return join_tile_effects(necessity, sufficiency)
    ends = ("", "_sem", "_low", "_high")
    renamed = [
        table.rename(columns={f"{effect}{end}": f"{effect}_{name}{end}" for end in ends})
        for name, table in (("necessity", necessity), ("sufficiency", sufficiency))
    ]
    return join_tile_effects(*renamed)


def _agreement(x: str, y: str, rows: pd.DataFrame) -> str:
    if min(rows[x].nunique(), rows[y].nunique()) < 2:
        return f"{len(rows)} tiles, of which one effect or both do not vary"
    return f"{len(rows)} tiles, rank correlation {rows[x].corr(rows[y], 'spearman'):.2f}"


def _reading(spec: StudySpec) -> str:
    effects = "The effect is the change that the tile makes, negative where it lowers the activity."
    if spec.effects.scale == "ratio":
        effects = (
            "Over WT is the part of the wild type's activity that the tile brings back; over control is the "
            "change that the tile makes, negative where it lowers the activity."
        )
    return (
        "The TSS tile and one other tile are put into shuffled backgrounds; CONTROL is the TSS tile alone in the same "
        f"backgrounds. {effects} {call_text(spec)}"
    )


VIEW = SectionView(
    title="Sufficiency",
    formulas=lambda scale: formulas_on(
        scale, (("over WT", "(MUT - CONTROL) / WT"), ("over control", "(MUT - CONTROL) / CONTROL")), "MUT", "CONTROL"
    ),
    reading=_reading,
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
            (*TILE_COLUMNS, *effects("over_wt", "over_control"), "y_wt", "y_control", "y_mut", "cre"),
            rank="over_control", closed=True,
        ),
    ),
    columns={
        "enhancers": "number of tiles called enhancers",
        "silencers": "number of tiles called silencers",
    },
    files={
        "over_control": "sufficiency over control", "over_wt": "sufficiency over WT", "sufficiency": "sufficiency",
    },
)  # fmt: skip
