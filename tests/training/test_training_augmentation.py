"""What a classifier sees of its pictures: which part, from which side, in which colours."""

import dataclasses
import pathlib

import labelled_fakes
import numpy as np
import pytest
from PIL import Image

from stylezoo.training.augmentation import Augmentation, middle
from stylezoo.training.labelled import open_labelled
from stylezoo.training.views import Views, colour_components

# float32 sums of three products.
FLOAT32 = 1e-6


def coordinates(height, width):
    """A picture whose red is the row, whose green is the column, in px."""
    rows, columns = np.indices((height, width), np.float32)
    return np.stack([rows, columns, 0 * rows], axis=-1)


def seen(augmentation, *, height=60, width=90, number=400):
    """Top, left, height and width of random views, and whether they were mirrored."""
    picture = coordinates(height, width)
    rows = []
    for seed in range(number):
        view = augmentation.random_view(picture, np.random.default_rng(seed))
        mirrored = view[0, 0, 1] > view[0, -1, 1]
        left = view[0, -1 if mirrored else 0, 1]
        rows.append((view[0, 0, 0], left, *view.shape[:2], mirrored))
        step = -1 if mirrored else 1
        np.testing.assert_array_equal(
            view[:, ::step],
            picture[int(view[0, 0, 0]) :, int(left) :][: view.shape[0], : view.shape[1]],
        )
    return np.array(rows).T


def test_squares_of_random_scale():
    """The shorter side uniform in [256, 480] for an input of 224 px; anywhere."""
    top, left, height, width, mirrored = seen(
        Augmentation(short_side=(256 / 224, 480 / 224)), height=240, width=300, number=1000
    )
    np.testing.assert_array_equal(height, width)
    short_side = 224 * 240 / height
    # Whole pixels of a side of 112 at least.
    assert 256 * 0.99 < short_side.min() < 262
    assert 470 < short_side.max() < 480 * 1.01
    # The standard deviation of the mean of 1000 is 2.
    assert np.mean(short_side) == pytest.approx((256 + 480) / 2, abs=8)
    assert 0.4 < np.mean(mirrored) < 0.6
    for place, room in ((top, 240 - height), (left, 300 - width)):
        assert np.mean(place / room) == pytest.approx(0.5, abs=0.05)
        assert (place == 0).any()


def test_the_whole_of_a_square_picture():
    top, left, height, width, mirrored = seen(Augmentation(flip=False), height=50, width=50)
    assert set(zip(top, left, height, width, mirrored, strict=True)) == {(0, 0, 50, 50, 0)}


def test_random_areas():
    """8 to 100 % of the area, 3/4 to 4/3 wide for high (Szegedy et al. 2015, section 6)."""
    _, _, height, width, _ = seen(
        Augmentation(area=(0.08, 1.0)), height=200, width=220, number=1000
    )
    area, aspect = height * width / (200 * 220), width / height
    # Whole pixels of sides of 50 at least.
    assert 0.075 < area.min() < 0.1
    assert 0.9 < area.max() <= 1
    assert 0.73 < aspect.min() < 0.77
    assert 1.3 < aspect.max() < 1.36
    # A logarithm that is uniform: as many wide ones as high ones, but for what doesn't fit.
    assert np.mean(np.log(aspect)) == pytest.approx(0, abs=0.03)


def test_an_area_that_never_fits_is_the_middle():
    augmentation = Augmentation(area=(1.0, 1.0), aspect=(1.0, 1.0), flip=False)
    top, left, height, width, _ = seen(augmentation, height=20, width=60, number=3)
    assert set(zip(top, left, height, width, strict=True)) == {(0, 20, 20, 20)}


def test_shifts_repeat_the_edge():
    picture = coordinates(28, 28)
    augmentation = Augmentation(max_shift=2 / 28, flip=False)
    shifts = []
    for seed in range(200):
        view = augmentation.random_view(picture, np.random.default_rng(seed))
        down, right = (view[13, 13, :2] - 13).astype(int)
        index = np.clip(np.arange(28) + down, 0, 27), np.clip(np.arange(28) + right, 0, 27)
        np.testing.assert_array_equal(view, picture[np.ix_(*index)])
        shifts.append((down, right))
    assert set(shifts) == {(y, x) for y in range(-2, 3) for x in range(-2, 3)}


def test_middle():
    view = middle(coordinates(64, 100), 256 / 224)
    assert view.shape == (56, 56, 3)
    assert view[0, 0].tolist() == [4, 22, 0]
    assert middle(coordinates(3, 1), 5.0).tolist() == [[[1, 0, 0]]]


# --- batches ----------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path):
    return open_labelled(
        labelled_fakes.folder(tmp_path / "pictures", number=4, size=(30, 40), colour=True)
    )


VARIED = Augmentation(short_side=(1.0, 2.0), max_shift=0.1, colour_noise=0.1)


def batches(views, **fields):
    settings = {"batch_size": 6, "seed": 0, "num_steps": 4}
    found = views.batches(**settings | fields)
    return [tuple(each.numpy() for each in batch) for batch in found]


def assert_same(these, those):
    assert len(these) == len(those)
    for (this, labels), (that, expected) in zip(these, those, strict=True):
        np.testing.assert_array_equal(this, that)
        np.testing.assert_array_equal(labels, expected)


