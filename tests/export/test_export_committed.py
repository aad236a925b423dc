"""The committed exports were made of the models as they are, and would be the same again."""

import pathlib
import shutil

import numpy as np
import pytest

import stylezoo
from stylezoo import export
from stylezoo.binaries import main

EXPORTS = pathlib.Path(stylezoo.__file__).parents[1] / "exports"
FOLDERS = sorted(path.parent for path in EXPORTS.glob("*/README.md"))
FILES = sorted([*EXPORTS.glob("*/*.tflite"), *EXPORTS.glob("*/*.onnx")])


MODELS = ("conditional", "gravel", "light")


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return export.load(request.param)


def test_the_shipped_models_are_there():
    assert [folder.name for folder in FOLDERS] == list(MODELS)
    names = {path.name for path in FILES}
    assert names == {
        *(f"conditional_{side}x{side}_float16.tflite" for side in (256, 512)),
        "gravel_256x256_float32.tflite",
        *(f"light_{side}x{side}_float16.tflite" for side in (256, 384, 512, 720)),
        "light.onnx",
    }
    assert all(export.versions(folder) == [1] for folder in FOLDERS)
    for name in (
        "models.config",
        "Caddyfile",
        "docker-compose.yaml",
        "kubernetes.yaml",
        "kserve.yaml",
    ):
        assert (EXPORTS / name).is_file()


def test_all_are_of_todays_weights(model):
    """`make exports` makes them anew after a training."""
    own = model.record()
    for path in (each for each in FILES if each.parent.name == model.source):
        export.check_origin(model, export.read_file_record(path), path)
    record = export.read_record(EXPORTS / model.source / "1")
    assert {key: record[key] for key in own} == own


def test_cards_are_those_of_the_models(model):
    """A change of a preset's card is taken over by `export.card_text`, without exporting anew."""
    folder = EXPORTS / model.source
    assert (folder / "README.md").read_text(encoding="utf-8") == export.card_text(model, folder)


@pytest.mark.slow
def test_saved_model_made_again_is_the_same(model, tmp_path):
    """Return the signatures, and the answers without digits that another processor could change."""
    again, _ = export.export_saved_model(model, tmp_path, name=model.source)
    with (
        export.SavedModelSession(EXPORTS / model.source / "1") as committed,
        export.SavedModelSession(again) as made,
    ):
        assert committed.signatures.keys() == made.signatures.keys()
        for name, signature in made.signatures.items():
            other = committed.signatures[name]
            for own, found in (
                (signature.inputs, other.inputs),
                (signature.outputs, other.outputs),
            ):
                assert own.keys() == found.keys()
                for key in own:
                    assert own[key].dtype == found[key].dtype
                    assert own[key].tensor_shape == found[key].tensor_shape
        call = next(model.calls())
        (first,), (second,) = (
            session(call.signature, call.inputs).values() for session in (committed, made)
        )
        np.testing.assert_allclose(first, second, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_do_what_their_models_do(path):
    assert main.run(["verify_export", str(path)]) == 0


@pytest.mark.slow
def test_on_a_gpu(tmp_path, capfd):
    """LiteRT's GPU delegate takes every operator, and agrees within 2e-3; in software where need be."""
    missing = [each for each in ("chromium", "node", "npm") if not shutil.which(each)]
    if missing:
        pytest.skip(f"`make verify-gpu` installs what is missing here: {', '.join(missing)}")
    for name, quantize in (("conditional", "none"), ("conditional", "float16"), ("gravel", "none")):
        flags = ["--format=tflite", "--image_size=64x64", f"--quantize={quantize}"]
        assert main.run(["export", f"--model={name}", f"--output={tmp_path}", *flags]) == 0
    files = map(str, sorted(tmp_path.glob("*/*.tflite")))
    assert main.run(["verify_export", "--gpu", *files]) == 0
    assert capfd.readouterr().out.count("all operators delegated") == 3
