"""Plot tidy tables or arrays: each function takes them and an axis, draws on the axis and returns it.

Each category has one colour everywhere: contexts and CREs that raise expression are orange, those that lower it blue.
Readers who are colour-blind tell the colours apart, their greys differ, and areas that touch are hatched too. Figures
show the uncertainty that a table has: intervals over shuffles for single tiles, CREs or loci, and standard errors for
means over several of them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
