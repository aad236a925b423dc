"""DeepDream: a picture that shows more and more of what a network sees in it.

Usage:
  stylezoo visualize dream --image=PICTURE --layers=LAYER,... --output=PICTURE [--flags]
  stylezoo visualize dream --image=PICTURE --layers=fire5=2,fire8:12 --guide=PICTURE --output=PICTURE
  stylezoo visualize dream --image=PICTURE --layers=LAYER --zoom_frames=N --output=FOLDER|ANIMATION

--layers takes LAYER:CHANNEL=WEIGHT,...; without a channel all of a layer is amplified, without a weight it
is 1. Pictures may have any size: beyond --tile px they are seen in parts, without seams. The frames of the
endless zoom go to a folder as pictures, or to an animation (.mp4, .webp).
"""

import pathlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import images
from stylezoo.binaries.common import options, quiet, reporting, unit_flags

if TYPE_CHECKING:
    from stylezoo.visualize import DreamConfig, Dreamer

_FIELDS = (
    "network",
    "weights",
    "octaves",
    "octave_scale",
    "steps",
    "step_size",
    "jitter",
    "tile",
    "seed",
)


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="The picture to write; with --zoom_frames a folder, made if it isn't there, or an animation.",
        report="Also write times and settings to this JSON file.",
    )
    unit_flags.define_network_flags(values, default="squeezenet1_1")

    def string(name: str, text: str) -> None:
        flags.DEFINE_string(name, None, text, flag_values=values)

    def count(name: str, text: str, lowest: int = 1) -> None:
        flags.DEFINE_integer(name, None, text, lowest, flag_values=values)

    def number(name: str, default: float | None, text: str) -> None:
        flags.DEFINE_float(name, default, text, 0.0, flag_values=values)

    string("image", "The picture to dream of.")
    string("layers", "What is amplified; see above.")
    string("guide", "A picture whose features are dreamed of, in place of the picture's own.")
    count("size", "Longest side to which the picture is resized, px; as it is if not given.")
    count("octaves", "Sizes, from small to the picture's own (4).")
    number("octave_scale", None, "Each as large as the one before (1.4).")
    count("steps", "Of every octave (10).", 0)
    number("step_size", None, "Mean change of a pixel (0.0059, 1.5 of 255).")
    count("jitter", "Random shift at every step, px (32).", 0)
    count("tile", "Side of a part, px: less memory with less (512).")
    count("seed", "Of the shifts (0).", 0)
    count("zoom_frames", "Make so many frames of the endless zoom.")
    number("zoom", 1.05, "By which each frame is enlarged.")
    flags.DEFINE_integer(
        "frame_rate", 12, "Of an animation, frames a second.", 1, 100, flag_values=values
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; returns its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "image", "layers", "output")
    outputs = _outputs(values)
    check = images.check_animation_path if _is_animation(values) else images.check_output_path
    for output in outputs:
        check(output, overwrite=values.overwrite)
    reporting.check_report(values)
    image = images.read_image(values.image, max_pixels=values.max_pixels)
    guide = values.guide and images.read_image(values.guide, max_pixels=values.max_pixels)
    quiet.import_tensorflow()

    from stylezoo import visualize

    config = _configure(values)
    if values.size is not None:
        image = images.resize_longest_side(image, values.size).numpy()
    dreamer = visualize.Dreamer(config, guide)
    with reporting.bar("dream", "step", total=0) as bar:
        written = _write(values, _frames(values, dreamer, image, bar), outputs)
    reporting.write_report(
        values,
        {
            "outputs": written,
            "seconds": bar.format_dict["elapsed"],
            "settings": reporting.settings(config),
            **reporting.circumstances(values),
        },
    )
    return 0


def _configure(values: flags.FlagValues) -> "DreamConfig":
    from stylezoo import visualize

    parts = unit_flags.weighted(values.layers, "layers", network=values.network)
    return visualize.DreamConfig(
        tuple(visualize.Dreamed(*part) for part in parts), **options.given(values, _FIELDS)
    )


def _outputs(values: flags.FlagValues) -> list[pathlib.Path]:
    """Every file that is to be written."""
    output = pathlib.Path(values.output)
    if values.zoom_frames is None or _is_animation(values):
        return [output]
    if output.suffix.lower() in images.IMAGE_EXTENSIONS or output.is_file():
        raise ValueError(f"`--output` must be a folder, an .mp4 or a .webp. Received: {output}")
    if not output.exists():
        # It could be made: a file could.
        images.check_output_path(output, overwrite=False, extensions=[output.suffix.lower()])
        return []
    return [_frame_path(output, index) for index in range(values.zoom_frames)]


def _is_animation(values: flags.FlagValues) -> bool:
    suffix = pathlib.Path(values.output).suffix.lower()
    return values.zoom_frames is not None and suffix in images.ANIMATION_EXTENSIONS


def _frame_path(folder: pathlib.Path, index: int) -> pathlib.Path:
    return folder / f"frame_{index:05d}.png"


def _frames(
    values: flags.FlagValues, dreamer: "Dreamer", image: np.ndarray, bar: Any
) -> Iterator[np.ndarray]:
    """One picture, or those of the zoom."""
    count = values.zoom_frames or 1

    def callback(done: int, total: int) -> None:
        bar.total = count * total
        bar.update()

    yield from dreamer.zoom(image, frames=count, factor=values.zoom, callback=callback)


def _write(
    values: flags.FlagValues, frames: Iterable[np.ndarray], outputs: list[pathlib.Path]
) -> list[str]:
    """Write frames as they are made; an animation once all are there. The files."""
    output = pathlib.Path(values.output)
    if values.zoom_frames is None:
        [frame] = frames
        reporting.write_picture(values, frame, output)
        return [str(output)]
    if _is_animation(values):
        images.write_animation(
            output,
            frames,
            frame_rate=values.frame_rate,
            quality=values.quality,
            overwrite=values.overwrite,
        )
        return [str(output)]
    written = []
    for index, frame in enumerate(frames):
        output.mkdir(exist_ok=True)
        path = _frame_path(output, index)
        reporting.write_picture(values, frame, path)
        written.append(str(path))
    return written
