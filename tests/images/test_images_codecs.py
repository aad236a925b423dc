"""Files written by Pillow in every mode, hand-made colour profiles, and what is not an image."""

import contextlib
import io
import logging
import os
import pathlib
import struct
import subprocess
import sys
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from stylezoo.images import codecs, files

# Half a step of 8 bits: what a value that was rounded to 8 bits may be off by.
HALF_STEP = 0.5 / 255
# A product or quotient in float32 against float64.
FLOAT32 = 1e-6


def random_pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(picture, image_format, **options):
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


def assert_decodes_to(data, expected, tolerance=FLOAT32):
    decoded = codecs.decode_image(data)
    assert decoded.dtype == np.float32
    assert decoded.shape == (1, *np.shape(expected))
    np.testing.assert_allclose(decoded[0], expected, rtol=0, atol=tolerance)


def as_rgb(grey):
    return np.repeat(np.asarray(grey, np.float64)[..., np.newaxis], 3, axis=-1)


def srgb_encode(linear):
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


# --- reading: formats and modes ---------------------------------------------------------------


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "BMP", "PPM", "WEBP"])
def test_lossless_rgb_is_exact(image_format):
    pixels = random_pixels(5, 7, 3)
    options = {"lossless": True} if image_format == "WEBP" else {}
    data = encoded(Image.fromarray(pixels), image_format, **options)
    assert_decodes_to(data, pixels / 255)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg(mode, progressive):
    ramp = np.linspace(20, 230, 32).astype(np.uint8)
    pixels = np.stack(np.broadcast_arrays(ramp, ramp[:, np.newaxis], 128), axis=-1).astype(np.uint8)
    picture = Image.fromarray(pixels).convert(mode)
    data = encoded(picture, "JPEG", quality=100, subsampling=0, progressive=progressive)
    # Quality 100 quantises in steps of 1, in YCbCr: a few levels.
    assert_decodes_to(data, np.asarray(picture.convert("RGB")) / 255, tolerance=4 / 255)


def test_cmyk_is_ink():
    picture = Image.new("CMYK", (2, 2), (255, 0, 0, 0))
    assert_decodes_to(encoded(picture, "TIFF"), np.broadcast_to([0.0, 1, 1], (2, 2, 3)))


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_one_bit(image_format):
    pixels = random_pixels(5, 11) > 127
    assert_decodes_to(encoded(Image.fromarray(pixels), image_format), as_rgb(pixels))


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "BMP", "GIF"])
def test_palette(image_format):
    picture = Image.fromarray(random_pixels(5, 7, 3)).quantize(16)
    expected = np.asarray(picture.convert("RGB")) / 255
    assert_decodes_to(encoded(picture, image_format), expected)


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "WEBP"])
def test_alpha_is_blended_over_white(image_format):
    pixels = random_pixels(5, 7, 4)
    options = {"lossless": True, "exact": True} if image_format == "WEBP" else {}
    colour, alpha = pixels[..., :3] / 255, pixels[..., 3:] / 255
    data = encoded(Image.fromarray(pixels), image_format, **options)
    assert_decodes_to(data, colour * alpha + (1 - alpha))


def test_grey_with_alpha():
    pixels = random_pixels(5, 7, 2)
    grey, alpha = pixels[..., 0] / 255, pixels[..., 1] / 255
    data = encoded(Image.fromarray(pixels, "LA"), "PNG")
    assert_decodes_to(data, as_rgb(grey * alpha + 1 - alpha))


@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_palette_with_a_transparent_entry(image_format):
    picture = Image.new("P", (2, 1))
    picture.putpalette([200, 100, 50, 10, 20, 30])
    picture.putdata([0, 1])
    expected = [[[200 / 255, 100 / 255, 50 / 255], [1, 1, 1]]]
    assert_decodes_to(encoded(picture, image_format, transparency=1), expected)


