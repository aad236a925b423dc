"""Styles added to a conditional network: whose rows go where, and that nothing else moves."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import generators, painting

CONFIGS = {
    "light": generators.LightConfig(widths=(3, 4), num_blocks=1),
    # Its last convolution has a bias, which is of the trunk.
    "johnson": generators.JohnsonConfig(
        (2, 3, 4), num_blocks=1, normalization="conditional", num_styles=1
    ),
}


def random_generator(config, styles, *, seed):
    """Return a painter with all weights at random, those of styles too."""
    painter = generators.build(config.with_styles(len(styles)), styles=styles)
    rng = np.random.default_rng(seed)
    for variable in painter.variables:
        variable.assign(rng.uniform(-0.5, 0.5, variable.shape).astype(np.float32))
    painter.training_record = {"seed": seed}
    return painter


def paint(generator, style_weights):
    inputs = {"image": random_image(16, 20), "style_weights": tf.constant([style_weights])}
    return generator(inputs).numpy()


def rows(generator):
    return [variable.numpy() for variable in generators.style_variables(generator)]


def trunk(generator):
    told = {id(variable) for variable in generators.style_variables(generator)}
    return [each.numpy() for each in generator.variables if id(each) not in told]


def assert_same(these, those):
    assert len(these) == len(those)
    for this, that in zip(these, those, strict=True):
        np.testing.assert_array_equal(this, that)


@pytest.fixture(params=CONFIGS)
def config(request):
    return CONFIGS[request.param]


def test_style_variables(config):
    generator = random_generator(config, ("a", "b", "c"), seed=0)
    variables = generators.style_variables(generator)
    normalized = len(painting.normalization_layers(generator))
    assert len(variables) == 2 * normalized
    assert {variable.name for variable in variables} == {"scale", "shift"}
    assert {variable.shape[0] for variable in variables} == {3}
    plain = generators.build(generators.JohnsonConfig((2, 3, 4), num_blocks=0))
    assert generators.style_variables(plain) == []


def test_blank_styles(config):
    """The same trunk; each new style is the mean of the old ones."""
    generator = random_generator(config, ("a", "b"), seed=0)
    blank = generators.blank_styles(generator, ["x", "y", "z"])
    assert blank.config == config.with_styles(3)
    assert blank.styles == ("x", "y", "z")
    assert_same(trunk(blank), trunk(generator))
    for new, old in zip(rows(blank), rows(generator), strict=True):
        # Of two float32 numbers.
        np.testing.assert_allclose(new, np.tile(old.mean(axis=0), (3, 1)), rtol=1e-6, atol=1e-8)
    # Which is the blend of them in equal parts, but for the order of the sum.
    np.testing.assert_allclose(
        paint(blank, [0.0, 1.0, 0.0]), paint(generator, [0.5, 0.5]), atol=1e-5
    )


def test_as_many_blank_styles_as_there_are_old_ones(config):
    """The shapes are equal then, and the means none the less."""
    generator = random_generator(config, ("a", "b"), seed=0)
    for new, old in zip(
        rows(generators.blank_styles(generator, ["x", "y"])), rows(generator), strict=True
    ):
        np.testing.assert_allclose(new, np.tile(old.mean(axis=0), (2, 1)), rtol=1e-6, atol=1e-8)


def test_blank_styles_are_a_copy(config):
    generator = random_generator(config, ("a",), seed=0)
    before = [each.numpy() for each in generator.variables]
    for variable in generators.blank_styles(generator, ["x"]).variables:
        variable.assign(variable * 0 + 7)
    assert_same([each.numpy() for each in generator.variables], before)


def test_append_styles(config):
    generator = random_generator(config, ("a", "b"), seed=0)
    added = random_generator(config, ("x", "y", "z"), seed=1)
    joined = generators.append_styles(generator, added)
    assert joined.config == config.with_styles(5)
    assert joined.styles == ("a", "b", "x", "y", "z")
    assert joined.training_record == {"seed": 0}
    assert_same(trunk(joined), trunk(generator))
    for both, first, second in zip(rows(joined), rows(generator), rows(added), strict=True):
        np.testing.assert_array_equal(both, np.concatenate([first, second]))
    # Weights of zero add zeros.
    np.testing.assert_array_equal(
        paint(joined, [0.25, 0.75, 0.0, 0.0, 0.0]), paint(generator, [0.25, 0.75])
    )


def test_appended_blank_styles_paint_as_they_did_alone(config):
    generator = random_generator(config, ("a", "b"), seed=0)
    blank = generators.blank_styles(generator, ["x"])
    for variable in generators.style_variables(blank):
        variable.assign_add(np.random.default_rng(2).uniform(size=variable.shape))
    joined = generators.append_styles(generator, blank)
    np.testing.assert_array_equal(paint(joined, [0.0, 0.0, 1.0]), paint(blank, [1.0]))


def test_refuses():
    generator = random_generator(CONFIGS["light"], ("a", "b", "c"), seed=0)
    with pytest.raises(ValueError, match=r"must be new to the model. Received: a, c$"):
        generators.blank_styles(generator, ["c", "x", "a"])
    for config in (
        generators.JohnsonConfig((2, 3, 4), num_blocks=0),
        generators.TextureNetworkConfig(stylize=True, num_scales=1),
        generators.SuperResolutionConfig(width=1, num_blocks=0),
    ):
        message = (
            "`painter` must be a conditional one. "
            f"Received: a {type(config).__name__.removesuffix('Config')} without styles$"
        )
        with pytest.raises(ValueError, match=message):
            generators.blank_styles(generators.build(config), ["x"])


def test_initial(tmp_path):
    config = CONFIGS["light"].with_styles(2)
    generator = random_generator(CONFIGS["light"], ("a", "b"), seed=0)
    generator.save_to_preset(tmp_path / "model")
    found = generators.initial(config, tmp_path / "model", styles=("a", "b"))
    assert_same(trunk(found), trunk(generator))
    assert_same(rows(found), rows(generator))
    assert found.training_record == {}  # of a training that is still to come
    fresh = generators.initial(config, styles=("a", "b"))
    assert fresh.styles == ("a", "b")
    assert not np.array_equal(trunk(fresh)[0], trunk(generator)[0])


@pytest.mark.parametrize(
    ("config", "styles", "message"),
    [
        (
            generators.LightConfig(widths=(3, 5), num_blocks=1, num_styles=2),
            ("a", "b"),
            r"fit into `generator`.*\(.*down is \(3, 3, 3, 5\), must be \(3, 3, 3, 4\)\)$",
        ),
        (
            generators.LightConfig(widths=(3, 4), num_blocks=0, num_styles=2),
            ("a", "b"),
            r"fit into `generator`.*\(`config` must have the layers .* It lacks block1_conv1\)$",
        ),
        (
            generators.LightConfig(widths=(3, 4), num_blocks=1, num_styles=1),
            ("a",),
            r"fit into `generator`.*\(`styles` must have those of `painter`. Missing: b\)$",
        ),
        (
            generators.SuperResolutionConfig(width=1),
            (),
            r"a SuperResolution like `generator`. Received: .*model, a Light$",
        ),
    ],
)
def test_initial_refuses_weights_without_a_place(config, styles, message, tmp_path):
    generator = random_generator(CONFIGS["light"], ("a", "b"), seed=0)
    generator.save_to_preset(tmp_path / "model")
    with pytest.raises(ValueError, match=f"`init_weights` must (be )?{message}") as caught:
        generators.initial(config, tmp_path / "model", styles=styles)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", CONFIGS)
def test_grown_painter_paints_the_same_at_first(name):
    painter = random_generator(CONFIGS[name], ("a", "b"), seed=0)
    config = dataclasses.replace(
        painter.config,
        num_blocks=painter.config.num_blocks + 1,
        num_styles=4,
        eighth_blocks=1,
        eighth_width=5,
    )
    grown = generators.grow(painter, config, styles=("new", "b", "identity", "a"))
    assert grown.config == config
    assert grown.style_rows == ("new", "b", "identity", "a")
    image = random_image(24, 16).numpy()
    for style in ("a", "b"):
        np.testing.assert_array_equal(
            grown.paint(image, style=style), painter.paint(image, style=style)
        )
    # A style that is new starts as the mean of the others; float32 sums in another order.
    np.testing.assert_allclose(
        grown.paint(image, style="new"), painter.paint(image, style="a:1,b:1"), rtol=0, atol=1e-5
    )


def test_what_is_grown_learns():
    """Nothing that was added is stuck at 0."""
    painter = random_generator(CONFIGS["light"], ("a", "b"), seed=0)
    config = dataclasses.replace(painter.config, eighth_blocks=1, eighth_width=5)
    grown = generators.grow(painter, config, styles=("a", "b"))
    inputs = grown.inputs_for(random_image(16, 16), style=tf.constant([[1.0, 0.0]]))
    scale = grown.get_layer("eighth_up_norm").scale
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(grown(inputs, training=True)[..., 0])
    assert np.abs(tape.gradient(loss, scale.value)[0]).max() > 0
