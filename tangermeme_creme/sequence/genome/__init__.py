"""From annotated genes to TSSs and windows around them, and from tiles of windows back to the genome.

A locus is a TSS: its chromosome, the 0-based position of its base ('+': GTF start - 1; '-': GTF end - 1) and its
strand. Its window puts that base at ``length // 2`` on both strands; on '-' it is reverse-complemented.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
