"""The demo: all nine tests on a simulated genome, against what was planted in it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyfaidx
import torch
from matplotlib.figure import Figure
from tangermeme.utils import one_hot_encode, reverse_complement

from . import (
    context_dependence_test,
    context_swap_test,
    distance_test,
    fine_tile_search,
    higher_order_interaction_test,
    multiplicity_test,
    necessity_test,
    sufficiency_test,
    tile_set_sufficiency_test,
)
from .engine.outputs import Output
from .models.genome import Genome, replace_file, simulate_genome, write_genome
from .models.readout import Readout
from .models.simulate import Element, expected_activity, moved, within, without
from .models.toy import CELLS, WEIGHTS, RegulatoryToy
from .sequence.shuffles import shuffle_backgrounds
from .sequence.tiles import Span, TileGrid, span_to_genome, tile_grid
from .view.plot import COLORS, plot_greedy_trace, plot_tile_effects

LENGTH, TILE = 65_536, 5_000
STRONG = 2  # copies of a motif from which an element counts as strong
CLOSE = 0.01  # how far a measured fraction may lie from the closed form


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
        return expected_activity(elements, length=LENGTH, response=response)

    def tile_of(self, element: Element) -> int:
        return next(t for t, (start, end) in enumerate(self.tiles) if start <= element.start < end)


def run_demo(out: Path, *, seed: int = 0, verbose: bool = True) -> int:
    """Simulate, run all nine tests, write tables and figures to `out`, and print what was recovered.

    Parameters
    ----------
    out: Path
        Folder for genome.fa, genes.gtf, truth.bed, loci.tsv, a CSV a test and the figure. Made if needed.

    seed: int, optional
        Of the genome and of the shuffles. Default is 0.

    verbose: bool, optional
        Whether to show progress bars. Default is True.

    Returns
    -------
    code: int
        0, or 1 if a planted strong element was missed.
    """
    began = time.perf_counter()
    demo, paths = _simulate(out, seed, verbose)
    distal = sum(len(elements) - 1 for elements in demo.genome.elements.values())
    print(f"simulated {len(demo.genes)} genes with {distal} distal elements in {paths['fasta'].parent}")
    tables: dict[str, pd.DataFrame] = {}
    rows = _context(demo, tables) + _single_tiles(demo, tables) + _sets(demo, tables) + _one_cre(demo, tables)
    for name, table in tables.items():
        replace_file(out / f"{name}.csv", partial(table.to_csv, index=False))
    _figure(demo, tables, out / "tile_effects.png")

    print(f"\n{'test':<32}{'recovered':>10}  what")
    for row in rows:
        print(f"{row.test:<32}{f'{row.found}/{row.of}':>10}  {row.what}")
    missed = [f"{row.test}: {name}" for row in rows for name in row.missed]
    print(f"\n{len(tables)} tables and tile_effects.png in {out}; {time.perf_counter() - began:.0f} s")
    if missed:
        print("missed strong elements:\n  " + "\n  ".join(missed))
    return int(bool(missed))


def _simulate(out: Path, seed: int, verbose: bool) -> tuple[Demo, dict[str, Path]]:
    genome = simulate_genome(4, length=LENGTH, tile_size=TILE, random_state=seed)
    paths = write_genome(genome, out)
    windows = []
    with pyfaidx.Fasta(str(paths["fasta"]), rebuild=True) as fasta:
        for chrom, tss, strand in genome.loci[["chrom", "tss", "strand"]].itertuples(index=False):
            start, end = span_to_genome(0, LENGTH, tss=tss, strand=strand, length=LENGTH)
            window = one_hot_encode(str(fasta[chrom][start:end]))
            windows.append(window if strand == "+" else reverse_complement(window))
    grid = tile_grid(LENGTH, TILE)
    toys = [RegulatoryToy(LENGTH, response=response) for response in ("multiplicative", "saturating")]
    model, saturating = (Readout(toy, bins=[toy.tss_bin]) for toy in toys)
    common = {"random_state": seed, "verbose": verbose}
    tiles = [(int(start), int(end)) for start, end in grid.context]
    genes = list(genome.loci["gene_name"])
    return Demo(genome, genes, torch.stack(windows), grid, tiles, model, saturating, common), paths


def _context(demo: Demo, tables: dict[str, pd.DataFrame]) -> list[Recovered]:
    tss = demo.grid.center
    result = context_dependence_test(demo.model, demo.X, tss, n=20, **demo.common)
    tables["context_dependence"] = result.to_frame(ids=demo.genes, tracks=CELLS)
    y_wt, y_mut = _tensor(result.y_wt), _tensor(result.y_mut)
    effect = ((y_wt - y_mut.mean(1)) / y_wt).numpy()
    found = 0
    for gene, measured in zip(demo.genes, effect):
        wt, alone = demo.expected(demo.elements(gene)), demo.expected(within(demo.elements(gene), [tss]))
        found += sum(_category(m) == _category(e) for m, e in zip(measured, (wt - alone) / wt))
    rows = [Recovered("context dependence", found, effect.size, "context categories (genes x cell types)")]

    swap = context_swap_test(demo.model, demo.X, demo.X, tss, verbose=demo.common["verbose"])
    tables["context_swap"] = swap.to_frame(source_ids=demo.genes, target_ids=demo.genes, tracks=CELLS)
    swapped, found = _tensor(swap.y_mut), 0
    for s, source in enumerate(demo.genes):
        for t, target in enumerate(demo.genes):
            elements = within(demo.elements(source), [tss]) + without(demo.elements(target), [tss])
            found += bool(np.allclose(swapped[s, t], demo.expected(elements), rtol=CLOSE))
    return [*rows, Recovered("context swap", found, len(demo.genes) ** 2, "activities of swapped pairs, to 1%")]


def _single_tiles(demo: Demo, tables: dict[str, pd.DataFrame]) -> list[Recovered]:
    tss = demo.grid.center
    necessity = necessity_test(demo.model, demo.X, demo.tiles, n=5, **demo.common)
    table = necessity.to_frame(tiles=demo.tiles, ids=demo.genes, tracks=CELLS)
    table["effect"] = (table["y_wt"] - table["y_mut"]) / table["y_wt"]
    tables["necessity"] = table

    backgrounds = shuffle_backgrounds(demo.X, n=5, random_state=demo.common["random_state"])
    sufficiency = sufficiency_test(demo.model, demo.X, tss, demo.tiles, n=5, backgrounds=backgrounds, **demo.common)
    table = sufficiency.to_frame(tiles=demo.tiles, ids=demo.genes, tracks=CELLS)
    table["effect"] = (table["y_mut"] - table["y_control"]) / table["y_control"]
    tables["sufficiency"] = table
    return [_recovered_tiles(demo, name, tables[name]) for name in ("necessity", "sufficiency")]


def _recovered_tiles(demo: Demo, name: str, table: pd.DataFrame) -> Recovered:
    """A planted element is recovered if its tile has the right sign and stands out from all tiles without one."""
    mean = table.groupby(["example", "tile", "track"])["effect"].mean()
    found, of, missed = 0, 0, []
    for gene in demo.genes:
        planted = {demo.tile_of(element): element for element in demo.elements(gene)[1:]}
        empty = [t for t in range(len(demo.tiles)) if t not in planted]
        for t, element in planted.items():
            for cell, weight in zip(CELLS, WEIGHTS[element.kind]):
                if weight == 0:
                    continue
                noise = max(abs(mean[gene, other, cell]) for other in empty)
                hit = mean[gene, t, cell] * weight > noise + 1e-6
                found, of = found + hit, of + 1
                if not hit and element.copies >= STRONG:
                    missed.append(f"{element.kind} of {gene} in cell {cell}")
    return Recovered(name, found, of, "planted elements (x cell types they act in)", tuple(missed))


def _sets(demo: Demo, tables: dict[str, pd.DataFrame]) -> list[Recovered]:
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


def _one_cre(demo: Demo, tables: dict[str, pd.DataFrame]) -> list[Recovered]:
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
    for i, (gene, element, cre) in enumerate(zip(genes, strongest, cres)):
        placed = [moved(element, int(start) - cre[0]) for start in dose.positions[i]]
        promoter = demo.elements(gene)[0]
        expected = [demo.expected([promoter, *placed[: k + 1]], "saturating").mean() for k in range(copies)]
        found += bool(np.allclose(dose.y_selected[i], expected, rtol=CLOSE))
    rows.append(Recovered("multiplicity", found, len(genes), "dose curves of a saturating network, to 1%"))

    found, missed, fine, bp = 0, [], [], 0
    for i, (gene, element, cre) in enumerate(zip(genes, strongest, cres)):
        direction = "max" if sum(WEIGHTS[element.kind]) > 0 else "min"
        pruned = fine_tile_search(
            demo.model, X[i : i + 1], tss, cre, direction=direction, **{**common, "random_state": [seeds[i]]}
        )
        fine.append(pruned.to_frame(ids=[gene]))
        inside = pruned.mask[0, element.start - cre[0] : element.end - cre[0]]
        hit = bool(inside.any())
        found, bp = found + hit, bp + int(pruned.mask.sum())
        if not hit and element.copies >= STRONG:
            missed.append(f"{element.kind} of {gene}")
    tables["fine_tile"] = pd.concat(fine, ignore_index=True)
    what = f"strongest elements kept, in {bp / len(genes):.0f} of {TILE} bp on average"
    return [*rows, Recovered("fine-tile search", found, len(genes), what, tuple(missed))]


def _tensor(y: Output) -> torch.Tensor:
    assert isinstance(y, torch.Tensor)  # the toy has one output
    return y


def _category(effect: float) -> str:
    """The paper's categories of contexts, by their effect on the TSS."""
    if effect > 0.95:
        return "enhancing"
    if abs(effect) < 0.05:
        return "neutral"
    return "silencing" if effect < -0.3 else "other"


