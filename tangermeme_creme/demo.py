"""The demo: all ten tests on a simulated genome, against what was planted in it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ._recovery import EFFECTS, Demo, context, one_cre, pairs, sets, single_tiles
from .models.genome import simulate_genome, write_genome
from .models.readout import Readout
from .models.toy import RegulatoryToy
from .sequence.files import replace_file
from .sequence.loci import extract_windows, read_tss
from .sequence.tiles import tile_grid
from .view.plot import COLORS, plot_greedy_trace, plot_tile_effects

LENGTH, TILE = 65_536, 5_000


def run_demo(out: Path, *, seed: int = 0, verbose: bool = True) -> int:
    """Simulate, run all ten tests, write tables and figures to `out`, and print what was recovered.

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
    rows = [row for part in (context, single_tiles, pairs, sets, one_cre) for row in part(demo, tables)]
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
    loci = read_tss(paths["gtf"])
    X = extract_windows(paths["fasta"], loci, LENGTH)
    grid = tile_grid(LENGTH, TILE)
    toys = [RegulatoryToy(LENGTH, response=response) for response in ("multiplicative", "saturating")]
    model, saturating = (Readout(toy, bins=[toy.tss_bin]) for toy in toys)
    common = {"random_state": seed, "verbose": verbose}
    tiles = [(int(start), int(end)) for start, end in grid.context]
    return Demo(genome, list(loci["gene_name"]), X, grid, tiles, model, saturating, common), paths


def _figure(demo: Demo, tables: dict[str, pd.DataFrame], path: Path) -> None:
    figure = Figure(figsize=(12, 2.6 * len(demo.genes)), layout="constrained")
    axes = figure.subplots(len(demo.genes), 3, sharex="col", squeeze=False)
    titles = ("necessity: (WT - MUT) / WT", "sufficiency: (MUT - CONTROL) / CONTROL", "greedy search")
    for i, (row, gene) in enumerate(zip(axes, demo.genes)):
        for ax, effect in zip(row, EFFECTS):
            table = tables["tile_effects"]
            plot_tile_effects(table[table["example"] == gene], ax, effect=effect, center=LENGTH // 2)
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
