"""How figures and page show combined sufficiency: the tiles of greedy searches added to the TSS tile."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from ...analysis import effect_in
from ...study.spec import StudySpec
from ..plots import plot_set_sufficiency
from .panels import Drawn, panels
from .record import SET_COLUMNS, PageTable, SectionView, SummaryTable, effects, formulas_on
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table = tables["set_sufficiency"]
    for direction, ratio, over in (
        ("min", "fold_over_wt", "over wild type"), ("max", "fold_over_control", "over that of the TSS tile alone"),
    ):  # fmt: skip
        value = effect_in(table, ratio)
        over = over if value == ratio else "against that of the TSS tile alone"
        yield from panels(
            table[(table["direction"] == direction) & table[value].notna()] if len(table) else table,
            f"set_sufficiency_{direction}",
            f"Sets of tiles alone: {direction}",
            f"The prediction of the TSS tile and the first tiles of the set in shuffled sequence, {over}: mean "
            "and standard error over loci.",
            partial(plot_set_sufficiency, value=value),
            partial(_largest_set, value),
        )


def _largest_set(value: str, rows: pd.DataFrame) -> str:
    last = rows["n_tiles"].max()
    mean = rows.loc[rows["n_tiles"] == last, value].mean()
    return f"{rows['example'].nunique()} loci; with {last} tiles mean {mean:.3g}"


def _reading(spec: StudySpec) -> str:
    whole = " At a fold over WT of 1 the tiles together bring back the wild type's activity."
    return (
        "The tiles that a search chose are put into shuffled backgrounds with the TSS tile, one after another in the "
        f"order of the search.{whole if spec.effects.scale == 'ratio' else ''}"
    )


VIEW = SectionView(
    title="Combined sufficiency",
    formulas=lambda scale: formulas_on(
        scale, (("fold over WT", "MUT / WT"), ("fold over control", "MUT / CONTROL")), "MUT", "CONTROL"
    ),
    reading=_reading,
    limits=(
        "The smallest set that is sufficient: tiles were chosen by what their loss does, not by what they add. "
        "Backgrounds are unlike genomes here too."
    ),
    draw=_draw,
    summaries=(SummaryTable("set_sufficiency", "Means by number of tiles"),),
    tables=(
        PageTable(
            "set_sufficiency", "Tiles added round by round",
            (*SET_COLUMNS, "n_tiles", "tile", "n", *effects("fold_over_wt", "fold_over_control")),
            rank="fold_over_control", neutral=1.0, closed=True,
        ),
    ),
)  # fmt: skip
