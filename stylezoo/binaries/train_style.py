"""Train a network that paints photographs in one or several styles in one pass.

Usage:
  stylezoo train_style --styles=PAINTING[,PAINTING...] --content=PHOTOGRAPHS --run=FOLDER [--flags]
  stylezoo train_style --finetune_style=MODEL --styles=PAINTING --content=PHOTOGRAPHS --run=FOLDER

Generators:
  johnson              one style: instance norm, nearest upsampling, reflection (the default)
  johnson2016-paper    one style, as in the paper: batch norm, transposed convolutions
  johnson2016-code     one style, as in its code: instance norm
  conditional          one or many styles, blended at will, and skips that keep the photograph
  dumoulin2017         the same as in the paper (Dumoulin et al. 2017), without skips
  light                like conditional, a fifth of the work
  ulyanov2016-stylize  one style, multi-scale with noise; ulyanov2017-stylize with instance norm

Interrupted at any moment, the same command goes on from the last saved state and ends with the same
weights. FOLDER gets the configuration, the states, TensorBoard's events, sample pictures and the preset
model/.
"""

from typing import TYPE_CHECKING

from absl import flags

from stylezoo.binaries.common import objective_flags, options, quiet, training_flags
from stylezoo.objectives.named import OBJECTIVES

if TYPE_CHECKING:
    from stylezoo.generators import GeneratorConfig
    from stylezoo.training import StyleTraining


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    training_flags.define_generator_flags(values)
    training_flags.CONTENT.define(values)
    objective_flags.define(values, default="relative")
    flags.DEFINE_list(
        "styles",
        None,
        "Paintings whose styles are learned; the names of the files are those of the styles.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "style_size",
        None,
        "Longest side of the paintings, in pixels; strokes become larger with more.",
        1,
        flag_values=values,
    )
    flags.DEFINE_string(
        "finetune_style",
        None,
        "Conditional model that the styles are added to; only their scales and shifts are trained.",
        flag_values=values,
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "styles", "content", "run")
    quiet.import_tensorflow()
    from stylezoo import training

    return training_flags.run(values, training.train_style, _configure(values))


def _configure(values: flags.FlagValues) -> "StyleTraining":
    from stylezoo import training

    return training.StyleTraining(
        generator=_generator(values),
        styles=tuple(values.styles),
        content=training_flags.CONTENT.create(values),
        objective=objective_flags.objective(values, OBJECTIVES["relative"]),
        **options.given(values, ("style_size", "init_weights", "finetune_style")),
    )


def _generator(values: flags.FlagValues) -> "GeneratorConfig":
    from stylezoo import errors, generators

    with errors.renamed(num_styles="styles"):
        if values.finetune_style is None:
            return generators.generator_config(
                values.generator or "johnson", num_styles=len(values.styles), width=values.width
            )
        for name in ("generator", "width", "init_weights"):
            if values[name].present:
                raise ValueError(f"`--{name}` must not be given with --finetune_style")
        return generators.load(values.finetune_style).config.with_styles(len(values.styles))
