"""The flags of a trained network that paints: which one, in what style, in what sizes."""

from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo import painting

if TYPE_CHECKING:
    from stylezoo.generators import StyleMix


# The names of the flags.
NAMES = (
    *("model", "style", "strength", "preserve_color", "seed"),
    *("stroke_size", "size", "tile", "tiling"),
)


def define(values: flags.FlagValues, *, pictures: str) -> None:
    """Add the flags to ``values``.

    Args:
        values: The command's flags.
        pictures: What is painted, for the help: ``"photographs"`` or ``"frames"``.
    """
    flags.DEFINE_string(
        "model",
        "conditional",
        "Model that paints: a name that `stylezoo models` lists, or a folder `model` of a run.",
        flag_values=values,
    )
    _define_style_flags(values)
    flags.DEFINE_integer(
        "stroke_size",
        painting.STROKE_SIZE,
        "Longest side of a photograph whose strokes are as in training, px; in larger ones strokes grow "
        "as well. With 0 strokes have the same size in all photographs.",
        0,
        flag_values=values,
    )
    for name, default, text in (
        (
            "size",
            None,
            f"Longest side that {pictures} are resized to, px; by default they keep their size.",
        ),
        ("tile", painting.DEFAULT_TILE, "Side of a tile, px. Smaller tiles take less memory."),
    ):
        flags.DEFINE_integer(name, default, text, 1, flag_values=values)
    flags.DEFINE_enum(
        "tiling",
        "auto",
        list(painting.TILINGS),
        "How large pictures are painted; see the help of `stylezoo stylize`.",
        flag_values=values,
    )


def _define_style_flags(values: flags.FlagValues) -> None:
    """Add the flags that say what is painted."""
    flags.DEFINE_string(
        "style",
        None,
        "Style of the model or a picture, or NAME:WEIGHT,NAME:WEIGHT,... for a blend.",
        flag_values=values,
    )
    flags.DEFINE_float(
        "strength",
        1.0,
        "Share of the style, from 0 to 1; the rest is the share of the photograph.",
        0.0,
        1.0,
        flag_values=values,
    )
    flags.DEFINE_bool(
        "preserve_color",
        False,
        "Keep the colours of the photograph, and take the brightness of the painting alone.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "seed", 0, "Seed of the noise that a texture network mixes in.", 0, flag_values=values
    )


def paint_options(values: flags.FlagValues, style: "StyleMix | str | None") -> dict[str, Any]:
    """Return the arguments of :meth:`~stylezoo.generators.Painter.paint` beside the picture."""
    return {
        "style": style,
        "strength": values.strength,
        "preserve_color": values.preserve_color,
        "stroke_size": values.stroke_size or None,
        "seed": values.seed,
        "tiling": values.tiling,
        "tile": values.tile,
    }
