"""Measure the cost of a study beyond its predictions, and the gain from several workers.

    python examples/benchmarks/study.py scaling [--loci 24] [--repeats 3]
    python examples/benchmarks/study.py overhead --data FOLDER [--repeats 3]
    python examples/benchmarks/study.py memory [--loci 100 1000]

`scaling`: a study whose time is arithmetic, on a Dask cluster of one process and of two, one thread per process.
`overhead`: the tests of one gene with the network of `examples/real_model.py`, in turn as a study and as operator calls
that also share backgrounds and activations; and the part of the difference that is statistics.
`memory`: the peak memory of a study, per number of loci, in separate processes.

Compare timings only with timings of the same machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).resolve()
LENGTH, TILE = 4_096, 512


class Network(torch.nn.Module):
    """Predict values above 0, shape (N, 1), with a dilated CNN of random weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        layers: list[torch.nn.Module] = [torch.nn.Conv1d(4, 128, 15, padding=7), torch.nn.ReLU()]
        for k in range(6):
            layers += [torch.nn.Conv1d(128, 128, 5, dilation=2**k, padding=2 ** (k + 1)), torch.nn.ReLU()]
        self.body, self.head = torch.nn.Sequential(*layers), torch.nn.Linear(128, 1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.softplus(self.head(self.body(X).mean(-1))) + 0.1


def network() -> torch.nn.Module:
    return Network().eval()


def toy(length: int) -> torch.nn.Module:
    from tangermeme_creme.demo import toy_model

    return toy_model(length)


def spec_of(folder: Path, n_loci: int, length: int, tile: int, function: str, **sections: Any) -> Any:
    """Specify a study of simulated genes in `folder`, in which all genes go through all stages."""
    from tangermeme_creme.models.toy import simulate_genome, write_genome
    from tangermeme_creme.study.spec import spec_from_dict

    if not (folder / "genome.fa").exists():
        write_genome(simulate_genome(n_loci, length=length, tile_size=tile, random_state=0), folder)
    return spec_from_dict({
        "out": str(folder / "study"),
        "loci": {"fasta": str(folder / "genome.fa"), "tss": str(folder / "genes.gtf"), "top": n_loci},
        "model": {"adapter": "function", "function": function, "module_folder": str(HERE.parent), "length": length,
                  "tracks": ["A"]},
        "tiles": {"size": tile},
        "context": {"n": 6, "enhancing": 0.0, "neutral": 0.0, "silencing": 0.0, "per_category": n_loci},
        **sections,
    })  # fmt: skip


def scaling(n_loci: int, repeats: int) -> None:
    from tangermeme_creme.study import dask_executor, run_study

    seconds: dict[int, list[float]] = {1: [], 2: []}
    tests = {"include": ["necessity", "sufficiency"], "necessity": {"n": 6}, "sufficiency": {"n": 6}}
    with tempfile.TemporaryDirectory() as name:
        for repeat in range(repeats):
            for workers in seconds:
                spec = spec_of(
                    Path(name), n_loci, LENGTH, TILE, "study:network", tests=tests, out=f"{name}/{repeat}-{workers}",
                    run={"loci_per_shard": 1},
                )  # fmt: skip
                with dask_executor(f"local:{workers}", threads=1) as (executor, width, threads):
                    # The start of interpreter and PyTorch happens once per worker and is not measured.
                    executor._client.run(import_tasks)  # type: ignore[attr-defined]
                    began = time.perf_counter()
                    run_study(spec, executor=executor, width=width, threads=threads, verbose=False)
                    seconds[workers].append(time.perf_counter() - began)
                print(f"{workers} workers: {seconds[workers][-1]:.1f} s", flush=True)
    ratios = [one / two for one, two in zip(*seconds.values())]
    print(f"one worker over two: {statistics.median(ratios):.2f} (each time: {', '.join(f'{r:.2f}' for r in ratios)})")


def import_tasks() -> None:
    """Import on a worker what its tasks need."""
    from tangermeme_creme.study.run import Task  # noqa: F401


def overhead(data: Path, repeats: int) -> None:
    sys.path.insert(0, str(HERE.parents[1]))
    from study_miniborzoi import write_study

    from tangermeme_creme.study import Study, run_study
    from tangermeme_creme.study.spec import read_spec, spec_from_dict, spec_to_dict

    chosen = ["necessity", "sufficiency", "higher_order", "set_sufficiency", "interactions"]
    times: dict[str, list[float]] = {"study": [], "operators": [], "statistics": []}
    with tempfile.TemporaryDirectory() as name:
        content = spec_to_dict(read_spec(write_study(data, Path(name), 1)))
        content["tests"]["include"] = chosen
        content["loci"] |= {"genes": ["NOC2L"]}
        for repeat in range(repeats):
            spec = spec_from_dict({**content, "out": f"{name}/study-{repeat}"})
            began = time.perf_counter()
            run_study(spec, verbose=False)
            times["study"].append(time.perf_counter() - began)
            began, frames = time.perf_counter(), by_hand(spec)
            times["operators"].append(time.perf_counter() - began)
            began = time.perf_counter()
            summarize(frames)
            times["statistics"].append(time.perf_counter() - began)
            print(", ".join(f"{kind} {values[-1]:.2f} s" for kind, values in times.items()), flush=True)
        print(Study.open(f"{name}/study-0").status().to_string(index=False))
    extra = [s / o - 1 for s, o in zip(times["study"], times["operators"])]
    layer = [s / (o + t) - 1 for s, o, t in zip(*times.values())]
    for name, values in (("operators", extra), ("operators and statistics", layer)):
        print(f"study over {name}: {statistics.median(values):+.1%}")


def by_hand(spec: Any) -> list[Any]:
    """Run the operators of the study of one gene, one after the other, and load the network first."""
    from study_miniborzoi import cage

    from tangermeme_creme import (
        context_dependence_test,
        higher_order_interaction_test,
        interaction_map,
        necessity_test,
        sufficiency_test,
        tile_set_sufficiency_test,
    )
    from tangermeme_creme.engine import ActivationCache
    from tangermeme_creme.operators import predict_activity
    from tangermeme_creme.sequence import shuffle_backgrounds, tile_grid
    from tangermeme_creme.sequence.genome import extract_windows
    from tangermeme_creme.study.run import read_loci

    model, loci = cage(**spec.model.arguments), read_loci(spec)
    predict_activity(model, spec.loci.fasta, loci, length=spec.model.length)
    X = extract_windows(spec.loci.fasta, loci, spec.model.length)
    tss, tiles = tile_grid(spec.model.length, spec.tiles.size)
    cache, tests = ActivationCache(), spec.tests
    backgrounds = shuffle_backgrounds(X, n=6, random_state=0)
    common: dict[str, Any] = {"n": 6, "random_state": 0, "cache": cache}
    frames = [context_dependence_test(model, X, tss, n=spec.context.n, random_state=0).to_frame()]
    frames.append(necessity_test(model, X, tiles, **common).to_frame())
    frames.append(sufficiency_test(model, X, tss, tiles, backgrounds=backgrounds, **common).to_frame())
    for direction in tests.higher_order.directions:
        greedy = higher_order_interaction_test(
            model, X, tiles, direction=direction, rounds=tests.higher_order.rounds, n_holdout=6, **common
        )
        order = greedy.order.tolist()
        frames.append(
            tile_set_sufficiency_test(model, X, tss, tiles, order, backgrounds=backgrounds, **common).to_frame()
        )
    effect = frames[1].groupby("tile")["y_mut"].mean() - frames[1]["y_wt"].iloc[0]
    chosen = sorted(effect.abs().nlargest(tests.interactions.tiles).index)
    frames.append(interaction_map(model, X, tiles[chosen], **common).to_frame())
    return frames


def summarize(frames: list[Any]) -> None:
    from tangermeme_creme.analysis.stats import summarize_effects

    context, necessity, sufficiency, *sets, pairs = frames
    summarize_effects(context, "context_effect")
    summarize_effects(necessity, "necessity")
    summarize_effects(sufficiency, ["over_wt", "over_control"])
    for frame in sets:
        summarize_effects(frame, ["over_wt", "over_control", "fold_over_wt", "fold_over_control"])
    summarize_effects(pairs, ["epistasis", "log_epistasis"])


def memory(counts: list[int]) -> None:
    for n in counts:
        shown = subprocess.run([sys.executable, str(HERE), "peak", str(n)], check=True, capture_output=True, text=True)
        print(shown.stdout.strip(), flush=True)


def peak(n_loci: int) -> None:
    from tangermeme_creme.study import run_study
    from tangermeme_creme.study.spec import spec_from_dict, spec_to_dict

    tests = {
        "include": ["swap", "necessity", "sufficiency", "distance"], "swap": {"sources": 5}, "necessity": {"n": 6},
        "sufficiency": {"n": 6}, "distance": {"n": 6},
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        model = {"function": "study:toy", "arguments": {"length": 4096}, "tracks": ["A", "B", "C", "D"]}
        spec = spec_of(Path(name), n_loci, 4096, 512, "study:toy", tests=tests, output={"raw": True})
        content = spec_to_dict(spec)
        content["model"] |= model
        spec = spec_from_dict(content)
        small = spec_from_dict({**content, "out": f"{name}/small", "loci": {**content["loci"], "genes": ["SIM1"]}})
        run_study(small, verbose=False)  # so that one-time loading and compilation are not counted
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        study = run_study(spec, verbose=False)
        rise = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        rows = sum(len(study.dataset(table).files) for table in study.raw_tables)
        size = sum(path.stat().st_size for path in study.folder.rglob("*") if path.is_file())
        print(json.dumps({
            "loci": n_loci, "seconds": round(time.perf_counter() - began, 1), "peak_mb_before": before // 1024,
            "rise_mb": rise // 1024, "raw_files": rows, "disk_mb": round(size / 1e6, 1),
        }))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("scaling")
    one.add_argument("--loci", type=int, default=24)
    one.add_argument("--repeats", type=int, default=3)
    two = commands.add_parser("overhead")
    two.add_argument("--data", type=Path, required=True)
    two.add_argument("--repeats", type=int, default=3)
    three = commands.add_parser("memory")
    three.add_argument("--loci", type=int, nargs="+", default=[100, 1000])
    commands.add_parser("peak").add_argument("loci", type=int)
    arguments = parser.parse_args()
    if arguments.command == "scaling":
        scaling(arguments.loci, arguments.repeats)
    elif arguments.command == "overhead":
        overhead(arguments.data, arguments.repeats)
    elif arguments.command == "memory":
        memory(arguments.loci)
    else:
        peak(arguments.loci)


if __name__ == "__main__":
    main()
