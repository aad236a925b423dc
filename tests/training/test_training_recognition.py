"""How often a classifier is right, counted, and painted."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from stylezoo.training import recognition
from stylezoo.training.augmentation import Augmentation
from stylezoo.training.labelled import open_labelled
from stylezoo.training.recognition import Predictions, confusion_picture, predict
from stylezoo.training.views import Views

NAMES = tuple("abcdefgh")


@pytest.fixture
def shades(tmp_path):
    """Eight classes of three plain pictures each, of the class's shade and a little more."""
    for number, name in enumerate(NAMES):
        (tmp_path / "shades" / name).mkdir(parents=True)
        for index in range(3):
            file = tmp_path / "shades" / name / f"{index}.png"
            Image.new("L", (6, 6), 30 * number + index).save(file)
    return Views(open_labelled(str(tmp_path / "shades")), Augmentation(), 6, 1)


def nearest(pictures):
    """Scores by how near the shade is to each class's, the seventh and eighth taken for the sixth."""
    shade = 255 * tf.reduce_mean(pictures, axis=(1, 2, 3))
    shade = tf.minimum(shade, 150.0)
    return -tf.abs(shade[:, None] - 30.0 * tf.range(8.0)) / 30


def test_predict(shades, tmp_path):
    (tmp_path / "shades" / "a" / "1.png").write_bytes(b"nothing")
    sizes = []
    found = predict(nearest, shades, batch_size=5, callback=sizes.append)
    assert sizes == [5, 5, 5, 5, 4]
    assert list(shades.pictures.skipped) == ["a/1.png"]
    labels = np.array([0, 0, *np.repeat(np.arange(1, 8), 3)])
    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_array_equal(found.indices, [0, *range(2, 24)])
    np.testing.assert_array_equal(found.predicted, np.minimum(labels, 5))
    assert found.top_1 == pytest.approx(17 / 23)
    # For g the sixth class scores higher; for h its neighbours, the fifth and seventh, do too.
    assert found.ranks.tolist() == [0] * 17 + [1] * 3 + [3] * 3
    assert found.top_5 == 1
    shade = np.minimum(
        [0, 2, *(30 * number + index for number in range(1, 8) for index in range(3))], 150
    )
    scores = -np.abs(shade[:, None] - 30.0 * np.arange(8)) / 30
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = -np.log(probabilities[np.arange(23), labels])
    np.testing.assert_allclose(found.cross_entropies, expected, rtol=1e-4)
    assert found.figures() == {
        "cross_entropy": pytest.approx(expected.mean(), rel=1e-4),
        "accuracy": found.top_1,
        "top_5": found.top_5,
    }
    matrix = found.confusion()
    assert matrix.sum() == 23
    assert matrix[6].tolist() == [0, 0, 0, 0, 0, 3, 0, 0]
    assert found.by_class() == {name: float(name < "g") for name in NAMES}


def predictions(labels, predicted, ranks, names):
    labels, predicted = np.array(labels), np.array(predicted)
    return Predictions(
        tuple(names),
        np.arange(len(labels)),
        labels,
        predicted,
        np.array(ranks),
        np.zeros(len(labels)),
    )


def test_top_5():
    found = predictions([0, 1, 2, 3], [0, 2, 2, 0], [0, 4, 0, 5], NAMES)
    assert (found.top_1, found.top_5) == (0.5, 0.75)
    few = predictions([0, 1], [0, 0], [0, 1], "abcde")
    assert few.top_5 is None
    assert set(few.figures()) == {"cross_entropy", "accuracy"}
    assert few.by_class() == {"a": 1.0, "b": 0.0, "c": None, "d": None, "e": None}


def test_large_scores():
    scores = np.array([[1000.0, 999.0], [-1000.0, -1000.0]], np.float32)
    predicted, ranks, entropies = recognition._judged(scores, np.array([1, 0]))
    np.testing.assert_array_equal(predicted, [0, 0])
    np.testing.assert_array_equal(ranks, [1, 0])
    # log(1 + e) and log 2, of float32 around 1000.
    np.testing.assert_allclose(entropies, [np.log(1 + np.e), np.log(2)], atol=1e-4)


