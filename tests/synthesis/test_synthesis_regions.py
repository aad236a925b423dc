"""Regions that pictures have in common, on pictures made of two textures."""

import numpy as np
import pytest
import tensorflow as tf

from stylezoo import images
from stylezoo.perceptual import Perceptual
from stylezoo.synthesis import find_regions


@pytest.fixture
def network(random_weights):
    return Perceptual(weights=str(random_weights("vgg16")))


def textures(size):
    """Return gravel, and a smooth slope of colours, [1, size, size, 3] each."""
    gravel = images.load_sample("gravel")[:, :size, :size]
    slope = np.linspace(0.2, 0.8, size)[np.newaxis, :, np.newaxis, np.newaxis]
    colours = slope * np.array([1.0, 0.7, 0.4])
    return gravel, np.broadcast_to(colours, gravel.shape).astype(np.float32)


def test_equal_textures_are_one_region(network):
    """Side by side in the photograph, one above the other in the painting."""
    gravel, slope = textures(128)
    content = np.concatenate([gravel, slope], axis=2)
    style = np.concatenate([slope, gravel], axis=1)
    masks, (style_masks,) = find_regions(content, [style], network=network)
    assert len(masks) == len(style_masks) >= 2
    for mask, style_mask in zip(masks, style_masks, strict=True):
        assert mask.shape == (1, 128, 256, 1)
        assert style_mask.shape == (1, 256, 128, 1)
        # Without the seams, where the network sees both.
        left, right = np.mean(mask[:, :, :96]), np.mean(mask[:, :, 160:])
        above, below = np.mean(style_mask[:, :96]), np.mean(style_mask[:, 160:])
        if left > 0.2:  # of gravel
            assert right < 0.1
            assert below > 2 * above
        elif right > 0.2:
            assert above > 2 * below
    for each in (masks, style_masks):
        np.testing.assert_allclose(tf.add_n(each), 1, atol=1e-5)
        assert min(float(tf.reduce_min(mask)) for mask in each) >= 0


def test_pictures_without_a_common_region_have_one(network, monkeypatch):
    monkeypatch.setattr("stylezoo.synthesis.regions._SMALLEST_SHARE", 1.1)
    gravel, slope = textures(64)
    masks, (style_masks,) = find_regions(gravel, [slope], network=network)
    assert len(masks) == len(style_masks) == 1
    np.testing.assert_array_equal(masks[0], np.ones([1, 64, 64, 1]))