def test_a_step_depends_on_nothing_before_it(pictures):
    views = Views(pictures, VARIED, 24, 3, colour_components(pictures))
    whole = batches(views)
    for picture, labels in whole:
        assert (picture.shape, picture.dtype) == ((6, 24, 24, 3), np.float32)
        assert (labels.shape, labels.dtype) == ((6,), np.int64)
    assert_same(batches(views, first_step=3), whole[3:])
    shards = [batches(views, shard=(index, 2)) for index in range(2)]
    joined = [
        tuple(np.concatenate(pair) for pair in zip(*parts, strict=True))
        for parts in zip(*shards, strict=True)
    ]
    assert_same(joined, whole)
    assert all(
        (one[0] != two[0]).any() for one, two in zip(whole, batches(views, seed=1), strict=True)
    )
    # Two epochs of 12: every class four times in each, with another view every time.
    for first in (0, 2):
        labels = np.concatenate([whole[first][1], whole[first + 1][1]])
        assert np.bincount(labels).tolist() == [4, 4, 4]


def test_labels_belong_to_the_pictures(tmp_path):
    """Shades of grey, each a class of its own."""
    for shade in range(5):
        (tmp_path / "shades" / str(shade)).mkdir(parents=True)
        Image.new("L", (12, 12), 50 * shade).save(tmp_path / "shades" / str(shade) / "a.png")
    views = Views(open_labelled(str(tmp_path / "shades")), VARIED, 8, 1)
    for picture, labels in batches(views):
        np.testing.assert_allclose(picture.mean(axis=(1, 2, 3)), 50 * labels / 255, atol=FLOAT32)


def test_grey_networks_see_luma(pictures):
    grey, colour = (
        next(iter(Views(pictures, Augmentation(), 30, channels).middles([5], batch_size=1)))[0]
        for channels in (1, 3)
    )
    assert grey.shape == (1, 30, 30, 1)
    expected = colour.numpy() @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(grey.numpy()[..., 0], expected, rtol=0, atol=FLOAT32)


def test_middles(pictures, tmp_path):
    file = tmp_path / "pictures" / "across" / "1.png"
    file.write_bytes(file.read_bytes()[:60])
    views = Views(pictures, Augmentation(test_short_side=1.5), 20, 3)
    found = list(views.middles([0, 1, 7], batch_size=2))
    assert [labels.numpy().tolist() for _, labels in found] == [[0, -1], [1]]
    # 30 px / 1.5 are the network's 20: cut out, not resized.
    expected = pictures.read(7)[0][5:25, 10:30]
    np.testing.assert_array_equal(found[1][0][0], expected)
    np.testing.assert_array_equal(found[0][0][1], 0)


def test_a_folder_of_which_nothing_can_be_read(tmp_path):
    path = labelled_fakes.folder(tmp_path / "pictures", number=1)
    for file in pathlib.Path(path).rglob("*.png"):
        file.write_bytes(b"nothing")
    with pytest.raises(OSError, match="must hold a picture that can be read"):
        batches(Views(open_labelled(path), Augmentation(), 8, 3))


# --- colours ----------------------------------------------------------------------------------


def test_colour_components(tmp_path):
    """Of the covariance of all pixels, which for so few small pictures is exact."""
    path = labelled_fakes.folder(tmp_path / "pictures", number=4, colour=True)
    pictures = open_labelled(path)
    pixels = np.concatenate([pictures.read(index)[0].reshape(-1, 3) for index in range(12)])
    components = colour_components(pictures).astype(np.float64)
    # Eigenvectors times standard deviations: C v = σ² v, |v| = σ.
    covariance = np.cov(pixels.T.astype(np.float64))
    values = np.linalg.norm(components, axis=0)
    np.testing.assert_allclose(
        np.sort(values) ** 2, np.linalg.eigvalsh(covariance), rtol=1e-4, atol=1e-7
    )
    np.testing.assert_allclose(
        covariance @ components, components * values**2, rtol=1e-4, atol=1e-7
    )


def test_colour_noise(pictures):
    """One shift of the whole picture, of covariance σ² P Λ Pᵀ: a fraction of the colours' own."""
    components = colour_components(pictures)
    noisy = Augmentation(flip=False, colour_noise=0.5)
    plain = dataclasses.replace(noisy, colour_noise=0.0)
    options = {"batch_size": 12, "num_steps": 60}
    pairs = zip(
        batches(Views(pictures, noisy, 30, 3, components), **options),
        batches(Views(pictures, plain, 30, 3, components), **options),
        strict=True,
    )
    shifts = np.concatenate([one[0] - two[0] for one, two in pairs])
    assert np.ptp(shifts, axis=(1, 2)).max() < 1e-5
    covariance = np.cov(shifts.mean(axis=(1, 2)).T)
    expected = 0.25 * components @ components.T
    # Of 720 samples, a standard deviation of 5 %.
    np.testing.assert_allclose(covariance, expected, atol=0.2 * expected.max())
    assert np.abs(shifts.mean(axis=(0, 1, 2))).max() < 0.15 * np.sqrt(expected.max())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"short_side": (0.5, 1.0)}, "`short_side` must be 1 <= low <= high"),
        ({"short_side": (2.0, 1.0)}, r"`short_side` must be .*Received: short_side=\(2.0, 1.0\)"),
        ({"area": (0.0, 1.0)}, "`area` must be 0 < low <= high <= 1"),
        ({"area": (0.5, 1.1)}, "`area` must be"),
        ({"aspect": (2.0, 1.0)}, "`aspect` must be 0 < low <= high"),
        ({"max_shift": -0.1}, "`max_shift` must be 0 to 1. Received: max_shift=-0.1"),
        ({"colour_noise": float("inf")}, "`colour_noise` must be >= 0"),
        ({"colour_noise": float("nan")}, "`colour_noise` must be >= 0"),
        ({"test_short_side": 0.9}, "`test_short_side` must be >= 1"),
    ],
)
def test_bad_augmentations(fields, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**fields)
