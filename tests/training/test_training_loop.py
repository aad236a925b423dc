"""The loop that all training shares, with a task that takes milliseconds: what a run leaves behind."""

import json
import math
import types

import numpy as np
import pytest
import tensorflow as tf
from snapshots import snapshot
from tensorboard.backend.event_processing import event_accumulator
from training_fakes import (
    Interrupted,
    Task,
    assert_equal,
    interrupt_at,
    records,
    run,
    state,
    weights,
)

from stylezoo import generators, images, training
from stylezoo.training import trainer

NUM_STEPS = 8
SAVED = (3, 6, 8)
# The figures of the loop are float32; their means are taken in float32 too.
FLOAT32 = 1e-6


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The folder of a run of eight steps that nothing happened to, and what it returned."""
    path = tmp_path_factory.mktemp("unbroken")
    return path, run(path, num_steps=NUM_STEPS)


def paint(generator):
    return generator({"noise_1": images.load_sample("coffee")[:, :8, :8]}).numpy()


def assert_same_run(path, other):
    """Weights, the optimiser's state, figures, pictures and the model for use, bit for bit."""
    assert_equal(state(path), state(other))
    assert records(path) == records(other)
    models = [generators.load(each / "model") for each in (path, other)]
    np.testing.assert_array_equal(*(paint(model) for model in models))
    assert models[0].styles == models[1].styles
    samples = [snapshot(each / "samples") for each in (path, other)]
    assert samples[0] == samples[1]


# --- interrupted and resumed ------------------------------------------------------------------


@pytest.mark.parametrize(
    "stops",
    [(2,), (3, 5, 8)],
    ids=["before the first state", "at a state, between two, at the end"],
)
def test_interrupted_and_resumed(stops, unbroken, tmp_path):
    for stop in stops:
        with pytest.raises(Interrupted):
            run(tmp_path, num_steps=NUM_STEPS, callback=interrupt_at(stop))
    steps = []
    result = run(
        tmp_path, num_steps=NUM_STEPS, callback=lambda progress: steps.append(progress.step)
    )
    resumed = max((saved for saved in SAVED if saved <= stops[-1]), default=0)
    assert steps == list(range(resumed + 1, NUM_STEPS + 1))
    path, unbroken_result = unbroken
    assert_same_run(tmp_path, path)
    np.testing.assert_array_equal(paint(result.painter), paint(unbroken_result.painter))


def test_finished_run_is_left_as_it_is(unbroken):
    path, before = unbroken
    files = snapshot(path)
    steps = []
    result = run(path, num_steps=NUM_STEPS, callback=lambda progress: steps.append(progress.step))
    assert steps == []
    assert snapshot(path) == files
    for name, values in weights(before.painter).items():
        np.testing.assert_array_equal(weights(result.painter)[name], values)


