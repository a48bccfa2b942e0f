"""Store what a study has computed: shards, their manifest and the tables, with one writer at a time."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
