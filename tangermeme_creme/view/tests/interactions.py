"""How figures and page show the interactions test: tiles shuffled in pairs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from ...analysis.interactions import THRESHOLD
from ...study.spec import StudySpec
from ..plots import plot_interaction_map
from .panels import Drawn, count_by, panels
from .record import Formulas, PageTable, SectionView, SummaryTable, interval
from .study_tables import StudyTables

_MAPS = 4  # maps per track and scale: loci do not share tiles, so that each needs a map


_SCALES = {
    "epistasis": ("interaction", "over wild type"),
    "log_epistasis": ("log_interaction", "natural logs"),
    "epistasis_difference": ("interaction", "in units of the prediction"),
}


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table = tables["interactions"]
    if not len(table):
        return
    for value, (column, unit) in _SCALES.items():
        if value not in table.columns:
            continue
        for k, (track, rows) in enumerate(table.groupby("track", sort=False)):
            strength = rows.assign(size=rows[value].abs()).groupby("example")["size"].max()
            strongest = strength[strength > 0].sort_values(ascending=False, kind="stable").index[:_MAPS]
            yield from panels(
                tables.with_genes(rows[rows["example"].isin(strongest)]),
                f"{value}_{k + 1}",
                f"Pairs of tiles, {unit}: {track}",
                "The effect of shuffling two tiles together, minus the expectation from both alone; + and - mark pairs "
                f"that are called by their interval. The {len(strongest)} loci with the strongest pairs.",
                partial(plot_interaction_map, value=value),
                partial(_describe, value, column),
                by=("example",),
                size=(4.6, 3.6),
            )


def _describe(value: str, column: str, rows: pd.DataFrame) -> str:
    return f"{len(rows)} pairs, {count_by(rows, column)}; strongest {rows[value].abs().max():.3g}"


def _formulas(scale: str) -> Formulas:
    if scale == "difference":
        return (("epistasis", "BOTH - (FIRST + SECOND - WT)"),)
    return (
        ("epistasis", "observed fold - additive expectation"),
        ("log epistasis", "log observed fold - log multiplicative expectation"),
    )


def _reading(spec: StudySpec) -> str:
    multiply = "" if spec.effects.scale == "difference" else ", or multiply"
    least = THRESHOLD if spec.tests.interactions.threshold is None else spec.tests.interactions.threshold
    return (
        f"The most necessary tiles of a locus are shuffled in pairs. At 0 the effects of the two add up{multiply}. "
        f"An interaction is positive or negative if it is more than {least:g} from 0 and its interval does not include "
        f"0. It is none if the whole interval is within {least:g} of 0. Otherwise it is unclear: more shuffles would "
        "tell."
    )


VIEW = SectionView(
    title="Pairs of tiles",
    formulas=_formulas,
    reading=_reading,
    limits=(
        "Whether the elements touch: an interaction is arithmetic of predictions. Among many pairs without interaction "
        "a few in a hundred have an interval that does not include 0 by chance. Two tiles that add up do not multiply, "
        "so that not both scales can be 0 if both tiles act."
    ),
    draw=_draw,
    summaries=(SummaryTable("interactions", "Classes of pairs: counts"),),
    tables=(
        PageTable(
            "interactions", "Pairs by locus",
            ("example", "track", "context", "tile_1", "tile_2", "n", *interval("epistasis"), "interaction",
             *interval("log_epistasis"), "log_interaction", *interval("epistasis_difference")),
            rank="epistasis", closed=True,
        ),
    ),
    columns={
        "epistasis": "fold change with both tiles shuffled minus the additive expectation",
        "epistasis_difference": "prediction with both tiles shuffled minus the additive expectation",
        "log_epistasis": "log fold change with both tiles shuffled minus the multiplicative expectation",
        "log_interaction": "class by the multiplicative expectation",
    },
    files={"tile_pairs": "pairs of tiles that interact"},
)  # fmt: skip
