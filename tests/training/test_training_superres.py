"""Super-resolution: how photographs are made small, what is learnt, what is refused."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from networks import random_image
from snapshots import snapshot
from training_fakes import records

from stylezoo import generators, images, training
from stylezoo.errors import WeightsError
from stylezoo.losses import ContentLoss, TotalVariationLoss
from stylezoo.perceptual import Perceptual
from stylezoo.training import superres_training

SIZE = 48
GENERATOR = generators.SuperResolutionConfig(width=4, num_blocks=1)
# Products and sums of some dozens of numbers <= 1.
FLOAT32 = 1e-6


# --- small pictures ---------------------------------------------------------------------------


def cubic(distance):
    """Keys 1981, equation 15: the interpolation kernel with a = -1/2."""
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def reduced(values, factor):
    """Along the first axis: values between pixels, at the centres of ``factor`` of them."""
    centres = (np.arange(len(values) // factor) + 0.5) * factor - 0.5
    weights = cubic(centres[:, None] - np.arange(len(values)))
    # Four pixels, all of them inside for a factor of 4 or 8.
    assert np.all(np.sum(weights != 0, axis=1) == 4)
    return np.tensordot(weights, values, axes=1)


@pytest.mark.parametrize("factor", [4, 8])
def test_degrade_is_a_gaussian_and_bicubic_interpolation(factor):
    image = random_image(48, 64, batch=2)
    blurred = scipy.ndimage.gaussian_filter(
        np.asarray(image, np.float64), 1.0, axes=(1, 2), mode="mirror", radius=3
    )
    expected = [
        np.swapaxes(reduced(np.swapaxes(reduced(each, factor), 0, 1), factor), 0, 1)
        for each in blurred
    ]
    small = generators.degrade(image, factor)
    assert small.shape == (2, 48 // factor, 64 // factor, 3)
    assert small.dtype == tf.float32
    np.testing.assert_allclose(small, expected, rtol=0, atol=FLOAT32)


def test_degrade_leaves_what_has_no_detail():
    colour = tf.constant([0.2, 0.5, 1.0])
    plain = tf.broadcast_to(colour, [1, 16, 24, 3])
    np.testing.assert_allclose(
        generators.degrade(plain, 4),
        tf.broadcast_to(colour, [1, 4, 6, 3]),
        rtol=0,
        atol=FLOAT32,
    )
    # A slope stays one, but where it is mirrored at the border.
    slope = tf.broadcast_to(tf.linspace(0.0, 1.0, 32)[None, :, None, None], [1, 32, 8, 3])
    small = generators.degrade(slope, 4)[0, :, 0, 0]
    expected = ((np.arange(8) + 0.5) * 4 - 0.5) / 31
    np.testing.assert_allclose(small[1:-1], expected[1:-1], rtol=0, atol=FLOAT32)


def test_degrade_keeps_to_the_range():
    """Bicubic interpolation overshoots next to an edge."""
    edge = np.zeros([1, 32, 32, 3], np.float32)
    edge[:, 17:] = 1
    edge[:, :, ::5] = 1
    small = generators.degrade(tf.constant(edge), 4)
    assert np.min(small) >= 0
    assert np.max(small) <= 1


# --- training ---------------------------------------------------------------------------------


@pytest.fixture
def make_config(alexnet, photographs):
    def make(*, image_size=SIZE, content=photographs, pooling="max", **fields):
        settings = {
            "generator": GENERATOR,
            "content": training.ContentConfig(content, image_size=image_size),
            "perceptual": Perceptual("alexnet_owt", alexnet, pooling),
            "content_layers": ("relu1", "relu2"),
        }
        return training.SuperresTraining(**settings | fields)

    return make


def loop_config(**fields):
    settings = {"num_steps": 2, "batch_size": 2, "log_every": 1, "save_every": 2, "sample_every": 2}
    return training.LoopConfig(**settings | fields)


def test_loss(make_config):
    """Features of what is enlarged against those of the photograph, picture by picture."""
    config = make_config(tv_weight=0.5, pixel_weight=3.0)
    task = superres_training._SuperresTask(config, loop_config())
    batch = random_image(SIZE, SIZE, batch=2)
    total, shares = task.loss(batch, tf.constant([0, 0], tf.int64))
    enlarged = task.network({"image": generators.degrade(batch, 4)}, training=True)
    network = config.perceptual.build(["relu1", "relu2"])
    term = ContentLoss(["relu1", "relu2"], scale="relative")
    content = [
        term(
            network(enlarged[i : i + 1]),
            term.target(network(batch[i : i + 1])),
        )
        for i in range(2)
    ]
    variation = 0.5 * TotalVariationLoss()({"image": enlarged}, {})
    squares = [np.sum(np.square(each), axis=(1, 2, 3)) for each in (enlarged - batch, batch)]
    pixels = 3 * np.mean(squares[0] / squares[1])
    # Two orders of summation of some thousand float32 products.
    np.testing.assert_allclose(shares["content"], np.mean(content), rtol=1e-5)
    np.testing.assert_allclose(shares["tv"], variation, rtol=1e-5)
    np.testing.assert_allclose(shares["pixels"], pixels, rtol=1e-5)
    np.testing.assert_allclose(total, np.mean(content) + float(variation) + pixels, rtol=1e-5)


def test_learns(make_config, photographs, tmp_path):
    """Fifteen steps from random weights, whose batch norm knows no moments yet."""
    path = tmp_path / "run"
    loop = loop_config(num_steps=15, learning_rate=0.01, save_every=15, sample_every=15)
    result = training.train_superres(make_config(), loop=loop, run=str(path))
    losses = [record["train/total"] for record in records(path) if "train/total" in record]
    assert len(losses) == 15
    assert np.mean(losses[-3:]) < 0.8 * losses[0]  # measured: 0.55 to 0.62, with three seeds
    held_out = [record for record in records(path) if "held_out/total" in record]
    assert held_out[0].keys() == {
        "step",
        *(f"held_out/{name}" for name in ("content", "total", "psnr", "bicubic_psnr")),
    }
    # The photographs are soft: nothing enlarges them as well as bicubic interpolation.
    shown = training.centre_crops(
        training.open_photographs(photographs).hold_out(4)[1], range(4), size=SIZE
    )
    bicubic = tf.image.resize(generators.degrade(shown, 4), (SIZE, SIZE), "bicubic")
    errors = np.mean(np.square(np.clip(bicubic, 0, 1) - shown), axis=(1, 2, 3))
    for record in held_out:
        # Decibels, of a mean square in float32.
        expected = np.mean(-10 * np.log10(errors))
        assert record["held_out/bicubic_psnr"] == pytest.approx(expected, abs=1e-3)
        assert record["held_out/psnr"] < record["held_out/bicubic_psnr"]
    assert result.painter.styles == ()
    assert result.painter.training_record["task"] == "superres"
    # Three columns of four rows, 4 px apart.
    sheet = images.read_image(path / "samples" / "000015.jpg")
    assert sheet.shape == (1, 4 * SIZE + 12, 3 * SIZE + 8, 3)
    # JPEGs of soft pictures.
    np.testing.assert_allclose(sheet[:, :SIZE, -SIZE:], shown[:1], atol=0.1)
    np.testing.assert_allclose(sheet[:, :SIZE, :SIZE], np.clip(bicubic[:1], 0, 1), atol=0.1)
    loaded = generators.load(path / "model")
    small = random_image(10, 13)
    assert loaded({"image": small}).shape == (1, 40, 52, 3)
    np.testing.assert_array_equal(loaded({"image": small}), result.painter({"image": small}))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image_size": 50}, "`image_size` must be a multiple of 4. Received: image_size=50"),
        (
            {"generator": generators.SuperResolutionConfig(factor=8), "image_size": 52},
            "`image_size` must be a multiple of 8. Received: image_size=52",
        ),
        ({"image_size": 8}, "`image_size` must be at least .*for the layer relu2.*8x8 px"),
        ({"content_layers": ("relu9",)}, "`content_layers` of alexnet_owt must be among .*: relu9"),
        ({"perceptual": Perceptual("vgg99")}, "must be one of .*vgg99"),
    ],
)
def test_configuration_refuses(fields, message, make_config):
    with pytest.raises(ValueError, match=message):
        make_config(**fields)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"content": "none"}, ValueError, "`content` must be a folder of pictures or the name"),
        ({"perceptual": Perceptual("alexnet_owt", "none.h5")}, WeightsError, "none.h5"),
        ({"pooling": "min"}, ValueError, "`pooling` must be one of max, avg"),
        ({"content_layers": ()}, ValueError, "`content_layers` must name at least one layer"),
        ({"tv_weight": -1.0}, ValueError, "`tv_weight` must be finite, >= 0"),
        (
            {"init_weights": "none.h5"},
            OSError,
            "`init_weights` must be a preset's folder, or .*Received: none.h5",
        ),
    ],
)
def test_start_that_fails_leaves_nothing(
    fields, error, message, make_config, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        training.train_superres(make_config(**fields), loop=loop_config(), run="run")
    assert snapshot(tmp_path) == {}
