"""Compare the fine-tile search with attributions and random bases, on the strongest tiles around real genes.

    python examples/fine_mapping.py --data FOLDER --out OUT

`examples/real_model.py` describes FOLDER. A sufficiency test of every gene whose TSS lies in the output of the network
ranks its 5 kb tiles by (MUT - CONTROL) / WT; the methods are compared on the strongest tiles. Tables go to OUT as TSV,
figures as PNG.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from miniborzoi_tss import BIN, FIRST_BP, LENGTH, N_BINS, MiniBorzoiTSS
from real_model import WIDTH, cage_tracks, load_network, read_window

from tangermeme_creme import sufficiency_test
from tangermeme_creme.analysis import tile_effect_over_wt
from tangermeme_creme.analysis.fine_mapping import compare_fine_mapping
from tangermeme_creme.models import tss_bins
from tangermeme_creme.sequence import tile_grid
from tangermeme_creme.view import plot_fine_mapping, plot_retention_curves

# Input times gradient only as absolute value: with its sign, it equals saliency at the observed base.
METHODS = [
    "search", "saliency", "saliency_absolute", "input_x_gradient_absolute", "integrated_gradients",
    "integrated_gradients_absolute", "corrected_saliency", "deep_lift_shap", "random",
]  # fmt: skip
STEPS = [*range(50, 1000, 50), *range(1000, 5000, 250)]


def strongest_tiles(data: Path, network: torch.nn.Module, n: int, count: int) -> pd.DataFrame:
    """Find the tiles with the largest sufficiency effects over the wild type, of all genes whose TSS is read."""
    tables = []
    for gene in pd.read_csv(data / "genes.tsv", sep="\t").itertuples():
        X, tss = read_window(data, gene.record, gene.record_tss)
        try:
            model = reader(data, network, gene.strand, tss)
        except ValueError as error:
            print(f"{gene.gene}: {error}")
            continue
        grid = tile_grid(LENGTH, 5000, center=tss)
        result = sufficiency_test(model, X, grid.center, grid.context, n=n, random_state=0)
        wt, control = float(result.y_wt.mean()), float(result.y_control.mean())
        effects = tile_effect_over_wt(result.y_mut.mean((0, 2, 3)).numpy(), control, wt)
        start = grid.context[:, 0].numpy()
        row = {"gene": gene.gene, "record": gene.record, "record_tss": gene.record_tss, "strand": gene.strand}
        tables.append(
            pd.DataFrame({**row, "tss": tss, "start": start, "over_wt": effects, "wt": wt, "control": control})
        )
    table = pd.concat(tables).nlargest(count, "over_wt").reset_index(drop=True)
    table.insert(0, "tile", [f"{gene}:{start}" for gene, start in zip(table["gene"], table["start"])])
    return table


def reader(data: Path, network: torch.nn.Module, strand: str, tss: int) -> MiniBorzoiTSS:
    bins = tss_bins(tss, bin_size=BIN, n_bins=N_BINS, first_bp=FIRST_BP, width=WIDTH)
    return MiniBorzoiTSS(network, tracks=cage_tracks(data, strand), bins=bins)


def compare(data: Path, network: torch.nn.Module, tiles: pd.DataFrame, options: dict[str, Any]) -> list[Any]:
    results = []
    for row in tiles.itertuples():
        X, tss = read_window(data, row.record, row.record_tss)
        began = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = compare_fine_mapping(
                reader(data, network, row.strand, tss), X, tile_grid(LENGTH, 5000, center=tss).center,
                (row.start, row.start + 5000), random_state=0, ids=[row.tile], **options,
            )  # fmt: skip
        messages = {str(warning.message).splitlines()[0] for warning in caught}
        print(
            f"{row.tile}: {time.perf_counter() - began:.0f} s",
            *(f"  warned: {line}" for line in sorted(messages)),
            sep="\n",
        )
        results.append(result)
    return results


def report(results: list[Any], tiles: pd.DataFrame, out: Path, name: str) -> None:
    """Print and write the tables, and draw the figures."""
    summary = pd.concat([result.summary for result in results])
    curves = pd.concat([result.curves for result in results])
    overlap = pd.concat([result.overlap for result in results])
    order = list(dict.fromkeys(summary["method"]))
    for value in ("fewest_bp", "area"):
        wide = summary.pivot(index="method", columns="example", values=value).loc[order, tiles["tile"]]
        wide["mean"] = wide.mean(axis=1)
        print(f"\n{value}, {name}:")
        print(wide.to_string(float_format="%.0f" if value == "fewest_bp" else "%.3f"))
    for table, what in ((summary, "summary"), (curves, "curves"), (overlap, "overlap")):
        table.to_csv(out / f"{name}_{what}.tsv", sep="\t", index=False)
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    plot_retention_curves(curves, figure.subplots(), methods=[method for method in order if "_absolute" not in method])
    figure.savefig(out / f"{name}_curves.png", dpi=150)
    if "saliency" not in results[0].importance:
        return
    figure = Figure(figsize=(9, 2.6 * len(results)), layout="constrained")
    for ax, result, tile in zip(figure.subplots(len(results), squeeze=False)[:, 0], results, tiles.itertuples()):
        shown = result.kept[result.kept["method"].isin(["search", "saliency", "integrated_gradients"])]
        plot_fine_mapping(
            result.importance["saliency"][0], ax, start=tile.start, kept=shown, hits=result.hits, center=tile.tss
        )
        ax.set_title(tile.tile, loc="left", fontsize="medium")
    figure.savefig(out / f"{name}_tracks.png", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tiles", type=int, default=5)
    parser.add_argument("--n", type=int, default=10, help="backgrounds")
    parser.add_argument("--draws", type=int, default=3, help="random rankings")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS, help="bp kept at the points of a curve")
    parser.add_argument("--score", choices=("activity", "effect"), default="effect")
    parser.add_argument("--attribute-in", choices=("wild_type", "backgrounds"), default="wild_type")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--scales", type=int, nargs="+", default=[500, 50])
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.9, 0.8])
    parser.add_argument("--prune", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--motifs", type=Path, help="MEME file for method motifs")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    network = load_network(options.data)
    tiles = strongest_tiles(options.data, network, options.n, options.tiles)
    print(tiles.to_string(float_format="%.3f"))
    methods = options.methods + (["motifs"] if options.motifs else [])
    results = compare(
        options.data, network, tiles,
        {
            "methods": methods, "motifs": options.motifs, "n": options.n, "draws": options.draws,
            "steps": options.steps, "score": options.score, "attribute_in": options.attribute_in,
            "scales": options.scales, "thresholds": options.thresholds, "prune": options.prune,
        },
    )  # fmt: skip
    report(results, tiles, options.out, f"{options.score}_{options.attribute_in}")


if __name__ == "__main__":
    main()
