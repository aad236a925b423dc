"""The flags of style transfer by optimisation: what is matched, in the style of what, and how."""

import dataclasses
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo import images
from stylezoo.binaries.common import config_flags, objective_flags, options, synthesis_flags
from stylezoo.synthesis.configurations import INITS, PRESETS, TransferConfig

if TYPE_CHECKING:
    from stylezoo.images import FloatArray

_CONFIG = config_flags.ConfigFlags(
    PRESETS["fast"],
    skip=["objective", "init", "optimizer", "schedule"],
)


def define(values: flags.FlagValues, *, init: str, masks: str) -> None:
    """Add the flags to ``values``; those of the optimiser are in `synthesis_flags`.

    Args:
        values: The command's flags.
        init: Help of ``--init``.
        masks: Help of ``--masks``.
    """
    synthesis_flags.define_schedule_flags(values)
    objective_flags.define(values, default="relative")
    _CONFIG.define(values)

    def strings(name: str, text: str) -> None:
        flags.DEFINE_list(name, None, text, flag_values=values)

    strings("style", "Paintings whose style the photograph gets, with commas between them.")
    strings(
        "style_weights",
        "Share of each painting in the style, with commas between them; by default all shares are equal.",
    )
    strings("masks", masks)
    strings(
        "style_masks",
        "Masks of the paintings' sizes, for each painting in turn as many as --masks has.",
    )
    init = config_flags.with_notes(init, *config_flags.default_note(PRESETS["fast"].init))
    flags.DEFINE_string("init", None, init, flag_values=values)


@dataclasses.dataclass(frozen=True)
class Styles:
    """The pictures whose style is transferred.

    Attributes:
        pictures: Each [1, H, W, 3] in [0, 1].
        weights: How much each counts; None for equally.
        masks: For each its regions, [1, H, W, 1] in [0, 1]; None without.
    """

    pictures: "list[FloatArray]"
    weights: tuple[float, ...] | None
    masks: "list[list[FloatArray]] | None"


def read_styles(values: flags.FlagValues) -> Styles:
    """Read the paintings and their masks.

    Raises:
        ValueError, OSError: If they can't be read, or the numbers of masks don't fit.
    """
    given = values.style_weights
    weights = options.numbers("style_weights", given) if given else None
    pictures = [images.read_image(path, max_pixels=values.max_pixels) for path in values.style]
    masks = read_masks(values, values.style_masks)
    return Styles(pictures, weights, _by_style(masks, len(pictures)))


def read_masks(values: flags.FlagValues, paths: list[str] | None) -> "list[FloatArray] | None":
    """Read masks; None for none."""
    return [images.read_mask(path, max_pixels=values.max_pixels) for path in paths or ()] or None


def configure(values: flags.FlagValues, config: TransferConfig) -> TransferConfig:
    """Return a preset as the flags change it."""
    return dataclasses.replace(
        config,
        objective=objective_flags.objective(values, config.objective),
        optimizer=synthesis_flags.optimizer(values, config.optimizer),
        schedule=synthesis_flags.schedule(values, config.schedule),
        **_CONFIG.given(values),
        **options.given(values, ["init"] if values.init in INITS else []),
    )


def _by_style(masks: list[Any] | None, num_styles: int) -> list[list[Any]] | None:
    """Return the masks of all paintings, painting by painting."""
    if masks is None:
        return None
    if len(masks) % num_styles:
        raise ValueError(
            "`--style_masks` must be as many for each painting. "
            f"Received: {len(masks)} for {num_styles} paintings"
        )
    count = len(masks) // num_styles
    return [masks[start : start + count] for start in range(0, len(masks), count)]
