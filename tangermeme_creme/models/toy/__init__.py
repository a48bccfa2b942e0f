"""A network with hand-set weights whose predictions are known in closed form, and simulated genomes for it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
