"""Models as files that others run: SavedModels for TensorFlow Serving, TFLite files for GPUs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
