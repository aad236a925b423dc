"""Reading and writing of picture files as ``float32`` arrays. Needs Pillow and NumPy, not TensorFlow."""

import contextlib
import io
import logging
import os
import pathlib
import threading
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageFile, ImageOps

from stylezoo import errors, reading
from stylezoo.images import files
from stylezoo.images.arrays import FloatArray
from stylezoo.images.grey import luma

DEFAULT_MAX_PIXELS = 50_000_000
"""Pictures of more pixels are refused by default, since they may be decompression bombs.

Reading takes 16 to 20 bytes a pixel: these, the largest photographs of telephones, take less than 1
GB.
"""

DEFAULT_QUALITY = 95
"""Default quality of JPEG and WebP files, 1 to 100."""

# These are the formats that people have. Pillow knows more, PostScript among them, which it hands to
# Ghostscript. AVIF is there when Pillow was built with it.
_READABLE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")

# GIF is not among them, because a palette of 256 colours ruins what this project makes.
_WRITABLE_FORMATS = {
    ".bmp": "BMP",
    ".jpeg": "JPEG",
    ".jpg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
IMAGE_EXTENSIONS = tuple(_WRITABLE_FORMATS)
"""The extensions of pictures that can be written."""

_DEEP_GREY_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
_GREY_MODES = ("1", "L", *_DEEP_GREY_MODES)

_ICC_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}

_ROWS = 256
_BLOCK = 1024

_TIFF_BITS_PER_SAMPLE = 258
_TIFF_PHOTOMETRIC = 262
_TIFF_SAMPLE_FORMAT = 339

_logger = logging.getLogger(__name__)


