"""Pictures inverted from the features of each layer, and from the classes' probabilities.

Usage:
  stylezoo visualize inversion --image=PICTURE --output=PICTURE [--layers=LAYER,...] [--flags]

The sheet begins with the picture itself. Without --layers there follow the inversion of the logarithms of
its classes' probabilities, where the weights have a head, that of the last pooling layer, and those of all
layers in their order. A table says how far the features of each inversion are from the picture's: the squared
difference over the squared features. `stylezoo invert` inverts a single layer by the same method (Mahendran &
Vedaldi 2015) and has more flags for it.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries.common import network_flags, options, quiet, reporting, synthesis_flags

if TYPE_CHECKING:
    from stylezoo.synthesis import InversionConfig


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="Sheet to write.",
        report="Also write errors, losses, times and settings to this JSON file.",
    )
    network_flags.define(values, default="squeezenet1_1")
    synthesis_flags.define_optimizer_flags(values)
    synthesis_flags.define_inversion_flags(values)
    flags.DEFINE_list(
        "layers",
        None,
        "Layers of the sheet; by default all. scores and log_probabilities are layers too, where the "
        "weights have a head.",
        flag_values=values,
    )
    flags.DEFINE_integer("columns", None, "Number of columns of the sheet.", 1, flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "image", "output")
    images.check_output_path(values.output, overwrite=values.overwrite)
    reporting.check_report(values)
    image = images.read_image(values.image, max_pixels=values.max_pixels)
    quiet.import_tensorflow()

    from stylezoo import synthesis

    configs = _configs(values)
    synthesis.check_inversion(image, configs.values())
    pictures, rows, runs = {}, [], []
    for layer, config in configs.items():
        with reporting.steps(f"inversion {layer}") as callback:
            result = synthesis.invert(image, config=config, callback=callback)
        pictures[layer] = np.asarray(result.image[0])
        error = result.losses[-1]["content"] if result.losses else math.nan
        rows.append((layer, error))
        runs.append({"layer": layer, "error": error, **_run(values, result, config)})
    shown = images.resize_longest_side(image, next(iter(configs.values())).size)[0].numpy()
    cells = [shown, *pictures.values()]
    columns = values.columns or math.ceil(math.sqrt(len(cells)))
    captions = ["picture", *(f"{layer} {error:.3f}" for layer, error in rows)]
    sheet = images.contact_sheet(cells, columns=columns, captions=captions)
    reporting.write_picture(values, sheet, values.output)
    print(
        reporting.table([("LAYER", "ERROR"), *((layer, f"{error:.4f}") for layer, error in rows)])
    )
    reporting.write_report(values, {"layers": runs, **reporting.circumstances(values)})
    return 0


def _configs(values: flags.FlagValues) -> "dict[str, InversionConfig]":
    """Return the configuration of every layer of the sheet, in its order."""
    from stylezoo import perceptual, synthesis

    optimizer = synthesis_flags.optimizer(values, synthesis.InversionConfig.optimizer)
    looked = network_flags.read(values)
    taps = list(perceptual.tap_info(looked))
    layers = list(values.layers or taps)
    if values.layers is None:
        head = [perceptual.LOG_PROBABILITIES] if network_flags.has_head(values, looked) else []
        pools = [tap for tap in taps if tap.startswith("pool")][-1:]
        layers = [*head, *pools, *layers]
    given = synthesis_flags.INVERSION.given(values)
    network = network_flags.perceptual(values, looked)
    with errors.renamed(layer="layers"):
        return {
            layer: synthesis.InversionConfig(
                layer=layer, perceptual=network, optimizer=optimizer, **given
            )
            for layer in layers
        }


def _run(values: flags.FlagValues, result: Any, config: Any) -> dict[str, Any]:
    """Return a layer's part of the report."""
    report = reporting.report(values, result, config)
    return {key: report[key] for key in ("steps", "seconds", "losses", "settings")}
