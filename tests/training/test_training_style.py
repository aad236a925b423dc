"""Networks that paint photographs: what their loss is, what is trained, what a start refuses."""

import dataclasses
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from configuring import with_fields
from networks import random_image
from snapshots import snapshot
from training_fakes import (
    Interrupted,
    assert_equal,
    differ,
    interrupt_at,
    records,
    run,
    state,
)

from stylezoo import generators, images, objectives, ops, training
from stylezoo.errors import WeightsError
from stylezoo.objectives import OBJECTIVES
from stylezoo.perceptual import Perceptual
from stylezoo.training import motions, style_training

SIZE = 48
LIGHT = generators.LightConfig(widths=(3, 4), num_blocks=0)
JOHNSON_STYLES = generators.JohnsonConfig(
    widths=(4, 6, 8), num_blocks=1, normalization="conditional", num_styles=3, skips=True
)
JOHNSON = generators.JohnsonConfig(widths=(2, 3, 4), num_blocks=1)
# Two orders of summation of some thousand float32 products.
FLOAT32 = 1e-5


@pytest.fixture
def objective(alexnet):
    return objectives.Objective(
        Perceptual("alexnet_owt", alexnet),
        content_layers=("relu2",),
        style_layers=("relu1", "relu2"),
    )


@pytest.fixture
def make_config(objective, photographs, paintings):
    """The configuration of a training of two styles, or what is asked for."""

    def make(*, num_styles=2, **fields):
        settings = {
            "generator": LIGHT.with_styles(num_styles),
            "styles": paintings[:num_styles],
            "content": training.ContentConfig(photographs, image_size=SIZE),
            "objective": objective,
            "style_size": 60,
        }
        return training.StyleTraining(**settings | fields)

    return make


def loop_config(**fields):
    settings = {"num_steps": 2, "batch_size": 2, "log_every": 1, "save_every": 2, "sample_every": 2}
    return training.LoopConfig(**settings | fields)


# --- the identity -----------------------------------------------------------------------------


def test_identity_is_trained_to_paint_the_photograph(make_config, asked):
    config = make_config(generator=LIGHT.with_styles(3), identity_weight=7.0)
    task = style_training._StyleTask(config, loop_config())
    assert task.network.style_rows == (*config.style_names, "identity")
    batch = random_image(SIZE, SIZE, batch=2)
    total, shares = task.loss(batch, tf.constant([0, 3], tf.int64))
    (_, styles), (photographs, identity) = asked
    asked.clear()
    assert set(styles) == {0, 1}
    assert list(identity) == [2]
    painted = task.network(
        {"image": photographs, "style_weights": tf.one_hot([2], 3)}, training=True
    )

    def normalized(pictures):
        deviation = np.sqrt(np.var(pictures, axis=(1, 2), keepdims=True) + 1e-3)
        return (pictures - np.mean(pictures, axis=(1, 2), keepdims=True)) / deviation

    expected = 7 * np.mean(np.square(normalized(painted) - normalized(photographs)))
    np.testing.assert_allclose(shares["identity"], expected, rtol=FLOAT32)
    np.testing.assert_allclose(total, sum(float(each) for each in shares.values()), rtol=FLOAT32)


def test_grid_is_held_down(make_config, asked):
    task = style_training._StyleTask(make_config(grid_weight=300.0), loop_config())
    batch, seed = random_image(SIZE, SIZE, batch=2), tf.constant([0, 3], tf.int64)
    total, shares = task.loss(batch, seed)
    ((photographs, styles),) = asked
    inputs = {"image": photographs, "style_weights": tf.one_hot(styles, 2)}
    energy = ops.grid_energy(task.network(inputs, training=True))
    np.testing.assert_allclose(shares["grid"], 300 * np.mean(energy), rtol=FLOAT32)
    np.testing.assert_allclose(total, sum(float(each) for each in shares.values()), rtol=FLOAT32)


