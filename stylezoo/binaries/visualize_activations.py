"""What the channels of a layer make of a picture: a grid of their maps.

Usage:
  stylezoo visualize activations --image=PICTURE --layer=LAYER --output=PICTURE [--channel=N,...] [--flags]

Each map goes from black to the channel's strongest value, which its caption gives. --strongest=N shows only
the channels whose strongest value is among the highest N.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries.common import network_flags, options, quiet, reporting, unit_flags

if TYPE_CHECKING:
    import tensorflow as tf


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="Picture to write.",
        report="Also write the strongest values and settings to this JSON file.",
    )
    network_flags.define(values, default="squeezenet1_1")
    for name, default, text in (
        ("image", None, "Picture to look at."),
        ("layer", None, "Layer whose channels are shown."),
        (
            "channel",
            "all",
            "Channels by number, with commas between them; START:STOP:STEP stands for many, all for all.",
        ),
    ):
        flags.DEFINE_string(name, default, text, flag_values=values)
    for name, count, text in (
        (
            "size",
            224,
            "Longest side to which the picture is resized, px. Networks of one size get a square of it.",
        ),
        ("strongest", None, "Number of channels that are shown, those of the highest values."),
        ("map_size", 96, "Longest side of a map on the sheet, px."),
        ("columns", None, "Number of columns of the sheet; by default about as many as rows."),
    ):
        flags.DEFINE_integer(name, count, text, 1, flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "image", "layer", "output")
    images.check_output_path(values.output, overwrite=values.overwrite)
    reporting.check_report(values)
    image = images.read_image(values.image, max_pixels=values.max_pixels)
    quiet.import_tensorflow()
    from stylezoo import perceptual

    looked = network_flags.read(values)
    layer = values.layer
    with errors.renamed(taps="layer"):
        perceptual.check_taps(looked, [layer])
    chosen = unit_flags.channels(values.channel, network=looked, layer=layer)
    shown = network_flags.fitted(image, network=looked, taps=[layer], size=values.size)
    features = network_flags.perceptual(values, looked).build([layer])(shown)[layer][0].numpy()
    strongest = features.max(axis=(0, 1))
    chosen = sorted(chosen, key=lambda channel: -strongest[channel])[: values.strongest or None]
    chosen = chosen if values.strongest else sorted(chosen)
    sheet = _sheet(shown, features, chosen, values)
    reporting.write_picture(values, sheet, values.output)
    rows = [(f"{layer}:{channel}", f"{strongest[channel]:.4f}") for channel in chosen]
    print(reporting.table([("CHANNEL", "STRONGEST"), *rows]))
    reporting.write_report(
        values,
        {
            "layer": layer,
            "size": list(features.shape),
            "channels": [
                {"channel": channel, "strongest": float(strongest[channel])} for channel in chosen
            ],
            **reporting.circumstances(values),
        },
    )
    return 0


def _sheet(
    shown: "tf.Tensor", features: np.ndarray, chosen: list[int], values: flags.FlagValues
) -> np.ndarray:
    """Return the sheet of the picture and the maps of channels."""
    from stylezoo import visualize

    cells = [images.resize_longest_side(shown, values.map_size)[0].numpy()]
    for each in visualize.activation_maps(features[..., chosen]):
        zoom = max(values.map_size // max(each.shape[:2]), 1)
        cells.append(each.repeat(zoom, axis=0).repeat(zoom, axis=1))
    captions = [values.layer, *(f"{n}: {features[..., n].max():.4g}" for n in chosen)]
    columns = values.columns or math.ceil(math.sqrt(len(cells)))
    return images.contact_sheet(cells, columns=columns, captions=captions)
