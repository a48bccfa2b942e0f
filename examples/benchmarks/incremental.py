"""Measure the seconds per edited sequence, in full and incrementally, of networks at their real size.

    python examples/benchmarks/incremental.py enformer [--device cuda --dtype bfloat16 --batch-sizes 1 4 16]
    python examples/benchmarks/incremental.py miniborzoi --data FOLDER [--n 4]

`enformer` is the published architecture (dim 1536, depth 11, 196,608 bp) with random weights: the wild type and eight
tiles of a necessity test, each way in turn. `in full` is the same adapter, which computes only the requested bins and
tracks; `package` is enformer-pytorch's own forward, all bins and tracks. The matrix rate is the rate of a large matrix
product in the same process; torch counts the floating point operations.

`miniborzoi` runs full tests on the network and the first gene of FOLDER (see examples/real_model.py); the time includes
the drawing of shuffles. If creme-nn is installed, its tests run the same adapter, in full, one sequence at a time.

Compare timings only with timings of the same machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from tangermeme_creme import necessity_test, sufficiency_test
from tangermeme_creme.engine import ActivationCache, EditSession
from tangermeme_creme.sequence import make_edits, tile_grid

sys.path.insert(0, str(Path(__file__).parents[1]))


def seconds(run: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    result = run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began, result


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Measure the floating point operations per second of a large matrix product, the best of five."""
    size = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / min(seconds(lambda: a @ b, device)[0] for _ in range(5))


def random_enformer() -> torch.nn.Module:
    """Build the published architecture with random weights in which every layer matters.

    With the initial weights of the package, attention adds nothing, so a distant edit would have no effect.
    """
    from enformer_pytorch import Enformer

    network = Enformer.from_hparams(dim=1536, depth=11, heads=8, target_length=896)
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if not value.is_floating_point() or name.startswith("_trunk"):  # the same tensors again
            continue
        noise = torch.randn(value.shape, generator=generator)
        if value.ndim == 1:
            value.copy_(value.mean().round() + (noise.abs() if "var" in name else noise) / 4)
        else:
            value.copy_(noise if "rel_" in name else noise / value[0].numel() ** 0.5)
    return network.eval()


def benchmark_enformer(arguments: argparse.Namespace) -> None:
    from tangermeme_creme.models import EnformerTSS

    device, dtype = torch.device(arguments.device), getattr(torch, arguments.dtype)
    network = random_enformer()
    model = EnformerTSS(network, tracks="paper").to(device)
    length, n_tiles = 196_608, arguments.tiles
    generator = torch.Generator().manual_seed(0)
    X = torch.nn.functional.one_hot(torch.randint(0, 4, (1, length), generator=generator), 4).mT.to(torch.int8)
    tiles = tile_grid(length).context
    tiles = tiles[torch.linspace(0, len(tiles) - 1, n_tiles).long()]  # includes both ends
    content = [torch.randint(0, 4, (5000,), generator=generator, dtype=torch.uint8) for _ in range(n_tiles)]
    edits = make_edits(0, tiles[:, 0], torch.arange(n_tiles), content)
    rate = matrix_rate(device, dtype)

    def run(incremental: bool, batch_size: int) -> dict[str, Any]:
        options = {"device": device, "dtype": dtype, "batch_size": batch_size, "incremental": incremental}
        with EditSession(model, X, **options) as session:
            session.predict()
            with FlopCounterMode(display=False) as flops:
                session.predict_edits(make_edits(0, tiles[:1, 0], 0, content)) if arguments.flops else None
            elapsed, y = seconds(lambda: session.predict_edits(edits), device)
        return {"seconds": elapsed / n_tiles, "y": y, "flop": flops.get_total_flops(), "work": session.work}

    setup, _ = seconds(lambda: run(True, 1), device)  # measures and checks the reach, once per model
    print(json.dumps({"setup and first run, seconds": round(setup, 1), "matrix rate, GFLOP/s": round(rate / 1e9)}))
    rows = []
    for batch_size in arguments.batch_sizes:
        results = {way: run(way == "incremental", batch_size) for way in ("in full", "incremental")}
        full, part = results["in full"], results["incremental"]
        for way, result in results.items():
            row = {"batch": batch_size, "way": way, "s/sequence": result["seconds"], "1/s": 1 / result["seconds"]}
            if arguments.flops:
                row["GFLOP"] = result["flop"] / 1e9
                row["of matrix rate"] = result["flop"] / result["seconds"] / rate
            rows.append(row)
        gap = float((full["y"] - part["y"]).abs().max() / full["y"].abs().max())
        effect = float((full["y"] - full["y"].mean(0)).abs().max() / full["y"].abs().max())
        print(json.dumps({"batch": batch_size, "ratio": round(full["seconds"] / part["seconds"], 2),
                          "largest difference, relative": gap, "spread of the tiles, relative": effect}))  # fmt: skip
        print(f"incremental: {part['work']}")
    if arguments.package:
        one_hot = X.float().mT.to(device)
        with torch.no_grad():
            elapsed, _ = seconds(lambda: network.to(device)(one_hot), device)
        rows.append({"batch": 1, "way": "package", "s/sequence": elapsed, "1/s": 1 / elapsed})
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.4g"))


