from .bed import write_cres as write_cres, write_kept as write_kept
from .browser_fields import CRE_COLORS as CRE_COLORS
from .links import (
    LINK_COLUMNS as LINK_COLUMNS,
    cre_gene_links as cre_gene_links,
    tile_pair_links as tile_pair_links,
    write_bedpe as write_bedpe,
    write_interact as write_interact,
)
from .tracks import write_bedgraph as write_bedgraph, write_bigwig as write_bigwig
