"""ONNX files, run by ONNX Runtime and compared; what must not pass for one."""

import keras
import numpy as np
import onnx
import pytest
from export_helpers import CONFIGS, generator

from stylezoo import classifiers, export
from stylezoo.errors import ExportError
from stylezoo.export.servables import classifier_servables
from stylezoo.export.servables.servable import smooth_picture
from stylezoo.export.verify import verification


@pytest.fixture(scope="module")
def written(model_files, tmp_path_factory):
    """Path, checks and model of a file of each kind."""
    output = tmp_path_factory.mktemp("exports")
    found = {}
    for name in CONFIGS:
        servable = export.load(str(model_files[name]))
        found[name] = (*export.export_onnx(servable, output, name=name), servable)
    return found


@pytest.mark.parametrize("name", CONFIGS)
def test_does_what_its_model_does(written, name):
    path, checks, servable = written[name]
    assert path.name == f"{name}.onnx"
    assert [check.what.partition(":")[0] for check in checks] == ["2x64x80", "1x37x53", "1x96x96"]
    assert all(check.passed for check in checks), checks
    onnx.checker.check_model(path, full_check=True)
    assert export.read_file_record(path)["kind"] == servable.kind


@pytest.mark.parametrize("size", [(1, 1), (5, 70), (33, 47)])
def test_any_size(written, size):
    """Sides that are no multiples of the stride, and smaller than it, are padded as Keras pads them."""
    path, _, servable = written["conditional"]
    inputs = servable.portable_inputs(smooth_picture(*size, seed=1, batch=3), 1)
    got, expected = export.OnnxModel(path)(inputs), servable.portable_expected(inputs)
    assert got["stylized"].shape == (3, *size, 3)
    np.testing.assert_allclose(got["stylized"], expected["stylized"], atol=verification.ONNX)


def test_inputs_are_those_of_the_saved_model(written):
    path, _, servable = written["conditional"]
    inputs, outputs = servable.tensors()["serving_default"]
    record = export.read_file_record(path)
    assert record["inputs"].keys() == inputs.keys()
    assert record["outputs"].keys() == outputs.keys()
    assert record["inputs"]["image"] == ["batch", "image_height", "image_width", 3]
    assert record["styles"] == ["a", "b"]
    assert record["agreement"].startswith("differs by ")
    card = (path.parent / "README.md").read_text(encoding="utf-8")
    assert "| `conditional.onnx` | 0.1 | `image` [batch, image_height, image_width, 3]" in card


def test_a_classifier_takes_its_own_size(tmp_path):
    network = classifiers.build("squeezenet1_1", weights=None, num_classes=7)
    servable = classifier_servables.Classifier(network, "squeezenet1_1")
    _, checks = export.export_onnx(servable, tmp_path, name="classes")
    side = network.input_shape[1]
    assert [check.what for check in checks] == [f"2x{side}x{side}: scores"]


def test_features_of_any_size(random_weights, tmp_path):
    weights = str(random_weights("squeezenet1_1"))
    servable = export.load("squeezenet1_1", weights=weights, layers=["fire2", "fire3"])
    path, checks = export.export_onnx(servable, tmp_path, name="features")
    assert len(checks) == 6
    assert export.read_file_record(path)["outputs"].keys() == {"fire2", "fire3"}


def test_another_network_is_noticed(written):
    path, _, servable = written["conditional"]
    other = type(servable)(generator(CONFIGS["conditional"], seed=1), "conditional")
    assert not any(check.passed for check in export.verify_onnx(other, path))


def test_nothing_is_left_of_a_file_that_differs(model_files, tmp_path, monkeypatch):
    servable = export.load(str(model_files["johnson"]))
    monkeypatch.setattr(verification, "ONNX", 0.0)
    with pytest.raises(ExportError, match="is not its model"):
        export.export_onnx(servable, tmp_path / "exports", name="johnson")
    assert list(tmp_path.iterdir()) == []


def test_operators_that_onnx_lacks_are_refused(model_files, tmp_path, monkeypatch):
    servable = export.load(str(model_files["johnson"]))
    image = keras.Input([None, None, 3], name="image")
    network = keras.Model({"image": image}, {"stylized": keras.ops.erfinv(image - 0.5)})
    monkeypatch.setattr(servable, "portable", lambda: network)
    with pytest.raises(ExportError, match="ONNX can't hold this model"):
        export.export_onnx(servable, tmp_path / "exports", name="johnson")
    assert list(tmp_path.iterdir()) == []


def test_damaged_and_foreign_files(written, tmp_path):
    path = written["johnson"][0]
    (tmp_path / "short.onnx").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ExportError, match=r"short.onnx` is damaged: ONNX Runtime can't load it"):
        export.read_file_record(tmp_path / "short.onnx")
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "foreign.onnx")
    with pytest.raises(ExportError, match="must be what `stylezoo export` wrote"):
        export.read_file_record(tmp_path / "foreign.onnx")
    with pytest.raises(ExportError, match=r"none.onnx` does not exist"):
        export.read_file_record(tmp_path / "none.onnx")
