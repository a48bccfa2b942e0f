"""Annotation of CREs with signal, annotated elements, repeats and distance, and comparisons of groups of CREs.

These are the tables behind Fig. 2d-g of the paper and its analysis of repeats. All functions take and return tidy
tables in bp of the genome, as `tiles_to_genome` returns; a column `cre` (enhancer, silencer, neutral) names the groups.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
