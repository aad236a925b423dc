"""Train a network that paints photographs in one or several styles in one pass.

Usage:
  stylezoo train_style --styles=PAINTING[,PAINTING...] --content=PHOTOGRAPHS --run=FOLDER [--flags]
  stylezoo train_style --finetune_style=MODEL --styles=PAINTING --content=PHOTOGRAPHS --run=FOLDER

Generators:
  johnson              one style: instance norm, nearest upsampling, reflection (the default)
  johnson2016-paper    one style, as in the paper: batch norm, transposed convolutions
  johnson2016-code     one style, as in its code: instance norm
  conditional          one or many styles, blended at will; skips that keep the photograph, and blocks at
                       an eighth of the size for large strokes
  dumoulin2017         the same as in the paper (Dumoulin et al. 2017), without skips
  light                like conditional, a quarter of the work
  arbitrary            the style of any picture; --styles is a folder of paintings (Ghiasi et al. 2017)
  magenta-arbitrary    the same, small, with biases: --init_weights=arbitrary.magenta goes on from Magenta's
  ulyanov2016-stylize  one style, multi-scale with noise; ulyanov2017-stylize with instance norm

Interrupted at any moment, the same command goes on from the last saved state and ends with the same
weights. FOLDER gets the configuration, the states, TensorBoard's events, sample pictures and the preset
model/.
"""

from typing import TYPE_CHECKING

from absl import flags

from stylezoo.binaries.common import objective_flags, options, quiet, training_flags
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.objectives.named import OBJECTIVES
from stylezoo.training.painter_configs import StyleTraining

if TYPE_CHECKING:
    from stylezoo.generators import GeneratorConfig

_CONFIG = ConfigFlags(StyleTraining, skip=["generator", "objective"])


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    training_flags.define_generator_flags(values)
    _CONFIG.define(values)
    objective_flags.define(values, default="relative")


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "styles", "content", "run")
    quiet.import_tensorflow()
    from stylezoo import training

    return training_flags.run(values, training.train_style, _configure(values))


def _configure(values: flags.FlagValues) -> StyleTraining:
    return _CONFIG.create(
        values,
        generator=_generator(values),
        objective=objective_flags.objective(values, OBJECTIVES["relative"]),
    )


def _generator(values: flags.FlagValues) -> "GeneratorConfig":
    from stylezoo import errors, generators

    with errors.renamed(num_styles="styles", model="finetune_style"):
        if values.finetune_style is None:
            return generators.generator_config(
                values.generator or "johnson",
                num_styles=len(values.styles) + bool(values.identity_weight),
                width=values.width,
            )
        for name in ("generator", "width", "init_weights"):
            if values[name].present:
                raise ValueError(f"`--{name}` must not be given with --finetune_style")
        return generators.load(values.finetune_style).config.with_styles(len(values.styles))
