"""Spans, tiles, edits and shuffles: arithmetic on sequences that never sees a model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
