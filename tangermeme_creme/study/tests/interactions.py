"""The interactions of a study: pairs of the most necessary tiles shuffled together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from annotated_types import Ge

from ... import operators
from ...analysis import effect_in, interactions as pairs
from ...support import Count, Positive, Section, Text, key
from .costs import Extent
from .frames import TRACKS_DOC, placed, summarized
from .record import StudyFacts, StudyTest
from .summary import ResultTables, Summary, classes_side_by_side, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .frames import LocusTables
    from .locus import LocusState


class InteractionsSettings(Section):
    """Pairs of tiles shuffled."""

    n: Count = key(10, doc="Shuffles per tile.")
    tiles: Annotated[int, Ge(2)] = key(6, doc="How many tiles, the strongest by necessity; all pairs of them.")
    threshold: Positive | None = key(
        None,
        doc='An interaction is further from 0. Left out, 0.05 over the wild type; effects.scale "difference" needs it.',
        example=0.05,
    )
    tracks: tuple[Text, ...] = key((), doc=TRACKS_DOC)


def run(locus: LocusState, settings: InteractionsSettings, tables: LocusTables) -> None:
    """Shuffle all pairs of the most necessary tiles; T tiles cost 1 + T n + T (T - 1) / 2 n passes per track."""
    for _, track in locus.selected_tracks(settings.tracks):
        tables.attempt(f"track {track}", _pairs, locus, settings, track)


def _pairs(tables: LocusTables, locus: LocusState, settings: InteractionsSettings, track: str) -> None:
    study, effects = locus.study, locus.inputs["necessity"]
    effects = effects[effects["track"] == track]
    order = (
        effects[effect_in(effects, "necessity")]
        .abs()
        .sort_values(ascending=False, kind="stable", na_position="last")
        .index
    )
    chosen = sorted(effects.loc[order[: settings.tiles], "tile"])
    if len(chosen) < 2:
        return
    spans = [study.tiles[tile] for tile in chosen]
    result = operators.interaction_map(study.model, locus.X, spans, n=settings.n, **locus.options())
    frame = result.to_frame(tiles=spans, ids=[locus.example], tracks=study.tracks)
    frame = frame[frame["track"] == track].reset_index(drop=True)
    for column in ("tile_1", "tile_2"):
        frame[column] = [chosen[i] for i in frame[column]]
    threshold = settings.threshold
    if study.scale == "difference":
        summary = summarized(frame, ["epistasis_difference"])
        summary = pairs.call_interactions(summary, by="epistasis_difference", threshold=threshold)
    else:
        summary = summarized(frame, ["epistasis", "log_epistasis"])
        summary = pairs.call_interactions(summary, by="log_epistasis", threshold=threshold)
        summary = summary.rename(columns={"interaction": "log_interaction"})
        summary = pairs.call_interactions(summary, by="epistasis", threshold=threshold)
    labels = {"context": locus.context[track]}
    tables.add(interactions=placed(summary, **labels), raw_interactions=placed(frame, **labels))


def cost(tests: Any, extent: Extent) -> float:
    T = min(tests.interactions.tiles, extent.tiles)
    return extent.tracks * (1 + (T + T * (T - 1) // 2) * tests.interactions.n)


def check(settings: InteractionsSettings, study: StudyFacts) -> Iterator[str]:
    if "interactions" in study.include and study.scale == "difference" and settings.threshold is None:
        yield "threshold must be given for effects.scale 'difference', in units of the model; got none."


def summarize(study: ResultTables) -> pd.DataFrame:
    columns = {"epistasis": "interaction", "log_epistasis": "log_interaction"}
    if "epistasis_difference" in study["interactions"]:
        columns = {"epistasis_difference": "interaction"}
    return counted(study, study["interactions"], ["track", "context"], columns)


TEST = StudyTest(
    name="interactions",
    doc="Pairs of tiles shuffled. Needs necessity.",
    settings=InteractionsSettings,
    run=run,
    cost=cost,
    check=check,
    gives=("interactions",),
    needs=("necessity",),
    summaries=(Summary("interactions", "Pairs of tiles", summarize, "interactions", classes_side_by_side),),
)
