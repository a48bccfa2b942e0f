"""From the settings of a study to its shards: which tests remain, where they run, and what they cost."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
