"""Parameters, options and weights of the classifiers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from classifiers_helpers import ThinHeads, variables
from networks import he_tensors, random_image, write

from stylezoo import classifiers
from stylezoo.errors import WeightsError
from stylezoo.weights import LoadedWeights, weights_files

# LeNet-5 with full connections and plain subsampling; AlexNet's and ResNet's are torchvision's too
# (its documentation); VGG C is table 1 of the paper added up; GoogLeNet's are those of Caffe's
# bvlc_googlenet; EfficientNet-Lite0's and SqueezeNet's those of the published weights.
NUM_PARAMETERS = {
    "lenet5": 61_706,
    "alexnet": 60_965_224,
    "alexnet_owt": 61_100_840,
    "vgg11": 132_863_336,
    "vgg_a_lrn": 132_863_336,
    "vgg13": 133_047_848,
    "vgg_c": 133_638_952,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "googlenet": 6_998_552,
    "googlenet_bn": 6_624_904,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnet50_v1_5": 25_557_032,
    "resnet101_v1_5": 44_549_160,
    "resnet152_v1_5": 60_192_808,
    "squeezenet1_1": 1_235_496,
    "efficientnet_lite0": 4_652_008,
}


def test_numbers_of_parameters():
    names = classifiers.list_models()
    assert {name: classifiers.num_parameters(name) for name in names} == NUM_PARAMETERS


def test_vggs_are_those_of_the_papers_table():
    """The numbers are those of table 2, in millions, which does not say whether it rounds or truncates."""
    published = {"vgg_a": 133, "vgg_b": 133, "vgg_c": 134, "vgg_d": 138, "vgg_e": 144}
    for name, millions in published.items():
        assert abs(classifiers.num_parameters(name) / 1e6 - millions) < 0.5, name


@pytest.mark.parametrize(
    ("architecture", "published"), [("googlenet", 13_378_280), ("googlenet_bn", 13_004_888)]
)
def test_parameters_with_auxiliary_heads(architecture, published):
    """The numbers are those of Caffe's bvlc_googlenet, and of torchvision's with `aux_logits`."""
    shapes = classifiers.shapes(architecture, auxiliary=True)
    trained = [shape for name, shape in shapes.items() if "/moving_" not in name]
    assert sum(map(np.prod, trained)) == published


@pytest.mark.parametrize("architecture", classifiers.list_models())
def test_shapes_are_those_of_the_graph(architecture):
    """A thin network serves: names, order and sizes come from the same lines whatever the width."""
    published = classifiers.get(architecture)
    side, channels = published.input_size, published.channels

    def append(x):
        builder = ThinHeads(32)
        x = published.trunk(builder, x)
        scores = published.head(builder, x, published.num_classes, (side, side))
        aside = [
            head(builder, builder.taps[tap], published.num_classes, (side, side))
            for tap, head in published.auxiliary.values()
        ]
        return builder, [scores.tensor, *(each.tensor for each in aside)]

    image = keras.Input([side, side, channels])
    built, scores = append(classifiers.Feature("image", channels, image))
    assert variables(keras.Model(image, scores)) == built.shapes
    counted, _ = append(classifiers.Feature("image", channels))
    assert counted.shapes == built.shapes
    assert list(built.shapes) == list(classifiers.shapes(architecture, auxiliary=True))


# Whole networks as users build them, on small pictures, which keeps fully connected heads small.
BUILT = {
    "lenet5": 28,
    "alexnet": 67,
    "vgg_a_lrn": 32,
    "googlenet": 224,
    "resnet18": 224,
    "resnet50_v1_5": 32,
    "squeezenet1_1": 224,
    "efficientnet_lite0": 224,
}


@pytest.mark.parametrize("architecture", BUILT)
def test_build(architecture):
    side, published = BUILT[architecture], classifiers.get(architecture)
    model = classifiers.build(
        architecture, input_shape=(side, side, published.channels), num_classes=7
    )
    assert model.name == architecture
    assert model.input_shape == (None, side, side, published.channels)
    expected = classifiers.shapes(architecture, num_classes=7, size=(side, side))
    assert variables(model) == expected
    trained = [shape for name, shape in expected.items() if "/moving_" not in name]
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == sum(map(np.prod, trained))
    assert model.layers[1].mode == published.preprocessing
    images = tf.random.stateless_uniform([2, side, side, published.channels], seed=(0, 0))
    scores = model(images)
    assert scores.shape == (2, 7)
    assert np.ptp(scores) > 0


def test_published_sizes_are_the_default():
    model = classifiers.build("lenet5")
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)


def test_without_head():
    model = classifiers.build("squeezenet1_1", include_top=False)
    assert model.input_shape == (None, None, None, 3)
    assert variables(model) == classifiers.shapes("squeezenet1_1", include_top=False)
    features = model(random_image(33, 49))
    assert features.shape == (1, 2, 3, 512)
    for pooling, reduce in (("avg", np.mean), ("max", np.max)):
        pooled = classifiers.build("squeezenet1_1", include_top=False, pooling=pooling)
        pooled.set_weights(model.get_weights())
        # Sums of 6 numbers in another order.
        np.testing.assert_allclose(
            pooled(random_image(33, 49)), reduce(features, axis=(1, 2)), rtol=1e-5
        )


def test_averaging_heads_take_images_of_any_size():
    model = classifiers.build("squeezenet1_1", input_shape=(None, None, 3), num_classes=3)
    assert [model(random_image(*size)).shape for size in ((64, 48), (33, 70))] == [(1, 3)] * 2


def test_aliases():
    assert dict(classifiers.ALIASES) == {
        "vgg_a": "vgg11",
        "vgg_b": "vgg13",
        "vgg_d": "vgg16",
        "vgg_e": "vgg19",
    }
    assert classifiers.get("vgg_d") is classifiers.get("vgg16")
    assert classifiers.tap_infos("vgg_e") == classifiers.tap_infos("vgg19")
    assert classifiers.canonical("vgg_c") == "vgg_c"
    assert classifiers.build("vgg_a", include_top=False).name == "vgg11"
    assert not set(classifiers.ALIASES) & set(classifiers.list_models())


@pytest.mark.parametrize(
    "function",
    [
        classifiers.build,
        classifiers.canonical,
        classifiers.get,
        classifiers.num_parameters,
        classifiers.shapes,
        classifiers.tap_infos,
    ],
)
def test_an_unknown_name_lists_the_known_ones(function):
    message = r"`architecture` must be one of lenet5, .*resnet50.*, vgg_e\. .*'vgg17'"
    with pytest.raises(ValueError, match=message):
        function("vgg17")


@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        ("lenet5", {"num_classes": 0}, "`num_classes` must be >= 1. Received: num_classes=0"),
        (
            "lenet5",
            {"classifier_activation": "sigmoid"},
            "`classifier_activation` must be None, softmax. .*'sigmoid'",
        ),
        (
            "lenet5",
            {"classifier_activation": "softmax", "include_top": False},
            "`classifier_activation` must be None without a head",
        ),
        ("lenet5", {"pooling": "avg"}, "`pooling` must be None with a head. .*pooling='avg'"),
        (
            "lenet5",
            {"include_top": False, "pooling": "mean"},
            "`pooling` must be None, avg, max. Received: pooling='mean'",
        ),
        ("lenet5", {"input_shape": (27, 28, 1)}, r"of lenet5 must be .* at least 28 px.*\(27, 28"),
        ("vgg16", {"input_shape": (32, 31, 3)}, "`input_shape` of vgg16 .* at least 32 px"),
        (
            "squeezenet1_1",
            {"input_shape": (None, 16, 3), "include_top": False},
            "`input_shape` of squeezenet1_1 .* at least 17 px",
        ),
        ("lenet5", {"input_shape": (28, 28, 0)}, r"must be \(height, width, channels\)"),
        ("vgg16", {"input_shape": (32, 32, 1)}, "of vgg16 must have 3 channels. .*32, 1"),
        (
            "alexnet",
            {"input_shape": (None, 227, 3)},
            "with its head must have a height and a width",
        ),
    ],
)
def test_bad_options(architecture, options, message):
    with pytest.raises(ValueError, match=message):
        classifiers.build(architecture, **options)


def test_lenet_reads_colours_too():
    model = classifiers.build("lenet5", input_shape=(32, 32, 3))
    assert model(random_image(32, 32)).shape == (1, 10)


# Weights


@pytest.fixture(scope="module")
def lenet(tmp_path_factory):
    """The tensors of a LeNet-5 of three classes, and a file of them."""
    tensors = he_tensors(classifiers.shapes("lenet5", num_classes=3))
    path = tmp_path_factory.mktemp("weights") / "lenet.h5"
    return tensors, write(path, "lenet5", tensors, preprocessing="unit")


def test_weights_of_a_file(lenet):
    tensors, path = lenet
    model = classifiers.build("lenet5", weights=path)
    assert model.output_shape == (None, 3)  # as many classes as the file has
    for layer in model.layers:
        for variable in layer.weights:
            np.testing.assert_array_equal(variable, tensors[f"{layer.name}/{variable.name}"])


def test_the_head_of_a_file_may_be_left_out(lenet):
    tensors, path = lenet
    model = classifiers.build("lenet5", weights=path, include_top=False)
    assert set(variables(model)) == {name for name in tensors if not name.startswith("fc")}
    np.testing.assert_array_equal(model.get_layer("conv3").bias, tensors["conv3/bias"])


def test_preprocessing_is_the_weights(tmp_path):
    path = write(tmp_path / "caffe.h5", "squeezenet1_1", preprocessing="caffe")
    model = classifiers.build("squeezenet1_1", weights=path, include_top=False)
    assert model.get_layer("preprocess").mode == "caffe"


def test_auxiliary_heads_of_a_file_are_no_obstacle(tmp_path):
    shapes = classifiers.shapes("googlenet_bn", num_classes=2, auxiliary=True)
    path = write(tmp_path / "googlenet.h5", "googlenet_bn", he_tensors(shapes))
    model = classifiers.build("googlenet_bn", weights=path)
    assert variables(model) == classifiers.shapes("googlenet_bn", num_classes=2)


def test_weights_that_lack_the_head(tmp_path):
    path = write(tmp_path / "trunk.h5", "squeezenet1_1")
    with pytest.raises(WeightsError, match=r"must have its head. Received: .*, without a head"):
        classifiers.build("squeezenet1_1", weights=path)


@pytest.mark.parametrize("weights", ["alexnet_owt.torchvision_lpips", "imagenet"])
def test_registered_weights_that_lack_the_head_are_not_fetched(weights, monkeypatch):
    monkeypatch.setattr("stylezoo.weights.load", lambda *_, **__: pytest.fail("fetched"))
    message = (
        "`weights` of alexnet_owt must have its head. .*alexnet_owt.torchvision_lpips, without"
    )
    with pytest.raises(WeightsError, match=message):
        classifiers.build("alexnet_owt", weights=weights)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda t: t.pop("conv2/bias"), {}, "does not fit lenet5: missing: conv2/bias$"),
        (lambda t: t.update(more=np.zeros(1, "f4")), {}, "unexpected: more$"),
        (lambda t: t.pop("fc5/kernel"), {"num_classes": 3}, "missing: fc5/kernel$"),
        (lambda t: t.pop("fc4/bias"), {"num_classes": 4}, "missing: fc4/bias$"),
        (
            lambda t: None,
            {"input_shape": (32, 32, 1)},
            r"of another shape: fc4/kernel \(120, 84\) instead of \(480, 84\)$",
        ),
    ],
)
def test_weights_that_do_not_fit(change, options, message, lenet, tmp_path):
    tensors = dict(lenet[0])
    change(tensors)
    path = write(tmp_path / "lenet.h5", "lenet5", tensors, preprocessing="unit")
    with pytest.raises(WeightsError, match=message):
        classifiers.build("lenet5", weights=path, **options)


def test_assign_names_what_is_missing(lenet):
    tensors = {name: tensor for name, tensor in lenet[0].items() if name != "fc5/bias"}
    loaded = LoadedWeights("some.h5", "lenet5", "unit", tensors)
    with pytest.raises(WeightsError, match=r"some.h5: fc5/bias .*\(3,\).*no such tensor"):
        classifiers.assign(classifiers.build("lenet5", num_classes=3), loaded)


# New heads


def assert_equal_but(model, tensors, new):
    """Assert that a model's weights are ``tensors``, except those of the layers ``new``, which differ."""
    for layer in model.layers:
        for variable in layer.weights:
            name = f"{layer.name}/{variable.name}"
            same = name in tensors and np.array_equal(variable, tensors[name])
            assert same == (layer.name not in new), name


