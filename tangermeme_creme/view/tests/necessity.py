"""How figures and page show the necessity test: what the prediction loses with each tile."""

from __future__ import annotations

from .panels import effects_by_context
from .record import TILE_COLUMNS, PageTable, SectionView, SummaryTable, interval

VIEW = SectionView(
    title="Necessity",
    formulas=(("necessity", "(WT - MUT) / WT"),),
    reading=lambda spec: (
        "One tile is shuffled, and the rest of the sequence stays. Above 0 the activity falls without the tile: the "
        "model needs the tile in this context. At 1 all activity is lost. Below 0 the activity rises: the tile lowers "
        "it. Intervals are 95% bootstrap intervals over shuffles."
    ),
    limits=(
        "Whether the tile acts by itself: necessary is not sufficient. If another tile makes up for the loss of a "
        "tile, that tile looks unnecessary."
    ),
    draw=lambda tables: effects_by_context(
        tables["necessity"], "necessity", "Necessity of tiles", "lost when a tile is shuffled"
    ),
    summaries=(SummaryTable("necessity", "Necessity of tiles: quartiles"),),
    tables=(
        PageTable(
            "necessity", "Necessity by tile", (*TILE_COLUMNS, *interval("necessity"), "y_wt", "y_mut"),
            rank="necessity", closed=True,
        ),
    ),
    columns={"necessity": "(WT - MUT) / WT, this tile shuffled"},
    files={"necessity": "necessity"},
)  # fmt: skip
