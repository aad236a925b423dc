"""A classifier cut open: images in, the features of chosen layers (taps) out."""

import os
from collections.abc import Iterable

import keras

from stylezoo import classifiers, weights as weights_lib
from stylezoo.classifiers import TapInfo
from stylezoo.layers import Preprocess


def tap_info(architecture: str) -> dict[str, TapInfo]:
    """Channels, stride, receptive field and minimum image size of every tap, in network order.

    Raises:
        ValueError: for an unknown architecture; the message lists the known ones.
    """
    return classifiers.tap_infos(classifiers.chain(architecture))


def perceptual_network(
    architecture: str,
    taps: Iterable[str],
    *,
    weights: str | os.PathLike[str] = "imagenet",
    pooling: str = "max",
) -> keras.Model:
    """A frozen network from images to the features of ``taps``, cut at the deepest of them.

    Convolutions pad with zeros, so features within half a receptive field of the border see the
    border; no loss masks them out (nor do the reference codes).

    Args:
        architecture: e.g. ``"vgg16"``; see ``classifiers.ARCHITECTURES``.
        taps: layer names: ``relu{block}_{conv}``, ``conv{block}_{conv}`` (before the ReLU),
            ``pool{block}``; AlexNet's have no block: ``relu3``. Duplicates count once.
        weights: ``"imagenet"``, a name of ``stylezoo weights list``, or a file.
        pooling: ``"max"``, or ``"avg"`` as in Gatys et al. 2015, who found it to look better.

    Returns:
        A Keras model, not trainable: [B, H, W, 3] float in [0, 1] -> {tap: [B, h, w, c]}.

    Raises:
        ValueError: for an unknown architecture, tap or pooling; the message lists the known ones.
        WeightsError: if the weights can't be had or don't fit.
    """
    taps = tuple(dict.fromkeys(taps))
    infos = tap_info(architecture)
    unknown = [tap for tap in taps if tap not in infos]
    if unknown or not taps:
        raise ValueError(
            f"`taps` of {architecture} must be among {', '.join(infos)}. "
            f"Received: {', '.join(unknown) or 'none'}"
        )
    if pooling not in classifiers.POOLINGS:
        raise ValueError(
            f"`pooling` must be one of {', '.join(classifiers.POOLINGS)}. "
            f"Received: pooling={pooling!r}"
        )
    loaded = weights_lib.load(weights, architecture=architecture)
    images = keras.Input([None, None, 3], name="image")
    x = Preprocess(loaded.preprocessing, name="preprocess")(images)
    order = list(infos)
    outputs = classifiers.build_taps(
        classifiers.chain(architecture), x, pooling=pooling, deepest=max(taps, key=order.index)
    )
    model = keras.Model(
        images, {tap: outputs[tap] for tap in taps}, name=f"{architecture}_perceptual"
    )
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([loaded.tensors[f"{layer.name}/{v.name}"] for v in layer.weights])
    model.trainable = False
    return model


def check_image_size(
    height: int, width: int, *, architecture: str, taps: Iterable[str], name: str = "image"
) -> None:
    """Raise a ValueError if an image has no feature at one of ``taps``."""
    infos = tap_info(architecture)
    deepest = max(taps, key=lambda tap: infos[tap].minimum_size, default=None)
    if deepest is None:
        return
    needed = infos[deepest].minimum_size
    if min(height, width) < needed:
        raise ValueError(
            f"`{name}` must be at least {needed}x{needed} px for the layer {deepest} of "
            f"{architecture}. Received: {width}x{height} px"
        )
