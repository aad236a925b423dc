"""Classifiers as Keras models."""

import dataclasses
import os
from collections.abc import Collection

import keras

from stylezoo import weights as weights_lib
from stylezoo.classifiers import registry
from stylezoo.classifiers.building import Builder, Feature, Shapes
from stylezoo.errors import WeightsError
from stylezoo.layers import Preprocess

_POOLINGS = {
    None: None,
    "avg": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}


def build(
    name: str,
    *,
    weights: str | os.PathLike[str] | None = None,
    num_classes: int | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    include_top: bool = True,
    pooling: str | None = None,
) -> keras.Model:
    """A classifier as a functional Keras model, whose layers have the names that people quote.

    Its first layer makes of images in [0, 1] what the weights expect. The scores are those before the
    softmax, for losses with ``from_logits=True``.

    Args:
        name: of :func:`list_models`, or an alias such as ``"vgg_d"``.
        weights: None for random ones; ``"imagenet"``, a name of ``stylezoo weights list``, or a file.
        num_classes: of the head; None for as many as the weights have, or else as it was published
            for.
        input_shape: (height, width, channels) of the images, px; None for what it was published for
            with the head, for any size without. Height and width may be None where there is no fully
            connected head on all features (AlexNet's, VGG's, LeNet's).
        include_top: whether with the head.
        pooling: of the features of a network without head: None (as they are), ``"avg"`` or ``"max"``.

    Returns:
        [B, H, W, C] float in [0, 1] -> [B, num_classes], or features.

    Raises:
        ValueError: for an unknown name or pooling, a number of classes < 1, or images that are too
            small, of sizes that the head can't have, or of channels that have no mean colour.
        WeightsError: if the weights can't be had, lack the head that is wanted, or are not this
            network's; every tensor that is missing, left over or of another shape is named.
    """
    name = registry.canonical(name)
    architecture = registry.get(name)
    shape = _input_shape(name, input_shape, include_top=include_top)
    if num_classes is not None and num_classes < 1:
        raise ValueError(f"`num_classes` must be >= 1. Received: num_classes={num_classes}")
    if pooling not in _POOLINGS or (include_top and pooling):
        known = "None with a head" if include_top else ", ".join(map(str, _POOLINGS))
        raise ValueError(f"`pooling` must be {known}. Received: pooling={pooling!r}")
    loaded = None if weights is None else load(name, weights, include_top=include_top)
    num_classes = num_classes or count_classes(name, loaded)
    image = keras.Input(shape, name="image")
    mode = architecture.preprocessing if loaded is None else loaded.preprocessing
    builder = Builder()
    x = Feature("preprocess", shape[-1], Preprocess(mode, name="preprocess")(image))
    x = architecture.trunk(builder, x)
    if include_top:
        side = architecture.input_size
        x = architecture.head(builder, x, num_classes, (shape[0] or side, shape[1] or side))
    output = x.tensor
    if global_pooling := _POOLINGS[pooling]:
        output = global_pooling(name=f"{pooling}_pool")(output)
    model = keras.Model(image, output, name=name)
    if loaded is not None:
        check_tensors(loaded, builder.shapes, allowed=_optional(name, include_top=include_top))
        assign(model, loaded)
    return model


