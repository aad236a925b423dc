"""Attributions against a backward pass written in NumPy, finite differences and what the papers promise."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import assert_gradient, build, random_image

from stylezoo import visualize
from stylezoo.visualize import AttributionConfig, Direction, Unit, WeightedSum
from stylezoo.weights.input_scaling import IMAGENET_MEAN

RTOL = 2e-5  # float32 sums of a few hundred products, in another order
HEIGHT, WIDTH = 8, 10


def small_network(form="layer", *, limit=None):
    """Two convolutions with ReLUs in between, pooling, and scores; the ReLUs in one form or another."""
    random = np.random.default_rng(0)
    activation = "relu" if limit is None else "relu6"
    relu = keras.ops.relu if limit is None else keras.ops.relu6

    def conv(x, filters, name):
        fused = activation if form == "fused" else None
        x = keras.layers.Conv2D(filters, 3, padding="same", activation=fused, name=name)(x)
        if form == "layer":
            x = keras.layers.ReLU(limit)(x)
        if form == "activation":
            x = keras.layers.Activation(activation)(x)
        return relu(x) if form == "operation" else x

    image = keras.Input([HEIGHT, WIDTH, 3])
    first = conv(image, 4, "first")
    second = conv(keras.layers.MaxPooling2D(2)(first), 5, "second")
    if form == "nested":
        part = keras.Model(image, second)
        image = keras.Input([HEIGHT, WIDTH, 3])
        second = keras.layers.ReLU(limit)(part(image))
    scores = keras.layers.Dense(6, name="scores")(keras.layers.Flatten()(second))
    outputs = {"second": second, "scores": scores}
    if form != "nested":
        outputs["first"] = first
    model = keras.Model(image, outputs)
    for variable in model.weights:
        scale = 6.0 if limit else 1.0  # so that some features are above 6
        fan_in = max(np.prod(variable.shape[:-1]), 1)
        variable.assign(scale * random.standard_normal(variable.shape) / np.sqrt(fan_in))
    return model


# A backward pass in NumPy


def convolve(x, kernel, bias):
    """[H, W, C] with zeros outside, and the patches it saw."""
    padded = np.pad(x, [(1, 1), (1, 1), (0, 0)])
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    return np.einsum("hwcij,ijcd->hwd", patches, kernel) + bias


def convolve_back(gradient, kernel):
    height, width, _ = gradient.shape
    padded = np.zeros((height + 2, width + 2, kernel.shape[2]))
    for i in range(3):
        for j in range(3):
            padded[i : i + height, j : j + width] += gradient @ kernel[i, j].T
    return padded[1:-1, 1:-1]


def pool(x):
    height, width, channels = x.shape
    blocks = x.reshape(height // 2, 2, width // 2, 2, channels).transpose(0, 2, 4, 1, 3)
    return blocks.max(axis=(3, 4)), blocks


def pool_back(gradient, blocks):
    first = blocks.reshape(*blocks.shape[:3], 4).argmax(axis=-1)
    spread = np.eye(4)[first].reshape(blocks.shape) * gradient[..., None, None]
    rows, columns, channels = gradient.shape
    return spread.transpose(0, 3, 1, 4, 2).reshape(2 * rows, 2 * columns, channels)


RULES = {
    "gradient": lambda x, gradient, limit: gradient * ((x > 0) & (x < limit)),
    "guided_backprop": lambda x, gradient, limit: (
        gradient * ((x > 0) & (x < limit) & (gradient > 0))
    ),
    "deconvnet": lambda x, gradient, limit: gradient * (gradient > 0),
}


def backward(model, image, channel, method, limit):
    """Return a class's gradient with respect to the picture, [H, W, 3], and the features of `second`."""
    first, second, scores = (
        [np.asarray(each, np.float64) for each in model.get_layer(name).get_weights()]
        for name in ("first", "second", "scores")
    )
    limit = np.inf if limit is None else limit
    x1 = convolve(image, *first)
    pooled, blocks = pool(np.clip(x1, 0, limit))
    x2 = convolve(pooled, *second)
    on_features = scores[0][:, channel].reshape(x2.shape)
    gradient = RULES[method](x2, on_features, limit)
    gradient = pool_back(convolve_back(gradient, second[0]), blocks)
    gradient = convolve_back(RULES[method](x1, gradient, limit), first[0])
    return gradient, np.clip(x2, 0, limit), on_features