def test_reports_and_the_folder_may_change_on_resuming(unbroken, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    with pytest.raises(Interrupted):
        run(first, num_steps=NUM_STEPS, callback=interrupt_at(4))
    first.rename(second)
    run(second, num_steps=NUM_STEPS, log_every=5, save_every=1, sample_every=5)
    assert_equal(state(second), state(unbroken[0]))
    steps = [record["step"] for record in records(second) if "train/total" in record]
    assert steps == [2, 3, 4, 5, 6, 7, 8]
    # No more than the last three states are kept.
    kept = sorted(path.stem for path in (second / "checkpoints").glob("*.index"))
    assert kept == ["ckpt-6", "ckpt-7", "ckpt-8"]


def test_seed(unbroken, tmp_path):
    path, result = unbroken
    (tmp_path / "again").mkdir()  # an empty folder is as good as none
    run(tmp_path / "again", num_steps=NUM_STEPS)
    assert_same_run(tmp_path / "again", path)
    other = run(tmp_path / "other", num_steps=NUM_STEPS, seed=1)
    kernels = [
        [each.numpy() for each in found.painter.trainable_variables if each.ndim == 4]
        for found in (result, other)
    ]
    assert len(kernels[0]) == 4
    assert all(np.all(one != two) for one, two in zip(*kernels, strict=True))


def test_callback_and_result(unbroken, tmp_path):
    calls = []
    result = run(
        tmp_path,
        num_steps=5,
        callback=lambda progress: calls.append((progress.step, progress.losses)),
    )
    assert [step for step, _ in calls] == [1, 2, 3, 4, 5]
    # A record every two steps, and at the states after steps 3 and 5.
    assert [sorted(losses) for _, losses in calls] == [
        [],
        *[["content", "gradient_norm", "style", "total"]] * 4,
    ]
    assert calls[1][1]["total"] == records(tmp_path)[1]["train/total"]
    assert result.skipped == {"broken.jpg": "it is broken"}


# --- the run's folder -------------------------------------------------------------------------


def test_what_a_run_leaves(unbroken):
    path, result = unbroken
    names = sorted(name for name in snapshot(path) if "tfevents" not in name)
    assert names == [
        "checkpoints",
        "checkpoints/checkpoint",
        *(
            f"checkpoints/ckpt-{step}.{end}"
            for step in SAVED
            for end in ("data-00000-of-00001", "index")
        ),
        "config.json",
        "losses.jsonl",
        "model",
        "model/README.md",
        "model/config.json",
        "model/metadata.json",
        "model/model.weights.h5",
        "samples",
        "samples/000000.jpg",
        "samples/000004.jpg",
        "samples/000008.jpg",
    ]
    recorded = json.loads((path / "config.json").read_text(encoding="utf-8"))
    assert recorded == {
        "task": "fake",
        "loop": {
            "num_steps": 8,
            "batch_size": 2,
            "learning_rate": 1e-3,
            "clip_norm": 10.0,
            "decay": "none",
            "precision": "float32",
            "average": 0.0,
            "distribution": "none",
            "seed": 0,
        },
    }
    np.testing.assert_array_equal(paint(generators.load(path / "model")), paint(result.painter))


def test_another_configuration(unbroken):
    path, _ = unbroken
    files = snapshot(path)
    with pytest.raises(ValueError, match="must be a new folder, or of a run with this") as caught:
        run(
            path,
            num_steps=9,
            learning_rate=0.002,
            log_every=1,
            describe={"task": "other", "styles": ["a.png"], "content": {"image_size": 64}},
        )
    changes = (
        "content.image_size was None, is 64, loop.learning_rate was 0.001, is 0.002, "
        "loop.num_steps was 8, is 9, styles was None, is ['a.png'], task was 'fake', is 'other'"
    )
    assert str(caught.value).endswith(f"Received: {path} ({changes})")
    assert snapshot(path) == files


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("notes.txt", "mine", ValueError, "`run` must be a run's folder, or empty. Received: "),
        ("config.json", "{", ValueError, "`run` must hold a run's config.json. Received: "),
        ("config.json", "[1]", ValueError, "`run` must hold a run's config.json. Received: "),
        ("config.json", "\x00\x01", ValueError, "`run` must hold a run's config.json"),
        ("config.json", '{"mine": 1}', ValueError, "mine was 1, is None"),
        ("", "a file", NotADirectoryError, "Not a directory"),
    ],
)
def test_foreign_folder(name, content, error, message, tmp_path):
    path = tmp_path / "run"
    if name:
        path.mkdir()
    (path / name).write_text(content, encoding="utf-8")
    before = snapshot(tmp_path)
    with pytest.raises(error, match=message):
        run(path)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("where", ["__init__", "batches"])
