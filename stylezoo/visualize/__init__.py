"""Pictures of what a classifier sees: its filters, what its units respond to, what drives them up."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
