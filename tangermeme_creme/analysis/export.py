"""Files that IGV and the UCSC Genome Browser take as they are.

Called CREs (`write_cres`) and kept bases (`write_kept`) as BED; effects along the genome as bedGraph and bigWig; links
from CREs to genes (`cre_gene_links`) and between tiles (`tile_pair_links`) as interact and BEDPE. All tables are in bp
of the genome, 0-based and half-open. A file is there whole or not at all, and the order of the rows of a table changes
nothing but that of lines at the same place.
"""

from __future__ import annotations

from ._browser_fields import CRE_COLORS
from ._links import LINK_COLUMNS, cre_gene_links, tile_pair_links, write_bedpe, write_interact
from ._tracks import write_bedgraph, write_bigwig, write_cres, write_kept

__all__ = [
    "CRE_COLORS",
    "LINK_COLUMNS",
    "cre_gene_links",
    "tile_pair_links",
    "write_bedgraph",
    "write_bedpe",
    "write_bigwig",
    "write_cres",
    "write_interact",
    "write_kept",
]