def test_start_that_fails_leaves_nothing(where, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise OSError("it can't be read")

    monkeypatch.setattr(Task, where, fail)
    with pytest.raises(OSError, match="it can't be read"):
        run(tmp_path / "deep" / "run")
    assert snapshot(tmp_path) == {}


def test_damaged_state(tmp_path):
    with pytest.raises(Interrupted):
        run(tmp_path, callback=interrupt_at(4))
    file = tmp_path / "checkpoints" / "ckpt-3.index"
    file.write_bytes(file.read_bytes()[:20])
    before = snapshot(tmp_path)
    with pytest.raises(ValueError, match="ckpt-3` must be a state of this run") as caught:
        run(tmp_path)
    assert "\n" not in str(caught.value)
    assert snapshot(tmp_path) == before


# --- what is not finite -----------------------------------------------------------------------


def spoiled(what, step, value):
    """Multiplies the loss or the gradient of a step, counted from 1, with ``value``."""

    def broken(place, kind):
        return tf.where(place == step - 1, value, 1.0) if kind == what else 1.0

    return broken


@pytest.mark.parametrize(
    ("every", "noticed"),
    [
        ({"log_every": 5, "save_every": 2, "sample_every": 10}, 4),
        ({"log_every": 5, "save_every": 10, "sample_every": 10}, 5),
        ({"log_every": 9, "save_every": 10, "sample_every": 3}, 3),
    ],
    ids=["at a state", "at a record", "at a sample"],
)
def test_a_loss_that_is_not_finite(every, noticed, tmp_path):
    steps = []
    with pytest.raises(
        FloatingPointError, match=r"^step 3: style is nan; a smaller `learning_rate`"
    ):
        run(
            tmp_path,
            num_steps=10,
            broken=spoiled("loss", 3, math.nan),
            callback=lambda progress: steps.append(progress.step),
            **every,
        )
    assert steps == list(range(1, noticed))
    assert all(math.isfinite(value) for record in records(tmp_path) for value in record.values())
    if noticed == 4:
        saved = state(tmp_path)
        assert saved["step/.ATTRIBUTES/VARIABLE_VALUE"] == 2
        assert all(np.all(np.isfinite(values)) for values in saved.values())
        model = generators.load(tmp_path / "model")
        assert np.all(np.isfinite(paint(model)))
        # Once what was wrong is right it goes on from there.
        steps.clear()
        run(tmp_path, num_steps=10, callback=lambda progress: steps.append(progress.step), **every)
        assert steps == list(range(3, 11))


def test_a_gradient_that_is_not_finite(tmp_path):
    with pytest.raises(FloatingPointError, match=r"^step 3: gradient_norm is nan"):
        run(tmp_path, log_every=4, save_every=2, broken=spoiled("gradient", 3, math.nan))
    saved = state(tmp_path)
    assert saved["step/.ATTRIBUTES/VARIABLE_VALUE"] == 2
    assert all(np.all(np.isfinite(values)) for values in saved.values())


# --- no space ---------------------------------------------------------------------------------


def fail_at(attempt, original, error):
    """A function that is ``original``, but for one attempt, which raises."""
    attempts = []

    def function(*args, **kwargs):
        attempts.append(1)
        if len(attempts) == attempt:
            raise error
        return original(*args, **kwargs)

    return function


# What TensorFlow says of a disk that is full.
NO_SPACE = tf.errors.ResourceExhaustedError(
    None,
    None,
    "{{function_node __wrapped__SaveV2_dtypes_131_device_/job:localhost/replica:0/task:0/device:CPU:0}} "
    "ckpt; No space left on device [Op:SaveV2]\nmore",
)


@pytest.mark.parametrize(
    ("owner", "name", "error", "what", "attempt"),
    [
        (
            tf.train.CheckpointManager,
            "save",
            NO_SPACE,
            "the state after step {step} can't be written (ckpt; No space left on device)",
            2,
        ),
        (
            generators.Painter,
            "save_to_preset",
            OSError(28, "Unable to create file\n(time = now, errno = 28)"),
            "the model can't be written (No space left on device)",
            3,
        ),
        (
            images,
            "write_image",
            OSError(28, "No space left on device"),
            "a sample can't be written (No space left on device)",
            3,
        ),
    ],
    ids=["state", "model", "sample"],
)
def test_no_space(owner, name, error, what, attempt, monkeypatch, unbroken, tmp_path):
    """There is no space for the second or the last file of a kind; then there is some again."""
    path, _ = unbroken
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail_at(attempt, getattr(owner, name), error))
        with pytest.raises(OSError, match="can't be written") as caught:
            run(tmp_path, num_steps=NUM_STEPS)
    assert str(caught.value) == f"`{tmp_path}`: {what.format(step=SAVED[attempt - 1])}"
    assert_equal(state(tmp_path), state(path, SAVED[attempt - 2]))
    generators.load(tmp_path / "model")
    run(tmp_path, num_steps=NUM_STEPS)
    assert_same_run(tmp_path, path)


def test_events_that_can_not_be_written(monkeypatch, tmp_path):
    writer = types.SimpleNamespace(flush=lambda: None)
    folder = trainer.RunFolder(tmp_path, {})
    folder.flush()  # nothing was logged
    monkeypatch.setattr(folder, "_events", writer)
    monkeypatch.setattr(writer, "flush", fail_at(1, None, NO_SPACE))
    with pytest.raises(
        OSError, match=r"events can't be written \(ckpt; No space left on device\)$"
    ):
        folder.flush()


# --- figures ----------------------------------------------------------------------------------


def figures(path, prefix):
    return [
        (record["step"], {name: value for name, value in record.items() if name != "step"})
        for record in records(path)
        if any(name.startswith(prefix) for name in record)
    ]


