"""Find a picture with the same features at one layer: what the layer remembers.

Usage:
  stylezoo invert --image=PICTURE --layer=LAYER --output=PICTURE [--flags]
"""

from absl import flags

from stylezoo import images
from stylezoo.binaries.common import config_flags, options, quiet, reporting, synthesis_flags
from stylezoo.synthesis.configurations import InversionConfig

_CONFIG = config_flags.ConfigFlags(InversionConfig, fields=["layer", "perceptual"])


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    synthesis_flags.define_synthesis_flags(values)
    synthesis_flags.define_inversion_flags(values)
    _CONFIG.define(values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "image", "layer", "output")
    reporting.check_outputs(values, [values.output])
    image = images.read_image(values.image, max_pixels=values.max_pixels)

    optimizer = synthesis_flags.optimizer(values, InversionConfig.optimizer)
    config = _CONFIG.create(values, optimizer=optimizer, **synthesis_flags.INVERSION.given(values))

    quiet.import_tensorflow()
    from stylezoo import synthesis

    with reporting.progress(values, f"invert {config.layer}", values.output) as callback:
        result = synthesis.invert(image, config=config, callback=callback)
    reporting.write_picture(values, result.image, values.output)
    reporting.write_report(values, reporting.report(values, result, config))
    return 0