def benchmark_miniborzoi(arguments: argparse.Namespace) -> None:
    from miniborzoi_tss import MiniBorzoiTSS
    from real_model import BIN, FIRST_BP, LENGTH, N_BINS, WIDTH, cage_tracks, load_network, read_window

    from tangermeme_creme.models import tss_bins

    gene = pd.read_csv(arguments.data / "genes.tsv", sep="\t").iloc[0]
    X, tss = read_window(arguments.data, gene["record"], int(gene["record_tss"]))
    bins = tss_bins(tss, bin_size=BIN, n_bins=N_BINS, first_bp=FIRST_BP, width=WIDTH)
    model = MiniBorzoiTSS(load_network(arguments.data), tracks=cage_tracks(arguments.data, gene["strand"]), bins=bins)
    grid, n = tile_grid(LENGTH, 5000, center=tss), arguments.n
    tiles = [(int(s), int(e)) for s, e in grid.context]
    center = (int(grid.center[0]), int(grid.center[1]))

    def ours(incremental: bool) -> dict[str, Callable[[], Any]]:
        options = {"n": n, "random_state": 0, "device": arguments.device, "incremental": incremental}
        return {
            "necessity": lambda: necessity_test(model, X, tiles, **options).y_mut,
            "sufficiency": lambda: sufficiency_test(model, X, center, tiles, **options).y_mut,
        }

    ways = {"in full": ours(False), "incremental": ours(True)}
    reference = creme_nn(model, X, center, tiles, n)
    if reference:
        ways["creme-nn"] = reference
    else:
        print("creme-nn is not installed: no third column")
    ours(True)["necessity"]()  # measures and checks the reach, once per model
    times: dict[tuple[str, str], list[float]] = {}
    y: dict[tuple[str, str], Any] = {}
    for _ in range(arguments.repeats):
        for way, tests in ways.items():
            for test, run in tests.items():
                elapsed, y[test, way] = seconds(run, torch.device(arguments.device))
                times.setdefault((test, way), []).append(elapsed / (len(tiles) * n))
    table = pd.Series({key: statistics.median(values) for key, values in times.items()}).unstack()[list(ways)]
    print(
        f"{gene['gene']}, {len(tiles)} tiles x {n} shuffles, seconds per tile and shuffle, "
        f"median of {arguments.repeats}"
    )
    print(table.to_string(float_format="%.4f"))
    print((table.div(table["incremental"], axis=0)).to_string(float_format="%.2f x"))
    for test in ("necessity", "sufficiency"):
        full, part = y[test, "in full"], y[test, "incremental"]
        print(json.dumps({test: {"largest difference, relative": float((full - part).abs().max() / full.abs().max())}}))
    cache = ActivationCache()
    sufficiency_test(model, X, center, tiles, n=n, random_state=0, device=arguments.device, cache=cache)
    print(f"sufficiency: {cache.work}")


def creme_nn(
    model: torch.nn.Module, X: torch.Tensor, center: tuple[int, int], tiles: list[tuple[int, int]], n: int
) -> dict[str, Callable[[], Any]]:
    """Return the tests of creme-nn, in full, one sequence at a time; {} if creme-nn is not installed."""
    try:
        from creme import creme
    except ImportError:
        return {}

    class Predictor:
        seq_length = X.shape[-1]

        def predict(self, x: Any) -> Any:
            rows = torch.as_tensor(x, dtype=torch.float32).reshape(-1, X.shape[-1], 4).mT
            with torch.no_grad():
                return torch.cat([model(row[None]) for row in rows])[:, None].numpy()

    x = X[0].float().T.numpy()
    return {
        "necessity": lambda: creme.necessity_test(Predictor(), x, [list(t) for t in tiles], n),
        "sufficiency": lambda: creme.sufficiency_test(
            Predictor(), x, list(center), [list(t) for t in tiles], n, tile_seq=None
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="network", required=True)
    enformer = commands.add_parser("enformer")
    enformer.add_argument("--device", default="cpu")
    enformer.add_argument("--dtype", default="float32")
    enformer.add_argument("--batch-sizes", type=int, nargs="+", default=[1])
    enformer.add_argument("--tiles", type=int, default=8)
    enformer.add_argument("--flops", action="store_true", help="also count the floating point operations of one edit")
    enformer.add_argument("--package", action="store_true", help="also time enformer-pytorch's own forward")
    enformer.set_defaults(run=benchmark_enformer)
    miniborzoi = commands.add_parser("miniborzoi")
    miniborzoi.add_argument("--data", type=Path, required=True)
    miniborzoi.add_argument("--device", default="cpu")
    miniborzoi.add_argument("--n", type=int, default=4)
    miniborzoi.add_argument("--repeats", type=int, default=3)
    miniborzoi.set_defaults(run=benchmark_miniborzoi)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