def test_paintings_of_what_moved_are_compared_with_moved_paintings(make_config, asked):
    task = style_training._StyleTask(make_config(temporal_weight=5.0), loop_config())
    batch, seed = random_image(SIZE, SIZE, batch=2), tf.constant([0, 3], tf.int64)
    total, shares = task.loss(batch, seed)
    (photographs, styles), (moved, again) = asked
    np.testing.assert_array_equal(styles, again)
    flow, visible = motions.random_motion(tf.TensorShape([2, SIZE, SIZE, 3]), seed)
    np.testing.assert_allclose(moved, ops.warp(photographs, flow), atol=0.1)  # noise, brightness
    weights = tf.one_hot(styles, 2)

    def paint(pictures):
        return task.network({"image": pictures, "style_weights": weights}, training=True)

    difference = np.square(paint(moved) - ops.warp(paint(photographs), flow)) * visible
    expected = 5 * np.sum(difference) / (3 * np.sum(visible))
    np.testing.assert_allclose(shares["temporal"], expected, rtol=1e-4)
    np.testing.assert_allclose(total, sum(float(each) for each in shares.values()), rtol=FLOAT32)


def test_identity_is_learned(make_config, tmp_path):
    config = make_config(generator=JOHNSON_STYLES, identity_weight=1.0)
    loop = loop_config(num_steps=60, sample_every=60, learning_rate=0.01)
    result = training.train_style(config, loop=loop, run=str(tmp_path))
    first, last = (
        record["held_out/identity"] for record in records(tmp_path) if "held_out/identity" in record
    )
    assert last < 0.7 * first
    assert result.painter.styles == config.style_names


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"identity_weight": -1.0}, "`identity_weight` must be finite, >= 0.*-1"),
        ({"grid_weight": -2.0}, "`grid_weight` must be finite, >= 0.*-2"),
        ({"temporal_weight": -3.0}, "`temporal_weight` must be finite, >= 0.*-3"),
        ({"identity_weight": float("inf")}, "`identity_weight` must be finite, >= 0.*inf"),
        ({"identity_weight": 1.0, "generator": JOHNSON}, "`identity_weight` must be 0 with"),
        ({"identity_weight": 1.0, "finetune_style": "x"}, "`identity_weight` must be 0 with"),
    ],
)
def test_identity_needs_a_place(fields, message, make_config):
    with pytest.raises(ValueError, match=message):
        make_config(**fields)


# --- the loss ---------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """Record which photographs are painted in which styles, batch by batch."""
    seen = []
    original = style_training._StyleTask._paint

    def paint(self, photographs, styles, seed, *, training):
        seen.append((photographs, styles.numpy()))
        return original(self, photographs, styles, seed, training=training)

    monkeypatch.setattr(style_training._StyleTask, "_paint", paint)
    return seen


@pytest.mark.parametrize(
    ("scaling", "fields"),
    [
        ("relative", {}),
        ("johnson2016", {"style_weight": 0.1, "tv_weight": 1e-7}),
        ("relative", {"style_loss": "moments"}),
        ("relative", {"style_loss": "sliced"}),
    ],
)
def test_loss_is_the_mean_over_the_pictures(
    scaling, fields, make_config, objective, paintings, asked
):
    """Each painting is compared with its own style and its own content, one picture at a time."""
    objective = dataclasses.replace(objective, scaling=scaling, **fields)
    task = style_training._StyleTask(make_config(num_styles=3, objective=objective), loop_config())
    for variable in task.variables:  # so that styles differ from the start
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, variable.shape)
        variable.assign_add(noise.astype(np.float32))
    batch = random_image(SIZE, SIZE, batch=4)
    total, shares = task.loss(batch, tf.constant([5, 7], tf.int64))
    ((photographs, styles),) = asked
    assert sorted(set(styles)) == [0, 1, 2]
    loss = objective.build()
    each = []
    for index, number in enumerate(styles):
        photograph = photographs[index : index + 1]
        painting = images.resize_longest_side(images.read_image(paintings[number]), 60)
        painted = task.network(
            {"image": photograph, "style_weights": tf.one_hot([number], 3)}, training=True
        )
        references = {
            "content": objectives.Reference([photograph]),
            "style": objectives.Reference([painting]),
        }
        value, terms = loss(painted, loss.targets(references))
        each.append({"total": value, **terms})
    assert shares.keys() == {"style", "content", *(["tv"] if objective.tv_weight else [])}
    for name, share in {"total": total, **shares}.items():
        np.testing.assert_allclose(
            share, np.mean([float(terms[name]) for terms in each]), rtol=FLOAT32
        )
    # No two pictures are alike, so that a mean over anything else would have shown.
    assert np.std([float(terms["style"]) for terms in each]) > 0.01 * float(shares["style"])


