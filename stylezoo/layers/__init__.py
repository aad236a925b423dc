"""Keras layers of this project, registered so that saved models load without ``custom_objects``."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