def test_records_are_means_over_the_steps_since(tmp_path):
    run(tmp_path / "every", num_steps=7, log_every=1, save_every=7)
    run(tmp_path / "third", num_steps=7, log_every=3, save_every=7)
    every = dict(figures(tmp_path / "every", "train/"))
    third = dict(figures(tmp_path / "third", "train/"))
    assert list(every) == [1, 2, 3, 4, 5, 6, 7]
    assert list(third) == [3, 6, 7]
    names = {"train/content", "train/style", "train/total", "train/gradient_norm"}
    for step, since in ((3, (1, 2, 3)), (6, (4, 5, 6)), (7, (7,))):
        assert set(third[step]) == names
        for name in names:
            mean = np.mean([every[each][name] for each in since])
            np.testing.assert_allclose(third[step][name], mean, rtol=FLOAT32)
    for losses in every.values():
        total = losses["train/content"] + losses["train/style"]
        np.testing.assert_allclose(losses["train/total"], total, rtol=FLOAT32)
    held_out = [figures(tmp_path / name, "held_out/") for name in ("every", "third")]
    assert [step for step, _ in held_out[0]] == [0, 4, 7]
    assert held_out[0] == held_out[1]


def test_losses_and_gradient_are_the_tasks(tmp_path):
    """A step is that of the task's own loss, by hand."""
    run(tmp_path, num_steps=1, seed=3)
    tf.keras.utils.set_random_seed(3)
    task = Task(training.LoopConfig(batch_size=2, seed=3))
    (batch,) = task.batches(first_step=0, num_steps=1, shard=(0, 1))
    with tf.GradientTape() as tape:
        total, shares = task.loss(batch, tf.constant([3, 0], tf.int64))
    gradients = tape.gradient(total, [each.value for each in task.variables])
    norm = np.sqrt(sum(float(tf.reduce_sum(each**2)) for each in gradients))
    (_, losses), *_ = figures(tmp_path, "train/")
    np.testing.assert_allclose(losses["train/total"], total, rtol=FLOAT32)
    np.testing.assert_allclose(losses["train/style"], shares["style"], rtol=FLOAT32)
    # Sums of hundreds of products, in another order.
    np.testing.assert_allclose(losses["train/gradient_norm"], norm, rtol=1e-5)
    # The first step of Adam is the learning rate, against the gradient's sign.
    before = [each.numpy() for each in task.variables]
    after = [each.numpy() for each in generators.load(tmp_path / "model").trainable_variables]
    for old, new, gradient in zip(before, after, gradients, strict=True):
        # To these Adam's epsilon, 1e-7, is nothing: it adds to a root mean square whose first value
        # is 0.03 times the gradient.
        large = np.abs(gradient) > 0.01
        assert np.any(large)
        expected = -1e-3 * np.sign(gradient)
        np.testing.assert_allclose((new - old)[large], expected[large], rtol=1e-3)


def test_clip_norm(tmp_path):
    """After one step Adam's first moment is a tenth of the gradient, the second next to nothing."""
    run(tmp_path, num_steps=1, clip_norm=0.05)
    moments = [v for name, v in state(tmp_path).items() if "optimizer/_variables" in name]
    size = np.sqrt(sum(np.sum(each.astype(np.float64) ** 2) for each in moments))
    np.testing.assert_allclose(size, 0.005, rtol=1e-3)
    (_, losses), *_ = figures(tmp_path, "train/")
    assert losses["train/gradient_norm"] > 0.1  # what it was before it was clipped


def test_nothing_is_recorded_twice(unbroken, tmp_path):
    with pytest.raises(Interrupted):
        run(tmp_path, num_steps=NUM_STEPS, log_every=1, callback=interrupt_at(5))
    with (tmp_path / "losses.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 5, "train/')  # as of a process that was killed
    run(tmp_path, num_steps=NUM_STEPS, log_every=1)
    assert [step for step, _ in figures(tmp_path, "train/")] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert figures(tmp_path, "held_out/") == figures(unbroken[0], "held_out/")


def test_tensorboard(unbroken):
    path, _ = unbroken
    events = event_accumulator.EventAccumulator(
        str(path), size_guidance={"images": 0, "tensors": 0}
    )
    events.Reload()
    tags = events.Tags()["tensors"]
    shown = {}
    for tag in tags:
        if tag != "samples":
            for event in events.Tensors(tag):
                shown.setdefault(event.step, {})[tag] = float(tf.make_ndarray(event.tensor_proto))
    written = {}
    for record in records(path):
        written.setdefault(record.pop("step"), {}).update(record)
    assert {step: set(values) for step, values in shown.items()} == {
        step: set(values) for step, values in written.items()
    }
    for step, values in written.items():
        for name, value in values.items():
            assert shown[step][name] == np.float32(value)
    samples = events.Tensors("samples")
    assert [event.step for event in samples] == [0, 4, 8]
    width, height, picture = tf.make_ndarray(samples[-1].tensor_proto)
    assert (int(width), int(height)) == (8, 8)
    shown_picture = images.decode_image(picture)
    sample = images.read_image(path / "samples" / "000008.jpg")
    # A JPEG of the same picture.
    np.testing.assert_allclose(sample, shown_picture, atol=0.05)


# --- configurations ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"decay": "linear"}, "`decay` must be one of none, cosine, ulyanov2016. .*decay='linear'"),
        (
            {"precision": "float16"},
            "`precision` must be one of auto, float32, mixed_bfloat16, mixed_",
        ),
        ({"distribution": "tpu"}, "`distribution` must be one of none, mirrored, multi_worker"),
        (
            {"jit_compile": True, "distribution": "mirrored"},
            "`jit_compile` must be False for several replicas. Received: jit_compile=True, .*mirrored",
        ),
        ({"num_steps": 0}, "`num_steps` must be >= 1. Received: num_steps=0"),
        ({"batch_size": 0}, "`batch_size` must be >= 1"),
        ({"log_every": 0}, "`log_every` must be >= 1"),
        ({"save_every": -1}, "`save_every` must be >= 1"),
        ({"sample_every": 0}, "`sample_every` must be >= 1"),
        ({"learning_rate": 0.0}, "`learning_rate` must be > 0"),
        ({"clip_norm": -1.0}, "`clip_norm` must be >= 0. Received: clip_norm=-1.0"),
        ({"clip_norm": math.nan}, "`clip_norm` must be >= 0"),
        ({"learning_rate": math.nan}, "`learning_rate` must be > 0"),
        ({"learning_rate": math.inf}, "`learning_rate` must be > 0"),
    ],
)
def test_loop_config_refuses(fields, message):
    with pytest.raises(ValueError, match=message):
        training.LoopConfig(**fields)


