"""Draw the predicted CAGE of a trained network around three TSSs, before and after their context is shuffled.

    python examples/real_profile.py --data FOLDER --out profiles.png

`examples/real_model.py` describes FOLDER. Costs 11 forward passes per gene with the default of ten shuffles.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from miniborzoi_tss import BIN, FIRST_BP, LENGTH
from real_model import cage_tracks, load_network, read_window

from tangermeme_creme import context_dependence_test
from tangermeme_creme.sequence import tile_grid
from tangermeme_creme.view import plot_profile

REACH = 256  # bins shown to either side: 8 kb


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the network and the windows")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--genes", nargs="+", default=["BMT2", "NOC2L", "CLSTN3"], help="genes of genes.tsv")
    parser.add_argument("--n", type=int, default=10, help="shuffles (default: 10)")
    options = parser.parse_args()
    genes = pd.read_csv(options.data / "genes.tsv", sep="\t").set_index("gene")
    network = load_network(options.data)
    figure = Figure(figsize=(7, 2.4 * len(options.genes)), layout="constrained")
    for ax, name in zip(figure.subplots(len(options.genes), squeeze=False)[:, 0], options.genes):
        gene = genes.loc[name]
        X, tss = read_window(options.data, gene["record"], int(gene["record_tss"]))
        tile = tile_grid(LENGTH, 5000, center=tss).center
        result = context_dependence_test(
            network, X, tile, n=options.n, random_state=0, batch_size=2
        )  # (1, n, 74, 2048)
        tracks = cage_tracks(options.data, gene["strand"])
        middle = (tss - FIRST_BP) / BIN
        first = max(int(middle) - REACH, 0)
        bins = slice(first, int(middle) + REACH)
        wild, shuffled = result.y_wt[0, tracks].mean(0)[bins], result.y_mut[0][:, tracks].mean(1)[:, bins]
        center = middle - first
        if gene["strand"] == "-":  # downstream to the right
            wild, shuffled, center = wild.flip(0), shuffled.flip(1), len(wild) - center
        plot_profile(wild, shuffled, ax, bin_size=BIN, center=center)
        ax.set_title(name, loc="left", fontsize="medium")
    figure.savefig(options.out, dpi=150)


if __name__ == "__main__":
    main()