def test_nothing_to_read(shades, tmp_path):
    for file in (tmp_path / "shades").rglob("*.png"):
        file.write_bytes(b"nothing")
    with pytest.raises(OSError, match="`dataset` must hold a picture that can be read"):
        predict(nearest, shades, batch_size=8)
    with pytest.raises(ValueError, match="`batch_size` must be >= 1"):
        predict(nearest, shades, batch_size=0)


# --- pictures ---------------------------------------------------------------------------------


def test_sheet_shows_what_is_wrong_first(shades):
    found = predict(nearest, shades, batch_size=8)
    sheet = recognition.predictions_sheet(found, shades, columns=4, rows=2)
    cell, row, gap = 96, 96 + 16, 4
    assert sheet.shape == (1, 2 * row + gap, 4 * cell + 3 * gap, 3)
    shown = [
        sheet[0, top + 40, left + 40, 0]
        for top in (0, row + gap)
        for left in range(0, 4 * (cell + gap), cell + gap)
    ]
    # g and h are wrong, six of them; then a.
    np.testing.assert_allclose(np.rint(255 * np.array(shown)), [180, 181, 182, 210, 211, 212, 0, 1])
    captions = [sheet[0, cell:row, 4 * 0 : cell], sheet[0, -16:, 2 * (cell + gap) :][:, :cell]]
    wrong, right = (caption.reshape(-1, 3) for caption in captions)
    assert wrong[wrong.sum(axis=1).argmin()].argmax() == 0  # red
    assert right[right.sum(axis=1).argmin()].argmax() == 1  # green


def test_confusion_picture():
    matrix = np.array([[8, 0, 0], [2, 1, 1], [0, 0, 0]])
    picture = confusion_picture(matrix, ["a", "bb", "a name of many words that is too long"])
    (height, width) = picture.shape[1:3]
    assert height == width
    right = width - 12  # three cells of 40 px, 12 px from the right
    # Corners of the cells, clear of numbers.
    corner = picture[0, right - 120 + 5 : right : 40, right - 120 + 5 : right : 40]
    shares = np.array([[1, 0, 0], [0.5, 0.25, 0.25], [0, 0, 0]])
    expected = np.rint(255 + shares[..., None] * (np.array([8, 48, 107]) - 255))
    np.testing.assert_allclose(255 * corner, expected, atol=0.01)
    # Numbers where there is something, none where there is nothing.
    for row in range(3):
        for column in range(3):
            top, left = right - 120 + 40 * row, right - 120 + 40 * column
            inside = picture[0, top + 5 : top + 35, left + 5 : left + 35]
            assert (np.ptp(inside) > 0.2) == (matrix[row, column] > 0)


@pytest.mark.parametrize(("number", "largest"), [(1, 120), (25, 1300), (50, 1300), (1000, 1300)])
def test_sizes_of_confusion_pictures(number, largest):
    names = [f"class {index}" for index in range(number)]
    picture = confusion_picture(np.eye(number, dtype=int), names)
    margin = (
        picture.shape[1] - 12 - number * max(min(40 if number <= 25 else 20, 1200 // number), 1)
    )
    assert picture.shape[1] <= largest + 60
    # Names are written on the left of the matrix, up to 50.
    left = picture[0, margin:, 22 : margin - 2]
    assert (left.min() < 0.5) == (number <= 50)


def test_bad_confusion():
    with pytest.raises(ValueError, match=r"`matrix` must be \[2, 2\].*Received: \[3, 3\]"):
        confusion_picture(np.eye(3, dtype=int), ["a", "b"])
    with pytest.raises(ValueError, match="`matrix` must be"):
        confusion_picture(np.zeros((0, 0), int), [])
