"""TiledLoss: value, shares, gradient and targets are those of the whole picture.

The networks are thin (their geometry is the real one), the picture's sides multiples of neither the
tile nor the stride. Both sides sum the same float32 numbers in another order: 1e-5 relative, as a
norm for gradients, where single entries may be near zero.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from networks import build, random_image, thin_infos, value_and_gradient

from stylezoo import classifiers, losses, perceptual
from stylezoo.objectives import Reference, TiledLoss, TotalLoss

RTOL = 1e-5
SIZE = (150, 201)
CONTENT = {"vgg16": ["relu3_2", "relu4_1"], "alexnet_owt": ["relu3"]}
STYLE = {
    "vgg16": ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"],
    "alexnet_owt": ["relu1", "pool2", "conv4", "pool5"],
}


def mask():
    """Return a mask with a slanted edge, of another size than the picture."""
    y, x = np.indices((60, 90))
    return tf.constant((y + 0.3 * x < 40)[None, :, :, None], tf.float32)


def all_terms(architecture):
    content, style = CONTENT[architecture], STYLE[architecture]
    return [
        losses.ContentLoss(content, scale="relative"),
        losses.GramLoss(style, name="style"),
        losses.GramLoss(style, name="region", weight=0.7),
        losses.MomentsLoss(style, name="moments", reference="style", weight=0.5),
        losses.MomentsLoss(style[1:], name="masked_moments", reference="region"),
        losses.TotalVariationLoss(weight=3),
        losses.ActivationLoss(content, weight=0.2),
    ]


def both(architecture, *, tile, pooling="max", terms=None, divisor=16):
    terms = terms or all_terms(architecture)
    taps = dict.fromkeys(tap for term in terms for tap in term.taps if tap != losses.IMAGE)
    network = build(architecture, list(taps), divisor=divisor, pooling=pooling)
    infos = thin_infos(architecture, divisor=divisor)
    return TotalLoss(terms, network), TiledLoss(terms, network, infos=infos, tile=tile)


def references():
    styles = [random_image(70, 91, seed=2), random_image(131, 100, seed=3)]
    return {
        "content": Reference([random_image(*SIZE, seed=1)]),
        "style": Reference(styles, weights=[1, 2]),
        "region": Reference(styles[:1], mask=mask()),
    }


def assert_close(got, expected, rtol=RTOL):
    """Compare two gradients in the norm."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape
    assert np.linalg.norm(got - expected) <= rtol * np.linalg.norm(expected)


