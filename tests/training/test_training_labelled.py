"""Pictures with classes: where they may come from, which of them are held out, what is refused."""

import io
import pathlib

import labelled_fakes
import numpy as np
import pytest
from labelled_fakes import CLASSES
from PIL import Image

from stylezoo.training import labelled
from stylezoo.training.classifier_config import LabelledConfig
from stylezoo.training.labelled import open_labelled

# What 8 bits divided by 255 in float32 leave open.
FLOAT32 = 1e-6


def contents(pictures):
    """Every picture, as it was drawn, with its class's name."""
    read = [pictures.read(index) for index in range(len(pictures))]
    return [
        (np.rint(255 * picture[..., 0]).astype(int).tobytes(), pictures.class_names[label])
        for picture, label in read
    ]


def drawn(number, *, first=0):
    return [
        (labelled_fakes.picture(kind, first + seed).astype(int).tobytes(), kind)
        for kind in CLASSES
        for seed in range(number)
    ]


# --- where they come from ---------------------------------------------------------------------


def test_folder(tmp_path):
    path = labelled_fakes.folder(tmp_path / "pictures", number=3)
    (tmp_path / "pictures" / ".thumbnails").mkdir()
    Image.new("L", (5, 5)).save(tmp_path / "pictures" / ".thumbnails" / "0.png")
    (tmp_path / "pictures" / "notes.txt").write_text("no picture", encoding="utf-8")
    (tmp_path / "pictures" / "down" / "deep").mkdir()
    (tmp_path / "pictures" / "down" / "2.png").rename(tmp_path / "pictures/down/deep/2.png")
    pictures = open_labelled(path)
    assert pictures.class_names == CLASSES
    assert len(pictures) == 9
    assert pictures.test_part is None
    assert sorted(contents(pictures)) == sorted(drawn(3))
    picture, label = pictures.read(4)
    assert (picture.shape, picture.dtype, label) == ((28, 28, 3), np.float32, 1)
    assert [pictures.label(index) for index in range(9)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_arrays(tmp_path):
    path = tmp_path / "pictures.npz"
    rng = np.random.default_rng(0)
    grey, colour = (
        rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((5, 7, 6), (4, 7, 6, 3))
    )
    labels = np.array([0, 1, 2, 1, 0])
    np.savez(path, x_train=grey, y_train=labels, x_test=colour, y_test=labels[:4, None])
    train = open_labelled(str(path))
    assert train.class_names == ("0", "1", "2")
    assert train.test_part == f"{path}:test"
    for index in range(5):
        picture, label = train.read(index)
        np.testing.assert_allclose(
            picture, np.repeat(grey[index, ..., None] / 255, 3, axis=-1), rtol=0, atol=FLOAT32
        )
        assert label == labels[index]
    for test in (open_labelled(f"{path}:test"), open_labelled(str(path), part="test")):
        assert test.test_part is None
        picture, label = test.read(2)
        np.testing.assert_allclose(picture, colour[2] / 255, rtol=0, atol=FLOAT32)
        assert (len(test), label) == (4, 2)
    assert open_labelled(f"{path}:train").test_part is None


@pytest.fixture(scope="module")
def tfds_folder(tmp_path_factory):
    """Two datasets: `striped`, with a test split, and `hidden`, whose test split hides the classes."""
    tfds = pytest.importorskip("tensorflow_datasets")
    folder = tmp_path_factory.mktemp("tfds")

    def prepare(dataset, test_labels):
        class Pictures(tfds.core.GeneratorBasedBuilder, skip_registration=True):
            name = dataset
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                features = {"image": tfds.features.Image(shape=(28, 28, 1)), "label": classes}
                return tfds.core.DatasetInfo(
                    builder=self,
                    features=tfds.features.FeaturesDict(features),
                    disable_shuffling=True,
                )

            def _split_generators(self, manager):
                return {
                    "train": self._generate_examples(CLASSES),
                    "test": self._generate_examples(test_labels),
                }

            def _generate_examples(self, labels):
                for index, label in enumerate(labels):
                    kind = label if label in CLASSES else CLASSES[0]
                    buffer = io.BytesIO()
                    Image.fromarray(labelled_fakes.picture(kind, index)).save(buffer, "PNG")
                    yield index, {"image": io.BytesIO(buffer.getvalue()), "label": label}

        Pictures(data_dir=folder).download_and_prepare()

    classes = tfds.features.ClassLabel(names=CLASSES)
    prepare("striped", ["plain", "down"])
    prepare("hidden", [-1, -1])
    return str(folder)


def test_tensorflow_datasets(tfds_folder):
    train = open_labelled("striped", data_dir=tfds_folder)
    assert train.class_names == CLASSES
    assert [train.label(index) for index in range(3)] == [0, 1, 2]
    picture, label = train.read(1)
    expected = labelled_fakes.picture("down", 1)[..., None] / 255
    np.testing.assert_allclose(picture, np.repeat(expected, 3, axis=-1), rtol=0, atol=FLOAT32)
    assert label == 1
    assert train.test_part == "striped:test"
    test = open_labelled("striped", data_dir=tfds_folder, part="test")
    assert [test.label(index) for index in range(len(test))] == [2, 1]
    assert len(open_labelled("striped:1.0.0:train[:2]", data_dir=tfds_folder)) == 2


# --- what is held out -------------------------------------------------------------------------


def test_split_takes_its_part_of_every_class(tmp_path):
    path = tmp_path / "p.npz"
    labels = np.repeat([0, 1, 2], [40, 10, 2])
    pixels = np.broadcast_to(np.arange(52, dtype=np.uint8)[:, None, None], (52, 4, 4))
    np.savez(path, x_train=pixels, y_train=labels)
    pictures = open_labelled(str(path))

    def parts(seed, fraction=0.2):
        return [
            [
                (round(255 * float(picture[0, 0, 0])), label)
                for picture, label in map(part.read, range(len(part)))
            ]
            for part in pictures.split(fraction, seed=seed)
        ]

    train, held_out = parts(0)
    assert sorted(train + held_out) == list(zip(range(52), labels, strict=True))
    assert np.bincount([label for _, label in held_out]).tolist() == [8, 2, 1]
    assert parts(0) == [train, held_out]
    assert parts(1)[1] != held_out
    assert np.bincount([label for _, label in parts(0, 0.999)[0]]).tolist() == [1, 1, 1]


def test_what_is_held_out(tmp_path):
    number = 5
    one = labelled_fakes.arrays(tmp_path / "one.npz", number=number)
    both = labelled_fakes.arrays(tmp_path / "both.npz", number=number, test=2)
    folder = labelled_fakes.folder(tmp_path / "few", number=3, classes=("plain", "across"))
    pictures = labelled_fakes.folder(tmp_path / "all", number=number)

    def sizes(*args, **options):
        train, held_out = LabelledConfig(*args, **options).open()
        assert held_out.class_names == train.class_names
        return len(train), len(held_out)

    assert sizes(one) == (12, 3)
    assert sizes(both) == (15, 6)
    assert sizes(both, validation_fraction=0.4) == (9, 6)
    assert sizes(f"{both}:train") == (12, 3)
    assert sizes(one, held_out=both) == (15, 6)
    # Classes go by their names: `across` and `plain` are 0 and 1 there, 0 and 2 here.
    train, held_out = LabelledConfig(pictures, held_out=folder).open()
    assert [held_out.label(index) for index in range(6)] == [0, 0, 0, 2, 2, 2]
    assert (len(train), len(held_out)) == (15, 6)


# --- what can't be read -----------------------------------------------------------------------


def test_broken_picture(tmp_path):
    path = labelled_fakes.folder(tmp_path / "pictures", number=2)
    file = tmp_path / "pictures" / "across" / "1.png"
    file.write_bytes(file.read_bytes()[:60])
    pictures = open_labelled(path)
    assert pictures.try_read(1) is None
    _, label = pictures.read(1)  # the next one, with its own class
    assert label == 1
    assert list(pictures.skipped) == ["across/1.png"]


@pytest.fixture
def bad(tmp_path, monkeypatch):
    """The current folder, with what is no dataset."""
    monkeypatch.chdir(tmp_path)
    labelled_fakes.folder(tmp_path / "good", number=1)
    labelled_fakes.folder(tmp_path / "lonely", classes=("plain",))
    labelled_fakes.folder(tmp_path / "loose", number=1)
    Image.new("L", (9, 9)).save("loose/picture.png")
    labelled_fakes.folder(tmp_path / "hollow", number=1)
    pathlib.Path("hollow/void").mkdir()
    pathlib.Path("nothing").mkdir()
    pathlib.Path("text.npz").write_text("no array", encoding="utf-8")
    pathlib.Path("text.txt").write_text("no picture", encoding="utf-8")
    grey, labels = np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1])
    for name, arrays in {
        "other": {"a": grey},
        "float": {"x_train": grey / 255, "y_train": labels},
        "flat": {"x_train": grey.reshape(4, 64), "y_train": labels},
        "short": {"x_train": grey, "y_train": labels[:3]},
        "negative": {"x_train": grey, "y_train": labels - 1},
        "real": {"x_train": grey, "y_train": labels / 2},
        "gap": {"x_train": grey, "y_train": 2 * labels},
        "one": {"x_train": grey, "y_train": 0 * labels},
        "pickled": {"x_train": np.array([None] * 4), "y_train": labels},
        "fine": {"x_train": grey, "y_train": labels},
    }.items():
        np.savez(f"{name}.npz", **arrays)


