"""Find a picture with the same features at one layer: what the layer remembers.

Usage:
  stylezoo invert --image=PICTURE --layer=LAYER --output=PICTURE [--flags]
"""

from absl import flags

from stylezoo import images
from stylezoo.binaries.common import config_flags, options, quiet, reporting
from stylezoo.perceptual.configuration import Perceptual

_PERCEPTUAL = config_flags.ConfigFlags(Perceptual())
_FIELDS = ("layer", "size", "tv_weight", "tv_beta", "steps", "tolerance", "seed")


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_synthesis_flags(values)
    options.define_inversion_flags(values)
    _PERCEPTUAL.define(values)
    flags.DEFINE_string("layer", None, "Layer whose features are inverted.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; returns its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "image", "layer", "output")
    reporting.check_outputs(values, [values.output])
    image = images.read_image(values.image, max_pixels=values.max_pixels)

    quiet.import_tensorflow()

    from stylezoo import synthesis

    default = synthesis.InversionConfig.optimizer
    config = synthesis.InversionConfig(
        perceptual=_PERCEPTUAL.replace(values, Perceptual()),
        optimizer=options.optimizer(values, default),
        **options.given(values, _FIELDS),
    )
    with reporting.progress(values, f"invert {config.layer}", values.output) as callback:
        result = synthesis.invert(image, config=config, callback=callback)
    reporting.write_picture(values, result.image, values.output)
    reporting.write_report(values, reporting.report(values, result, config))
    return 0
