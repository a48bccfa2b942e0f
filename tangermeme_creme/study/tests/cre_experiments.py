"""The tests of single CREs: how far they reach, what more of them do, which of their bases carry the effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ...analysis import fold_change, fraction_of_max
from ...analysis.fine_mapping import compare_fine_mapping
from ...analysis.interactions import saturation_table
from ...operators import distance_test, fine_tile_search, multiplicity_test
from .frames import OneTrack, Tables, placed, summarized

if TYPE_CHECKING:
    from .locus import LocusState

_DIRECTION = {"enhancer": "max", "silencer": "min"}


def distance(state: LocusState, tables: Tables) -> None:
    """Each CRE at every tile's place; costs 1 + 2 n + T n passes a CRE, whatever the number of tracks."""
    for tile, cres in state.given["cres"].groupby("tile"):
        tables.attempt(f"tile {tile}", _curve, state, int(tile), cres)


def _curve(tables: Tables, state: LocusState, tile: int, cres: pd.DataFrame) -> None:
    lab, n = state.lab, state.lab.spec.tests.distance.n
    starts = [start for start, _ in lab.tiles]
    result = distance_test(
        lab.model, state.X, lab.tss_tile, lab.tiles[tile], starts, n=n, backgrounds=state.backgrounds(n),
        **state.common(),
    )  # fmt: skip
    frame = result.to_frame(positions=starts, ids=[state.example], tracks=lab.tracks)
    frame = frame[frame["track"].isin(cres["track"])].reset_index(drop=True)
    called = dict(zip(cres["track"], cres["cre"]))
    labels = _labels(state, tile)
    table = summarized(frame, ["over_control", "fold_over_control"])
    table.insert(list(table.columns).index("track") + 1, "cre", table["track"].map(called))
    at = list(table.columns).index("start") + 1
    table.insert(at, "offset", table["start"] + lab.spec.tiles.size // 2 - lab.length // 2)
    table["fraction_of_max"] = table.groupby("track")["y_mut"].transform(lambda y: fraction_of_max(y.to_numpy(), 0))
    tables.add(distance=placed(table, **labels), raw_distance=placed(frame, **labels))


def multiplicity(state: LocusState, tables: Tables) -> None:
    """More and more copies of each CRE; R copies cost 2 n + (T + (T - 1) + ...) n passes a CRE and track."""
    for row in _cres(state, state.lab.spec.tests.multiplicity.tracks):
        tables.attempt(f"tile {row.tile}, track {row.track}", _doses, state, row)


def _doses(tables: Tables, state: LocusState, row: Any) -> None:
    lab, settings = state.lab, state.lab.spec.tests.multiplicity
    starts = [start for start, _ in lab.tiles]
    result = multiplicity_test(
        lab.model, state.X, lab.tss_tile, lab.tiles[row.tile], starts, direction=_DIRECTION[row.cre],
        objective=OneTrack(lab.tracks.index(row.track)), copies=settings.copies, n=settings.n,
        backgrounds=state.backgrounds(settings.n), **state.common(),
    )  # fmt: skip
    labels = {**_labels(state, row.tile), "track": row.track, "cre": row.cre}
    control, doses = float(result.y_control.double().mean()), result.y_selected[0].double().numpy()
    table = pd.DataFrame({
        "example": state.example, "copies": range(1, len(doses) + 1), "start": result.positions[0].tolist(),
        "y_control": control, "y_original": float(result.y_original.double().mean()), "y_mut": doses,
        "fold_over_control": fold_change(doses, control),
    })  # fmt: skip
    tables.add(
        multiplicity=placed(table, **labels),
        saturation=placed(saturation_table(result, ids=[state.example]), **labels),
        raw_multiplicity=placed(result.to_frame(positions=starts, ids=[state.example]), **labels),
    )


def fine_tile(state: LocusState, tables: Tables) -> None:
    """Each CRE pruned to what carries its effect; costs as `fine_tile_search`, or `compare_fine_mapping`."""
    for row in _cres(state, state.lab.spec.tests.fine_tile.tracks):
        tables.attempt(f"tile {row.tile}, track {row.track}", _pruned, state, row)


def _pruned(tables: Tables, state: LocusState, row: Any) -> None:
    lab, settings = state.lab, state.lab.spec.tests.fine_tile
    options: dict[str, Any] = {
        "scales": settings.scales, "thresholds": settings.thresholds, "prune": settings.prune, "score": settings.score,
        "direction": _DIRECTION[row.cre], "objective": OneTrack(lab.tracks.index(row.track)), "n": settings.n,
        "backgrounds": state.backgrounds(settings.n), **state.common(),
    }  # fmt: skip
    place = lab.model, state.X, lab.tss_tile, lab.tiles[row.tile]
    labels = {**_labels(state, row.tile), "track": row.track, "cre": row.cre}
    if settings.compare:
        compared = compare_fine_mapping(
            *place, methods=["search", *settings.compare], draws=settings.draws, ids=[state.example], **options
        )
        result = compared.search
        assert result is not None
        for name, table in (("fine_mapping", compared.summary), ("retention", compared.curves)):
            tables.add(**{name: placed(table, **labels)})
    else:
        result = fine_tile_search(*place, **options)
    trace, kept = result.to_frame(ids=[state.example]), result.kept_frame(ids=[state.example])
    tables.add(fine_tile=placed(trace, **labels), kept=placed(kept, **labels))


def _labels(state: LocusState, tile: int) -> dict[str, Any]:
    start, end = state.lab.tiles[tile]
    return {"cre_tile": tile, "cre_start": start, "cre_end": end}


def _cres(state: LocusState, tracks: tuple[str, ...]) -> list[Any]:
    cres = state.given["cres"]
    kept = cres[cres["track"].isin(tracks)] if tracks else cres
    return list(kept[["tile", "track", "cre"]].itertuples(index=False))
