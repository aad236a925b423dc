"""Decoders: what the loss compares, who trains the discriminator, what is learnt, resumed and refused."""

import numpy as np
import pytest
import tensorflow as tf
from networks import random_image
from snapshots import snapshot
from training_fakes import records

from stylezoo import generators, images, training
from stylezoo.losses import ContentLoss
from stylezoo.perceptual import Perceptual
from stylezoo.training import prior_training

SIZE = 40


@pytest.fixture
def make_config(alexnet, photographs):
    def make(*, image_size=SIZE, content=photographs, **fields):
        settings = {
            "content": training.ContentConfig(content, image_size=image_size),
            "network": "alexnet_owt",
            "weights": alexnet,
            "layer": "relu2",
            "widths": (3, 4, 5, 6),
            "comparators": ("alexnet_owt:relu1", "alexnet_owt:relu2"),
            "colour_jitter": 0.0,
        }
        return training.PriorTraining(**settings | fields)

    return make


def loop_config(**fields):
    settings = {"num_steps": 2, "batch_size": 2, "log_every": 1, "save_every": 2, "sample_every": 2}
    return training.LoopConfig(**settings | fields)


def seed(step):
    return tf.constant([0, step], tf.int64)


def test_loss(make_config):
    config = make_config(adversarial_weight=0.0)
    task = prior_training._PriorTask(config, loop_config())
    batch = random_image(SIZE, SIZE, batch=2)
    total, shares = task.loss(batch, seed(0))
    network = Perceptual(config.network, config.weights).build(["relu1", "relu2"])
    features = network(batch)
    decoded = task.result().decoder(features["relu2"])
    term = ContentLoss(["relu1", "relu2"], scale="relative")
    squares = [np.sum(np.square(each), axis=(1, 2, 3)) for each in (decoded - batch, batch)]
    # Two orders of summation of some thousand float32 products.
    np.testing.assert_allclose(
        shares["alexnet_owt"], term(network(decoded), term.target(features)), rtol=1e-5
    )
    np.testing.assert_allclose(shares["pixels"], 3 * np.mean(squares[0] / squares[1]), rtol=1e-5)
    np.testing.assert_allclose(total, shares["pixels"] + shares["alexnet_owt"], rtol=1e-5)


def test_each_adversary_trains_its_own_weights(make_config):
    """The decoder's share gives the critic no gradient, and the critic's loss none to the decoder."""
    task = prior_training._PriorTask(make_config(adversarial_from=1), loop_config())
    batch = random_image(SIZE, SIZE, batch=2)
    decoder, critic = task.network.decoder, task.network.critic

    def gradients(name, step=1):
        with tf.GradientTape(persistent=True) as tape:
            _, shares = task.loss(batch, seed(step))
        return [
            tape.gradient(shares[name], [each.value for each in model.trainable_variables])
            for model in (decoder, critic)
        ]

    def is_zero(values):
        return all(value is None or not np.any(value) for value in values)

    assert [is_zero(each) for each in gradients("adversarial")] == [False, True]
    assert [is_zero(each) for each in gradients("critic")] == [True, False]
    # Before it is switched on, neither has a share.
    assert all(is_zero(each) for name in ("adversarial", "critic") for each in gradients(name, 0))
    _, shares = task.loss(batch, seed(1))
    assert float(shares["critic"]) == pytest.approx(2.0, abs=1.0)  # a critic that knows nothing


def test_colours_vary_by_picture():
    grey = tf.fill([3, 4, 4, 3], 0.5)
    varied = prior_training._vary_colours(grey, 0.2, tf.constant(5, tf.int64)).numpy()
    assert np.all(np.ptp(varied, axis=(1, 2)) < 1e-6)  # of one colour still
    factors = varied[:, 0, 0] / 0.5
    assert len(np.unique(factors)) == 9
    assert 0.8 <= factors.min() < factors.max() <= 1.2
    np.testing.assert_array_equal(
        prior_training._vary_colours(grey, 0.0, tf.constant(5, tf.int64)), grey
    )


