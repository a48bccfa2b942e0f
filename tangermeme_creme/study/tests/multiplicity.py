"""The multiplicity test of a study: copies of each CRE added one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ... import analysis, operators
from ...analysis import interactions
from ...support import Count, Section, Text, key
from .costs import Extent, falling_sum
from .frames import DIRECTION, TRACKS_DOC, OneTrack, cre_labels, cres_in, on_scale, placed
from .record import StudyFacts, StudyTest
from .summary import MEANS, UNDEFINED, ResultTables, Summary, described, in_order, wide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .frames import LocusTables
    from .locus import LocusState


_OVER_CONTROL = {
    "fold_over_control": analysis.fold_change,
    "difference": analysis.tile_difference,
    "log_fold": analysis.tile_log_fold,
}


class MultiplicitySettings(Section):
    """Copies of each CRE added, one after the other."""

    n: Count = key(10, doc="Shuffled backgrounds per locus.")
    copies: Count = key(15, doc="How many copies are added.")
    tracks: tuple[Text, ...] = key((), doc=TRACKS_DOC)


def run(locus: LocusState, settings: MultiplicitySettings, tables: LocusTables) -> None:
    """Add copies of each CRE; R copies cost 2 n + (T + (T - 1) + ...) n passes per CRE and track."""
    for row in cres_in(locus.inputs["cres"], settings.tracks):
        tables.attempt(f"tile {row.tile}, track {row.track}", _copies, locus, settings, row)


def _copies(tables: LocusTables, locus: LocusState, settings: MultiplicitySettings, row: Any) -> None:
    study = locus.study
    starts = [start for start, _ in study.tiles]
    result = operators.multiplicity_test(
        study.model, locus.X, study.tss_tile, study.tiles[row.tile], starts, direction=DIRECTION[row.cre],
        objective=OneTrack(study.tracks.index(row.track)), copies=settings.copies, n=settings.n,
        backgrounds=locus.backgrounds(settings.n), **locus.options(),
    )  # fmt: skip
    (effect,) = on_scale(study.scale, "fold_over_control")
    control, doses = float(result.y_control.double().mean()), result.y_selected[0].double().numpy()
    table = pd.DataFrame({
        "example": locus.example, "copies": range(1, len(doses) + 1), "start": result.positions[0].tolist(),
        "y_control": control, "y_original": float(result.y_original.double().mean()), "y_mut": doses,
        effect: _OVER_CONTROL[effect](doses, control),
    })  # fmt: skip
    labels = {**cre_labels(study.tiles, row.tile), "track": row.track, "cre": row.cre}
    tables.add(
        multiplicity=placed(table, **labels),
        saturation=placed(interactions.saturation_table(result, ids=[locus.example], scale=study.scale), **labels),
        raw_multiplicity=placed(result.to_frame(positions=starts, ids=[locus.example]), **labels),
    )


def cost(tests: Any, extent: Extent) -> float:
    settings = tests.multiplicity
    return extent.cres * (2 + falling_sum(extent.tiles, settings.copies)) * settings.n


def check(settings: MultiplicitySettings, study: StudyFacts) -> Iterator[str]:
    if "multiplicity" in study.include and settings.copies > study.n_tiles:
        yield f"copies must be at most {study.n_tiles}, {study.tiles_in_words}; got {settings.copies}."


def summarize(study: ResultTables) -> pd.DataFrame:
    table = study["multiplicity"]
    values = [analysis.effect_in(table, "fold_over_control")]
    return described(study, table, ["track", "cre", "copies"], values, MEANS)


def summarize_saturation(study: ResultTables) -> pd.DataFrame:
    table, answers = study["saturation"], ("yes", "no", "flat")
    table = table.assign(**{name: table["saturates"] == name for name in answers}, undefined=table["saturates"].isna())
    counts = {name: (name, "sum") for name in (*answers, UNDEFINED)}
    grouped = table.groupby(["track", "cre"], sort=False)
    saturation = grouped.agg(n=("cre_tile", "size"), **counts, median_half_copies=("half_copies", "median"))
    return in_order(saturation.reset_index(), ["track", "cre"], study)


TEST = StudyTest(
    name="multiplicity",
    doc="Copies of each CRE added one by one. Needs sufficiency.",
    settings=MultiplicitySettings,
    run=run,
    cost=cost,
    check=check,
    gives=("multiplicity", "saturation"),
    needs=("cres",),
    backgrounds=True,
    summaries=(
        Summary(
            "multiplicity",
            "Copies: mean fold over the control",
            summarize,
            "multiplicity",
            wide("copies", "fold_over_control"),
            "Copies: mean {} against the control",
        ),
        Summary("saturation", "Does the effect of copies level off?", summarize_saturation, "saturation"),
    ),
)
