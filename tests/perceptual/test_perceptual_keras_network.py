"""Keras models that users bring, against the models themselves and against the geometry of the zoo."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import perceptual
from stylezoo.perceptual import LOG_PROBABILITIES, SCORES, KerasNetwork

# The same layers on the same numbers; oneDNN may choose another order of sums for another graph.
RTOL = 1e-5


def base():
    """A functional model with a branch, of any size, ending in features."""
    image = keras.Input([None, None, 3])
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="stem")(image)
    squeezed = keras.layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    gate = keras.layers.Conv2D(4, 1, activation="sigmoid", name="gate")(squeezed)
    x = keras.layers.Multiply(name="gated")([x, gate])
    x = keras.layers.Conv2D(5, 3, padding="valid", name="conv")(x)
    return keras.Model(image, keras.ops.relu(x), name="base")


def nested(side=16, classes=7):
    """A sequential model with a functional one within it, and a softmax within its last layer."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input([side, side, 3]),
            keras.layers.Rescaling(2.0, offset=-1.0),
            base(),
            keras.layers.MaxPooling2D(2, name="pool"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(classes, activation="softmax", name="predictions"),
        ],
        name="whole",
    )


def test_nested_models_are_one_graph_with_the_same_outputs():
    model = nested()
    outputs_before = model.layers[1].output
    network = KerasNetwork(model)
    image = random_image(16, 16, seed=1)
    features = network.build(["stem", "conv", "pool", SCORES, LOG_PROBABILITIES])(image)
    expected = model(image)
    np.testing.assert_allclose(tf.nn.softmax(features[SCORES]), expected, rtol=RTOL)
    np.testing.assert_allclose(tf.exp(features[LOG_PROBABILITIES]), expected, rtol=RTOL)
    inner = keras.Model(model.layers[1].input, model.layers[1].get_layer("stem").output)
    np.testing.assert_allclose(features["stem"], inner(2 * image - 1), rtol=RTOL, atol=1e-6)
    assert network.num_classes == 7
    assert str(network) == "whole"
    assert model.layers[1].output is outputs_before  # the model itself is as it was
    assert model.trainable


def test_geometry_is_that_of_the_gradient():
    network = KerasNetwork(nested())
    assert network.side is None  # global pooling takes any size
    assert {"squeeze", "gate"}.isdisjoint(network.taps)  # they have no positions
    info = network.taps["pool"]
    # By hand: 3 + 2 * 2 + 1 * 2 pixels; one row of zeros after the last of an even picture.
    assert (info.channels, info.stride, info.receptive_field, info.offset) == (5, 4, 9, 0)
    image = tf.Variable(random_image(32, 32, seed=2))
    plain = keras.Model(network.unrolled.image, network.unrolled.tensors["conv"])
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(plain(image)[:, 3, 3])
    reach = np.abs(tape.gradient(value, image)[0]).sum(axis=-1)
    conv = network.taps["conv"]
    begin = 3 * conv.stride - conv.offset
    inside = np.zeros_like(reach, dtype=bool)
    inside[begin : begin + conv.receptive_field, begin : begin + conv.receptive_field] = True
    # The gate sees the whole picture, but 100 times more weakly.
    assert reach[inside].mean() > 20 * reach[~inside].mean()


def test_layers_that_share_a_name_and_layers_that_are_called_twice():
    image = keras.Input([8, 8, 3])
    shared = keras.layers.Conv2D(3, 3, padding="same", name="stem")
    inner = keras.Input([8, 8, 3])
    part = keras.Model(inner, keras.layers.Conv2D(2, 1, name="stem")(inner), name="part")
    x = keras.ops.relu(part(keras.ops.relu(shared(shared(image)))))
    model = keras.Model(image, x, name="twice")
    network = KerasNetwork(model)
    assert {"stem", "stem_2", "part_stem"} < set(network.taps)
    picture = random_image(8, 8, seed=3)
    [last] = network.build([list(network.taps)[-1]])(picture).values()
    np.testing.assert_allclose(last, model(picture), rtol=RTOL)


def test_heads_with_a_weight_for_every_position_fix_the_size():
    model = keras.Sequential(
        [
            keras.Input([12, 12, 1]),
            keras.layers.Conv2D(2, 3, name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(4, name="logits"),
        ]
    )
    network = KerasNetwork(model, "symmetric")
    assert network.side == 12
    image = random_image(12, 12, seed=4)
    grey = tf.reduce_sum(image * [0.299, 0.587, 0.114], axis=-1, keepdims=True)
    expected = model(2 * grey - 1)
    np.testing.assert_allclose(
        network.build([SCORES])(image)[SCORES], expected, rtol=1e-4, atol=1e-5
    )
    with pytest.raises(
        ValueError, match=r"`image` must be 12x12 px for sequential.* Received: 16x16"
    ):
        perceptual.check_image_size(16, 16, architecture=network, taps=["conv"])


@pytest.mark.parametrize(
    ("name", "size", "stride", "tap"),
    [
        pytest.param("ResNet50", 64, 32, "conv5_block3_out", marks=pytest.mark.slow),
        pytest.param("EfficientNetV2B0", 64, 32, "top_activation", marks=pytest.mark.slow),
        ("MobileNet", 64, 32, "conv_pw_13_relu"),
    ],
)
def test_keras_applications(name, size, stride, tap):
    model = getattr(keras.applications, name)(weights=None, classes=5, input_shape=(size, size, 3))
    network = KerasNetwork(model, "bytes")
    image = random_image(size, size, seed=5)
    features = network.build([tap, SCORES])(image)
    np.testing.assert_allclose(
        tf.nn.softmax(features[SCORES]), model(255 * image, training=False), rtol=1e-4
    )
    assert network.side is None
    assert network.taps[tap].stride == stride
    assert features[tap].shape[1] == network.taps[tap].size(size)


class Opaque(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: Opaque(), "`model` must be a functional or sequential Keras model that is built"),
        (lambda: keras.Sequential([keras.layers.Flatten()]), "that is built. Received: seq"),
        (
            lambda: keras.Sequential([keras.Input([4]), keras.layers.Dense(2)]),
            "`model` must take square pictures",
        ),
        (
            lambda: keras.Sequential([keras.Input([4, 5, 3]), keras.layers.ReLU()]),
            r"Received: .* \(None, 4, 5, 3\)",
        ),
    ],
)
def test_models_that_can_not_be_looked_at(model, message):
    with pytest.raises(ValueError, match=message):
        _ = KerasNetwork(model()).taps


def test_unknown_layers_are_named():
    network = KerasNetwork(nested())
    with pytest.raises(
        ValueError, match=r"`taps` of whole must be among .*stem.*scores.* Received: x"
    ):
        network.build(["x"])
    with pytest.raises(ValueError, match=r"`taps` of whole must be among .* Received: x"):
        perceptual.check_taps(network, ["x"])
    headless = KerasNetwork(base())
    assert headless.num_classes is None
    with pytest.raises(ValueError, match="Received: scores"):
        perceptual.check_taps(headless, ["scores"], head=True)
