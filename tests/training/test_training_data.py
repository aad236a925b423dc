"""Crops of photographs: what a step sees, from folders and from TensorFlow Datasets alike."""

import io
import logging
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from stylezoo import images
from stylezoo.training import data

# Half a step of 8 bits, what the files are rounded to, and float32.
HALF_STEP = 0.5 / 255 + 1e-6

SIZE = 16


def coordinates(height, width):
    """A picture whose red is the column, whose green is the row, from 0 to 1."""
    rows, columns = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    return np.stack([columns, rows, 0 * rows], axis=-1)


def plain(height, width, value):
    return np.full((height, width, 3), value)


def save(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(255 * picture).astype(np.uint8)).save(path)


def batches(photographs, *, config=None, batch_size=4, seed=0, num_steps=5, **options):
    dataset = data.crops(
        photographs,
        config=config or data.CropConfig(SIZE),
        batch_size=batch_size,
        seed=seed,
        num_steps=num_steps,
        **options,
    )
    return [batch.numpy() for batch in dataset]


def assert_same(these, those):
    assert len(these) == len(those)
    for this, that in zip(these, those, strict=True):
        np.testing.assert_array_equal(this, that)


@pytest.fixture
def mixed(tmp_path):
    """Six noisy pictures of several kinds and sizes, in folders."""
    rng = np.random.default_rng(0)
    for name, size in (
        ("b.png", (40, 50)),
        ("a.jpg", (33, 64)),
        ("deep/er/c.PNG", (16, 16)),
        ("deep/d.webp", (20, 90)),
        ("deep/tiny.bmp", (5, 9)),
        ("e.tiff", (64, 64)),
    ):
        save(tmp_path / "mixed" / name, rng.random((*size, 3)))
    (tmp_path / "mixed" / "notes.txt").write_text("no picture", encoding="utf-8")
    (tmp_path / "mixed" / "folder.png").mkdir()
    return str(tmp_path / "mixed")


@pytest.fixture
def shades(tmp_path):
    """A function that makes a folder of plain pictures, 0.png of value 0 to n.png of value n/10."""

    def make(number, *, corrupt=()):
        folder = tmp_path / "shades"
        for index in range(number):
            save(folder / f"{index}.png", plain(20, 30, index / 10))
        for index in corrupt:
            path = folder / f"{index}.png"
            path.write_bytes(path.read_bytes()[:40])
        return str(folder)

    return make


def shades_seen(found):
    """Which pictures of `shades` the crops in a list of batches are of."""
    values = np.concatenate(found).mean(axis=(1, 2, 3)) * 10
    np.testing.assert_allclose(values, np.rint(values), rtol=0, atol=10 * HALF_STEP)
    return np.rint(values).astype(int).tolist()


# --- folders ----------------------------------------------------------------------------------


def test_folder_is_searched_and_sorted(mixed):
    photographs = data.open_photographs(mixed)
    names = ["a.jpg", "b.png", "deep/d.webp", "deep/er/c.PNG", "deep/tiny.bmp", "e.tiff"]
    assert photographs.names == names
    assert len(photographs) == 6
    for index, name in enumerate(names):
        expected = images.read_image(pathlib.Path(mixed, name))[0]
        np.testing.assert_array_equal(photographs.read(index), expected)
    with pytest.raises(IndexError, match=r"`index` must be 0 to 5. Received: index=6"):
        photographs.read(6)


