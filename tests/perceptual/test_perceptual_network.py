"""Perceptual networks against keras.applications, plain TensorFlow and published numbers."""

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import classifiers, perceptual, weights
from stylezoo.errors import WeightsError

# A feature sums up to 4608 float32 products, layer upon layer: relative to a layer's largest.
NETWORK = 1e-5


def assert_same_features(got, expected):
    expected = np.asarray(expected)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=NETWORK * np.abs(expected).max())


@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
def test_equals_keras_applications_with_its_saved_weights(architecture, tmp_path):
    constructor = {"vgg16": keras.applications.VGG16, "vgg19": keras.applications.VGG19}
    theirs = constructor[architecture](weights=None, include_top=False)
    random = np.random.default_rng(0)
    for layer in theirs.layers:  # Keras starts with biases of 0
        for variable in layer.weights:
            fan_in = np.prod(variable.shape[:-1]) if variable.name == "kernel" else 1
            values = random.standard_normal(variable.shape, np.float32) * np.sqrt(2 / fan_in)
            variable.assign(values)
    theirs.save_weights(tmp_path / "vgg.weights.h5")
    names = {
        layer.name: layer.name.replace("block", "relu").replace("_conv", "_")
        if "conv" in layer.name
        else f"pool{layer.name[5]}"
        for layer in theirs.layers
        if layer.name.startswith("block")
    }
    theirs = keras.Model(
        theirs.input, {ours: theirs.get_layer(n).output for n, ours in names.items()}
    )
    ours = perceptual.Perceptual(architecture, tmp_path / "vgg.weights.h5").build(names.values())
    image = random_image(49, 40, batch=2)
    prepared = keras.applications.vgg16.preprocess_input(255 * image.numpy())
    expected = theirs(prepared)
    features = ours(image)
    assert features.keys() == expected.keys() == set(names.values())
    for tap, values in features.items():
        assert_same_features(values, expected[tap])


