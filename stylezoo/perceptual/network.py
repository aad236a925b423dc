"""A classifier cut open: images in, the features of chosen layers (taps) out."""

import os
from collections.abc import Iterable

import keras

from stylezoo import classifiers
from stylezoo import weights as weights_lib
from stylezoo.classifiers import TapInfo
from stylezoo.layers import Luminance, Preprocess

# Taps of a classifier's head, where the weights have one: before the softmax, and its logarithm.
SCORES = "scores"
LOG_PROBABILITIES = "log_probabilities"
HEAD = (SCORES, LOG_PROBABILITIES)


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
            ``layer3_block2``, ``fire4``; or of :data:`HEAD`, [B, num_classes]. Duplicates count once.
        weights: ``"imagenet"``, a name of ``stylezoo weights list``, or a file.
        pooling: ``"max"``, or ``"avg"`` as in Gatys et al. 2015, who found it to look better.

    Returns:
        A Keras model, not trainable: [B, H, W, 3] float in [0, 1] -> {tap: [B, h, w, c]}. With a tap of
        a head that has a weight for every position, H and W are what it was published for. A network of
        grey images, LeNet-5, sees the luminance.

    Raises:
        ValueError: for an unknown architecture, tap or pooling; the message lists the known ones.
        WeightsError: if the weights can't be had, don't fit, or lack a head that is wanted.
    """
    taps = tuple(dict.fromkeys(taps))
    architecture = classifiers.canonical(architecture)
    if not taps:
        raise ValueError("`taps` must name at least one layer. Received: none")
    check_taps(architecture, taps, head=True)
    if pooling not in classifiers.POOLINGS:
        raise ValueError(
            f"`pooling` must be one of {', '.join(classifiers.POOLINGS)}. "
            f"Received: pooling={pooling!r}"
        )
    has_head = not set(HEAD).isdisjoint(taps)
    loaded = classifiers.load(architecture, weights, include_top=has_head)
    channels = classifiers.get(architecture).channels
    side = fixed_size(architecture) if has_head else None
    images = keras.Input([side, side, 3], name="image")
    seen = Luminance(name="luminance")(images) if channels == 1 else images
    x = Preprocess(loaded.preprocessing, name="preprocess")(seen)
    builder = classifiers.Builder(pooling=pooling, until=taps)
    features = classifiers.get(architecture).trunk(
        builder, classifiers.Feature("preprocess", channels, x)
    )
    if has_head:
        _append_head(builder, features, loaded)
    model = keras.Model(
        images,
        {tap: builder.taps[tap].tensor for tap in taps},
        name=f"{architecture}_perceptual",
    )
    classifiers.assign(model, loaded)
    model.trainable = False
    return model


def _append_head(
    b: classifiers.Builder, x: classifiers.Feature, loaded: weights_lib.LoadedWeights
) -> None:
    architecture = classifiers.get(loaded.architecture)
    num_classes = classifiers.count_classes(loaded.architecture, loaded)
    scores = architecture.head(b, x, num_classes, (architecture.input_size,) * 2)
    b.tap(scores, SCORES)
    b.tap(b.activate(scores, LOG_PROBABILITIES, "log_softmax"))


def fixed_size(architecture: str) -> int | None:
    """The side that images must have for the taps of :data:`HEAD`, px; None if they may have any."""
    if not classifiers.depends_on_size(architecture):
        return None
    return classifiers.get(architecture).input_size


def check_taps(
    architecture: str, taps: Iterable[str], *, name: str = "taps", head: bool = False
) -> None:
    """Raise a ValueError that lists the known layers if one of ``taps`` is none of them.

    Args:
        architecture: whose they are.
        taps: to be checked.
        name: what the message calls them.
        head: whether those of :data:`HEAD` are allowed too.
    """
    known = [*tap_info(architecture), *(HEAD if head else ())]
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
    """Raise a ValueError if an image has fewer than ``features`` either way at one of ``taps``.

    For a tap of :data:`HEAD` it must have features at every other one, and the size that the head needs.
    """
    taps, infos = tuple(taps), tap_info(architecture)
    side = None if set(HEAD).isdisjoint(taps) else fixed_size(architecture)
    if side and (height, width) != (side, side):
        raise ValueError(
            f"`{name}` must be {side}x{side} px for the head of {architecture}. "
            f"Received: {width}x{height} px"
        )
    seen = infos if not set(HEAD).isdisjoint(taps) else taps
    deepest = max(seen, key=lambda tap: infos[tap].side(features), default=None)
    if deepest is None:
        return
    needed = infos[deepest].side(features)
    if min(height, width) < needed:
        patches = f"patches of {features} features of " if features > 1 else ""
        raise ValueError(
            f"`{name}` must be at least {needed}x{needed} px for {patches}the layer {deepest} of "
            f"{architecture}. Received: {width}x{height} px"
        )
