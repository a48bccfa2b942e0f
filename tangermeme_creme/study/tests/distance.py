"""The distance test of a study: each CRE moved along the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ... import analysis, operators
from ...support import Count, Section, key
from .costs import Extent
from .frames import cre_labels, on_scale, placed, summarized
from .record import StudyTest
from .summary import MEANS, ResultTables, Summary, described, wide

if TYPE_CHECKING:
    from .frames import LocusTables
    from .locus import LocusState


class DistanceSettings(Section):
    """Each CRE moved along the window."""

    n: Count = key(10, doc="Shuffled backgrounds per locus.")


def run(locus: LocusState, settings: DistanceSettings, tables: LocusTables) -> None:
    """Put each CRE at the place of every tile; costs 1 + 2 n + T n passes per CRE, whatever the number of tracks."""
    for tile, cres in locus.inputs["cres"].groupby("tile"):
        tables.attempt(f"tile {tile}", _curve, locus, settings.n, int(tile), cres)


def _curve(tables: LocusTables, locus: LocusState, n: int, tile: int, cres: pd.DataFrame) -> None:
    study = locus.study
    starts, size = [start for start, _ in study.tiles], study.tss_tile[1] - study.tss_tile[0]
    result = operators.distance_test(
        study.model, locus.X, study.tss_tile, study.tiles[tile], starts, n=n, backgrounds=locus.backgrounds(n),
        **locus.options(),
    )  # fmt: skip
    frame = result.to_frame(positions=starts, ids=[locus.example], tracks=study.tracks)
    frame = frame[frame["track"].isin(cres["track"])].reset_index(drop=True)
    table = summarized(frame, on_scale(study.scale, "over_control", "fold_over_control"))
    kinds = dict(zip(cres["track"], cres["cre"]))
    table.insert(list(table.columns).index("track") + 1, "cre", table["track"].map(kinds))
    table.insert(list(table.columns).index("start") + 1, "offset", table["start"] + size // 2 - study.center)
    if study.scale != "difference":
        by_track = table.groupby("track")["y_mut"]
        table["fraction_of_max"] = by_track.transform(lambda y: analysis.fraction_of_max(y.to_numpy(), 0))
    labels = cre_labels(study.tiles, tile)
    tables.add(distance=placed(table, **labels), raw_distance=placed(frame, **labels))


def cost(tests: Any, extent: Extent) -> float:
    return extent.cre_tiles * (1 + 2 * tests.distance.n + extent.tiles * tests.distance.n)


def summarize(study: ResultTables) -> pd.DataFrame:
    table = study["distance"]
    values = [analysis.effect_in(table, name) for name in ("fraction_of_max", "fold_over_control")]
    return described(study, table, ["track", "cre", "offset"], values, MEANS)


TEST = StudyTest(
    name="distance",
    doc="Each CRE moved along the window. Needs sufficiency.",
    settings=DistanceSettings,
    run=run,
    cost=cost,
    gives=("distance",),
    needs=("cres",),
    backgrounds=True,
    rows=lambda extent: extent.cre_tiles * extent.tiles,
    summaries=(
        Summary(
            "distance",
            "Distance: mean fraction of the maximum, by offset in bp",
            summarize,
            "distance",
            wide("offset", "fraction_of_max"),
            "Distance: mean {}, by offset in bp",
        ),
    ),
)
