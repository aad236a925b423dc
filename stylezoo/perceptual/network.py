"""A classifier cut open: images in, the features of chosen layers (taps) out."""

import os
from collections.abc import Iterable

import keras

from stylezoo import classifiers
from stylezoo import weights as weights_lib
from stylezoo.layers import Luminance, Preprocess
from stylezoo.perceptual.taps import HEAD, LOG_PROBABILITIES, SCORES, check_taps, fixed_size


def perceptual_network(
    architecture: str,
    taps: Iterable[str],
    *,
    weights: str | os.PathLike[str] = "imagenet",
    pooling: str = "max",
) -> keras.Model:
    """Return a frozen network from images to the features of ``taps``, cut at the deepest of them.

    Convolutions pad with zeros, so features within half a receptive field of the border see the
    border; no loss masks them out (nor do the reference codes).

    Args:
        architecture: The classifier, e.g. ``"vgg16"``; see ``classifiers.list_models``.
        taps: Names of layers, those of :func:`tap_info`: ``relu{block}_{conv}``, ``conv{block}_{conv}``
            (before the ReLU), ``pool{block}``; AlexNet's have no block: ``relu3``; ``inception_4c``,
            ``layer3_block2``, ``fire4``; or of :data:`HEAD`, [B, num_classes]. Duplicates count once.
        weights: The weights: ``"imagenet"``, a name of ``stylezoo weights list``, or a file.
        pooling: The pooling: ``"max"``, or ``"avg"`` as in Gatys et al. 2015, who found it to look better.

    Returns:
        A Keras model, not trainable: [B, H, W, 3] float in [0, 1] -> {tap: [B, h, w, c]}. With a tap of
        a head that has a weight for every position, H and W are what it was published for. A network of
        grey images, LeNet-5, sees the luminance.

    Raises:
        ValueError: For an unknown architecture, tap or pooling; the message lists the known ones.
        WeightsError: If the weights can't be had, don't fit, or lack a head that is wanted.
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
    loaded = classifiers.read_weights(architecture, weights, include_top=has_head)
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
