"""Build a classifier cut open, which takes images and gives the features of chosen layers (taps)."""

from collections.abc import Iterable

import keras

from stylezoo import classifiers
from stylezoo import weights as weights_lib
from stylezoo.layers import Luminance, Preprocess
from stylezoo.perceptual.configuration import Perceptual
from stylezoo.perceptual.heads import HEAD, LOG_PROBABILITIES, SCORES
from stylezoo.perceptual.keras_network import KerasNetwork
from stylezoo.perceptual.taps import check_taps, fixed_size


def build_network(config: Perceptual, taps: Iterable[str]) -> keras.Model:
    """Build what :meth:`stylezoo.perceptual.Perceptual.build` describes."""
    taps = tuple(dict.fromkeys(taps))
    if isinstance(config.network, KerasNetwork):
        return config.network.build(taps)
    architecture = classifiers.canonical(config.network)
    if not taps:
        raise ValueError("`taps` must name at least one layer. Received: none")
    check_taps(architecture, taps, head=True)
    if config.pooling not in classifiers.POOLINGS:
        raise ValueError(
            f"`pooling` must be one of {', '.join(classifiers.POOLINGS)}. "
            f"Received: pooling={config.pooling!r}"
        )
    has_head = not set(HEAD).isdisjoint(taps)
    loaded = classifiers.read_weights(architecture, config.weights, include_top=has_head)
    channels = classifiers.get(architecture).channels
    side = fixed_size(architecture) if has_head else None
    images = keras.Input([side, side, 3], name="image")
    seen = Luminance(name="luminance")(images) if channels == 1 else images
    x = Preprocess(loaded.preprocessing, name="preprocess")(seen)
    builder = classifiers.Builder(pooling=config.pooling, until=taps)
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
