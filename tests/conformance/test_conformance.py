"""What every public layer and loss must do; a new one needs a case here.

`jit_compile` and `tf.function` reorder float32 sums: 1e-5 relative, or as a norm for gradients.
"""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import layers, losses

RTOL = 1e-5
SIZES = ((8, 12), (13, 7))
TAPS = ("a", "b")


@dataclasses.dataclass(frozen=True)
class Case:
    """How to make one; `name` tells cases of the same class apart."""

    make: Callable[[], Any]
    name: str = ""

    def __str__(self):
        return " ".join(filter(None, [type(self.make()).__name__, self.name]))


LAYERS = [
    *(Case(lambda mode=mode: layers.Preprocess(mode), mode) for mode in layers.PREPROCESSINGS),
]
LOSSES = [
    *(
        Case(lambda scale=scale: losses.ContentLoss(TAPS, scale=scale), scale)
        for scale in ("mean", "half_sum", "relative")
    ),
    Case(lambda: losses.ActivationLoss(TAPS)),
    Case(lambda: losses.TotalVariationLoss()),
    Case(lambda: losses.TotalVariationLoss(beta=1.0), "isotropic"),
    Case(lambda: losses.GramLoss(TAPS)),
    Case(lambda: losses.GramLoss(TAPS, relative=False, layer_weights=[1, 2]), "absolute"),
    Case(lambda: losses.MomentsLoss(TAPS)),
    Case(lambda: losses.SlicedWassersteinLoss(TAPS)),
]

all_layers = pytest.mark.parametrize("case", LAYERS, ids=str)
all_losses = pytest.mark.parametrize("case", LOSSES, ids=str)
all_modes = pytest.mark.parametrize("jit_compile", [False, True], ids=["function", "jit"])


def public_classes(package, base):
    found = {getattr(package, name) for name in package.__all__}
    return {
        each
        for each in found
        if inspect.isclass(each) and issubclass(each, base) and not inspect.isabstract(each)
    }


@pytest.mark.parametrize(
    ("package", "base", "cases"),
    [(layers, keras.layers.Layer, LAYERS), (losses, losses.LossTerm, LOSSES)],
    ids=["layers", "losses"],
)
def test_every_public_class_has_a_case(package, base, cases):
    public = public_classes(package, base)
    assert public  # the search works at all
    assert public == {type(case.make()) for case in cases}


def assert_close(got, expected):
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape
    assert np.linalg.norm(got - expected) <= RTOL * np.linalg.norm(expected)


# Layers


@all_layers
def test_layer_is_rebuilt_from_its_config(case):
    layer = case.make()
    rebuilt = type(layer).from_config(layer.get_config())
    assert rebuilt.get_config() == layer.get_config()
    image = random_image(*SIZES[0])
    np.testing.assert_array_equal(rebuilt(image), layer(image))


@all_layers
def test_layer_in_a_saved_model_loads_without_custom_objects(case, tmp_path):
    images = keras.Input([None, None, 3])
    model = keras.Model(images, case.make()(images))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for size in SIZES:
        image = random_image(*size)
        np.testing.assert_array_equal(loaded(image), model(image))


@all_layers
@all_modes
def test_layer_compiled_equals_eager_at_two_sizes(case, jit_compile):
    layer = case.make()
    function = tf.function(layer, jit_compile=jit_compile)
    for size in SIZES:
        image = random_image(*size, batch=2)
        expected = layer(image)
        assert layer.compute_output_shape(image.shape) == expected.shape
        assert_close(function(image), expected)


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

    function = tf.function(evaluate, jit_compile=jit_compile)
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


@all_losses
def test_loss_adds_up_over_tiles_if_it_says_so(case):
    """`represent` of two halves, added, is that of the whole; variation is not tiled."""
    term = case.make()
    if term.taps == (losses.IMAGE,):
        return
    picture, target = features((8, 12), 0), term.target(features((8, 12), 1))

    def half(values, part, height):
        return values[:, part * height : (part + 1) * height]

    def window(part, height):
        return losses.Window(part * height, 0, height, 10**6)

    parts = []
    for part in (0, 1):
        cut = {"a": half(picture["a"], part, 4), "b": half(picture["b"], part, 2)}
        cropped = term.crop(target, {"a": window(part, 4), "b": window(part, 2)})
        parts.append(term.represent(cut, cropped))
    if not term.additive:
        assert parts[0]["a"].shape != term.represent(picture, target)["a"].shape
        return
    for key, whole in term.represent(picture, target).items():
        assert_close(parts[0][key] + parts[1][key], whole)
