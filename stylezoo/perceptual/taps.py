"""The layers of a classifier that can be looked at, known without building it."""

from collections.abc import Iterable

from stylezoo import classifiers
from stylezoo.classifiers import TapInfo

# Taps of a classifier's head, where the weights have one: before the softmax, and its logarithm.
SCORES = "scores"
LOG_PROBABILITIES = "log_probabilities"
HEAD = (SCORES, LOG_PROBABILITIES)


def tap_info(architecture: str) -> dict[str, TapInfo]:
    """Return channels, stride, receptive field and minimum image size of every tap, in network order.

    Raises:
        ValueError: For an unknown architecture; the message lists the known ones.
    """
    return classifiers.tap_infos(architecture)


def fixed_size(architecture: str) -> int | None:
    """Return the side that images must have for the taps of :data:`HEAD`, px; None if any will do."""
    if not classifiers.depends_on_size(architecture):
        return None
    return classifiers.get(architecture).input_size


def check_taps(architecture: str, taps: Iterable[str], *, head: bool = False) -> None:
    """Raise a ValueError that lists the known layers if one of ``taps`` is none of them.

    Args:
        architecture: Name of the architecture.
        taps: Names that are checked.
        head: Whether those of :data:`HEAD` are allowed too.
    """
    known = [*tap_info(architecture), *(HEAD if head else ())]
    unknown = [tap for tap in taps if tap not in known]
    if unknown:
        raise ValueError(
            f"`taps` of {architecture} must be among {', '.join(known)}. "
            f"Received: {', '.join(unknown)}"
        )


def check_image_size(
    height: int,
    width: int,
    *,
    architecture: str,
    taps: Iterable[str],
    features: int = 1,
) -> None:
    """Raise a ValueError if an image has fewer than ``features`` either way at one of ``taps``.

    For a tap of :data:`HEAD` it must have features at every other one, and the size that the head needs.
    """
    taps, infos = tuple(taps), tap_info(architecture)
    side = None if set(HEAD).isdisjoint(taps) else fixed_size(architecture)
    if side and (height, width) != (side, side):
        raise ValueError(
            f"`image` must be {side}x{side} px for the head of {architecture}. "
            f"Received: {width}x{height} px"
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
