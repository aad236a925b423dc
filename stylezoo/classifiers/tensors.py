"""Read a classifier's weights, compare them with its layers, and assign them."""

import os
from collections.abc import Collection

import keras

from stylezoo import weights as weights_lib
from stylezoo.classifiers import registry
from stylezoo.classifiers.building import Shapes
from stylezoo.errors import WeightsError


def read_weights(
    name: str,
    weights: str | os.PathLike[str] | weights_lib.LoadedWeights,
    *,
    include_top: bool,
) -> weights_lib.LoadedWeights:
    """Return the weights of an architecture, which are fetched first if need be.

    Args:
        name: The canonical name of the architecture.
        weights: What :func:`stylezoo.weights.load` takes, or what it returned.
        include_top: Whether the weights must have a head.

    Raises:
        WeightsError: If the weights can't be had, belong to another architecture, or have no head
            although one is wanted. Registered weights that lack it are not fetched.
    """
    if isinstance(weights, weights_lib.LoadedWeights):
        if weights.architecture != name:
            raise WeightsError(
                f"`weights` must be of the architecture {name}. "
                f"Received: {weights.name}, of {weights.architecture}"
            )
        loaded = weights
    else:
        known = [
            spec for spec in weights_lib.list_weights(name) if weights in ("imagenet", spec.name)
        ]
        if include_top and known and not any(spec.includes_top for spec in known):
            raise _headless(name, ", ".join(spec.name for spec in known))
        loaded = weights_lib.load(weights, architecture=name)
    if include_top and not has_top(loaded):
        raise _headless(name, loaded.name)
    return loaded


def has_top(loaded: weights_lib.LoadedWeights) -> bool:
    """Return whether the weights have any tensor of the classifier's head."""
    return not loaded.tensors.keys().isdisjoint(registry.head(loaded.architecture))


def count_classes(name: str, loaded: weights_lib.LoadedWeights | None) -> int:
    """Return the number of classes of the weights' head, or of the published network."""
    last = registry.head(name)[-1]
    if loaded is not None and last in loaded.tensors:
        return loaded.tensors[last].size
    return registry.get(name).num_classes


def new_layers(loaded: weights_lib.LoadedWeights, num_classes: int) -> tuple[str, ...]:
    """Return the head's layers that get no weights when the head is for ``num_classes``.

    These are none if the weights are for as many classes, the last layer if they are for another
    number, and all layers of the head if the weights have no head.
    """
    name = loaded.architecture
    layers = tuple(dict.fromkeys(each.rpartition("/")[0] for each in registry.head(name)))
    if not has_top(loaded):
        return layers
    return () if num_classes == count_classes(name, loaded) else layers[-1:]


def check_tensors(
    loaded: weights_lib.LoadedWeights,
    shapes: Shapes,
    *,
    allowed: Collection[str] = (),
    new: Collection[str] = (),
) -> None:
    """Check that the weights have exactly the tensors that a network needs.

    Args:
        loaded: The weights.
        shapes: The shape of every parameter of the network.
        allowed: Prefixes of the names of tensors that may be there besides.
        new: Layers that keep their random weights; tensors of theirs are ignored.

    Raises:
        WeightsError: If a tensor is missing, unexpected or of another shape; all are named.
    """
    ignored = tuple(f"{layer}/" for layer in new)
    needed = {name: shape for name, shape in shapes.items() if not name.startswith(ignored)}
    given = {name: each.shape for name, each in loaded.tensors.items()}
    missing = [name for name in needed if name not in given]
    unexpected = [
        name for name in given if name not in needed and not name.startswith((*allowed, *ignored))
    ]
    wrong = [
        f"{name} {given[name]} instead of {shape}"
        for name, shape in needed.items()
        if given.get(name, shape) != shape
    ]
    problems = [
        f"{what}: {', '.join(names)}"
        for what, names in (
            ("missing", missing),
            ("unexpected", unexpected),
            ("of another shape", wrong),
        )
        if names
    ]
    if problems:
        raise WeightsError(
            f"{loaded.name} does not fit {loaded.architecture}: {'; '.join(problems)}"
        )


def assign(
    model: keras.Model, loaded: weights_lib.LoadedWeights, *, new: Collection[str] = ()
) -> None:
    """Assign the weights to a model's layers.

    Args:
        model: The model, whose layers have the names that the architecture gives them.
        loaded: The weights.
        new: Layers that keep their random weights.

    Raises:
        WeightsError: If the tensor of a variable is missing or has another shape.
    """
    for layer in model.layers:
        for variable in () if layer.name in new else layer.weights:
            name = f"{layer.name}/{variable.name}"
            shape = loaded.tensors[name].shape if name in loaded.tensors else "no such tensor"
            if shape != variable.shape:
                raise WeightsError(
                    f"{loaded.name}: {name} must have the shape {variable.shape}. Received: {shape}"
                )
            variable.assign(loaded.tensors[name])


def _headless(name: str, weights: str) -> WeightsError:
    return WeightsError(
        f"`weights` of {name} must have its head. Received: {weights}, without a head "
        "(another `num_classes` makes a new head, `include_top=False` makes none)"
    )
