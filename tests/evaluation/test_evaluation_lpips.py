"""LPIPS against its authors' package, published figures and a NumPy version of the formula."""

import hashlib

import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import classifiers, images, perceptual, weights
from stylezoo.errors import WeightsError
from stylezoo.evaluation import Lpips
from stylezoo.layers import Preprocess
from stylezoo.weights.layouts import LPIPS_HEADS

# Sums of thousands of float32 products in another order, layer upon layer.
RTOL = 1e-5

# From the package lpips 0.1.4: SHA-256 of its heads (weights/v0.1, lin0 to lin4, float32).
HEADS = {
    "alexnet_owt": "718a8b40b0d22f96192d34ab93c0db5c7943558ff6c2407f44812dce2f29b5f4",
    "vgg16": "9153a2043dccf3b525d4f13db916e93ef040548ea923b6f2100de5ebac141a78",
}
# Distances between a crop of chelsea and what `distorted` makes of it. From the same package on
# PyTorch 2.14: LPIPS(net="alex" or "vgg", pnet_rand=True), the convolutions replaced by those of
# our weights file, called with normalize=True on the 8-bit pixels divided by 255.
DISTANCES = {
    ("alexnet_owt", "mirrored"): 0.31118140,
    ("alexnet_owt", "mosaic"): 0.51338297,
    ("alexnet_owt", "coffee"): 0.72056943,
    ("vgg16", "mirrored"): 0.46005923,
    ("vgg16", "mosaic"): 0.61065841,
    ("vgg16", "coffee"): 0.73870420,
}


def crop(name):
    """131x97 px: no multiple of any stride."""
    return images.load_sample(name)[:, 100:231, 120:217]


def mosaic(image, size):
    """Return tiles of one colour each, that of their first pixels."""
    _, height, width, _ = image.shape
    tiles = image[:, ::size, ::size].repeat(size, axis=1).repeat(size, axis=2)
    return tiles[:, :height, :width]


def distorted(image, how):
    match how:
        case "mirrored":
            return image[:, :, ::-1]
        case "mosaic":
            return mosaic(image, 4)
        case "coffee":
            return crop("coffee")


@pytest.fixture
def pretrained_lpips(pretrained):
    """The metric with the published weights."""

    def build(architecture):
        name = pretrained(f"{architecture}.torchvision_lpips")
        tensors = weights.load(name, architecture=architecture).tensors
        if not LPIPS_HEADS[architecture].keys() <= tensors.keys():
            weights.fetch(name, force=True)  # it was cached before the heads were kept
        return Lpips(architecture)

    return build


@pytest.fixture
def random_lpips(lpips_weights):
    return Lpips(weights=lpips_weights)


@pytest.mark.weights
@pytest.mark.parametrize("architecture", HEADS)
def test_heads_are_the_published_ones(pretrained_lpips, architecture):
    pretrained_lpips(architecture)
    name = f"{architecture}.torchvision_lpips"
    tensors = weights.load(name, architecture=architecture).tensors
    heads = b"".join(tensors[head].tobytes() for head in LPIPS_HEADS[architecture])
    assert hashlib.sha256(heads).hexdigest() == HEADS[architecture]


@pytest.mark.weights
@pytest.mark.parametrize(("architecture", "how"), DISTANCES)
def test_equals_the_authors_package(pretrained_lpips, architecture, how):
    distance = pretrained_lpips(architecture)(crop("chelsea"), distorted(crop("chelsea"), how))
    np.testing.assert_allclose(distance, [DISTANCES[architecture, how]], rtol=RTOL)


@pytest.mark.weights
def test_equals_what_torchmetrics_documents(pretrained_lpips):
    """The example of LearnedPerceptualImagePatchSimilarity, with its images made by NumPy.

    >>> torch.manual_seed(123)
    >>> lpips = LearnedPerceptualImagePatchSimilarity(net_type='vgg')
    >>> img1 = torch.rand(10, 3, 100, 100)
    >>> img2 = torch.rand(10, 3, 100, 100)
    >>> lpips(img1, img2)
    tensor(0.3566, grad_fn=<SqueezeBackward0>)

    LPIPS takes [-1, 1] there: later releases make the images ``(torch.rand(10, 3, 100, 100) * 2) - 1``
    and get 0.3493 (Lightning-AI/torchmetrics#1296).
    """
    words = np.random.MT19937()
    words.state = np.random.RandomState(123).get_state(legacy=False)
    # Before they are loaded, torchvision's VGG16 and the heads get random weights, a word for each.
    words.random_raw(138_357_544 + 1_472, output=False)
    shape = (2, 10, 3, 100, 100)
    mantissas = words.random_raw(np.prod(shape)) & (2**24 - 1)  # as torch.rand makes a float32
    pair = (mantissas / 2**24).astype(np.float32).reshape(shape).transpose(0, 1, 3, 4, 2)
    lpips = pretrained_lpips("vgg16")
    # Half of the last digit that is printed.
    assert np.mean(lpips(*((pair + 1) / 2))) == pytest.approx(0.3566, abs=5e-5)
    assert np.mean(lpips(*pair)) == pytest.approx(0.3493, abs=5e-5)


@pytest.mark.weights
@pytest.mark.parametrize("architecture", HEADS)
def test_a_coarser_mosaic_is_further_away(pretrained_lpips, architecture):
    image = crop("chelsea")
    mosaics = np.concatenate([mosaic(image, size) for size in (1, 2, 3, 5, 8)])
    references = np.repeat(image, len(mosaics), axis=0)
    distances = pretrained_lpips(architecture)(mosaics, references).numpy()
    assert distances[0] == 0
    assert np.all(np.diff(distances) > 0)


