"""Picture files inside a graph, against Pillow's decoder."""

import functools
import io
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from stylezoo import images
from stylezoo.export.servables import gif_files, graph_codecs
from stylezoo.images import codecs


@functools.cache
def decoder(max_pixels=10**6):
    signature = [tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int32)]
    function = functools.partial(graph_codecs.decode, max_pixels=max_pixels)
    return tf.function(function, autograph=False, input_signature=signature)


def decode(data, side=1000):
    image, error = decoder()(data, side)
    assert error.numpy() == b""
    return image.numpy()


def refusal(data, **limits):
    image, error = decoder(**limits)(data, 64)
    assert image.shape == (1, 1, 3)
    return error.numpy().decode()


def encoded(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def photograph():
    return Image.open(images.sample_path("coffee")).convert("RGB").resize((40, 30))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "JPEG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_decodes_as_pillow_does(photograph, kind, mode):
    data = encoded(photograph.convert(mode), kind)
    # Both decode JPEG by the same library and the accurate transform.
    np.testing.assert_array_equal(decode(data), images.decode_image(data)[0])


def test_decodes_the_first_frame(photograph):
    frames = [photograph.quantize(16), photograph.rotate(180).quantize(16)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(data), images.decode_image(data)[0])


@pytest.mark.parametrize("kind", ["RGBA", "LA"])
def test_transparent_parts_are_white(photograph, kind):
    picture = photograph.convert(kind)
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    data = encoded(picture, "PNG")
    np.testing.assert_allclose(decode(data), images.decode_image(data)[0], atol=1e-6)


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(10))
def test_turns_by_exif(photograph, orientation, byte_order):
    exif = Image.Exif()
    exif.endian = byte_order
    exif[0x010F] = "a maker"
    exif[0x0112] = orientation
    data = encoded(photograph, "JPEG", exif=exif)
    assert b"Exif\0\0" in data
    np.testing.assert_array_equal(decode(data), images.decode_image(data)[0])


def test_damaged_exif_is_no_reason_to_refuse(photograph):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = bytearray(encoded(photograph, "JPEG", exif=exif))
    start = data.index(b"Exif\0\0") + 6
    data[start + 4 : start + 8] = b"\xff\xff\xff\xff"  # where its entries are
    assert decode(bytes(data)).shape == (30, 40, 3)


@pytest.fixture(scope="module")
def animation():
    """A GIF file of more than a megabyte: noise does not compress."""
    noise = np.random.default_rng(0).integers(0, 256, (8, 400, 500), np.uint8)
    first, *rest = (Image.fromarray(each) for each in noise)
    data = encoded(first, "GIF", save_all=True, append_images=rest, comment=b"c" * 1000)
    assert len(data) > 2**20
    return data


def test_the_first_frame_of_a_long_animation(animation):
    np.testing.assert_array_equal(decode(animation), images.decode_image(animation)[0])


def test_a_frame_is_all_that_is_unpacked(animation):
    """A file that is damaged after its first frame shows that nothing behind it is looked at."""
    frame = gif_files.first_frame(tf.constant(animation), tf.constant([400, 500], tf.int64)).numpy()
    assert len(animation) / 9 < len(frame) < len(animation) / 7
    np.testing.assert_array_equal(decode(frame[:-1] + b"x" * 1000), decode(animation))


@pytest.mark.parametrize("damage", ["no frame", "half a frame", "a frame larger than the picture"])
def test_bad_animations(damage, animation):
    data = {
        "no frame": animation[:800],
        "half a frame": animation[: len(animation) // 16],
        "a frame larger than the picture": animation[:6] + b"\x10\0\x10\0" + animation[10:],
    }[damage]
    assert "must be a JPEG, PNG, GIF or BMP file that can be decoded" in refusal(data)


def test_a_gif_file_of_very_many_blocks_is_refused_soon(photograph):
    head = encoded(photograph, "GIF")
    start = head.index(b"\x2c")
    began = time.perf_counter()
    refusal(head[:start] + b"\x21\xfe" + b"\x01c" * 5_000_000)
    assert time.perf_counter() - began < 30


@pytest.mark.parametrize("bad", ["truncated JPEG", "truncated PNG", "text", "empty", "head"])
def test_what_can_not_be_decoded_is_named(photograph, bad):
    jpeg, png = encoded(photograph, "JPEG"), encoded(photograph, "PNG")
    data = {
        "truncated JPEG": jpeg[: len(jpeg) // 2],
        "truncated PNG": png[: len(png) // 2],
        "text": b"no picture",
        "empty": b"",
        "head": png[:8],
    }[bad]
    assert "must be a JPEG, PNG, GIF or BMP file that can be decoded" in refusal(data)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "JPEG", "GIF"])
def test_the_size_is_that_of_the_header(photograph, kind):
    data = encoded(photograph, kind)
    assert decoder(max_pixels=40 * 30)(data, 64)[1].numpy() == b""
    message = "`image_bytes` must have at most 1,199 pixels. Received: 40x30"
    assert refusal(data, max_pixels=40 * 30 - 1) == message


def test_what_takes_too_long_is_refused(photograph):
    jpeg = encoded(photograph, "JPEG", progressive=True)
    start = jpeg.index(b"\xff\xda")
    assert "can be decoded" in refusal(jpeg[:start] + jpeg[start:-2] * 101 + jpeg[-2:])


@pytest.mark.parametrize("kind", ["PNG", "BMP", "JPEG"])
@pytest.mark.parametrize("of", [tf.reduce_max, tf.reduce_min])
def test_large_pictures_are_reduced_to_twice_what_is_needed(kind, of):
    picture = images.load_sample("coffee")  # 600x400
    data = encoded(Image.fromarray(codecs.to_uint8(picture)), kind)
    found = graph_codecs.decode(tf.constant(data), tf.constant(45), max_pixels=10**6, of=of)[0]
    height, width = found.shape[:2]
    assert of([height, width]).numpy() == 90
    expected = images.resize(picture, (height, width), method="area").numpy()[0]
    # JPEG's own reduction is of frequencies, and its compression is lossy: a few pixels differ by more.
    error = np.abs(found - expected)
    assert error.mean() < (0.02 if kind == "JPEG" else 0.002)
    assert kind == "JPEG" or error.max() < 0.005


def test_large_transparent_pictures_are_white_to_a_rounding():
    alpha = Image.linear_gradient("L").resize((1100, 1000))
    picture = Image.new("RGB", alpha.size, (200, 10, 90))
    picture.putalpha(alpha)
    data = encoded(picture, "PNG")
    found = graph_codecs.decode(tf.constant(data), tf.constant(1100), max_pixels=10**7)[0]
    np.testing.assert_allclose(found, images.decode_image(data)[0], atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("size", [(30, 40), (50, 20), (64, 64), (200, 3)])
@pytest.mark.parametrize("side", [1, 31, 40, 64, 10_000])
def test_limits_the_longest_side(size, side):
    image = np.random.default_rng(0).uniform(size=(*size, 3)).astype(np.float32)
    limited = graph_codecs.limit(tf.constant(image), tf.constant(side)).numpy()
    if side >= max(size):
        np.testing.assert_array_equal(limited, image)
    else:
        expected = images.resize_longest_side(image[None], side)[0]
        np.testing.assert_array_equal(limited, expected)


def test_encodes_as_images_do():
    image = images.load_sample("coffee")[:, :50, :70]
    data = graph_codecs.encode(tf.constant(image[0])).numpy()
    again = images.encode_image(image, ".jpg")
    np.testing.assert_array_equal(images.decode_image(data), images.decode_image(again))