def test_palette_with_an_opacity_per_entry():
    picture = Image.new("P", (2, 1))
    picture.putpalette([200, 100, 50, 0, 0, 0])
    picture.putdata([0, 1])
    data = encoded(picture, "PNG", transparency=bytes([255, 51]))
    # 51 / 255 = 0.2 of black over white.
    assert_decodes_to(data, [[[200 / 255, 100 / 255, 50 / 255], [0.8, 0.8, 0.8]]])


@pytest.mark.parametrize(
    ("picture", "key", "expected"),
    [
        (Image.fromarray(np.array([[7, 9]], np.uint8)), 9, [[7 / 255, 1]]),
        (Image.fromarray(np.array([[True, False]])), 0, [[1, 1]]),
        (Image.fromarray(np.array([[700, 900]], np.uint16)), 900, [[700 / 65535, 1]]),
    ],
    ids=["8-bit", "1-bit", "16-bit"],
)
def test_transparent_grey_value(picture, key, expected):
    assert_decodes_to(encoded(picture, "PNG", transparency=key), as_rgb(expected))


def test_transparent_colour_value():
    picture = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    data = encoded(picture, "PNG", transparency=(4, 5, 6))
    assert_decodes_to(data, [[[1 / 255, 2 / 255, 3 / 255], [1, 1, 1]]])


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_keeps_its_precision(image_format):
    values = np.array([[0, 1, 256, 40000, 65535]], np.uint16)
    assert_decodes_to(encoded(Image.fromarray(values), image_format), as_rgb(values / 65535))


def test_16_bit_tiff_whose_white_is_zero():
    values = np.array([[0, 40000, 65535]], np.uint16)
    data = encoded(Image.fromarray(values), "TIFF", tiffinfo={262: 0})
    assert_decodes_to(data, as_rgb(1 - values / 65535))


def test_32_bit_tiff():
    values = np.array([[-5, 0, 2**30, 2**31 - 1]], np.int32)
    data = encoded(Image.fromarray(values), "TIFF")
    assert_decodes_to(data, as_rgb([[0, 0, 2**30 / (2**31 - 1), 1]]))


def test_32_bit_tiff_without_sign():
    values = np.array([[0, 2**30, 2**31, 2**32 - 1]], np.uint32)
    data = encoded(Image.fromarray(values.view(np.int32)), "TIFF")
    # Pillow writes SampleFormat (339, a SHORT, one of them) 2, signed; 1 is unsigned.
    signed, unsigned = (struct.pack("<HHIH", 339, 3, 1, kind) for kind in (2, 1))
    assert data.count(signed) == 1
    assert_decodes_to(data.replace(signed, unsigned), as_rgb(values / (2**32 - 1)))


@pytest.mark.filterwarnings("ignore:::PIL")
def test_libtiff_prints_nothing(capfd):
    """It told standard error of damaged data and of odd tags, beside what Pillow raises."""
    picture = Image.linear_gradient("L").resize((20, 30))
    whole = encoded(picture, "TIFF", compression="tiff_lzw")
    for seed in range(60):
        data = bytearray(whole)
        for place in np.random.default_rng(seed).integers(8, len(data), 4):
            data[place] ^= 0xFF
        with contextlib.suppress(ValueError):
            codecs.decode_image(bytes(data), max_pixels=10_000)
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_float_tiff_is_clipped():
    values = np.array([[-0.5, 0, 0.3, 1, 7, np.nan]], np.float32)
    data = encoded(Image.fromarray(values), "TIFF")
    assert_decodes_to(data, as_rgb([[0, 0, 0.3, 1, 1, 0]]))


def png_chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, bit_depth, colour_type, rows):
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)


def test_16_bit_colour():
    values = np.array([0, 32896, 65535, 65535, 257, 0], ">u2")
    data = png(2, 1, 16, 2, b"\0" + values.tobytes())
    # Pillow keeps the upper 8 bits of each value.
    assert_decodes_to(data, values.reshape(1, 2, 3) / 65535, tolerance=1 / 255)
    np.testing.assert_allclose(codecs.decode_image(data)[0, 0, 0], [0, 128 / 255, 1], atol=FLOAT32)


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert_decodes_to(data, np.broadcast_to([1.0, 0, 0], (4, 4, 3)))


