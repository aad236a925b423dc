"""Train a network that paints a texture from noise, of any size, in one pass.

Usage:
  stylezoo train_texture --source=PICTURE --run=FOLDER [--flags]

Generators:
  texture_network      multi-scale, its activations limited (the default)
  ulyanov2016-texture  as in the paper, without limits

Interrupted at any moment, the same command goes on from the last saved state and ends with the same
weights. FOLDER gets the configuration, the states, TensorBoard's events, sample pictures and the preset
model/.
"""

from absl import flags

from stylezoo.binaries.common import objective_flags, options, quiet, training_flags
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.generators.configs import TextureNetworkConfig
from stylezoo.objectives.named import OBJECTIVES
from stylezoo.training.painter_configs import TextureTraining

_CONFIG = ConfigFlags(TextureTraining, skip=["generator", "objective"])
_NETWORK = ConfigFlags(TextureNetworkConfig, fields=["num_scales"])


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    training_flags.define_generator_flags(values)
    objective_flags.define(values, default="texture")
    _CONFIG.define(values)
    _NETWORK.define(values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "source", "run")
    quiet.import_tensorflow()
    from stylezoo import training

    return training_flags.run(values, training.train_texture, _configure(values))


def _configure(values: flags.FlagValues) -> TextureTraining:
    from stylezoo import generators

    preset = values.generator or "texture_network"
    generator = generators.generator_config(preset, width=values.width)
    if not isinstance(generator, TextureNetworkConfig):
        raise ValueError(f"`--generator` must be a texture network. Received: {preset}")
    return _CONFIG.create(
        values,
        generator=_NETWORK.replace(values, generator),
        objective=objective_flags.texture_objective(values, OBJECTIVES["texture"]),
    )