@pytest.mark.parametrize("name", ["cnnmrf", "gatys2016-paper", "gatys2016-code", "cnnmrf2016-code"])
def test_loss_of_a_named_objective(name, make_config, alexnet):
    """The loss of one picture is the objective's, with the style's variants and mean activations."""
    layers = {"content_layers": ("relu2",), "style_layers": ("relu1", "relu2")}
    objective = dataclasses.replace(
        OBJECTIVES[name], perceptual=Perceptual("alexnet_owt", alexnet), **layers
    )
    config = make_config(num_styles=1, objective=objective)
    task = style_training._StyleTask(config, loop_config())
    batch = random_image(SIZE, SIZE, batch=2)
    total, shares = task._compare(batch, 1 - batch, tf.constant([0, 0]))
    styles = objectives.StyleReferences(objective, [images.read_image(config.styles[0])]).at(60)
    shown = [task._shown[i : i + 1] for i in range(len(task._shown))]
    loss = objective.build(pictures=[*styles["style"].images, *shown])
    each = []
    for index in range(2):
        photograph = batch[index : index + 1]
        references = {"content": objectives.Reference([photograph]), **styles}
        value, terms = loss(1 - photograph, loss.targets(references))
        each.append({"total": value, **terms})
    for share, value in {"total": total, **shares}.items():
        expected = np.mean([float(terms[share]) for terms in each])
        np.testing.assert_allclose(value, expected, rtol=FLOAT32)


def test_patches_of_several_styles(make_config, objective):
    objective = dataclasses.replace(objective, style_loss="mrf")
    assert make_config(num_styles=1, objective=objective).objective == objective
    with pytest.raises(ValueError, match=r"`styles` must be one picture with the .* of patches"):
        make_config(num_styles=2, objective=objective)


