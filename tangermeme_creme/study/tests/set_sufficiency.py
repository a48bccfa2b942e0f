"""The sufficiency of tile sets in a study: the tiles of each greedy search, added one by one to the backgrounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ... import operators
from ...analysis import effect_in
from ...support import Count, Section, key
from .costs import Extent
from .frames import on_scale, placed, summarized
from .record import StudyTest
from .summary import MEANS, ResultTables, Summary, described, wide

if TYPE_CHECKING:
    from .frames import LocusTables
    from .locus import LocusState


class SetSufficiencySettings(Section):
    """The tiles that higher_order chose, together in shuffled backgrounds."""

    n: Count = key(10, doc="Shuffled backgrounds per locus.")


def run(locus: LocusState, settings: SetSufficiencySettings, tables: LocusTables) -> None:
    """Add the tiles of each greedy search to the backgrounds; R tiles cost 1 + n + R n passes per search."""
    for (track, direction), trace in locus.inputs["higher_order"].groupby(["track", "direction"], sort=False):
        what = f"track {track}, {direction}"
        tables.attempt(what, _set, locus, settings.n, str(track), str(direction), trace)


def _set(tables: LocusTables, locus: LocusState, n: int, track: str, direction: str, trace: pd.DataFrame) -> None:
    study = locus.study
    order = trace.sort_values("round")["tile"].tolist()
    result = operators.tile_set_sufficiency_test(
        study.model, locus.X, study.tss_tile, study.tiles, [order], n=n, backgrounds=locus.backgrounds(n),
        **locus.options(),
    )  # fmt: skip
    frame = result.to_frame(ids=[locus.example], tracks=study.tracks)
    frame = frame[frame["track"] == track].reset_index(drop=True)
    effects = on_scale(study.scale, "over_wt", "over_control", "fold_over_wt", "fold_over_control")
    summary = summarized(frame, effects)
    summary.insert(list(summary.columns).index("n_tiles") + 1, "tile", [order[r] for r in summary["round"]])
    labels = {"context": locus.context[track], "direction": direction}
    tables.add(set_sufficiency=placed(summary, **labels), raw_set_sufficiency=placed(frame, **labels))


def cost(tests: Any, extent: Extent) -> float:
    n, searches = tests.set_sufficiency.n, extent.tracks * len(tests.higher_order.directions)
    return searches * (1 + n + (tests.higher_order.rounds or extent.tiles) * n)


def summarize(study: ResultTables) -> pd.DataFrame:
    table, keys = study["set_sufficiency"], ["track", "context", "direction", "n_tiles"]
    values = [effect_in(table, name) for name in ("fold_over_wt", "fold_over_control")]
    return described(study, table, keys, values, MEANS)


TEST = StudyTest(
    name="set_sufficiency",
    doc="The tiles so chosen, together in shuffled backgrounds. Needs higher_order.",
    settings=SetSufficiencySettings,
    run=run,
    cost=cost,
    gives=("set_sufficiency",),
    needs=("higher_order",),
    backgrounds=True,
    summaries=(
        Summary(
            "set_sufficiency",
            "Chosen tiles in backgrounds: mean fold over the wild type, by tiles added",
            summarize,
            "set_sufficiency",
            wide("n_tiles", "fold_over_wt"),
            "Chosen tiles in backgrounds: mean {} against the control, by tiles added",
        ),
    ),
)
