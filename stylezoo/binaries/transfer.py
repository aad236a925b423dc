"""Paint a photograph in the style of other pictures, by optimisation.

Usage:
  stylezoo transfer --content=PHOTO --style=PAINTING[,PAINTING...] --output=PICTURE [--flags]

Methods and their presets, the default first:
  gatys   statistics of features (Gatys et al. 2016)
    fast              coarse to fine with a preconditioned L-BFGS, on VGG-16
    gatys2016-paper   as in the CVPR 2016 paper: from noise, average pooling, VGG-19
    gatys2016-code    as in its authors' PyTorch code: 500 steps at 512 px, then 200, VGG-19
  cnnmrf  patches of features (Li & Wand 2016)
    cnnmrf            coarse to fine with a preconditioned L-BFGS, on VGG-16
    cnnmrf2016-paper  as in the CVPR 2016 paper: all patches of 35 variants of the style, VGG-19
    cnnmrf2016-code   as in its authors' code: every other patch of nine variants, VGG-19
  nnst    single feature vectors (Kolkin et al. 2022)
    nnst              coarse to fine with a preconditioned L-BFGS, one layer a block of VGG-16
    nnst2022-paper    as in the paper and its authors' code: ten layers, Adam on a Laplacian pyramid

A preset has an objective, which --objective changes for another, and an optimiser with its sizes and steps.
A flag that is given takes the place of its preset's value. Weights of losses mean the same for every
network and size under `fast` and `cnnmrf`; under the others they are the published ones or multiples.

With --masks there is a mask for each painting, white where the painting applies. With --style_masks there
may be any number of masks, and every painting has as many: what is white in a mask of the photograph takes
after what is white in that mask of the paintings. A drawing of regions becomes a picture in this way
(`--method=cnnmrf --content_weight=0 --init=noise`).
"""

import dataclasses
import pathlib
from typing import Any

from absl import flags

from stylezoo import images
from stylezoo.binaries.common import config_flags, objective_flags, options, quiet, reporting
from stylezoo.synthesis.configurations import INITS, PRESETS, TransferConfig

METHODS = ("gatys", "cnnmrf", "nnst")

_CONFIG = config_flags.ConfigFlags(
    PRESETS["fast"],
    skip=["objective", "init", "optimizer", "schedule"],
)


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_synthesis_flags(values)
    options.define_schedule_flags(values)
    objective_flags.define(values, default="relative")
    _CONFIG.define(values)

    def string(name: str, text: str, default: str | None = None) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def strings(name: str, text: str) -> None:
        flags.DEFINE_list(name, None, text, flag_values=values)

    string("content", "Photograph that is painted.")
    strings("style", "Paintings whose style the photograph gets, with commas between them.")
    strings(
        "style_weights",
        "Share of each painting in the style, with commas between them; by default all shares are equal.",
    )
    strings(
        "masks",
        "Masks of the content's size, one for each painting, which applies where its mask is white.",
    )
    strings(
        "style_masks",
        "Masks of the paintings' sizes, for each painting in turn as many as --masks has.",
    )
    flags.DEFINE_enum("method", None, METHODS, "Method of transfer.", flag_values=values)
    string("preset", "Preset of the method, one of those above.")
    string(
        "init",
        config_flags.with_notes(
            "What the picture starts from: content, noise, style, or the path of a picture.",
            *config_flags.default_note(PRESETS["fast"].init),
        ),
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "content", "style", "output")
    reporting.check_outputs(values, [values.output])
    given = values.style_weights
    style_weights = options.numbers("style_weights", given) if given else None

    def read(path: str):  # type: ignore[no-untyped-def]
        return images.read_image(path, max_pixels=values.max_pixels)

    content = read(values.content)
    styles = [read(path) for path in values.style]

    def read_masks(paths: list[str] | None):  # type: ignore[no-untyped-def]
        return [
            images.read_mask(path, max_pixels=values.max_pixels) for path in paths or ()
        ] or None

    masks = read_masks(values.masks)
    style_masks = _by_style(read_masks(values.style_masks), len(styles))
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
            style_masks=style_masks,
            initial=initial,
            callback=callback,
        )
    reporting.write_picture(values, result.image, values.output)
    reporting.write_report(values, reporting.report(values, result, config))
    return 0


def _configure(values: flags.FlagValues) -> tuple[TransferConfig, str | None]:
    """Return the preset as the flags change it, and the path of a picture to start from."""
    config = options.preset(values, PRESETS)
    own_init = values.init is None or values.init in INITS
    if not own_init and not pathlib.Path(values.init).exists():
        raise FileNotFoundError(
            f"`--init` must be one of {', '.join(INITS)}, or a picture. Received: {values.init}"
        )
    config = dataclasses.replace(
        config,
        objective=objective_flags.objective(values, config.objective),
        optimizer=options.optimizer(values, config.optimizer),
        schedule=options.schedule(values, config.schedule),
        **_CONFIG.given(values),
        **options.given(values, ["init"] if own_init else []),
    )
    return config, None if own_init else values.init


def _by_style(masks: list[Any] | None, num_styles: int) -> list[list[Any]] | None:
    """Return the masks of all paintings, painting by painting."""
    if masks is None:
        return None
    if len(masks) % num_styles:
        raise ValueError(
            "`--style_masks` must be as many for each painting. "
            f"Received: {len(masks)} for {num_styles} paintings"
        )
    count = len(masks) // num_styles
    return [masks[start : start + count] for start in range(0, len(masks), count)]