def test_photographs_get_the_noise_that_rounding_took(make_config, asked):
    task = style_training._StyleTask(make_config(), loop_config())
    plain = tf.fill([2, SIZE, SIZE, 3], 0.5)
    for seed in ([0, 0], [0, 0], [0, 1], [1, 0]):
        task.loss(plain, tf.constant(seed, tf.int64))
    noises = [255 * (photographs - plain).numpy() for photographs, _ in asked]
    for noise in noises:
        assert np.abs(noise).max() <= 0.5 + 1e-4  # float32, of numbers around 127
        # Uniform: of 13,824 numbers the deviation is known to a hundredth.
        assert np.std(noise) == pytest.approx(12**-0.5, rel=0.03)
    np.testing.assert_array_equal(noises[0], noises[1])
    for one, other in ((0, 2), (0, 3), (2, 3)):
        assert abs(np.corrcoef(noises[one].ravel(), noises[other].ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(noises[0][0].ravel(), noises[0][1].ravel())[0, 1]) < 0.05


class Chosen(Exception):  # noqa: N818
    """Stop before anything more is computed."""


@pytest.mark.parametrize(("num_styles", "batch"), [(1, 2), (2, 4), (2, 5), (3, 4), (3, 2)])
def test_every_style_as_often_as_the_others(num_styles, batch, make_config, monkeypatch):
    chosen = []

    def paint(task, photographs, styles, seed, *, training):
        chosen.append(styles)
        raise Chosen

    monkeypatch.setattr(style_training._StyleTask, "_paint", paint)
    task = style_training._StyleTask(make_config(num_styles=num_styles), loop_config())
    picture = tf.zeros([batch, SIZE, SIZE, 3])
    for step in range(30):
        with pytest.raises(Chosen):
            task.loss(picture, tf.constant([0, step], tf.int64))
    counts = [np.bincount(styles, minlength=num_styles) for styles in chosen]
    assert all(count.max() - count.min() <= (1 if batch % num_styles else 0) for count in counts)
    # Where there is no room for all, each has its turn: a coin is thrown thirty times. Four
    # deviations of the number of batches in which a style is one more.
    share = batch % num_styles / num_styles
    slack = 4 * (30 * share * (1 - share)) ** 0.5
    np.testing.assert_allclose(np.sum(counts, axis=0), 30 * batch / num_styles, atol=slack)


def test_held_out(make_config, paintings):
    """Losses of each style on the photographs apart, and their pictures side by side."""
    config = make_config()
    task = style_training._StyleTask(config, loop_config())
    losses, sheet = task.held_out()
    assert losses.keys() == {"style", "content", "total", "pale/style", "plain/style"}
    mean = (losses["pale/style"] + losses["plain/style"]) / 2
    assert losses["style"] == pytest.approx(mean, rel=FLOAT32)
    assert losses["total"] == pytest.approx(losses["style"] + losses["content"], rel=FLOAT32)
    # Four rows of a photograph and two paintings, with gaps of 4 px.
    assert sheet.shape == (1, 4 * SIZE + 3 * 4, 3 * SIZE + 2 * 4, 3)
    photograph = training.open_photographs(config.content.content).hold_out(4)[1]
    shown = training.centre_crops(photograph, [1], size=SIZE)
    np.testing.assert_array_equal(sheet[:, SIZE + 4 : 2 * SIZE + 4, :SIZE], shown)
    painted = task.network({"image": shown, "style_weights": tf.one_hot([1], 2)})
    # One picture of a batch of four, and in a graph.
    np.testing.assert_allclose(
        sheet[:, SIZE + 4 : 2 * SIZE + 4, -SIZE:], painted, rtol=0, atol=FLOAT32
    )


# --- whole runs -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A model of two styles whose weights are all random."""
    keras.utils.set_random_seed(0)
    generator = generators.initial(LIGHT.with_styles(2), styles=("first", "second"))
    for variable in generators.style_variables(generator):
        noise = np.random.default_rng(len(variable.path)).uniform(-0.5, 0.5, variable.shape)
        variable.assign_add(noise.astype(np.float32))
    path = tmp_path_factory.mktemp("base") / "base"
    generator.training_record = {"task": "of old"}
    generator.save_to_preset(path)
    return str(path)


def paint(generator, style_weights):
    inputs = {"image": random_image(24, 28), "style_weights": tf.constant([style_weights])}
    return generator(inputs).numpy()


def test_interrupted_and_resumed(make_config, tmp_path):
    """The task's own part of what `test_training_loop` tests: photographs and styles."""
    config, loop = make_config(num_styles=3), loop_config(num_steps=4, sample_every=4)
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    training.train_style(config, loop=loop, run=str(unbroken))
    with pytest.raises(Interrupted):
        training.train_style(config, loop=loop, run=str(broken), callback=interrupt_at(3))
    training.train_style(config, loop=loop, run=str(broken))
    assert_equal(state(broken), state(unbroken))
    assert records(broken) == records(unbroken)
    models = [generators.load(path / "model") for path in (broken, unbroken)]
    np.testing.assert_array_equal(*(paint(model, [0.5, 0.2, 0.3]) for model in models))


def test_noise_follows_the_seed_and_the_step(make_config):
    generator = generators.TextureNetworkConfig(stylize=True, channels=1, num_scales=2)
    task = style_training._StyleTask(make_config(num_styles=1, generator=generator), loop_config())
    batch = random_image(SIZE, SIZE, batch=2)
    totals = [
        float(task.loss(batch, tf.constant(seed, tf.int64))[0])
        for seed in ([0, 0], [0, 0], [0, 1], [1, 0])
    ]
    assert totals[0] == totals[1]
    assert len(set(totals)) == 3


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(precision, make_config, tmp_path):
    before = keras.config.dtype_policy().name
    loop = loop_config(num_steps=3, precision=precision)
    path = tmp_path / "run"
    result = training.train_style(make_config(), loop=loop, run=str(path))
    assert keras.config.dtype_policy().name == before == "float32"
    network = result.painter
    assert network.get_layer("conv_in").compute_dtype == precision.removeprefix("mixed_")
    assert {variable.dtype for variable in network.variables} == {"float32"}
    for record in records(path):
        assert np.all(np.isfinite(list(record.values())))
    assert [record["step"] for record in records(path) if "train/total" in record] == [1, 2, 3]
    saved, first = state(path), state(path, 2)
    assert any("optimizer" in name for name in differ(saved, first))
    assert all(np.all(np.isfinite(values)) for values in saved.values())
    loaded = generators.load(path / "model")
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    painted = paint(loaded, [1.0, 0.0])
    assert painted.dtype == np.float32
    assert np.all(np.isfinite(painted))
    # What it was trained as: half precision has 8 bits (bfloat16) or 11.
    half = paint(result.painter, [1.0, 0.0]).astype(np.float32)
    np.testing.assert_allclose(half, painted, rtol=0, atol=0.1)
    assert np.abs(half - painted).mean() < 0.01


def test_finetune_style(base, make_config, paintings, tmp_path):
    """The new style's scales and shifts are all that changes."""
    config = make_config(
        num_styles=1,
        generator=LIGHT.with_styles(1),
        styles=paintings[2:],
        finetune_style=base,
    )
    path = tmp_path / "run"
    result = training.train_style(config, loop=loop_config(), run=str(path)).painter
    old = generators.load(base)
    for found in (result, generators.load(path / "model")):
        assert found.styles == ("first", "second", "gaudy")
        assert found.config == LIGHT.with_styles(3)
        assert found.training_record["task"] == "of old"
        assert found.training_record["finetuned"]["task"] == "style"
        for style_weights in ([1.0, 0.0], [0.0, 1.0], [0.25, 0.75]):
            # A weight of zero adds a zero to the scales and shifts.
            np.testing.assert_array_equal(
                paint(found, [*style_weights, 0.0]), paint(old, style_weights)
            )
        tell = generators.style_variables(found)
        for new, own in zip(tell, generators.style_variables(old), strict=True):
            np.testing.assert_array_equal(new[:2], own)
            start = np.mean(own, axis=0)
            assert np.all(new[2] != start)
            # Two steps of Adam, and no more.
            np.testing.assert_allclose(new[2], start, rtol=0, atol=2.1e-3)
        trunk = [
            [each.numpy() for each in generator.variables if each.ndim == 4]
            for generator in (found, old)
        ]
        assert len(trunk[0]) == 4
        for ours, theirs in zip(*trunk, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    # In training too: no kernel moved, and none has moments.
    kernels = [values.tobytes() for values in state(path).values() if values.ndim == 4]
    theirs = [each.numpy().tobytes() for each in old.variables if each.ndim == 4]
    assert sorted(kernels) == sorted(theirs)


def test_init_weights(base, make_config, tmp_path):
    """A training starts from the file."""
    paths = [tmp_path / name for name in ("first.png", "second.png")]
    for path, painting in zip(paths, make_config().styles, strict=True):
        images.write_image(path, images.read_image(painting))
    config = make_config(styles=tuple(map(str, paths)), init_weights=base)
    task = style_training._StyleTask(config, loop_config())
    start = generators.load(base)
    for ours, theirs in zip(task.network.variables, start.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_model_does_not_tell_in_which_folders_its_pictures_were(make_config, tmp_path):
    config = make_config()
    recorded = style_training._StyleTask(config, loop_config()).painter().training_record
    assert recorded["styles"] == [pathlib.Path(path).name for path in config.styles]
    assert recorded["content"]["content"] == pathlib.Path(config.content.content).name
    assert str(tmp_path.parents[2]) not in str(recorded)
    assert recorded["content"]["image_size"] == config.content.image_size


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"styles": ()}, "`styles` must be pictures of different names. Received: none"),
        ({"styles": ("a/x.png", "b/x.jpg")}, "different names. Received: a/x.png, b/x.jpg"),
        (
            {"generator": generators.SuperResolutionConfig()},
            "`generator` must paint photographs. Received: one of the type SuperResolutionConfig",
        ),
        (
            {"generator": generators.TextureNetworkConfig()},
            "must paint photographs. Received: one of the type TextureNetworkConfig",
        ),
        (
            {"content": training.ContentConfig("photographs", image_size=10)},
            "`image_size` must be at least .*px for the layer relu2 of alexnet_owt. .*10x10 px",
        ),
    ],
)
def test_configuration_refuses(fields, message, make_config):
    with pytest.raises(ValueError, match=message):
        make_config(**fields)


