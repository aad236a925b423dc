"""Train a network that paints photographs in one or several styles in one pass.

Usage:
  stylezoo train_style --styles=PAINTING[,PAINTING...] --content=PHOTOGRAPHS --run=FOLDER [--flags]
  stylezoo train_style --finetune_style=MODEL --styles=PAINTING --content=PHOTOGRAPHS --run=FOLDER

Generators:
  johnson              one style: instance norm, nearest upsampling, reflection (the default)
  johnson2016-paper    one style, as in the paper: batch norm, transposed convolutions
  johnson2016-code     one style, as in its code: instance norm
  conditional          one or many styles, blended at will (Dumoulin et al. 2017)
  light                the same, a seventh of the work
  ulyanov2016-stylize  one style, multi-scale with noise; ulyanov2017-stylize with instance norm

Interrupted at any moment, the same command goes on from the last saved state and ends with the same
weights. FOLDER gets the configuration, the states, TensorBoard's events, sample pictures and model.h5.
"""

from typing import TYPE_CHECKING

from absl import flags

from stylezoo.binaries import options, quiet, runs

if TYPE_CHECKING:
    from stylezoo.generators import GeneratorConfig
    from stylezoo.training import StyleTraining


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    runs.define_loop_flags(values)
    runs.define_content_flags(values)
    runs.define_objective_flags(values)
    flags.DEFINE_list("styles", None, "The paintings; their names name them.", flag_values=values)
    flags.DEFINE_integer(
        "style_size",
        None,
        "Longest side of the paintings, px (256): larger strokes with more.",
        1,
        flag_values=values,
    )
    flags.DEFINE_string(
        "objective",
        "relative",
        "relative, johnson2016 or dumoulin2017; the flags of losses take the place of its values.",
        flag_values=values,
    )
    flags.DEFINE_list("content_layers", None, "Where content is compared.", flag_values=values)
    flags.DEFINE_float("content_weight", None, "Of the content loss.", 0.0, flag_values=values)
    flags.DEFINE_string(
        "finetune_style",
        None,
        "A conditional model: add the styles to it, training their scales and shifts alone.",
        flag_values=values,
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; returns its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "styles", "content", "run")
    quiet.import_tensorflow()
    from stylezoo import training

    config, loop = _configure(values), runs.loop_config(values)
    with runs.progress(values, loop) as callback:
        result = training.train_style(config, loop=loop, run=values.run, callback=callback)
    return runs.finish(values, result)


def _configure(values: flags.FlagValues) -> "StyleTraining":
    from stylezoo import objectives, training

    if values.objective not in objectives.OBJECTIVES:
        raise ValueError(
            f"`--objective` must be one of {', '.join(objectives.OBJECTIVES)}. "
            f"Received: {values.objective}"
        )
    return training.StyleTraining(
        generator=_generator(values),
        styles=tuple(values.styles),
        content=runs.content_config(values),
        objective=runs.given_objective(values, objectives.OBJECTIVES[values.objective]),
        **options.given(values, ("style_size", "init_weights", "finetune_style")),
    )


def _generator(values: flags.FlagValues) -> "GeneratorConfig":
    from stylezoo import generators

    if values.finetune_style is None:
        return generators.generator_config(
            values.generator or "johnson", num_styles=len(values.styles), width=values.width
        )
    for name in ("generator", "width", "init_weights"):
        if values[name].present:
            raise ValueError(f"`--{name}` must not be given with --finetune_style")
    return generators.load(values.finetune_style).config.with_styles(len(values.styles))
