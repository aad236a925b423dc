"""The layers of a classifier that can be looked at, known without building it."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from stylezoo import classifiers
from stylezoo.classifiers import TapInfo
from stylezoo.perceptual.heads import HEAD
from stylezoo.perceptual.keras_network import KerasNetwork

Network: TypeAlias = str | KerasNetwork
"""The name of an architecture of the zoo, or a model that a user brings."""


def tap_info(architecture: Network) -> dict[str, TapInfo]:
    """Return channels, stride, receptive field and minimum image size of every tap, in network order.

    Raises:
        ValueError: For an unknown architecture; the message lists the known ones.
    """
    if isinstance(architecture, KerasNetwork):
        return architecture.taps
    return classifiers.tap_infos(architecture)


def num_channels(architecture: Network, tap: str) -> int:
    """Return the number of channels of a tap; for those of :data:`HEAD` the published number of classes."""
    if tap in HEAD and isinstance(architecture, KerasNetwork):
        return architecture.num_classes or 0
    if tap in HEAD and isinstance(architecture, str):
        return classifiers.get(architecture).num_classes
    return tap_info(architecture)[tap].channels


def fixed_size(architecture: Network, taps: Iterable[str] = HEAD) -> int | None:
    """Return the side that images must have for ``taps``, px; None if any will do."""
    if isinstance(architecture, KerasNetwork):
        return architecture.side
    if set(HEAD).isdisjoint(taps) or not classifiers.depends_on_size(architecture):
        return None
    return classifiers.get(architecture).input_size


def check_taps(
    architecture: Network, taps: Sequence[str], *, head: bool = False, distinct: bool = False
) -> None:
    """Raise a ValueError that lists the known layers if one of ``taps`` is none of them.

    Args:
        architecture: Name of the architecture, or a model of the user's.
        taps: Names that are checked.
        head: Whether those of :data:`HEAD` are allowed too.
        distinct: Whether each name must be there once only.
    """
    has_head = not isinstance(architecture, KerasNetwork) or architecture.num_classes
    known = [*tap_info(architecture), *(HEAD if head and has_head else ())]
    unknown = [tap for tap in taps if tap not in known]
    if unknown:
        raise ValueError(
            f"`taps` of {architecture} must be among {', '.join(known)}. "
            f"Received: {', '.join(unknown)}"
        )
    if distinct and len(set(taps)) < len(taps):
        raise ValueError(f"`taps` must be different layers. Received: {', '.join(taps)}")


def seen_size(height: int, width: int, *, architecture: Network, tap: str) -> tuple[int, int]:
    """Return the height and width, in px, of the part of an image that the features of a tap depend on.

    A deeper layer sees no more than those before it. The last columns of a picture may be out of the reach of
    all layers, where the first has no padding.
    """
    infos = tap_info(architecture)
    taps = list(infos)
    before = taps if tap in HEAD else taps[: taps.index(tap) + 1]
    sides = [min(infos[each].seen(side) for each in before) for side in (height, width)]
    return sides[0], sides[1]


def check_image_size(
    height: int,
    width: int,
    *,
    architecture: Network,
    taps: Iterable[str],
    features: int = 1,
) -> None:
    """Raise a ValueError if an image has fewer than ``features`` either way at one of ``taps``.

    For a tap of :data:`HEAD` it must have features at every other one, and the size that the head needs.
    """
    taps, infos = tuple(taps), tap_info(architecture)
    side = fixed_size(architecture, taps)
    if side and (height, width) != (side, side):
        of = f"the head of {architecture}" if isinstance(architecture, str) else str(architecture)
        raise ValueError(
            f"`image` must be {side}x{side} px for {of}. Received: {width}x{height} px"
        )
    seen = infos if not set(HEAD).isdisjoint(taps) else taps
    deepest = max(seen, key=lambda tap: infos[tap].side(features), default=None)
    if deepest is None:
        return
    needed = infos[deepest].side(features)
    if min(height, width) < needed:
        patches = f"patches of {features} features of " if features > 1 else ""
        raise ValueError(
            f"`image` must be at least {needed}x{needed} px for {patches}the layer {deepest} of "
            f"{architecture}. Received: {width}x{height} px"
        )
