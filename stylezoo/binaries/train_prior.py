"""Train a decoder, which makes pictures of a classifier's features: a learned image prior.

Usage:
  stylezoo train_prior --content=PHOTOGRAPHS --run=FOLDER [--network=NAME] [--layer=LAYER] [--flags]

Interrupted at any moment, the same command goes on from the last saved state and ends with the same
weights. FOLDER gets the configuration, the states, TensorBoard's events, sample pictures (photograph and
what is decoded of it) and the preset model/, which `stylezoo visualize activation --prior=FOLDER/model`
and `stylezoo visualize inversion --prior=FOLDER/model` take.
"""

from absl import flags

from stylezoo.binaries.common import options, quiet, training_flags
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.training.prior_config import PriorTraining

_CONFIG = ConfigFlags(PriorTraining)


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    training_flags.define_run_flag(values)
    training_flags.LOOP.define(values)
    _CONFIG.define(values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "content", "run")
    quiet.import_tensorflow()
    from stylezoo import training

    return training_flags.run(values, training.train_prior, _CONFIG.create(values))
