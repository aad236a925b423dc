"""A layer's filters: their weights, or the patches of pictures that they respond to most.

Usage:
  stylezoo visualize filters --output=PICTURE [--network=NAME] [--layer=LAYER] [--flags]
  stylezoo visualize filters --images=FOLDER --layer=LAYER --channel=N,... --output=PICTURE [--flags]

Without --images the sheet shows weights: of the first layer a tile in colours for each filter, of others a
row for each filter, with a grey tile for each channel of its input. With --images it has a row for each
channel: the patches of all pictures that the channel responds to most, each beside its guided backprop
(Springenberg et al. 2015).
"""

import dataclasses
import functools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries.common import network_flags, options, quiet, reporting, unit_flags

if TYPE_CHECKING:
    import pathlib

    import tensorflow as tf

    from stylezoo.classifiers import TapInfo
    from stylezoo.perceptual import Network
    from stylezoo.visualize import Patch


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="Picture to write.",
        report="Also write patches, or sizes of weights, and settings to this JSON file.",
    )
    network_flags.define(values, default="alexnet_owt")

    for name, text in (
        (
            "layer",
            "Layer whose filters are shown; without --images the first convolution by default.",
        ),
        (
            "channel",
            "Filters by number, with commas between them; START:STOP:STEP stands for many, all for all. "
            "By default all weights are shown, or the patches of 0:8.",
        ),
        ("images", "Pictures, a folder or a pattern to find patches in."),
    ):
        flags.DEFINE_string(name, None, text, flag_values=values)
    for name, default, text in (
        ("top", 4, "Number of patches of each channel."),
        ("size", 320, "Longest side to which --images are resized, px."),
        ("patch_size", 96, "Side of a patch on the sheet, px."),
        ("inputs", 32, "Number of the input's channels that a grey row shows."),
        (
            "zoom",
            None,
            "Side of a weight on the sheet, px; by default the filters' size decides it.",
        ),
        ("columns", None, "Number of columns of the sheet of colour tiles."),
    ):
        flags.DEFINE_integer(name, default, text, 1, flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "output")
    images.check_output_path(values.output, overwrite=values.overwrite)
    reporting.check_report(values)
    paths = None if values.images is None else options.pictures([values.images])
    quiet.import_tensorflow()
    looked = network_flags.read(values)
    if paths is None:
        sheet, figures = _weights(values, looked)
    else:
        sheet, figures = _patches(values, looked, paths)
    reporting.write_picture(values, sheet, values.output)
    reporting.write_report(values, {**figures, **reporting.circumstances(values)})
    return 0


