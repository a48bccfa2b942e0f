"""Figures: each function takes a tidy table or arrays and an axis, draws, and returns the axis.

One category has one colour everywhere: contexts and CREs that raise expression are orange, those that lower it blue.
The colour-blind tell them apart, their greys differ, and where areas touch they are hatched too. What a table knows of
uncertainty is drawn: intervals of shuffles where one thing is shown, standard errors where several are averaged.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