def with_auxiliary_heads(model: keras.Model) -> keras.Model:
    """A model of :func:`build` with a head, and the heads that only training has, their weights random.

    Source: Szegedy et al. 2015, section 5. The layers of ``model`` are shared.

    Returns:
        The same images -> {"scores": ..., "aux1": ..., ...}, all [B, num_classes]; for an architecture
        without such heads "scores" alone.
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


def assign(model: keras.Model, loaded: weights_lib.LoadedWeights) -> None:
    """Give a model's layers their tensors.

    Raises:
        WeightsError: if one is missing or has another shape.
    """
    for layer in model.layers:
        for variable in layer.weights:
            name = f"{layer.name}/{variable.name}"
            shape = loaded.tensors[name].shape if name in loaded.tensors else "no such tensor"
            if shape != variable.shape:
                raise WeightsError(
                    f"{loaded.name}: {name} must have the shape {variable.shape}. Received: {shape}"
                )
            variable.assign(loaded.tensors[name])


def check_tensors(
    loaded: weights_lib.LoadedWeights, shapes: Shapes, *, allowed: Collection[str] = ()
) -> None:
    """Raise a WeightsError that names every tensor that doesn't fit.

    Args:
        loaded: what there is.
        shapes: what there must be.
        allowed: beginnings of names of tensors that may be there besides.
    """
    missing = [name for name in shapes if name not in loaded.tensors]
    left_over = [
        name
        for name in loaded.tensors
        if name not in shapes and not name.startswith(tuple(allowed))
    ]
    wrong = [
        f"{name} {loaded.tensors[name].shape} instead of {shape}"
        for name, shape in shapes.items()
        if name in loaded.tensors and loaded.tensors[name].shape != shape
    ]
    problems = [
        f"{what}: {', '.join(names)}"
        for what, names in (
            ("missing", missing),
            ("unexpected", left_over),
            ("of another shape", wrong),
        )
        if names
    ]
    if problems:
        raise WeightsError(
            f"{loaded.name} does not fit {loaded.architecture}: {'; '.join(problems)}"
        )


def load(
    name: str, weights: str | os.PathLike[str], *, include_top: bool
) -> weights_lib.LoadedWeights:
    """The weights of a classifier, with a head if that is wanted.

    Raises:
        WeightsError: if they can't be had, or have no head and that is wanted.
    """
    if not include_top:
        return weights_lib.load(weights, architecture=name)
    known = [spec for spec in weights_lib.list_weights(name) if weights in ("imagenet", spec.name)]
    if known and not any(spec.includes_top for spec in known):  # not worth a download
        raise _headless(name, ", ".join(spec.name for spec in known))
    loaded = weights_lib.load(weights, architecture=name)
    if loaded.tensors.keys().isdisjoint(registry.head(name)):
        raise _headless(name, loaded.name)
    return loaded


def _headless(name: str, weights: str) -> WeightsError:
    return WeightsError(
        f"`weights` of {name} must have its head. Received: {weights}, without a head"
    )


def count_classes(name: str, loaded: weights_lib.LoadedWeights | None) -> int:
    """As many as the head of the weights has, or as the network was published for."""
    last = registry.head(name)[-1]
    if loaded is not None and last in loaded.tensors:
        return loaded.tensors[last].size
    return registry.get(name).num_classes


def _optional(name: str, *, include_top: bool) -> tuple[str, ...]:
    """What a file may have besides: heads that the network is built without."""
    architecture = registry.get(name)
    head = () if include_top else registry.head(name)
    return ("lpips/", *(f"{each}_" for each in architecture.auxiliary), *head)


def _input_shape(
    name: str, given: tuple[int | None, int | None, int] | None, *, include_top: bool
) -> tuple[int | None, int | None, int]:
    architecture = registry.get(name)
    if given is None:
        side = architecture.input_size if include_top else None
        return side, side, architecture.channels
    height, width, channels = given
    deepest = max(info.minimum_size for info in registry.tap_infos(name).values())
    if channels < 1 or min(height or deepest, width or deepest) < deepest:
        raise ValueError(
            f"`input_shape` of {name} must be (height, width, channels) of at least {deepest} px. "
            f"Received: input_shape={given}"
        )
    if channels != architecture.channels and architecture.preprocessing != "unit":
        raise ValueError(
            f"`input_shape` of {name} must have {architecture.channels} channels. "
            f"Received: input_shape={given}"
        )
    if include_top and None in (height, width) and registry.depends_on_size(name):
        raise ValueError(
            f"`input_shape` of {name} with its head must have a height and a width. "
            f"Received: input_shape={given}"
        )
    return given