def picture(batch=1, seed=0):
    return random_image(HEIGHT, WIDTH, batch=batch, seed=seed)


def attribute(model, images, method, objective=None, **options):
    objective = objective or Unit("scores", 2)
    config = AttributionConfig(method, **options)
    return visualize.Attribution(model, objective, config)(images)


def assert_close(got, expected):
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape
    assert np.linalg.norm(expected) > 0
    assert np.linalg.norm(got - expected) <= RTOL * np.linalg.norm(expected)


@pytest.mark.parametrize("method", RULES)
@pytest.mark.parametrize("limit", [None, 6.0])
@pytest.mark.parametrize("form", ["layer", "activation", "operation", "fused"])
def test_equals_a_backward_pass_in_numpy(method, limit, form):
    model, images = small_network(form, limit=limit), picture(batch=2)
    got = attribute(model, images, method)
    for index in range(2):
        expected, *_ = backward(model, images[index].numpy().astype(float), 2, method, limit)
        assert_close(got[index], expected)


def test_methods_differ():
    """The methods differ, so that the test above can fail."""
    model, images = small_network(), picture()
    gradients = [attribute(model, images, method).numpy() for method in RULES]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.linalg.norm(gradients[one] - gradients[other]) > 0.1


def test_limit_is_reached():
    """Features reach the limit, so that ReLU6 is more than a ReLU in the test above."""
    features = small_network(limit=6.0)(picture())
    assert np.mean(features["first"] == 6) > 0.05
    assert np.mean(features["second"] == 6) > 0.05


def test_grad_cam_equals_numpy():
    model, images = small_network(), picture()
    _, features, on_features = backward(model, images[0].numpy().astype(float), 2, "gradient", None)
    weights = on_features.mean(axis=(0, 1))
    expected = np.maximum(features @ weights, 0)
    got = attribute(model, images, "grad_cam", cam_layer="second")
    assert got.shape == (1, HEIGHT, WIDTH, 1)
    # Bilinear enlargement by 2 puts two samples on each side of every feature.
    blocks = got[0, :, :, 0].numpy().reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3))
    inner = np.s_[1:-1, 1:-1]
    smooth = tf.image.resize(expected[None, :, :, None], (HEIGHT, WIDTH))[0, :, :, 0].numpy()
    assert_close(got[0, :, :, 0], smooth)
    assert np.abs(blocks - expected)[inner].max() < expected.max()


def test_guided_grad_cam_is_the_product():
    model, images = small_network(), picture()
    product = attribute(model, images, "guided_backprop") * attribute(
        model, images, "grad_cam", cam_layer="second"
    )
    assert_close(attribute(model, images, "guided_grad_cam", cam_layer="second"), product)


def test_gradient_against_finite_differences():
    model = small_network()
    objective = WeightedSum(
        (
            (1.0, Unit("scores", 1)),
            (0.5, Unit("second", 3, "centre")),
            (-2.0, Direction("second", {0: 1.0, 4: -0.5})),
            (1.0, Unit("first", 2, (3, 4))),
        )
    )
    # Steps small enough to stay, nearly always, within the linear pieces of ReLUs and maxima.
    assert_gradient(lambda x: objective(model(x))[0], picture(), step=2e-4)


def test_integrated_gradients_are_complete():
    """Integrated gradients add up to the difference in score, which is the paper's axiom."""
    model, images = small_network(), picture()
    score = Unit("scores", 2)
    attribution = attribute(model, images, "integrated_gradients", steps=200)
    difference = score(model(images)) - score(model(tf.zeros_like(images)))
    # 200 midpoints of a piecewise linear function with some hundred pieces.
    np.testing.assert_allclose(tf.reduce_sum(attribution), difference[0], rtol=1e-2)


def test_smoothgrad_without_noise_is_the_gradient():
    model, images = small_network(), picture()
    gradient = attribute(model, images, "gradient")
    assert_close(attribute(model, images, "smoothgrad", samples=2, noise=0.0), gradient)
    noisy = attribute(model, images, "smoothgrad", samples=20)
    assert 0.01 < np.linalg.norm(noisy - gradient) / np.linalg.norm(gradient) < 1
    np.testing.assert_array_equal(noisy, attribute(model, images, "smoothgrad", samples=20))