# --- reading: orientation ---------------------------------------------------------------------

# What a viewer has to do with the stored pixels: the table of the EXIF standard.
UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation(orientation, image_format):
    pixels = random_pixels(2, 3, 3)
    exif = Image.Exif()
    exif[274] = orientation
    data = encoded(Image.fromarray(pixels), image_format, exif=exif)
    assert_decodes_to(data, UPRIGHT[orientation](pixels) / 255)


def test_broken_exif_is_ignored():
    pixels = random_pixels(8, 8, 3)
    data = encoded(Image.fromarray(pixels), "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff12")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own about the broken data
        assert codecs.decode_image(data).shape == (1, 8, 8, 3)


# --- reading: colour profiles -----------------------------------------------------------------

# sRGB and Display P3 primaries, adapted to D50 as ICC profiles want them: columns are R, G, B.
SRGB_D50 = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
P3_D50 = np.array(
    [
        [0.5151187, 0.2919778, 0.1571035],
        [0.2411892, 0.6922441, 0.0665668],
        [-0.0010505, 0.0418791, 0.7840713],
    ]
)
D50 = (0.9642, 1.0, 0.8249)


def icc_xyz(values):
    fixed = [round(value * 65536) for value in values]
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *fixed)


def icc_gamma(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def icc_profile(space, tags, *, device=b"mntr", connection=b"XYZ "):
    """An ICC version 2 profile (ICC.1:2001-04): a header, a table of tags, the tags."""
    tags = {"wtpt": icc_xyz(D50), **tags}
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        offset = 128 + 4 + 12 * len(tags) + len(body)
        table += name.encode() + struct.pack(">II", offset, len(content))
        body += content + b"\0" * (-len(content) % 4)
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"test", 0x02100000, device, space, connection)
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + icc_xyz(D50)[8:]
    return header.ljust(128, b"\0") + table + body


def matrix_profile(columns, gamma):
    names = ("rXYZ", "gXYZ", "bXYZ")
    tags = dict(zip(names, map(icc_xyz, columns.T), strict=True))
    return icc_profile(b"RGB ", tags | dict.fromkeys(("rTRC", "gTRC", "bTRC"), icc_gamma(gamma)))


def grey_profile(gamma):
    return icc_profile(b"GRAY", {"kTRC": icc_gamma(gamma)})


def cyan_only_cmyk_profile():
    """Only the cyan ink darkens: L* falls from 100 to 0 with it; the other inks do nothing."""
    lightness = [255 if not corner & 8 else 0 for corner in range(16)]  # cyan varies slowest
    grid = b"".join(bytes([value, 128, 128]) for value in lightness)
    identity = struct.pack(">9i", *[65536 if index % 4 == 0 else 0 for index in range(9)])
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + grid + ramp * 3
    return icc_profile(b"CMYK", {"A2B0": table}, device=b"prtr", connection=b"Lab ")


# LittleCMS computes matrix profiles for 8 bits in fixed point and rounds: a step, and a half.
ICC_TOLERANCE = 1.5 / 255


