from ._summary_list import SUMMARIES as SUMMARIES
from .annotation import ANNOTATION_TABLES as ANNOTATION_TABLES, annotate as annotate
from .exports import FORMATS as FORMATS, export_study as export_study
from .places import (
    PLACES as PLACES,
    ReadableStudy as ReadableStudy,
    genome_sizes as genome_sizes,
    in_genome as in_genome,
    placed_loci as placed_loci,
)
from .selection_text import few_contexts as few_contexts
from .study import Study as Study
from .summaries import summary_tables as summary_tables, summary_text as summary_text, write_report as write_report
from .windows import Windows as Windows, read_loci_table as read_loci_table, window_names as window_names
