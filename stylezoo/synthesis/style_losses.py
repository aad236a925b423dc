"""Style losses by the names that commands and configurations use."""

from collections.abc import Sequence
from typing import Any

from stylezoo import losses, perceptual

STYLE_LOSSES = ("gram", "moments", "sliced")

# The layers that published codes take, by family: content, style.
_VGG_LAYERS = (("relu4_2",), ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"))
_ALEXNET_LAYERS = (("relu3",), ("relu1", "relu2", "relu3", "relu4", "relu5"))


def default_layers(architecture: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Content and style layers of ``architecture``: those of Gatys et al. 2016 where it has them.

    Raises:
        ValueError: for an unknown architecture.
    """
    taps = perceptual.tap_info(architecture)
    if "relu3" in taps:
        return _ALEXNET_LAYERS
    content, style = _VGG_LAYERS
    return tuple(tap if tap in taps else "relu4_1" for tap in content), style


def style_loss(
    kind: str, taps: Sequence[str], *, seed: int = 0, **options: Any
) -> losses.StatisticsLoss:
    """The style loss of a name in :data:`STYLE_LOSSES`.

    Args:
        kind: the name.
        taps: the layers.
        seed: of those that draw at random.
        **options: those of :class:`stylezoo.losses.StatisticsLoss`.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
    """
    if kind == "gram":
        return losses.GramLoss(taps, **options)
    if kind == "moments":
        return losses.MomentsLoss(taps, **options)
    if kind == "sliced":
        return losses.SlicedWassersteinLoss(taps, seed=seed, **options)
    raise ValueError(
        f"`style_loss` must be one of {', '.join(STYLE_LOSSES)}. Received: style_loss={kind!r}"
    )