def test_another_number_of_classes_makes_the_last_layer_new(lenet):
    tensors, path = lenet
    model = classifiers.build("lenet5", weights=path, num_classes=4)
    assert model.output_shape == (None, 4)
    assert_equal_but(model, tensors, ["fc5"])
    # Random, not zeros, and as the global seed says.
    kernels = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        model = classifiers.build("lenet5", weights=path, num_classes=4)
        kernels.append(model.get_layer("fc5").kernel.numpy())
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.all(kernels[0] != kernels[2])


def test_weights_without_a_head_get_a_new_one(tmp_path):
    tensors = he_tensors(classifiers.shapes("alexnet_owt", include_top=False))
    path = write(tmp_path / "trunk.h5", "alexnet_owt", tensors)
    model = classifiers.build("alexnet_owt", weights=path, num_classes=3, input_shape=(67, 67, 3))
    assert model.output_shape == (None, 3)
    assert_equal_but(model, tensors, ["fc6", "fc7", "fc8"])
    # For as many classes as it was published for, that would be a surprise.
    with pytest.raises(
        WeightsError, match=r"must have its head.*another `num_classes` makes a new"
    ):
        classifiers.build("alexnet_owt", weights=path, num_classes=1000)


# Loading


def test_load_a_file(lenet):
    tensors, path = lenet
    assert_equal_but(classifiers.load(path), tensors, [])
    model = classifiers.load(str(path), num_classes=7)
    assert (model.name, model.output_shape) == ("lenet5", (None, 7))
    assert_equal_but(model, tensors, ["fc5"])
    model = classifiers.load(path, include_top=False, pooling="avg", input_shape=(40, 40, 1))
    assert (model.input_shape, model.output_shape) == ((None, 40, 40, 1), (None, 120))