def test_alexnet_equals_plain_tensorflow(random_weights):
    """Krizhevsky 2014 as torchvision lays it out, written down without our chain."""
    file = random_weights("alexnet_owt")
    tensors = weights.load(file, architecture="alexnet_owt").tensors
    taps = ["conv1", "pool1", "relu2", "relu3", "conv4", "pool5"]
    image = random_image(79, 100)
    features = perceptual.Perceptual("alexnet_owt", file).build(taps)(image)

    def conv(x, name, stride, padding):
        pads = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
        kernel, bias = tensors[f"{name}/kernel"], tensors[f"{name}/bias"]
        return tf.nn.conv2d(x, kernel, stride, pads) + bias

    def pool(x):
        return tf.nn.max_pool2d(x, 3, 2, "VALID")

    x = (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    expected = {"conv1": conv(x, "conv1", 4, 2)}
    expected["pool1"] = pool(tf.nn.relu(expected["conv1"]))
    expected["relu2"] = tf.nn.relu(conv(expected["pool1"], "conv2", 1, 2))
    expected["relu3"] = tf.nn.relu(conv(pool(expected["relu2"]), "conv3", 1, 1))
    expected["conv4"] = conv(expected["relu3"], "conv4", 1, 1)
    expected["pool5"] = pool(tf.nn.relu(conv(tf.nn.relu(expected["conv4"]), "conv5", 1, 1)))
    for tap in taps:
        assert_same_features(features[tap], expected[tap])


@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_pooling(random_weights, pooling):
    network = perceptual.Perceptual("vgg16", random_weights("vgg16"), pooling=pooling).build(
        ["relu1_2", "pool1"]
    )
    features = network(random_image(9, 13))
    windows = features["relu1_2"].numpy()[:, :8, :12].reshape(1, 4, 2, 6, 2, 64)
    expected = {"max": windows.max(axis=(2, 4)), "avg": windows.mean(axis=(2, 4))}[pooling]
    np.testing.assert_allclose(features["pool1"], expected, rtol=1e-6, atol=1e-7)  # sums of 4


def test_conv_tap_is_before_the_relu(random_weights):
    network = perceptual.Perceptual("vgg16", random_weights("vgg16")).build(["conv1_1", "relu1_1"])
    features = network(random_image(8, 8))
    assert np.min(features["conv1_1"]) < 0
    np.testing.assert_array_equal(features["relu1_1"], np.maximum(features["conv1_1"], 0))


def test_is_cut_at_the_deepest_tap_and_frozen(random_weights):
    network = perceptual.Perceptual("vgg16", random_weights("vgg16")).build(
        ["relu2_1", "relu1_1", "relu2_1"]
    )
    assert list(network.output) == ["relu2_1", "relu1_1"]
    layers = [layer.name for layer in network.layers]
    assert layers[-1] == "relu2_1"
    assert not {"conv2_2", "relu2_2", "pool2"} & set(layers)
    convolutions = [64 * 27 + 64, 64 * 576 + 64, 128 * 576 + 128]
    assert network.count_params() == sum(convolutions)
    assert network.trainable_variables == []
    assert not any(layer.trainable for layer in network.layers if layer.weights)


@pytest.mark.parametrize("architecture", ["vgg11", "vgg13", "vgg_c"])
def test_architectures_without_registered_weights_take_a_file(architecture, tmp_path):
    file = networks.write(tmp_path / "w.h5", architecture, preprocessing="unit")
    tensors = weights.load(file, architecture=architecture).tensors
    network = perceptual.Perceptual(architecture, file).build(["relu5_2"])
    for layer in network.layers:
        for variable in layer.weights:
            np.testing.assert_array_equal(
                variable.numpy(), tensors[f"{layer.name}/{variable.name}"], strict=True
            )
    assert network.get_layer("preprocess").mode == "unit"
    with pytest.raises(WeightsError, match=f"known for the architectures.*{architecture}"):
        perceptual.Perceptual(architecture).build(["relu1_1"])


def test_lenet_sees_the_luminance(tmp_path):
    tensors = networks.he_tensors(classifiers.shapes("lenet5"))
    file = networks.write(tmp_path / "w.h5", "lenet5", tensors, preprocessing="unit")
    network = perceptual.Perceptual("lenet5", file).build(["scores"])
    classifier = classifiers.build("lenet5", weights=file)
    picture = np.random.default_rng(0).random((2, 28, 28, 3), np.float32)
    grey = picture @ np.array([[0.299], [0.587], [0.114]], np.float32)
    assert_same_features(network(picture)["scores"], classifier(grey))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("conv2_1/bias"), "conv2_1/bias must have .*Received: no such tensor"),
        (
            lambda t: t.update({"conv2_1/kernel": np.zeros((1, 1, 64, 128), np.float32)}),
            r"conv2_1/kernel must have the shape \(3, 3, 64, 128\). Received: \(1, 1, 64, 128\)",
        ),
    ],
    ids=["missing", "shape"],
)
def test_weights_that_do_not_fit_are_named(tmp_path, change, message):
    tensors = networks.he_tensors(classifiers.shapes("vgg11", include_top=False))
    change(tensors)
    file = networks.write(tmp_path / "w.h5", "vgg11", tensors)
    with pytest.raises(WeightsError, match=message):
        perceptual.Perceptual("vgg11", file).build(["relu2_1"])


@pytest.mark.parametrize(
    ("architecture", "taps", "options", "message"),
    [
        ("vgg", ["relu1_1"], {}, r"`architecture` must be one of lenet5, .*'vgg'"),
        ("vgg16", ["relu1_1", "relu6_1"], {}, r"`taps` of vgg16 .* conv1_1, .*Received: relu6_1"),
        ("alexnet_owt", ["relu1_1"], {}, r"conv1, relu1, pool1.*Received: relu1_1"),
        ("vgg16", [], {}, r"`taps` must name at least one layer"),
        ("vgg16", ["relu1_1"], {"pooling": "sum"}, r"`pooling` must be one of max, avg.*'sum'"),
    ],
)
def test_errors_list_the_known_names(architecture, taps, options, message):
    with pytest.raises(ValueError, match=message):
        perceptual.Perceptual(architecture, "not needed", **options).build(taps)


