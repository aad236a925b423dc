"""A classifier cut open: images in, the features of chosen layers (taps) out."""

import os
from collections.abc import Iterable

import keras

from stylezoo import classifiers
from stylezoo import weights as weights_lib
from stylezoo.classifiers import TapInfo
from stylezoo.layers import Preprocess


def tap_info(architecture: str) -> dict[str, TapInfo]:
    """Channels, stride, receptive field and minimum image size of every tap, in network order.

    Raises:
        ValueError: for an unknown architecture; the message lists the known ones.
    """
    return classifiers.tap_infos(architecture)


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
        architecture: e.g. ``"vgg16"``; see ``classifiers.list_models``.
        taps: layer names of :func:`tap_info`: ``relu{block}_{conv}``, ``conv{block}_{conv}`` (before
            the ReLU), ``pool{block}``; AlexNet's have no block: ``relu3``; ``inception_4c``,
            ``layer3_block2``, ``fire4``. Duplicates count once.
        weights: ``"imagenet"``, a name of ``stylezoo weights list``, or a file.
        pooling: ``"max"``, or ``"avg"`` as in Gatys et al. 2015, who found it to look better.

    Returns:
        A Keras model, not trainable: [B, H, W, 3] float in [0, 1] -> {tap: [B, h, w, c]}.

    Raises:
        ValueError: for an unknown architecture, tap or pooling; the message lists the known ones.
        WeightsError: if the weights can't be had or don't fit.
    """
    taps = tuple(dict.fromkeys(taps))
    architecture = classifiers.canonical(architecture)
    if not taps:
        raise ValueError("`taps` must name at least one layer. Received: none")
    check_taps(architecture, taps)
    if pooling not in classifiers.POOLINGS:
        raise ValueError(
            f"`pooling` must be one of {', '.join(classifiers.POOLINGS)}. "
            f"Received: pooling={pooling!r}"
        )
    loaded = weights_lib.load(weights, architecture=architecture)
    channels = classifiers.get(architecture).channels
    images = keras.Input([None, None, channels], name="image")
    x = Preprocess(loaded.preprocessing, name="preprocess")(images)
    builder = classifiers.Builder(pooling=pooling, until=taps)
    classifiers.get(architecture).trunk(builder, classifiers.Feature("preprocess", channels, x))
    model = keras.Model(
        images,
        {tap: builder.taps[tap].tensor for tap in taps},
        name=f"{architecture}_perceptual",
    )
    classifiers.assign(model, loaded)
    model.trainable = False
    return model


def check_taps(architecture: str, taps: Iterable[str], *, name: str = "taps") -> None:
    """Raise a ValueError that lists the known layers if one of ``taps`` is none of them."""
    known = tap_info(architecture)
    unknown = [tap for tap in taps if tap not in known]
    if unknown:
        raise ValueError(
            f"`{name}` of {architecture} must be among {', '.join(known)}. "
            f"Received: {', '.join(unknown)}"
        )


def check_image_size(
    height: int,
    width: int,
    *,
    architecture: str,
    taps: Iterable[str],
    name: str = "image",
    features: int = 1,
) -> None:
    """Raise a ValueError if an image has fewer than ``features`` either way at one of ``taps``."""
    infos = tap_info(architecture)
    deepest = max(taps, key=lambda tap: infos[tap].side(features), default=None)
    if deepest is None:
        return
    needed = infos[deepest].side(features)
    if min(height, width) < needed:
        patches = f"patches of {features} features of " if features > 1 else ""
        raise ValueError(
            f"`{name}` must be at least {needed}x{needed} px for {patches}the layer {deepest} of "
            f"{architecture}. Received: {width}x{height} px"
        )
