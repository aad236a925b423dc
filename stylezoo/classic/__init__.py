"""Texture synthesis before convolutional networks: pixel by pixel, after what is around each."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
