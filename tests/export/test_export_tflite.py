"""TFLite files, run by LiteRT and compared; what must not pass for one."""

import keras
import numpy as np
import pytest
from export_helpers import CONFIGS, generator

from stylezoo import export, generators, images, layers
from stylezoo.errors import ExportError
from stylezoo.export import tflite
from stylezoo.export.servables import portable
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
    one, other, again = (model(servable.portable_inputs(picture, index)) for index in (0, 1, 2))
    np.testing.assert_array_equal(one["stylized"], again["stylized"])
    assert np.abs(one["stylized"] - other["stylized"]).mean() > 1e-3


def test_another_network_is_noticed(written):
    path, _, servable = written["conditional"]
    other = type(servable)(generator(CONFIGS["conditional"], seed=1), "conditional")
    assert not any(check.passed for check in export.verify_tflite(other, path))


@pytest.mark.parametrize("quantize", ["none", "float16"])
def test_any_size(model_files, tmp_path, quantize):
    servable = export.load(str(model_files["conditional"]))
    config = export.TfliteConfig(None, quantize)
    path, checks = export.export_tflite(servable, tmp_path, config, name="painter")
    kind = {"none": "float32", "float16": "float16"}[quantize]
    assert path.name == f"painter_any_{kind}.tflite"
    assert [check.what.partition(",")[0] for check in checks] == ["2x64x80", "1x37x53", "1x96x96"]
    assert all(check.passed for check in checks), checks
    assert export.read_file_record(path)["inputs"]["image"]["shape"] == ["any", "any", "any", 3]


def test_half_weights_of_a_trained_model(tmp_path):
    servable = export.load("light")
    path, (*checks,) = export.export_tflite(
        servable, tmp_path, export.TfliteConfig((64, 64), "float16"), name="light"
    )
    # A kernel that is folded with the interpolation is stored four times as large.
    folded = [each for each in servable.network.layers if isinstance(each, layers.BilinearConv2D)]
    numbers = servable.network.count_params() + 3 * sum(np.size(each.kernel) for each in folded)
    assert path.stat().st_size < 2.4 * numbers
    assert all(check.passed and len(check.psnr) == 1 for check in checks)


def test_eight_bits_in_all_styles(model_files, tmp_path):
    """Each photograph is compared in each style; the card has the least and the median."""
    servable = export.load(str(model_files["conditional"]))
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for index in range(3):
        images.write_image(photographs / f"{index}.png", smooth_picture(40, 50, seed=index))
    config = export.TfliteConfig(SIZE, "int8", str(photographs))
    path, checks = export.export_tflite(servable, tmp_path, config, name="painter")
    assert [len(check.psnr) for check in checks] == [2, 2, 2]
    found = [each for check in checks for each in check.psnr]
    # The same again, by hand.
    photograph = export.read_photographs(photographs, SIZE)[1]
    inputs = servable.portable_inputs(photograph, 1)
    got = export.LiteRtModel(path)(inputs)["stylized"]
    expected = servable.portable_expected(inputs)["stylized"]
    psnr = 10 * np.log10(expected.max() ** 2 / np.mean((got - expected) ** 2))
    assert checks[1].psnr[1] == pytest.approx(psnr, abs=0.01)
    card = (path.parent / "README.md").read_text(encoding="utf-8")
    assert f"{min(found):.1f} dB at least, {np.median(found):.1f} dB in the median, of 6" in card
    assert got.dtype == np.float32
    assert np.abs(got - expected).max() > 1e-5  # it is in 8 bits indeed


