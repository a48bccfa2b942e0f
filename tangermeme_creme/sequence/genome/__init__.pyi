from .beds import read_bed as read_bed
from .chroms import known_chroms as known_chroms, match_chroms as match_chroms, plain_chrom as plain_chrom
from .fasta import Fasta as Fasta, chrom_sizes as chrom_sizes, opened_fasta as opened_fasta
from .letters import one_hot_letters as one_hot_letters
from .loci import check_loci as check_loci
from .table_columns import (
    LAST_BASE as LAST_BASE,
    chrom_column as chrom_column,
    number_column as number_column,
    position_column as position_column,
    region_columns as region_columns,
    strand_column as strand_column,
    text_column as text_column,
)
from .to_genome import tiles_to_genome as tiles_to_genome
from .tss import read_tss as read_tss
from .windows import extract_windows as extract_windows, stream_windows as stream_windows
