"""What is read of a study: its tables, places in the genome, summaries and exports. Runs no model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
