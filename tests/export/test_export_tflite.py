"""TFLite files, run by LiteRT and compared; what must not pass for one."""

import keras
import numpy as np
import pytest
from export_helpers import CONFIGS, generator

from stylezoo import export, images, layers
from stylezoo.errors import ExportError
from stylezoo.export import tflite
from stylezoo.export.servables import mobile
from stylezoo.export.servables.servable import smooth_picture
from stylezoo.export.verify import verification

SIZE = (24, 32)


@pytest.fixture(scope="module")
def written(model_files, tmp_path_factory):
    """Path, checks and model of a float32 file of each kind."""
    output = tmp_path_factory.mktemp("exports")
    found = {}
    for name in CONFIGS:
        servable = export.load(str(model_files[name]))
        found[name] = (
            *export.export_tflite(servable, output, export.TfliteConfig(SIZE), name=name),
            servable,
        )
    return found


@pytest.mark.parametrize("name", CONFIGS)
def test_does_what_its_model_does(written, name):
    path, checks, servable = written[name]
    assert all(check.passed for check in checks)
    assert path.name == f"{name}_24x32_float32.tflite"
    model = export.LiteRtModel(path)
    assert not {each for each in model.operators if each.startswith("Flex")}
    # Found in a profile: they took most of the time.
    assert "MIRROR_PAD" not in model.operators
    assert model.record["kind"] == servable.kind


def test_styles_are_switched_at_run_time(written):
    path, _, servable = written["conditional"]
    model = export.LiteRtModel(path)
    assert model.record["styles"] == ["a", "b"]
    assert model.record["inputs"]["image"] == {"shape": [1, *SIZE, 3], "range": [0.0, 1.0]}
    picture = smooth_picture(*SIZE, seed=5)
    one, other, again = (model(servable.mobile_inputs(picture, index)) for index in (0, 1, 2))
    np.testing.assert_array_equal(one["stylized"], again["stylized"])
    assert np.abs(one["stylized"] - other["stylized"]).mean() > 1e-3


def test_another_network_is_noticed(written):
    path, _, servable = written["conditional"]
    other = type(servable)(generator(CONFIGS["conditional"], seed=1), "conditional")
    assert not any(check.passed for check in export.verify_tflite(other, path))


@pytest.mark.parametrize(("model", "quantize"), [("light", "float16"), ("conditional", "int8")])
def test_smaller_kinds_of_trained_models(tmp_path, model, quantize):
    """Smaller kinds are near the float32 file, for photographs that were not calibrated on."""
    servable = export.load(model)
    size = (64, 64)
    photographs, held_out = export.split(None, size)
    content = tflite.convert(servable, export.TfliteConfig(size, quantize), photographs=photographs)
    # A kernel that is folded with the interpolation is stored four times as large.
    folded = [each for each in servable.network.layers if isinstance(each, layers.BilinearConv2D)]
    numbers = servable.network.count_params() + 3 * sum(np.size(each.kernel) for each in folded)
    assert len(content) < {"float16": 2.4, "int8": 1.6}[quantize] * numbers
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    checks = export.verify_tflite(servable, path, held_out)
    assert len(checks) == len(held_out)
    assert all(check.passed for check in checks), checks


def test_tensorflows_own_operators_are_refused(model_files, monkeypatch):
    """No SELECT_TF_OPS is let in for operators that TFLite lacks."""
    servable = export.load(str(model_files["johnson"]))
    image = keras.Input(batch_shape=(1, *SIZE, 3), name="image")
    network = keras.Model({"image": image}, {"stylized": keras.ops.erfinv(image - 0.5)})
    monkeypatch.setattr(servable, "mobile", lambda *_, **__: network)
    with pytest.raises(ExportError, match="TFLite can't hold this model"):
        tflite.convert(servable, export.TfliteConfig(SIZE))


@pytest.mark.parametrize("padding", [0, 1, 3])
def test_mirrored_is_reflect(padding):
    x = smooth_picture(7, 9, seed=0)
    expected = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)], "reflect")
    np.testing.assert_array_equal(mobile._mirrored(x, padding), expected)


@pytest.mark.parametrize(("size", "fits"), [((24, 32), True), ((25, 32), False), ((4, 32), False)])
def test_sizes_that_would_be_padded_are_refused(model_files, size, fits):
    servable = export.load(str(model_files["johnson"]))
    if fits:
        mobile.check_size(servable.network, *size)
    else:
        with pytest.raises(
            ValueError, match="`image_size` must be multiples of 4 px of at least 8"
        ):
            servable.mobile(*size)


def test_nothing_is_left_of_a_file_that_differs(model_files, tmp_path, monkeypatch):
    servable = export.load(str(model_files["johnson"]))
    monkeypatch.setattr(verification, "TFLITE", 0.0)
    with pytest.raises(ExportError, match="is not its model"):
        export.export_tflite(
            servable, tmp_path / "exports", export.TfliteConfig(SIZE), name="johnson"
        )
    assert list(tmp_path.iterdir()) == []


def test_held_out_photographs_are_others(tmp_path):
    for index in range(7):
        images.write_image(tmp_path / f"{index}.png", np.full([40, 30, 3], index / 10, np.float32))
    kept, held_out = export.split(tmp_path, (16, 16))
    levels = [round(10 * float(each.mean())) for each in (*kept, *held_out)]
    assert levels == [0, 2, 3, 5, 6, 1, 4]
    assert all(each.shape == (1, 16, 16, 3) for each in (*kept, *held_out))


def test_too_few_photographs(tmp_path):
    with pytest.raises(ValueError, match="`calibration` must be a folder of at least 4"):
        export.split(tmp_path, (16, 16))
