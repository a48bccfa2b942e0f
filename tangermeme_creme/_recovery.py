"""Compare what each test of the demo's study finds with what was planted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .analysis import call_cres, classify_context, normalized_effect, tile_effect_over_control, tile_effect_over_wt
from .models.toy import CELLS, WEIGHTS, Element, Genome, expected_activity, moved, within, without
from .sequence import Span, tile_grid
from .study.tables import Study

STRONG = 2  # an element with at least so many copies of a motif is strong
CLOSE = 0.01  # the largest relative difference of a measured activity from the closed form


class Recovered(NamedTuple):
    """How many of the expected results a test found; `missed` names the strong elements that it did not find."""

    test: str
    found: int
    of: int
    what: str
    missed: tuple[str, ...] = ()


class Demo:
    """The simulated genome, and the study of it."""

    def __init__(self, genome: Genome, study: Study, length: int, tile: int, ceiling: float) -> None:
        self.genome, self.study, self.length = genome, study, length
        grid = tile_grid(length, tile)
        self.tss: Span = grid.center
        self.tiles: list[Span] = [(int(start), int(end)) for start, end in grid.context]
        self.ceiling = ceiling
        loci = study.table("loci")
        self.examples: dict[str, str] = dict(zip(loci["example"], loci["gene_name"]))

    def elements(self, example: str) -> list[Element]:
        return self.genome.elements[self.examples[example]]

    def expected(self, elements: list[Element], track: str) -> float:
        """Return the activity in a track, in closed form."""
        cell, saturating = track[0], track not in CELLS
        response: dict[str, Any] = {"response": "saturating", "ceiling": self.ceiling} if saturating else {}
        response = response or {"response": "multiplicative"}
        return float(expected_activity(elements, length=self.length, **response)[CELLS.index(cell)])

    def tile_of(self, element: Element) -> int:
        return next(t for t, (start, end) in enumerate(self.tiles) if start <= element.start < end)

    def rows(self, table: str, of: Iterable[str] = ("example",)) -> list[Any]:
        """Return the first row of a table for each combination of columns."""
        frame = self.study.table(table)
        return list(frame.drop_duplicates(list(of)).itertuples(index=False)) if len(frame) else []


def recovered(demo: Demo) -> list[Recovered]:
    """Return one line per test."""
    return [
        _contexts(demo), _swap(demo), _single(demo, "necessity", "necessity"),
        _single(demo, "sufficiency", "over_control"), _calls(demo), _pairs(demo), _greedy(demo, "min", 1),
        _greedy(demo, "max", -1), _sets(demo), _distance(demo), _multiplicity(demo), _fine_tile(demo),
        _fine_mapping(demo),
    ]  # fmt: skip


def _contexts(demo: Demo) -> Recovered:
    rows = demo.rows("contexts", ["example", "track"])
    effects = []
    for row in rows:
        elements = demo.elements(row.example)
        kept = within(elements, [demo.tss])
        effects.append(normalized_effect(demo.expected(elements, row.track), demo.expected(kept, row.track)))
    found = sum(row.context == name for row, name in zip(rows, classify_context(np.array(effects))))
    return Recovered("context dependence", found, len(rows), "context categories (genes x tracks)")


def _swap(demo: Demo) -> Recovered:
    rows = demo.rows("swap", ["example", "source", "track"])
    expected = []
    for row in rows:
        own, other = within(demo.elements(row.source), [demo.tss]), without(demo.elements(row.example), [demo.tss])
        expected.append(demo.expected(own + other, row.track))
    found = _close([row.y_mut for row in rows], expected)
    return Recovered("context swap", found, len(rows), "activities of swapped pairs (x tracks), to 1%")


def _single(demo: Demo, test: str, effect: str) -> Recovered:
    """Count planted elements whose tile has the right sign and a larger effect than every tile without an element."""
    table = demo.study.table(test)
    effects = table.set_index(["example", "tile", "track"])[effect]
    found, of, missed = 0, 0, []
    for example, gene in demo.examples.items():
        planted = {demo.tile_of(element): element for element in demo.elements(example)[1:]}
        empty = [t for t in range(len(demo.tiles)) if t not in planted]
        for t, element in planted.items():
            for cell, weight in zip(CELLS, WEIGHTS[element.kind]):
                if weight == 0:
                    continue
                noise = max(abs(effects[example, other, cell]) for other in empty)
                hit = effects[example, t, cell] * weight > noise + 1e-6
                found, of = found + hit, of + 1
                if not hit and element.copies >= STRONG:
                    missed.append(f"{element.kind} of {gene} in cell {cell}")
    return Recovered(test, found, of, "planted elements (x cell types they act in)", tuple(missed))


def _calls(demo: Demo) -> Recovered:
    table, rows = demo.study.table("sufficiency"), []
    for example, tile, track in table[["example", "tile", "track"]].itertuples(index=False):
        elements = demo.elements(example)
        present = (elements, within(elements, [demo.tss]), within(elements, [demo.tss, demo.tiles[tile]]))
        wt, control, mut = (demo.expected(planted, track) for planted in present)
        rows.append((tile_effect_over_wt(mut, control, wt), tile_effect_over_control(mut, control)))
    expected = pd.DataFrame(rows, columns=["over_wt", "over_control"], index=table.index)
    expected = call_cres(expected.assign(context=table["context"]))
    same = (table["cre"] == expected["cre"]) | (table["cre"].isna() & expected["cre"].isna())
    what = f"tiles called enhancer, silencer or neither (x tracks), {expected['cre'].notna().sum()} of them CREs"
    return Recovered("CRE calls", int(same.sum()), len(table), what)


def _pairs(demo: Demo) -> Recovered:
    # The response multiplies the effects of tiles, so that no two tiles interact on the log scale.
    pairs = demo.study.table("interactions")
    none = int((pairs["log_interaction"] == "none").sum()) if len(pairs) else 0
    return Recovered("interactions", none, len(pairs), "pairs of tiles (x cell types) that multiply, as planted")


def _greedy(demo: Demo, direction: str, sign: int) -> Recovered:
    traces = demo.study.table("higher_order")
    traces = traces[traces["direction"] == direction] if len(traces) else pd.DataFrame(columns=["example", "track"])
    found, of, missed = 0, 0, []
    for (example, track), trace in traces.groupby(["example", "track"]):
        planted = [e for e in demo.elements(example)[1:] if WEIGHTS[e.kind][CELLS.index(track)] * sign > 0]
        first = trace.sort_values("round")["tile"].tolist()[: len(planted)]
        for element in planted:
            hit = demo.tile_of(element) in first
            found, of = found + hit, of + 1
            if not hit and element.copies >= STRONG:
                missed.append(f"{element.kind} of {demo.examples[example]} in cell {track}")
    what = f"planted {'enhancers' if sign > 0 else 'silencers'} among the first tiles (x cell types)"
    return Recovered(f"higher order, {direction}", found, of, what, tuple(missed))


def _sets(demo: Demo) -> Recovered:
    table = demo.study.table("set_sufficiency")
    measured, expected = [], []
    for (example, track, _), trace in table.groupby(["example", "track", "direction"]) if len(table) else ():
        chosen: list[Span] = []
        for row in trace.sort_values("round").itertuples():
            chosen.append(demo.tiles[row.tile])
            measured.append(row.y_mut)
            expected.append(demo.expected(within(demo.elements(example), [demo.tss, *chosen]), track))
    what = "activities of sets that grow by a tile, to 1%"
    return Recovered("tile set sufficiency", _close(measured, expected), len(measured), what)


def _distance(demo: Demo) -> Recovered:
    table = demo.study.table("distance")
    found, of = 0, 0
    for (example, tile, track), curve in table.groupby(["example", "cre_tile", "track"]) if len(table) else ():
        inside = within(demo.elements(example), [demo.tiles[tile]])
        promoter = within(demo.elements(example), [demo.tss])
        places = [[moved(e, start - demo.tiles[tile][0]) for e in inside] for start in curve["start"]]
        expected = [demo.expected(promoter + placed, track) for placed in places]
        found, of = found + (_close(curve["y_mut"], expected) == len(curve)), of + 1
    return Recovered("distance", found, of, "distance curves of CREs (x tracks), to 1% at every position")


def _multiplicity(demo: Demo) -> Recovered:
    table = demo.study.table("multiplicity")
    found, of = 0, 0
    for (example, tile, track), curve in table.groupby(["example", "cre_tile", "track"]) if len(table) else ():
        inside = within(demo.elements(example), [demo.tiles[tile]])
        elements, expected = within(demo.elements(example), [demo.tss]), []
        for start in curve.sort_values("copies")["start"]:
            elements = elements + [moved(e, start - demo.tiles[tile][0]) for e in inside]
            expected.append(demo.expected(elements, track))
        found, of = found + (_close(curve.sort_values("copies")["y_mut"], expected) == len(curve)), of + 1
    return Recovered("multiplicity", found, of, "dose curves of CREs (x tracks), to 1%")


def _fine_tile(demo: Demo) -> Recovered:
    kept = demo.study.table("kept")
    rows = demo.rows("fine_tile", ["example", "cre_tile", "track"])
    found, missed, bp = 0, [], 0
    for row in rows:
        spans = kept[
            (kept["example"] == row.example) & (kept["cre_tile"] == row.cre_tile) & (kept["track"] == row.track)
        ]
        (element,) = (e for e in demo.elements(row.example)[1:] if demo.tile_of(e) == row.cre_tile)
        hit = bool(((spans["start"] < element.end) & (spans["end"] > element.start)).any())
        found, bp = found + hit, bp + int((spans["end"] - spans["start"]).sum())
        if not hit and element.copies >= STRONG:
            missed.append(f"{element.kind} of {demo.examples[row.example]} in track {row.track}")
    of_bp = demo.tiles[0][1] - demo.tiles[0][0]
    what = f"elements of CREs kept (x tracks), in {bp / max(1, len(rows)):.0f} of {of_bp} bp on average"
    return Recovered("fine-tile search", found, len(rows), what, tuple(missed))


def _fine_mapping(demo: Demo) -> Recovered:
    table, what = demo.study.table("fine_mapping"), "CREs that the search prunes further than random bases do"
    if not len(table):
        return Recovered("fine mapping", 0, 0, what)
    fewest = table.pivot(index=["example", "cre_tile", "track"], columns="method", values="fewest_bp")
    return Recovered("fine mapping", int((fewest["search"] < fewest["random"]).sum()), len(fewest), what)


def _close(measured: Iterable[float], expected: Iterable[float]) -> int:
    """Count the values that are as expected."""
    return int(np.isclose(list(measured), list(expected), rtol=CLOSE).sum())
