import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf
import torch_fakes as fakes

from stylezoo import classifiers, weights
from stylezoo.errors import WeightsError
from stylezoo.weights.torchvision import from_state_dict


def hollow(shapes):
    """Arrays that take no memory."""
    return {name: np.broadcast_to(np.float32(1), shape) for name, shape in shapes.items()}


def converted_shapes(shapes, architecture):
    converted, _ = from_state_dict(hollow(shapes), architecture)
    return {name: tensor.shape for name, tensor in converted.items()}


@pytest.mark.parametrize("architecture", fakes.NETWORKS)
def test_every_tensor_gets_its_name_and_shape(architecture):
    converted = converted_shapes(fakes.NETWORKS[architecture], architecture)
    assert converted == classifiers.shapes(architecture)


def test_auxiliary_heads_of_googlenet():
    converted = converted_shapes(fakes.googlenet(auxiliary=True), "googlenet_bn")
    assert converted == classifiers.shapes("googlenet_bn", auxiliary=True)


def test_every_network_that_is_understood_is_tested():
    with pytest.raises(WeightsError) as error:
        from_state_dict({}, "lenet5")
    listed = str(error.value).partition(" for ")[2].partition(" only")[0].split(", ")
    assert set(listed) == {*fakes.NETWORKS, "efficientnet_lite0"}
    assert str(error.value).endswith("Received: architecture='lenet5'")


@pytest.mark.parametrize(
    ("architecture", "preprocessing"), [("resnet18", "torch"), ("googlenet_bn", "symmetric")]
)
def test_preprocessing(architecture, preprocessing):
    assert from_state_dict({}, architecture) == ({}, preprocessing)


@pytest.mark.parametrize(
    "name",
    [
        "features.1.weight",
        "features.0.weights",
        "classifier.2.bias",
        "features.0.running_mean",
        "layer1.0.conv1.weight",
        "weight",
        "",
    ],
)
def test_what_has_no_name_here_keeps_its_own(name):
    converted, _ = from_state_dict({name: np.ones(3)}, "vgg16")
    assert list(converted) == [name]


@pytest.mark.parametrize(
    ("architecture", "module", "layer", "channels"),
    [
        ("alexnet_owt", "classifier.1", "fc6", 256),
        ("vgg11", "classifier.0", "fc6", 512),
        ("googlenet_bn", "aux1.fc1", "aux1_fc1", 128),
    ],
)
def test_rows_of_the_first_fully_connected_layer(architecture, module, layer, channels):
    """PyTorch flattens [channel, height, width], TensorFlow [height, width, channel]."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((channels, 3, 3))
    kernel = rng.standard_normal((5, features.size))
    converted, _ = from_state_dict({f"{module}.weight": kernel}, architecture)
    ours = features.transpose(1, 2, 0).reshape(-1) @ converted[f"{layer}/kernel"]
    np.testing.assert_allclose(ours, kernel @ features.reshape(-1), rtol=1e-9)


def test_rows_of_other_fully_connected_layers_are_in_order():
    kernel = np.arange(4096 * 2).reshape(2, 4096)
    converted, _ = from_state_dict({"classifier.3.weight": kernel}, "vgg16")
    np.testing.assert_array_equal(converted["fc7/kernel"], kernel.T)


def torch_convolution(image, kernel, bias, padding):
    """[C, H, W] and [out, in, h, w], as PyTorch defines it: a correlation."""
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[2:], axis=(1, 2))
    return np.einsum("chwij,ocij->ohw", windows, kernel) + bias[:, None, None]


def test_convolution_and_normalisation_give_pytorchs_numbers(tmp_path):
    """The first layers of VGG11 with batch normalisation, through a file and the Keras model."""
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.uniform(0.5, 1.5, shape).astype(np.float32)
        for name, shape in fakes.NETWORKS["vgg11_bn"].items()
        if name.startswith("features.")
    }
    arrays["features.0.weight"] -= 1
    file = tmp_path / "vgg11_bn.safetensors"
    safetensors.numpy.save_file(arrays, file)
    model = classifiers.build("vgg11_bn", weights=file, include_top=False)
    image = rng.uniform(size=(1, 32, 32, 3)).astype(np.float32)

    x = (image[0].astype(np.float64) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    x = x.transpose(2, 0, 1)
    x = torch_convolution(x, arrays["features.0.weight"], arrays["features.0.bias"], 1)
    gamma, beta, mean, variance = (
        arrays[f"features.1.{kind}"][:, None, None]
        for kind in ("weight", "bias", "running_mean", "running_var")
    )
    expected = np.maximum((x - mean) / np.sqrt(variance + 1e-5) * gamma + beta, 0)
    tap = tf.keras.Model(model.input, model.get_layer("relu1_1").output)
    # Sums of 27 products of float32 numbers of about 1.
    np.testing.assert_allclose(
        tap(image)[0].numpy().transpose(2, 0, 1), expected, rtol=0, atol=1e-5 * expected.max()
    )


def test_every_command_can_load_a_state_dictionary(tmp_path):
    arrays = {name: np.ones(shape, np.float32) for name, shape in fakes.squeezenet().items()}
    file = tmp_path / "squeezenet.pth"
    file.write_bytes(fakes.save(fakes.state_dict(arrays)))
    loaded = weights.load(file, architecture="squeezenet1_1")
    assert (loaded.name, loaded.preprocessing) == ("squeezenet.pth", "torch")
    assert {n: t.shape for n, t in loaded.tensors.items()} == classifiers.shapes("squeezenet1_1")
