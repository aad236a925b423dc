"""Neighbours, maps of folders, activation grids and fooling pictures, where the answer is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import visualize
from stylezoo.visualize import FoolingConfig


def colour_network():
    """The features are the colours themselves, and so are the scores."""
    image = keras.Input([None, None, 3])
    colours = keras.layers.ReLU(name="colours")(image)
    scores = keras.layers.GlobalAveragePooling2D()(20.0 * colours)
    return keras.Model(image, {"colours": colours, "scores": scores})


def plain(*colour):
    return tf.broadcast_to(tf.constant(colour, tf.float32), [1, 4, 6, 3])


def test_embed_is_the_mean_colour_as_a_unit_vector():
    network = colour_network()
    vectors = visualize.embed(network, [plain(0.3, 0.4, 0.0), random_image(5, 7)])
    np.testing.assert_allclose(vectors[0], [0.6, 0.8, 0.0], atol=1e-6)
    mean = np.mean(random_image(5, 7), axis=(0, 1, 2))
    np.testing.assert_allclose(vectors[1], mean / np.linalg.norm(mean), rtol=1e-6)


def test_neighbours_by_angle():
    angles = np.radians([0.0, 50.0, 20.0, 90.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert visualize.neighbours(vectors[:2], vectors, 3).tolist() == [[0, 2, 1], [1, 2, 3]]
    assert visualize.neighbours(vectors[:1], vectors, 9).shape == (1, 4)


def test_map_keeps_clusters_together():
    random = np.random.default_rng(0)
    centres = np.eye(3)[np.repeat(np.arange(3), 8)]
    vectors = centres + 0.05 * random.standard_normal((24, 3))
    places = visualize.map_to_grid(vectors, columns=6, seed=1)
    assert len({tuple(place) for place in places.tolist()}) == 24
    assert places.min() == 0
    assert places.max(axis=0).tolist() == [3, 5]
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    same = (centres @ centres.T) > 0
    assert distances[same].mean() < 0.6 * distances[~same].mean()
    np.testing.assert_array_equal(places, visualize.map_to_grid(vectors, columns=6, seed=1))


def test_map_of_few_pictures():
    places = visualize.map_to_grid(np.eye(3, dtype=np.float32), columns=2)
    assert len({tuple(place) for place in places.tolist()}) == 3
    with pytest.raises(ValueError, match=r"`vectors` must be at least 2. Received: 1"):
        visualize.map_to_grid(np.eye(1), columns=1)


def test_activation_maps():
    features = np.zeros([2, 3, 2], np.float32)
    features[..., 0] = [[-1, 0, 1], [2, 4, 3]]
    maps = visualize.activation_maps(features)
    assert maps.shape == (2, 2, 3, 3)
    np.testing.assert_array_equal(maps[0, ..., 1], [[0, 0, 0.25], [0.5, 1, 0.75]])
    np.testing.assert_array_equal(maps[1], 0)  # a silent channel is black


def test_fooling_stays_within_its_bound():
    image = plain(0.55, 0.5, 0.1)
    config = FoolingConfig(epsilon=10 / 255, step_size=2 / 255, steps=20, confidence=0.6)
    fooled = visualize.fool(colour_network(), image, 1, config=config)
    assert np.argmax(fooled.before) == 0
    assert np.argmax(fooled.after) == 1
    assert fooled.after[1] >= 0.6
    # Every step of 2/255 of red and green changes the logit by 40 * 2/255; the rest follows by hand.
    logits = 20 * np.array([0.55, 0.5, 0.1])
    for step in range(1, 20):
        moved = logits + 20 * 2 / 255 * step * np.array([-1, 1, -1])
        if (probability := np.exp(moved[1]) / np.exp(moved).sum()) >= 0.6:
            break
    assert abs(fooled.steps - step) <= 1  # 8 bits may take a step more
    assert probability < 0.8
    assert np.abs(fooled.image - image).max() <= 10 / 255 + 0.5 / 255 + 1e-6
    np.testing.assert_allclose(fooled.image * 255, np.round(fooled.image * 255), atol=1e-4)


def test_fooling_may_fail():
    fooled = visualize.fool(
        colour_network(), plain(0.9, 0.1, 0.1), 2, config=FoolingConfig(steps=3)
    )
    assert fooled.steps == 3
    assert np.argmax(fooled.after) == 0
    with pytest.raises(ValueError, match=r"`target` must be from 0 to 2. Received: target=3"):
        visualize.fool(colour_network(), plain(0.9, 0.1, 0.1), 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": 0.0}, "`epsilon` must be in"),
        ({"step_size": 2.0}, "`step_size` must be in"),
        ({"steps": 0}, "`steps` must be >= 1"),
        ({"confidence": 1.5}, "`confidence` must be in"),
    ],
)
def test_bad_fooling(options, message):
    with pytest.raises(ValueError, match=message):
        FoolingConfig(**options)
