"""A layer's filters: their weights, or the patches of pictures that they respond to most.

Usage:
  stylezoo visualize filters --output=PICTURE [--network=NAME] [--layer=LAYER] [--flags]
  stylezoo visualize filters --images=FOLDER --layer=LAYER --channel=N,... --output=PICTURE [--flags]

Without --images: of the first layer a tile in colours for each filter; of others a row for each filter,
with a grey tile for each channel of its input. With --images: a row for each channel, with the patches
of all pictures that it responds to most, each beside its guided backprop (Springenberg et al. 2015).
"""

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries.common import options, quiet, reporting, unit_flags

if TYPE_CHECKING:
    import pathlib


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="The picture to write.",
        report="Also write patches, or sizes of weights, and settings to this JSON file.",
    )
    unit_flags.define_network_flags(values, default="alexnet_owt")

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def count(name: str, default: int | None, text: str) -> None:
        flags.DEFINE_integer(name, default, text, 1, flag_values=values)

    string("layer", None, "Whose filters; the first convolution if not given.")
    string(
        "channel",
        None,
        "Filters by number, with commas between; START:STOP:STEP for many, or all (all; of patches 0:8).",
    )
    string("images", None, "Pictures, a folder or a pattern to find patches in.")
    count("top", 4, "How many patches of each channel.")
    count("size", 320, "Longest side to which --images are resized, px.")
    count("patch_size", 96, "Side of a patch on the sheet, px.")
    count("inputs", 32, "How many channels of the input are shown of a grey row.")
    count(
        "zoom", None, "Side of a weight on the sheet, px; chosen by the filters' size if not given."
    )
    count("columns", None, "Of the sheet of colour tiles.")


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; returns its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "output")
    images.check_output_path(values.output, overwrite=values.overwrite)
    reporting.check_report(values)
    paths = None if values.images is None else options.pictures([values.images])
    quiet.import_tensorflow()
    sheet, figures = _weights(values) if paths is None else _patches(values, paths)
    reporting.write_picture(values, sheet, values.output)
    reporting.write_report(values, {**figures, **reporting.circumstances(values)})
    return 0


def _weights(values: flags.FlagValues) -> tuple[np.ndarray, dict[str, Any]]:
    from stylezoo import classifiers, visualize

    network = classifiers.canonical(values.network)
    loaded = classifiers.read_weights(network, values.weights, include_top=False)
    kernels = visualize.kernels(loaded.tensors)
    layer = values.layer or next(iter(kernels))
    if layer not in kernels:
        raise ValueError(
            f"`--layer` of {values.network} must have filters: {', '.join(kernels)}. "
            f"Received: {layer}"
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
        tiles = visualize.colour_tiles(kernel[..., chosen], loaded.preprocessing)
        columns = values.columns or math.ceil(math.sqrt(len(tiles)))
        return images.contact_sheet(list(map(enlarge, tiles)), columns=columns), figures
    grid = visualize.grey_grid(kernel[..., chosen])[:, : values.inputs]
    cells = [enlarge(np.repeat(tile[..., None], 3, -1)) for row in grid for tile in row]
    return images.contact_sheet(cells, columns=grid.shape[1]), figures


def _enlarged(tile: np.ndarray, zoom: int) -> np.ndarray:
    return tile.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _patches(
    values: flags.FlagValues, paths: "list[pathlib.Path]"
) -> tuple[np.ndarray, dict[str, Any]]:
    from stylezoo import perceptual, visualize

    options.require(values, "layer")
    layer = values.layer
    with errors.renamed(taps="layer"):
        perceptual.check_taps(values.network, [layer])
    info = perceptual.tap_info(values.network)[layer]
    channels = unit_flags.numbers(values.channel or "0:8", "channel", info.channels, layer)
    network = perceptual.perceptual_network(values.network, [layer], weights=values.weights)

    def read(path: "pathlib.Path") -> Any:
        pixels = images.read_image(path, max_pixels=values.max_pixels)
        resized = images.resize_longest_side(pixels, values.size)
        size = resized.shape[1:3]
        with errors.renamed(image=str(path)):
            perceptual.check_image_size(*size, architecture=values.network, taps=[layer])
        return resized

    with reporting.bar("patches", "picture", total=len(paths)) as bar:

        def taken() -> Any:
            for path in paths:
                yield read(path)
                bar.update()

        best = visualize.best_patches(
            network, taken(), layer=layer, channels=channels, info=info, top=values.top
        )
    fit = functools.partial(_fitted, size=values.patch_size)
    cells, rows = [], []
    with reporting.bar("guided backprop", "patch", total=values.top * len(channels)) as bar:
        for channel, patches in best.items():
            for patch in patches:
                image = read(paths[patch.image])
                guided = visualize.guided_backprop(
                    network, image, layer=layer, channel=channel, patch=patch
                )
                seen = visualize.crop(image[0].numpy(), patch, info, fill=1.0)
                back = visualize.crop(guided, patch, info, fill=0.0)
                cells += [fit(seen), fit(visualize.colours(back[None])[0].numpy())]
                rows.append(
                    {
                        "channel": channel,
                        "image": str(paths[patch.image]),
                        "row": patch.row,
                        "column": patch.column,
                        "activation": patch.activation,
                    }
                )
                bar.update()
            blank = np.ones((values.patch_size, values.patch_size, 3), np.float32)
            cells += [blank] * (2 * (values.top - len(patches)))
    sheet = images.contact_sheet(cells, columns=2 * values.top)
    return sheet, {"layer": layer, "patches": rows}


def _fitted(picture: np.ndarray, size: int) -> np.ndarray:
    return images.resize(picture[None], (size, size))[0].numpy()