def evaluation(loss, targets):
    """Return value, shares and gradient of a loss."""

    def evaluate(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            total, shares = loss(image, targets)
        return total, shares, tape.gradient(total, image)

    return evaluate


def assert_equal_losses(whole, tiled, image, targets, *, compiled=False):
    evaluate = evaluation(tiled, targets)
    if compiled:  # there are no Python loops to convert; as in `synthesis`, half the time to trace
        evaluate = tf.function(evaluate, autograph=False)
    got, got_shares, got_gradient = evaluate(image)
    expected, shares, gradient = evaluation(whole, targets)(image)
    assert_close(got, expected)
    assert_close(got_gradient, gradient)
    assert got_shares.keys() == shares.keys()
    for name, share in shares.items():
        assert float(share) != 0
        np.testing.assert_allclose(got_shares[name], share, rtol=RTOL, err_msg=name)


CASES = [
    ("vgg16", "max", 32),
    ("vgg16", "avg", 48),  # rounded up to 64, relu5_1's strides being 16
    ("alexnet_owt", "max", 32),
    ("alexnet_owt", "avg", 64),
]


@pytest.mark.parametrize(("architecture", "pooling", "tile"), CASES)
def test_equals_the_whole(architecture, pooling, tile):
    whole, tiled = both(architecture, tile=tile, pooling=pooling)
    targets = whole.targets(references(), image_size=SIZE)
    assert_equal_losses(whole, tiled, random_image(*SIZE), targets, compiled=True)


@pytest.mark.parametrize("tile", [64, 1000], ids=["tiles", "one tile"])
def test_equals_the_whole_eagerly_and_for_a_batch(tile):
    whole, tiled = both("vgg16", tile=tile, terms=all_terms("vgg16")[:2])
    content = Reference([random_image(70, 100, seed=1)])
    targets = whole.targets({**references(), "content": content})
    assert_equal_losses(whole, tiled, random_image(70, 100, batch=2), targets)


@pytest.mark.parametrize("size", [(63, 64), (65, 129), (95, 97), (128, 96)])
def test_equals_the_whole_at_awkward_sizes(size):
    """AlexNet to pool5: stride 32, minimum size 63: last tiles of a pixel or without features."""
    terms = [losses.ContentLoss(["relu3", "pool5"]), losses.GramLoss(["conv1", "pool5"])]
    whole, tiled = both("alexnet_owt", tile=32, terms=terms)
    content = Reference([random_image(*size, seed=1)])
    targets = whole.targets({**references(), "content": content})
    assert_equal_losses(whole, tiled, random_image(*size), targets, compiled=True)


def test_equals_the_whole_with_real_widths(random_weights):
    taps = ["relu1_1", "relu2_2"]
    network = perceptual.Perceptual("vgg16", random_weights("vgg16")).build(taps)
    terms = [losses.ContentLoss(taps), losses.GramLoss(taps)]
    tiled = TiledLoss(terms, network, infos=perceptual.tap_info("vgg16"), tile=48)
    whole = TotalLoss(terms, network)
    content = Reference([random_image(75, 101, seed=1)])
    targets = whole.targets({**references(), "content": content})
    assert_equal_losses(whole, tiled, random_image(75, 101), targets)


BRANCHED = {
    "resnet18": ["relu1", "layer2_block1", "layer3_block2"],
    "googlenet": ["relu1", "pool2", "inception_3b"],
    "squeezenet1_1": ["relu1", "pool1", "fire5"],
    "efficientnet_lite0": ["stem", "block3b", "block4a"],
}


@pytest.mark.parametrize("size", [(65, 94), (80, 67)])
@pytest.mark.parametrize("architecture", BRANCHED)
def test_equals_the_whole_for_networks_with_branches(architecture, size):
    """Padded convolutions with strides: ceil(size / stride) features; poolings that keep the rest."""
    taps = BRANCHED[architecture]
    terms = [losses.ContentLoss(taps[-1:]), losses.GramLoss(taps)]
    # Squeezed to a single channel, a picture may be zeros.
    whole, tiled = both(architecture, tile=32, terms=terms, divisor=4)
    content = Reference([random_image(*size, seed=1)])
    targets = whole.targets({**references(), "content": content})
    assert_equal_losses(whole, tiled, random_image(*size), targets, compiled=True)


@pytest.mark.parametrize("architecture", ["vgg16", "alexnet_owt"])
def test_targets_equal_the_wholes(architecture):
    whole, tiled = both(architecture, tile=48)
    expected = whole.targets(references(), image_size=SIZE)
    got = tiled.targets(references(), image_size=SIZE)
    assert got.keys() == expected.keys()
    for name, target in expected.items():
        assert got[name].keys() == target.keys()
        for key, value in target.items():
            assert_close(got[name][key], value)


def test_terms_of_pixels_and_of_both():
    """A content term may look at the picture itself, alone and together with a layer."""
    terms = [
        losses.ContentLoss([losses.IMAGE], name="pixels"),
        losses.ContentLoss([losses.IMAGE, "relu2_1"], name="mixed"),
    ]
    whole, tiled = both("vgg16", tile=32, terms=terms)
    role = {"content": Reference([random_image(50, 70, seed=1)])}
    targets = whole.targets(role)
    for name, target in tiled.targets(role).items():
        for key, value in target.items():
            assert_close(value, targets[name][key])
    assert_equal_losses(whole, tiled, random_image(50, 70), targets)


@pytest.mark.parametrize("scale", ["relative", "overlaps"])
def test_patches_are_matched_over_the_whole_and_compared_tile_by_tile(scale):
    """Patches match across the borders of tiles too."""
    terms = [losses.MRFLoss(["relu2_1", "relu3_1"], stride=2, scale=scale)]
    whole, tiled = both("vgg16", tile=32, terms=terms)
    guides = [random_image(*size, seed=4)[..., :2] for size in ((70, 91), (131, 100))]
    roles = references()
    roles["style"] = dataclasses.replace(
        roles["style"], mask=random_image(20, 30, seed=5)[..., :2], image_masks=guides
    )
    targets = whole.targets(roles, image_size=(75, 101))
    for key, value in tiled.targets(roles, image_size=(75, 101))["style"].items():
        assert_close(value, targets["style"][key])
    image = random_image(75, 101)
    assert whole.matches
    matched = whole.match(image, targets)
    for key, value in tiled.match(image, targets)["style"].items():
        assert_close(value, matched["style"][key])
    assert_equal_losses(whole, tiled, random_image(75, 101, seed=6), matched)
    np.testing.assert_array_equal(whole(image, targets)[0], whole(image, matched)[0])


def test_parts_of_styles():
    """The Gram matrix of the masked part is the same tile by tile and whole."""
    whole, tiled = both("vgg16", tile=32, terms=[losses.GramLoss(["relu1_1", "relu2_1"])])
    style, part = random_image(70, 91, seed=2), np.zeros([1, 70, 91, 1], np.float32)
    part[:, :, :50] = 1
    role = {"style": Reference([style], image_masks=[part])}
    targets = whole.targets(role)["style"]
    for key, value in tiled.targets(role)["style"].items():
        assert_close(value, targets[key])
    features = whole.features(style)["relu1_1"].numpy()[0, :, :50].reshape(-1, 4)
    expected = features.T @ features / len(features)
    np.testing.assert_allclose(targets["relu1_1"][0], expected, rtol=RTOL, atol=1e-6)


def test_gradient_scales_with_what_follows():
    whole, tiled = both("vgg16", tile=32, terms=[losses.GramLoss(["relu1_1", "relu2_1"])])
    targets = whole.targets(references())
    image = random_image(50, 70)
    _, got = value_and_gradient(lambda i: tf.square(tiled(i, targets)[0]), image)
    _, expected = value_and_gradient(lambda i: tf.square(whole(i, targets)[0]), image)
    assert_close(got, expected)


def test_shares_have_no_gradient_rather_than_a_wrong_one():
    whole, tiled = both("vgg16", tile=32, terms=[losses.GramLoss(["relu1_1"])])
    targets = whole.targets(references())
    _, gradient = value_and_gradient(lambda i: tiled(i, targets)[1]["style"], random_image(50, 70))
    assert gradient is None


def test_one_trace_serves_every_size():
    whole, tiled = both("alexnet_owt", tile=32, terms=[losses.GramLoss(["relu1", "relu3"])])
    targets = whole.targets(references())
    traces = []

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3])], autograph=False)
    def step(image):
        traces.append(1)
        return value_and_gradient(lambda i: tiled(i, targets)[0], image)

    for size in ((100, 77), (64, 130)):
        image = random_image(*size)
        got, gradient = step(image)
        expected, expected_gradient = value_and_gradient(lambda i: whole(i, targets)[0], image)
        assert_close(got, expected)
        assert_close(gradient, expected_gradient)
    assert len(traces) == 1


def test_refuses_terms_and_tiles():
    network = build("vgg16", ["relu1_1"], divisor=16)
    infos = classifiers.tap_infos("vgg16")
    sliced = [losses.SlicedWassersteinLoss(["relu1_1"], name="sliced")]
    with pytest.raises(ValueError, match=r"`tile` must not be set with sliced"):
        TiledLoss(sliced, network, infos=infos, tile=32)
    for tile in (0, -1):
        with pytest.raises(ValueError, match=rf"`tile` must be > 0. Received: tile={tile}"):
            TiledLoss([losses.GramLoss(["relu1_1"])], network, infos=infos, tile=tile)