@pytest.mark.parametrize(
    ("dataset", "error", "message"),
    [
        (
            "none",
            ValueError,
            "`dataset` must be a folder with a folder for each class, an .npz file",
        ),
        ("", ValueError, "`dataset` must be a folder with"),
        ("text.txt", NotADirectoryError, "must be a folder .*Received: 'text.txt', a file"),
        ("nothing", ValueError, "must have 2 classes or more .*Received: nothing, with none"),
        ("lonely", ValueError, "must have 2 classes or more .*Received: lonely, with plain"),
        ("loose", ValueError, "in a folder for each class. Received: loose/picture.png"),
        ("hollow", ValueError, "of every class. Received: hollow, with none in void"),
        ("good", ValueError, "must hold 2 pictures or more of every class.* 1 of across"),
        ("none.npz", FileNotFoundError, "none.npz"),
        ("text.npz", ValueError, "must be a NumPy file of arrays. Received: text.npz"),
        ("pickled.npz", ValueError, "must be a NumPy file of arrays. Received: pickled.npz"),
        ("other.npz", ValueError, "must have the arrays x_train and y_train.*with a$"),
        ("float.npz", ValueError, r"uint8 \[N, H, W\].*Received: float.npz, float64 \[4, 8, 8\]"),
        ("flat.npz", ValueError, r"Received: flat.npz, uint8 \[4, 64\]"),
        ("short.npz", ValueError, r"labels y_train, integers >= 0.*\[3\] for 4 pictures"),
        ("negative.npz", ValueError, "labels y_train, integers >= 0"),
        ("real.npz", ValueError, "labels y_train, integers >= 0.*float64"),
        ("gap.npz", ValueError, "pictures of every class. Received: gap.npz, with none of 1$"),
        ("one.npz", ValueError, "must have 2 classes or more"),
        ("fine.npz:test", ValueError, "must name a part, train, after a colon"),
        ("fine.npz:all", ValueError, "must name a part, train, after a colon"),
        ("absent:train", ValueError, "There is no such folder"),
    ],
)
@pytest.mark.usefixtures("bad")
def test_bad_datasets(dataset, error, message, tmp_path):
    with pytest.raises(error, match=message):
        LabelledConfig(dataset, data_dir=str(tmp_path)).open()


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("hidden:test", "must say the classes of its pictures.*which hides them"),
        ("striped:validation", "must name a split, train or test"),
        ("striped:train[:0]", "must hold pictures. Received: 'striped:train"),
    ],
)
def test_bad_splits(dataset, message, tfds_folder):
    with pytest.raises(ValueError, match=message):
        open_labelled(dataset, data_dir=tfds_folder)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"validation_fraction": 0.0}, r"`validation_fraction` must be in \(0, 1\)"),
        ({"seed": -1}, "`seed` must be >= 0"),
        ({"validation_fraction": 1.0}, r"`validation_fraction` must be in \(0, 1\)"),
        ({"validation_fraction": 0.5, "held_out": "a"}, "must not come with `held_out`"),
    ],
)
def test_bad_configurations(fields, message):
    with pytest.raises(ValueError, match=message):
        LabelledConfig("pictures", **fields)


def test_held_out_of_other_classes(tmp_path):
    few = labelled_fakes.folder(tmp_path / "few", number=2, classes=("plain", "across"))
    pictures = labelled_fakes.folder(tmp_path / "all", number=2)
    with pytest.raises(
        ValueError, match=r"`held_out` must have no classes but across, plain. Received: down$"
    ):
        LabelledConfig(few, held_out=pictures).open()


def test_long_lists_of_names_are_cut():
    names = [str(number) for number in range(12)]
    assert labelled._listed(names) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... (12 in all)"
    assert labelled._listed(names[:2]) == "0, 1"
