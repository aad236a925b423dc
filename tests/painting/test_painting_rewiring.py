"""Networks around other moments, and that their originals stay what they were."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from generators_helpers import inputs_for, network_of

from stylezoo import generators, layers, painting

CONFIGS = {
    "johnson": generators.JohnsonConfig((2, 3, 4), num_blocks=1, kernel=3),
    "light": generators.LightConfig((3, 4), num_blocks=1, num_styles=2),
    "texture": generators.TextureNetworkConfig(channels=2, num_scales=2),
}
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def moments_inputs(network):
    """Return inputs for the moments of every normalisation layer, by name."""
    return {
        f"{layer.name}_{name}": keras.Input(
            [1, 1, layer.scale.shape[-1]], name=f"{layer.name}_{name}"
        )
        for layer in painting.normalization_layers(network)
        for name in ("mean", "variance")
    }


def given(inputs):
    return lambda layer, _: (inputs[f"{layer.name}_mean"], inputs[f"{layer.name}_variance"])


def test_normalization_layers_come_in_the_order_of_execution():
    names = [layer.name for layer in painting.normalization_layers(network_of(CONFIGS["light"]))]
    assert names == [
        *("conv_in_norm", "down_norm", "block1_conv1_norm", "block1_conv2_norm"),
        *("up_norm", "conv_out_norm"),
    ]
    batch = network_of(generators.JohnsonConfig((2, 3, 4), normalization="batch"))
    assert painting.normalization_layers(batch) == []


@configs
def test_none_changes_nothing(config):
    network, asked = network_of(config), []
    rewired = painting.rewire(network, lambda layer, _: asked.append(layer))
    assert asked == painting.normalization_layers(network)
    inputs = inputs_for(config, (9, 14))
    np.testing.assert_array_equal(rewired(inputs), network(inputs))


@configs
def test_moments_of_the_input_change_nothing(config):
    network = network_of(config)
    rewired = painting.rewire(network, lambda _, x: layers.instance_moments(x))
    for size in ((8, 8), (9, 14)):
        inputs = inputs_for(config, size, batch=2)
        # Float32 sums in another order, through a dozen normalisations.
        np.testing.assert_allclose(rewired(inputs), network(inputs), rtol=0, atol=1e-5)


@configs
def test_weights_are_shared(config):
    network = network_of(config)
    rewired = painting.rewire(network, lambda _, x: layers.instance_moments(x))
    assert {id(v) for v in rewired.weights} == {id(v) for v in network.weights}
    inputs = inputs_for(config, (8, 8))
    before = network(inputs)
    shift = painting.normalization_layers(network)[-1].shift
    shift.assign(shift + 0.5)
    assert np.abs(network(inputs) - before).max() > 1e-3
    np.testing.assert_allclose(rewired(inputs), network(inputs), rtol=0, atol=1e-5)


@configs
def test_the_original_stays_what_it_was(config, tmp_path):
    network, inputs = network_of(config), inputs_for(config, (8, 8))
    before, described = network(inputs), network.get_config()
    extra = moments_inputs(network)
    painting.rewire(network, given(extra), extra_inputs=extra)
    np.testing.assert_array_equal(network(inputs), before)
    assert network.get_config() == described
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(inputs), before)


@configs
def test_moments_from_outside(config):
    """Moments that a network computes and keeps give the same painting when it is fed them."""
    network, kept = network_of(config), {}

    def keep(layer, x):
        mean, variance = layers.instance_moments(x)
        kept.update({f"{layer.name}_mean": mean, f"{layer.name}_variance": variance})
        return mean, variance

    keeping = painting.rewire(network, keep)
    moments = keras.Model(keeping.input, kept)
    extra = moments_inputs(network)
    rewired = painting.rewire(network, given(extra), extra_inputs=extra)
    assert set(rewired.input) == set(network.input) | set(extra)
    inputs = inputs_for(config, (9, 14))
    fed = {**inputs, **moments(inputs)}
    np.testing.assert_allclose(rewired(fed), network(inputs), rtol=0, atol=1e-5)
    # Others paint otherwise.
    first = next(iter(extra))
    assert np.abs(rewired({**fed, first: fed[first] + 1}) - network(inputs)).max() > 1e-3


def test_a_tile_with_the_moments_of_the_whole_is_a_part_of_the_whole():
    config = generators.LightConfig((3, 4), num_blocks=1)
    network, kept = network_of(config), {}

    def keep(layer, x):
        kept[f"{layer.name}_mean"], kept[f"{layer.name}_variance"] = layers.instance_moments(x)

    keeping = painting.rewire(network, keep)
    extra = moments_inputs(network)
    tiled = painting.rewire(network, given(extra), extra_inputs=extra)
    inputs = inputs_for(config, (80, 80))
    whole = network(inputs)
    moments = keras.Model(keeping.input, kept)(inputs)
    # From 20 to 60, of which the margin of 20 is at least the reach.
    assert config.reach <= 20
    part = tiled({**inputs, "image": inputs["image"][:, 12:68, 12:68], **moments})
    np.testing.assert_allclose(part[:, 20:36, 20:36], whole[:, 32:48, 32:48], atol=1e-5)
    alone = network({**inputs, "image": inputs["image"][:, 12:68, 12:68]})
    assert np.abs(alone[:, 20:36, 20:36] - whole[:, 32:48, 32:48]).max() > 1e-3


def test_extra_inputs_only_some_of_which_are_used():
    config = CONFIGS["johnson"]
    network = network_of(config)
    extra = moments_inputs(network)
    first = painting.normalization_layers(network)[0]
    rewired = painting.rewire(
        network,
        lambda layer, x: given(extra)(layer, x) if layer is first else None,
        extra_inputs={name: each for name, each in extra.items() if first.name in name},
    )
    inputs, channels = inputs_for(config, (8, 8)), first.scale.shape[-1]
    fed = {
        f"{first.name}_mean": tf.zeros([1, 1, 1, channels]),
        f"{first.name}_variance": tf.ones([1, 1, 1, channels]),
    }
    assert np.abs(rewired(inputs | fed) - network(inputs)).max() > 1e-4