def test_a_record_is_added_to_large_files_in_eight_bits(tmp_path):
    """The quantizer stores 256 KB of weights or more outside the flatbuffer, where an offset leads."""
    config = generators.JohnsonConfig(
        (4, 8, 160), num_blocks=1, kernel=3, normalization="conditional", num_styles=2
    )
    generator(config).save_to_preset(tmp_path / "wide")
    servable = export.load(str(tmp_path / "wide"))
    path = tmp_path / "wide.tflite"
    path.write_bytes(tflite.convert(servable, export.TfliteConfig(SIZE, "int8")))
    inputs = servable.portable_inputs(smooth_picture(*SIZE, seed=0), 0)
    before = export.LiteRtModel(path)(inputs)["stylized"]
    path.write_bytes(tflite.with_record(path.read_bytes(), {"kind": "photographs"}))
    assert export.read_file_record(path) == {"kind": "photographs"}
    np.testing.assert_array_equal(export.LiteRtModel(path)(inputs)["stylized"], before)


def test_eight_bits_that_lose_too_much_in_one_style_are_refused(model_files, tmp_path, monkeypatch):
    servable = export.load(str(model_files["conditional"]))
    expected = servable.portable_expected

    def other_in_the_second_style(inputs):
        found = expected(inputs)["stylized"]
        return {"stylized": found + 0.05 * inputs["style_weights"][0, 1]}

    monkeypatch.setattr(servable, "portable_expected", other_in_the_second_style)
    with pytest.raises(ExportError, match=r"noise: differs by 0\.0\d+, limit 0\.0316"):
        export.export_tflite(servable, tmp_path, export.TfliteConfig(SIZE, "int8"), name="painter")
    assert list(tmp_path.iterdir()) == []


def test_no_convolutions_for_eight_bits(model_files, monkeypatch):
    servable = export.load(str(model_files["johnson"]))
    monkeypatch.setattr(servable, "eight_bits", "no such layer")
    with pytest.raises(ExportError, match="no convolutions that can be computed in 8 bits"):
        tflite.convert(servable, export.TfliteConfig(SIZE, "int8"))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["light", "conditional"])
def test_eight_bits_of_trained_models(tmp_path, model):
    """30 dB at least, for six photographs in all styles."""
    servable = export.load(model)
    config = export.TfliteConfig((256, 256), "int8")
    _, checks = export.export_tflite(servable, tmp_path, config, name=model)
    psnr = [each for check in checks for each in check.psnr]
    assert len(psnr) == 6 * 17
    assert min(psnr) >= 30


def test_tensorflows_own_operators_are_refused(model_files, monkeypatch):
    """No SELECT_TF_OPS is let in for operators that TFLite lacks."""
    servable = export.load(str(model_files["johnson"]))
    image = keras.Input(batch_shape=(1, *SIZE, 3), name="image")
    network = keras.Model({"image": image}, {"stylized": keras.ops.erfinv(image - 0.5)})
    monkeypatch.setattr(servable, "portable", lambda *_, **__: network)
    with pytest.raises(ExportError, match="TFLite can't hold this model"):
        tflite.convert(servable, export.TfliteConfig(SIZE))


@pytest.mark.parametrize("padding", [0, 1, 3])
def test_mirrored_is_reflect(padding):
    x = smooth_picture(7, 9, seed=0)
    expected = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)], "reflect")
    np.testing.assert_array_equal(portable._mirrored(x, padding), expected)


@pytest.mark.parametrize(("size", "fits"), [((24, 32), True), ((25, 32), False), ((4, 32), False)])
def test_sizes_that_would_be_padded_are_refused(model_files, size, fits):
    servable = export.load(str(model_files["johnson"]))
    if fits:
        portable.check_size(servable.network, *size)
    else:
        with pytest.raises(
            ValueError, match="`image_size` must be multiples of 4 px of at least 8"
        ):
            servable.portable(size)


def test_nothing_is_left_of_a_file_that_differs(model_files, tmp_path, monkeypatch):
    servable = export.load(str(model_files["johnson"]))
    monkeypatch.setattr(verification, "TFLITE", 0.0)
    with pytest.raises(ExportError, match="is not its model"):
        export.export_tflite(
            servable, tmp_path / "exports", export.TfliteConfig(SIZE), name="johnson"
        )
    assert list(tmp_path.iterdir()) == []


def test_no_photographs(tmp_path):
    with pytest.raises(ValueError, match="`photographs` must be a folder of photographs"):
        export.read_photographs(tmp_path, (16, 16))
