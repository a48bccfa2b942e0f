"""How figures and page show each test of a study: one file and one record, `VIEW`, per section."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