@pytest.fixture
def bad(tmp_path, paintings, base):
    """Files that can't be used."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "text.png").write_text("no picture", encoding="utf-8")
    (folder / "text.h5").write_text("no model", encoding="utf-8")
    images.write_image(folder / "narrow.png", random_image(60, 8).numpy())
    (folder / "empty").mkdir()
    (folder / "one").mkdir()
    images.write_image(folder / "one" / "only.png", random_image(60, 60).numpy())
    generators.build(JOHNSON, styles=("pale",)).save_to_preset(folder / "johnson")
    return folder


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"styles": ("bad/none.png",)}, OSError, "none.png` does not exist"),
        ({"styles": ("bad/text.png",)}, ValueError, "text.png` is not an image"),
        (
            {"styles": ("bad/narrow.png",)},
            ValueError,
            "`styles: .*narrow.png` must be at least .*px for the layer relu2.*8x60 px",
        ),
        ({"content": "bad/empty"}, ValueError, "`content` must hold pictures"),
        ({"content": "bad/one"}, ValueError, "`content` must hold 2 pictures or more"),
        ({"objective": "bad/text.h5"}, WeightsError, "text.h5"),
        (
            {"init_weights": "bad/none.h5"},
            OSError,
            "`init_weights` must be a preset's folder, or .*Received: .*none.h5",
        ),
        (
            {"init_weights": "bad/text.h5"},
            ValueError,
            "`init_weights` must be a preset of this version",
        ),
        (
            {"init_weights": "bad/johnson"},
            ValueError,
            "`init_weights` must be a Light like `generator`. Received: .*johnson, a Johnson$",
        ),
        (
            {"init_weights": "base", "num_styles": 2},
            ValueError,
            r"`init_weights` must fit into `generator`.*Missing: first, second\)$",
        ),
        (
            {"finetune_style": "bad/text.h5"},
            ValueError,
            "`finetune_style` must be a preset of this version",
        ),
        (
            {"finetune_style": "bad/johnson"},
            ValueError,
            "`finetune_style` must be a conditional one. Received: a Johnson without styles",
        ),
        (
            {"finetune_style": "base", "styles": ("bad/second.png",)},
            ValueError,
            "`styles` must be new to the model. Received: second$",
        ),
        (
            {"finetune_style": "base", "generator": JOHNSON},
            ValueError,
            "`generator` must be that of `finetune_style`",
        ),
    ],
)
def test_start_that_fails_leaves_nothing(
    fields, error, message, bad, base, make_config, objective, tmp_path
):
    images.write_image(bad / "second.png", random_image(60, 60).numpy())

    def path(value):
        return str(tmp_path / value) if value.startswith("bad/") else base

    fields = {"num_styles": 1, **fields}
    for name in ("init_weights", "finetune_style"):
        if name in fields:
            fields[name] = path(fields[name])
    if "styles" in fields:
        fields["styles"] = tuple(map(path, fields["styles"]))
    if "content" in fields:
        fields["content"] = training.ContentConfig(path(fields["content"]), image_size=SIZE)
    if "objective" in fields:
        fields["objective"] = with_fields(objective, weights=path(fields["objective"]))
    before = snapshot(tmp_path)
    with pytest.raises(error, match=message) as caught:
        training.train_style(
            make_config(**fields), loop=loop_config(), run=str(tmp_path / "new" / "run")
        )
    assert "\n" not in str(caught.value)
    assert snapshot(tmp_path) == before


def test_runs_of_other_tasks_are_told_apart(make_config, tmp_path):
    run(tmp_path, num_steps=1)
    with pytest.raises(ValueError, match=r"generator.num_blocks was None, is 0, .*task was 'fake'"):
        training.train_style(make_config(), loop=loop_config(), run=str(tmp_path))