def test_profile_with_swapped_primaries_swaps_channels():
    pixels = random_pixels(6, 6, 3)
    profile = matrix_profile(SRGB_D50[:, [1, 0, 2]], 1.0)
    data = encoded(Image.fromarray(pixels), "PNG", icc_profile=profile)
    expected = srgb_encode(pixels[..., [1, 0, 2]] / 255)
    # Linear values near black are far apart in sRGB, and their fixed-point errors with them.
    bright = pixels.min(axis=-1) > 40
    decoded = codecs.decode_image(data)[0]
    np.testing.assert_allclose(decoded[bright], expected[bright], rtol=0, atol=ICC_TOLERANCE)
    assert bright.sum() > 10


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_display_p3_like_profile(mode):
    picture = Image.fromarray(random_pixels(6, 6, 3) // 4 + 96)  # muted: inside sRGB
    if mode == "P":
        picture = picture.quantize(8)
    pixels = np.asarray(picture.convert("RGB")) / 255
    linear = pixels**2.2 @ P3_D50.T @ np.linalg.inv(SRGB_D50).T
    expected = srgb_encode(np.clip(linear, 0, 1))
    data = encoded(
        picture if mode == "P" else picture.convert(mode),
        "PNG",
        icc_profile=matrix_profile(P3_D50, 2.2),
    )
    assert np.abs(expected - pixels).max() > 5 * ICC_TOLERANCE  # or nothing would be shown
    assert_decodes_to(data, expected, tolerance=ICC_TOLERANCE)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_profile(mode):
    values = np.arange(40, 256, 5, dtype=np.uint8)[np.newaxis]
    picture = Image.fromarray(values.astype(np.uint16) * 257 if mode == "I;16" else values)
    if mode == "LA":
        picture = picture.convert("LA")
    data = encoded(picture, "PNG", icc_profile=grey_profile(1.0))
    assert_decodes_to(data, as_rgb(srgb_encode(values / 255)), tolerance=ICC_TOLERANCE)


@pytest.mark.parametrize("image_format", ["TIFF", "JPEG"])
def test_cmyk_profile(image_format):
    cyan = np.arange(0, 256, 15, dtype=np.uint8)
    pixels = np.zeros((16, 18 * 16, 4), np.uint8)
    pixels[..., 0] = np.repeat(cyan, 16)  # blocks, which JPEG keeps
    pixels[..., 1] = 77
    picture = Image.fromarray(pixels, "CMYK")
    options = {"quality": 100, "subsampling": 0} if image_format == "JPEG" else {}
    data = encoded(picture, image_format, icc_profile=cyan_only_cmyk_profile(), **options)
    lightness = 100 * (1 - np.repeat(cyan, 16) / 255)
    root = (lightness + 16) / 116
    luminance = np.where(lightness > 8, root**3, lightness / 903.3)
    expected = np.broadcast_to(as_rgb(srgb_encode(luminance)), (16, 18 * 16, 3))
    # L* in 8 bits has steps of 0.39, up to 1.6 of sRGB's; and JPEG is off by one of its own.
    assert_decodes_to(data, expected, tolerance=3 / 255)


def test_srgb_profile_changes_nothing():
    pixels = random_pixels(6, 6, 3)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.fromarray(pixels), "PNG", icc_profile=profile)
    assert_decodes_to(data, pixels / 255, tolerance=1 / 255 + FLOAT32)  # a rounding there and back


@pytest.mark.parametrize(
    "profile",
    [b"nonsense", matrix_profile(P3_D50, 2.2)[:200], grey_profile(1.0), cyan_only_cmyk_profile()],
    ids=["nonsense", "truncated", "grey", "cmyk"],
)
def test_profile_that_does_not_fit_is_ignored_and_logged(profile, tmp_path, caplog):
    pixels = random_pixels(6, 6, 3)
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(Image.fromarray(pixels), "PNG", icc_profile=profile))
    with caplog.at_level(logging.WARNING):
        decoded = codecs.read_image(path)
    np.testing.assert_allclose(decoded[0], pixels / 255, rtol=0, atol=FLOAT32)
    assert str(path) in caplog.text
    assert "profile is ignored" in caplog.text


def test_lab_tiff():
    picture = Image.new("LAB", (2, 2), (128, 128, 128))
    # L* = 50.2, neutral: sRGB 0.468; LittleCMS rounds to 8 bits.
    data = encoded(picture, "TIFF")
    assert_decodes_to(data, np.full((2, 2, 3), 0.468), tolerance=ICC_TOLERANCE)


# --- reading: what is not an image ------------------------------------------------------------


def assert_one_line(error, *parts):
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        codecs.read_image(tmp_path / "none.jpg")
    assert_one_line(error, f"`{tmp_path / 'none.jpg'}` does not exist")


def test_folder(tmp_path):
    with pytest.raises(IsADirectoryError) as error:
        codecs.read_image(tmp_path)
    assert_one_line(error, f"`{tmp_path}` is a folder")


