"""How figures and page show the necessity test: what the prediction loses with each tile."""

from __future__ import annotations

from collections.abc import Iterator

from ...analysis import effect_in
from ...study.spec import StudySpec
from .panels import Drawn, effects_by_context
from .record import TILE_COLUMNS, PageTable, SectionView, SummaryTable, effects, formulas_on
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table = tables["necessity"]
    effect = effect_in(table, "necessity")
    yield from effects_by_context(table, effect, "Necessity of tiles", "lost when a tile is shuffled", "necessity")


def _reading(spec: StudySpec) -> str:
    all_lost = " At 1 all activity is lost." if spec.effects.scale == "ratio" else ""
    return (
        "One tile is shuffled, and the rest of the sequence stays. Above 0 the activity falls without the tile: the "
        f"model needs the tile in this context.{all_lost} Below 0 the activity rises: the tile lowers "
        "it. Intervals are 95% bootstrap intervals over shuffles."
    )


VIEW = SectionView(
    title="Necessity",
    formulas=lambda scale: formulas_on(scale, (("necessity", "(WT - MUT) / WT"),), "WT", "MUT"),
    reading=_reading,
    limits=(
        "Whether the tile acts by itself: necessary is not sufficient. If another tile makes up for the loss of a "
        "tile, that tile looks unnecessary."
    ),
    draw=_draw,
    summaries=(SummaryTable("necessity", "Necessity of tiles: quartiles"),),
    tables=(
        PageTable(
            "necessity", "Necessity by tile", (*TILE_COLUMNS, *effects("necessity"), "y_wt", "y_mut"),
            rank="necessity", closed=True,
        ),
    ),
    columns={"necessity": "(WT - MUT) / WT, this tile shuffled"},
    files={"necessity": "necessity"},
)  # fmt: skip
