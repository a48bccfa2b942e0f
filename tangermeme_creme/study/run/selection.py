"""Select the loci of each stage from the tables of the stage before: pure functions of tables."""

from __future__ import annotations

import pandas as pd

from ...analysis import CATEGORIES, select_contexts
from ...operators import select_active
from ..spec import LociSpec, StudyError, StudySpec, track_names
from ..tests import locus_seed


def needs_activity(spec: StudySpec) -> bool:
    """Say whether loci are selected by their predicted activity."""
    loci = spec.loci
    return loci is not None and bool(loci.top or loci.min_activity is not None or loci.max_offset is not None)


def select_loci(spec: StudySpec, loci: pd.DataFrame, activity: pd.DataFrame | None) -> pd.DataFrame:
    """Select the loci to study in each track: `example`, `track` and, if predicted, `activity` and `rank`.

    Paper: Methods, "Transcription start site selection". Rows are in the order of examples, then of the tracks.

    Raises
    ------
    StudyError
        If none is left; the message counts how many fell to what.
    """
    tracks = track_names(spec)
    if activity is None:
        pairs = [(name, track) for name in loci["example"] for track in tracks]
        return pd.DataFrame(pairs, columns=["example", "track"])
    assert spec.loci is not None
    others = loci.drop(columns=["activity", "offset", "rank"], errors="ignore")  # a user's table may have them
    predicted = table = activity.merge(others, on="example", how="left", validate="many_to_one")
    if spec.loci.min_activity is not None:
        table = table[table["activity"] >= spec.loci.min_activity].reset_index(drop=True)
    near = table if spec.loci.max_offset is None else table[table["offset"].abs() <= spec.loci.max_offset]
    if not len(near):
        raise StudyError(_none_selected(spec.loci, predicted, table))
    chosen = select_active(table, spec.loci.top or max(1, len(table)), max_offset=spec.loci.max_offset)
    chosen = chosen[["example", "track", "activity", *(["offset"] if "offset" in chosen else []), "rank"]]
    return _by_example(chosen, tracks)


def _none_selected(limits: LociSpec, predicted: pd.DataFrame, active: pd.DataFrame) -> str:
    """Say how many TSSs fell to which limit."""
    n, reasons = len(predicted), []
    if len(active) < n:
        reasons.append(
            f"{n - len(active)} are less active than loci.min_activity {limits.min_activity:g}, the most active with "
            f"{predicted['activity'].max():.3g}"
        )
    if len(active):
        reasons.append(
            f"the peaks of {len(active)} are further off than loci.max_offset {limits.max_offset:g} bp, the nearest "
            f"with {active['offset'].abs().min():.3g} bp"
        )
    return f"a study must have a TSS to test; got none of {n} predictions, one per TSS and track: {'; '.join(reasons)}."


def chosen_loci(spec: StudySpec, loci: pd.DataFrame, selection: pd.DataFrame) -> pd.DataFrame:
    """Return the loci that are studied in any track, with the seed of each."""
    chosen = loci[loci["example"].isin(selection["example"])].reset_index(drop=True)
    return chosen.assign(seed=[locus_seed(spec.seed, name) for name in chosen["example"]])


def select_categories(spec: StudySpec, contexts: pd.DataFrame, selection: pd.DataFrame) -> pd.DataFrame:
    """Add `ranked` (studied in this track) and `selected` (drawn for all further tests) to the contexts.

    Paper: Methods, "Context dependence test": at most 200 loci per category, drawn at random.
    """
    tracks = track_names(spec)
    pairs = pd.MultiIndex.from_frame(selection[["example", "track"]])
    ranked = pd.MultiIndex.from_frame(contexts[["example", "track"]]).isin(pairs)
    table = contexts.assign(ranked=ranked, selected=False)
    for k, track in enumerate(tracks):
        of_track = table[table["ranked"] & (table["track"] == track)]
        drawn = select_contexts(of_track, spec.context.per_category, random_state=spec.seed + k)
        table.loc[drawn.index, "selected"] = True
    return _by_example(table, tracks)


def none_selected(contexts: pd.DataFrame) -> str:
    """Say why no context was drawn: how many are in no category, and how many have no context effect."""
    ranked = contexts[contexts["ranked"]]
    undefined = ranked["context"].isna()
    reasons = []
    if undefined.any():
        y = ranked.loc[undefined, "y_wt"]
        reasons.append(
            f"{int(undefined.sum())} have no context effect, which is relative to the prediction of the window: these "
            f"are from {y.min():.3g} to {y.max():.3g}"
        )
    if not undefined.all():
        reasons.append(f"{int((~undefined).sum())} are 'other', between the thresholds of [context]")
    return (
        f"a study must have a context to test that is {', '.join(CATEGORIES[:2])} or {CATEGORIES[2]}; got none of "
        f"{len(ranked)}, one per locus and track: {'; '.join(reasons)}. Table contexts has all."
    )


def swap_sources(spec: StudySpec, contexts: pd.DataFrame, loci: pd.DataFrame) -> pd.DataFrame:
    """Draw the loci whose TSS tiles go into other contexts: per track and category a few of the selected loci."""
    parts = []
    for k, track in enumerate(track_names(spec)):
        selected = contexts[contexts["selected"] & (contexts["track"] == track)]
        parts.append(select_contexts(selected, spec.tests.swap.sources, random_state=spec.seed + k))
    columns = ["example", "track", "context", "y_wt"]
    sources = pd.concat(parts, ignore_index=True)[columns]
    return _by_example(sources, track_names(spec)).merge(loci.drop(columns="seed"), on="example", how="left")


def _by_example(table: pd.DataFrame, tracks: tuple[str, ...]) -> pd.DataFrame:
    place = table["track"].map({name: k for k, name in enumerate(tracks)})
    order = table.assign(_place=place).sort_values(["example", "_place"], kind="stable").index
    return table.loc[order].reset_index(drop=True)
