"""Combined effects of tiles and of copies of CREs: traces, pairs and saturation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
