"""The configuration of style transfer on clips by optimisation, and its presets."""

import dataclasses
import math

from stylezoo.objectives.named import OBJECTIVES
from stylezoo.synthesis.configurations import PRESETS, Schedule, TransferConfig
from stylezoo.synthesis.optimizers import LBFGS


@dataclasses.dataclass(frozen=True)
class ClipTransferConfig:
    """Everything that decides a style transfer on a clip but its pictures.

    Attributes:
        transfer: How the first frame of a scene is painted, and what all frames should match.
        temporal_weight: Weight of the temporal loss, the difference from the frames before, warped to where
            things are now, wherever the optical flow can be relied on.
        offsets: How many frames before those are that a frame is compared with, the nearest first. What
            was hidden in one may be visible in the next.
        frame_steps: Number of steps for each frame that follows another, which starts from that one's
            painting, warped.
        passes: Number of passes over a scene. With several, each frame starts alone, and passes go
            forward and backward by turns, with ``frame_steps`` each.
        blend: Share of the neighbouring frame, warped, in what a frame starts from in a pass.
        temporal_from: The pass, from 1, from which on the temporal loss counts.

    Raises:
        ValueError: If a number is out of its range.
    """

    transfer: TransferConfig
    temporal_weight: float
    offsets: tuple[int, ...] = (1, 2, 4)
    frame_steps: int = 1000
    passes: int = 1
    blend: float = 0.5
    temporal_from: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.temporal_weight < math.inf:
            raise ValueError(
                f"`temporal_weight` must be finite, >= 0. Received: {self.temporal_weight}"
            )
        if (
            not self.offsets
            or self.offsets[0] < 1
            or list(self.offsets) != sorted(set(self.offsets))
        ):
            raise ValueError(
                "`offsets` must be increasing whole numbers >= 1. "
                f"Received: {','.join(map(str, self.offsets)) or 'none'}"
            )
        for field, least in (("frame_steps", 0), ("passes", 1), ("temporal_from", 1)):
            value = getattr(self, field)
            if value < least:
                raise ValueError(f"`{field}` must be >= {least}. Received: {field}={value}")
        if not 0 <= self.blend <= 1:
            raise ValueError(f"`blend` must be in [0, 1]. Received: blend={self.blend}")

    def resolved(self) -> "ClipTransferConfig":
        """Return the same with the usual layers written out; see :meth:`TransferConfig.resolved`."""
        return dataclasses.replace(self, transfer=self.transfer.resolved())


# github.com/manuelruder/artistic-videos: 2000 steps for the first frame, from noise, and 1000 for each of the
# others, fewer where the loss changes by less than 1e-4 over 50 steps.
_RUDER = TransferConfig(
    OBJECTIVES["neural-style"],
    init="noise",
    optimizer=LBFGS(memory=20),
    schedule=Schedule(smallest=None, initial_steps=2000, steps=2000),
    content_detail=False,
    tolerance=1e-4,
)

CLIP_PRESETS = {
    "fast": ClipTransferConfig(PRESETS["fast"], temporal_weight=500.0, frame_steps=10),
    "ruder2016-paper": ClipTransferConfig(_RUDER, temporal_weight=1000.0),
    # Fifteen passes of 100 steps, the temporal loss from the eighth on.
    "ruder2016-multipass": ClipTransferConfig(
        dataclasses.replace(_RUDER, schedule=Schedule(smallest=None, initial_steps=100, steps=100)),
        temporal_weight=500.0,
        offsets=(1,),
        frame_steps=100,
        passes=15,
        temporal_from=8,
    ),
}
"""Configurations of style transfer on clips by name."""
