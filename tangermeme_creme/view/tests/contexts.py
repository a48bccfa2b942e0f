"""How figures and page show context dependence."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...analysis import effect_in
from ...study.spec import StudySpec, context_thresholds
from ..plots import plot_context_effects
from .panels import Drawn, count_by, panels
from .record import PageTable, SectionView, SummaryTable, effects, formulas_on
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table = tables["contexts"]
    effect = effect_in(table, "context_effect")
    if len(table):
        table = table[table["ranked"].astype(bool) & table[effect].notna()]
    draw = plot_context_effects
    if effect != "context_effect":
        draw = partial(plot_context_effects, effect=effect, limits=None)
    yield from panels(
        table,
        "context_effects",
        "Context effects",
        "How much of the prediction is lost when everything except the TSS tile is shuffled: number of loci, by "
        "category.",
        draw,
        lambda rows: f"{len(rows)} loci, {count_by(rows, 'context')}; median effect {rows[effect].median():.3g}",
    )


def _reading(spec: StudySpec) -> str:
    at, lost = context_thresholds(spec.context), "Near 1" if spec.effects.scale == "ratio" else "Far above 0"
    return (
        "Everything except the TSS tile is shuffled, which keeps dinucleotides. WT is the prediction of the original "
        f"sequence, MUT the mean over shuffles. {lost} the activity is lost without the context: above "
        f"{at['enhancing']:g} the context is called enhancing. Within {at['neutral']:g} of 0 it is called neutral. "
        f"Below {at['silencing']:g}, where the activity rises without it, it is called silencing. All other contexts "
        "are called other. The further tests use loci that were drawn from each category."
    )


VIEW = SectionView(
    title="Contexts",
    formulas=lambda scale: formulas_on(scale, (("context effect", "(WT - MUT) / WT"),), "WT", "MUT"),
    reading=_reading,
    limits=(
        "Which part of the context acts. Shuffled sequences are unlike those that the network was trained on, so an "
        "effect may in part be its answer to unfamiliar sequence; this holds for every test with shuffled backgrounds."
    ),
    draw=_draw,
    summaries=(SummaryTable("contexts", "Categories of contexts"),),
    tables=(
        PageTable(
            "contexts", "Contexts by locus and track",
            ("example", "track", "context", *effects("context_effect"), "n", "y_wt", "y_mut", "ranked", "selected"),
            rank="context_effect",
        ),
    ),
    columns={
        "context_effect": "(WT - MUT) / WT, everything except the TSS tile shuffled",
        "n_selected": "number of these loci that were drawn for all further tests",
        "ranked": "whether the locus is among the most active of this track",
        "selected": "whether the locus was drawn for all further tests in this track",
    },
)  # fmt: skip
