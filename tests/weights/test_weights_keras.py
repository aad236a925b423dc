"""Parity with keras.applications, through the files that Keras writes."""

import h5py
import keras
import networks
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from stylezoo import classifiers, weights
from stylezoo.errors import WeightsError

APPLICATIONS = {
    "vgg16": keras.applications.VGG16,
    "vgg19": keras.applications.VGG19,
    "resnet50": keras.applications.ResNet50,
    "resnet101": keras.applications.ResNet101,
    "resnet152": keras.applications.ResNet152,
}


def publish(architecture, **options):
    """Return a network of keras.applications with random weights, biases and moving averages too."""
    model = APPLICATIONS[architecture](weights=None, classifier_activation=None, **options)
    for index, layer in enumerate(model.layers):
        shapes = {variable.name: tuple(variable.shape) for variable in layer.weights}
        tensors = networks.he_tensors(shapes, seed=index)
        if layer.name.endswith(("_0_bn", "_3_bn")):
            # So that sums over many blocks keep their scale, as trained ones do.
            tensors["gamma"] *= np.float32(0.3)
        layer.set_weights([tensors[variable.name] for variable in layer.weights])
    return model


def save(model, file, kind):
    if kind == "keras_3":
        model.save_weights(file)
    elif kind == "model":
        model.save(file)
    else:  # as keras.applications publishes them
        with h5py.File(file, "w") as hdf5:
            legacy_h5_format.save_weights_to_hdf5_group(hdf5, model)


def theirs(model, images):
    """Keras's own preprocessing, BGR minus the mean, which all five networks have."""
    return model(keras.applications.vgg16.preprocess_input(255 * images.numpy())).numpy()


def assert_same(ours, expected):
    # Hundreds of float32 sums in another order; 1e-5 is some hundred roundings of the largest.
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


KINDS = {"keras_3": "x.weights.h5", "model": "x.h5", "download": "x.h5"}


@pytest.mark.slow
def test_resnet50_with_its_head(tmp_path):
    model = publish("resnet50", input_shape=(64, 64, 3))
    images = networks.random_image(64, 64)
    expected = theirs(model, images)
    tensors = {}
    for kind, name in KINDS.items():
        file = tmp_path / f"{kind}_{name}"
        save(model, file, kind)
        loaded = weights.load(file, architecture="resnet50")
        assert loaded.preprocessing == "caffe"
        tensors[kind] = loaded.tensors
    for kind in ("model", "download"):
        assert tensors[kind].keys() == tensors["keras_3"].keys()
        for each, tensor in tensors["keras_3"].items():
            np.testing.assert_array_equal(tensors[kind][each], tensor, err_msg=each)

    output = tmp_path / "resnet50.weights.h5"
    classifiers.import_weights(tmp_path / "model_x.h5", "resnet50", output)
    ours = classifiers.build("resnet50", weights=output, input_shape=(64, 64, 3))
    assert_same(ours(images), expected)


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        ("vgg16", "keras_3"),
        ("vgg19", "download"),
        pytest.param("resnet101", "model", marks=pytest.mark.slow),
        pytest.param("resnet152", "keras_3", marks=pytest.mark.slow),
    ],
)
def test_without_head(tmp_path, architecture, kind):
    model = publish(architecture, include_top=False)
    images = networks.random_image(64, 96)
    save(model, tmp_path / KINDS[kind], kind)
    output = tmp_path / f"{architecture}.weights.h5"
    loaded = classifiers.import_weights(tmp_path / KINDS[kind], architecture, output)
    assert not classifiers.has_top(loaded)
    ours = classifiers.build(architecture, weights=output, include_top=False)
    assert_same(ours(images), theirs(model, images))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
def test_vgg_with_its_head(tmp_path, architecture):
    model = publish(architecture)
    images = networks.random_image(224, 224)
    save(model, tmp_path / "x.weights.h5", "keras_3")
    output = tmp_path / f"{architecture}.weights.h5"
    loaded = classifiers.import_weights(tmp_path / "x.weights.h5", architecture, output)
    assert classifiers.has_top(loaded)
    assert_same(classifiers.build(architecture, weights=output)(images), theirs(model, images))


def test_the_paper_and_version_1_5_have_the_same_names_but_not_the_same_files():
    """Only the file tells where its blocks halve: Keras's are the paper's, torchvision's are not."""
    assert classifiers.shapes("resnet50") == classifiers.shapes("resnet50_v1_5")
    for architecture in ("resnet50_v1_5", "resnet18"):
        with pytest.raises(WeightsError, match="Keras files are understood for vgg16"):
            weights.converters.from_keras({}, architecture)
