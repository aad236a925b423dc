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
    from stylezoo.objectives import StyleObjective
    from stylezoo.synthesis import (
        OptimizerConfig,
        PatchConfig,
        Schedule,
        TextureConfig,
        TransferConfig,
    )

    Config = TypeVar("Config", TransferConfig, TextureConfig)

OPTIMIZERS = ("lbfgs", "adam")

_OBJECTIVE_FIELDS = (
    "network",
    "weights",
    "pooling",
    "content_layers",
    "style_layers",
    "content_weight",
    "style_weight",
    "tv_weight",
)
_LAYER_WEIGHTS = "style_layer_weights"


def define_synthesis_flags(values: flags.FlagValues) -> None:
    """The flags of every command that makes a picture by optimising pixels under a network."""
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
    define_network_flags(values)
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


def define_network_flags(values: flags.FlagValues) -> None:
    """The flags of every command that looks through a perceptual network."""
    flags.DEFINE_string(
        "network", None, "Architecture: vgg16, vgg19, alexnet_owt, ...", flag_values=values
    )
    flags.DEFINE_string(
        "weights",
        None,
        "imagenet (the best there is), a name of `stylezoo weights list`, or a file.",
        flag_values=values,
    )
    flags.DEFINE_string("pooling", None, "max or avg.", flag_values=values)


def define_texture_objective_flags(values: flags.FlagValues) -> None:
    """The flags of every command that compares with a style."""
    define_network_flags(values)
    flags.DEFINE_list("style_layers", None, "Where style is compared.", flag_values=values)
    flags.DEFINE_list(
        _LAYER_WEIGHTS,
        None,
        "A number for each of --style_layers: their shares (equal ones).",
        flag_values=values,
    )
    for name, text in (
        ("style_weight", "Of the style loss."),
        ("tv_weight", "Of the total variation: smoother with more."),
    ):
        flags.DEFINE_float(name, None, text, 0.0, flag_values=values)


def define_objective_flags(values: flags.FlagValues) -> None:
    """The flags of every command that compares with a style and a photograph."""
    define_texture_objective_flags(values)
    flags.DEFINE_string(
        "objective",
        "relative",
        "relative, johnson2016 or dumoulin2017; the flags of losses take the place of its values.",
        flag_values=values,
    )
    flags.DEFINE_list("content_layers", None, "Where content is compared.", flag_values=values)
    flags.DEFINE_float("content_weight", None, "Of the content loss.", 0.0, flag_values=values)


def objective(values: flags.FlagValues) -> "StyleObjective":
    """The objective of ``--objective``, with the flags in its place."""
    from stylezoo import objectives

    if values.objective not in objectives.OBJECTIVES:
        raise ValueError(
            f"`--objective` must be one of {', '.join(objectives.OBJECTIVES)}. "
            f"Received: {values.objective}"
        )
    return given_objective(values, objectives.OBJECTIVES[values.objective])


def given_objective(values: flags.FlagValues, default: "StyleObjective") -> "StyleObjective":
    """``default`` with the flags in its place."""
    fields = given(values, [field for field in _OBJECTIVE_FIELDS if field in values])
    if _LAYER_WEIGHTS in values and values[_LAYER_WEIGHTS].value is not None:
        fields[_LAYER_WEIGHTS] = numbers(_LAYER_WEIGHTS, values[_LAYER_WEIGHTS].value)
    return dataclasses.replace(default, **fields)


def numbers(name: str, texts: Sequence[str]) -> tuple[float, ...]:
    """What a list flag's texts say, or a ValueError that names the flag."""
    try:
        return tuple(map(float, texts))
    except ValueError:
        raise ValueError(f"`--{name}` must be numbers. Received: {','.join(texts)}") from None


def define_optimizer_flags(values: flags.FlagValues) -> None:
    """The flags of every command that optimises pixels."""
    flags.DEFINE_enum("optimizer", None, OPTIMIZERS, "Of the pixels.", flag_values=values)
    flags.DEFINE_float(
        "learning_rate", None, "Of Adam, in pixel values (0.02).", 0.0, flag_values=values
    )
    flags.DEFINE_integer("steps", None, "At every size.", 0, flag_values=values)
    flags.DEFINE_float(
        "tolerance",
        None,
        "End (a size) early when the loss changes by less than this fraction over 50 steps.",
        0.0,
        flag_values=values,
    )
    flags.DEFINE_integer("seed", None, "Of everything random (0).", 0, flag_values=values)


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


# Flag -> field of `PatchConfig`.
PATCH_FLAGS = {
    "patch_stride": "stride",
    "patch_scales": "scales",
    "patch_rotations": "rotations",
    "match_every": "every",
    "match_memory": "memory",
    "guide_weight": "guide_weight",
}


def define_patch_flags(values: flags.FlagValues) -> None:
    """The flags of every command that matches neural patches."""
    for name, least, text in (
        ("patch_stride", 1, "From one patch to the next, in features."),
        ("patch_scales", 0, "How many steps of 5 % the style is enlarged and reduced too."),
        ("patch_rotations", 0, "How many steps of 7.5 degrees it is rotated either way too."),
        ("match_every", 1, "Look for the nearest patches anew after so many steps."),
        ("match_memory", 1, "Of that search, MB."),
    ):
        flags.DEFINE_integer(name, None, text, least, flag_values=values)


def patches(values: flags.FlagValues, config: "TransferConfig | TextureConfig") -> "PatchConfig":
    """The configuration of patches with the flags in its place; they need the loss of patches."""
    chosen = {flag: values[flag].value for flag in PATCH_FLAGS if flag in values}
    given = {flag: value for flag, value in chosen.items() if value is not None}
    style_loss = values.style_loss or config.style_loss
    if given and style_loss != "mrf":
        raise ValueError(
            f"`--{next(iter(given))}` must come with --style_loss=mrf, as --method=cnnmrf has it. "
            f"Received: {style_loss}"
        )
    fields = {PATCH_FLAGS[flag]: value for flag, value in given.items()}
    return dataclasses.replace(config.patches, **fields)


def preset(values: flags.FlagValues, presets: "Mapping[str, Config]") -> "Config":
    """The configuration of ``--preset``; or the first of those that ``--method`` has."""
    own = [
        name
        for name, config in presets.items()
        if values.method is None or config.uses_patches == (values.method == "cnnmrf")
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