def read_image(path: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> FloatArray:
    """Read a picture file: JPEG, PNG, WebP, GIF, TIFF, BMP, PPM or AVIF, of any kind.

    The picture is turned the way its EXIF orientation says and converted to sRGB from its ICC
    profile (RGB, grey or CMYK; a profile that is broken or is for other channels is ignored,
    with a logged warning). Transparent parts show white, blended in sRGB as browsers do. Of an
    animation the first frame is read. 16-bit grey keeps its precision; Pillow reads 16-bit
    colour as 8-bit. Integers are scaled by the range of their file format, floats are clipped.

    Args:
        path: The file. Its content, not its extension, decides the format.
        max_pixels: The largest number of pixels to accept, checked from the header before any
            pixel is decoded (a file of kilobytes can hold gigapixels). Pillow's own limit does
            not apply.

    Returns:
        A ``float32`` array ``[1, height, width, 3]``, RGB, sRGB, in ``[0, 1]``.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If ``path`` is a folder.
        ValueError: If the file can't be decoded, is truncated, or has too many pixels. The
            message is one line and names ``path``.
    """
    with reading.open_regular(path) as file, errors.renamed(data=os.fspath(path)):
        pixels, problem = _decode(file, max_pixels)
    if problem:
        _logger.warning("`%s`: its colour profile is ignored: %s", os.fspath(path), problem)
    return pixels


def decode_image(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> FloatArray:
    """Decode a picture file's content in memory as :func:`read_image` does.

    Args:
        data: The content of a picture file.
        max_pixels: As for :func:`read_image`.

    Returns:
        A ``float32`` array ``[1, height, width, 3]``, RGB, sRGB, in ``[0, 1]``.

    Raises:
        ValueError: As for :func:`read_image`.
    """
    pixels, problem = _decode(io.BytesIO(data), max_pixels)
    if problem:
        _logger.warning("the colour profile of a picture in memory is ignored: %s", problem)
    return pixels


def _decode(data: BinaryIO, max_pixels: int) -> tuple[FloatArray, str]:
    """Return the picture, and why its colour profile is ignored or an empty string."""
    if max_pixels < 1:
        raise ValueError(f"`max_pixels` must be >= 1. Received: max_pixels={max_pixels}")
    with _undecodable():
        try:
            # While it opens a file, Pillow refuses only above twice its limit.
            with _PILLOW_LIMIT.lifted_for(max_pixels // 2):
                image = _open(data)
        except Image.DecompressionBombError:
            # Here the limit was not lifted: the picture is beyond `max_pixels` as well.
            image = None
    if image is None:
        raise _too_many_pixels("too many", max_pixels)
    with image:
        num_pixels = image.width * image.height
        if num_pixels > max_pixels:
            raise _too_many_pixels(f"{image.width}x{image.height} = {num_pixels}", max_pixels)
        silence = _LIBTIFF.silenced() if image.format == "TIFF" else contextlib.nullcontext()
        with _undecodable(), _PILLOW_LIMIT.lifted_for(num_pixels), silence:
            image.load()
            tags = getattr(image, "tag_v2", {})
            upright = _upright(image)
    del image  # its decoder may hold as much memory as the picture
    with _undecodable(), _PILLOW_LIMIT.lifted_for(num_pixels):
        pixels, problem = _srgb_pixels(upright, tags)
    return pixels[np.newaxis], problem


def read_mask(path: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> FloatArray:
    """Read a picture file as a mask: its luma, 0 for black to 1 for white.

    Args:
        path: The file, of any kind that :func:`read_image` takes. Transparent parts are white.
        max_pixels: As for :func:`read_image`.

    Returns:
        A ``float32`` array ``[1, height, width, 1]`` in ``[0, 1]``: Y' of ITU-R BT.601, which is Y of
        YIQ.

    Raises:
        FileNotFoundError, IsADirectoryError, ValueError: As for :func:`read_image`.
    """
    return luma(read_image(path, max_pixels=max_pixels))


def write_image(
    path: str | os.PathLike[str],
    image: npt.ArrayLike,
    *,
    quality: int = DEFAULT_QUALITY,
    overwrite: bool = False,
) -> None:
    """Write a picture file, whole or not at all.

    Args:
        path: The file; its extension (one of :data:`IMAGE_EXTENSIONS`) is its format. JPEG keeps the
            full colour resolution (4:4:4); WebP, lossy too, can only halve it (4:2:0); the others
            are lossless.
        image: A float array or tensor ``[height, width, channels]`` or `[1, height, width,
            channels]`` with 3 channels (RGB, sRGB) or 1 (grey). Values are clipped to ``[0, 1]`
            and rounded to 8 bits.
        quality: Quality of JPEG and WebP, 1 to 100.
        overwrite: Whether a file that is there already may be replaced.

    Raises:
        ValueError: If the extension is unknown, ``image`` has another shape or type, is empty, has
            values that are not finite, or does not fit the format; if ``quality`` is out of range.
        OSError: If the file can't be written: FileExistsError, FileNotFoundError (no such
            folder), IsADirectoryError, PermissionError, ...
    """
    path = _check_extension(path, IMAGE_EXTENSIONS)
    files.check_target(path, overwrite=overwrite)
    data = encode_image(image, path.suffix, quality=quality)
    with files.atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)


def encode_image(image: npt.ArrayLike, extension: str, *, quality: int = DEFAULT_QUALITY) -> bytes:
    """Return the content of the picture file that :func:`write_image` writes.

    Args:
        image: As for :func:`write_image`.
        extension: One of :data:`IMAGE_EXTENSIONS`, in upper or lower case.
        quality: As for :func:`write_image`.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: As for :func:`write_image`.
    """
    image_format = _WRITABLE_FORMATS.get(extension.lower())
    if image_format is None:
        raise ValueError(
            f"`extension` must be one of {' '.join(IMAGE_EXTENSIONS)}. Received: {extension!r}"
        )
    if not 1 <= quality <= 100:
        raise ValueError(f"`quality` must be 1 to 100. Received: quality={quality}")
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": quality, "subsampling": "4:4:4"},
        "TIFF": {"compression": "tiff_adobe_deflate"},
        "WEBP": {"quality": quality},
    }
    pixels = to_uint8(image)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    buffer = io.BytesIO()
    try:
        picture.save(buffer, image_format, **options.get(image_format, {}))
    except Exception as error:
        raise ValueError(
            f"`image` of {picture.width}x{picture.height} cannot be written as {image_format}: "
            f"{errors.one_line(error)}"
        ) from error
    return buffer.getvalue()


def check_output_path(
    path: str | os.PathLike[str],
    *,
    overwrite: bool,
    extensions: Collection[str] = IMAGE_EXTENSIONS,
) -> pathlib.Path:
    """Check, before hours of work, that a result can be written to ``path`` after them.

    Args:
        path: The file to be written: a picture or, with ``extensions``, anything else.
        overwrite: Whether a file that is there already may be replaced.
        extensions: The extensions ``path`` may have, in lower case, with their dots.

    Returns:
        ``path`` as a ``pathlib.Path``.

    Raises:
        ValueError: If the extension is none of ``extensions``.
        FileNotFoundError, NotADirectoryError: If the folder does not exist, or is a file.
        IsADirectoryError: If ``path`` is a folder.
        FileExistsError: If there is a file and ``overwrite`` is false.
        PermissionError: Or another OSError, if no file can be created in the folder.
    """
    return files.check_writable(_check_extension(path, extensions), overwrite=overwrite)


def _check_extension(path: str | os.PathLike[str], extensions: Collection[str]) -> pathlib.Path:
    path = pathlib.Path(path)
    if path.suffix.lower() not in extensions:
        raise ValueError(f"`{path}` must end in one of {' '.join(sorted(extensions))}.")
    return path


class _PillowLimit:
    """Pillow's pixel limit, a global of all threads, which is lifted while a decode here needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._num_users = 0
        self._limit: int | None = None

    @contextlib.contextmanager
    def lifted_for(self, num_pixels: int) -> Iterator[None]:
        """Lift the limit, unless it allows ``num_pixels`` anyway, as nearly always."""
        with self._lock:
            limit = self._limit if self._num_users else Image.MAX_IMAGE_PIXELS
            needed = limit is not None and num_pixels > limit
            if needed:
                self._num_users += 1
                self._limit, Image.MAX_IMAGE_PIXELS = limit, None
        try:
            yield
        finally:
            if needed:
                with self._lock:
                    self._num_users -= 1
                    if not self._num_users:
                        Image.MAX_IMAGE_PIXELS = self._limit


_PILLOW_LIMIT = _PillowLimit()


class _Libtiff:
    """The library, which prints what is wrong with a file to the process's standard error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._num_users = 0
        self._stderr: int | None = None

    @contextlib.contextmanager
    def silenced(self) -> Iterator[None]:
        """Discard what is written to standard error while any thread decodes; Pillow raises the error too."""
        with self._lock:
            if not self._num_users:
                self._redirect()
            self._num_users += 1
        try:
            yield
        finally:
            with self._lock:
                self._num_users -= 1
                if not self._num_users and self._stderr is not None:
                    os.dup2(self._stderr, 2)
                    os.close(self._stderr)
                    self._stderr = None

    def _redirect(self) -> None:
        with contextlib.suppress(OSError):  # the process may have no standard error
            self._stderr = os.dup(2)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)
            os.close(null)


_LIBTIFF = _Libtiff()


def _open(data: BinaryIO) -> ImageFile.ImageFile:
    """Open as PIL.Image.open does, without its pixel check, which warns through global state."""
    start = data.read(16)
    data.seek(0)
    if not start:
        raise ValueError("it is empty")
    Image.init()
    for name in _READABLE_FORMATS:
        factory, accept = Image.OPEN.get(name, (None, None))
        verdict = factory is not None and (accept is None or accept(start))
        if isinstance(verdict, str):  # the format, but Pillow was built without its library
            raise ValueError(verdict)
        if factory is not None and verdict:
            return factory(data, "")
    raise ValueError(f"it is none of {', '.join(_READABLE_FORMATS)}")


@contextlib.contextmanager
def _undecodable() -> Iterator[None]:
    """Turn whatever Pillow raises for corrupt data into one kind of error."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            f"`data` is not an image that can be decoded: {errors.one_line(error)}"
        ) from error


def _too_many_pixels(pixels: str, max_pixels: int) -> ValueError:
    return ValueError(
        f"`data` has {pixels} pixels, above the limit of {max_pixels}. "
        "If that is right, raise `max_pixels`."
    )


class _ProfileError(Exception):
    """A colour profile is broken, or it is for other channels than the picture has."""


def _upright(image: ImageFile.ImageFile) -> Image.Image:
    """Return a copy of a loaded image, turned as its EXIF orientation says."""
    # Broken EXIF data is no reason to refuse a picture that decodes.
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image.copy()


def _srgb_pixels(image: Image.Image, tags: Mapping[int, Any]) -> tuple[FloatArray, str]:
    """Return an image as ``[height, width, 3]`` in sRGB, over white.

    The second result tells why its colour profile is ignored; it is empty if it is not.
    """
    try:
        return _converted_pixels(image, tags, _embedded_profile(image)), ""
    except _ProfileError as error:
        return _converted_pixels(image, tags, None), str(error)


def _converted_pixels(
    image: Image.Image, tags: Mapping[int, Any], profile: ImageCms.ImageCmsProfile | None
) -> FloatArray:
    # A block at a time, because copies of a large picture in other modes take more than itself.
    pixels = np.empty((image.height, image.width, 3), np.float32)
    for top in range(0, image.height, _BLOCK):
        for left in range(0, image.width, _BLOCK):
            bottom, right = min(top + _BLOCK, image.height), min(left + _BLOCK, image.width)
            block = image.crop((left, top, right, bottom))
            pixels[top:bottom, left:right] = _converted_block(block, tags, profile)
    return pixels


def _converted_block(
    block: Image.Image, tags: Mapping[int, Any], profile: ImageCms.ImageCmsProfile | None
) -> FloatArray:
    colour, alpha = _split_alpha(block)
    if colour.mode in _GREY_MODES:
        pixels = _grey_to_rgb(_grey_values(colour, tags), profile)
    else:
        pixels = _unit(_colour_to_rgb(colour, profile))
    return pixels if alpha is None else pixels * alpha + (1 - alpha)


def _split_alpha(image: Image.Image) -> tuple[Image.Image, FloatArray | None]:
    """Return the image without transparency, and its opacity ``[height, width, 1]`` if it has any."""
    if image.mode in _DEEP_GREY_MODES:
        transparent = image.info.get("transparency")
        if transparent is None:
            return image, None
        return image, (np.asarray(image) != transparent).astype(np.float32)[..., np.newaxis]
    if not image.has_transparency_data:
        return image, None
    grey = image.mode in ("1", "L", "LA", "La")
    if image.mode == "La":  # Pillow converts premultiplied grey to this one only
        image = image.convert("LA")
    rgba = image.convert("RGBA")
    return rgba.convert("L" if grey else "RGB"), _unit(rgba.getchannel("A"))[..., np.newaxis]


def _unit(image: Image.Image) -> FloatArray:
    return np.divide(np.asarray(image), 255, dtype=np.float32)


def _grey_values(image: Image.Image, tags: Mapping[int, Any]) -> FloatArray:
    """Return a grey image as ``[height, width]`` in ``[0, 1]``; a TIFF's tags tell the range."""
    if image.mode in ("1", "L"):
        return _unit(image.convert("L"))
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image, np.float32), nan=0, posinf=1, neginf=0)
        return np.clip(values, 0, 1)
    return _integer_values(image, tags)


