"""Simulate a genome and write it to files: FASTA, GTF, and the planted elements."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...support import replace_file
from .simulate import MOTIF_WIDTH, Element, moved, plant, reverse_complement

# Elements that `simulate_genome` plants, as (kind, copies), in a near, a middle and a far context tile.
LAYOUTS: tuple[tuple[tuple[str, int], ...], ...] = (
    (("enhancer", 6), ("enhancer", 3), ("enhancer", 1)),
    (("silencer", 2), ("silencer", 1), ("enhancer", 1)),
    (("enhancer_a", 6), ("enhancer_b", 6)),
    (),
)


class Genome(NamedTuple):
    """Hold a simulated genome: the text of each chromosome, two tables, and the elements of each gene's window.

    `loci` has chrom, tss (0-based), strand, gene_name and gene_id; `truth` has chrom, start, end (genomic,
    0-based, half-open), kind, copies, strand and gene_name.
    """

    sequences: dict[str, str]
    loci: pd.DataFrame
    truth: pd.DataFrame
    elements: dict[str, list[Element]]


def simulate_genome(
    n_loci: int = 4,
    *,
    length: int,
    tile_size: int,
    random_state: int,
    margin: int = 1000,
    bin_size: int = 128,
) -> Genome:
    """Simulate genes whose context is enhancing, silencing, cell-type specific and neutral, in turn.

    Each of the chromosomes "sim1", "sim2" ... holds one window of `length` bp, with `margin` bp on each side; windows
    lie on strands + and - in turn. The TSS is at index ``length // 2`` of the window, with a promoter in its bin and in
    the centre tile. The elements of `LAYOUTS` lie in three of the six nearest context tiles, at least an eighth of a
    tile from the edges. Under the multiplicative response with its default reach and tiles of up to 5 kb, the paper's
    thresholds call contexts 0, 1 and 3 enhancing, silencing and neutral. Locus i depends only on `random_state` and i.

    Raises
    ------
    ValueError
        If a number is out of range. A bin must be at least as wide as a motif, and the window must hold three context
        tiles of 180 bp or more.

    Examples
    --------
    >>> simulate_genome(2, length=16384, tile_size=2048, random_state=0).loci.iloc[:, :4]
      chrom   tss strand gene_name
    0  sim1  9192      +      SIM1
    1  sim2  9191      -      SIM2
    """
    if n_loci < 1 or margin < 0:
        raise ValueError(f"n_loci must be positive and margin at least 0; got {n_loci} and {margin}")
    sequences, elements, loci, truth = {}, {}, [], []
    size = length + 2 * margin
    for i in range(n_loci):
        rng = np.random.default_rng([random_state, i])
        chrom, gene, strand = f"sim{i + 1}", f"SIM{i + 1}", "+-"[i % 2]
        elements[gene] = _lay_out(LAYOUTS[i % len(LAYOUTS)], length, tile_size, bin_size, rng)
        planted = [moved(element, margin) for element in elements[gene]]
        text = plant(size, planted, rng)
        tss, spans = margin + length // 2, [(e.start, e.end) for e in planted]
        if strand == "-":
            text, tss = reverse_complement(text), size - 1 - tss
            spans = [(size - end, size - start) for start, end in spans]
        sequences[chrom] = text
        loci.append((chrom, tss, strand, gene, f"SIMG{i + 1:011d}.1"))
        truth += sorted((chrom, *span, e.kind, e.copies, strand, gene) for span, e in zip(spans, planted, strict=True))
    columns = ["chrom", "start", "end", "kind", "copies", "strand", "gene_name"]
    table = pd.DataFrame(loci, columns=["chrom", "tss", "strand", "gene_name", "gene_id"])
    return Genome(sequences, table, pd.DataFrame(truth, columns=columns), elements)


def write_genome(genome: Genome, folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Write a genome to files in a folder, each whole or not at all, and return their paths.

    The keys are "fasta" (60 columns), "gtf" (GENCODE style), "truth" (BED6; the score is the number of copies) and
    "loci" (TSV).

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = write_genome(simulate_genome(length=8192, tile_size=1024, random_state=0), folder)
    >>> [path.name for path in paths.values()]
    ['genome.fa', 'genes.gtf', 'truth.bed', 'loci.tsv']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    gtf = "##description: simulated genes\n##format: gtf\n"
    for chrom, tss, strand, name, gene in genome.loci.itertuples(index=False):
        body = len(genome.sequences[chrom]) // 4
        span = f"{tss + 1}\t{tss + body}" if strand == "+" else f"{tss + 2 - body}\t{tss + 1}"
        gene_part = f'gene_id "{gene}"; gene_type "protein_coding"; gene_name "{name}";'
        transcript_part = f'{gene_part} transcript_id "T{gene}"; transcript_type "protein_coding";'
        for feature, attributes in (("gene", gene_part), ("transcript", transcript_part)):
            gtf += f"{chrom}\tsimulated\t{feature}\t{span}\t.\t{strand}\t.\t{attributes}\n"
    bed = genome.truth[["chrom", "start", "end", "kind", "copies", "strand"]]
    fasta = (f">{chrom}\n" + re.sub("(.{1,60})", r"\1\n", text) for chrom, text in genome.sequences.items())
    return {
        "fasta": _write(folder / "genome.fa", "".join(fasta)),
        "gtf": _write(folder / "genes.gtf", gtf),
        "truth": _write(folder / "truth.bed", bed.to_csv(sep="\t", index=False, header=False)),
        "loci": _write(folder / "loci.tsv", genome.loci.to_csv(sep="\t", index=False)),
    }


def _write(path: Path, text: str) -> Path:
    return replace_file(path, lambda temporary: temporary.write_text(text))


def _lay_out(
    layout: Sequence[tuple[str, int]], length: int, tile_size: int, bin_size: int, rng: np.random.Generator
) -> list[Element]:
    if bin_size < MOTIF_WIDTH or length < 1 or length % bin_size:
        rule = f"bin_size must be at least {MOTIF_WIDTH} and length a positive multiple of it"
        raise ValueError(f"{rule}; got {bin_size} and {length}")
    if tile_size < 180:  # six copies must fit with an eighth of the tile free at each edge
        raise ValueError(f"tile_size must be at least 180; got {tile_size}")
    centre = length // 2
    tss_tile = centre - tile_size // 2
    tiles = [s for s in range(tss_tile % tile_size, length - tile_size + 1, tile_size) if s != tss_tile]
    if len(tiles) < 3:
        got = f"{len(tiles)} of {tile_size} bp in {length} bp"
        raise ValueError(f"at least 3 context tiles must fit; got {got}")
    nearest = sorted(tiles, key=lambda start: abs(start - tss_tile))[:6]
    elements = [Element("promoter", min(centre, (centre // bin_size + 1) * bin_size - MOTIF_WIDTH))]
    for (kind, copies), group in zip(layout, np.array_split(nearest, 3), strict=False):
        low = int(rng.choice(group)) + tile_size // 8
        span = Element(kind, 0, copies).end
        start = int(rng.integers(low, low + tile_size - 2 * (tile_size // 8) - span, endpoint=True))
        elements.append(Element(kind, start, copies))
    return elements
