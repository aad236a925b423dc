"""Convolutional networks and neural style transfer: a TensorFlow/Keras model zoo.

Sub-packages are imported when they are first used, so that ``import stylezoo`` stays quick.
Read them in the order of the data: ``images -> perceptual -> losses -> objectives -> synthesis | training
-> generators -> export``. ``images`` reads pictures, ``perceptual`` cuts ``classifiers`` open, ``losses``
compares their features, and ``objectives`` binds both together. ``synthesis`` minimises an objective over
pixels and ``training`` over the weights of a painter of ``generators``, which ``painting`` lets paint
pictures of any size. ``export`` makes models for other runtimes, ``evaluation`` says how good a result is,
``visualize`` shows what classifiers see, and ``classic`` has the textures before networks. Everything
stands on ``ops``, ``layers``, ``weights`` and ``pretrained``; ``binaries`` are the commands.
"""

import importlib
import os
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

__version__ = "0.2.0"

_SUBPACKAGES = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def load(model: str | os.PathLike[str]) -> "keras.Model":
    """Load a trained model: a painter or a classifier.

    Args:
        model: What :func:`stylezoo.generators.load` takes (a name in
            :data:`stylezoo.pretrained.LISTED`, a preset's folder, a painter's ``.h5`` file) or what
            :func:`stylezoo.classifiers.load` takes (the name of an architecture or of weights, a
            weights file, the folder of a run).

    Returns:
        A :class:`stylezoo.generators.Painter`, or a classifier.

    Raises:
        OSError: If it can't be read.
        ValueError: If there is no model of this name, or it is damaged.
        WeightsError: If a classifier's weights can't be had.
    """
    from stylezoo import classifiers, generators, pretrained

    if generators.is_painter(model):
        return generators.load(model)
    try:
        return classifiers.load(model)
    except ValueError as error:
        painters = ", ".join(pretrained.LISTED)
        raise ValueError(
            f"neither a painter, such as {painters}, nor a classifier: {error}"
        ) from None


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"stylezoo.{name}")
    raise AttributeError(f"module 'stylezoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", "load", *_SUBPACKAGES]
