"""Pictures: files, sizes, colours, samples.

What needs TensorFlow is imported when it is first used, so that reading, checking and writing
files does not wait for it.
"""

import importlib
from typing import TYPE_CHECKING, Any

from stylezoo.images.animation import ANIMATION_EXTENSIONS, check_animation_path, write_animation
from stylezoo.images.codecs import (
    DEFAULT_MAX_PIXELS,
    IMAGE_EXTENSIONS,
    check_output_path,
    decode_image,
    encode_image,
    is_grey,
    read_image,
    read_mask,
    write_image,
)
from stylezoo.images.files import atomic_folder, atomic_path
from stylezoo.images.samples import SAMPLES, Sample, load_sample, sample_path
from stylezoo.images.sheets import contact_sheet

if TYPE_CHECKING:
    from stylezoo.images.colour import (
        lab_to_rgb,
        linear_to_srgb,
        luminance,
        match_colour,
        match_histogram,
        match_luminance,
        replace_luminance,
        rgb_to_lab,
        rgb_to_yiq,
        rgb_to_yuv,
        srgb_to_linear,
        yiq_to_rgb,
        yuv_to_rgb,
    )
    from stylezoo.images.resizing import (
        centre_square,
        fit_size,
        resize,
        resize_longest_side,
        rotate,
    )

__all__ = [
    "ANIMATION_EXTENSIONS",
    "DEFAULT_MAX_PIXELS",
    "IMAGE_EXTENSIONS",
    "SAMPLES",
    "Sample",
    "atomic_folder",
    "atomic_path",
    "centre_square",
    "check_animation_path",
    "check_output_path",
    "contact_sheet",
    "decode_image",
    "encode_image",
    "fit_size",
    "is_grey",
    "lab_to_rgb",
    "linear_to_srgb",
    "load_sample",
    "luminance",
    "match_colour",
    "match_histogram",
    "match_luminance",
    "read_image",
    "read_mask",
    "replace_luminance",
    "resize",
    "resize_longest_side",
    "rgb_to_lab",
    "rgb_to_yiq",
    "rgb_to_yuv",
    "rotate",
    "sample_path",
    "srgb_to_linear",
    "write_animation",
    "write_image",
    "yiq_to_rgb",
    "yuv_to_rgb",
]

_RESIZING = ("centre_square", "fit_size", "resize", "resize_longest_side", "rotate")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "resizing" if name in _RESIZING else "colour"
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return __all__
