"""Make a new texture with the statistics of a picture, from noise.

Usage:
  stylezoo texture --source=PICTURE --output=PICTURE [--method=METHOD] [--size=HEIGHTxWIDTH] [--flags]
  stylezoo texture --method=network --model=MODEL --output=PICTURE [--size=HEIGHTxWIDTH] [--seed=N]

Methods, in parentheses their presets, the default first:
  gatys        statistics of features, by optimisation: a minute or more (gatys)
  cnnmrf       patches of features, by optimisation (cnnmrf, cnnmrf2016-paper, cnnmrf2016-code)
  efros_leung  pixel by pixel from a seed, after all windows of the source; with --mask, continues the
               source into its holes instead
  wei_levoy    pixel by pixel from coarse to fine, after windows found in a tree
  network      in one pass of a network that `stylezoo train_texture` trained for its source

The default is gatys. A grey source gives a grey texture. With --series there is a picture for every
layer: the first has the statistics of the first of --style_layers, the next of the first two, and so on, with
the last layer's name in the file's.
"""

import contextlib
import dataclasses
import pathlib
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo import images
from stylezoo.binaries.common import objective_flags, options, quiet, reporting, synthesis_flags
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.classic.pixel_sampling import EfrosLeungConfig
from stylezoo.classic.raster_scan import WeiLevoyConfig
from stylezoo.synthesis.configurations import TEXTURE_PRESETS, TextureConfig

if TYPE_CHECKING:
    import numpy as np

    from stylezoo.progress import Callback, Progress

METHODS = ("gatys", "cnnmrf", "efros_leung", "wei_levoy", "network")

_EVERY_METHOD = {
    *("method", "output", "size", "seed", "quality", "overwrite", "report"),
    *("flagfile", "traceback"),
}
_SOURCE_SIZE = 1024
_READING = {"source", "source_size", "max_pixels"}
# Methods that don't optimise take these flags and no others.
_OWN_FLAGS = {
    "network": {"model"},
    "efros_leung": {*_READING, "mask", "window", "epsilon", "at_once"},
    "wei_levoy": {*_READING, "window", "search", "max_leaves", "coherence", "tileable"},
}
# Methods that optimise don't take these flags, which belong to the methods named.
_FOREIGN_FLAGS = {"model": "network", "mask": "efros_leung"} | {
    flag: " or ".join(method for method in _OWN_FLAGS if flag in _OWN_FLAGS[method])
    for flag in ("window", "epsilon", "at_once", "search", "max_leaves", "coherence", "tileable")
}

_CONFIG = ConfigFlags(TEXTURE_PRESETS["gatys"], fields=["match_histogram", "tolerance", "seed"])
# The two methods have windows of different sizes by default.
_WINDOW = ConfigFlags(EfrosLeungConfig, fields=["window"], show_defaults=False)
_EFROS_LEUNG = ConfigFlags(EfrosLeungConfig, fields=["epsilon", "at_once"])
_WEI_LEVOY = ConfigFlags(WeiLevoyConfig, fields=["search", "max_leaves", "coherence", "tileable"])


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    synthesis_flags.define_synthesis_flags(values)
    synthesis_flags.define_schedule_flags(values)
    objective_flags.define(values, default="texture")
    _CONFIG.define(values)
    flags.DEFINE_string(
        "method", None, "Method of synthesis, one of those above.", flag_values=values
    )
    flags.DEFINE_string(
        "preset", None, "Preset of the method, one of those above.", flag_values=values
    )
    flags.DEFINE_string(
        "model",
        None,
        "Texture network for --method=network: a name that `stylezoo models` lists, or a folder `model` of a "
        "run.",
        flag_values=values,
    )
    flags.DEFINE_string("source", None, "Picture whose texture is made.", flag_values=values)
    flags.DEFINE_string(
        "size",
        "256x256",
        "Size of the result in pixels: HEIGHTxWIDTH, or one number for a square.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "source_size",
        None,
        "Longest side that the source is first resized to, px; by default a larger source than "
        f"{_SOURCE_SIZE} px is reduced to that.",
        1,
        flag_values=values,
    )
    flags.DEFINE_bool(
        "series", False, "Make a picture for every layer, as told above.", flag_values=values
    )
    _define_classic_flags(values)


