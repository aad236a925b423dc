"""What matters on a GPU, compared with the processor: `make test-gpu`. Skipped where TensorFlow has none."""

import os
import pathlib

import networks
import numpy as np
import pytest
import tensorflow as tf

from stylezoo import generators, images, objectives, perceptual, training
from stylezoo.binaries import main
from stylezoo.synthesis import PRESETS, Schedule, TransferConfig, transfer
from stylezoo.training import style_training

# With CPU in its place, the tests themselves can be tried.
DEVICE = os.environ.get("STYLEZOO_TEST_DEVICE", "GPU")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not tf.config.list_physical_devices(DEVICE), reason="TensorFlow sees no GPU here"
    ),
]
LAYERS = {"content_layers": ("relu2",), "style_layers": ("relu1", "relu2")}


@pytest.fixture(autouse=True)
def _whole_float32():
    """Multiplies in float32, not in TF32, whose 10 bits are another precision than the processor's."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    yield
    tf.config.experimental.enable_tensor_float_32_execution(before)


@pytest.fixture
def objective(random_weights):
    network = perceptual.Perceptual("alexnet_owt", str(random_weights("alexnet_owt")))
    return objectives.Objective(network, **LAYERS)


def test_features_are_those_of_the_processor(objective):
    network = objective.perceptual.build(["relu1", "relu5"])
    picture = networks.random_image(64, 80)
    found = network(picture)
    assert all(f"device:{DEVICE}:0" in each.device for each in found.values())
    with tf.device("CPU"):
        expected = objective.perceptual.build(["relu1", "relu5"])(picture)
    for tap, values in expected.items():
        # Sums in another order.
        np.testing.assert_allclose(found[tap], values, rtol=1e-3, atol=1e-4 * np.max(values))


@pytest.mark.parametrize("preset", ["fast", "cnnmrf"])
def test_transfer_is_that_of_the_processor(preset, objective):
    style_loss = PRESETS[preset].objective.style_loss
    config = TransferConfig(
        objective=objectives.Objective(objective.perceptual, style_loss=style_loss, **LAYERS),
        size=48,
        schedule=Schedule(smallest=None, initial_steps=8, steps=8),
    )
    content, style = (images.load_sample(name) for name in ("chelsea", "retina"))
    found = transfer(content, [style], config=config)
    with tf.device("CPU"):
        expected = transfer(content, [style], config=config)
    first, last = (found.losses[step]["total"] for step in (0, -1))
    assert first == pytest.approx(expected.losses[0]["total"], rel=1e-3)
    # Rounding decides on the path of L-BFGS.
    assert last == pytest.approx(expected.losses[-1]["total"], rel=0.1)
    assert last < 0.9 * first


def train(objective, run, **fields):
    """Return the losses of three steps."""
    sample = images.sample_path("chelsea")
    config = training.StyleTraining(
        generator=generators.JohnsonConfig((4, 6, 8), num_blocks=1),
        styles=(str(images.sample_path("retina")),),
        content=training.ContentConfig(str(sample.parent), image_size=48),
        objective=objective,
    )
    losses = []
    loop = training.LoopConfig(num_steps=3, batch_size=2, log_every=1, **fields)
    callback = lambda progress: losses.append(progress.losses["total"])  # noqa: E731
    training.train_style(config, loop=loop, run=str(run), callback=callback)
    return losses


@pytest.mark.parametrize("jit_compile", [False, True], ids=["function", "jit"])
@pytest.mark.parametrize(
    ("precision", "tolerance"),
    [("float32", 1e-3), ("mixed_float16", 0.02), ("mixed_bfloat16", 0.05)],
)
def test_training_step(precision, tolerance, jit_compile, objective, tmp_path, monkeypatch):
    # XLA draws other numbers.
    monkeypatch.setattr(style_training, "_quantization_noise", lambda shape, seed: tf.zeros(shape))
    found = train(objective, tmp_path / "gpu", precision=precision, jit_compile=jit_compile)
    assert np.all(np.isfinite(found))
    with tf.device("CPU"):
        expected = train(objective, tmp_path / "cpu", precision="float32")
    # The first step's, before rounding has changed any weights.
    assert found[0] == pytest.approx(expected[0], rel=tolerance)


@pytest.mark.parametrize(
    "flags", [[], ["--format=tflite", "--image_size=32x32"]], ids=["saved_model", "tflite"]
)
def test_exports_do_what_the_painter_does(flags, tmp_path):
    """A painter that paints on the GPU is exported and verified, within the bounds of every export."""
    painter = generators.build(
        generators.LightConfig((3, 4), num_blocks=1, num_styles=2), styles=("waves", "night")
    )
    networks.randomize(painter.trainable_variables)
    painter.save_to_preset(tmp_path / "painter")
    command = ["export", f"--model={tmp_path / 'painter'}", f"--output={tmp_path / 'exports'}"]
    assert main.run([*command, *flags]) == 0
    assert any(pathlib.Path(tmp_path, "exports").rglob("*"))
