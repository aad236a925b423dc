"""What every public layer, loss, generator and classifier must do; a new one needs a case here.

`jit_compile` and `tf.function` reorder float32 sums: 1e-5 relative, or as a norm for gradients.
AutoGraph, which finds no Python loops to convert, takes half the time of a trace; losses and
generators are traced with it in one test each, since users may do so.
"""

import dataclasses
import functools
import inspect
import json
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import build, random_image, randomize

from stylezoo import classifiers, generators, layers, losses, painting

RTOL = 1e-5
SIZES = ((8, 12), (13, 7))
TAPS = ("a", "b")


def picture(height, width):
    return [(height, width, 3)]


@dataclasses.dataclass(frozen=True)
class Case:
    """How to make one; `name` tells cases of the same class apart.

    `inputs` gives the shape of each input of a layer, without the batch, for a picture's size.
    """

    make: Callable[[], Any]
    name: str = ""
    inputs: Callable[[int, int], list[tuple[int, ...]]] = picture

    def __str__(self):
        return " ".join(filter(None, [type(self.make()).__name__, self.name]))

    def symbolic_inputs(self):
        """Of any batch, height and width."""
        shapes = self.inputs(*SIZES[0])
        return [keras.Input([*[None] * (len(shape) - 1), shape[-1]]) for shape in shapes]

    def random_inputs(self, size, *, batch=1):
        random = np.random.default_rng(0)
        return [
            tf.constant(random.uniform(size=(batch, *shape)), tf.float32)
            for shape in self.inputs(*size)
        ]


LAYERS = [
    *(Case(lambda mode=mode: layers.Preprocess(mode), mode) for mode in layers.PREPROCESSINGS),
    Case(layers.Luminance),
    Case(layers.UnitClip),
    Case(layers.Standardize),
    Case(lambda: layers.Limit(0.5)),
    Case(layers.InstanceNormalization),
    Case(
        lambda: layers.ConditionalInstanceNormalization(2),
        inputs=lambda height, width: [(height, width, 3), (2,)],
    ),
    Case(
        layers.PredictedInstanceNormalization,
        inputs=lambda height, width: [(height, width, 3), (5,)],
    ),
    *(Case(lambda mode=mode: layers.MirrorPadding(2, mode), mode) for mode in ("reflect", "wrap")),
    Case(lambda: layers.Margin(2)),
    Case(lambda: layers.CutMargin(2)),
    Case(lambda: layers.PadToMultiple(4)),
    Case(lambda: layers.PadToMultiple(8, 24), "minimum"),
    Case(
        layers.CropTo,
        inputs=lambda height, width: [(height + 3, width + 1, 3), (height, width, 4)],
    ),
    Case(
        lambda: layers.CropTo(2),
        "factor",
        inputs=lambda height, width: [(2 * height + 1, 2 * width + 3, 3), (height, width, 4)],
    ),
    Case(layers.NearestUpsampling),
    Case(layers.BilinearUpsampling),
    Case(lambda: layers.BilinearConv2D(4)),
    Case(lambda: layers.BilinearConv2D(2, use_bias=False), "no bias"),
    Case(lambda: layers.LocalResponseNormalization(alpha=0.5)),
    Case(
        lambda: layers.GroupedConv2D(6, 3, groups=2, padding="same"),
        inputs=lambda height, width: [(height, width, 4)],
    ),
]
LOSSES = [
    *(
        Case(lambda scale=scale: losses.ContentLoss(TAPS, scale=scale), scale)
        for scale in ("mean", "half_sum", "relative")
    ),
    Case(lambda: losses.ActivationLoss(TAPS)),
    Case(lambda: losses.TotalVariationLoss()),
    Case(lambda: losses.TotalVariationLoss(beta=1.0), "isotropic"),
    Case(lambda: losses.L2Loss((0.4, 0.5, 0.6))),
    Case(lambda: losses.TemporalLoss()),
    Case(lambda: losses.GramLoss(TAPS)),
    Case(lambda: losses.GramLoss(TAPS, relative=False, layer_weights=[1, 2]), "absolute"),
    Case(lambda: losses.MomentsLoss(TAPS)),
    Case(lambda: losses.SlicedWassersteinLoss(TAPS)),
    Case(lambda: losses.HistogramLoss(TAPS)),
    Case(lambda: losses.MRFLoss(TAPS, memory=50_000)),
    Case(lambda: losses.MRFLoss(TAPS, stride=2, scale="overlaps"), "stride"),
    Case(lambda: losses.NeighborLoss(TAPS)),
    Case(lambda: losses.NeighborLoss(TAPS, hypercolumns=False), "by layers"),
]
# Of every kind of normalisation, upsampling and padding, a few channels wide.
GENERATORS = [
    Case(lambda: generators.JohnsonConfig((2, 3, 4), num_blocks=1, kernel=3)),
    Case(
        lambda: generators.JohnsonConfig(
            (2, 3, 4), normalization="batch", upsampling="transposed", padding="once"
        ),
        "batch transposed once",
    ),
    Case(
        lambda: generators.JohnsonConfig(
            (2, 3, 4),
            num_blocks=1,
            normalization="conditional",
            padding="zero",
            normalize_output=True,
            num_styles=2,
        ),
        "conditional zero",
    ),
    *(
        Case(
            lambda output=output: generators.JohnsonConfig(
                (2, 3, 4),
                num_blocks=1,
                padding="same",
                expanding_widths=(3, 5),
                output=output,
                centred=False,
            ),
            f"same {output}",
        )
        for output in ("tanh", "linear")
    ),
    Case(lambda: generators.LightConfig((2, 3), num_blocks=1, num_styles=3)),
    *(
        Case(
            lambda normalization=normalization: generators.ArbitraryConfig(
                (2, 3, 4),
                num_blocks=1,
                kernel=3,
                vector_size=5,
                prediction_width=0.05,
                normalization=normalization,
            ),
            normalization,
        )
        for normalization in ("batch", "none")
    ),
    Case(lambda: generators.TextureNetworkConfig(channels=2, num_scales=2)),
    Case(
        lambda: generators.TextureNetworkConfig(
            stylize=True, channels=2, num_scales=2, normalization="batch"
        ),
        "stylize batch",
    ),
    Case(lambda: generators.SuperResolutionConfig(width=2, num_blocks=1)),
    Case(
        lambda: generators.SuperResolutionConfig(
            factor=8, width=2, num_blocks=1, upsampling="transposed"
        ),
        "x8 transposed",
    ),
]