def test_occlusion_equals_hiding_square_by_square():
    model, images = small_network(), picture(batch=2)
    side, stride = 4, 3
    score = lambda pixels: np.asarray(model(tf.constant(pixels))["scores"][:, 2])  # noqa: E731
    falls, counts = np.zeros([2, HEIGHT, WIDTH]), np.zeros([HEIGHT, WIDTH])
    for top in range(stride - side, HEIGHT, stride):
        for left in range(stride - side, WIDTH, stride):
            hidden = np.array(images)
            part = np.s_[max(top, 0) : top + side, max(left, 0) : left + side]
            hidden[:, *part] = IMAGENET_MEAN
            falls[:, *part] += (score(images) - score(hidden))[:, None, None]
            counts[part] += 1
    got = attribute(model, images, "occlusion", occluder=side, occluder_stride=stride)
    assert_close(got[..., 0], np.maximum(falls / counts, 0))


@pytest.mark.parametrize("method", visualize.METHODS)
def test_traced_equals_eager(method):
    cam_layer = "second" if "cam" in method else None
    config = AttributionConfig(method, cam_layer=cam_layer, occluder=4, occluder_stride=3)
    attribution = visualize.Attribution(small_network("fused"), Unit("scores", 2), config)
    traced = tf.function(attribution, autograph=False)
    for images in (picture(), picture(batch=2, seed=1)):
        assert_close(traced(images), attribution(images))


@pytest.mark.parametrize("form", ["layer", "activation", "operation", "fused", "nested"])
@pytest.mark.parametrize("rule", visualize.RULES)
def test_copy_leaves_the_model_as_it_is(form, rule):
    model, images = small_network(form), picture()
    config, weights = model.get_config(), model.get_weights()
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    before = model(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = model(images)["scores"]
    gradient = tape.gradient(scores, images)
    copy = visualize.with_rectifiers(model, rule)
    for tap, features in copy(images).items():
        np.testing.assert_array_equal(features, before[tap])
    assert model.get_config() == config
    assert [len(layer._inbound_nodes) for layer in model.layers] == nodes
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = model(images)["scores"]
    np.testing.assert_array_equal(tape.gradient(scores, images), gradient)


@pytest.mark.parametrize(
    "architecture", ["squeezenet1_1", "efficientnet_lite0", "vgg16", "resnet18"]
)
def test_networks_of_the_zoo(architecture):
    """Guided backprop keeps the scores of every kind of network, and differs from the gradient."""
    taps = {"squeezenet1_1": "fire2", "efficientnet_lite0": "block2a", "vgg16": "relu2_1"}
    tap = taps.get(architecture, "layer1_block1")
    model, images = build(architecture, [tap], divisor=4), random_image(32, 32)
    objective = Direction(tap, dict.fromkeys(range(model.output[tap].shape[-1]), 1.0))
    gradient = attribute(model, images, "gradient", objective)
    guided = attribute(model, images, "guided_backprop", objective)
    assert np.linalg.norm(guided - gradient) > 0.01 * np.linalg.norm(gradient)


def test_deconvnet_depends_on_the_picture_by_switches_alone():
    """Without maximum pooling deconvnet's map of one picture is that of every other."""
    image = keras.Input([HEIGHT, WIDTH, 3])
    features = keras.layers.Conv2D(4, 3, activation="relu")(image)
    scores = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(features))
    network = keras.Model(image, {"scores": scores}, name="plain")
    maps = [
        attribute(network, picture(seed=seed), "deconvnet", Unit("scores", 1)) for seed in (1, 2)
    ]
    np.testing.assert_array_equal(*maps)
    assert visualize.unsuitable_methods(network) == {
        "deconvnet": "plain has no maximum pooling, whose switches alone tell it of the picture"
    }
    for form in ("layer", "fused", "activation", "operation", "nested"):
        assert visualize.unsuitable_methods(small_network(form)) == {}
    smooth = keras.Sequential(
        [keras.Input([4, 4, 3]), keras.layers.Conv2D(2, 1, activation="silu")]
    )
    assert set(visualize.unsuitable_methods(smooth)) == {
        "deconvnet",
        "guided_backprop",
        "guided_grad_cam",
    }


