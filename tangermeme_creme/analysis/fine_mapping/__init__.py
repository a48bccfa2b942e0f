"""Find the bases of a CRE that carry its effect: by search, by attribution and by motifs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
