"""Files that IGV and the UCSC Genome Browser take as they are.

Called CREs (`write_cres`) and kept bases (`write_kept`) as BED; effects along the genome as bedGraph and bigWig; links
from CREs to genes (`cre_gene_links`) and between tiles (`tile_pair_links`) as interact and BEDPE. All tables are in bp
of the genome, 0-based and half-open. A file is there whole or not at all, and the order of the rows of a table changes
nothing but that of lines at the same place.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
