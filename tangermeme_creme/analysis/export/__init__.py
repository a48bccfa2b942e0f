"""Files for IGV and the UCSC Genome Browser.

`write_cres` and `write_kept` write called CREs and kept bases as BED; `write_bedgraph` and `write_bigwig` write effects
along the genome; `write_interact` and `write_bedpe` write links from CREs to genes (`cre_gene_links`) and between tiles
(`tile_pair_links`). All tables are in bp of the genome, 0-based and half-open. A file is written whole or not at all.
The order of the rows of a table changes only the order of lines at the same place.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
