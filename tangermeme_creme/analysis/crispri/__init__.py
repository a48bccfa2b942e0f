"""Comparison of effects with enhancer-gene pairs measured by CRISPRi."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