def _figure(demo: Demo, tables: dict[str, pd.DataFrame], path: Path) -> None:
    figure = Figure(figsize=(12, 2.6 * len(demo.genes)), layout="constrained")
    axes = figure.subplots(len(demo.genes), 3, sharex="col", squeeze=False)
    titles = ("necessity: (WT - MUT) / WT", "sufficiency: (MUT - CONTROL) / CONTROL", "greedy search")
    for i, (row, gene) in enumerate(zip(axes, demo.genes)):
        for ax, name in zip(row, ("necessity", "sufficiency")):
            table = tables[name]
            plot_tile_effects(table[table["example"] == gene], ax, center=LENGTH // 2)
            for k, element in enumerate(sorted(demo.elements(gene)[1:], key=lambda e: e.start)):
                middle = ((element.start + element.end) / 2 - LENGTH // 2) / 1000
                ax.axvline(middle, color="#888888", linewidth=0.8, linestyle=":")
                place = {"xy": (middle, 1.02 + 0.09 * (k % 2)), "xycoords": ("data", "axes fraction")}
                ax.annotate(f"{element.kind} x{element.copies}", fontsize=7, ha="center", **place)
        for direction, color in zip(("min", "max"), COLORS):
            trace = tables[f"higher_order_{direction}"]
            plot_greedy_trace(trace[trace["example"] == gene], row[2], label=direction, color=color)
        row[0].set_ylabel(gene)
        row[2].set_ylabel("fold change over WT")
        for ax, title in zip(row, titles):
            if i == 0:
                ax.set_title(title, pad=32)
            if i < len(demo.genes) - 1:
                ax.set_xlabel("")
    axes[0][0].legend(title="cell type", fontsize=7)
    axes[0][2].legend(title="direction", fontsize=7)
    axes[0][2].set_xticks(range(4))
    replace_file(path, lambda temporary: figure.savefig(temporary, format="png", dpi=120))
