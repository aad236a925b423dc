"""TotalLoss: which picture's features reach which term, and with what weight."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import build, random_image

from stylezoo import losses
from stylezoo.losses.base import mask_key
from stylezoo.objectives import Reference, TotalLoss

# A thin network twice, at most in another order of summation.
FLOAT32 = 1e-5
TAPS = ["relu1_1", "relu2_1", "relu3_1"]


@pytest.fixture(scope="module")
def network():
    return build("vgg16", TAPS, divisor=16)


def test_total_is_the_weighted_sum_of_the_terms(network):
    terms = [
        losses.ContentLoss(["relu2_1"], weight=3),
        losses.GramLoss(TAPS, weight=0.5),
        losses.TotalVariationLoss(weight=2),
        losses.ActivationLoss(["relu3_1"], weight=0),
    ]
    loss = TotalLoss(terms, network)
    content, style, image = (random_image(24, 32, seed=seed) for seed in range(3))
    targets = loss.targets({"content": Reference([content]), "style": Reference([style])})
    total, shares = loss(image, targets)
    expected = {
        "content": 3 * terms[0](network(image), terms[0].target(network(content))),
        "style": 0.5 * terms[1](network(image), terms[1].target(network(style))),
        "tv": 2 * terms[2]({losses.IMAGE: image}, {}),
        "dream": 0,
    }
    assert list(shares) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(shares[name], value, rtol=FLOAT32)
    np.testing.assert_allclose(total, sum(map(float, expected.values())), rtol=FLOAT32)
    assert total.dtype == tf.float32


def test_pixel_terms_need_no_network():
    loss = TotalLoss([losses.TotalVariationLoss(weight=4)], None)
    image = random_image(5, 6)
    total, shares = loss(image, loss.targets({}))
    np.testing.assert_allclose(total, 4 * losses.TotalVariationLoss()({losses.IMAGE: image}, {}))
    assert shares.keys() == {"tv"}


def test_several_styles_of_different_sizes_give_the_mean_of_their_grams(network):
    loss = TotalLoss([losses.GramLoss(["relu2_1"])], network)
    styles = [random_image(24, 32, seed=0), random_image(33, 17, seed=1)]
    grams = [
        loss.targets({"style": Reference([style])})["style"]["relu2_1"].numpy() for style in styles
    ]
    both = loss.targets({"style": Reference(styles, weights=[1, 3])})["style"]["relu2_1"]
    np.testing.assert_allclose(both, 0.25 * grams[0] + 0.75 * grams[1], rtol=FLOAT32)
    equal = loss.targets({"style": Reference(styles)})["style"]["relu2_1"]
    np.testing.assert_allclose(equal, (grams[0] + grams[1]) / 2, rtol=FLOAT32)


def test_every_region_has_its_role_and_mask(network):
    terms = [losses.GramLoss(TAPS, name=name) for name in ("sky", "earth")]
    loss = TotalLoss(terms, network)
    mask = np.zeros([1, 12, 12, 1], np.float32)
    mask[:, :6] = 1
    references = {
        "sky": Reference([random_image(24, 24, seed=1)], mask=mask),
        "earth": Reference([random_image(24, 24, seed=2)]),
    }
    with pytest.raises(ValueError, match="`image_size` must be given with a mask"):
        loss.targets(references)
    targets = loss.targets(references, image_size=(33, 47))
    image = random_image(33, 47)
    features = network(image)
    for tap in TAPS:
        got = targets["sky"][mask_key(tap)]
        assert got.shape == (1, *features[tap].shape[1:3], 1)
        # Each position the share of the mask it covers: the mean stays one half.
        np.testing.assert_allclose(tf.reduce_mean(got), 0.5, atol=1e-6)
        assert mask_key(tap) not in targets["earth"]
    plain = TotalLoss([terms[0]], network).targets({"sky": Reference(references["sky"].images)})
    _, shares = loss(image, targets)
    masked = terms[0](features, targets["sky"])
    np.testing.assert_allclose(shares["sky"], masked, rtol=FLOAT32)
    assert abs(float(masked) - float(terms[0](features, plain["sky"]))) > 1e-3 * float(masked)


def test_terms_without_masks_refuse_them(network):
    loss = TotalLoss([losses.ContentLoss(TAPS)], network)
    references = {"content": Reference([random_image(24, 24)], mask=np.ones([1, 24, 24, 1]))}
    with pytest.raises(ValueError, match=r"`mask` must not be set for the term content"):
        loss.targets(references, image_size=(24, 24))


def test_refuses_names_taps_and_roles(network):
    with pytest.raises(ValueError, match=r"`terms` must have different names. .*style, style"):
        TotalLoss([losses.GramLoss(TAPS), losses.MomentsLoss(TAPS)], network)
    with pytest.raises(ValueError, match=r"`network` must have the taps relu3_2, relu4_1$"):
        TotalLoss([losses.GramLoss(["relu4_1", "relu1_1", "relu3_2"])], network)
    with pytest.raises(ValueError, match=r"`network` must have the taps relu1_1$"):
        TotalLoss([losses.GramLoss(["relu1_1"])], None)
    loss = TotalLoss([losses.GramLoss(TAPS)], network)
    with pytest.raises(ValueError, match=r"must have the role 'style'. Received: content, sky"):
        loss.targets({"content": Reference([]), "sky": Reference([])})
    with pytest.raises(ValueError, match=r"`weights` must be one a target. Received: 2 for 1"):
        loss.targets({"style": Reference([random_image(24, 24)], weights=[1, 1])})
    with pytest.raises(ValueError, match=r"`weights` must be one a target. Received: 0 for 0"):
        loss.targets({"style": Reference([])})


def test_a_new_target_of_the_same_shape_does_not_retrace(network):
    loss = TotalLoss([losses.ContentLoss(["relu2_1"]), losses.GramLoss(TAPS)], network)
    traces = []

    @tf.function
    def step(image, targets):
        traces.append(1)
        return loss(image, targets)[0]

    image = random_image(24, 32)
    for seed in (1, 2):
        picture = random_image(24, 32, seed=seed)
        targets = loss.targets({"content": Reference([picture]), "style": Reference([picture])})
        np.testing.assert_allclose(step(image, targets), loss(image, targets)[0], rtol=FLOAT32)
    assert len(traces) == 1


def test_statistics_are_float32_under_a_half_precision_policy():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = build("vgg16", TAPS, divisor=16)
    finally:
        keras.config.set_dtype_policy("float32")
    single = build("vgg16", TAPS, divisor=16)
    values = []
    for network in (half, single):
        loss = TotalLoss([losses.ContentLoss(["relu2_1"]), losses.GramLoss(TAPS)], network)
        picture = random_image(24, 32, seed=1)
        references = {"content": Reference([picture]), "style": Reference([picture])}
        total, _ = loss(random_image(24, 32), loss.targets(references))
        assert total.dtype == tf.float32
        values.append(float(total))
    assert half(random_image(24, 32))["relu1_1"].dtype == tf.float16
    # float16 has 11 bits (5e-4), which a few layers and a difference make several times larger.
    np.testing.assert_allclose(values[0], values[1], rtol=1e-2)
