"""What each test of the demo finds, against what was planted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from . import (
    context_dependence_test,
    context_swap_test,
    distance_test,
    higher_order_interaction_test,
    interaction_map,
    multiplicity_test,
    necessity_test,
    sufficiency_test,
    tile_set_sufficiency_test,
)
from .analysis.baselines import compare_fine_mapping
from .analysis.calls import call_cres, classify_context, join_tile_effects
from .analysis.effects import normalized_effect, tile_effect_over_control, tile_effect_over_wt
from .analysis.interactions import call_interactions, saturation_table
from .analysis.stats import summarize_effects
from .engine.outputs import Output
from .models.genome import Genome
from .models.simulate import Element, expected_activity, moved, within, without
from .models.toy import CELLS, WEIGHTS
from .sequence.shuffles import shuffle_backgrounds
from .sequence.spans import Span
from .sequence.tiles import TileGrid

SHUFFLES = 6  # the fewest that give an interval
STRONG = 2  # copies of a motif from which an element counts as strong
CLOSE = 0.01  # how far a measured fraction may lie from the closed form
EFFECTS = ("necessity", "over_control")  # that are drawn, and held against what was planted


class Recovered(NamedTuple):
    """How many of the things that a test should find it found; `missed` names the strong elements among the rest."""

    test: str
    found: int
    of: int
    what: str
    missed: tuple[str, ...] = ()


class Demo(NamedTuple):
    """The simulated problem: windows, tiles, the network and the elements of each gene in window coordinates."""

    genome: Genome
    genes: list[str]
    X: torch.Tensor
    grid: TileGrid
    tiles: list[Span]
    model: torch.nn.Module
    saturating: torch.nn.Module
    common: dict[str, Any]

    def elements(self, gene: str) -> list[Element]:
        return self.genome.elements[gene]

    def expected(self, elements: list[Element], response: str = "multiplicative") -> np.ndarray:
        return expected_activity(elements, length=self.X.shape[-1], response=response)

    def tile_of(self, element: Element) -> int:
        return next(t for t, (start, end) in enumerate(self.tiles) if start <= element.start < end)


def context(demo: Demo, tables: dict[str, pd.DataFrame]) -> list[Recovered]:
    tss = demo.grid.center
    result = context_dependence_test(demo.model, demo.X, tss, n=20, **demo.common)
    tables["context_dependence"] = result.to_frame(ids=demo.genes, tracks=CELLS)
    contexts = summarize_effects(tables["context_dependence"], "context_effect")
    contexts["context"] = classify_context(contexts["context_effect"])
    tables["contexts"] = contexts
    effects = [
        normalized_effect(demo.expected(demo.elements(gene)), demo.expected(within(demo.elements(gene), [tss])))
        for gene in demo.genes
    ]
    found = int((contexts["context"] == classify_context(np.concatenate(effects))).sum())
    rows = [Recovered("context dependence", found, len(contexts), "context categories (genes x cell types)")]

    swap = context_swap_test(demo.model, demo.X, demo.X, tss, verbose=demo.common["verbose"])
    tables["context_swap"] = swap.to_frame(source_ids=demo.genes, target_ids=demo.genes, tracks=CELLS)
    swapped, found = _tensor(swap.y_mut), 0
    for s, source in enumerate(demo.genes):
        for t, target in enumerate(demo.genes):
            elements = within(demo.elements(source), [tss]) + without(demo.elements(target), [tss])
            found += bool(np.allclose(swapped[s, t], demo.expected(elements), rtol=CLOSE))
    return [*rows, Recovered("context swap", found, len(demo.genes) ** 2, "activities of swapped pairs, to 1%")]


def single_tiles(demo: Demo, tables: dict[str, pd.DataFrame]) -> list[Recovered]:
    tss = demo.grid.center
    labels: dict[str, Any] = {"tiles": demo.tiles, "ids": demo.genes, "tracks": CELLS}
    necessity = necessity_test(demo.model, demo.X, demo.tiles, n=SHUFFLES, **demo.common)
    tables["necessity"] = necessity.to_frame(**labels)
    backgrounds = shuffle_backgrounds(demo.X, n=SHUFFLES, random_state=demo.common["random_state"])
    sufficiency = sufficiency_test(
        demo.model, demo.X, tss, demo.tiles, n=SHUFFLES, backgrounds=backgrounds, **demo.common
    )
    tables["sufficiency"] = sufficiency.to_frame(**labels)
    effects = join_tile_effects(
        summarize_effects(tables["necessity"], "necessity"),
        summarize_effects(tables["sufficiency"], ["over_wt", "over_control"]),
    )
    effects = call_cres(effects.merge(tables["contexts"][["example", "track", "context"]], on=["example", "track"]))
    tables["tile_effects"] = effects
    rows = [_recovered_tiles(demo, test, effects, name) for test, name in zip(("necessity", "sufficiency"), EFFECTS)]
    found = int(_same(effects["cre"], _expected_calls(demo, effects)).sum())
    return [
        *rows,
        Recovered("CRE calls", found, len(effects), "tiles called enhancer, silencer or neither (x cell types)"),
    ]


def _recovered_tiles(demo: Demo, test: str, table: pd.DataFrame, effect: str) -> Recovered:
    """A planted element is recovered if its tile has the right sign and stands out from all tiles without one."""
    effects = table.set_index(["example", "tile", "track"])[effect]
    found, of, missed = 0, 0, []
    for gene in demo.genes:
        planted = {demo.tile_of(element): element for element in demo.elements(gene)[1:]}
        empty = [t for t in range(len(demo.tiles)) if t not in planted]
        for t, element in planted.items():
            for cell, weight in zip(CELLS, WEIGHTS[element.kind]):
                if weight == 0:
                    continue
                noise = max(abs(effects[gene, other, cell]) for other in empty)
                hit = effects[gene, t, cell] * weight > noise + 1e-6
                found, of = found + hit, of + 1
                if not hit and element.copies >= STRONG:
                    missed.append(f"{element.kind} of {gene} in cell {cell}")
    return Recovered(test, found, of, "planted elements (x cell types they act in)", tuple(missed))


def _expected_calls(demo: Demo, table: pd.DataFrame) -> pd.Series:
    """What each tile of the table is to be called, by the closed form."""
    tss, rows = demo.grid.center, []
    for gene, tile, cell in table[["example", "tile", "track"]].itertuples(index=False):
        elements, k = demo.elements(gene), CELLS.index(cell)
        kept = (elements, within(elements, [tss]), within(elements, [tss, demo.tiles[tile]]))
        wt, control, mut = (demo.expected(some)[k] for some in kept)
        rows.append((tile_effect_over_wt(mut, control, wt), tile_effect_over_control(mut, control)))
    expected = pd.DataFrame(rows, columns=["over_wt", "over_control"], index=table.index)
    return call_cres(expected.assign(context=table["context"]))["cre"]


def pairs(demo: Demo, tables: dict[str, pd.DataFrame]) -> list[Recovered]:
    result = interaction_map(demo.model, demo.X, demo.tiles, n=SHUFFLES, **demo.common)
    pairs = result.to_frame(tiles=demo.tiles, ids=demo.genes, tracks=CELLS)
    found = summarize_effects(pairs, ["epistasis", "log_epistasis"])
    tables["interaction_map"] = call_interactions(found, by="log_epistasis")
    # The network multiplies what each tile does, so that no two interact on the scale of logarithms.
    none = int((tables["interaction_map"]["interaction"] == "none").sum())
    return [Recovered("interaction map", none, len(found), "pairs of tiles (x cell types) that multiply, as planted")]


def sets(demo: Demo, tables: dict[str, pd.DataFrame]) -> list[Recovered]:
    rows, tss = [], demo.grid.center
    for direction, sign in (("min", 1), ("max", -1)):
        result = higher_order_interaction_test(
            demo.model, demo.X, demo.tiles, direction=direction, rounds=3, n=5, n_holdout=5, **demo.common
        )
        tables[f"higher_order_{direction}"] = result.to_frame(tiles=demo.tiles, ids=demo.genes)
        found, of, missed = 0, 0, []
        for i, gene in enumerate(demo.genes):
            planted = [e for e in demo.elements(gene)[1:] if sum(WEIGHTS[e.kind]) * sign > 0]
            first = result.order[i, : len(planted)].tolist()
            for element in planted:
                hit = demo.tile_of(element) in first
                found, of = found + hit, of + 1
                if not hit and element.copies >= STRONG:
                    missed.append(f"{element.kind} of {gene}")
        what = "planted enhancers among the first tiles" if sign > 0 else "planted silencers among the first tiles"
        rows.append(Recovered(f"higher order, {direction}", found, of, what, tuple(missed)))

    # All planted tiles, strongest first, bring the wild type back.
    orders = []
    for gene in demo.genes:
        strongest = sorted(demo.elements(gene)[1:], key=lambda e: -e.copies)
        first = [demo.tile_of(element) for element in strongest]
        orders.append((first + [t for t in range(len(demo.tiles)) if t not in first])[:3])
    sets = tile_set_sufficiency_test(demo.model, demo.X, tss, demo.tiles, orders, n=5, **demo.common)
    tables["tile_set_sufficiency"] = sets.to_frame(ids=demo.genes, tracks=CELLS)
    back = torch.isclose(_tensor(sets.y_mut)[:, -1].mean(1), _tensor(sets.y_wt), rtol=CLOSE).all(1)
    what = "genes whose planted tiles bring the wild type back, to 1%"
    return [*rows, Recovered("tile set sufficiency", int(back.sum()), len(back), what)]


def one_cre(demo: Demo, tables: dict[str, pd.DataFrame]) -> list[Recovered]:
    """The tests of one CRE: the strongest element of each gene that has one."""
    tss, starts = demo.grid.center, [start for start, _ in demo.tiles]
    kept = [i for i, gene in enumerate(demo.genes) if len(demo.elements(gene)) > 1]
    genes = [demo.genes[i] for i in kept]
    strongest = [max(demo.elements(gene)[1:], key=lambda e: e.copies) for gene in genes]
    cres = [demo.tiles[demo.tile_of(element)] for element in strongest]
    X, seeds = demo.X[kept], [demo.common["random_state"] + i for i in kept]
    common = {**demo.common, "random_state": seeds, "n": 5}

    result = distance_test(demo.model, X, tss, cres, starts, **common)
    tables["distance"] = result.to_frame(positions=starts, ids=genes, tracks=CELLS)
    curves = _tensor(result.y_mut).mean(2).numpy()
    found = 0
    for i, (gene, element, cre) in enumerate(zip(genes, strongest, cres)):
        promoter = demo.elements(gene)[0]
        expected = [demo.expected([promoter, moved(element, start - cre[0])]) for start in starts]
        found += bool(np.allclose(curves[i], expected, rtol=CLOSE))
    rows = [Recovered("distance", found, len(genes), "distance curves, to 1% at every position")]

    copies, found = 6, 0
    dose = multiplicity_test(demo.saturating, X, tss, cres, starts, direction="max", copies=copies, **common)
    tables["multiplicity"] = dose.to_frame(positions=starts, ids=genes)
    tables["saturation"] = saturation_table(dose, ids=genes)
    for i, (gene, element, cre) in enumerate(zip(genes, strongest, cres)):
        placed = [moved(element, int(start) - cre[0]) for start in dose.positions[i]]
        promoter = demo.elements(gene)[0]
        expected = [demo.expected([promoter, *placed[: k + 1]], "saturating").mean() for k in range(copies)]
        found += bool(np.allclose(dose.y_selected[i], expected, rtol=CLOSE))
    rows.append(Recovered("multiplicity", found, len(genes), "dose curves of a saturating network, to 1%"))

    compared = compare_fine_mapping(
        demo.model, X, tss, cres, methods=["search", "saliency", "random"], steps=250, draws=3, ids=genes,
        direction=["max" if sum(WEIGHTS[element.kind]) > 0 else "min" for element in strongest], **common,
    )  # fmt: skip
    pruned = compared.search
    assert pruned is not None
    tables["fine_tile"], tables["fine_mapping"] = pruned.to_frame(ids=genes), compared.summary
    found, missed = 0, []
    for i, (gene, element, cre) in enumerate(zip(genes, strongest, cres)):
        hit = bool(pruned.mask[i, element.start - cre[0] : element.end - cre[0]].any())
        found += hit
        if not hit and element.copies >= STRONG:
            missed.append(f"{element.kind} of {gene}")
    bp = int(pruned.mask.sum()) / len(genes)
    what = f"strongest elements kept, in {bp:.0f} of {pruned.mask.shape[1]} bp on average"
    rows.append(Recovered("fine-tile search", found, len(genes), what, tuple(missed)))
    fewest = compared.summary.pivot(index="example", columns="method", values="fewest_bp")
    found = int((fewest["search"] < fewest["random"]).sum())
    what = "CREs that the search prunes further than random bases do, at a score of 0.8"
    return [*rows, Recovered("fine mapping", found, len(genes), what)]


def _tensor(y: Output) -> torch.Tensor:
    assert isinstance(y, torch.Tensor)  # the toy has one output
    return y


def _same(one: pd.Series, other: pd.Series) -> pd.Series:
    return (one == other) | (one.isna() & other.isna())