def test_load_the_folder_of_a_run(tmp_path):
    """The images of a run's network have the size that it was trained with."""
    tensors = he_tensors(classifiers.shapes("lenet5", num_classes=3, size=(40, 40)))
    loaded = LoadedWeights("some", "lenet5", "unit", tensors, image_size=40)
    weights_files.write(tmp_path / "model.weights.h5", loaded, source="here", license="CC0-1.0")
    model = classifiers.load(tmp_path)
    assert (model.input_shape, model.output_shape) == ((None, 40, 40, 1), (None, 3))
    assert_equal_but(model, tensors, [])
    assert_equal_but(classifiers.build("lenet5", weights=tmp_path), tensors, [])


def test_load_a_name(lenet, monkeypatch):
    """A name or an alias stands for its ImageNet weights, and registered weights for their network."""
    tensors = he_tensors(classifiers.shapes("squeezenet1_1"))
    asked = []

    def load(weights, *, architecture=None):
        asked.append((weights, architecture))
        return LoadedWeights("some", "squeezenet1_1", "caffe", tensors)

    monkeypatch.setattr("stylezoo.weights.load", load)
    for name in ("squeezenet1_1", "squeezenet1_1.ndf"):
        assert_equal_but(classifiers.load(name, input_shape=(64, 64, 3)), tensors, [])
    assert asked == [("imagenet", "squeezenet1_1"), ("squeezenet1_1.ndf", None)]
    with pytest.raises(
        WeightsError, match=r"of the architecture vgg16. Received: some, of squeeze"
    ):
        classifiers.build("vgg16", weights=LoadedWeights("some", "squeezenet1_1", "caffe", tensors))


