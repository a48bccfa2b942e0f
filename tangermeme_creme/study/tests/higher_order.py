"""The higher-order interaction test of a study: tiles shuffled one after the other, greedily."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ... import operators
from ...analysis import interactions
from ...support import Count, Section, Text, Whole, key
from .costs import Extent, falling_sum
from .frames import TRACKS_DOC, OneTrack, placed, with_spans
from .record import StudyFacts, StudyTest
from .summary import MEANS, ResultTables, Summary, classes_side_by_side, counted, described, wide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .frames import LocusTables
    from .locus import LocusState


class HigherOrderSettings(Section):
    """Tile after tile shuffled, each time the one that moves the prediction furthest."""

    n: Count = key(10, doc="Shuffles per tile.")
    rounds: Whole = key(0, doc="How many tiles; 0 is all of them.")
    directions: tuple[Literal["min", "max"], ...] = key(
        ("min", "max"), doc='"min" looks for sets of enhancers, "max" for sets of silencers.'
    )
    carry: Literal["closest", "all"] = key(
        "closest", doc='What the next round starts from: the shuffle closest to the mean, or "all" of them.'
    )
    n_holdout: Whole = key(0, doc="Fresh shuffles that estimate each chosen tile anew.")
    tracks: tuple[Text, ...] = key((), doc=TRACKS_DOC)


def run(locus: LocusState, settings: HigherOrderSettings, tables: LocusTables) -> None:
    """Search greedily, once per track and direction; one costs 1 + (T + (T - 1) + ...) n passes and the holdout's."""
    for k, track in locus.selected_tracks(settings.tracks):
        for direction in settings.directions:
            tables.attempt(f"track {track}, {direction}", _search, locus, settings, k, track, direction)


def _search(
    tables: LocusTables, locus: LocusState, settings: HigherOrderSettings, k: int, track: str, direction: str
) -> None:
    study = locus.study
    result = operators.higher_order_interaction_test(
        study.model, locus.X, study.tiles, direction=direction, objective=OneTrack(k), rounds=settings.rounds or None,
        n=settings.n, carry=settings.carry, n_holdout=settings.n_holdout, **locus.options(),
    )  # fmt: skip
    labels = {"track": track, "context": locus.context[track], "direction": direction}
    traces = interactions.greedy_traces(result, ids=[locus.example], scale=study.scale)
    classes = pd.DataFrame()  # differences have none: the thresholds of the paper are of ratios
    if study.scale != "difference":
        folds = traces if study.scale == "ratio" else interactions.greedy_traces(result, ids=[locus.example])
        classes = placed(interactions.classify_traces(folds, direction=direction), **labels)
    traces["y_wt"], traces["y_mut"] = float(result.y_start[0, 0]), result.y_selected[0].double().numpy()
    tables.add(
        higher_order=placed(with_spans(traces, study.tiles), **labels),
        interaction_classes=classes,
        raw_higher_order=placed(result.to_frame(tiles=study.tiles, ids=[locus.example]), **labels),
    )


def cost(tests: Any, extent: Extent) -> float:
    settings = tests.higher_order
    rounds = settings.rounds or extent.tiles
    per_search = 1 + falling_sum(extent.tiles, rounds) * settings.n + rounds * settings.n_holdout
    return extent.tracks * len(settings.directions) * per_search


def check(settings: HigherOrderSettings, study: StudyFacts) -> Iterator[str]:
    if not settings.directions:
        yield "directions must name at least one of 'min', 'max'; got none."
    if "higher_order" in study.include and settings.rounds > study.n_tiles:
        yield f"rounds must be at most {study.n_tiles}, {study.tiles_in_words}; got {settings.rounds}."


def summarize(study: ResultTables) -> pd.DataFrame:
    table = study["higher_order"]
    values = [name for name in ("observed", "additive", "multiplicative", "holdout") if name in table.columns]
    return described(study, table, ["track", "context", "direction", "n_tiles"], values, MEANS)


def summarize_classes(study: ResultTables) -> pd.DataFrame:
    columns = {"additive": "interaction", "multiplicative": "multiplicative"}
    return counted(study, study["interaction_classes"], ["track", "context", "direction"], columns)


TEST = StudyTest(
    name="higher_order",
    doc="Tiles shuffled one after the other, greedily.",
    settings=HigherOrderSettings,
    run=run,
    cost=cost,
    check=check,
    gives=("higher_order", "interaction_classes"),
    summaries=(
        Summary(
            "higher_order",
            "Greedy search: mean fold over the wild type, by tiles shuffled",
            summarize,
            "higher_order",
            wide("n_tiles", "observed"),
            "Greedy search: mean {} against the wild type, by tiles shuffled",
        ),
        Summary(
            "interaction_classes",
            "How the tiles of greedy searches act",
            summarize_classes,
            "interaction_classes",
            classes_side_by_side,
        ),
    ),
)
