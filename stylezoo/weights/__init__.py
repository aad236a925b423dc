"""Pretrained weights: the registry, and how they are fetched, checked, cached and loaded.

Importing this folder is cheap: NumPy and h5py wait for the first tensors, TensorFlow for the first of
its checkpoints that a painter is imported from.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