def test_learns_and_resumes(make_config, tmp_path):
    config = make_config(adversarial_from=10)
    loop = loop_config(num_steps=12, learning_rate=0.02, save_every=4, sample_every=12)
    result = training.train_prior(config, loop=loop, run=str(tmp_path / "run"))
    found = records(tmp_path / "run")
    held_out = [record["held_out/total"] for record in found if "held_out/total" in record]
    assert held_out[-1] < 0.95 * held_out[0]
    assert found[0].keys() == {
        "step",
        *(f"held_out/{name}" for name in ("pixels", "alexnet_owt", "total")),
    }
    sheet = images.read_image(tmp_path / "run" / "samples" / "000012.jpg")
    assert sheet.shape == (1, 2 * SIZE + 4, 4 * SIZE + 12, 3)
    loaded = generators.load_decoder(tmp_path / "run" / "model")
    assert loaded.training_record["task"] == "prior"
    assert loaded.config.code == (4, 4, 192)
    code = np.random.default_rng(0).uniform(size=(1, 4, 4, 192)).astype(np.float32)
    np.testing.assert_array_equal(loaded(code), result.decoder(code))

    def interrupt(progress):
        if progress.step == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train_prior(config, loop=loop, run=str(tmp_path / "again"), callback=interrupt)
    again = training.train_prior(config, loop=loop, run=str(tmp_path / "again"))
    np.testing.assert_array_equal(again.decoder(code), result.decoder(code))


def test_statistics_are_those_of_the_codes(make_config):
    config = make_config()
    task = prior_training._PriorTask(config, loop_config())
    codes = task._some_codes().reshape(-1, 192)
    statistics = task.result().decoder.statistics
    # float32 of float64 sums.
    np.testing.assert_allclose(statistics.mean, codes.mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(statistics.least, 0.0)


def test_goes_on_from_a_decoder(make_config, tmp_path):
    first = training.train_prior(make_config(), loop=loop_config(), run=str(tmp_path / "run"))
    model = str(tmp_path / "run" / "model")
    task = prior_training._PriorTask(make_config(init_weights=model), loop_config())
    for own, given in zip(task.result().decoder.weights, first.decoder.weights, strict=True):
        np.testing.assert_array_equal(own, given)
    with pytest.raises(ValueError, match="`init_weights` must be a decoder of this architecture"):
        prior_training._PriorTask(make_config(init_weights=model, layer="relu1"), loop_config())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layer": "relu9"}, "`layer` of alexnet_owt must be among .*: relu9"),
        ({"comparators": ("relu1",)}, "`comparators` must be NETWORK:LAYER,.... Received: relu1"),
        ({"comparators": ("alexnet_owt:no",)}, "`comparators` of alexnet_owt must be among"),
        ({"comparators": ("vgg99:no",)}, "`comparators` must be one of .*vgg99"),
        ({"pixel_weight": -1.0}, "`pixel_weight` must be >= 0"),
        ({"adversarial_weight": float("inf")}, "`adversarial_weight` must be finite"),
        ({"colour_jitter": 1.0}, r"`colour_jitter` must be in \[0, 1\)"),
        ({"image_size": 4}, "`image_size` must be at least .*4x4 px"),
        ({"image_size": 57}, "`image_size` must be a multiple of 8"),
    ],
)
def test_configuration_refuses(fields, message, make_config):
    with pytest.raises(ValueError, match=message):
        make_config(**fields)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"content": "none"}, ValueError, "`content` must be a folder of pictures or the name"),
        # Before the weights of networks are looked for.
        (
            {"init_weights": "none", "weights": "missing.h5"},
            OSError,
            "`init_weights` must be a preset's folder",
        ),
    ],
)
def test_start_that_fails_leaves_nothing(
    fields, error, message, make_config, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        training.train_prior(make_config(**fields), loop=loop_config(), run="run")
    assert snapshot(tmp_path) == {}
