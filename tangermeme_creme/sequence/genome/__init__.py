"""Annotated genes to TSSs and their windows, and tiles of windows back to the genome.

A locus is a TSS: its chromosome, the 0-based position of its base ('+': GTF start - 1; '-': GTF end - 1) and its
strand. In the window of a locus the TSS base is at ``length // 2`` on both strands; windows of the '-' strand are
reverse-complemented.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
