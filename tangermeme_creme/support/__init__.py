"""Serve every floor with what knows nothing of genomics: files, notices, columns of tables, texts, TOML, settings."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
