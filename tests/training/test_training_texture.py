"""Texture networks: noise, what they learn from a picture, what is refused."""

import dataclasses
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from networks import random_image
from snapshots import snapshot
from training_fakes import records

from stylezoo import generators, images, objectives, training
from stylezoo.perceptual import Perceptual
from stylezoo.training import texture_training

SIZE = 48
GENERATOR = generators.TextureNetworkConfig(channels=2, num_scales=2)


@pytest.fixture
def make_config(alexnet, paintings):
    def make(**fields):
        settings = {
            "generator": GENERATOR,
            "source": paintings[2],
            "objective": objectives.Objective(
                Perceptual("alexnet_owt", alexnet),
                content_layers=(),
                style_layers=("relu1", "relu2"),
                style_weight=1.0,
            ),
            "image_size": SIZE,
        }
        return training.TextureTraining(**settings | fields)

    return make


def loop_config(**fields):
    settings = {"num_steps": 2, "batch_size": 2, "log_every": 1, "save_every": 2, "sample_every": 2}
    return training.LoopConfig(**settings | fields)


def seed(*pair):
    return tf.constant(pair, tf.int64)


def test_noise(make_config, monkeypatch):
    """Noise is another for every picture and step, and the same when a step is done again."""
    task = texture_training._TextureTask(make_config(), loop_config())
    seen = []
    original = generators.TextureNetwork.noise

    def noise(painter, *arguments, **options):
        drawn = original(painter, *arguments, **options)
        seen.append({name: values.numpy() for name, values in drawn.items()})
        return drawn

    monkeypatch.setattr(generators.TextureNetwork, "noise", noise)
    batch = tf.zeros([2], tf.int32)
    for pair in ((0, 0), (0, 0), (0, 1), (1, 0)):
        task.loss(batch, seed(*pair))
    for name in ("noise_1", "noise_2"):
        first, same, step, other = (noise[name] for noise in seen)
        assert first.shape == (2, *task.network.noise_shapes(SIZE, SIZE)[name])
        np.testing.assert_array_equal(first, same)
        for another in (first[::-1], step, other):
            # Two independent uniform numbers are a third apart on average; four deviations of the
            # mean of 3456 or more.
            assert np.mean(np.abs(first - another)) == pytest.approx(1 / 3, abs=4 * 0.24 / 58)


def test_a_grey_source_gives_grey_textures(make_config, tmp_path):
    source = str(tmp_path / "grey.png")
    images.write_image(source, images.luminance(random_image(60, 64)).numpy().repeat(3, axis=-1))
    for path, grey in ((source, True), (make_config().source, False)):
        task = texture_training._TextureTask(make_config(source=path), loop_config())
        assert task.painter().config.grey is grey
        assert images.is_grey(task._paint(1, tf.constant(0, tf.int64), training=True)) is grey


def test_loss_is_the_objectives(make_config, alexnet, paintings):
    task = texture_training._TextureTask(make_config(source_size=52), loop_config())
    total, shares = task.loss(tf.zeros([3], tf.int32), seed(0, 5))
    painted = task._paint(3, texture_training.scalar_seed(seed(0, 5)), training=True)
    loss = make_config().objective.build()
    source = images.resize_longest_side(images.read_image(paintings[2]), 52)
    targets = loss.targets({"style": objectives.Reference([source])})
    expected = [loss(painted[i : i + 1], targets)[0] for i in range(3)]
    # A mean over the batch in another order.
    np.testing.assert_allclose(total, np.mean(expected), rtol=1e-5)
    assert list(shares) == ["style"]


def test_batches(make_config):
    """There are as many batches as steps, and a shard gets its part of each."""
    task = texture_training._TextureTask(make_config(), loop_config(batch_size=6))
    for shard, size in (((0, 1), 6), ((1, 3), 2)):
        dataset = task.batches(first_step=3, num_steps=8, shard=shard)
        assert [batch.shape for batch in dataset] == [(size,)] * 5
        assert dataset.element_spec.shape == (size,)


@pytest.mark.slow
def test_learns(make_config, paintings, tmp_path):
    """In fifteen steps, the colours first."""
    path = tmp_path / "run"
    loop = loop_config(num_steps=15, learning_rate=0.03, save_every=15, sample_every=15)
    result = training.train_texture(make_config(), loop=loop, run=str(path))
    held_out = [record["held_out/total"] for record in records(path) if "held_out/total" in record]
    assert len(held_out) == 2
    assert held_out[1] < 0.7 * held_out[0]  # measured: 0.5 or less, with three seeds
    assert result.painter.styles == ("gaudy",)
    assert result.painter.config == GENERATOR
    assert result.skipped == {}
    trained = result.painter.training_record
    assert (trained["task"], trained["source"]) == ("texture", "gaudy.png")
    assert trained["loop"]["num_steps"] == 15
    # The source and four textures, 4 px apart.
    sheet = images.read_image(path / "samples" / "000015.jpg")
    source = images.read_image(paintings[2])
    assert sheet.shape == (1, 60, 50 + 4 * (50 + 4), 3)
    # A JPEG of it.
    np.testing.assert_allclose(sheet[:, :, :50], source, atol=0.1)
    noise = result.painter.noise((40, 64), seed=1)
    painted = generators.load(path / "model")(noise)
    np.testing.assert_array_equal(painted, result.painter(noise))
    # The source's mean is learnt first; random weights paint grey.
    start = generators.build(GENERATOR)(noise)
    wanted = np.mean(source, axis=(1, 2))
    distances = [
        np.linalg.norm(np.mean(picture, axis=(1, 2)) - wanted) for picture in (painted, start)
    ]
    assert distances[0] < distances[1]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"generator": generators.TextureNetworkConfig(stylize=True)},
            "`generator` must paint textures. Received: one that paints photographs",
        ),
        ({"image_size": 10}, "`image_size` must be at least .*for the layer relu2.*10x10 px"),
    ],
)
def test_configuration_refuses(fields, message, make_config):
    with pytest.raises(ValueError, match=message):
        make_config(**fields)


def test_configuration_refuses_content(make_config):
    objective = dataclasses.replace(make_config().objective, content_layers=("relu1", "relu2"))
    message = "`content_layers` must be none for a texture. Received: relu1, relu2"
    with pytest.raises(ValueError, match=message):
        make_config(objective=objective)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"source": "none.png"}, OSError, "none.png` does not exist"),
        ({"source": "text.png"}, ValueError, "text.png` is not an image"),
        ({"source_size": 12}, ValueError, "`source` must be at least .*10x12 px"),
        ({"init_weights": "johnson"}, ValueError, "`init_weights` must be a TextureNetwork"),
    ],
)
def test_start_that_fails_leaves_nothing(
    fields, error, message, make_config, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("text.png").write_text("no picture", encoding="utf-8")
    johnson = generators.JohnsonConfig((2, 3, 4), num_blocks=0)
    generators.build(johnson, styles=("gaudy",)).save_to_preset("johnson")
    before = snapshot(tmp_path)
    with pytest.raises(error, match=message):
        training.train_texture(make_config(**fields), loop=loop_config(), run="run")
    assert snapshot(tmp_path) == before
