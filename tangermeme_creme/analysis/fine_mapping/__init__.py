"""Which bases of a CRE carry its effect, by the search, by attribution and by motifs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
