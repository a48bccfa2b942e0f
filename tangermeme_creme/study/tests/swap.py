"""The swap test of a study: TSS tiles of some loci in the contexts of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ... import analysis, engine, sequence
from ...support import Count, Section, key
from .costs import Extent
from .frames import on_scale
from .record import StudyTest
from .summary import QUARTILE_COLUMNS, QUARTILES, ResultTables, Summary, columns_of, described

if TYPE_CHECKING:
    from .frames import LocusTables
    from .locus import LocusState


class SwapSettings(Section):
    """The TSS tiles of some loci in the contexts of others."""

    sources: Count = key(200, doc="The most loci per category whose TSS tile goes into all contexts.")


_AGAINST_SOURCE = {
    "fold_over_source": analysis.fold_change,
    "difference": analysis.tile_difference,
    "log_fold": analysis.tile_log_fold,
}


def run(locus: LocusState, settings: SwapSettings, tables: LocusTables) -> None:
    """Put the TSS tile of each source into the context of this locus.

    Costs one pass for this locus and one per source; the prediction of each source as it is was made before. Further
    inputs of the model stay those of this locus.
    """
    study, sources = locus.study, locus.inputs["sources"]
    names = sources[["example"]].drop_duplicates()
    start, end = study.tss_tile
    codes = study.windows.read(sources.loc[names.index], end - start).to_codes()
    options = {name: value for name, value in locus.options().items() if name != "random_state"}
    with engine.EditSession(study.model, locus.X, names=[f"the context of {locus.example}"], **options) as session:
        y_target = _as_array(session.predict())
        edits = sequence.make_edits(0, start, list(range(len(codes))), list(codes))
        y_mut = _as_array(session.predict_edits(edits))
    number = {name: i for i, name in enumerate(names["example"])}
    rows = sources[sources["track"].isin(list(locus.context))]
    k = rows["track"].map({name: k for k, name in enumerate(study.tracks)}).to_numpy(dtype=np.int64)
    (effect,) = on_scale(study.scale, "fold_over_source")
    y = y_mut[rows["example"].map(number).to_numpy(dtype=np.int64), k]
    tables.add(
        swap=pd.DataFrame({
            "example": locus.example, "source": rows["example"].to_numpy(), "track": rows["track"].to_numpy(),
            "source_context": rows["context"].to_numpy(), "target_context": rows["track"].map(locus.context).to_numpy(),
            "y_source": rows["y_wt"].to_numpy(), "y_target": y_target[0, k], "y_mut": y,
            effect: _AGAINST_SOURCE[effect](y, rows["y_wt"].to_numpy()),
        })
    )  # fmt: skip


def cost(tests: Any, extent: Extent) -> float:
    return 1 + extent.sources


def summarize(study: ResultTables) -> pd.DataFrame:
    others = study["swap"][study["swap"]["example"] != study["swap"]["source"]]
    values = [analysis.effect_in(others, "fold_over_source")]
    return described(study, others, ["track", "source_context", "target_context"], values, QUARTILES)


def _as_array(y: Any) -> np.ndarray:
    return y.double().numpy()


TEST = StudyTest(
    name="swap",
    doc="Contexts of some loci around the TSSs of others.",
    settings=SwapSettings,
    run=run,
    cost=cost,
    gives=("swap",),
    needs=("sources",),
    rows=lambda extent: extent.sources,
    raw=False,
    summaries=(
        Summary(
            "swap",
            "Contexts swapped: activity of a TSS tile over that in its own context",
            summarize,
            "swap",
            columns_of("track", "source_context", "target_context", *QUARTILE_COLUMNS),
            "Contexts swapped: {} of a TSS tile against its own context",
        ),
    ),
)
