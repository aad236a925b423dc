"""Contact sheets, pixel by pixel."""

import numpy as np
import pytest

from stylezoo import images


def picture(height, width, value):
    return np.full((height, width, 3), value, np.float32)


def test_pictures_of_one_size_in_rows():
    sheet = images.contact_sheet([picture(2, 3, 0.1 * n) for n in range(6)], columns=3)
    assert sheet.dtype == np.float32
    assert sheet.shape == (1, 2 * 2 + 4, 3 * 3 + 2 * 4, 3)
    expected = np.ones(sheet.shape[1:], np.float32)
    for n, (top, left) in enumerate((top, left) for top in (0, 6) for left in (0, 7, 14)):
        expected[top : top + 2, left : left + 3] = np.float32(0.1 * n)
    np.testing.assert_array_equal(sheet[0], expected)


def test_pictures_of_different_sizes_are_centred_in_cells():
    """A row is as high as its highest picture, every column as wide as the widest of all."""
    pictures = [picture(4, 2, 0.0), picture(2, 6, 0.25), picture(1, 1, 0.5), picture(3, 3, 0.75)]
    sheet = images.contact_sheet(pictures, columns=2)[0]
    expected = np.ones((4 + 4 + 3, 6 + 4 + 6, 3), np.float32)
    expected[0:4, 2:4] = 0.0
    expected[1:3, 10:16] = 0.25
    expected[9:10, 2:3] = 0.5
    expected[8:11, 11:14] = 0.75
    np.testing.assert_array_equal(sheet, expected)


def test_the_last_row_may_be_short():
    sheet = images.contact_sheet([picture(2, 2, 0.0)] * 3, columns=2)[0]
    assert sheet.shape == (2 + 4 + 2, 2 + 4 + 2, 3)
    assert np.all(sheet[6:, :2] == 0)
    assert np.all(sheet[6:, 2:] == 1)


def test_no_wider_than_there_are_pictures():
    sheet = images.contact_sheet([picture(2, 3, 0.0)] * 2, columns=5)
    assert sheet.shape == (1, 2, 3 + 4 + 3, 3)


def test_pictures_are_copied():
    original = picture(2, 2, 0.5)
    images.contact_sheet([original], columns=1)[:] = 0
    assert np.all(original == 0.5)


@pytest.mark.parametrize(
    ("count", "columns", "received"),
    [(0, 1, "0 pictures, columns=1"), (2, 0, "2 pictures, columns=0")],
)
def test_nothing_to_show(count, columns, received):
    with pytest.raises(ValueError, match=f"must be >= 1. Received: {received}"):
        images.contact_sheet([picture(2, 2, 0.0)] * count, columns=columns)


def test_captions_are_below_the_pictures_and_change_no_pixel_of_them():
    pictures = [picture(30, 60, 0.25), picture(20, 80, 0.5)]
    plain = images.contact_sheet(pictures, columns=1)[0]
    sheet = images.contact_sheet(pictures, columns=1, captions=["grad_cam 12.3", ""])[0]
    below = images.caption_height(80)
    assert sheet.shape == (plain.shape[0] + 2 * below, 80, 3)
    np.testing.assert_array_equal(sheet[:30, 10:70], 0.25)
    text = sheet[30 : 30 + below]
    assert text.min() < 0.2 < 0.5 < text.mean()  # dark letters on white
    np.testing.assert_array_equal(sheet[-20 - below : -below], 0.5)
    np.testing.assert_array_equal(sheet[-below:], 1.0)


def test_captions_are_cut_to_the_cell():
    """The longest part of a text that fits is shown; the same picture shows it as if it were the whole."""
    shown = images.captioned(picture(4, 60, 0.0), "a" * 500)
    assert shown.shape[1] == 60
    shorter = [images.captioned(picture(4, 60, 0.0), "a" * n + "…") for n in range(1, 20)]
    assert any(np.array_equal(shown, each) for each in shorter)
    assert images.captioned(picture(1, 1, 0.0), "wide").shape == (
        1 + images.caption_height(1),
        1,
        3,
    )


def test_captions_of_another_number():
    with pytest.raises(ValueError, match=r"`captions` must be one for each of 2 .* 1 captions"):
        images.contact_sheet([picture(2, 2, 0.0)] * 2, columns=2, captions=["one"])