# One of each family: (architecture, deepest tap of a thin trunk; None for all with its head).
CLASSIFIERS = [
    ("lenet5", None),
    ("squeezenet1_1", None),
    ("alexnet", "pool5"),
    ("vgg_a_lrn", "relu3_1"),
    ("googlenet", "inception_4a"),
    ("resnet18", "layer2_block1"),
    ("efficientnet_lite0", "block3a"),
]

all_layers = pytest.mark.parametrize("case", LAYERS, ids=str)
all_losses = pytest.mark.parametrize("case", LOSSES, ids=str)
all_generators = pytest.mark.parametrize("case", GENERATORS, ids=str)
all_classifiers = pytest.mark.parametrize("case", CLASSIFIERS, ids=lambda case: case[0])
all_modes = pytest.mark.parametrize("jit_compile", [False, True], ids=["function", "jit"])


def public_classes(package, base):
    found = (getattr(package, name) for name in package.__all__)
    return {
        each
        for each in found
        if inspect.isclass(each) and issubclass(each, base) and not inspect.isabstract(each)
    }


@pytest.mark.parametrize(
    ("package", "base", "cases"),
    [
        (layers, keras.layers.Layer, LAYERS),
        (losses, losses.LossTerm, LOSSES),
    ],
    ids=["layers", "losses"],
)
def test_every_public_class_has_a_case(package, base, cases):
    public = public_classes(package, base)
    assert public  # the search works at all
    assert public == {type(case.make()) for case in cases}


