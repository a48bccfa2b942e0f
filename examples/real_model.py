"""Run CREME on a trained network and human sequence: find what drives the predicted CAGE of three genes.

    python examples/real_model.py --data FOLDER

FOLDER holds a trained network and windows:

- ``miniborzoi.py`` with ``load()``, which returns a model of (N, 4, 131072) to (N, 74, 2048), tracks by 32 bp bins of
  the central 65,536 bp, and ``targets.tsv`` with one row per track; the ``identifier`` of a CAGE track ends in its
  strand;
- ``hg38_windows.fa`` and ``hg38_chr1_1m.fa``, and ``genes.tsv``: gene, strand, record (a name in a FASTA) and
  record_tss (index of the TSS in it).

The windows are not centred on a TSS; the tile grid is, and the readout takes the bins around the TSS. `MiniBorzoiTSS`
splits the network, so that an edit runs through its convolutions in part.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyfaidx
import torch
from miniborzoi_tss import BIN, FIRST_BP, LENGTH, N_BINS, MiniBorzoiTSS
from tangermeme.predict import predict
from tangermeme.utils import one_hot_encode

from tangermeme_creme import (
    distance_test,
    fine_tile_search,
    higher_order_interaction_test,
    necessity_test,
    sufficiency_test,
)
from tangermeme_creme.engine import ActivationCache
from tangermeme_creme.models import tss_bins
from tangermeme_creme.sequence import shuffle_backgrounds, tile_grid

WIDTH = 16  # bins around the TSS that are read: 512 bp


def load_network(data: Path) -> torch.nn.Module:
    """Load the trained network of the folder."""
    spec = importlib.util.spec_from_file_location("miniborzoi", data / "miniborzoi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def read_window(data: Path, record: str, tss: int) -> tuple[torch.Tensor, int]:
    """Read the window of a gene, shape (1, 4, LENGTH), and the index of its TSS in the window."""
    for name in ("hg38_windows.fa", "hg38_chr1_1m.fa"):
        with pyfaidx.Fasta(str(data / name), build_index=False) as fasta:
            if record in fasta:
                total = len(fasta[record])
                start = min(max(tss - LENGTH // 2, 0), total - LENGTH)
                text = str(fasta[record][start : start + LENGTH]).upper()
                return one_hot_encode(text, ignore=["N"])[None], tss - start
    raise ValueError(f"genes.tsv must name records of the FASTA files; got {record!r}.")


def cage_tracks(data: Path, strand: str) -> list[int]:
    """Return the CAGE tracks of one strand."""
    targets = pd.read_csv(data / "targets.tsv", sep="\t", index_col=0)
    cage = targets["description"].str.startswith("CAGE:") & targets["identifier"].str.endswith(strand)
    return [int(track) for track in targets.index[cage]]


def examine(model: torch.nn.Module, X: torch.Tensor, tss: int, strand: str, n: int, common: dict[str, Any]) -> None:
    """Run the five tests on one gene and print their tables; kb are from the TSS, downstream positive."""
    grid = tile_grid(LENGTH, 5000, center=tss)
    tiles = [(int(start), int(end)) for start, end in grid.context]
    downstream = 1 if strand == "+" else -1
    kb = [downstream * (start + 2500 - tss) / 1000 for start, _ in tiles]
    backgrounds = shuffle_backgrounds(X, n=n, random_state=common["random_state"])
    on_backgrounds = {**common, "n": n, "backgrounds": backgrounds}

    necessity = necessity_test(model, X, tiles, n=n, **common)
    table = necessity.to_frame(tiles=tiles).groupby("tile")[["y_wt", "y_mut"]].mean()
    effects = pd.DataFrame({"kb": kb, "necessity": (table["y_wt"] - table["y_mut"]) / table["y_wt"]})
    sufficiency = sufficiency_test(model, X, grid.center, tiles, **on_backgrounds)
    table = sufficiency.to_frame(tiles=tiles).groupby("tile")[["y_wt", "y_control", "y_mut"]].mean()
    effects["over_wt"] = (table["y_mut"] - table["y_control"]) / table["y_wt"]
    effects["over_control"] = (table["y_mut"] - table["y_control"]) / table["y_control"]
    print(f"WT {table['y_wt'].iloc[0]:.3f}, TSS tile in shuffled context {table['y_control'].iloc[0]:.3f}")
    print(f"\nnecessity and sufficiency of {len(tiles)} tiles, the eight with the largest sufficiency effect:")
    strongest = effects["over_control"].abs().sort_values(ascending=False).index
    print(effects.loc[strongest[:8]].to_string(float_format="%.3f"))

    best = int(strongest[0])
    cre = tiles[best]
    starts = [start for start, _ in tiles]
    distance = distance_test(model, X, grid.center, cre, starts, **on_backgrounds)
    table = distance.to_frame(positions=starts).groupby("start")[["y_control", "y_mut"]].mean().reset_index()
    curve = pd.DataFrame({"kb": kb, "over_control": table["y_mut"] / table["y_control"] - 1})
    print(f"\ndistance: the tile at {kb[best]:+.1f} kb, moved (effect over control):")
    print("  ".join(f"{row.kb:+.0f}:{row.over_control:+.3f}" for row in curve.sort_values("kb").itertuples()))

    greedy = higher_order_interaction_test(model, X, tiles, direction="min", rounds=5, n=n, n_holdout=n, **common)
    assert greedy.y_holdout is not None
    rounds = pd.DataFrame(
        {
            "kb": [kb[t] for t in greedy.order[0].tolist()],
            "selected": greedy.y_selected[0],
            "holdout": greedy.y_holdout[0],
            "fold_over_wt": greedy.y_selected[0] / greedy.y_start[0, 0],
        }
    )
    print("\ngreedy search for the lowest activity, five rounds:")
    print(rounds.to_string(float_format="%.3f"))

    direction = "max" if effects["over_control"][best] > 0 else "min"
    pruned = fine_tile_search(
        model, X, grid.center, cre, direction=direction, score="effect", thresholds=(0.9, 0.8), **on_backgrounds
    )
    step = pruned.trace[0][-1]
    kept = ", ".join(f"{downstream * (start - tss):+d}/{end - start}" for start, end in pruned.kept[0])
    print(
        f"\nfine-tile search of the tile at {kb[best]:+.1f} kb ({direction}): {step.bp_kept} of 5000 bp keep "
        f"{step.score:.2f} of its effect, after {len(pruned.trace[0]) - 1} steps"
    )
    print(f"kept spans, as bp from the TSS / length: {kept}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the network and the windows")
    parser.add_argument("--genes", nargs="+", default=["BMT2", "NOC2L", "CLSTN3"], help="genes of genes.tsv")
    parser.add_argument("--n", type=int, default=5, help="shuffles per tile, and number of backgrounds (default: 5)")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--device", default=None, help="default: CUDA if there is a GPU")
    parser.add_argument("--verbose", action="store_true", help="show progress bars")
    arguments = parser.parse_args()

    genes = pd.read_csv(arguments.data / "genes.tsv", sep="\t").set_index("gene")
    network = load_network(arguments.data)
    common = {
        "random_state": 0,
        "batch_size": arguments.batch_size,
        "device": arguments.device,
        "verbose": arguments.verbose,
    }
    for name in arguments.genes:
        began = time.perf_counter()
        gene = genes.loc[name]
        X, tss = read_window(arguments.data, gene["record"], int(gene["record_tss"]))
        bins = tss_bins(tss, bin_size=BIN, n_bins=N_BINS, first_bp=FIRST_BP, width=WIDTH)
        tracks = cage_tracks(arguments.data, gene["strand"])
        model = MiniBorzoiTSS(network, tracks=tracks, bins=bins)
        common["cache"] = cache = ActivationCache()
        print(f"\n=== {name} ({gene['chrom']}:{gene['tss']}{gene['strand']}), mean of {len(tracks)} CAGE tracks ===")
        y = predict(model, X, device=arguments.device)
        print(f"predicted CAGE over the tracks: {y.min():.3f} to {y.max():.3f}")
        examine(model, X, tss, gene["strand"], arguments.n, common)
        print(f"{time.perf_counter() - began:.0f} s; {cache.work}")


if __name__ == "__main__":
    main()
