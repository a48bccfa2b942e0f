"""From annotated genes to TSSs and windows around them, and from tiles of windows back to the genome.

A locus is a TSS: its chromosome, the 0-based position of its base ('+': GTF start - 1; '-': GTF end - 1) and its
strand. Its window puts that base at ``length // 2`` on both strands; on '-' it is reverse-complemented.
"""

from __future__ import annotations

from ._fasta import Fasta, chrom_sizes
from ._to_genome import tiles_to_genome
from ._tss import read_tss
from ._windows import check_loci, extract_windows, stream_windows

__all__ = [
    "Fasta",
    "check_loci",
    "chrom_sizes",
    "extract_windows",
    "read_tss",
    "stream_windows",
    "tiles_to_genome",
]
