"""Flags of the commands that optimise pixels, and the functions that read them."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from absl import flags

from stylezoo.binaries.common import options
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.synthesis.configurations import InversionConfig, Schedule
from stylezoo.synthesis.optimizers import LBFGS, Adam

if TYPE_CHECKING:
    from stylezoo.synthesis import OptimizerConfig, TextureConfig, TransferConfig

    Config = TypeVar("Config", TransferConfig, TextureConfig)

OPTIMIZERS = ("lbfgs", "adam")

# The methods by their style losses; those of all others are "gatys".
_METHODS = {"mrf": "cnnmrf", "neighbors": "nnst"}

_ADAM = ConfigFlags(Adam, fields=["learning_rate"])
_SCHEDULE = ConfigFlags(Schedule, fields=["smallest"])
# The flags of an inversion without those of its layer, network and optimiser.
INVERSION = ConfigFlags(InversionConfig, skip=["layer", "perceptual", "optimizer"])


def define_synthesis_flags(values: flags.FlagValues) -> None:
    """Define the flags of every command that makes a picture by optimising its pixels."""
    options.define_output_flags(
        values,
        output="Picture to write.",
        report="Also write losses, times and settings to this JSON file.",
    )
    flags.DEFINE_integer(
        "save_every",
        None,
        "Also write the picture whenever so many steps are done, with the step in its name.",
        1,
        flag_values=values,
    )
    define_optimizer_flags(values)


def define_optimizer_flags(values: flags.FlagValues) -> None:
    """Define the flags of every command that optimises pixels."""
    flags.DEFINE_enum("optimizer", None, OPTIMIZERS, "Optimiser of the pixels.", flag_values=values)
    _ADAM.define(values)


def define_inversion_flags(values: flags.FlagValues) -> None:
    """Define the flags of every command that inverts features, without layer, network and optimiser."""
    flags.DEFINE_string("image", None, "Picture whose features are inverted.", flag_values=values)
    INVERSION.define(values)


def define_schedule_flags(values: flags.FlagValues) -> None:
    """Define the flags of every command that goes from small pictures to large ones."""
    flags.DEFINE_integer("steps", None, "Number of steps at every size.", flag_values=values)
    _SCHEDULE.define(values)


def preset(values: flags.FlagValues, presets: "Mapping[str, Config]") -> "Config":
    """Return the configuration of ``--preset``, or the first one of ``--method``.

    Raises:
        ValueError: If the method has no preset of that name.
    """
    own = [
        name
        for name, config in presets.items()
        if values.method in (None, _METHODS.get(config.objective.style_loss, "gatys"))
    ]
    name = values.preset or own[0]
    if name not in own:
        method = f" of --method={values.method}" if values.method else ""
        raise ValueError(f"`--preset`{method} must be one of {', '.join(own)}. Received: {name}")
    return presets[name]


def optimizer(values: flags.FlagValues, default: "OptimizerConfig") -> "OptimizerConfig":
    """Return the optimiser that the flags ask for, or ``default``.

    Raises:
        ValueError: If there is a learning rate without Adam, or Adam does not allow it.
    """
    if values.optimizer == "adam" or (values.optimizer is None and isinstance(default, Adam)):
        return _ADAM.replace(values, Adam())
    if values.learning_rate is not None:
        raise ValueError("`--learning_rate` must come with --optimizer=adam")
    return default if isinstance(default, LBFGS) else LBFGS()


def schedule(values: flags.FlagValues, default: Schedule) -> Schedule:
    """Return ``default`` with the sizes and steps that the flags ask for.

    Raises:
        ValueError: If the number of steps or the size is out of its range.
    """
    if values.steps is not None:
        steps = values.steps
        default = dataclasses.replace(default, initial_steps=steps, middle_steps=steps, steps=steps)
    return _SCHEDULE.replace(values, default)
