"""What is known about the places of CREs: signal, annotated elements, repeats, distance; and how groups differ.

The tables behind Fig. 2d-g of the paper and its analysis of repeats. All take and give tidy tables in bp of the genome,
as `tiles_to_genome` makes of tiles; a column `cre` (enhancer, silencer, neutral) names the groups that are compared.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
