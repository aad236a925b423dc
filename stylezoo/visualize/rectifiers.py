"""Other backward passes through a network's ReLUs, without a change of the network itself.

The functional graph is cloned with every ReLU replaced, whatever form it has: a layer, an operation, or
the activation fused with a convolution, with a limit (ReLU6) or without.
"""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

# A rule takes a map of where the ReLU passes its input, and the gradient with respect to its output; it
# returns the gradient with respect to its input.
_Rule = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def _guided(passes: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    return tf.where(passes & (gradient > 0), gradient, 0)


def _deconvnet(passes: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(gradient)


def _redirected(passes: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """Return the true gradient, or the output's where the true one is 0 for a whole picture."""
    true = tf.where(passes, gradient, 0)
    axes = tf.range(1, tf.rank(true))
    lost = tf.reduce_all(true == 0, axis=axes, keepdims=True)
    return tf.where(lost, gradient, true)


RULES: dict[str, _Rule] = {
    "guided": _guided,
    "deconvnet": _deconvnet,
    "redirected": _redirected,
}
"""The gradients that a ReLU may have; see ``with_rectifiers``."""

_LIMITS: dict[Callable[..., Any], float | None] = {
    keras.activations.relu: None,
    keras.activations.relu6: 6.0,
    keras.ops.relu: None,
    keras.ops.relu6: 6.0,
    tf.nn.relu: None,
    tf.nn.relu6: 6.0,
}
# Keras exports these functional operations as functions only.
_OPERATIONS: dict[str, float | None] = {"Relu": None, "Relu6": 6.0}


def with_rectifiers(model: keras.Model, rule: str) -> keras.Model:
    """Return a copy of a functional or sequential model whose ReLUs have another gradient.

    Outputs are the same. Weights are copied, so that the copy has to be made outside of traced functions.
    Models within it are copied too. ReLUs inside the ``call`` of a layer are out of reach.

    Args:
        model: The model, which is not changed.
        rule: ``"guided"``, which passes a positive gradient where the ReLU passes its input (Springenberg
            et al. 2015); ``"deconvnet"``, which passes a positive gradient anywhere (Zeiler & Fergus 2014);
            ``"redirected"``, the true gradient, but through closed ReLUs while nothing passes for a picture
            (lucid), so that ascent can begin where a unit is silent.

    Raises:
        ValueError: For an unknown rule, a model that is not functional, or, but for ``"redirected"``, one
            without ReLUs.
    """
    if rule not in RULES:
        raise ValueError(f"`rule` must be one of {', '.join(RULES)}. Received: rule={rule!r}")
    replaced = False
    pairs: list[tuple[keras.layers.Layer, keras.layers.Layer]] = []

    def clone(operation: Any) -> Any:
        nonlocal replaced
        is_relu, limit = _own_relu(operation)
        if is_relu:
            replaced = True
            return keras.layers.Activation(_rectifier(rule, limit), name=operation.name)
        if not isinstance(operation, keras.layers.Layer):
            return operation
        copy = type(operation).from_config(operation.get_config())
        if _fused_relu(operation):
            replaced = True
            copy.activation = _rectifier(rule, _LIMITS[operation.activation])
        pairs.append((operation, copy))
        return copy

    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    for original, other in pairs:
        other.set_weights(original.get_weights())
    # A network without ReLUs, such as LeNet-5, has nothing to redirect.
    if not replaced and rule != "redirected":
        raise ValueError(f"`model` must have ReLUs. Received: {model.name}, without any")
    copy.trainable = False
    return copy


def operations(model: keras.Model) -> Iterator[Any]:
    """Yield the layers and operations of a functional or sequential model, those of models within it too."""
    for each in model.operations if hasattr(model, "operations") else model.layers:
        if isinstance(each, keras.Model):
            yield from operations(each)
        else:
            yield each


def has_rectifiers(model: keras.Model) -> bool:
    """Return whether a functional or sequential model has ReLUs within reach of :func:`with_rectifiers`."""
    return any(_own_relu(each)[0] or _fused_relu(each) for each in operations(model))


def _fused_relu(operation: Any) -> bool:
    """Return whether an operation is a layer that ends in a ReLU of its own."""
    return getattr(operation, "activation", None) in _LIMITS


def _own_relu(operation: Any) -> tuple[bool, float | None]:
    """Return whether an operation is a ReLU and nothing else, and its limit."""
    if isinstance(operation, keras.layers.ReLU):
        return not (operation.negative_slope or operation.threshold), operation.max_value
    if isinstance(operation, keras.layers.Activation):
        return operation.activation in _LIMITS, _LIMITS.get(operation.activation)
    name = type(operation).__name__
    is_operation = not isinstance(operation, keras.layers.Layer) and name in _OPERATIONS
    return is_operation, _OPERATIONS.get(name) if is_operation else None


def _rectifier(rule: str, limit: float | None) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a ReLU with the gradient of a rule."""

    @tf.custom_gradient
    def rectify(x: tf.Tensor) -> Any:
        below = True if limit is None else x < limit
        passes = (x > 0) & below
        result = tf.nn.relu(x) if limit is None else tf.clip_by_value(x, 0.0, limit)
        return result, lambda gradient: RULES[rule](passes, gradient)

    return rectify
