"""Convolutional networks and neural style transfer: a TensorFlow/Keras model zoo.

Sub-packages are imported when they are first used, so that ``import stylezoo`` stays quick.
Read them in the order of the data: ``images -> perceptual -> losses -> objectives -> synthesis``.
"""

import importlib
import pkgutil
from types import ModuleType

__version__ = "0.1.0"

_SUBPACKAGES = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"stylezoo.{name}")
    raise AttributeError(f"module 'stylezoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", *_SUBPACKAGES]
