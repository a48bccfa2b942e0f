"""How figures and page show the distance test: CREs at other places."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from ...study.spec import StudySpec
from ..plots import plot_distance_curves
from .panels import Drawn, panels
from .record import CRE_COLUMNS, Formulas, PageTable, SectionView, SummaryTable, effects, formulas_on
from .study_tables import StudyTables

_CURVES = {
    "fraction_of_max": ("Distance, as a fraction of the maximum", "over its largest value at any distance"),
    "over_control": ("Distance, as an effect", "minus that of the TSS tile alone, over the latter"),
    "difference": ("Distance, as an effect", "minus that of the TSS tile alone"),
    "log_fold": ("Distance, as an effect", "over that of the TSS tile alone, as a logarithm to base 2"),
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


_SHAPE = ("fraction of max", "MUT / largest MUT of this CRE")


def _formulas(scale: str) -> Formulas:
    shown = formulas_on(scale, (("fold over control", "MUT / CONTROL"),), "MUT", "CONTROL")
    return shown if scale == "difference" else (*shown, _SHAPE)


def _reading(spec: StudySpec) -> str:
    scale = spec.effects.scale
    effect, none = ("Fold over control", 1) if scale == "ratio" else ("The effect", 0)
    shape = " Fraction of max is the shape of that curve: 1 at the place where the activity is highest."
    return (
        f"Each CRE is put at the place of every tile, with the TSS tile, in shuffled backgrounds. {effect} "
        f"says what the CRE does there: above {none} it raises the activity, below {none} it lowers it."
        f"{'' if scale == 'difference' else shape}"
    )


VIEW = SectionView(
    title="Distance",
    formulas=_formulas,
    reading=_reading,
    limits=(
        "Fraction of max does not say how strong a CRE is: its largest value is 1 for weak CREs too. Silencers have "
        "their largest activity where they do least; read their fold over control."
    ),
    draw=_draw,
    summaries=(SummaryTable("distance", "Means by offset"),),
    tables=(
        PageTable(
            "distance", "CREs at other places",
            (*CRE_COLUMNS, "offset", "n", *effects("fold_over_control"), "fraction_of_max"),
            rank="fold_over_control", neutral=1.0, closed=True,
        ),
    ),
    columns={
        "fraction_of_max": "MUT over MUT at the best place of this CRE",
        "offset": "from the TSS to the middle of the place in bp",
    },
)  # fmt: skip