def test_redirected_gradient_wakes_a_silent_unit():
    image = keras.Input([4, 4, 3])
    x = keras.layers.Conv2D(
        2, 1, activation="relu", bias_initializer=keras.initializers.Constant(-9)
    )
    model = keras.Model(image, {"out": x(image)})
    images = tf.zeros([1, 4, 4, 3])
    assert not np.any(attribute(model, images, "gradient", Unit("out", 0)))
    copy = visualize.with_rectifiers(model, "redirected")
    assert np.any(attribute(copy, images, "gradient", Unit("out", 0)))
    # A unit that is not silent keeps its gradient.
    awake = small_network()
    objective, images = Unit("second", 1), picture()
    redirected = visualize.with_rectifiers(awake, "redirected")
    assert_close(
        attribute(redirected, images, "gradient", objective),
        attribute(awake, images, "gradient", objective),
    )


def test_pictures_of_attributions():
    attribution = tf.constant(np.linspace(-1, 2, 2 * 4 * 5 * 3).reshape(2, 4, 5, 3), tf.float32)
    for shown in (visualize.colours(attribution), visualize.magnitudes(attribution)):
        assert shown.shape == (2, 4, 5, 3)
        assert 0 <= float(tf.reduce_min(shown)) < float(tf.reduce_max(shown)) <= 1
    np.testing.assert_array_equal(visualize.colours(tf.zeros([1, 4, 5, 3])), 0.5)
    np.testing.assert_array_equal(visualize.magnitudes(tf.zeros([1, 4, 5, 3])), 0)
    level = tf.constant([0.0, 0.25, 0.5, 0.75, 1.0])[None, None, :, None]
    jet = 2 * visualize.heat(level, tf.zeros([1, 1, 5, 3]))[0, 0]
    expected = [[0, 0, 0.5], [0, 0.5, 1], [0.5, 1, 0.5], [1, 0.5, 0], [0.5, 0, 0]]
    np.testing.assert_allclose(jet, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (Unit("third", 0), "`layer` must be among second, scores, first. Received: third"),
        (Unit("scores", 6), "`channel` of scores must be from 0 to 5. Received: 6"),
        (Unit("second", -1), "`channel` of second must be from 0 to 4. Received: -1"),
        (Direction("second", {0: 1.0, 7: 1.0}), "from 0 to 4. Received: 7"),
        (Direction("second", {}), "from 0 to 4. Received: none"),
        (Unit("second", 0, (4, 0)), "`position` of second .* of 4x5 features. Received: 4,0"),
        (Unit("second", 0, "left"), "`position` must be one of all, centre, strongest, or a row"),
        (Unit("scores", 0, (0, 0)), "`position` must not be given for scores"),
        (WeightedSum(((1.0, Unit("scores", 9)),)), "from 0 to 5. Received: 9"),
    ],
)
def test_bad_objectives(objective, message):
    with pytest.raises(ValueError, match=message):
        visualize.Attribution(small_network(), objective, AttributionConfig())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"method": "lrp"},
            "`method` must be one of gradient, deconvnet, .* Received: method='lrp'",
        ),
        ({"method": "grad_cam"}, "`cam_layer` must be given for grad_cam"),
        ({"samples": 0}, "`samples` must be >= 1. Received: samples=0"),
        ({"steps": 0}, "`steps` must be >= 1"),
        ({"noise": -1.0}, "`noise` must be >= 0"),
    ],
)
def test_bad_configs(options, message):
    with pytest.raises(ValueError, match=message):
        AttributionConfig(**options)


def test_layers_that_do_not_fit():
    with pytest.raises(ValueError, match=r"`cam_layer` must be among .* Received: third"):
        attribute(small_network(), picture(), "grad_cam", cam_layer="third")
    with pytest.raises(ValueError, match=r"`cam_layer` must come before first. Received: second"):
        attribute(small_network(), picture(), "grad_cam", Unit("first", 0), cam_layer="second")
    with pytest.raises(ValueError, match="`rule` must be one of guided, deconvnet, redirected"):
        visualize.with_rectifiers(small_network(), "signed")
    image = keras.Input([4, 4, 3])
    linear = keras.Model(image, {"out": keras.layers.Conv2D(2, 1)(image)})
    with pytest.raises(ValueError, match="`model` must have ReLUs"):
        visualize.with_rectifiers(linear, "guided")