def test_pictures_are_read_as_everywhere(tmp_path):
    """Turned by EXIF, over white, in RGB: the decoding of `images`, not a second one."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    Image.new("L", (40, 20), 100).save(tmp_path / "turned.jpg", exif=exif)
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    photographs = data.open_photographs(str(tmp_path))
    np.testing.assert_array_equal(photographs.read(0), np.ones((20, 20, 3)))
    assert photographs.read(1).shape == (40, 20, 3)


# --- steps ------------------------------------------------------------------------------------


def test_batches(mixed):
    found = batches(data.open_photographs(mixed), num_steps=7)
    assert len(found) == 7
    for batch in found:
        assert batch.shape == (4, SIZE, SIZE, 3)
        assert batch.dtype == np.float32
        assert batch.min() >= 0
        assert batch.max() <= 1


def test_static_shape_and_number(mixed):
    dataset = data.crops(
        data.open_photographs(mixed),
        config=data.CropConfig(SIZE),
        batch_size=4,
        seed=0,
        first_step=3,
        num_steps=10,
    )
    assert dataset.element_spec == tf.TensorSpec([4, SIZE, SIZE, 3], tf.float32)
    assert dataset.cardinality() == 7


@pytest.mark.parametrize("first_step", [0, 1, 4, 8, 9])
def test_a_step_depends_on_nothing_before_it(mixed, first_step):
    whole = batches(data.open_photographs(mixed), num_steps=9)
    tail = batches(data.open_photographs(mixed), num_steps=9, first_step=first_step)
    assert_same(tail, whole[first_step:])


def test_seed(mixed):
    photographs = data.open_photographs(mixed)
    assert_same(batches(photographs, seed=3), batches(photographs, seed=3))
    for one, other in zip(batches(photographs, seed=3), batches(photographs, seed=4), strict=True):
        assert (one != other).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("count", [2, 3, 6])
def test_shards_are_parts_of_the_batch(mixed, count):
    photographs = data.open_photographs(mixed)
    options = {"batch_size": 6, "first_step": 1, "num_steps": 4}
    shards = [batches(photographs, shard=(index, count), **options) for index in range(count)]
    joined = [np.concatenate(parts) for parts in zip(*shards, strict=True)]
    assert_same(joined, batches(photographs, **options))


def test_an_epoch_shows_every_picture_once(shades):
    photographs = data.open_photographs(shades(7))
    seen = shades_seen(batches(photographs, batch_size=3, num_steps=7))
    epochs = [seen[:7], seen[7:14], seen[14:]]
    assert [sorted(epoch) for epoch in epochs] == [list(range(7))] * 3
    assert epochs[0] != epochs[1] != epochs[2]


def test_each_picture_of_an_epoch_is_read_by_one_worker(shades):
    photographs = data.open_photographs(shades(8))
    seen = [
        shades_seen(batches(photographs, batch_size=4, num_steps=2, shard=(index, 2)))
        for index in range(2)
    ]
    assert [len(each) for each in seen] == [4, 4]
    assert sorted(seen[0] + seen[1]) == list(range(8))


# --- crops ------------------------------------------------------------------------------------


def test_crops_are_squares_of_random_scale_place_and_side(tmp_path):
    height, width, size = 80, 120, 10
    save(tmp_path / "coordinates.png", coordinates(height, width))
    found = np.concatenate(
        batches(
            data.open_photographs(str(tmp_path)),
            config=data.CropConfig(size),
            batch_size=50,
            num_steps=10,
        )
    )
    columns, rows = found[..., 0].mean(axis=1), found[..., 1].mean(axis=2)
    # From the first to the last pixel's centre; reduced pixels have theirs half a pixel inside.
    side_across = np.abs(columns[:, -1] - columns[:, 0]) * (width - 1) * size / (size - 1)
    side_down = (rows[:, -1] - rows[:, 0]) * (height - 1) * size / (size - 1)
    # The ends of a reduction see the border, which moves them by less than a reduced pixel.
    np.testing.assert_allclose(side_across, side_down, rtol=0.1)
    assert size * 0.9 < side_down.min() < size * 1.2
    assert height * 0.85 < side_down.max() < height * 1.1
    # Log-uniform from 10 to 80: the median is their geometric mean.
    assert np.median(side_down) == pytest.approx((size * height) ** 0.5, rel=0.15)
    flipped = columns[:, -1] < columns[:, 0]
    # 500 throws of a coin: four standard deviations.
    assert abs(flipped.mean() - 0.5) < 4 * 0.5 / 500**0.5
    assert columns.min() < 0.05
    assert columns.max() > 0.95
    assert rows.min() < 0.05
    assert rows.max() > 0.95


def test_neither_scaled_nor_flipped(tmp_path):
    save(tmp_path / "coordinates.png", coordinates(40, 60))
    config = data.CropConfig(40, min_scale=1, flip=False)
    found = np.concatenate(batches(data.open_photographs(str(tmp_path)), config=config))
    picture = images.read_image(tmp_path / "coordinates.png")[0]
    lefts = np.rint(found[:, 0, 0, 0] * 59).astype(int)
    assert len(set(lefts)) > 5
    for crop, left in zip(found, lefts, strict=True):
        # Resizing to the same size leaves float32's rounding.
        np.testing.assert_allclose(crop, picture[:, left : left + 40], rtol=0, atol=1e-6)


def test_min_scale(tmp_path):
    save(tmp_path / "coordinates.png", coordinates(100, 100))
    config = data.CropConfig(10, min_scale=0.5)
    found = np.concatenate(batches(data.open_photographs(str(tmp_path)), config=config))
    sides = (found[:, -1, :, 1] - found[:, 0, :, 1]).mean(axis=1) * 10 / 9
    assert sides.min() > 0.45


def test_small_pictures_are_enlarged(tmp_path):
    save(tmp_path / "small.png", plain(4, 7, 0.2))
    found = batches(data.open_photographs(str(tmp_path)))
    np.testing.assert_allclose(found, np.full((5, 4, SIZE, SIZE, 3), 0.2), rtol=0, atol=HALF_STEP)


# --- pictures that can't be read --------------------------------------------------------------


def test_the_next_good_picture_takes_the_place(shades, caplog):
    photographs = data.open_photographs(shades(6, corrupt=[1, 2, 5]))
    with caplog.at_level(logging.WARNING):
        read = [photographs.read(index).mean() for index in range(6)]
    np.testing.assert_allclose(read, [0, 0.3, 0.3, 0.3, 0.4, 0], rtol=0, atol=HALF_STEP)
    assert set(photographs.skipped) == {"1.png", "2.png", "5.png"}
    assert "1.png` is not an image that can be decoded" in photographs.skipped["1.png"]
    assert len(caplog.records) == 3
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert "Another picture takes its place." in caplog.text


def test_pictures_that_were_met_before_change_nothing(shades, caplog):
    folder = shades(6, corrupt=[1, 2, 5])
    first = data.open_photographs(folder)
    whole = batches(first, num_steps=9)
    assert set(shades_seen(whole)) == {0, 3, 4}
    assert set(first.skipped) == {"1.png", "2.png", "5.png"}
    assert len(caplog.records) == 3
    assert_same(batches(first, num_steps=9), whole)
    assert len(caplog.records) == 3
    for first_step in range(1, 9):
        tail = batches(data.open_photographs(folder), num_steps=9, first_step=first_step)
        assert_same(tail, whole[first_step:])


def test_parts_share_what_was_skipped(shades):
    photographs = data.open_photographs(shades(6, corrupt=[2]))
    train, held_out = photographs.hold_out(2)
    assert train.names == ["1.png", "2.png", "4.png", "5.png"]
    assert train.read(1).mean() == pytest.approx(0.4, abs=HALF_STEP)  # never one that is held out
    assert set(held_out.skipped) == set(photographs.skipped) == {"2.png"}


class Counted:
    """Three pictures of 300 bytes in memory that count how often each is decoded."""

    def __init__(self):
        self.decoded = [0, 0, 0]
        self.pictures = np.random.default_rng(0).random((3, 10, 10, 3), np.float32)

    def __len__(self):
        return 3

    def name(self, position):
        return str(position)

    def read(self, position):
        self.decoded[position] += 1
        return self.pictures[position]


@pytest.mark.parametrize(
    ("limit", "decoded"), [(10_000, [1, 1, 1]), (650, [1, 1, 3]), (0, [3] * 3)]
)
def test_pictures_are_decoded_once_up_to_a_limit(limit, decoded):
    stored = Counted()
    cached = data.Cached(stored, limit)
    for _ in range(3):
        for position in range(3):
            # The same whether it is kept or not.
            expected = np.rint(255 * stored.pictures[position]) / np.float32(255)
            np.testing.assert_array_equal(cached.read(position), expected)
    assert stored.decoded == decoded
    assert (len(cached), cached.name(1)) == (3, "1")


def test_file_that_goes_away(shades):
    folder = shades(3)
    photographs = data.open_photographs(folder)
    pathlib.Path(folder, "1.png").unlink()
    assert photographs.read(1).mean() == pytest.approx(0.2, abs=HALF_STEP)
    assert "1.png` does not exist" in photographs.skipped["1.png"]


def test_no_picture_can_be_read(shades):
    photographs = data.open_photographs(shades(3, corrupt=[0, 1, 2]))
    for attempt in (lambda: photographs.read(1), lambda: batches(photographs)):
        with pytest.raises(
            OSError, match=r"must hold a picture that can be read.*3, none of which"
        ):
            attempt()


# --- held out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 3, 7, 9])
def test_held_out(shades, number):
    photographs = data.open_photographs(shades(10))
    train, held_out = photographs.hold_out(number)
    assert len(held_out) == number
    assert sorted([*train.names, *held_out.names]) == photographs.names
    assert photographs.hold_out(number)[1].names == held_out.names


def test_centre_crops(mixed, tmp_path):
    save(tmp_path / "wide.png", coordinates(40, 100))
    save(tmp_path / "xsmall.png", plain(4, 7, 0.2))
    found = data.centre_crops(data.open_photographs(str(tmp_path)), [6, 7], size=40)
    assert found.shape == (2, 40, 40, 3)
    assert found.dtype == tf.float32
    picture = images.read_image(tmp_path / "wide.png")[0]
    np.testing.assert_allclose(found[0], picture[:, 30:70], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found[1], plain(40, 40, 0.2), rtol=0, atol=HALF_STEP)


# --- TensorFlow Datasets ----------------------------------------------------------------------

NAME = "stylezoo_pictures"
NUM_PICTURES = 11
CORRUPT = 3


@pytest.fixture(scope="module")
def files():
    """The content of picture files, one of them corrupt."""
    rng = np.random.default_rng(0)
    contents = []
    for index in range(NUM_PICTURES):
        pixels = rng.integers(0, 256, (20 + index, 30, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG" if index % 2 else "PNG")
        contents.append(buffer.getvalue())
    contents[CORRUPT] = contents[CORRUPT][:200]
    return contents


def prepare_dataset(folder, files, *, image="image", file_format="tfrecord"):
    """Writes the dataset `NAME`, as three files, below `folder`; its path."""
    tfds = pytest.importorskip("tensorflow_datasets")

    class Pictures(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        name = NAME
        VERSION = tfds.core.Version("1.2.0")

        def _info(self):
            features = {
                image: tfds.features.Image(),
                "objects": tfds.features.Sequence({"area": np.int64}),
            }
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                disable_shuffling=True,
            )

        def _split_generators(self, manager):
            return {"train": self._generate_examples(), "test": self._generate_examples()}

        def _generate_examples(self):
            for index, content in enumerate(files):
                yield index, {image: io.BytesIO(content), "objects": [{"area": index}]}

    Pictures(data_dir=folder, file_format=file_format).download_and_prepare(
        download_config=tfds.download.DownloadConfig(num_shards=3)
    )
    return str(folder)


@pytest.fixture(scope="module", params=["tfrecord", "array_record"])
def dataset_dir(files, request, tmp_path_factory):
    return prepare_dataset(tmp_path_factory.mktemp("tfds"), files, file_format=request.param)


def test_dataset_is_as_a_folder_of_the_same_files(dataset_dir, files, tmp_path):
    for index, content in enumerate(files):
        (tmp_path / f"{index:02}.jpg").write_bytes(content)
    folder = data.open_photographs(str(tmp_path))
    dataset = data.open_photographs(NAME, data_dir=dataset_dir)
    assert dataset.names == [f"{NAME}#{index}" for index in range(NUM_PICTURES)]
    assert_same(batches(dataset, num_steps=8), batches(folder, num_steps=8))
    assert list(dataset.skipped) == [f"{NAME}#{CORRUPT}"]
    assert f"`{NAME}#{CORRUPT}` is not an image" in dataset.skipped[f"{NAME}#{CORRUPT}"]


@pytest.mark.parametrize(
    ("suffix", "indices"),
    [
        (":test", range(NUM_PICTURES)),
        (":train[2:9]", range(2, 9)),
        (":train[-4:]", range(7, 11)),
        (":train[:2]+test[5:6]", [0, 1, 5]),
        (":1.2.0", range(NUM_PICTURES)),
        (":1.*.*:train[1:3]", [1, 2]),
    ],
)
def test_split_and_version(dataset_dir, files, suffix, indices):
    photographs = data.open_photographs(f"{NAME}{suffix}", data_dir=dataset_dir)
    assert len(photographs) == len(indices)
    for place, index in enumerate(indices):
        if index != CORRUPT:
            expected = images.decode_image(files[index])[0]
            np.testing.assert_array_equal(photographs.read(place), expected)


def test_damaged_tfrecord_file(files, tmp_path):
    folder = prepare_dataset(tmp_path, files)
    (path,) = tmp_path.rglob("*-train.tfrecord-00001-of-00003")
    path.write_bytes(path.read_bytes()[:-1000])
    photographs = data.open_photographs(NAME, data_dir=folder)
    for index in range(NUM_PICTURES):
        photographs.read(index)
    # The last one of the second file.
    assert set(photographs.skipped) == {f"{NAME}#{CORRUPT}", f"{NAME}#6"}
    assert photographs.skipped[f"{NAME}#6"].endswith("-00001-of-00003` is damaged")


def test_datasets_that_are_not_fit(files, tmp_path):
    for name, options, match in (
        (
            "other",
            {"image": "picture"},
            "feature `image` is an image. .* features objects, picture",
        ),
        ("format", {"file_format": "parquet"}, "as tfrecord or array_record. .* as parquet"),
    ):
        folder = prepare_dataset(tmp_path / name, files, **options)
        with pytest.raises(ValueError, match=f"`content` must be a dataset .*{match}"):
            data.open_photographs(NAME, data_dir=folder)


@pytest.mark.parametrize(
    ("suffix", "match"),
    [
        (":trian", "must name a split, train or test, or a part of one, .* Received: .*:trian'"),
        (":train[9", "must name a split, train or test, or a part of one, .*"),
        (":train[:0]", "must hold pictures .* Received: .*, which has none"),
        (":7.0.0", "must be a folder of pictures or the name of a TensorFlow Datasets .*7.0.0"),
    ],
)
def test_bad_splits(dataset_dir, suffix, match):
    with pytest.raises(ValueError, match=f"^`content` {match}") as error:
        data.open_photographs(f"{NAME}{suffix}", data_dir=dataset_dir)
    assert "\n" not in str(error.value)


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", ["none/such", "nonesuch", "./none", "", "two words", "none.jpg", ":", "a\nb"]
)
def test_neither_a_folder_nor_a_dataset(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "picture.png", plain(4, 4, 0.5))
    with pytest.raises(ValueError, match=r"^`content` must be a folder of pictures or") as error:
        data.open_photographs(content, data_dir=str(tmp_path))
    assert "\n" not in str(error.value)
    assert f"Received: {content!r}" in str(error.value)


def test_a_file(tmp_path):
    save(tmp_path / "picture.png", plain(4, 4, 0.5))
    with pytest.raises(NotADirectoryError, match=r"`content` must be a folder .*picture.png', a f"):
        data.open_photographs(str(tmp_path / "picture.png"))


def test_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    with pytest.raises(ValueError, match=r"`content` must hold pictures \(\.bmp .*which has none"):
        data.open_photographs(str(tmp_path))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"batch_size": 0}, "`batch_size` must be a positive multiple .* Received: batch_size=0"),
        ({"batch_size": 4, "shard": (0, 3)}, "`batch_size` must be .* shards, 3. .*batch_size=4"),
        ({"shard": (2, 2)}, r"`shard` must be .* Received: shard=\(2, 2\)"),
        ({"shard": (-1, 2)}, r"`shard` must be .* Received: shard=\(-1, 2\)"),
        ({"seed": -1}, "`seed` must be >= 0. Received: seed=-1"),
        ({"first_step": -1}, "`first_step` must be 0 to num_steps, 5. Received: first_step=-1"),
        ({"first_step": 6}, "`first_step` must be 0 to num_steps, 5. Received: first_step=6"),
    ],
)
def test_bad_arguments(options, match, shades):
    with pytest.raises(ValueError, match=match):
        batches(data.open_photographs(shades(2)), **options)


@pytest.mark.parametrize("num_held_out", [-1, 3, 4])
def test_too_many_held_out(num_held_out, shades):
    photographs = data.open_photographs(shades(3))
    with pytest.raises(ValueError, match=f"must be 0 to 2, .* Received: .*={num_held_out}"):
        photographs.hold_out(num_held_out)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"size": 0}, "`size` must be >= 1. Received: size=0"),
        ({"size": 8, "min_scale": 1.5}, "`min_scale` must be 0 to 1. Received: min_scale=1.5"),
        ({"size": 8, "min_scale": -0.1}, "`min_scale` must be 0 to 1. Received: min_scale=-0.1"),
    ],
)
def test_bad_config(options, match):
    with pytest.raises(ValueError, match=match):
        data.CropConfig(**options)


def test_no_centre_crops(shades):
    with pytest.raises(ValueError, match="`indices` must not be empty"):
        data.centre_crops(data.open_photographs(shades(1)), [], size=8)


# --- a process of its own ---------------------------------------------------------------------


def test_deterministic_operations_leave_reading_parallel(shades):
    """Training runs under op determinism. The first two pictures are each read during the other."""
    script = (
        "import itertools, sys, threading\n"
        "import tensorflow as tf\n"
        "from stylezoo.training import data\n"
        "tf.config.experimental.enable_op_determinism()\n"
        "photographs = data.open_photographs(sys.argv[1])\n"
        "options = dict(config=data.CropConfig(8), batch_size=4, seed=0, num_steps=4)\n"
        "dataset = data.crops(photographs, **options)\n"
        "threads = tf.data.Options()\n"
        "threads.threading.private_threadpool_size = 4\n"
        "both, number, read = threading.Barrier(2, timeout=60), itertools.count(), photographs.read\n"
        "def read_during_another(index):\n"
        "    if next(number) < 2:\n"
        "        both.wait()\n"
        "    return read(index)\n"
        "photographs.read = read_during_another\n"
        "assert len(list(dataset.with_options(threads))) == 4\n"
        "assert 'tensorflow_datasets' not in sys.modules\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, shades(3)],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(data.__file__).parents[2],
    )
    assert result.returncode == 0, result.stderr
