"""Pictures of any size painted by a network, in tiles that share the statistics of the whole."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
