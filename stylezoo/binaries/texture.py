"""Make a new texture with the statistics of a picture, from noise.

Usage:
  stylezoo texture --source=PICTURE --output=PICTURE [--size=HEIGHTxWIDTH] [--flags]
  stylezoo texture --method=network --model=MODEL --output=PICTURE [--size=HEIGHTxWIDTH] [--seed=N]

Methods:
  gatys    by optimisation: a minute or more, any source (the default)
  network  in one pass of a network that `stylezoo train_texture` trained for its source

With --series there is a picture for every layer: the first has the statistics of the first of --layers,
the next of the first two, and so on, with the last layer's name in the file's.
"""

import dataclasses
import pathlib
import re
import time
from typing import TYPE_CHECKING

from absl import flags

from stylezoo import images
from stylezoo.binaries import options, quiet, reporting

if TYPE_CHECKING:
    from stylezoo.synthesis import TextureConfig

METHODS = ("gatys", "network")

# What goes with a trained network; its training decided the rest.
_NETWORK_FLAGS = {"method", "model", "output", "size", "seed", "quality", "overwrite", "report"}

_FIELDS = (
    "network",
    "weights",
    "pooling",
    "layers",
    "style_loss",
    "match_histogram",
    "tolerance",
    "seed",
)


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_synthesis_flags(values)
    options.define_schedule_flags(values)
    flags.DEFINE_string("method", "gatys", "One of the methods above.", flag_values=values)
    flags.DEFINE_string("model", None, "A trained texture network.", flag_values=values)
    flags.DEFINE_string("source", None, "The picture to take after.", flag_values=values)
    flags.DEFINE_string(
        "size", "256x256", "Of the result: HEIGHTxWIDTH, or one number, px.", flag_values=values
    )
    flags.DEFINE_integer(
        "source_size",
        None,
        "Longest side to which the source is first reduced, px; as it is if not given.",
        1,
        flag_values=values,
    )
    flags.DEFINE_list(
        "layers",
        None,
        "Whose statistics are matched (relu1_1, pool1, pool2, pool3, pool4).",
        flag_values=values,
    )
    flags.DEFINE_string("style_loss", None, "gram, moments or sliced.", flag_values=values)
    flags.DEFINE_bool(
        "match_histogram", False, "Give the result the source's histogram.", flag_values=values
    )
    flags.DEFINE_bool("series", False, "A picture for every layer.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; returns its exit status."""
    options.reject_arguments(arguments)
    if values.method not in METHODS:
        raise ValueError(
            f"`--method` must be one of {', '.join(METHODS)}. Received: {values.method}"
        )
    return _paint(values) if values.method == "network" else _synthesize(values)


def _paint(values: flags.FlagValues) -> int:
    options.require(values, "model", "output")
    given = {name for name in values if values[name].present} - _NETWORK_FLAGS
    if unused := sorted(given - {"flagfile", "traceback"}):
        raise ValueError(f"`--{unused[0]}` must not be given with --method=network")
    size = _size(values.size)
    reporting.check_outputs(values, [values.output])
    quiet.import_tensorflow()
    from stylezoo import generators

    generator = generators.load(values.model)
    began = time.perf_counter()
    texture = generators.paint_texture(generator, size, seed=values.seed or 0).numpy()
    seconds = time.perf_counter() - began
    reporting.write_picture(values, texture, values.output)
    reporting.write_report(
        values,
        {
            "seconds": seconds,
            **reporting.circumstances(values),
            "training": generator.training,
        },
    )
    return 0


def _synthesize(values: flags.FlagValues) -> int:
    options.require(values, "source", "output")
    if values.model is not None:
        raise ValueError("`--model` must come with --method=network")
    size = _size(values.size)
    quiet.import_tensorflow()
    config = _configure(values)
    configs = _series(config, values.output) if values.series else {values.output: config}
    reporting.check_outputs(values, configs)
    source = images.read_image(values.source, max_pixels=values.max_pixels)
    if values.source_size is not None:
        source = images.resize_longest_side(source, values.source_size)

    from stylezoo import synthesis

    reports = []
    for output, each in configs.items():
        with reporting.progress(values, f"texture {each.taps[-1]}", output) as callback:
            result = synthesis.synthesize_texture(source, size, config=each, callback=callback)
        reporting.write_picture(values, result.image, output)
        reports.append({"output": output, **reporting.report(values, result, each)})
    reporting.write_report(values, reports if values.series else reports[0])
    return 0


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    height, width = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if min(height, width) < 1:
        raise ValueError(f"`--size` must be HEIGHTxWIDTH in px. Received: {text}")
    return height, width


def _configure(values: flags.FlagValues) -> "TextureConfig":
    from stylezoo.synthesis import TextureConfig

    return TextureConfig(
        optimizer=options.optimizer(values, TextureConfig.optimizer),
        schedule=options.schedule(values, TextureConfig.schedule),
        **options.given(values, _FIELDS),
    )


def _series(config: "TextureConfig", output: str) -> "dict[str, TextureConfig]":
    """A configuration for each of the growing lists of layers, by its output."""
    path = pathlib.Path(output)
    return {
        str(path.with_stem(f"{path.stem}_{config.taps[depth - 1]}")): dataclasses.replace(
            config, layers=config.taps[:depth]
        )
        for depth in range(1, len(config.taps) + 1)
    }
