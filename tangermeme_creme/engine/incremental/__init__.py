"""A model in two parts, of which the first runs only on what an edit changes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