def test_every_public_class_of_painters_has_a_case():
    public = public_classes(generators, generators.Painter) - {generators.Painter}
    assert public == set(generators.FAMILIES.values())
    assert public == {type(network(case)) for case in GENERATORS}


def assert_close(got, expected):
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape
    assert np.linalg.norm(got - expected) <= RTOL * np.linalg.norm(expected)


# Layers


def trained(case):
    layer = case.make()
    layer(*case.symbolic_inputs())
    randomize(layer.weights)
    return layer


@all_layers
def test_layer_is_rebuilt_from_its_config(case):
    layer, inputs = trained(case), case.random_inputs(SIZES[0])
    rebuilt = type(layer).from_config(layer.get_config())
    assert rebuilt.get_config() == layer.get_config()
    rebuilt(*inputs)
    rebuilt.set_weights(layer.get_weights())
    np.testing.assert_array_equal(rebuilt(*inputs), layer(*inputs))


@all_layers
def test_layer_in_a_saved_model_loads_without_custom_objects(case, tmp_path):
    inputs = case.symbolic_inputs()
    model = keras.Model(inputs, trained(case)(*inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for size in SIZES:
        given = case.random_inputs(size)
        np.testing.assert_array_equal(loaded(given), model(given))


@all_layers
@all_modes
def test_layer_compiled_equals_eager_at_two_sizes(case, jit_compile):
    layer = trained(case)
    function = tf.function(layer.__call__, autograph=False, jit_compile=jit_compile)
    for size in SIZES:
        inputs = case.random_inputs(size, batch=2)
        expected = layer(*inputs)
        symbolic = layer(*(keras.Input(batch_shape=each.shape) for each in inputs))
        assert symbolic.shape == expected.shape
        assert_close(function(*inputs), expected)


# Losses


def features(size, seed, *, batch=1):
    """A picture and the features of two layers, some zero as after a ReLU."""
    random = np.random.default_rng(seed)
    half = [side // 2 for side in size]
    drawn = {
        "a": random.standard_normal((batch, *size, 3)).clip(min=0),
        "b": random.standard_normal((batch, *half, 4)).clip(min=0),
        losses.IMAGE: random.uniform(size=(batch, *size, 3)),
    }
    return {tap: tf.constant(values, tf.float32) for tap, values in drawn.items()}


@all_losses
@all_modes
def test_loss_compiled_equals_eager_at_two_sizes(case, jit_compile):
    term = case.make()

    def evaluate(picture, target):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            value = term(picture, target)
        return value, tape.gradient(value, [picture[tap] for tap in term.taps])

    function = tf.function(evaluate, autograph=False, jit_compile=jit_compile)
    for size in SIZES:
        target = term.target(features(size, 1))
        picture = features(size, 0, batch=2)
        value, gradients = function(picture, target)
        expected, expected_gradients = evaluate(picture, target)
        assert value.dtype == tf.float32
        assert value.shape == ()
        assert_close(value, expected)
        for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
            assert_close(gradient, expected_gradient)


@all_losses
def test_loss_serves_a_new_target_without_retracing(case):
    term = case.make()
    traces = []

    @tf.function
    def evaluate(picture, target):
        traces.append(1)
        return term(picture, target)

    for seed in (1, 2):
        target = term.target(features(SIZES[0], seed))
        assert_close(evaluate(features(SIZES[0], 0), target), term(features(SIZES[0], 0), target))
    assert len(traces) == 1


@pytest.mark.parametrize(
    "case",
    [case for case in LOSSES if case.make().additive and case.make().taps != (losses.IMAGE,)],
    ids=str,
)
def test_loss_adds_up_over_tiles_if_it_says_so(case):
    """The statistics of two halves add up to those of the whole; the variation is not tiled."""
    term = case.make()
    picture = features((8, 12), 0)
    target = term.match(picture, term.target(features((8, 12), 1)))

    def half(values, part, height):
        return values[:, part * height : (part + 1) * height]

    def window(part, height):
        return losses.Window(part * height, 0, height, 10**6)

    parts = []
    for part in (0, 1):
        cut = {"a": half(picture["a"], part, 4), "b": half(picture["b"], part, 2)}
        cropped = term.crop(target, {"a": window(part, 4), "b": window(part, 2)})
        parts.append(term.represent(cut, cropped))
    whole = term.represent(picture, target)
    assert whole.keys() == parts[0].keys() == parts[1].keys()
    for key, each in whole.items():
        assert_close(parts[0][key] + parts[1][key], each)


# Generators


@functools.cache
def network(case):
    """A model with random weights, which tests must not change."""
    built = generators.build(case.make())
    randomize(built.weights)
    return built


def generator_inputs(case, size, *, batch=1):
    painter = network(case)
    if painter.paints == generators.TEXTURES:
        return painter.noise(size, batch=batch)
    columns = getattr(painter.config, "vector_size", max(painter.config.num_styles, 1))
    style = np.random.default_rng(0).dirichlet(np.ones(columns), batch)
    return painter.inputs_for(
        random_image(*size, batch=batch),
        style=tf.constant(style, tf.float32),
        varied=True,
    )


@all_generators
def test_generator_is_rebuilt_from_its_config(case):
    """JSON can hold the configuration; with the weights a painter made of it paints the same."""
    painter, inputs = network(case), generator_inputs(case, SIZES[0])
    config = json.loads(json.dumps(painter.get_config()))
    rebuilt = type(painter).from_config(config)
    assert (rebuilt.config, rebuilt.style_rows) == (painter.config, painter.style_rows)
    assert rebuilt.get_config() == painter.get_config()
    assert np.abs(rebuilt(inputs) - painter(inputs)).max() > 1e-3  # other random weights
    rebuilt.set_weights(painter.get_weights())
    np.testing.assert_array_equal(rebuilt(inputs), painter(inputs))


@all_generators
def test_generator_is_a_model_of_layers(case):
    """Keras's own tools can clone, cut and summarise a painter."""
    painter, inputs = network(case), generator_inputs(case, SIZES[0])
    lines = []
    painter.summary(print_fn=lines.append)
    assert f"{painter.count_params():,}" in "\n".join(lines)
    clone = keras.models.clone_model(painter)  # of Keras's functional class
    clone.set_weights([each for layer in painter.layers for each in layer.get_weights()])
    np.testing.assert_array_equal(clone(inputs), painter(inputs))
    cut = keras.Model(painter.input, painter.get_layer("conv_out").output)
    assert cut(inputs).shape[-1] in (1, 3)


@all_generators
def test_generator_paints_at_two_sizes_what_tf_function_does(case):
    factor = network(case).factor
    function = tf.function(network(case))
    for size in SIZES:
        inputs = generator_inputs(case, size, batch=2)
        painted = network(case)(inputs)
        assert painted.shape == (2, *(factor * side for side in size), 3)
        assert painted.dtype == tf.float32
        assert 0 <= np.min(painted) < np.max(painted) <= 1
        assert np.std(painted, axis=(1, 2)).min() > 1e-3
        assert_close(function(inputs), painted)


@all_generators
def test_generator_under_jit_equals_eager(case):
    inputs = generator_inputs(case, SIZES[1])
    compiled = tf.function(network(case), autograph=False, jit_compile=True)
    assert_close(compiled(inputs), network(case)(inputs))


@all_generators
def test_generator_saved_by_keras_loads_without_custom_objects(case, tmp_path):
    network(case).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(network(case))
    assert (loaded.config, loaded.styles) == (network(case).config, network(case).styles)
    inputs = generator_inputs(case, SIZES[1])
    np.testing.assert_array_equal(loaded(inputs), network(case)(inputs))


@all_generators
def test_generator_restores_from_a_checkpoint(case, tmp_path):
    path = tf.train.Checkpoint(network=network(case)).write(tmp_path / "checkpoint")
    fresh = generators.build(case.make())
    tf.train.Checkpoint(network=fresh).read(path).assert_consumed()
    for restored, saved in zip(fresh.weights, network(case).weights, strict=True):
        np.testing.assert_array_equal(restored.numpy(), saved.numpy())


@all_generators
@pytest.mark.parametrize("half", [False, True], ids=["single", "half"])
def test_generators_preset_holds_all_of_it(case, half, tmp_path):
    saved = generators.build(case.make())
    saved.set_weights(network(case).get_weights())
    saved.training_record = {"steps": 10, "sizes": [1, 2]}
    saved.save_to_preset(tmp_path / "model", half=half)
    loaded = type(saved).from_preset(tmp_path / "model")
    assert (loaded.config, loaded.styles) == (saved.config, saved.styles)
    assert loaded.training_record == saved.training_record
    for got, expected in zip(loaded.weights, network(case).weights, strict=True):
        assert got.path.split("/")[-2:] == expected.path.split("/")[-2:]
        # Half a unit of the 11 digits of float16.
        rtol = 2**-11 if half and len(got.shape) == 4 else 0
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=rtol, atol=0)


@all_generators
def test_generator_as_a_saved_model_serves_two_sizes(case, tmp_path):
    network(case).export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(tmp_path / "model").signatures["serving_default"]
    for size in SIZES:
        inputs = generator_inputs(case, size, batch=2)
        (painted,) = served(**inputs).values()
        assert_close(painted, network(case)(inputs))


@all_generators
def test_generator_converts_to_tflite_builtins(case, tmp_path):
    inputs = generator_inputs(case, SIZES[1])
    rewired = painting.rewire(network(case), lambda _, x: layers.instance_moments(x))
    static = {name: keras.Input(batch_shape=each.shape, name=name) for name, each in inputs.items()}
    keras.Model(static, rewired(static)).export(tmp_path / "model", verbose=False)
    # Its default is builtins only: whatever has none is an error.
    converted = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "model")).convert()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated")
        interpreter = tf.lite.Interpreter(model_content=converted)
    (painted,) = interpreter.get_signature_runner()(**inputs).values()
    assert_close(painted, network(case)(inputs))


