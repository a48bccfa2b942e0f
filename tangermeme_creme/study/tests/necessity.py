"""The necessity test of a study: each tile shuffled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ... import operators
from ...analysis import effect_in
from ...support import Count, Section, key
from .costs import Extent
from .frames import in_context, on_scale, summarized
from .record import StudyTest
from .summary import QUARTILE_COLUMNS, QUARTILES, ResultTables, Summary, columns_of, described

if TYPE_CHECKING:
    from .frames import LocusTables
    from .locus import LocusState


class NecessitySettings(Section):
    """Each tile shuffled."""

    n: Count = key(10, doc="Shuffles per tile.")


def run(locus: LocusState, settings: NecessitySettings, tables: LocusTables) -> None:
    """Shuffle each tile; costs 1 + T n passes."""
    study = locus.study
    result = operators.necessity_test(study.model, locus.X, study.tiles, n=settings.n, **locus.options())
    frame = result.to_frame(tiles=study.tiles, ids=[locus.example], tracks=study.tracks)
    effects = summarized(frame, on_scale(study.scale, "necessity"))
    tables.add(necessity=in_context(effects, locus.context), raw_necessity=frame)


def cost(tests: Any, extent: Extent) -> float:
    return 1 + extent.tiles * tests.necessity.n


def summarize(study: ResultTables) -> pd.DataFrame:
    table = study["necessity"]
    return described(study, table, ["track", "context"], [effect_in(table, "necessity")], QUARTILES)


TEST = StudyTest(
    name="necessity",
    doc="Each tile shuffled.",
    settings=NecessitySettings,
    run=run,
    cost=cost,
    gives=("necessity",),
    rows=lambda extent: extent.tiles,
    summaries=(
        Summary(
            "necessity", "Necessity of tiles", summarize, "necessity", columns_of("track", "context", *QUARTILE_COLUMNS)
        ),
    ),
)
