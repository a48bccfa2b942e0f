"""The tests of one locus: from its state to rows of tables. One function a test, called by its name in the study."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch

from ...analysis import call_cres
from ...analysis.interactions import call_interactions, classify_traces, greedy_traces
from ...engine import EditSession
from ...operators import (
    higher_order_interaction_test,
    interaction_map,
    necessity_test,
    sufficiency_test,
    tile_set_sufficiency_test,
)
from ...sequence import make_edits
from ..spec import call_rule
from .cre_experiments import distance, fine_tile, multiplicity
from .frames import OneTrack, Tables, placed, summarized, with_spans
from .locus import LocusState

# The tables of the same locus that a test starts from.
NEEDS: dict[str, tuple[str, ...]] = {
    "swap": ("sources",),
    "necessity": (),
    "sufficiency": (),
    "distance": ("cres",),
    "multiplicity": ("cres",),
    "higher_order": (),
    "set_sufficiency": ("higher_order",),
    "interactions": ("necessity",),
    "fine_tile": ("cres",),
}
# The test that gives it.
GIVEN_BY = {"cres": "sufficiency", "higher_order": "higher_order", "necessity": "necessity"}


def swap(state: LocusState, tables: Tables) -> None:
    """The TSS tile of each source in the context of this locus.

    Costs one pass for this locus and one a source; what the sources are predicted on their own is known already.
    """
    lab, sources = state.lab, state.given["sources"]
    names = sources[["example"]].drop_duplicates()
    start, end = lab.tss_tile
    codes = lab.windows.read(sources.loc[names.index], end - start).to_codes()
    common = {name: value for name, value in state.common().items() if name != "random_state"}
    with EditSession(lab.model, state.X, names=[f"the context of {state.example}"], **common) as session:
        y_target = _numbers(session.predict())
        y_mut = _numbers(session.predict_edits(make_edits(0, start, torch.arange(len(codes)), list(codes))))
    number = {name: i for i, name in enumerate(names["example"])}
    rows = sources[sources["track"].isin(list(state.context))]
    k = rows["track"].map({name: k for k, name in enumerate(lab.tracks)}).to_numpy(dtype=np.int64)
    y = y_mut[rows["example"].map(number).to_numpy(dtype=np.int64), k]
    tables.add(
        swap=pd.DataFrame({
            "example": state.example, "source": rows["example"].to_numpy(), "track": rows["track"].to_numpy(),
            "source_context": rows["context"].to_numpy(), "target_context": rows["track"].map(state.context).to_numpy(),
            "y_source": rows["y_wt"].to_numpy(), "y_target": y_target[0, k], "y_mut": y,
            "fold_over_source": np.divide(y, rows["y_wt"], where=rows["y_wt"] > 0, out=np.full(len(y), np.nan)),
        })
    )  # fmt: skip


def necessity(state: LocusState, tables: Tables) -> None:
    """Each tile shuffled; costs 1 + T n passes."""
    lab = state.lab
    result = necessity_test(lab.model, state.X, lab.tiles, n=lab.spec.tests.necessity.n, **state.common())
    frame = result.to_frame(tiles=lab.tiles, ids=[state.example], tracks=lab.tracks)
    tables.add(necessity=_in_context(state, summarized(frame, ["necessity"])), raw_necessity=frame)


def sufficiency(state: LocusState, tables: Tables) -> None:
    """The TSS tile and each other in the backgrounds, and the tiles that are called CREs; costs 1 + n + T n passes."""
    lab, n = state.lab, state.lab.spec.tests.sufficiency.n
    result = sufficiency_test(
        lab.model, state.X, lab.tss_tile, lab.tiles, n=n, backgrounds=state.backgrounds(n), **state.common()
    )
    frame = result.to_frame(tiles=lab.tiles, ids=[state.example], tracks=lab.tracks)
    effects = _in_context(state, summarized(frame, ["over_wt", "over_control"]))
    called = call_cres(effects, rule=call_rule(lab.spec.cres))
    tables.add(sufficiency=called, cres=_strongest(called, lab.spec.cres.max_per_locus), raw_sufficiency=frame)


def higher_order(state: LocusState, tables: Tables) -> None:
    """Greedy searches, one a track and direction; one costs 1 + (T + (T - 1) + ...) n passes and those of a holdout."""
    settings = state.lab.spec.tests.higher_order
    for k, track in _tracks(state, settings.tracks):
        for direction in settings.directions:
            tables.attempt(f"track {track}, {direction}", _greedy, state, k, track, direction)


def _greedy(tables: Tables, state: LocusState, k: int, track: str, direction: str) -> None:
    lab, settings = state.lab, state.lab.spec.tests.higher_order
    result = higher_order_interaction_test(
        lab.model, state.X, lab.tiles, direction=direction, objective=OneTrack(k), rounds=settings.rounds or None,
        n=settings.n, carry=settings.carry, n_holdout=settings.n_holdout, **state.common(),
    )  # fmt: skip
    labels = {"track": track, "context": state.context[track], "direction": direction}
    traces = greedy_traces(result, ids=[state.example])
    classes = classify_traces(traces, direction=direction)
    traces["y_wt"], traces["y_mut"] = float(result.y_start[0, 0]), result.y_selected[0].double().numpy()
    tables.add(
        higher_order=placed(with_spans(traces, lab.tiles), **labels),
        interaction_classes=placed(classes, **labels),
        raw_higher_order=placed(result.to_frame(tiles=lab.tiles, ids=[state.example]), **labels),
    )


def set_sufficiency(state: LocusState, tables: Tables) -> None:
    """The tiles of each greedy search, added one by one to the backgrounds; one costs 1 + n + R n passes."""
    for (track, direction), trace in state.given["higher_order"].groupby(["track", "direction"], sort=False):
        tables.attempt(f"track {track}, {direction}", _set, state, str(track), str(direction), trace)


def _set(tables: Tables, state: LocusState, track: str, direction: str, trace: pd.DataFrame) -> None:
    lab, n = state.lab, state.lab.spec.tests.set_sufficiency.n
    order = trace.sort_values("round")["tile"].tolist()
    result = tile_set_sufficiency_test(
        lab.model, state.X, lab.tss_tile, lab.tiles, [order], n=n, backgrounds=state.backgrounds(n), **state.common()
    )
    frame = result.to_frame(ids=[state.example], tracks=lab.tracks)
    frame = frame[frame["track"] == track].reset_index(drop=True)
    summary = summarized(frame, ["over_wt", "over_control", "fold_over_wt", "fold_over_control"])
    summary.insert(list(summary.columns).index("n_tiles") + 1, "tile", [order[r] for r in summary["round"]])
    labels = {"context": state.context[track], "direction": direction}
    tables.add(set_sufficiency=placed(summary, **labels), raw_set_sufficiency=placed(frame, **labels))


def interactions(state: LocusState, tables: Tables) -> None:
    """All pairs of the tiles that are most necessary, a track; costs 1 + T n + T (T - 1) / 2 n passes each."""
    for k, track in _tracks(state, state.lab.spec.tests.interactions.tracks):
        tables.attempt(f"track {track}", _pairs, state, k, track)


def _pairs(tables: Tables, state: LocusState, k: int, track: str) -> None:
    lab, settings = state.lab, state.lab.spec.tests.interactions
    effects = state.given["necessity"]
    effects = effects[effects["track"] == track]
    order = effects["necessity"].abs().sort_values(ascending=False, kind="stable", na_position="last").index
    chosen = sorted(effects.loc[order[: settings.tiles], "tile"])
    if len(chosen) < 2:
        return
    spans = [lab.tiles[tile] for tile in chosen]
    result = interaction_map(lab.model, state.X, spans, n=settings.n, **state.common())
    frame = result.to_frame(tiles=spans, ids=[state.example], tracks=lab.tracks)
    frame = frame[frame["track"] == track].reset_index(drop=True)
    for column in ("tile_1", "tile_2"):
        frame[column] = [chosen[i] for i in frame[column]]
    summary = summarized(frame, ["epistasis", "log_epistasis"])
    summary = call_interactions(summary, by="log_epistasis").rename(columns={"interaction": "log_interaction"})
    summary = call_interactions(summary, by="epistasis")
    labels = {"context": state.context[track]}
    tables.add(interactions=placed(summary, **labels), raw_interactions=placed(frame, **labels))


def _in_context(state: LocusState, table: pd.DataFrame) -> pd.DataFrame:
    """With the category of the context, missing in tracks in which the locus was not selected."""
    context = table["track"].map(state.context).astype(object)
    table.insert(list(table.columns).index("track") + 1, "context", context.where(context.notna(), None))
    return table


def _strongest(called: pd.DataFrame, most: int) -> pd.DataFrame:
    """The tiles that were called, of each track no more than the strongest."""
    cres = called[called["cre"].notna()].copy()
    effect = cres["over_wt"].where(cres["cre"] == "enhancer", cres["over_control"])
    cres.insert(list(cres.columns).index("cre") + 1, "effect", effect)
    if most:
        order = effect.abs().sort_values(ascending=False, kind="stable").index
        kept = cres.loc[order].groupby("track", sort=False).head(most).index
        cres = cres[cres.index.isin(kept)]
    return cres.reset_index(drop=True)


def _tracks(state: LocusState, asked: tuple[str, ...]) -> list[tuple[int, str]]:
    names = state.lab.tracks
    return [(k, names[k]) for k in state.tracks if not asked or names[k] in asked]


def _numbers(y: object) -> np.ndarray:
    assert isinstance(y, torch.Tensor)
    return y.double().numpy()


EXPERIMENTS: Mapping[str, Callable[[LocusState, Tables], None]] = {
    "swap": swap,
    "necessity": necessity,
    "sufficiency": sufficiency,
    "distance": distance,
    "multiplicity": multiplicity,
    "higher_order": higher_order,
    "set_sufficiency": set_sufficiency,
    "interactions": interactions,
    "fine_tile": fine_tile,
}

# The tables that each test gives, but for those of raw predictions.
TABLES: dict[str, tuple[str, ...]] = {
    "swap": ("swap",),
    "necessity": ("necessity",),
    "sufficiency": ("sufficiency", "cres"),
    "distance": ("distance",),
    "multiplicity": ("multiplicity", "saturation"),
    "higher_order": ("higher_order", "interaction_classes"),
    "set_sufficiency": ("set_sufficiency",),
    "interactions": ("interactions",),
    "fine_tile": ("fine_tile", "kept", "fine_mapping", "retention"),
}
