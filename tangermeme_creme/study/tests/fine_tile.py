"""The fine-tile search of a study: each CRE pruned to the bases that carry its effect."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ... import operators
from ...analysis import fine_mapping
from ...support import Count, Number, Section, Text, key
from .costs import Extent
from .frames import DIRECTION, TRACKS_DOC, OneTrack, cre_labels, cres_in, placed
from .record import StudyFacts, StudyTest
from .summary import QUARTILE_COLUMNS, QUARTILES, ResultTables, Summary, columns_of, described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .frames import LocusTables
    from .locus import LocusState

_STEP = 50  # bp from point to point of the curves of a comparison

Compared = Literal[
    "saliency",
    "saliency_absolute",
    "input_x_gradient",
    "input_x_gradient_absolute",
    "integrated_gradients",
    "integrated_gradients_absolute",
    "corrected_saliency",
    "corrected_saliency_absolute",
    "deep_lift_shap",
    "deep_lift_shap_absolute",
    "random",
]


class FineTileSettings(Section):
    """Each CRE pruned to the bases that carry its effect."""

    n: Count = key(10, doc="Shuffled backgrounds per locus.")
    scales: tuple[int, ...] = key((500, 50), doc="Length in bp of the sub-tiles of each stage.")
    thresholds: tuple[Number, ...] = key((0.9, 0.7), doc="The score that each stage stays above.")
    prune: tuple[int, ...] = key((1, 10), doc="How many sub-tiles each stage removes at a time.")
    score: Literal["activity", "effect"] | None = key(
        None,
        doc="What the score is of. Left out, activity for enhancers and effect for silencers; with effects.scale "
        '"difference" effect for both.',
        example="effect",
    )
    compare: tuple[Compared, ...] = key(
        (),
        doc="Compare the search with these: saliency, input_x_gradient, integrated_gradients, corrected_saliency or "
        'deep_lift_shap, each also with "_absolute" added, or random.',
    )
    draws: Count = key(10, doc="Of the comparison: how many random rankings.")
    tracks: tuple[Text, ...] = key((), doc=TRACKS_DOC)


def run(locus: LocusState, settings: FineTileSettings, tables: LocusTables) -> None:
    """Prune each CRE; costs as `fine_tile_search`, or as `compare_fine_mapping` where methods are compared."""
    for row in cres_in(locus.inputs["cres"], settings.tracks):
        tables.attempt(f"tile {row.tile}, track {row.track}", _pruned, locus, settings, row)


def _pruned(tables: LocusTables, locus: LocusState, settings: FineTileSettings, row: Any) -> None:
    study = locus.study
    options: dict[str, Any] = {
        "scales": settings.scales, "thresholds": settings.thresholds, "prune": settings.prune,
        "score": "effect" if study.scale == "difference" else settings.score,
        "direction": DIRECTION[row.cre], "objective": OneTrack(study.tracks.index(row.track)), "n": settings.n,
        "backgrounds": locus.backgrounds(settings.n), **locus.options(),
    }  # fmt: skip
    place = study.model, locus.X, study.tss_tile, study.tiles[row.tile]
    labels = {**cre_labels(study.tiles, row.tile), "track": row.track, "cre": row.cre}
    if settings.compare:
        compared = fine_mapping.compare_fine_mapping(
            *place, methods=["search", *settings.compare], draws=settings.draws, ids=[locus.example], **options
        )
        result = compared.search
        assert result is not None
        tables.add(fine_mapping=placed(compared.summary, **labels), retention=placed(compared.curves, **labels))
    else:
        result = operators.fine_tile_search(*place, **options)
    trace, kept = result.to_frame(ids=[locus.example]), result.kept_frame(ids=[locus.example])
    tables.add(fine_tile=placed(trace, **labels), kept=placed(kept, **labels))


def cost(tests: Any, extent: Extent) -> float:
    """A bound: a search in which each stage removes a half, and the curves of the methods that it is compared with.

    The gradients of attributions, one per CRE, are not counted.
    """
    settings, left, passes = tests.fine_tile, float(extent.tile_size), 2.0
    for scale, step in zip(settings.scales, settings.prune):
        count = math.ceil(left / scale)
        for _ in range(math.ceil(count / 2 / step)):
            passes += count
            count -= step
        left /= 2
    points = math.ceil(extent.tile_size / _STEP) + 1
    for method in settings.compare:
        passes += 2 + (points - 2) * settings.draws if method == "random" else points
    return extent.cres * passes * settings.n


def check(settings: FineTileSettings, study: StudyFacts) -> Iterator[str]:
    try:
        operators.check_stages(settings.scales, settings.thresholds, settings.prune, below=False)
    except ValueError as error:
        yield str(error)
    if "fine_tile" in study.include and settings.score == "activity" and study.scale == "difference":
        yield "score must be 'effect' or left out for effects.scale 'difference'; got 'activity', which is a ratio."
    elif "fine_tile" in study.include and settings.score == "activity" and study.silencer_contexts:
        # The activity of a silencer rises as it is pruned: no threshold holds for both kinds.
        yield (
            "score must be 'effect' or left out where silencers are called, in contexts "
            f"{', '.join(study.silencer_contexts)}; got 'activity'."
        )


def summarize(study: ResultTables) -> pd.DataFrame:
    table = study["fine_tile"].sort_values("step", kind="stable")
    last = table.drop_duplicates(["example", "cre_tile", "track"], keep="last")
    return described(study, last, ["track", "cre"], ["bp_kept"], QUARTILES)


def summarize_comparison(study: ResultTables) -> pd.DataFrame:
    return described(study, study["fine_mapping"], ["track", "cre", "method"], ["fewest_bp"], QUARTILES)


TEST = StudyTest(
    name="fine_tile",
    doc="Each CRE pruned to the bases that carry its effect. Needs sufficiency.",
    settings=FineTileSettings,
    run=run,
    cost=cost,
    check=check,
    gives=("fine_tile", "kept", "fine_mapping", "retention"),
    needs=("cres",),
    backgrounds=True,
    raw=False,
    summaries=(
        Summary(
            "fine_tile",
            "Fine tiles: bp kept of a CRE",
            summarize,
            "fine_tile",
            columns_of("track", "cre", *QUARTILE_COLUMNS),
        ),
        Summary(
            "fine_mapping",
            "Fine mapping: fewest bp that keep the effect",
            summarize_comparison,
            "fine_mapping",
            columns_of("track", "cre", "method", "n", "median"),
        ),
    ),
)
