"""A picture that looks as before and that a network takes for another class.

Usage:
  stylezoo visualize fooling --image=PICTURE --class=CLASS,... --output=PICTURE [--flags]

Few steps along the gradient of the class's probability are enough (Goodfellow et al. 2015, Kurakin et al.
2017). The sheet has a row for each class: the picture, the picture that fools the network, and their
difference, ten times as large, about grey. With --fooling=PICTURE the fooling picture is written alone too,
in 8 bits without loss, as PNG.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import images
from stylezoo.binaries.common import (
    config_flags,
    network_flags,
    options,
    quiet,
    reporting,
    unit_flags,
)
from stylezoo.visualize.fooling_config import FoolingConfig

if TYPE_CHECKING:
    from stylezoo.visualize import Fooled

_CONFIG = config_flags.ConfigFlags(FoolingConfig)
_ENLARGED = 10  # factor of the differences on the sheet


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="Sheet to write.",
        report="Also write probabilities and settings to this JSON file.",
    )
    network_flags.define(values, default="efficientnet_lite0")
    network_flags.define_labels(values)
    _CONFIG.define(values)
    for name, text in (
        ("image", "Picture that is changed."),
        (
            "class",
            "Classes that the network shall see in it, by number or name, with commas between them.",
        ),
        ("fooling", "PNG file to write the fooling picture of the only class to."),
    ):
        flags.DEFINE_string(name, None, text, flag_values=values)
    flags.DEFINE_integer(
        "size",
        224,
        "Longest side to which the picture is resized, px. Networks of one size get a square of it.",
        1,
        flag_values=values,
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "image", "class", "output")
    images.check_output_path(values.output, overwrite=values.overwrite)
    if values.fooling:
        images.check_output_path(values.fooling, overwrite=values.overwrite, extensions=[".png"])
    reporting.check_report(values)
    image = images.read_image(values.image, max_pixels=values.max_pixels)
    quiet.import_tensorflow()
    from stylezoo import perceptual, visualize

    looked = network_flags.read(values)
    chosen = unit_flags.classes(values, looked, values["class"].value)
    if values.fooling and len(chosen) > 1:
        raise ValueError(f"`--fooling` must come with one class. Received: {len(chosen)}")
    names = network_flags.classes(values, looked).names
    shown = network_flags.fitted(image, network=looked, taps=[perceptual.SCORES], size=values.size)
    network = network_flags.perceptual(values, looked).build([perceptual.SCORES])
    config = _CONFIG.create(values)
    found = []
    for unit in chosen:
        with reporting.steps(f"fooling {unit.name.split(',')[0]}") as callback:
            found.append(
                visualize.fool(network, shown, unit.channel, config=config, callback=callback)
            )
    rows = [_row(unit, each, names) for unit, each in zip(chosen, found, strict=True)]
    reporting.write_picture(values, _sheet(shown[0].numpy(), found, rows), values.output)
    if values.fooling:
        images.write_image(values.fooling, found[0].image, overwrite=values.overwrite)
    print(_table(rows))
    reporting.write_report(
        values,
        {
            "classes": rows,
            "settings": reporting.settings(config),
            **reporting.circumstances(values),
        },
    )
    return 0


def _row(unit: unit_flags.Named, found: "Fooled", names: list[str]) -> dict[str, Any]:
    """Return what the network says of a picture before and after."""
    before, after = (int(np.argmax(each)) for each in (found.before, found.after))
    return {
        "class": unit.name,
        "steps": found.steps,
        "fooled": after == unit.channel,
        "before": {"class": names[before], "probability": float(found.before[before])},
        "after": {"class": names[after], "probability": float(found.after[after])},
        "target_before": float(found.before[unit.channel]),
        "target_after": float(found.after[unit.channel]),
    }


def _sheet(shown: np.ndarray, found: "list[Fooled]", rows: list[dict[str, Any]]) -> np.ndarray:
    cells, captions = [], []
    for each, row in zip(found, rows, strict=True):
        difference = each.image[0] - shown
        cells += [shown, each.image[0], np.clip(0.5 + _ENLARGED * difference, 0.0, 1.0)]
        for when in ("before", "after"):
            name = row[when]["class"].split(",")[0]
            captions.append(f"{name} {100 * row[when]['probability']:.1f} %")
        captions.append(f"difference x {_ENLARGED}")
    return images.contact_sheet(cells, columns=3, captions=captions)


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [
        (
            row["class"],
            f"{row['target_before']:.4f}",
            f"{row['target_after']:.4f}",
            str(row["steps"]),
            "yes" if row["fooled"] else f"no, it sees {row['after']['class']}",
        )
        for row in rows
    ]
    return reporting.table([("CLASS", "BEFORE", "AFTER", "STEPS", "FOOLED"), *lines])
