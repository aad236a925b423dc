"""Flags that several commands share, and what they stand for."""

import dataclasses
import glob
import itertools
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from absl import flags

from stylezoo import images

if TYPE_CHECKING:
    from stylezoo.synthesis import OptimizerConfig, Schedule, TextureConfig, TransferConfig

    Config = TypeVar("Config", TransferConfig, TextureConfig)

OPTIMIZERS = ("lbfgs", "adam")


def define_synthesis_flags(values: flags.FlagValues) -> None:
    """The flags of every command that makes a picture by optimising pixels."""
    define_output_flags(
        values,
        output="The picture to write.",
        report="Also write losses, times and settings to this JSON file.",
    )
    flags.DEFINE_integer(
        "save_every",
        None,
        "Also write the picture as it is after every so many steps, with the step in its name.",
        1,
        flag_values=values,
    )
    define_optimizer_flags(values)


def define_output_flags(values: flags.FlagValues, *, output: str, report: str) -> None:
    """The flags of every command that writes pictures; what two of them mean."""
    flags.DEFINE_string("output", None, output, flag_values=values)
    define_file_flags(values, report=report)


def define_file_flags(values: flags.FlagValues, *, report: str) -> None:
    """The flags of every command that reads pictures and may write some; what one of them means."""
    flags.DEFINE_string("report", None, report, flag_values=values)
    flags.DEFINE_integer("quality", 95, "Of JPEG and WebP, 1 to 100.", 1, 100, flag_values=values)
    flags.DEFINE_bool("overwrite", False, "Replace existing outputs.", flag_values=values)
    define_reading_flags(values)


def define_reading_flags(values: flags.FlagValues) -> None:
    """The flags of every command that reads pictures."""
    flags.DEFINE_integer(
        "max_pixels",
        images.DEFAULT_MAX_PIXELS,
        "Refuse to read larger pictures, which may be decompression bombs.",
        1,
        flag_values=values,
    )


def require(values: flags.FlagValues, *names: str) -> None:
    """Raise a ValueError that names the first of these flags that is missing."""
    for name in names:
        if not values[name].value:
            raise ValueError(f"`--{name}` must be given")


def pictures(arguments: list[str]) -> list[pathlib.Path]:
    """The files that positional arguments stand for, each once: pictures, folders or patterns.

    Raises:
        ValueError: if there are no arguments, or no pictures in a folder.
        FileNotFoundError: for a path that does not exist, or a pattern that matches nothing.
    """
    if not arguments:
        raise ValueError("expected photographs: pictures, folders or patterns")
    return list(dict.fromkeys(itertools.chain(*map(_pictures, arguments))))


def _pictures(argument: str) -> list[pathlib.Path]:
    """The pictures that an argument stands for."""
    path = pathlib.Path(argument)
    if path.is_dir():
        found = [
            each
            for each in sorted(path.iterdir())
            if each.suffix.lower() in images.IMAGE_EXTENSIONS and each.is_file()
        ]
        if not found:
            raise ValueError(
                f"`{argument}` must hold pictures ({' '.join(images.IMAGE_EXTENSIONS)})"
            )
        return found
    if path.exists():
        return [path]
    if not glob.has_magic(argument):
        raise FileNotFoundError(f"`{argument}` does not exist.")
    # Not Path.glob, which takes no absolute patterns.
    matches = map(pathlib.Path, sorted(glob.glob(argument, recursive=True)))  # noqa: PTH207
    found = [each for each in matches if each.is_file()]
    if not found:
        raise FileNotFoundError(f"`{argument}` matches no file.")
    return found


def reject_arguments(arguments: list[str]) -> None:
    """Raise a ValueError if there are positional arguments: a command that has only flags."""
    if arguments:
        raise ValueError(f"expected flags only. Received: {' '.join(arguments)}")


def numbers(name: str, texts: Sequence[str]) -> tuple[float, ...]:
    """What a list flag's texts say, or a ValueError that names the flag."""
    try:
        return tuple(map(float, texts))
    except ValueError:
        raise ValueError(f"`--{name}` must be numbers. Received: {','.join(texts)}") from None


def define_optimizer_flags(values: flags.FlagValues) -> None:
    """The flags of every command that optimises pixels."""
    flags.DEFINE_enum("optimizer", None, OPTIMIZERS, "Optimiser of the pixels.", flag_values=values)
    flags.DEFINE_float(
        "learning_rate",
        None,
        "Learning rate of Adam, in pixel values (default: 0.02).",
        0.0,
        flag_values=values,
    )
    flags.DEFINE_integer("steps", None, "Number of steps at every size.", 0, flag_values=values)
    flags.DEFINE_float(
        "tolerance",
        None,
        "A size ends early when its loss changes by less than this fraction over 50 steps.",
        0.0,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "seed", None, "Seed of everything random (default: 0).", 0, flag_values=values
    )


def define_inversion_flags(values: flags.FlagValues) -> None:
    """The flags of every command that inverts features."""
    flags.DEFINE_string("image", None, "The picture to take features from.", flag_values=values)
    flags.DEFINE_integer(
        "size", None, "Longest side of the result, px (256).", 1, flag_values=values
    )
    flags.DEFINE_float(
        "tv_weight",
        None,
        "Of the total variation; by default it grows with the layer's depth.",
        0.0,
        flag_values=values,
    )
    flags.DEFINE_float("tv_beta", None, "2 penalises steps, 1 spikes (2).", flag_values=values)


def define_schedule_flags(values: flags.FlagValues) -> None:
    """The flags of every command that goes from coarse to fine."""
    flags.DEFINE_integer(
        "smallest",
        None,
        "Longest side of the first of the sizes, px; the final size for one size only.",
        1,
        flag_values=values,
    )


def preset(values: flags.FlagValues, presets: "Mapping[str, Config]") -> "Config":
    """The configuration of ``--preset``; or the first of those that ``--method`` has."""
    own = [
        name
        for name, config in presets.items()
        if values.method is None or config.objective.uses_patches == (values.method == "cnnmrf")
    ]
    name = values.preset or own[0]
    if name not in own:
        method = f" of --method={values.method}" if values.method else ""
        raise ValueError(f"`--preset`{method} must be one of {', '.join(own)}. Received: {name}")
    return presets[name]


def optimizer(values: flags.FlagValues, default: "OptimizerConfig") -> "OptimizerConfig":
    """The optimiser that the flags ask for, or ``default``."""
    from stylezoo.synthesis import LBFGS, Adam

    if values.optimizer == "adam" or (values.optimizer is None and isinstance(default, Adam)):
        rate = values.learning_rate
        return Adam() if rate is None else Adam(learning_rate=rate)
    if values.learning_rate is not None:
        raise ValueError("`--learning_rate` must come with --optimizer=adam")
    return default if isinstance(default, LBFGS) else LBFGS()


def schedule(values: flags.FlagValues, default: "Schedule") -> "Schedule":
    """The sizes and steps that the flags ask for, or ``default``'s."""
    if values.steps is not None:
        steps = values.steps
        default = dataclasses.replace(default, initial_steps=steps, middle_steps=steps, steps=steps)
    if values.smallest is not None:
        default = dataclasses.replace(default, smallest=values.smallest)
    return default


def given(values: flags.FlagValues, fields: Sequence[str]) -> dict[str, Any]:
    """The configuration's fields whose flags, of the same names, were given."""
    chosen = {field: values[field].value for field in fields}
    return {
        field: tuple(value) if isinstance(value, list) else value
        for field, value in chosen.items()
        if value is not None
    }
