"""Classifiers as Keras models: new ones, and those with pretrained weights."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import keras

from stylezoo import weights as weights_lib
from stylezoo.classifiers import registry, tensors
from stylezoo.classifiers.building import Builder, Feature
from stylezoo.layers import Preprocess

_POOLINGS = {
    None: None,
    "avg": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}

_ACTIVATIONS = (None, "softmax")

InputShape = tuple[int | None, int | None, int]


def load(
    model: str | os.PathLike[str],
    *,
    num_classes: int | None = None,
    input_shape: InputShape | None = None,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = None,
) -> keras.Model:
    """Return a pretrained classifier as a functional Keras model.

    ``load("squeezenet1_1")`` classifies the 1000 classes of ImageNet; with ``num_classes=10`` its
    last layer is new and random, for fine-tuning. The model takes images in [0, 1]: its first layer
    does the preprocessing that the weights need.

    Args:
        model: The name of an architecture, for its ImageNet weights
            (``list_models(pretrained=True)`` lists those that a package index has); the name of
            registered weights, such as ``"squeezenet1_1.ndf"``; a weights file of this project; or
            the folder of a run of ``train_classifier``.
        num_classes: See :func:`build`.
        input_shape: See :func:`build`.
        include_top: See :func:`build`.
        pooling: See :func:`build`.
        classifier_activation: See :func:`build`.

    Returns:
        The model: [B, H, W, C] float in [0, 1] -> [B, num_classes] float: scores, or probabilities
        with ``classifier_activation="softmax"``; features with ``include_top=False``.

    Raises:
        ValueError: If ``model`` is none of these, or :func:`build` refuses an option.
        WeightsError: If the weights can't be had, lack the head that is wanted, or do not fit. A weights
            file of another project needs ``build(architecture, weights=file)``.
    """
    weights: str | weights_lib.LoadedWeights = "imagenet"
    if model in (known := (*registry.ARCHITECTURES, *registry.ALIASES)):
        name = os.fspath(model)
    elif model in {spec.name for spec in weights_lib.list_weights()} or Path(model).exists():
        weights = weights_lib.load(model)
        name = weights.architecture
    else:
        raise ValueError(
            f"`model` must be one of {', '.join(known)}, the name of registered weights, a weights "
            f"file or the folder of a training run. Received: model={os.fspath(model)!r}"
        )
    return build(
        name,
        weights=weights,
        num_classes=num_classes,
        input_shape=input_shape,
        include_top=include_top,
        pooling=pooling,
        classifier_activation=classifier_activation,
    )


def build(
    name: str,
    *,
    weights: str | os.PathLike[str] | weights_lib.LoadedWeights | None = None,
    num_classes: int | None = None,
    input_shape: InputShape | None = None,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = None,
) -> keras.Model:
    """Return a classifier as a functional Keras model, whose layers have their usual names.

    The first layer does the preprocessing that the weights need, so that the model takes images in
    [0, 1]. Random weights follow Keras's global seed (``keras.utils.set_random_seed``).

    Args:
        name: One of :func:`list_models`, or an alias such as ``"vgg_d"``.
        weights: None for random weights; or what :func:`stylezoo.weights.load` takes (``"imagenet"``,
            the name of registered weights, a file, a run's folder) or returned.
        num_classes: The number of classes of the head; None for as many as the weights have, or
            else as the network was published for. If the weights have another number, the last
            layer is new and random and all others are pretrained. If they have no head and the
            network was published for another number, the whole head is new and random.
        input_shape: (height, width, channels) of the images, in px. None stands for what the weights
            were trained on with the head, and for any size without. Height and width may be None
            unless the head has a weight for every position (AlexNet's, VGG's and LeNet's have).
        include_top: Whether the network has its head.
        pooling: Global pooling of the features of a network without a head: None, ``"avg"`` or
            ``"max"``.
        classifier_activation: The activation of the head, as in ``keras.applications``: None for
            the scores before the softmax, which losses with ``from_logits=True`` and
            :func:`classify` take, or ``"softmax"`` for probabilities.

    Returns:
        The model: [B, H, W, C] float in [0, 1] -> [B, num_classes] float, or features [B, h, w, c],
        [B, c] with ``pooling``.

    Raises:
        ValueError: If the name, pooling or activation is unknown, ``num_classes`` is < 1, or the images
            are too small, of sizes that the head can't have, or of a number of channels for which
            there is no mean colour.
        WeightsError: If the weights can't be had, lack the head that is wanted, or are not this
            network's; every tensor that is missing, left over or of another shape is named.
    """
    name = registry.canonical(name)
    architecture = registry.get(name)
    _check_options(num_classes, pooling, classifier_activation, include_top=include_top)
    if input_shape is not None:
        _check_input_shape(name, input_shape, include_top=include_top)
    loaded = None
    if weights is not None:
        needs_head = include_top and num_classes in (None, architecture.num_classes)
        loaded = tensors.read_weights(name, weights, include_top=needs_head)
    num_classes = num_classes or tensors.count_classes(name, loaded)
    side = architecture.input_size if loaded is None else loaded.image_size
    side = side or architecture.input_size
    shape = input_shape or (*((side, side) if include_top else (None, None)), architecture.channels)
    image = keras.Input(shape, name="image")
    mode = architecture.preprocessing if loaded is None else loaded.preprocessing
    builder = Builder()
    x = Feature("preprocess", shape[-1], Preprocess(mode, name="preprocess")(image))
    x = architecture.trunk(builder, x)
    if include_top:
        x = architecture.head(builder, x, num_classes, (shape[0] or side, shape[1] or side))
    model = keras.Model(image, _output(x.tensor, pooling, classifier_activation), name=name)
    if loaded is not None:
        new = tensors.new_layers(loaded, num_classes) if include_top else ()
        allowed = _optional(name, include_top=include_top)
        tensors.check_tensors(loaded, builder.shapes, allowed=allowed, new=new)
        tensors.assign(model, loaded, new=new)
    return model


def with_auxiliary_heads(model: keras.Model) -> keras.Model:
    """Return a classifier with the auxiliary heads that only training has, their weights random.

    Source: Szegedy et al. 2015, section 5. The layers of ``model`` are shared.

    Args:
        model: A model of :func:`build` with its head, which gives scores.

    Returns:
        The same images -> {"scores": ..., "aux1": ..., ...}, each [B, num_classes]; for an
        architecture without auxiliary heads "scores" alone.
    """
    architecture = registry.get(model.name)
    outputs = {"scores": model.output}
    _, height, width, channels = model.input.shape
    geometry = Builder()
    architecture.trunk(geometry, Feature("image", channels))
    for name, (tap, head) in architecture.auxiliary.items():
        at = dataclasses.replace(geometry.taps[tap], tensor=model.get_layer(tap).output)
        outputs[name] = head(Builder(), at, model.output.shape[-1], (height, width)).tensor
    return keras.Model(model.input, outputs, name=model.name)


def _output(features: Any, pooling: str | None, activation: str | None) -> Any:
    """Return the model's output: the features pooled, or the scores with their activation."""
    if global_pooling := _POOLINGS[pooling]:
        return global_pooling(name=f"{pooling}_pool")(features)
    if activation:
        # It is float32 whatever the dtype policy, because in float16 small probabilities would be 0.
        return keras.layers.Activation(activation, name="predictions", dtype="float32")(features)
    return features


def _optional(name: str, *, include_top: bool) -> tuple[str, ...]:
    """Return prefixes of the tensors that weights may have for heads that the network lacks."""
    architecture = registry.get(name)
    head = () if include_top else registry.head(name)
    return ("lpips/", *(f"{each}_" for each in architecture.auxiliary), *head)


def _check_options(
    num_classes: int | None, pooling: str | None, activation: str | None, *, include_top: bool
) -> None:
    if num_classes is not None and num_classes < 1:
        raise ValueError(f"`num_classes` must be >= 1. Received: num_classes={num_classes}")
    if pooling not in _POOLINGS or (include_top and pooling):
        known = "None with a head" if include_top else ", ".join(map(str, _POOLINGS))
        raise ValueError(f"`pooling` must be {known}. Received: pooling={pooling!r}")
    if activation not in _ACTIVATIONS or (activation and not include_top):
        known = ", ".join(map(str, _ACTIVATIONS)) if include_top else "None without a head"
        raise ValueError(
            f"`classifier_activation` must be {known}. "
            f"Received: classifier_activation={activation!r}"
        )


def _check_input_shape(name: str, shape: InputShape, *, include_top: bool) -> None:
    architecture = registry.get(name)
    height, width, channels = shape
    deepest = max(info.minimum_size for info in registry.tap_infos(name).values())
    if channels < 1 or min(height or deepest, width or deepest) < deepest:
        raise ValueError(
            f"`input_shape` of {name} must be (height, width, channels) of at least {deepest} px. "
            f"Received: input_shape={shape}"
        )
    if channels != architecture.channels and architecture.preprocessing != "unit":
        raise ValueError(
            f"`input_shape` of {name} must have {architecture.channels} channels. "
            f"Received: input_shape={shape}"
        )
    if include_top and None in (height, width) and registry.depends_on_size(name):
        raise ValueError(
            f"`input_shape` of {name} with its head must have a height and a width. "
            f"Received: input_shape={shape}"
        )
