"""How figures and page show the distance test: CREs at other places."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from ..plots import plot_distance_curves
from .panels import Drawn, panels
from .record import CRE_COLUMNS, PageTable, SectionView, SummaryTable, interval
from .study_tables import StudyTables

_CURVES = {
    "fraction_of_max": ("Distance, as a fraction of the maximum", "over its largest value at any distance"),
    "over_control": ("Distance, as an effect", "minus that of the TSS tile alone, over the latter"),
}


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table = tables["distance"]
    for value, (title, what) in _CURVES.items():
        yield from panels(
            table.dropna(subset=[value]) if value in table.columns else pd.DataFrame(),
            f"distance_{value}",
            title,
            f"The prediction with a CRE at each distance from the TSS in shuffled sequence, {what}: mean and standard "
            "error over CREs, or the interval of a single CRE.",
            partial(plot_distance_curves, value=value),
            partial(_extremes, value),
        )


def _extremes(value: str, rows: pd.DataFrame) -> str:
    """Say where the mean of each kind is highest and lowest."""
    texts = []
    for cre, part in rows.groupby("cre"):
        mean = part.groupby("offset")[value].mean()
        texts.append(f"{cre} highest at {mean.idxmax() / 1000:.3g} kb, lowest at {mean.idxmin() / 1000:.3g} kb")
    return "; ".join(texts)


VIEW = SectionView(
    title="Distance",
    formulas=(("fold over control", "MUT / CONTROL"), ("fraction of max", "MUT / largest MUT of this CRE")),
    reading=lambda spec: (
        "Each CRE is put at the place of every tile, with the TSS tile, in shuffled backgrounds. Fold over control "
        "says what the CRE does there: above 1 it raises the activity, below 1 it lowers it. Fraction of max is the "
        "shape of that curve: 1 at the place where the activity is highest."
    ),
    limits=(
        "Fraction of max does not say how strong a CRE is: its largest value is 1 for weak CREs too. Silencers have "
        "their largest activity where they do least; read their fold over control."
    ),
    draw=_draw,
    summaries=(SummaryTable("distance", "Means by offset"),),
    tables=(
        PageTable(
            "distance", "CREs at other places",
            (*CRE_COLUMNS, "offset", "n", *interval("fold_over_control"), "fraction_of_max"),
            rank="fold_over_control", neutral=1.0, closed=True,
        ),
    ),
    columns={
        "fraction_of_max": "MUT over MUT at the best place of this CRE",
        "offset": "from the TSS to the middle of the place in bp",
    },
)  # fmt: skip
