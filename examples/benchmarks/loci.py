"""Measure the cost of reading TSSs from a GTF and windows from a FASTA.

    python examples/benchmarks/loci.py gtf [--transcripts 250000] [--gzip]
    python examples/benchmarks/loci.py windows [--n 1000] [--length 196608]

Both simulate their file in a temporary folder. `gtf` writes genes, transcripts and exons in the layout of GENCODE,
3.3 GB for 250,000 transcripts, reads them in a separate process, and shows the peak memory of this process. `windows`
compares with tangermeme's `extract_loci`, which does not use the strand, in turns in one run.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from tangermeme.io import extract_loci

from tangermeme_creme.sequence.genome import extract_windows, read_tss


def write_gtf(path: Path, transcripts: int, compressed: bool) -> None:
    """Write genes with five transcripts per gene and 24 exons per transcript, in the layout of GENCODE."""
    attributes = (
        'gene_id "ENSG{g:011d}.5"; transcript_id "ENST{t:011d}.2"; gene_type "protein_coding"; gene_name "GENE{g}"; '
        'transcript_type "protein_coding"; transcript_name "GENE{g}-{t}"; level 2; protein_id "ENSP{t:011d}.1"; '
        'transcript_support_level "1"; hgnc_id "HGNC:{g}"; tag "basic"; tag "MANE_Select"; tag "appris_principal_1"; '
        'tag "CCDS"; ccdsid "CCDS{t}.1"; havana_gene "OTTHUMG{g:011d}.4"; havana_transcript "OTTHUMT{t:011d}.2";'
    )
    with gzip.open(path, "wt", compresslevel=6) if compressed else open(path, "w") as file:
        for t in range(transcripts):
            g, strand = t // 5, "+-"[t // 5 % 2]
            chrom, start = f"chr{g % 22 + 1}", 10_000 + 40 * t
            text = attributes.format(g=g, t=t)
            lines = (
                [f"{chrom}\tHAVANA\tgene\t{start}\t{start + 30_000}\t.\t{strand}\t.\t{text}\n"] if t % 5 == 0 else []
            )
            lines.append(f"{chrom}\tHAVANA\ttranscript\t{start}\t{start + 30_000}\t.\t{strand}\t.\t{text}\n")
            for e in range(24):
                exon = f"{chrom}\tHAVANA\texon\t{start + 1000 * e}\t{start + 1000 * e + 200}\t.\t{strand}\t.\t"
                lines.append(f'{exon}{text} exon_number {e + 1}; exon_id "ENSE{24 * t + e:011d}.1";\n')
            file.write("".join(lines))


def gtf(transcripts: int, compressed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("genes.gtf.gz" if compressed else "genes.gtf")
        write_gtf(path, transcripts, compressed)
        size = path.stat().st_size / 1e9
        done = subprocess.run([sys.executable, __file__, "read", str(path)], capture_output=True, text=True, check=True)
    print(f"{transcripts} transcripts, {size:.2f} GB{' gzipped' if compressed else ''}: {done.stdout.strip()}")


def read(path: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    began = time.perf_counter()
    table = read_tss(path)
    taken = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{len(table)} TSSs in {taken:.1f} s; peak {peak:.2f} GB, of which {before:.2f} GB are imports")


def windows(n: int, length: int, rounds: int = 15) -> None:
    rng = np.random.default_rng(0)
    size, columns = 60_000_000, 60
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genome.fa"
        with open(path, "wb") as file:
            for chrom in range(1, 5):
                lines = np.full((size // columns, columns + 1), ord("\n"), dtype=np.uint8)
                lines[:, :columns] = rng.choice(np.frombuffer(b"ACGTacgt", np.uint8), (size // columns, columns))
                file.write(f">chr{chrom}\n".encode() + lines.tobytes())
        chrom = [f"chr{c}" for c in rng.integers(1, 5, n)]
        tss = rng.integers(length, size - length, n)
        forward = pd.DataFrame({"chrom": chrom, "tss": tss, "strand": "+"})
        both = forward.assign(strand=rng.choice(["+", "-"], n))
        bed = pd.DataFrame({"chrom": chrom, "start": tss, "end": tss + 1})

        def reverse_complemented() -> object:
            X = extract_loci(bed, str(path), in_window=length)
            for row, strand in zip(X, both["strand"]):
                if strand == "-":
                    row[:] = row.flip(0, 1)
            return X

        ways: dict[str, Callable[[], object]] = {
            "extract_loci": lambda: extract_loci(bed, str(path), in_window=length),
            "extract_windows, all on +": lambda: extract_windows(path, forward, length),
            "extract_loci, - reverse-complemented": reverse_complemented,
            "extract_windows, both strands": lambda: extract_windows(path, both, length),
            "extract_loci, packed": lambda: extract_loci(bed, str(path), in_window=length, return_packed=True),
            "extract_windows, both strands, packed": lambda: extract_windows(path, both, length, packed=True),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for k in range(rounds + 1):
            for name in rng.permutation(list(ways)):  # an earlier way changes the free memory
                way = ways[name]
                began = time.perf_counter()
                X = way()
                seconds[name] += [time.perf_counter() - began] if k else []  # the first round compiles and warms up
                del X
    print(f"{n} windows of {length} bp, {rounds} rounds in turns: median s (least)")
    for name, taken in seconds.items():
        print(f"{name:<40}{np.median(taken):8.3f}  ({min(taken):.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("gtf")
    one.add_argument("--transcripts", type=int, default=250_000)
    one.add_argument("--gzip", action="store_true")
    two = commands.add_parser("windows")
    two.add_argument("--n", type=int, default=1000)
    two.add_argument("--length", type=int, default=196_608)
    commands.add_parser("read").add_argument("path")
    arguments = parser.parse_args()
    if arguments.command == "gtf":
        gtf(arguments.transcripts, arguments.gzip)
    elif arguments.command == "read":
        read(arguments.path)
    else:
        windows(arguments.n, arguments.length)


if __name__ == "__main__":
    main()
