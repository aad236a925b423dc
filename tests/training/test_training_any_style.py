"""Painters of any style: paintings are drawn at every step, and both networks are trained."""

import dataclasses
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from networks import random_image, randomize
from training_fakes import Interrupted, assert_equal, differ, interrupt_at, records, state, weights

from stylezoo import generators, images, objectives, training
from stylezoo.generators import mobilenet
from stylezoo.perceptual import Perceptual
from stylezoo.training import style_training

SIZE, PAINTING = 48, 40
CONFIG = generators.ArbitraryConfig(
    (3, 4, 5), num_blocks=1, kernel=3, vector_size=6, prediction_width=0.05, style_size=32
)
# Two orders of summation of some thousand float32 products.
FLOAT32 = 1e-5


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """Leave two of seven stages of the style-prediction network, which take seconds to trace."""
    monkeypatch.setattr(mobilenet, "_STAGES", mobilenet._STAGES[:2])


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder of eleven paintings of different contrasts."""
    folder = tmp_path_factory.mktemp("many")
    for index in range(11):
        picture = 0.5 + (random_image(44 + index, 60, seed=index) - 0.5) * (index + 1) / 11
        images.write_image(folder / f"{index:02}.png", picture)
    return str(folder)


@pytest.fixture
def make_config(many, alexnet, photographs):
    objective = objectives.Objective(
        Perceptual("alexnet_owt", alexnet),
        content_layers=("relu2",),
        style_layers=("relu1", "relu2"),
    )

    def make(**fields):
        settings = {
            "generator": CONFIG,
            "styles": (many,),
            "content": training.ContentConfig(photographs, image_size=SIZE),
            "objective": objective,
            "style_size": PAINTING,
        }
        return training.StyleTraining(**settings | fields)

    return make


def loop_config(**fields):
    settings = {"num_steps": 2, "batch_size": 2, "log_every": 1, "save_every": 2, "sample_every": 2}
    return training.LoopConfig(**settings | fields)


def task_of(config, **fields):
    return style_training._AnyStyleTask(config, loop_config(**fields))


@pytest.mark.parametrize("fields", [{}, {"style_loss": "sliced"}, {"scaling": "johnson2016"}])
def test_each_photograph_is_compared_with_its_own_painting(fields, make_config):
    config = make_config()
    config = dataclasses.replace(config, objective=dataclasses.replace(config.objective, **fields))
    # Without batch normalisation a picture does not depend on the others of its batch.
    generator = dataclasses.replace(CONFIG, normalization="none")
    task = task_of(dataclasses.replace(config, generator=generator))
    randomize(task.network.weights)
    photographs = random_image(SIZE, SIZE, batch=3, seed=1)
    paintings = random_image(PAINTING, PAINTING, batch=3, seed=2) * [
        [[[1.0]]],
        [[[0.5]]],
        [[[0.1]]],
    ]
    seen = []
    paint = task._paint
    task._paint = lambda *given, **options: seen.append(given) or paint(*given, **options)
    total, shares = task.loss((photographs, paintings), tf.constant([5, 7], tf.int64))
    ((noisy, _, _),) = seen
    loss, each = config.objective.build(), []
    for index in range(3):
        one = slice(index, index + 1)
        vector = task.network.style_vectors(paintings[one])
        painted = task.network({"image": noisy[one], "style_vector": tf.constant(vector)})
        references = {
            "content": objectives.Reference([noisy[one]]),
            "style": objectives.Reference([paintings[one]]),
        }
        value, terms = task._loss(painted, loss.targets(references))
        each.append({"total": value, **terms})
    for name, share in {"total": total, **shares}.items():
        np.testing.assert_allclose(
            share, np.mean([float(terms[name]) for terms in each]), rtol=10 * FLOAT32
        )
    assert np.std([float(terms["style"]) for terms in each]) > 0.01 * float(shares["style"])


def test_a_step_sees_the_same_wherever_training_began(make_config):
    task = task_of(make_config(), num_steps=6)
    whole = list(task.batches(first_step=0, num_steps=6, shard=(0, 1)))
    rest = list(task.batches(first_step=4, num_steps=6, shard=(0, 1)))
    for one, other in zip(whole[4:], rest, strict=True):
        for pictures, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(pictures, same)
    photographs, paintings = whole[0]
    assert photographs.shape == (2, SIZE, SIZE, 3)
    assert paintings.shape == (2, PAINTING, PAINTING, 3)
    # Nine paintings are left to train on: all have been seen, and none of those set apart.
    drawn = np.concatenate([batch[1] for batch in whole])
    assert len(np.unique(drawn.std((1, 2, 3)).round(2))) >= 9
    shards = [next(iter(task.batches(first_step=0, num_steps=1, shard=(i, 2)))) for i in (0, 1)]
    for part, both in enumerate((photographs, paintings)):
        np.testing.assert_array_equal(np.concatenate([shard[part] for shard in shards]), both)


def test_both_networks_are_trained(make_config, tmp_path):
    start = tmp_path / "start"
    painter = generators.build(CONFIG)
    painter.save_to_preset(start)
    config = make_config(init_weights=str(start))
    task = task_of(config)
    # It starts from all weights of the preset, those of the style-prediction network too.
    assert_equal(
        {str(i): each for i, each in enumerate(task.network.get_weights())},
        {str(i): each for i, each in enumerate(painter.get_weights())},
    )
    result = training.train_style(config, loop=loop_config(), run=str(tmp_path / "run"))
    changed = differ(weights(result.painter), weights(painter))
    for wanted in (
        "conv_in/kernel",
        "up1_norm/scale",
        "up1_norm/shift_bias",
        "style_vector/kernel",
    ):
        assert any(name.endswith(wanted) for name in changed), wanted
    of_predictor = {each.path for each in result.painter.predictor.variables}
    moving = [name for name in changed if name in of_predictor and "moving" in name]
    assert len(moving) >= 10
    loaded = generators.load(tmp_path / "run" / "model")
    photograph, style = random_image(20, 24).numpy(), random_image(30, 30, seed=3).numpy()
    np.testing.assert_array_equal(
        loaded.paint(photograph, style=style), result.painter.paint(photograph, style=style)
    )
    assert loaded.styles == ()


@pytest.mark.slow
def test_interrupted_and_resumed(make_config, tmp_path):
    config, loop = make_config(), loop_config(num_steps=4, sample_every=4)
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    training.train_style(config, loop=loop, run=str(unbroken))
    with pytest.raises(Interrupted):
        training.train_style(config, loop=loop, run=str(broken), callback=interrupt_at(3))
    training.train_style(config, loop=loop, run=str(broken))
    assert_equal(state(broken), state(unbroken))
    assert records(broken) == records(unbroken)


@pytest.mark.slow
def test_loss_falls(make_config, tmp_path):
    """On photographs and paintings that it was not trained on."""
    config = make_config(generator=dataclasses.replace(CONFIG, normalization="none"))
    loop = loop_config(
        num_steps=40, batch_size=4, sample_every=40, save_every=40, learning_rate=0.01
    )
    training.train_style(config, loop=loop, run=str(tmp_path))
    first, last = (
        record["held_out/total"] for record in records(tmp_path) if "held_out/total" in record
    )
    assert last < 0.8 * first


def test_held_out(make_config, many):
    """Two of eleven paintings are set apart, evenly spaced, and shown with four photographs."""
    task = task_of(make_config())
    losses, sheet = task.held_out()
    assert losses.keys() == {"style", "content", "total", "00/style", "05/style"}
    mean = (losses["00/style"] + losses["05/style"]) / 2
    assert losses["style"] == pytest.approx(mean, rel=FLOAT32)
    assert sheet.shape == (1, 4 * SIZE + 3 * 4, 3 * SIZE + 2 * 4, 3)
    painting = images.centre_square(images.read_image(pathlib.Path(many, "05.png")), PAINTING)
    painted = task.network.paint(task._shown[:1], style=painting.numpy())
    # One picture of a batch of four, and in a graph.
    np.testing.assert_allclose(sheet[:, :SIZE, -SIZE:], painted, atol=FLOAT32)


def test_too_few_paintings(make_config, photographs, tmp_path):
    (tmp_path / "few").mkdir()
    for index in range(4):
        images.write_image(tmp_path / "few" / f"{index}.png", random_image(50, 50))
    with pytest.raises(ValueError, match=r"`styles` must hold 5 pictures or more. Received: .*, 4"):
        task_of(make_config(styles=(str(tmp_path / "few"),)))
    with pytest.raises(ValueError, match="`styles` must be a folder of pictures or the name"):
        task_of(make_config(styles=(str(tmp_path / "none"),)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"styles": ("a", "b")}, "`styles` must be one folder of paintings.* Received: a, b"),
        ({"finetune_style": "conditional"}, "`finetune_style` must not be given for a generator"),
        ({"identity_weight": 1.0}, "`identity_weight` must be 0"),
        ({"style_size": 2}, "`style_size` must be"),
    ],
)
def test_what_does_not_go_with_any_style(fields, message, make_config):
    with pytest.raises(ValueError, match=message):
        make_config(**fields)


def test_patches_do_not_go_with_any_style(make_config):
    objective = dataclasses.replace(make_config().objective, style_loss="mrf")
    with pytest.raises(ValueError, match="`style_loss` must not be that of patches"):
        make_config(objective=objective)
