"""Paint a photograph in the style of other pictures, by optimisation.

Usage:
  stylezoo transfer --content=PHOTO --style=PAINTING[,PAINTING...] --output=PICTURE [--flags]

Methods and their presets, the default first:
  gatys   statistics of features (Gatys et al. 2016)
    fast              coarse to fine with a preconditioned L-BFGS, on VGG-16
    draft, high       the same with fewer and with more steps
    print             the same at 4096 px in tiles, from a picture of 512 px on
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
(`--method=cnnmrf --content_weight=0 --init=noise`). With --masks=auto the regions are clusters of the
perceptual network's features in the photograph and the paintings. They have no names, and may put together
what a person would not.
"""

import pathlib
from typing import Any

from absl import flags

from stylezoo import images
from stylezoo.binaries.common import options, quiet, reporting, synthesis_flags, transfer_flags
from stylezoo.synthesis.configurations import INITS, PRESETS

# The value of --masks for regions that are found.
_AUTO = "auto"

METHODS = ("gatys", "cnnmrf", "nnst")


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    synthesis_flags.define_synthesis_flags(values)
    transfer_flags.define(
        values,
        init="What the picture starts from: content, noise, style, or the path of a picture.",
        masks="Masks of the content's size, one for each painting, which applies where its mask is white; or "
        "auto, for regions that are found in all pictures.",
    )
    flags.DEFINE_string("content", None, "Photograph that is painted.", flag_values=values)
    flags.DEFINE_enum("method", None, METHODS, "Method of transfer.", flag_values=values)
    flags.DEFINE_string(
        "preset", None, "Preset of the method, one of those above.", flag_values=values
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "content", "style", "output")
    reporting.check_outputs(values, [values.output])
    content = images.read_image(values.content, max_pixels=values.max_pixels)
    styles = transfer_flags.read_styles(values)
    finds_regions = values.masks == [_AUTO]
    if finds_regions and styles.masks is not None:
        raise ValueError("`--style_masks` must not be given with --masks=auto")
    masks = None if finds_regions else transfer_flags.read_masks(values, values.masks)
    quiet.import_tensorflow()
    config = transfer_flags.configure(values, synthesis_flags.preset(values, PRESETS))
    initial = _initial(values)

    from stylezoo import synthesis

    style_masks: Any = styles.masks
    if finds_regions:
        masks, style_masks = synthesis.find_regions(
            content, styles.pictures, network=config.objective.perceptual, seed=config.seed
        )
    with reporting.progress(values, "transfer", values.output) as callback:
        result = synthesis.transfer(
            content,
            styles.pictures,
            config=config,
            style_weights=styles.weights,
            masks=masks,
            style_masks=style_masks,
            initial=initial,
            callback=callback,
        )
    reporting.write_picture(values, result.image, values.output)
    reporting.write_report(values, reporting.report(values, result, config))
    return 0


def _initial(values: flags.FlagValues) -> images.FloatArray | None:
    """Return the picture of --init, if it is one."""
    if values.init is None or values.init in INITS:
        return None
    if not pathlib.Path(values.init).exists():
        raise FileNotFoundError(
            f"`--init` must be one of {', '.join(INITS)}, or a picture. Received: {values.init}"
        )
    return images.read_image(values.init, max_pixels=values.max_pixels)
