"""Pictures inverted from the features of each layer, and from the classes' probabilities.

Usage:
  stylezoo visualize inversion --image=PICTURE --output=PICTURE [--layers=LAYER,...] [--flags]
  stylezoo visualize inversion --image=PICTURE --output=PICTURE --prior=DECODER,... [--flags]

The sheet begins with the picture itself. Without --layers there follow the inversion of the logarithms of
its classes' probabilities, where the weights have a head, that of the last pooling layer, and those of all
layers in their order. A table says how far the features of each inversion are from the picture's: the squared
difference over the squared features. `stylezoo invert` inverts a single layer by the same method (Mahendran &
Vedaldi 2015) and has more flags for it.

With --prior the layers are those of the decoders, and the sheet has two rows: the middle square of the
picture and its inversions by optimisation, and again the square and what each decoder makes of the features
in one pass (Dosovitskiy & Brox 2016).
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries.common import network_flags, options, quiet, reporting, synthesis_flags

if TYPE_CHECKING:
    from stylezoo.generators import Decoder
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
    flags.DEFINE_list(
        "prior",
        None,
        "Decoders that also invert their layers in one pass: decoder, or presets' folders that `stylezoo "
        "train_prior` wrote. They are of one network, which is looked at.",
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

    decoders = _decoders(values)
    configs = _configs(values, decoders)
    size = next(iter(configs.values())).size
    image = images.centre_square(image, size) if decoders else image
    synthesis.check_inversion(image, configs.values())
    pictures: dict[str, np.ndarray] = {}
    rows: list[tuple[str, ...]] = []
    runs: list[dict[str, Any]] = []
    for layer, config in configs.items():
        with reporting.steps(f"inversion {layer}") as callback:
            result = synthesis.invert(image, config=config, callback=callback)
        pictures[layer] = np.asarray(result.image[0])
        error = result.losses[-1]["content"] if result.losses else math.nan
        rows.append((layer, f"{error:.4f}"))
        runs.append({"layer": layer, "error": error, **_run(values, result, config)})
    shown = images.resize_longest_side(image, size)[0].numpy()
    cells = [shown, *pictures.values()]
    columns = values.columns or (len(cells) if decoders else math.ceil(math.sqrt(len(cells))))
    captions = ["picture", *map(" ".join, rows)]
    if decoders:
        cells += [shown, *_decoded(image, decoders, size, rows, runs)]
        captions += ["picture", *(f"{row[0]} {row[-1]}" for row in rows)]
    sheet = images.contact_sheet(cells, columns=columns, captions=captions)
    reporting.write_picture(values, sheet, values.output)
    print(reporting.table([("LAYER", "ERROR", *(["DECODED"] if decoders else [])), *rows]))
    reporting.write_report(values, {"layers": runs, **reporting.circumstances(values)})
    return 0


def _decoders(values: flags.FlagValues) -> "dict[str, Decoder]":
    """Return the decoders of ``--prior`` by layer.

    Raises:
        OSError, ValueError: If one can't be read, or is of another network or of a layer that is there.
    """
    from stylezoo import classifiers, generators

    found: dict[str, Decoder] = {}
    looked = network_flags.read(values) if values.prior else ""
    own = classifiers.canonical(looked) if isinstance(looked, str) and looked else None
    for name in values.prior or ():
        with errors.renamed(model="prior"):
            decoder = generators.load_decoder(name)
        config = decoder.config
        if own != config.network:
            raise ValueError(
                f"`--prior` must be of the network that is looked at. Received: {name}, "
                f"of {config.network}"
            )
        if config.layer in found:
            raise ValueError(f"`--prior` must name one decoder of a layer. Received: {name}")
        found[config.layer] = decoder
    if found and values.layers:
        raise ValueError("`--layers` must not be given with --prior")
    return found


def _decoded(
    image: Any,
    decoders: "dict[str, Decoder]",
    size: int,
    rows: list[tuple[str, ...]],
    runs: list[dict[str, Any]],
) -> list[np.ndarray]:
    """Return what decoders make of a picture, and add its errors to the rows and runs of the layers."""
    from stylezoo import visualize

    pictures = []
    for index, decoder in enumerate(decoders.values()):
        picture, error = visualize.invert(decoder, image)
        pictures.append(images.resize(picture, (size, size))[0].numpy())
        rows[index] = (*rows[index], f"{error:.4f}")
        runs[index]["decoded_error"] = error
    return pictures


def _configs(
    values: flags.FlagValues, decoders: "dict[str, Decoder]"
) -> "dict[str, InversionConfig]":
    """Return the configuration of every layer of the sheet, in its order."""
    from stylezoo import perceptual, synthesis

    optimizer = synthesis_flags.optimizer(values, synthesis.InversionConfig.optimizer)
    looked = network_flags.read(values)
    taps = list(perceptual.tap_info(looked))
    layers = list(decoders or values.layers or taps)
    if not decoders and values.layers is None:
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
