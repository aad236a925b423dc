"""Style transfer on clips in several passes, forward and backward (Ruder, Dosovitskiy & Brox 2016)."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Collection, Iterable

import numpy as np

from stylezoo import video
from stylezoo.images import FloatArray
from stylezoo.losses import temporal_target
from stylezoo.synthesis.clip_config import ClipTransferConfig
from stylezoo.synthesis.clip_transfer import FrameOptimizer


def transfer_in_passes(
    clip: video.Clip,
    optimizer: FrameOptimizer,
    target: video.PaintedClip,
    *,
    config: ClipTransferConfig,
    size: int | None = None,
    cuts: Collection[int] | None = None,
    callback: Callable[[int], None] | None = None,
) -> video.Painting:
    """Paint a clip in several passes over its frames, and write it.

    In the first pass each frame is painted alone. The others go forward and backward by turns: each frame
    starts from its painting of the pass before, blended with its neighbour's of this pass, warped, where
    the optical flow can be relied on. What happens at one border of a scene thus reaches the other. All
    frames of two passes are on disk at once.

    Args:
        clip: The clip.
        optimizer: What paints the frames.
        target: Where they go; a run that was interrupted goes on.
        config: The configuration of ``optimizer``.
        size: As for :func:`~stylezoo.video.paint_clip`.
        cuts: As for :func:`~stylezoo.video.paint_clip`.
        callback: Called with the number of paintings that are done, over all passes.

    Returns:
        What was done; optical flow is not timed.

    Raises:
        ValueError, OSError, FloatingPointError: As ``optimizer`` and ``target.finish``.
    """
    begun = time.perf_counter()
    with contextlib.closing(target):
        passes = _Passes(clip, optimizer, target, config, size, cuts, callback)
        for number in range(passes.begun, config.passes + 1):
            passes.run(number)
        painting = passes.painting
        painting.frames = passes.deliver()
        painting.seconds = time.perf_counter() - begun
        target.finish()
    return painting


class _Passes:
    """The passes over one clip; see :func:`transfer_in_passes`."""

    def __init__(
        self,
        clip: video.Clip,
        optimizer: FrameOptimizer,
        target: video.PaintedClip,
        config: ClipTransferConfig,
        size: int | None,
        cuts: Collection[int] | None,
        callback: Callable[[int], None] | None,
    ) -> None:
        self.painting = video.Painting()
        self._optimizer = optimizer
        self._target = target
        self._config = config
        self._cuts = cuts
        self._callback = callback
        self._sources = target.stage("sources")
        self._frames: list[video.Frame] = []
        for index, frame in video.readable(clip, self.painting):
            if index not in self._sources:
                self._sources[index] = video.sized(frame.image, size)
            # Pictures are on disk.
            empty = np.empty([1, 0, 0, 3], np.float32)
            self._frames.append(dataclasses.replace(frame, image=empty))

    @property
    def begun(self) -> int:
        """The number of the last pass that was begun, or 1: the one before it is complete."""
        numbers = range(self._config.passes, 1, -1)
        return next((each for each in numbers if self._target.has_stage(_name(each))), 1)

    def run(self, number: int) -> None:
        """Paint all frames once, as far as they are not painted yet."""
        count = len(self._frames)
        forward = number % 2 == 1
        order: Iterable[int] = range(count) if forward else range(count - 1, -1, -1)
        painted = self._target.stage(_name(number))
        before = self._target.stage(_name(number - 1)) if number > 1 else None
        for done, index in enumerate(order, start=1):
            if index not in painted:
                if before is None:
                    painted[index] = self._optimizer.alone(index, self._sources[index])
                else:
                    neighbour = index - 1 if forward else index + 1
                    painted[index] = self._following(number, index, neighbour, before, painted)
            if self._callback:
                self._callback((number - 1) * count + done)
        if self._target.has_stage(_name(number - 2)):
            self._target.stage(_name(number - 2)).remove()

    def _following(
        self, number: int, index: int, neighbour: int, before: video.Stage, painted: video.Stage
    ) -> FloatArray:
        source, initial = self._sources[index], before[index]
        if not 0 <= neighbour < len(self._frames) or self._is_cut(max(index, neighbour)):
            return self._optimizer.following(index, source, initial)
        motion = video.motion(self._sources[neighbour], source)
        warped = video.remap(painted[neighbour], motion.flow)
        share = np.float32(self._config.blend) * motion.weights
        initial = share * warped + (1 - share) * initial
        temporal = None
        if number >= self._config.temporal_from:
            temporal = temporal_target([warped], [motion.weights])
        return self._optimizer.following(index, source, initial, temporal)

    def _is_cut(self, index: int) -> bool:
        """Return whether a frame begins a scene."""
        if self._cuts is not None:
            return index in self._cuts
        is_cut = video.motion(self._sources[index - 1], self._sources[index]).is_cut
        if is_cut and index not in self.painting.cuts:
            self.painting.cuts.append(index)
        return is_cut

    def deliver(self) -> int:
        """Hand the paintings of the last pass over, and return how many they are."""
        last = self._target.stage(_name(self._config.passes))
        for index, frame in enumerate(self._frames):
            if index >= self._target.count:
                self._target.append(dataclasses.replace(frame, image=last[index]))
        return len(self._frames)


def _name(number: int) -> str:
    return f"pass_{number:03d}"
