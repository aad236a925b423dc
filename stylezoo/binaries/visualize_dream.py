"""DeepDream: a picture that shows more and more of what a network sees in it.

Usage:
  stylezoo visualize dream --image=PICTURE --layers=LAYER,... --output=PICTURE [--flags]
  stylezoo visualize dream --image=PICTURE --layers=fire5=2,fire8:12 --guide=PICTURE --output=PICTURE
  stylezoo visualize dream --image=PICTURE --layers=LAYER --zoom_frames=N --output=FOLDER|ANIMATION

--layers takes LAYER:CHANNEL=WEIGHT,...; without a channel the whole layer is amplified, and a weight is 1 by
default. Pictures may have any size: the network sees those larger than --tile px in parts, which leave no
seams. The frames of the endless zoom go to a folder as pictures, or to an animation (.mp4, .webp, .gif).
"""

import pathlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import errors, images, video
from stylezoo.binaries.common import (
    config_flags,
    network_flags,
    options,
    quiet,
    reporting,
    unit_flags,
)
from stylezoo.visualize.dream_config import DreamConfig, Dreamed

if TYPE_CHECKING:
    from stylezoo.progress import Progress
    from stylezoo.visualize import Dreamer

_CONFIG = config_flags.ConfigFlags(DreamConfig, skip=["dreamed", "network", "weights"])


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="Picture to write; with --zoom_frames an animation, or a folder, which is made if it "
        "does not exist.",
        report="Also write times and settings to this JSON file.",
    )
    network_flags.define(values, default=str(DreamConfig.network))
    _CONFIG.define(values)
    for name, text in (
        ("image", "Picture to dream of."),
        ("layers", "Layers and channels that are amplified, as LAYER:CHANNEL=WEIGHT,...."),
        ("guide", "Picture whose features are dreamed of in place of the picture's own."),
    ):
        flags.DEFINE_string(name, None, text, flag_values=values)
    for name, text in (
        (
            "size",
            "Longest side to which the picture is resized, px; by default it keeps its size.",
        ),
        (
            "zoom_frames",
            "Number of frames of an endless zoom, which is made in place of a picture.",
        ),
    ):
        flags.DEFINE_integer(name, None, text, 1, flag_values=values)
    flags.DEFINE_float(
        "zoom", 1.05, "Factor by which each frame enlarges the one before.", flag_values=values
    )
    flags.DEFINE_integer(
        "frame_rate", 12, "Frames a second of an animation.", 1, 100, flag_values=values
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "image", "layers", "output")
    outputs = _outputs(values)
    check = video.check_clip_path if _is_animation(values) else images.check_output_path
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
        written = _write(values, _frames(values, dreamer, image, bar))
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


def _configure(values: flags.FlagValues) -> DreamConfig:
    """Return the configuration that the flags ask for."""
    network = network_flags.read(values)
    parts = unit_flags.weighted(values.layers, "layers", network=network)
    with errors.renamed(dreamed="layers"):
        config: DreamConfig = _CONFIG.create(
            values,
            dreamed=tuple(Dreamed(*part) for part in parts),
            network=network,
            weights=values.weights,
        )
    return config


def _outputs(values: flags.FlagValues) -> list[pathlib.Path]:
    """Return every file that is to be written, as far as it can be known."""
    output = pathlib.Path(values.output)
    if values.zoom_frames is None or _is_animation(values):
        return [output]
    if output.suffix.lower() in images.IMAGE_EXTENSIONS or output.is_file():
        raise ValueError(f"`--output` must be a folder, an .mp4, .webp or .gif. Received: {output}")
    if not output.exists():
        # A folder can be made where a file can.
        images.check_output_path(output, overwrite=False, extensions=[output.suffix.lower()])
        return []
    return [_frame_path(output, index) for index in range(values.zoom_frames)]


def _is_animation(values: flags.FlagValues) -> bool:
    suffix = pathlib.Path(values.output).suffix.lower()
    return values.zoom_frames is not None and suffix in video.CLIP_EXTENSIONS


def _frame_path(folder: pathlib.Path, index: int) -> pathlib.Path:
    return folder / f"frame_{index:05d}.png"


def _frames(
    values: flags.FlagValues, dreamer: "Dreamer", image: np.ndarray, bar: Any
) -> Iterator[np.ndarray]:
    """Yield one picture, or the frames of the zoom."""
    count = values.zoom_frames or 1

    def callback(progress: "Progress") -> None:
        bar.total = count * progress.num_steps
        bar.update()

    with errors.renamed(factor="zoom"):
        yield from dreamer.zoom(image, frames=count, factor=values.zoom, callback=callback)


def _write(values: flags.FlagValues, frames: Iterable[np.ndarray]) -> list[str]:
    """Write each frame when it is made, or an animation when all are; return the files."""
    output = pathlib.Path(values.output)
    if values.zoom_frames is None:
        [frame] = frames
        reporting.write_picture(values, frame, output)
        return [str(output)]
    if _is_animation(values):
        video.write_clip(
            output,
            video.at_rate(frames),
            video.Timing.constant(values.frame_rate),
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
