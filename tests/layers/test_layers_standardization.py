"""Features by the statistics of real ones."""

import numpy as np

from stylezoo import layers


def test_statistics():
    random = np.random.default_rng(0)
    features = np.maximum(random.normal(1.0, 2.0, (4, 5, 5, 3)), 0).astype(np.float32)
    features[..., 2] = 7.0  # a channel that is constant
    layer = layers.Standardize()
    layer.build(features.shape)
    np.testing.assert_array_equal(layer(features), features)
    layer.assign_statistics(features)
    flat = features.reshape(-1, 3).astype(np.float64)
    mean, deviation = flat.mean(axis=0), np.array([*flat[:, :2].std(axis=0), 1.0])
    # float32 of float64 sums.
    np.testing.assert_allclose(layer(features), (features - mean) / deviation, atol=1e-5)
    low, high = layer.bounds(0.5)
    np.testing.assert_allclose(high, mean + 0.5 * deviation, rtol=1e-6)
    np.testing.assert_allclose(low, np.maximum(mean - 0.5 * deviation, flat.min(axis=0)), rtol=1e-6)
    assert layer.bounds(100.0)[0].numpy().tolist() == [0.0, 0.0, 7.0]
