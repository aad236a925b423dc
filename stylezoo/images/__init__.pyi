from .arrays import FloatArray, Image
from .codecs import (
    DEFAULT_MAX_PIXELS,
    DEFAULT_QUALITY,
    IMAGE_EXTENSIONS,
    check_output_path,
    decode_image,
    encode_image,
    read_image,
    read_mask,
    write_image,
)
from .colour import (
    lab_to_rgb,
    luminance,
    match_colour,
    match_colour_distribution,
    match_histogram,
    match_luminance,
    replace_luminance,
    rgb_to_lab,
)
from .files import atomic_folder, atomic_path, check_output_folder
from .grey import LUMA_WEIGHTS, is_grey, luma
from .resizing import centre_crop, centre_square, fit_size, resize, resize_longest_side, rotate
from .samples import SAMPLES, Sample, load_sample, sample_path
from .sheets import caption_height, captioned, contact_sheet

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "DEFAULT_QUALITY",
    "IMAGE_EXTENSIONS",
    "LUMA_WEIGHTS",
    "SAMPLES",
    "FloatArray",
    "Image",
    "Sample",
    "atomic_folder",
    "atomic_path",
    "caption_height",
    "captioned",
    "centre_crop",
    "centre_square",
    "check_output_folder",
    "check_output_path",
    "contact_sheet",
    "decode_image",
    "encode_image",
    "fit_size",
    "is_grey",
    "lab_to_rgb",
    "load_sample",
    "luma",
    "luminance",
    "match_colour",
    "match_colour_distribution",
    "match_histogram",
    "match_luminance",
    "read_image",
    "read_mask",
    "replace_luminance",
    "resize",
    "resize_longest_side",
    "rgb_to_lab",
    "rotate",
    "sample_path",
    "write_image",
]