VALID = {
    image_format: encoded(Image.fromarray(random_pixels(64, 64, 3)), image_format)
    for image_format in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM")
}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Dear reader,\nthis is no picture.\n",
        b"BM and then text that is no bitmap",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        VALID["PNG"][:20],
        VALID["PNG"][:40] + b"\xff" * 200 + VALID["PNG"][240:],
        *(data[: len(data) // 2] for data in VALID.values()),
    ],
    ids=["empty", "text", "bm", "eps", "header", "damaged", *(f"half-{name}" for name in VALID)],
)
def test_undecodable(data, tmp_path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"is not an image that can be decoded: .") as error:
        codecs.read_image(path)
    assert_one_line(error, f"`{path}`")


@pytest.mark.parametrize("image_format", VALID)
@pytest.mark.filterwarnings("ignore")  # Pillow warns of some of the damage
def test_damaged_files_give_a_picture_or_the_one_error(image_format):
    random = np.random.default_rng(0)
    for _ in range(40):
        data = bytearray(VALID[image_format])
        for position in random.integers(0, min(len(data), 300), 4):
            data[position] = random.integers(256)
        try:
            decoded = codecs.decode_image(bytes(data), max_pixels=100_000)
        except ValueError as error:
            assert str(error).startswith("`data`")  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert decoded.min() >= 0
            assert decoded.max() <= 1


# --- reading: too many pixels -----------------------------------------------------------------


def huge_webp(width, height):
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunk = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        # Decoded, it would be 11 gigabytes: only the header may have been read.
        (png(60_000, 60_000, 8, 2, b""), ["60000x60000 = 3600000000 pixels"]),
        (png(10_001, 5_000, 8, 2, b""), ["10001x5000 = 50005000 pixels"]),
    ],
    ids=["bomb", "just-above"],
)
def test_decompression_bomb(data, parts):
    with pytest.raises(ValueError, match="above the limit") as error:
        codecs.decode_image(data)
    assert_one_line(error, "`data`", "50000000", "`max_pixels`", *parts)


def test_a_webp_decoder_is_not_given_a_bomb():
    """It allocates when it is opened. Pillow refuses that by itself, before 13 without a reason."""
    with pytest.raises(ValueError, match=r"too many pixels, above the limit|decoder object"):
        codecs.decode_image(huge_webp(50_000, 50_000))


def test_max_pixels_is_inclusive():
    data = VALID["PNG"]
    assert codecs.decode_image(data, max_pixels=64 * 64).shape == (1, 64, 64, 3)
    with pytest.raises(ValueError, match="64x64 = 4096 pixels, above the limit of 4095"):
        codecs.decode_image(data, max_pixels=64 * 64 - 1)


def test_max_pixels_must_be_positive():
    with pytest.raises(ValueError, match=r"`max_pixels` must be >= 1\. Received: max_pixels=0"):
        codecs.decode_image(VALID["PNG"], max_pixels=0)


