"""Train a network that enlarges photographs 4 or 8 times, by perceptual loss.

Usage:
  stylezoo train_superres --generator=NAME --content=PHOTOGRAPHS --run=FOLDER [--flags]

Generators:
  superres_x4, superres_x8  what linear interpolation misses (the default is superres_x4)
  johnson2016-superres-x4, johnson2016-superres-x8  the whole picture, as in the paper

Interrupted at any moment, the same command goes on from the last saved state and ends with the same
weights. FOLDER gets the configuration, the states, TensorBoard's events, sample pictures (bicubic,
network, photograph) and the preset model/.
"""

from absl import flags

from stylezoo.binaries.common import options, quiet, training_flags
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.training.painter_configs import SuperresTraining

_CONFIG = ConfigFlags(SuperresTraining, skip=["generator"])


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    training_flags.define_generator_flags(values)
    _CONFIG.define(values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "content", "run")
    quiet.import_tensorflow()
    from stylezoo import training

    return training_flags.run(values, training.train_superres, _configure(values))


def _configure(values: flags.FlagValues) -> SuperresTraining:
    from stylezoo import generators

    preset = values.generator or "superres_x4"
    generator = generators.generator_config(preset, width=values.width)
    if not isinstance(generator, generators.SuperResolutionConfig):
        raise ValueError(f"`--generator` must be for super-resolution. Received: {preset}")
    return _CONFIG.create(values, generator=generator)