def test_tap_info_is_the_classifiers():
    info = perceptual.tap_info("vgg16")["relu4_2"]
    # By hand: seven 3x3 convolutions and three poolings before conv4_2, itself the ninth.
    assert (info.channels, info.stride, info.receptive_field) == (512, 8, 76)


def test_check_taps():
    perceptual.check_taps("vgg16", ["relu1_1", "pool5"])
    with pytest.raises(ValueError, match=r"`taps` of vgg16 .*pool5. Received: relu3, relu4"):
        perceptual.check_taps("vgg16", ["relu3", "relu1_1", "relu4"])


def test_check_image_size():
    check = perceptual.check_image_size
    taps = ["relu1_1", "relu5_1", "relu4_1"]
    check(16, 16, architecture="vgg16", taps=taps)
    check(1, 1, architecture="vgg16", taps=["relu1_1"])
    check(1, 1, architecture="vgg16", taps=[])
    message = (
        r"`image` must be at least 16x16 px for the layer relu5_1 of vgg16. Received: 40x15 px"
    )
    with pytest.raises(ValueError, match=message):
        check(15, 40, architecture="vgg16", taps=taps)
    with pytest.raises(ValueError, match=r"`image` .*Received: 15x40 px"):
        check(40, 15, architecture="vgg16", taps=iter(taps))


@pytest.mark.parametrize(
    ("architecture", "tap"), [("squeezenet1_1", "fire3"), ("vgg16", "relu2_1")]
)
def test_seen_size_is_where_the_gradient_is(architecture, tap, random_weights):
    network = perceptual.Perceptual(architecture, random_weights(architecture)).build([tap])
    for side in (44, 45):
        image = random_image(side, side, seed=side)
        with tf.GradientTape() as tape:
            tape.watch(image)
            total = tf.reduce_sum(tf.square(network(image)[tap]))
        depends = np.abs(tape.gradient(total, image)[0]).max(axis=(1, 2)) > 0
        seen = perceptual.seen_size(side, side, architecture=architecture, tap=tap)
        assert seen == (depends.sum(),) * 2
        assert depends[: seen[0]].all()
    assert perceptual.seen_size(160, 227, architecture="squeezenet1_1", tap="scores") == (159, 227)


# torchvision's VGG16 (IMAGENET1K_V1), features.0: the kernel of its first filter for red, green and
# blue, and its first biases, as PyTorch prints them (four decimals; in many published notebooks).
FIRST_FILTER = (
    ((-0.5537, 0.1427, 0.5290), (-0.5831, 0.3566, 0.7657), (-0.6902, -0.0480, 0.4841)),
    ((0.1755, 0.0099, -0.0814), (0.0441, -0.0703, -0.2604), (0.1324, -0.1728, -0.1323)),
    ((0.3130, -0.1659, -0.4275), (0.4752, -0.0827, -0.4870), (0.6320, 0.0193, -0.2775)),
)
FIRST_BIASES = (0.4034, 0.3778, 0.4644, -0.3228, 0.3940, -0.3953, 0.3951, -0.5496)


@pytest.mark.weights
def test_pretrained_vgg16_is_torchvisions(pretrained):
    """The response to single pixels gives back the published filter: order, range and mean hold."""
    network = perceptual.Perceptual("vgg16", pretrained("vgg16.torchvision_lpips")).build(
        ["conv1_1"]
    )
    mean = np.broadcast_to(np.float32([0.485, 0.456, 0.406]), (1, 5, 5, 3))
    at_rest = network(tf.constant(mean))["conv1_1"].numpy()
    # Four decimals; a mean colour is 0 after preprocessing, like the zeros around the image.
    np.testing.assert_allclose(at_rest[0, 2, 2, :8], FIRST_BIASES, atol=6e-5)
    for channel, (deviation, expected) in enumerate(
        zip((0.229, 0.224, 0.225), FIRST_FILTER, strict=True)
    ):
        lit = mean.copy()
        lit[0, 2, 2, channel] += deviation  # one unit after preprocessing
        response = (network(tf.constant(lit))["conv1_1"].numpy() - at_rest)[0, 1:4, 1:4, 0]
        np.testing.assert_allclose(response[::-1, ::-1], expected, atol=6e-5)