def _define_classic_flags(values: flags.FlagValues) -> None:
    for config in (_WINDOW, _EFROS_LEUNG, _WEI_LEVOY):
        config.define(values)
    flags.DEFINE_string(
        "mask",
        None,
        "Picture that is white where the source has holes, which are filled.",
        flag_values=values,
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    method = values.method or "gatys"
    if method not in METHODS:
        raise ValueError(f"`--method` must be one of {', '.join(METHODS)}. Received: {method}")
    _check_flags(values, method)
    if method == "network":
        return _paint(values)
    return _sample(values, method) if method in _OWN_FLAGS else _synthesize(values)


def _check_flags(values: flags.FlagValues, method: str) -> None:
    """Raise a ValueError for a flag of other methods."""
    given = {name for name in values if values[name].present}
    if method in _OWN_FLAGS:
        for flag in sorted(given - _EVERY_METHOD - _OWN_FLAGS[method]):
            raise ValueError(f"`--{flag}` must not be given with --method={method}")
    else:
        for flag in sorted(given & set(_FOREIGN_FLAGS)):
            raise ValueError(f"`--{flag}` must come with --method={_FOREIGN_FLAGS[flag]}")


def _paint(values: flags.FlagValues) -> int:
    options.require(values, "model", "output")
    size = _size(values.size)
    reporting.check_outputs(values, [values.output])
    quiet.import_tensorflow()
    from stylezoo import generators

    painter = generators.load(values.model)
    if painter.paints != generators.TEXTURES:
        raise ValueError(
            f"`--model` must be a texture network. Received: one that paints {painter.paints}"
        )
    began = time.perf_counter()
    texture = painter.paint(size=size, seed=values.seed or 0)
    seconds = time.perf_counter() - began
    reporting.write_picture(values, texture, values.output)
    reporting.write_report(
        values,
        {
            "seconds": seconds,
            **reporting.circumstances(values),
            "training": dict(painter.training_record),
        },
    )
    return 0


def _sample(values: flags.FlagValues, method: str) -> int:
    """Run a method that looks up one pixel after the other, and return the exit status."""
    options.require(values, "source", "output")
    size = _size(values.size)
    if values.mask is not None and values["size"].present:
        raise ValueError("`--size` must not be given with --mask: the source's is kept")
    reporting.check_outputs(values, [values.output])
    quiet.import_tensorflow()
    from stylezoo import classic

    own = _EFROS_LEUNG if method == "efros_leung" else _WEI_LEVOY
    config = own.create(values, **_WINDOW.given(values), **options.given(values, ["seed"]))
    source = _source(values)
    began = time.perf_counter()
    with _pixels(f"texture {method}") as callback:
        if values.mask is not None:
            mask = images.read_mask(values.mask, max_pixels=values.max_pixels)
            texture = classic.fill_holes(source, mask, config=config, callback=callback)
        elif method == "efros_leung":
            texture = classic.efros_leung(source, size, config=config, callback=callback)
        else:
            texture = classic.wei_levoy(source, size, config=config, callback=callback)
    seconds = time.perf_counter() - began
    _write(values, texture, source, values.output)
    reporting.write_report(
        values,
        {
            "seconds": seconds,
            "settings": reporting.settings(config),
            **reporting.circumstances(values),
        },
    )
    return 0


@contextlib.contextmanager
def _pixels(description: str) -> "Iterator[Callback]":
    """Yield a callback that shows how many pixels are done."""
    with reporting.bar(description, "px") as pixels:

        def callback(progress: "Progress") -> None:
            pixels.total = progress.num_steps
            pixels.update(progress.step - pixels.n)

        yield callback


def _source(values: flags.FlagValues) -> "np.ndarray":
    source = images.read_image(values.source, max_pixels=values.max_pixels)
    if values.source_size is None and values.mask is not None:
        return source  # a picture with holes keeps its size
    size = options.longest_side(source, values.source_size, most=_SOURCE_SIZE)
    return images.resize_longest_side(source, size).numpy()


def _write(values: flags.FlagValues, texture: Any, source: "np.ndarray", path: str) -> None:
    """Write a texture, as a grey picture if its source is grey."""
    grey = images.is_grey(source) and images.is_grey(texture)
    reporting.write_picture(values, texture[..., :1] if grey else texture, path)


def _synthesize(values: flags.FlagValues) -> int:
    options.require(values, "source", "output")
    size = _size(values.size)
    quiet.import_tensorflow()
    config = _configure(values)
    configs = _series(config, values.output) if values.series else {values.output: config}
    reporting.check_outputs(values, configs)
    source = _source(values)

    from stylezoo import synthesis

    reports = []
    for output, each in configs.items():
        with reporting.progress(
            values, f"texture {each.objective.style_taps[-1]}", output
        ) as callback:
            result = synthesis.synthesize_texture(source, size, config=each, callback=callback)
        _write(values, result.image, source, output)
        reports.append({"output": output, **reporting.report(values, result, each)})
    reporting.write_report(values, reports if values.series else reports[0])
    return 0


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    height, width = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if min(height, width) < 1:
        raise ValueError(f"`--size` must be HEIGHTxWIDTH in px. Received: {text}")
    return height, width


def _configure(values: flags.FlagValues) -> TextureConfig:
    config = synthesis_flags.preset(values, TEXTURE_PRESETS)
    return dataclasses.replace(
        config,
        objective=objective_flags.texture_objective(values, config.objective),
        optimizer=synthesis_flags.optimizer(values, config.optimizer),
        schedule=synthesis_flags.schedule(values, config.schedule),
        **_CONFIG.given(values),
    )


def _series(config: TextureConfig, output: str) -> dict[str, TextureConfig]:
    """Return a configuration for each of the growing lists of layers, by its output."""
    path = pathlib.Path(output)
    layers = config.objective.style_taps
    found = {}
    for depth, layer in enumerate(layers, start=1):
        objective = dataclasses.replace(config.objective, style_layers=layers[:depth])
        output = str(path.with_stem(f"{path.stem}_{layer}"))
        found[output] = dataclasses.replace(config, objective=objective)
    return found