@pytest.mark.parametrize("image_format", VALID)
def test_pillows_own_limit_is_not_in_the_way(image_format, monkeypatch):
    # 64 * 64 pixels are far above it: Pillow would refuse all of these.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(VALID[image_format]))
    decoded = []
    threads = [
        threading.Thread(target=lambda: decoded.append(codecs.decode_image(VALID[image_format])))
        for _ in range(8)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [image.shape for image in decoded] == [(1, 64, 64, 3)] * 8
    assert Image.MAX_IMAGE_PIXELS == 100


def test_pillows_own_limit_is_restored_after_an_error(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ValueError, match="can be decoded"):
        codecs.decode_image(VALID["JPEG"][:1500])
    assert Image.MAX_IMAGE_PIXELS == 100


# --- masks ------------------------------------------------------------------------------------


def test_mask_is_luma(tmp_path):
    pixels = random_pixels(5, 7, 3)
    path = tmp_path / "mask.png"
    Image.fromarray(pixels).save(path)
    mask = codecs.read_mask(path)
    assert mask.shape == (1, 5, 7, 1)
    assert mask.dtype == np.float32
    expected = pixels / 255 @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(mask[0, ..., 0], expected, rtol=0, atol=FLOAT32)


def test_grey_mask_is_exact(tmp_path):
    values = np.arange(256, dtype=np.uint8)[np.newaxis]
    path = tmp_path / "mask.png"
    Image.fromarray(values).save(path)
    expected = values.astype(np.float32) / 255
    np.testing.assert_array_equal(codecs.read_mask(path)[0, ..., 0], expected)


# --- writing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", [".png", ".bmp", ".tif", ".tiff", ".PNG"])
@pytest.mark.parametrize("shape", [(1, 5, 7, 3), (5, 7, 3), (1, 5, 7, 1), (5, 7, 1)])
def test_lossless_formats_round_to_8_bits(shape, extension, tmp_path):
    image = np.random.default_rng(0).uniform(-0.2, 1.2, shape).astype(np.float32)
    path = tmp_path / f"picture{extension}"
    codecs.write_image(path, image)
    expected = np.broadcast_to(np.clip(image, 0, 1).reshape(5, 7, shape[-1]), (5, 7, 3))
    decoded = codecs.read_image(path)[0]
    np.testing.assert_allclose(decoded, expected, rtol=0, atol=HALF_STEP + FLOAT32)
    stored = Image.open(path)
    assert stored.mode == ("RGB" if shape[-1] == 3 else "L")


@pytest.mark.parametrize("extension", [".jpg", ".jpeg", ".webp"])
def test_lossy_formats_are_close(extension):
    ramp = np.linspace(0.1, 0.9, 32, dtype=np.float32)
    image = np.stack(np.broadcast_arrays(ramp, ramp[:, np.newaxis], np.float32(0.5)), axis=-1)
    decoded = codecs.decode_image(codecs.encode_image(image, extension))[0]
    # A smooth picture at quality 95: a few levels (more for WebP, which halves the colour
    # resolution), never a wrong channel or range.
    np.testing.assert_allclose(decoded, image, rtol=0, atol=12 / 255)


def test_jpeg_keeps_full_colour_resolution():
    image = np.zeros((16, 16, 3), np.float32)
    image[:, ::2, 0] = 1  # red lines one pixel wide, which 4:2:0 would blend with the black ones
    data = codecs.encode_image(image, ".jpg", quality=95)
    layers = Image.open(io.BytesIO(data)).layer
    assert [layer[1:3] for layer in layers] == [(1, 1)] * 3
    np.testing.assert_allclose(codecs.decode_image(data)[0], image, rtol=0, atol=0.1)


def test_quality_changes_the_size():
    image = random_pixels(64, 64, 3).astype(np.float32) / 255
    sizes = [len(codecs.encode_image(image, ".jpg", quality=quality)) for quality in (1, 50, 100)]
    assert sizes == sorted(sizes)
    assert sizes[2] > 3 * sizes[0]


def test_a_tensor_is_as_good_as_an_array():
    tf = pytest.importorskip("tensorflow")
    image = random_pixels(4, 4, 3).astype(np.float32) / 255
    from_tensor = codecs.encode_image(tf.constant(image), ".png")
    assert from_tensor == codecs.encode_image(image, ".png")


IMAGE = np.full((4, 4, 3), 0.5, np.float32)
NAN_IMAGE = np.where(np.arange(4)[:, np.newaxis, np.newaxis] == 2, np.nan, IMAGE)


@pytest.mark.parametrize(
    ("image", "match"),
    [
        (NAN_IMAGE, "`image` must be finite"),
        (IMAGE * np.inf, "`image` must be finite"),
        ((IMAGE * 255).astype(np.uint8), "`image` must be float32.*dtype=uint8"),
        (np.zeros((2, 4, 4, 3), np.float32), r"one image.*shape=\(2, 4, 4, 3\)"),
        (np.zeros((4, 4), np.float32), r"one image.*shape=\(4, 4\)"),
        (np.zeros((4, 4, 4), np.float32), r"1 or 3 channels.*shape=\(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.float32), r"one image.*shape=\(0, 4, 3\)"),
    ],
)
def test_bad_images_are_refused(image, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        codecs.write_image(tmp_path / "picture.png", image)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_quality_out_of_range(quality):
    with pytest.raises(ValueError, match=f"`quality` must be 1 to 100. Received: .*{quality}"):
        codecs.encode_image(IMAGE, ".jpg", quality=quality)


def test_unknown_extension(tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of \.bmp \.jpeg .*\.webp"):
        codecs.write_image(tmp_path / "picture.heic", IMAGE)
    with pytest.raises(ValueError, match=r"`extension` must be one of .*Received: 'png'"):
        codecs.encode_image(IMAGE, "png")


def test_too_large_for_the_format():
    with pytest.raises(ValueError, match="1x16384 cannot be written as WEBP") as error:
        codecs.encode_image(np.zeros((16384, 1, 3), np.float32), ".webp")
    assert_one_line(error)


def test_existing_file_is_kept_unless_overwritten(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="`overwrite=True`"):
        codecs.write_image(path, IMAGE)
    assert path.read_bytes() == b"precious"
    codecs.write_image(path, IMAGE, overwrite=True)
    assert codecs.read_image(path).shape == (1, 4, 4, 3)
    assert list(tmp_path.iterdir()) == [path]


def test_failure_while_encoding_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    path.write_bytes(b"precious")

    def fail(self, buffer, *args, **options):
        buffer.write(b"half of")
        raise OSError("disk on\nfire")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(ValueError, match="disk on fire"):
        codecs.write_image(path, IMAGE, overwrite=True)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


# --- output paths -----------------------------------------------------------------------------


def test_output_path_that_is_fine(tmp_path):
    path = tmp_path / "picture.JPG"
    assert codecs.check_output_path(str(path), overwrite=False) == path
    assert list(tmp_path.iterdir()) == []


def test_output_path_of_another_kind(tmp_path):
    path = tmp_path / "report.json"
    assert codecs.check_output_path(path, overwrite=False, extensions=[".json"]) == path
    with pytest.raises(ValueError, match=r"picture\.png` must end in one of \.json"):
        codecs.check_output_path(tmp_path / "picture.png", overwrite=False, extensions=[".json"])


def test_output_path_that_is_not(tmp_path):
    existing = tmp_path / "existing.png"
    existing.write_bytes(b"precious")
    (tmp_path / "folder.png").mkdir()
    for name, kind, match in (
        ("picture", ValueError, "must end in one of"),
        ("none/picture.png", FileNotFoundError, "none` does not exist"),
        ("existing.png/picture.png", NotADirectoryError, "existing.png` is not a folder"),
        ("existing.png/deeper/picture.png", NotADirectoryError, "deeper` is not a folder"),
        ("folder.png", IsADirectoryError, "folder.png` is a folder"),
        ("existing.png", FileExistsError, "already exists.*`overwrite=True`"),
    ):
        with pytest.raises(kind, match=match):
            codecs.check_output_path(tmp_path / name, overwrite=False)
    assert codecs.check_output_path(existing, overwrite=True) == existing
    assert existing.read_bytes() == b"precious"


def test_output_folder_where_nothing_can_be_created(tmp_path, monkeypatch):
    # Modes say nothing to root, which tests may run as: the system call itself has to fail.
    def refuse(path):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(files, "_create_temporary", refuse)
    with pytest.raises(OSError, match=r"picture\.png` cannot be written: .*Read-only file system"):
        codecs.check_output_path(tmp_path / "picture.png", overwrite=False)


@pytest.mark.skipif(not pathlib.Path("/proc/self").is_dir(), reason="needs Linux's /proc")
def test_output_folder_that_really_refuses():
    with pytest.raises(OSError, match="no file can be created in its folder"):
        codecs.check_output_path("/proc/self/picture.png", overwrite=False)


def test_files_need_no_tensorflow():
    script = (
        "import sys, numpy, stylezoo.images as images\n"
        "data = images.encode_image(numpy.zeros((2, 2, 3), numpy.float32), '.png')\n"
        "assert images.decode_image(data).shape == (1, 2, 2, 3)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    root = pathlib.Path(codecs.__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=root
    )
    assert result.returncode == 0, result.stderr
