"""The sufficiency test of a study: each tile with the TSS tile in shuffled backgrounds, and the CREs that it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ... import analysis, operators
from ...support import Count, Section, key
from .costs import Extent
from .frames import in_context, on_scale, summarized
from .record import StudyTest
from .summary import KINDS, QUARTILE_COLUMNS, QUARTILES, ResultTables, Summary, columns_of, described, in_order

if TYPE_CHECKING:
    from .frames import LocusTables
    from .locus import LocusState


class SufficiencySettings(Section):
    """Each tile with the TSS in shuffled backgrounds."""

    n: Count = key(10, doc="Shuffled backgrounds per locus.")


def run(locus: LocusState, settings: SufficiencySettings, tables: LocusTables) -> None:
    """Put the TSS tile and each other tile into the backgrounds, and call CREs; costs 1 + n + T n passes."""
    study, n = locus.study, settings.n
    result = operators.sufficiency_test(
        study.model, locus.X, study.tss_tile, study.tiles, n=n, backgrounds=locus.backgrounds(n), **locus.options()
    )
    frame = result.to_frame(tiles=study.tiles, ids=[locus.example], tracks=study.tracks)
    effects = in_context(summarized(frame, on_scale(study.scale, "over_wt", "over_control")), locus.context)
    called = analysis.call_cres(effects, by=on_scale(study.scale, "sufficiency")[0], rule=study.rule)
    tables.add(sufficiency=called, cres=_strongest(called, study.max_cres), raw_sufficiency=frame)


def _strongest(called: pd.DataFrame, most: int) -> pd.DataFrame:
    """The tiles that were called, with their effect: per track at most the strongest few; 0 keeps all."""
    cres = called[called["cre"].notna()].copy()
    over_wt, over_control = (cres[analysis.effect_in(cres, name)] for name in ("over_wt", "over_control"))
    effect = over_wt.where(cres["cre"] == "enhancer", over_control)
    cres.insert(list(cres.columns).index("cre") + 1, "effect", effect)
    if most:
        order = effect.abs().sort_values(ascending=False, kind="stable").index
        kept = cres.loc[order].groupby("track", sort=False).head(most).index
        cres = cres[cres.index.isin(kept)]
    return cres.reset_index(drop=True)


def cost(tests: Any, extent: Extent) -> float:
    return 1 + tests.sufficiency.n + extent.tiles * tests.sufficiency.n


def summarize(study: ResultTables) -> pd.DataFrame:
    table = study["sufficiency"]
    values = [analysis.effect_in(table, name) for name in ("over_wt", "over_control")]
    return described(study, table, ["track", "context"], values, QUARTILES)


def summarize_calls(study: ResultTables) -> pd.DataFrame:
    table = study["sufficiency"]
    table = table.assign(**{f"{kind}s": table["cre"] == kind for kind in KINDS})
    calls = table.groupby(["track", "context"], sort=False).agg(
        n_loci=("example", "nunique"), n_tiles=("tile", "size"), enhancers=("enhancers", "sum"),
        silencers=("silencers", "sum"),
    )  # fmt: skip
    return in_order(calls.reset_index(), ["track", "context"], study)


def summarize_cres(study: ResultTables) -> pd.DataFrame:
    table = study.distances()
    grouped = table.assign(far=table["distance"].abs()).groupby(["track", "cre"], sort=False)
    cres = grouped.agg(n=("tile", "size"), n_loci=("example", "nunique"), median_distance=("far", "median"))
    return in_order(cres.reset_index(), ["track", "cre"], study)


TEST = StudyTest(
    name="sufficiency",
    doc="Each tile with the TSS, in shuffled backgrounds.",
    settings=SufficiencySettings,
    run=run,
    cost=cost,
    gives=("sufficiency", "cres"),
    backgrounds=True,
    rows=lambda extent: extent.tiles,
    summaries=(
        Summary(
            "sufficiency",
            "Sufficiency of tiles",
            summarize,
            "sufficiency",
            columns_of("track", "context", "value", *QUARTILE_COLUMNS),
        ),
        Summary(
            "calls",
            "Tiles that were called",
            summarize_calls,
            "sufficiency",
            columns_of("track", "context", "n_loci", "n_tiles", "enhancers", "silencers"),
        ),
        Summary(
            "cres",
            "CREs, and the distance of their middle from the TSS in bp",
            summarize_cres,
            "cres",
            columns_of("track", "cre", "n", "n_loci", "median_distance"),
        ),
    ),
)