def test_load_refuses(tmp_path):
    message = "`model` must be one of lenet5, .*, a weights file or the folder .*'nothing'"
    with pytest.raises(ValueError, match=message):
        classifiers.load("nothing")
    with pytest.raises(WeightsError, match="the path of a file or a run's folder"):
        classifiers.load(tmp_path)
    (tmp_path / "x.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    with pytest.raises(WeightsError, match="`architecture` must be given for a file that another"):
        classifiers.load(tmp_path / "x.safetensors")


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_probabilities(dtype, lenet):
    _, path = lenet
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        scores = classifiers.load(path)
        probabilities = classifiers.load(path, classifier_activation="softmax")
    finally:
        keras.config.set_dtype_policy(before)
    images = random_image(28, 28, batch=2)[..., :1]
    expected = tf.nn.softmax(tf.cast(scores(images), tf.float32))
    assert probabilities(images).dtype == tf.float32
    np.testing.assert_allclose(probabilities(images), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="`model` must give scores"):
        classifiers.classify(probabilities, [])


def test_models_with_weights_in_a_package_index():
    found = classifiers.list_models(pretrained=True)
    assert found == ("squeezenet1_1", "efficientnet_lite0")


# Auxiliary heads


def test_auxiliary_heads():
    model = classifiers.build("googlenet_bn", num_classes=4, input_shape=(96, 96, 3))
    whole = classifiers.with_auxiliary_heads(model)
    assert {name: each.shape for name, each in whole.output.items()} == {
        "scores": (None, 4),
        "aux1": (None, 4),
        "aux2": (None, 4),
    }
    expected = classifiers.shapes("googlenet_bn", num_classes=4, size=(96, 96), auxiliary=True)
    assert variables(whole) == expected
    images = random_image(96, 96)
    np.testing.assert_array_equal(whole(images)["scores"], model(images))
    # aux1 hangs below inception_4b and the layers are shared, not copied.
    assert whole.get_layer("inception_4b_1x1") is model.get_layer("inception_4b_1x1")
    with tf.GradientTape() as tape:
        score = tf.reduce_sum(whole(images)["aux1"])
    below, above = (model.get_layer(f"inception_{name}_1x1").kernel.value for name in ("4a", "4b"))
    gradients = tape.gradient(score, [below, above])
    assert np.ptp(gradients[0]) > 0
    assert gradients[1] is None


def test_networks_without_auxiliary_heads():
    whole = classifiers.with_auxiliary_heads(classifiers.build("lenet5"))
    assert list(whole.output) == ["scores"]