def test_preprocessing_is_the_published_scaling_layer():
    image = random_image(5, 7)
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    expected = (2 * image.numpy().astype(np.float64) - 1 - shift) / scale
    # Values up to 2.6, rounded to float32 three times.
    np.testing.assert_allclose(Preprocess("torch")(image), expected, atol=1e-6)


def test_equals_the_formula_in_numpy(lpips_weights, random_lpips):
    image, reference = random_image(67, 50, batch=3), random_image(67, 50, batch=3, seed=1)
    tensors = weights.load(lpips_weights, architecture="alexnet_owt").tensors
    taps = [f"relu{i}" for i in range(1, 6)]
    network = perceptual.Perceptual("alexnet_owt", lpips_weights).build(taps)
    features, target = network(image), network(reference)
    expected = 0
    for tap in taps:
        a, b = (np.asarray(each[tap], np.float64) for each in (features, target))
        a, b = (x / (np.sqrt(np.sum(x**2, axis=-1, keepdims=True)) + 1e-10) for x in (a, b))
        expected += np.mean((a - b) ** 2 @ tensors[f"lpips/{tap}"], axis=(1, 2))
    distance = random_lpips(image, reference)
    assert distance.dtype == tf.float32
    np.testing.assert_allclose(distance, expected, rtol=RTOL)


def test_is_a_symmetric_distance_of_each_pair(random_lpips):
    image, reference = random_image(40, 40, batch=2), random_image(40, 40, batch=2, seed=1)
    reference = tf.stack([image[0], reference[1]])
    same, different = random_lpips(image, reference).numpy()
    assert same == 0
    assert different > 0
    np.testing.assert_array_equal(random_lpips(reference, image), [same, different])


def test_in_a_function_equals_eager_without_retracing(random_lpips):
    function = tf.function(random_lpips, input_signature=[tf.TensorSpec([None, None, None, 3])] * 2)
    for height, width in ((40, 56), (33, 31)):
        pair = random_image(height, width, batch=2), random_image(height, width, batch=2, seed=1)
        np.testing.assert_allclose(function(*pair), random_lpips(*pair), rtol=RTOL)
    assert function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("jit_compile", [False, True], ids=["function", "jit"])
def test_gradient_is_finite_where_no_channel_is_active(tmp_path, jit_compile):
    """The gradient is finite where a norm's own is not; the ReLU below lets nothing of it through."""
    tensors = {
        # Black gives negative sums in conv1, and then zeros everywhere.
        name: np.abs(tensor) if name == "conv1/kernel" else 0 * tensor if "bias" in name else tensor
        for name, tensor in networks.he_tensors(
            classifiers.shapes("alexnet_owt", include_top=False)
        ).items()
    }
    tensors |= {name: np.ones(shape) for name, shape in LPIPS_HEADS["alexnet_owt"].items()}
    file = networks.write(tmp_path / "x.h5", "alexnet_owt", tensors)
    lpips = Lpips(weights=file)
    gradient_of = tf.function(networks.value_and_gradient, jit_compile=jit_compile)
    image = tf.concat([(1 + random_image(64, 64)) / 2, tf.zeros([1, 64, 64, 3])], axis=2)
    for reference in (tf.zeros_like(image), tf.reverse(image, axis=[2])):
        value, gradient = gradient_of(lambda x, y=reference: lpips(x, y), image)
        assert value.numpy() > 0
        assert np.all(np.isfinite(gradient))
        assert np.any(gradient != 0)


def test_weights_without_heads(random_weights):
    with pytest.raises(WeightsError) as error:
        Lpips(weights=random_weights("alexnet_owt"))
    assert str(error.value) == (
        "alexnet_owt.random has no heads of LPIPS: run "
        "`stylezoo weights fetch alexnet_owt.torchvision_lpips --force` and use those weights"
    )


def test_unknown_architecture():
    with pytest.raises(
        ValueError, match=r"must be one of vgg16, alexnet_owt\. Received: .*'vgg19'"
    ):
        Lpips("vgg19")


@pytest.mark.parametrize(
    ("image", "reference", "problem"),
    [
        (
            np.zeros((1, 40, 40, 3), np.uint8),
            np.zeros((1, 40, 40, 3), np.uint8),
            r"`image` must be float, \[batch, height, width, 3\]. .*shape=\(1, 40, 40, 3\), dtype=uint8",
        ),
        (np.zeros((40, 40, 3)), np.zeros((40, 40, 3)), r"`image` must be .*shape=\(40, 40, 3\)"),
        (np.zeros((1, 40, 40, 3)), np.zeros((1, 40, 40, 1)), "`reference` must be float, .*3"),
        (
            np.zeros((1, 40, 40, 3)),
            np.zeros((1, 40, 41, 3)),
            r"`reference` must have the shape of `image`, \(1, 40, 40, 3\). .*=\(1, 40, 41, 3\)",
        ),
        (np.zeros((2, 40, 40, 3)), np.zeros((1, 40, 40, 3)), "`reference` must have the shape"),
        (
            np.zeros((1, 30, 40, 3)),
            np.zeros((1, 30, 40, 3)),
            "`image` must be at least 31x31 px for the layer relu3 .* Received: 40x30 px",
        ),
    ],
)
def test_wrong_images(random_lpips, image, reference, problem):
    with pytest.raises(ValueError, match=problem):
        random_lpips(image, reference)
