"""What is known about the places of CREs: signal, annotated elements, repeats, distance; and how groups differ.

The tables behind Fig. 2d-g of the paper and its analysis of repeats. All take and give tidy tables in bp of the genome,
as `tiles_to_genome` makes of tiles; a column `cre` (enhancer, silencer, neutral) names the groups that are compared.
"""

from __future__ import annotations

from ._annotations import bed_overlap, gene_list_overlap, overlap_by_group
from ._distance import distance_to_tss
from ._neutral import sample_neutral_tiles
from ._repeats import read_repeats, repeat_content
from ._signal import bigwig_signal, signal_enrichment

__all__ = [
    "bed_overlap",
    "bigwig_signal",
    "distance_to_tss",
    "gene_list_overlap",
    "overlap_by_group",
    "read_repeats",
    "repeat_content",
    "sample_neutral_tiles",
    "signal_enrichment",
]
