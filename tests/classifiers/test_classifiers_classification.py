"""Crops, probabilities and the classes' names."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo import classifiers, images


def test_labels():
    labels = classifiers.imagenet_labels()
    assert len(labels) == 1000
    synsets = [label.synset for label in labels]
    assert synsets == sorted(set(synsets))
    known = {
        0: ("n01440764", "tench, Tinca tinca"),
        281: ("n02123045", "tabby, tabby cat"),
        282: ("n02123159", "tiger cat"),
        285: ("n02124075", "Egyptian cat"),
        517: ("n03126707", "crane"),
        999: ("n15075141", "toilet tissue, toilet paper, bathroom tissue"),
    }
    assert {i: (labels[i].synset, labels[i].name) for i in known} == known
    assert all(label.name and label.name == label.name.strip() for label in labels)


def test_decode_predictions():
    """The classes are those of keras.applications, whose table it would download."""
    probabilities = np.zeros((2, 1000), np.float32)
    probabilities[0, [285, 281, 0]] = 0.5, 0.3, 0.2
    probabilities[1, 999] = 1
    decoded = classifiers.decode_predictions(tf.constant(probabilities), top=3)
    assert [len(each) for each in decoded] == [3, 3]
    synset, name, probability = decoded[0][0]
    assert (synset, name, probability) == ("n02124075", "Egyptian cat", 0.5)
    assert [each.synset for each in decoded[0]] == ["n02124075", "n02123045", "n01440764"]
    assert decoded[1][0].name == "toilet tissue, toilet paper, bathroom tissue"
    assert len(classifiers.decode_predictions(probabilities)[0]) == 5
    ((first, second),) = classifiers.decode_predictions([[1, 3, 2]], 2, class_names="abc")
    assert (first, second) == (("", "b", 3.0), ("", "c", 2.0))


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((1, 10), {}, r"`predictions` must be \[B, 1000\].* Received: \[1, 10\]"),
        ((1000,), {}, r"`predictions` must be \[B, 1000\].* Received: \[1000\]"),
        ((1, 3), {"class_names": "abc"}, "`top` must be 1 to 3. Received: top=5"),
        ((1, 3), {"class_names": "abc", "top": 0}, "`top` must be 1 to 3. Received: top=0"),
    ],
)
def test_bad_predictions(shape, options, message):
    with pytest.raises(ValueError, match=message):
        classifiers.decode_predictions(np.zeros(shape), **options)


def test_read_labels(tmp_path):
    file = tmp_path / "labels.txt"
    file.write_text("dog\nSiamese cat\n", encoding="utf-8")
    assert classifiers.read_labels(file) == ("dog", "Siamese cat")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "`file` must hold different names, one a line"),
        (b"a\nb\na\n", "`file` must hold different names, one a line"),
        (b"\xff\xfe", "labels.txt` must be a text file in UTF-8"),
    ],
)
def test_bad_labels(content, message, tmp_path):
    file = tmp_path / "labels.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        classifiers.read_labels(file)


def test_centre_crop():
    """The pixels of a picture that has the size already are taken as they are."""
    image = random_image(256, 300)
    crop = classifiers.crops(image, 224)
    np.testing.assert_array_equal(crop, image[:, 16:240, 38:262])


def test_ten_crops():
    """The crops are corners, centre and their mirror images, of the centred square."""
    image = random_image(300, 256)
    square = image[0, 22:278].numpy()
    expected = [
        square[top : top + 224, left : left + 224]
        for top, left in ((0, 0), (0, 32), (32, 0), (32, 32), (16, 16))
    ]
    got = classifiers.crops(image, 224, ten_crop=True)
    np.testing.assert_array_equal(got, [*expected, *(each[:, ::-1] for each in expected)])


@pytest.mark.parametrize(("size", "resized"), [(224, 256), (227, 259), (28, 32)])
def test_crops_of_other_sizes(size, resized):
    image = random_image(71, 50)
    square = images.resize(image[:, 10:60], (resized, resized))
    offset = (resized - size) // 2
    expected = square[:, offset : offset + size, offset : offset + size]
    np.testing.assert_array_equal(classifiers.crops(image, size), expected)


def test_grey_crops_are_luminance():
    image = random_image(32, 32)
    crops = classifiers.crops(image, 28, ten_crop=True, channels=1)
    assert crops.shape == (10, 28, 28, 1)
    luma = image[0] @ tf.constant([[0.299], [0.587], [0.114]])
    np.testing.assert_allclose(crops[0], luma[:28, :28], atol=1e-6)


class Score(keras.layers.Layer):
    """Scores that crops, orders and mirror images change; counts its batches."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def call(self, x):
        if isinstance(x.shape[0], int):
            self.batches.append(x.shape[0])
        ramp = tf.range(x.shape[2], dtype=x.dtype)[:, None]
        return 3 * tf.reduce_mean(x * ramp, axis=[1, 2])


@pytest.fixture
def model():
    image = keras.Input([14, 14, 3])
    return keras.Model(image, Score()(image))


SIZES = ((20, 30), (16, 16), (40, 17), (16, 20), (31, 31))


def softmax(scores):
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("ten_crop", [False, True])
@pytest.mark.parametrize(
    ("batch_size", "single", "ten"), [(1, [1] * 5, [10] * 5), (20, [5], [20, 20, 10])]
)
def test_classify(ten_crop, batch_size, single, ten, model):
    pictures = [random_image(*size, seed=seed) for seed, size in enumerate(SIZES)]
    expected = [
        softmax(model(classifiers.crops(each, 14, ten_crop=ten_crop)).numpy()).mean(axis=0)
        for each in pictures
    ]
    assert np.ptp(expected) > 0.1
    model.layers[1].batches.clear()
    got = classifiers.classify(model, pictures, ten_crop=ten_crop, batch_size=batch_size)
    # float32 sums in another order.
    np.testing.assert_allclose(list(got), expected, rtol=1e-4)
    assert model.layers[1].batches == (ten if ten_crop else single)


def test_pictures_are_taken_as_they_are_needed(model):
    taken = []

    def pictures():
        for seed in range(5):
            taken.append(seed)
            yield random_image(16, 16, seed=seed)

    results = classifiers.classify(model, pictures(), batch_size=2)
    assert taken == []
    next(results)
    assert taken == [0, 1]
    assert len(list(results)) == 4


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((14, 15, 3), {}, "`model` must take square images .* Received: 14x15 px, 3 channels"),
        ((None, None, 3), {}, "of a known size .*NonexNone"),
        ((14, 14, 2), {}, "of 1 or 3 channels.*2 channels"),
        ((14, 14, 3), {"batch_size": 0}, "`batch_size` must be >= 1. Received: batch_size=0"),
    ],
)
def test_bad_arguments(shape, options, message):
    image = keras.Input(shape)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))
    with pytest.raises(ValueError, match=message):
        classifiers.classify(model, [], **options)
