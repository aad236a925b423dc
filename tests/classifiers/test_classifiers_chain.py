"""Geometry and sizes of the chains against the Keras graphs that are built from them."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import build, thin

from stylezoo import classifiers
from stylezoo.classifiers import Conv
from stylezoo.weights.layouts import LAYOUTS

ARCHITECTURES = ("vgg11", "vgg13", "vgg_c", "vgg16", "vgg19", "alexnet_owt")


def test_all_architectures_are_tested():
    assert set(ARCHITECTURES) == set(classifiers.ARCHITECTURES)


def full_graph(architecture, pooling="max"):
    chain = classifiers.chain(architecture)
    images = keras.Input([None, None, 3])
    taps = classifiers.build_taps(chain, images, pooling=pooling, deepest="pool5")
    return keras.Model(images, taps)


@pytest.fixture(scope="module")
def graphs():
    """The models with their real widths, built once each."""
    return {architecture: full_graph(architecture) for architecture in ARCHITECTURES}


def conv(kernel, inputs, filters):
    return kernel * kernel * inputs * filters + filters


# VGG's table 1: 133, 133, 134, 138 and 144 million are these plus the three dense layers.
VGG_C = (
    (conv(3, 3, 64) + conv(3, 64, 64))
    + (conv(3, 64, 128) + conv(3, 128, 128))
    + (conv(3, 128, 256) + conv(3, 256, 256) + conv(1, 256, 256))
    + (conv(3, 256, 512) + conv(3, 512, 512) + conv(1, 512, 512))
    + (conv(3, 512, 512) + conv(3, 512, 512) + conv(1, 512, 512))
)
NUM_PARAMETERS = {
    "vgg11": 9_220_480,
    "vgg13": 9_404_992,
    "vgg_c": VGG_C,
    "vgg16": 14_714_688,
    "vgg19": 20_024_384,
    "alexnet_owt": 2_469_696,
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_number_of_parameters(graphs, architecture):
    assert graphs[architecture].count_params() == NUM_PARAMETERS[architecture]


def test_vgg_sums_are_those_of_the_papers_table():
    """Table 2 of the paper, in millions, with the head of 4096-4096-1000 on 7x7x512."""
    head = 7 * 7 * 512 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    published = {"vgg11": 133, "vgg13": 133, "vgg_c": 134, "vgg16": 138, "vgg19": 144}
    millions = {name: (NUM_PARAMETERS[name] + head) / 1e6 for name in published}
    # The paper truncates or rounds, table 2 does not say which: 132.86, 133.05, 133.64, 138.36, ...
    assert all(abs(millions[name] - published[name]) < 0.5 for name in published), millions


@pytest.mark.parametrize("architecture", LAYOUTS)
def test_weights_have_the_graphs_names_and_shapes(graphs, architecture):
    built = {
        f"{layer.name}/{variable.name}": tuple(variable.shape)
        for layer in graphs[architecture].layers
        for variable in layer.weights
    }
    assert built == LAYOUTS[architecture]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_channels_strides_and_minimum_sizes(graphs, architecture):
    infos = classifiers.tap_infos(classifiers.chain(architecture))
    symbolic = graphs[architecture].output
    assert list(infos) == list(symbolic)
    for tap, info in infos.items():
        assert symbolic[tap].shape == (None, None, None, info.channels), tap
    for tap, info in infos.items():
        model = keras.Model(graphs[architecture].input, symbolic[tap])

        def count(size, model=model):
            return model.compute_output_shape((1, size, size, 3))[1]

        for extra in (0, 1, 2):  # the n-th feature needs exactly n strides more
            size = info.minimum_size + extra * info.stride
            assert count(size) == 1 + extra, tap
            if extra or size > 1:
                try:
                    assert count(size - 1) == extra, tap
                except ValueError:  # Keras on a layer without any output
                    assert extra == 0, tap


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_minimum_size_of_real_images(architecture):
    chain = thin(architecture, divisor=1000)
    size = classifiers.tap_infos(chain)["pool5"].minimum_size
    model = build(chain, ["pool5"])
    assert model(tf.zeros([1, size, size, 3]))["pool5"].shape[1:3] == (1, 1)
    try:
        smaller = model(tf.zeros([1, size - 1, size, 3]))["pool5"]
    except (ValueError, tf.errors.InvalidArgumentError, tf.errors.AbortedError):
        return
    assert smaller.shape[1] == 0


def support(gradient):
    """First and last row, first and last column, that are not zero."""
    rows, columns = np.nonzero(np.abs(gradient).sum(axis=(0, 3)))
    return rows.min(), rows.max(), columns.min(), columns.max()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_receptive_fields_and_offsets(architecture):
    """What one feature depends on, in a network whose weights are all positive.

    One filter a layer, which has the geometry of many; average pooling, because a maximum depends
    on one of its inputs alone. The least weight of a path, 9^-16 · 4^-5, is a normal float32.
    """
    chain = tuple(
        dataclasses.replace(layer, filters=1) for layer in classifiers.chain(architecture)
    )
    infos = classifiers.tap_infos(chain)
    tensors, channels = {}, 3
    for layer in chain:
        if isinstance(layer, Conv):
            shape = (layer.kernel, layer.kernel, channels, 1)
            tensors[f"conv{layer.name}/kernel"] = np.full(shape, 1 / layer.kernel**2)
            tensors[f"conv{layer.name}/bias"] = np.zeros(1)
            channels = 1
    network = build(chain, list(infos), pooling="avg", tensors=tensors)

    def inner(info):  # the first feature whose field begins inside the image
        return -(-info.offset // info.stride)

    def begin(info):
        return inner(info) * info.stride - info.offset

    size = max(begin(info) + info.receptive_field for info in infos.values()) + 3
    image = tf.fill([1, size, size, 3], 1.0)  # positive after preprocessing, so no ReLU is 0
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(image)
        features = network(image)
        picked = {
            tap: (values[0, inner(infos[tap]), 0, 0], values[0, 0, inner(infos[tap]), 0])
            for tap, values in features.items()
        }
    for tap, (at_left, at_top) in picked.items():
        info = infos[tap]
        inside = (begin(info), begin(info) + info.receptive_field - 1)
        cut = (0, info.receptive_field - info.offset - 1)  # of the first feature of a row
        assert support(tape.gradient(at_left, image).numpy()) == (*inside, *cut), tap
        assert support(tape.gradient(at_top, image).numpy()) == (*cut, *inside), tap


def test_unknown_architecture_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"must be one of vgg11, .*alexnet_owt.*'vgg17'"):
        classifiers.chain("vgg17")


def test_graph_ends_at_the_deepest_tap():
    chain = thin("vgg16", divisor=16)
    taps = classifiers.build_taps(
        chain, keras.Input([None, None, 3]), pooling="max", deepest="conv2_1"
    )
    assert list(taps) == ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1", "relu2_1"]