def test_batch_that_does_not_divide(monkeypatch, tmp_path):
    strategy = types.SimpleNamespace(num_replicas_in_sync=3)
    monkeypatch.setattr(trainer, "strategy_of", lambda _: strategy)
    message = "`batch_size` must be a multiple of the 3 replicas. Received: batch_size=4"
    with pytest.raises(ValueError, match=message):
        run(tmp_path / "run", batch_size=4, distribution="mirrored")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize(
    ("cluster", "writes"),
    [
        ({}, True),
        ({"task": {"type": "worker", "index": 0}}, True),
        ({"task": {"type": "worker", "index": 1}}, False),
        ({"chief": True, "task": {"type": "chief", "index": 0}}, True),
        ({"chief": True, "task": {"type": "worker", "index": 0}}, False),
    ],
)
def test_one_process_of_a_cluster_writes(cluster, writes, monkeypatch):
    hosts = {"worker": ["localhost:1", "localhost:2"]}
    if cluster.pop("chief", False):
        hosts["chief"] = ["localhost:3"]
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": hosts, **cluster} if cluster else {}))
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    assert trainer._is_chief(types.SimpleNamespace(cluster_resolver=resolver)) == writes


def rate(steps_done, **fields):
    schedule = trainer._schedule(training.LoopConfig(learning_rate=0.1, **fields))
    return float(schedule(tf.constant(steps_done))) if callable(schedule) else schedule


def test_decay():
    assert rate(12345) == 0.1
    drops = {0: 0, 1: 0, 999: 0, 1000: 1, 1199: 1, 1200: 2, 1999: 5, 2000: 6}
    for steps_done, number in drops.items():
        found = rate(steps_done, decay="ulyanov2016", num_steps=2001)
        assert found == pytest.approx(0.1 * 0.7**number, rel=1e-6)
    for num_steps in (1, 1000, 1001, 1200, 1201):  # the last step's, too
        found = rate(num_steps - 1, decay="ulyanov2016", num_steps=num_steps)
        assert found == pytest.approx(rate(num_steps - 1, decay="ulyanov2016"), rel=1e-6)
    for steps_done in (0, 30, 50, 99):
        expected = 0.05 * (1 + math.cos(math.pi * steps_done / 100))
        found = rate(steps_done, decay="cosine", num_steps=100)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-7)
    assert rate(100, decay="cosine", num_steps=100) == pytest.approx(0, abs=1e-9)


def test_decay_reaches_the_steps(tmp_path):
    """Steps of Adam are as long as their rate, by and by."""
    result = {}
    for decay in ("none", "cosine"):
        run(tmp_path / decay, num_steps=2, save_every=1, decay=decay)
        first, second = (state(tmp_path / decay, step) for step in (1, 2))
        moved = [
            np.abs(second[name] - first[name]).max()
            for name in first
            if "_trainable_variables" in name
        ]
        result[decay] = max(moved)
    # After one step of two the cosine has reached a half.
    assert result["cosine"] == pytest.approx(0.5 * result["none"], rel=1e-2)
