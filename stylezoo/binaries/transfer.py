"""Paint a photograph in the style of other pictures, by optimisation.

Usage:
  stylezoo transfer --content=PHOTO --style=PAINTING[,PAINTING...] --output=PICTURE [--flags]

Presets:
  fast             coarse to fine with a preconditioned L-BFGS, on VGG-16 (the default)
  gatys2016-paper  as in the CVPR 2016 paper: from noise, average pooling, VGG-19
  gatys2016-code   as in its authors' PyTorch code: 500 steps at 512 px, then 200, VGG-19

A flag that is given takes the place of its preset's value. Weights of losses mean the same for every
network and size under `fast`; under the others they are multiples of the published ones.
"""

import dataclasses
import pathlib
from typing import TYPE_CHECKING

from absl import flags

from stylezoo import images
from stylezoo.binaries import options, quiet, reporting

if TYPE_CHECKING:
    from stylezoo.synthesis import TransferConfig

# Flags that override the configuration's field of the same name.
_FIELDS = (
    "size",
    "network",
    "weights",
    "pooling",
    "content_layers",
    "style_layers",
    "content_weight",
    "style_weight",
    "tv_weight",
    "style_loss",
    "style_scale",
    "preserve_color",
    "dream_layer",
    "dream_weight",
    "average_decay",
    "tolerance",
    "tile",
    "seed",
)


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_synthesis_flags(values)
    options.define_schedule_flags(values)

    def string(name: str, text: str, default: str | None = None) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def strings(name: str, text: str) -> None:
        flags.DEFINE_list(name, None, text, flag_values=values)

    def number(name: str, text: str) -> None:
        flags.DEFINE_float(name, None, text, 0.0, flag_values=values)

    string("content", "The photograph.")
    strings("style", "The paintings.")
    strings("style_weights", "How much each painting counts; equally if not given.")
    strings(
        "masks", "Pictures of the content's size, one a painting: it applies where they are white."
    )
    string("preset", "One of the presets above.", "fast")
    flags.DEFINE_integer("size", None, "Longest side of the result, px.", 1, flag_values=values)
    number("content_weight", "Of the content loss.")
    number("style_weight", "Of the style loss.")
    number("tv_weight", "Of the total variation: smoother with more.")
    number("style_scale", "Size of the paintings relative to the result: larger strokes with more.")
    string("style_loss", "gram, moments or sliced.")
    strings("content_layers", "Where content is compared.")
    strings("style_layers", "Where style is compared.")
    string("init", "What to start from: content, noise, style, or a picture's path.")
    string("preserve_color", "none, luminance, or histogram (recolours the paintings first).")
    string("dream_layer", "A layer whose activation is amplified at the same time.")
    number("dream_weight", "Of that term.")
    number("average_decay", "Give the moving average of the pictures, with this decay.")
    flags.DEFINE_integer(
        "tile",
        None,
        "Evaluate in tiles of this side, px: memory then depends on it, not on --size.",
        1,
        flag_values=values,
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; returns its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "content", "style", "output")
    reporting.check_outputs(values, [values.output])
    style_weights = _numbers("style_weights", values.style_weights)

    def read(path: str):  # type: ignore[no-untyped-def]
        return images.read_image(path, max_pixels=values.max_pixels)

    content = read(values.content)
    styles = [read(path) for path in values.style]
    masks = [
        images.read_mask(path, max_pixels=values.max_pixels) for path in values.masks or ()
    ] or None
    quiet.import_tensorflow()
    config, initial_path = _configure(values)
    initial = read(initial_path) if initial_path else None

    from stylezoo import synthesis

    with reporting.progress(values, "transfer", values.output) as callback:
        result = synthesis.transfer(
            content,
            styles,
            config=config,
            style_weights=style_weights,
            masks=masks,
            initial=initial,
            callback=callback,
        )
    reporting.write_picture(values, result.image, values.output)
    reporting.write_report(values, reporting.report(values, result, config))
    return 0


def _configure(values: flags.FlagValues) -> "tuple[TransferConfig, str | None]":
    """The preset with the flags in its place, and the path of a picture to start from."""
    from stylezoo import synthesis

    if values.preset not in synthesis.PRESETS:
        raise ValueError(
            f"`--preset` must be one of {', '.join(synthesis.PRESETS)}. Received: {values.preset}"
        )
    config = synthesis.PRESETS[values.preset]
    own_init = values.init is None or values.init in synthesis.INITS
    if not own_init and not pathlib.Path(values.init).exists():
        raise FileNotFoundError(
            f"`--init` must be one of {', '.join(synthesis.INITS)}, or a picture. "
            f"Received: {values.init}"
        )
    config = dataclasses.replace(
        config,
        optimizer=options.optimizer(values, config.optimizer),
        schedule=options.schedule(values, config.schedule),
        **options.given(values, [*_FIELDS, "init"] if own_init else _FIELDS),
    )
    return config, None if own_init else values.init


def _numbers(name: str, texts: list[str] | None) -> list[float] | None:
    if not texts:
        return None
    try:
        return [float(text) for text in texts]
    except ValueError:
        raise ValueError(f"`--{name}` must be numbers. Received: {','.join(texts)}") from None
