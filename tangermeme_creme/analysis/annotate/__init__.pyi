from .distance import distance_to_tss as distance_to_tss
from .neutral import sample_neutral_tiles as sample_neutral_tiles
from .overlaps import (
    bed_overlap as bed_overlap,
    gene_list_overlap as gene_list_overlap,
    overlap_by_group as overlap_by_group,
)
from .repeats import read_repeats as read_repeats, repeat_content as repeat_content
from .signal import bigwig_signal as bigwig_signal, signal_enrichment as signal_enrichment
