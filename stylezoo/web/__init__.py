"""The browser page: paints with ``.tflite`` exports by LiteRT.js, on the user's own computer."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