# Classifiers


def test_every_family_of_classifiers_has_a_case():
    families = {classifiers.get(name).paper for name in classifiers.list_models()}
    # AlexNet's of 2014 has nothing that the others lack.
    assert {classifiers.get(name).paper for name, _ in CLASSIFIERS} == families - {
        "Krizhevsky 2014"
    }


@functools.cache
def classifier(case):
    """A model with random weights, which tests must not change."""
    name, tap = case
    if tap is None:
        return classifiers.build(name, num_classes=5)
    trunk = build(name, [tap], divisor=16)
    return keras.Model(trunk.input, trunk.output[tap])


def classifier_images(case, *, batch=1):
    """Not square where that may be."""
    _, height, width, channels = classifier(case).input_shape
    return random_image(height or 70, width or 81, batch=batch)[..., :channels]


@all_classifiers
@all_modes
def test_classifier_compiled_equals_eager(case, jit_compile):
    images = classifier_images(case, batch=2)
    expected = classifier(case)(images)
    assert np.ptp(expected) > 0
    function = tf.function(classifier(case), autograph=False, jit_compile=jit_compile)
    assert_close(function(images), expected)


@all_classifiers
def test_classifier_saved_by_keras_loads_without_custom_objects(case, tmp_path):
    classifier(case).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    images = classifier_images(case)
    np.testing.assert_array_equal(loaded(images), classifier(case)(images))


@all_classifiers
def test_classifier_as_a_saved_model_and_of_tflite_builtins(case, tmp_path):
    images = classifier_images(case)
    expected = classifier(case)(images)
    static = keras.Input(batch_shape=images.shape)
    keras.Model(static, classifier(case)(static)).export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(tmp_path / "model").signatures["serving_default"]
    (name,) = served.structured_input_signature[1]
    (scores,) = served(**{name: images}).values()
    assert_close(scores, expected)
    # Its default is builtins only: whatever has none is an error.
    converted = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "model")).convert()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated")
        interpreter = tf.lite.Interpreter(model_content=converted)
    (scores,) = interpreter.get_signature_runner()(**{name: images}).values()
    assert_close(scores, expected)