def _weights(values: flags.FlagValues, looked: "Network") -> tuple[np.ndarray, dict[str, Any]]:
    """Return the sheet of a layer's weights, and figures for the report."""
    from stylezoo import visualize

    kernels, preprocessing = _kernels(values, looked)
    layer = values.layer or next(iter(kernels))
    if layer not in kernels:
        raise ValueError(
            f"`--layer` of {looked} must have filters: {', '.join(kernels)}. Received: {layer}"
        )
    kernel = kernels[layer]
    count = kernel.shape[-1]
    chosen = unit_flags.numbers(values.channel or "all", "channel", count, layer)
    figures = {
        "layer": layer,
        "shape": list(kernel.shape),
        "filters": [
            {"channel": channel, "norm": float(np.linalg.norm(kernel[..., channel]))}
            for channel in chosen
        ],
    }
    zoom = values.zoom or max(40 // kernel.shape[0], 1)
    enlarge = functools.partial(_enlarged, zoom=zoom)
    if kernel.shape[2] == 3:
        tiles = visualize.colour_tiles(kernel[..., chosen], preprocessing)
        columns = values.columns or math.ceil(math.sqrt(len(tiles)))
        return images.contact_sheet(list(map(enlarge, tiles)), columns=columns), figures
    grid = visualize.grey_grid(kernel[..., chosen])[:, : values.inputs]
    cells = [enlarge(np.repeat(tile[..., None], 3, -1)) for row in grid for tile in row]
    return images.contact_sheet(cells, columns=grid.shape[1]), figures


def _kernels(values: flags.FlagValues, looked: "Network") -> tuple[dict[str, np.ndarray], str]:
    """Return the kernels of a network's convolutions by layer, and its preprocessing."""
    from stylezoo import classifiers, visualize

    if not isinstance(looked, str):
        return looked.kernels, looked.preprocessing
    name = classifiers.canonical(looked)
    loaded = classifiers.read_weights(name, values.weights, include_top=False)
    return visualize.kernels(loaded.tensors), loaded.preprocessing


def _enlarged(tile: np.ndarray, zoom: int) -> np.ndarray:
    return tile.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _patches(
    values: flags.FlagValues, looked: "Network", paths: "list[pathlib.Path]"
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the sheet of the patches that channels respond to most, and figures for the report."""
    from stylezoo import perceptual, visualize

    options.require(values, "layer")
    layer = values.layer
    with errors.renamed(taps="layer"):
        perceptual.check_taps(looked, [layer])
    info = perceptual.tap_info(looked)[layer]
    channels = unit_flags.numbers(values.channel or "0:8", "channel", info.channels, layer)
    network = network_flags.perceptual(values, looked).build([layer])
    best = visualize.best_patches(
        network,
        _shown(values, looked, paths),
        layer=layer,
        channels=channels,
        info=info,
        top=values.top,
    )
    blank = np.ones((values.patch_size, values.patch_size, 3), np.float32)
    cells, captions, rows = [], [], []
    with reporting.bar("guided backprop", "patch", total=values.top * len(channels)) as bar:
        for channel, patches in best.items():
            for patch in patches:
                image = _read(values, looked, paths[patch.image])
                cells += _pair(values, network, info, image, channel, patch)
                captions += [f"{layer}:{channel} {patch.activation:.3g}", "guided_backprop"]
                place = dataclasses.asdict(patch) | {"image": str(paths[patch.image])}
                rows.append({"channel": channel, **place})
                bar.update()
            missing = 2 * (values.top - len(patches))
            cells += [blank] * missing
            captions += [""] * missing
    sheet = images.contact_sheet(cells, columns=2 * values.top, captions=captions)
    return sheet, {"layer": layer, "patches": rows}


def _shown(
    values: flags.FlagValues, looked: "Network", paths: "Sequence[pathlib.Path]"
) -> "Iterator[tf.Tensor]":
    """Yield all pictures, and show a bar."""
    with reporting.bar("patches", "picture", total=len(paths)) as bar:
        for path in paths:
            yield _read(values, looked, path)
            bar.update()


def _read(values: flags.FlagValues, looked: "Network", path: "pathlib.Path") -> "tf.Tensor":
    """Return a picture in the size of ``--size``, which has to be large enough for the layer."""
    pixels = images.read_image(path, max_pixels=values.max_pixels)
    with errors.renamed(image=str(path)):
        return network_flags.fitted(pixels, network=looked, taps=[values.layer], size=values.size)


def _pair(
    values: flags.FlagValues,
    network: Any,
    info: "TapInfo",
    image: "tf.Tensor",
    channel: int,
    patch: "Patch",
) -> list[np.ndarray]:
    """Return two cells of the sheet: what a neuron saw, and its guided backprop."""
    from stylezoo import visualize

    guided = visualize.guided_backprop(
        network, image, layer=values.layer, channel=channel, patch=patch
    )
    seen = visualize.crop(image[0].numpy(), patch, info, fill=1.0)
    back = visualize.crop(guided, patch, info, fill=0.0)
    pair = (seen, visualize.colours(back[None])[0].numpy())
    return [_fitted(each, values.patch_size) for each in pair]


def _fitted(picture: np.ndarray, size: int) -> np.ndarray:
    return images.resize(picture[None], (size, size))[0].numpy()
