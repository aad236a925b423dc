"""DeepDream: that it climbs, where it climbs to, and that tiles leave no seams."""

import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import images, perceptual, visualize
from stylezoo.visualize import DreamConfig, Dreamed

LAYER = "fire2"


@pytest.fixture(scope="module")
def weights(random_weights):
    return str(random_weights("squeezenet1_1"))


def photo(size=64):
    image = images.load_sample("chelsea")
    return images.centre_square(image, size).numpy()


def configure(weights, *parts, **options):
    options = {"octaves": 1, "steps": 5, **options}
    return DreamConfig(parts or (Dreamed(LAYER),), weights=weights, **options)


def features(weights, image, layer=LAYER):
    network = perceptual.Perceptual("squeezenet1_1", weights).build([layer])
    return network(image)[layer].numpy()


def test_amplifies_a_layer(weights):
    image = photo()
    dream = visualize.Dreamer(configure(weights))(image)
    assert dream.shape == image.shape
    assert 0 <= dream.min() < dream.max() <= 1
    # At most 5 steps of 1.5 levels on average, and less where the range ends.
    assert 1 / 255 < np.abs(dream - image).mean() <= 7.5 / 255 * 1.001
    before, after = (np.square(features(weights, each)).sum() for each in (image, dream))
    assert after > 1.2 * before


def test_channels_and_weights(weights):
    image = photo()
    means = features(weights, image).mean(axis=(0, 1, 2))
    up, down = np.argsort(-means)[:2].tolist()
    parts = (Dreamed(LAYER, up, 1.0), Dreamed(LAYER, down, -1.0))
    dream = visualize.Dreamer(configure(weights, *parts))(image)
    after = features(weights, dream).mean(axis=(0, 1, 2))
    assert after[up] - after[down] > 1.1 * (means[up] - means[down]) + 1e-3


def test_guide(weights):
    """The features become more like those of the guide than those of an unguided dream."""
    image, guide = photo(), random_image(64, 64).numpy()
    known = features(weights, guide).reshape(-1, 128)

    def likeness(picture):
        return (features(weights, picture).reshape(-1, 128) @ known.T).max(axis=1).mean()

    guided = visualize.Dreamer(configure(weights), guide)(image)
    assert likeness(guided) > 1.05 * likeness(image)
    free = visualize.Dreamer(configure(weights))(image)
    assert np.abs(guided - free).max() > 0.01


def test_one_tile_is_the_whole(weights):
    """Without shifts, the step of a picture that is one tile is the plain gradient's."""
    config = configure(weights, jitter=0, steps=1)
    image = photo()
    network = perceptual.Perceptual("squeezenet1_1", weights).build([LAYER])
    pixels = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        energy = tf.reduce_sum(network(pixels)[LAYER] ** 2)
    gradient = tape.gradient(energy, pixels).numpy()
    change = config.step_size * gradient / np.abs(gradient).mean()
    expected = np.clip(image + change, 0, 1)
    np.testing.assert_allclose(visualize.Dreamer(config)(image), expected, atol=1e-5)


def columns_apart(dream, image):
    """Return the mean difference from one column to the next of what was dreamed, [W - 1]."""
    return np.abs(np.diff(dream - image, axis=2)).mean(axis=(0, 1, 3))


def test_tiles_leave_no_seams(weights, monkeypatch):
    image = images.centre_square(images.load_sample("chelsea"), 192).numpy()
    config = configure(weights, tile=48, steps=16, jitter=0)

    def at_borders():
        """Return the ratio of steps between columns where unshifted tiles would meet to other steps."""
        apart = columns_apart(visualize.Dreamer(config)(image), image)
        border = np.arange(47, 191, 48)
        return apart[border].mean() / np.delete(apart, border).mean()

    shifted = at_borders()
    monkeypatch.setattr(visualize.dream.Dreamer, "_shift", lambda *_: tf.zeros([2], tf.int32))
    fixed = at_borders()
    assert abs(fixed - 1) > 0.3  # seams could be seen
    assert abs(shifted - 1) < 0.12  # the differences between any other columns are as large


def test_tiles_cover_any_size(weights):
    """Every pixel gets a gradient, also at sizes that are no multiple of the tile."""
    image = np.full([1, 70, 101, 3], 0.5, np.float32) + 0.1 * random_image(70, 101).numpy()
    dream = visualize.Dreamer(configure(weights, tile=32, steps=8))(image)
    changed = np.abs(dream - image).max(axis=(0, 3))
    assert np.mean(changed > 0) > 0.999


def test_octaves(weights):
    dreamer = visualize.Dreamer(configure(weights, octaves=4, steps=2))
    assert dreamer._sizes(100, 140) == [(36, 51), (51, 71), (71, 100), (100, 140)]
    assert dreamer._sizes(6, 140) == [(6, 140)]  # smaller ones have no features
    counted = []
    dreamer(photo(), callback=lambda each: counted.append((each.step, each.num_steps)))
    assert counted == [(done, 8) for done in range(1, 9)]


def test_same_seed_same_dream(weights):
    image = photo()
    first, again, other = (
        visualize.Dreamer(configure(weights, seed=seed, tile=32))(image) for seed in (0, 0, 1)
    )
    # The order of float32 sums in several threads is not fixed.
    np.testing.assert_allclose(first, again, atol=1e-4)
    assert np.abs(first - other).max() > 1e-2


def test_zoom(weights):
    _, x = np.mgrid[-1:1:64j, -1:1:64j]
    image = np.repeat((0.5 + 0.4 * x)[None, :, :, None], 3, axis=3).astype(np.float32)
    dreamer = visualize.Dreamer(configure(weights, steps=0))
    frames = list(dreamer.zoom(image, frames=3, factor=2.0))
    for index, frame in enumerate(frames):
        expected = (0.5 + 0.4 * x / 2**index)[None, :, :, None]
        np.testing.assert_allclose(frame, np.repeat(expected, 3, axis=3), atol=1e-5)
    with pytest.raises(ValueError, match="`factor` must be >= 1"):
        next(dreamer.zoom(image, frames=1, factor=0.5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dreamed": ()}, "`dreamed` must name at least one layer"),
        ({"dreamed": (Dreamed("fire99"),)}, "`dreamed` of squeezenet1_1 must be among conv1, "),
        (
            {"dreamed": (Dreamed("fire2", 128),)},
            "`channel` of fire2 must be from 0 to 127. Received: channel=128",
        ),
        ({"octaves": 0}, "`octaves` must be >= 1"),
        ({"octave_scale": 1.0}, "`octave_scale` must be > 1"),
        ({"steps": -1}, "`steps` must be >= 0"),
        ({"step_size": 0.0}, "`step_size` must be > 0"),
        ({"tile": 4}, "`tile` must be >= 5"),
    ],
)
def test_bad_configs(options, message):
    with pytest.raises(ValueError, match=message):
        DreamConfig(**{"dreamed": (Dreamed("fire2"),), **options})


def test_pictures_that_are_too_small(weights):
    with pytest.raises(ValueError, match=r"`image` must be at least .* Received: 4x4 px"):
        visualize.Dreamer(configure(weights))(photo(4))
    with pytest.raises(ValueError, match=r"`guide` must be at least .* Received: 4x4 px"):
        visualize.Dreamer(configure(weights), photo(4))