def _integer_values(image: Image.Image, tags: Mapping[int, Any]) -> FloatArray:
    """Return grey values of more than 8 bits: 16, except in TIFF, whose tags tell the number."""
    values = np.asarray(image)
    bits = tags.get(_TIFF_BITS_PER_SAMPLE, (16,))[0]
    signed = tags.get(_TIFF_SAMPLE_FORMAT, (1,))[0] == 2
    if bits == 32 and not signed:
        values = values.view(np.uint32)  # Pillow's mode I is signed
    scaled = np.clip(values / (2.0 ** (bits - signed) - 1), 0, 1).astype(np.float32)
    return 1 - scaled if tags.get(_TIFF_PHOTOMETRIC) == 0 else scaled  # 0: white is zero


def _grey_to_rgb(values: FloatArray, profile: ImageCms.ImageCmsProfile | None) -> FloatArray:
    """Return grey as ``[height, width, 3]``; a profile acts by its 8-bit curve, whatever the depth."""
    if profile is not None:
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[np.newaxis])
        curve = _unit(_colour_to_rgb(ramp, profile))[0, :, 1]
        values = np.interp(values, np.linspace(0, 1, 256), curve).astype(np.float32)
    return np.repeat(values[..., np.newaxis], 3, axis=-1)


def _colour_to_rgb(image: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    if image.mode not in _ICC_SPACES:
        image = image.convert("RGB")
    if profile is None:
        return image.convert("RGB")
    try:
        return _to_srgb(image, profile)
    except (ImageCms.PyCMSError, ValueError) as error:
        raise _ProfileError(errors.one_line(error)) from error


def _to_srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    space = profile.profile.xcolor_space.strip()
    if space != _ICC_SPACES[image.mode]:
        raise ValueError(f"it is for {space}, the image is {image.mode}")
    converted = ImageCms.profileToProfile(
        image,
        profile,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None  # only in-place conversions return None
    return converted


def _embedded_profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    data = image.info.get("icc_profile")
    if not data:
        return None
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(data))
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        raise _ProfileError(errors.one_line(error)) from error


def to_uint8(image: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Return one image as ``[height, width, channels]``, rounded to 8 bits."""
    values = np.asarray(image)
    if not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"`image` must be float32 in [0, 1]. Received: dtype={values.dtype}")
    shape = values.shape
    if values.ndim == 4 and shape[0] == 1:
        values = values[0]
    if values.ndim != 3 or values.shape[-1] not in (1, 3) or not values.size:
        raise ValueError(
            "`image` must be one image, [height, width, channels] or [1, height, width, channels] "
            f"with 1 or 3 channels. Received: shape={shape}"
        )
    pixels = np.empty(values.shape, np.uint8)
    # Some rows at a time, because memory does not hold float copies of a large image.
    for top in range(0, len(values), _ROWS):
        rows = values[top : top + _ROWS]
        if not np.isfinite(rows).all():
            raise ValueError("`image` must be finite. Received: an image with NaN or infinity")
        pixels[top : top + _ROWS] = np.rint(np.clip(rows, 0, 1) * 255)
    return pixels
