"""What every feature sees, how many there are: published figures, and the Keras graphs themselves."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from classifiers_helpers import paths

from stylezoo import classifiers

all_architectures = pytest.mark.parametrize("architecture", classifiers.list_models())

# (side, channels) of features, as in the tables of the papers; of SqueezeNet v1.1 and
# EfficientNet-Lite0 as in the authors' code.
PUBLISHED_SIZES = {
    "lenet5": {
        "conv1": (28, 6),
        "pool1": (14, 6),
        "conv2": (10, 16),
        "pool2": (5, 16),
        "conv3": (1, 120),
    },
    "alexnet": {
        "conv1": (55, 96),
        "pool1": (27, 96),
        "conv2": (27, 256),
        "pool2": (13, 256),
        "conv3": (13, 384),
        "conv4": (13, 384),
        "conv5": (13, 256),
        "pool5": (6, 256),
    },
    "alexnet_owt": {"conv1": (55, 64), "conv2": (27, 192), "conv3": (13, 384), "pool5": (6, 256)},
    "vgg16": {
        "relu1_2": (224, 64),
        "pool1": (112, 64),
        "relu2_2": (112, 128),
        "pool2": (56, 128),
        "relu3_3": (56, 256),
        "pool3": (28, 256),
        "relu4_3": (28, 512),
        "pool4": (14, 512),
        "relu5_3": (14, 512),
        "pool5": (7, 512),
    },
    "googlenet": {
        "relu1": (112, 64),
        "pool1": (56, 64),
        "relu2": (56, 192),
        "pool2": (28, 192),
        "inception_3a": (28, 256),
        "inception_3b": (28, 480),
        "pool3": (14, 480),
        "inception_4a": (14, 512),
        "inception_4b": (14, 512),
        "inception_4c": (14, 512),
        "inception_4d": (14, 528),
        "inception_4e": (14, 832),
        "pool4": (7, 832),
        "inception_5a": (7, 832),
        "inception_5b": (7, 1024),
    },
    "resnet34": {
        "relu1": (112, 64),
        "pool1": (56, 64),
        "layer1_block3": (56, 64),
        "layer2_block4": (28, 128),
        "layer3_block6": (14, 256),
        "layer4_block3": (7, 512),
    },
    "resnet101": {
        "relu1": (112, 64),
        "pool1": (56, 64),
        "layer1_block3": (56, 256),
        "layer2_block4": (28, 512),
        "layer3_block23": (14, 1024),
        "layer4_block3": (7, 2048),
    },
    "squeezenet1_1": {
        "conv1": (111, 64),
        "pool1": (55, 64),
        "fire3": (55, 128),
        "pool3": (27, 128),
        "fire5": (27, 256),
        "pool5": (13, 256),
        "fire9": (13, 512),
    },
    "efficientnet_lite0": {
        "stem": (112, 32),
        "block1a": (112, 16),
        "block2b": (56, 24),
        "block3b": (28, 40),
        "block4c": (14, 80),
        "block5c": (14, 112),
        "block6d": (7, 192),
        "block7a": (7, 320),
        "top": (7, 1280),
    },
}


@pytest.mark.parametrize("architecture", PUBLISHED_SIZES)
def test_sizes_of_features(architecture):
    infos = classifiers.tap_infos(architecture)
    side = classifiers.get(architecture).input_size
    published = PUBLISHED_SIZES[architecture]
    assert {tap: (infos[tap].size(side), infos[tap].channels) for tap in published} == published


@pytest.mark.parametrize(
    ("architecture", "receptive_field"),
    [
        ("alexnet", 195),
        ("alexnet_owt", 195),
        ("vgg16", 212),
        ("resnet50", 483),
        ("resnet101", 1027),
        ("resnet152", 1507),
        # With the stride in the 3x3 convolution, by the same formula.
        ("resnet50_v1_5", 427),
    ],
)
def test_receptive_field_of_the_last_tap(architecture, receptive_field):
    """Araujo, Norris & Sim, "Computing receptive fields of convolutional neural networks" (2019)."""
    *_, last = classifiers.tap_infos(architecture).values()
    assert last.receptive_field == receptive_field
    assert last.stride == 32


def chosen(architecture):
    """Return the taps to look at: all, or every fourth and the last of a deep network."""
    infos = classifiers.tap_infos(architecture)
    names = list(infos)
    if architecture.startswith(("resnet", "googlenet", "efficientnet")):
        names = list(dict.fromkeys([*names[:: max(4, len(names) // 4)], names[-1]]))
    return {name: infos[name] for name in names}


@all_architectures
def test_channels(architecture):
    infos = classifiers.tap_infos(architecture)
    assert list(infos) == list(paths(architecture).output)
    shapes = classifiers.shapes(architecture, include_top=False)
    for tap, info in infos.items():
        kernel = shapes.get(f"{tap}/kernel")
        assert kernel is None or kernel[-1] == info.channels, tap


def num_features(model, side):
    """Return the number of features along a side, px; 0 if Keras refuses layers without output."""
    try:
        return model.compute_output_shape((1, side, side, model.input_shape[-1]))[1]
    except ValueError:
        return 0


@all_architectures
def test_numbers_of_features(architecture):
    """The n-th feature comes with the n-1-th stride above the minimum size, no px earlier."""
    model = paths(architecture)
    for tap, info in chosen(architecture).items():
        upto = keras.Model(model.input, model.output[tap])
        for count in (1, 2):
            side = info.minimum_size + (count - 1) * info.stride
            assert num_features(upto, side) == info.size(side) == count, tap
            if side > 1:
                assert num_features(upto, side - 1) == info.size(side - 1) == count - 1, tap
        side = classifiers.get(architecture).input_size + 5
        assert num_features(upto, side) == info.size(side), tap


@all_architectures
def test_minimum_size_of_real_images(architecture):
    model = paths(architecture)
    tap, info = max(
        classifiers.tap_infos(architecture).items(), key=lambda item: item[1].minimum_size
    )
    side, channels = info.minimum_size, model.input_shape[-1]
    assert model(tf.ones([1, side, side, channels], "float64"))[tap].shape[1:3] == (1, 1)
    if side > 1:
        try:
            smaller = model(tf.ones([1, side - 1, side, channels], "float64"))[tap]
        except (ValueError, tf.errors.InvalidArgumentError, tf.errors.AbortedError):
            return
        assert smaller.shape[1] == 0


def support(gradient):
    """Return the first and last row, and the first and last column, that are not zero."""
    rows, columns = np.nonzero(np.abs(gradient).sum(axis=(0, 3)))
    return rows.min(), rows.max(), columns.min(), columns.max()


@all_architectures
def test_receptive_fields_and_offsets(architecture):
    """A feature in the middle of the first column depends on what the geometry says."""
    infos, model = chosen(architecture), paths(architecture)

    def inner(info):  # the first feature whose field begins inside the image
        return -(-info.offset // info.stride)

    def begin(info):
        return inner(info) * info.stride - info.offset

    height = max(begin(info) + info.receptive_field for info in infos.values()) + 3
    width = max(info.receptive_field - info.offset for info in infos.values()) + 3
    width = max(width, *(info.minimum_size for info in infos.values()))
    image = tf.ones([1, height, width, model.input_shape[-1]], "float64")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(image)
        features = model(image)
        # All channels: branches that met see more or less.
        picked = {tap: tf.reduce_sum(features[tap][0, inner(infos[tap]), 0]) for tap in infos}
    for tap, feature in picked.items():
        info = infos[tap]
        rows = (begin(info), begin(info) + info.receptive_field - 1)
        columns = (0, info.receptive_field - info.offset - 1)
        assert support(tape.gradient(feature, image).numpy()) == (*rows, *columns), tap


@pytest.mark.parametrize(
    ("architecture", "strides"), [("resnet50", (2, 1, 1)), ("resnet50_v1_5", (1, 2, 1))]
)
def test_where_bottlenecks_halve_the_picture(architecture, strides):
    for layer in (2, 3, 4):
        convs = [
            paths(architecture).get_layer(f"layer{layer}_block1_conv{index}") for index in (1, 2, 3)
        ]
        assert tuple(conv.strides[0] for conv in convs) == strides
        assert paths(architecture).get_layer(f"layer{layer}_block2_conv1").strides == (1, 1)


def test_a_graph_ends_at_the_last_tap_that_is_wanted():
    builder = classifiers.Builder(until=["relu2_1", "pool1"])
    image = keras.Input([None, None, 3])
    classifiers.get("vgg11").trunk(builder, classifiers.Feature("image", 3, image))
    built = [tap for tap, feature in builder.taps.items() if feature.tensor is not None]
    assert built == ["conv1_1", "relu1_1", "pool1", "conv2_1", "relu2_1"]
    assert builder.shapes == classifiers.shapes("vgg11", include_top=False)
