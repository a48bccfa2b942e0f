"""Measure seconds and memory of the gradient of one 5 kb tile, in the full network and around the tile.

    python examples/benchmarks/attribution.py enformer [--ways span part]
    python examples/benchmarks/attribution.py miniborzoi --data FOLDER [--ways whole span part --repeats 5]

`whole` is a direct call of Captum, on the full sequence and with gradients for parameters. `span` is
`captum_attribution` of the tile with ``incremental=False``. `part` runs the convolutions only around the tile. Each way
runs in a separate process. Memory is the rise of the peak over the resident memory before the first run; in this run,
`part` also measures the reach of the network. Seconds are those of later runs. Linux only. Compare timings only with
timings of the same machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from captum.attr import Saliency
from incremental import random_enformer
from memory import rise

from tangermeme_creme.analysis.fine_mapping import captum_attribution
from tangermeme_creme.engine import ActivationCache, mean_objective

sys.path.insert(0, str(Path(__file__).parents[1]))

WAYS = ("whole", "span", "part")


def network_of(arguments: argparse.Namespace) -> tuple[torch.nn.Module, torch.Tensor, tuple[int, int]]:
    """Load a network that is read at the TSS, a sequence, and a tile of the sequence."""
    if arguments.network == "enformer":
        from tangermeme_creme.models import EnformerTSS

        codes = torch.randint(0, 4, (1, 196_608), generator=torch.Generator().manual_seed(0))
        X = torch.nn.functional.one_hot(codes, 4).mT.to(torch.int8)
        return EnformerTSS(random_enformer(), tracks="paper"), X, (110_804, 115_804)
    import real_model
    from miniborzoi_tss import BIN, FIRST_BP, N_BINS, MiniBorzoiTSS

    from tangermeme_creme.models import tss_bins

    gene = pd.read_csv(arguments.data / "genes.tsv", sep="\t").iloc[0]
    X, tss = real_model.read_window(arguments.data, gene["record"], gene["record_tss"])
    bins = tss_bins(tss, bin_size=BIN, n_bins=N_BINS, first_bp=FIRST_BP, width=16)
    tracks = real_model.cage_tracks(arguments.data, gene["strand"])
    return MiniBorzoiTSS(real_model.load_network(arguments.data), tracks=tracks, bins=bins), X, (tss + 2500, tss + 7500)


def measure(arguments: argparse.Namespace, way: str) -> dict[str, Any]:
    model, X, tile = network_of(arguments)
    cache = ActivationCache()

    def run() -> torch.Tensor:
        if way == "whole":
            x = X.float().requires_grad_()
            return Saliency(lambda x: mean_objective(model(x))).attribute(x, abs=False)[:, :, slice(*tile)].detach()
        options: dict[str, Any] = {"cache": cache} if way == "part" else {"incremental": False}
        return captum_attribution(model, X, span=tile, device="cpu", **options)

    model.eval()
    rise_mb = rise(run)
    seconds = []
    for _ in range(arguments.repeats):
        began = time.perf_counter()
        gradient = run()
        seconds.append(time.perf_counter() - began)
    return {"seconds": statistics.median(seconds), "rise_mb": rise_mb, "gradient": gradient.tolist()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=("enformer", "miniborzoi"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(measure(arguments, arguments.ways[0])))
        return
    rows, first = [], None
    for way in arguments.ways:
        command = [sys.executable, __file__, arguments.network, "--ways", way, "--repeats", str(arguments.repeats)]
        command += ["--alone"] + (["--data", str(arguments.data)] if arguments.data else [])
        measured = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        gradient = torch.tensor(measured.pop("gradient"))
        first = gradient if first is None else first
        difference = float((gradient - first).abs().max() / first.abs().max())
        rows.append({"way": way, **measured, "difference": difference})
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.3g"))


if __name__ == "__main__":
    main()
