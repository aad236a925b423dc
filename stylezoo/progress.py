"""What callbacks are told of work that is under way."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np


def _no_image() -> "np.ndarray":
    raise ValueError("there is no picture yet")


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a piece of work is.

    Attributes:
        step: The number of steps (or tiles, pixels, frames) that are done.
        num_steps: How many there will be at most.
        losses: The losses of the last step: ``total`` and each term's share of it. Empty where there are
            none.
        image: A function that returns the picture as it is now, [B, H, W, 3] in [0, 1], where there is
            one. It is called only when the picture is wanted.
        share: Share of the whole work that is done, where some steps cost more than others; None where it is
            the share of the steps.
    """

    step: int
    num_steps: int
    losses: Mapping[str, float] = dataclasses.field(default_factory=dict)
    image: "Callable[[], np.ndarray]" = _no_image
    share: float | None = None


Callback: TypeAlias = Callable[[Progress], None]
