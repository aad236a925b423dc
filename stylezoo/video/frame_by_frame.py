"""Clips painted frame by frame, each with what was painted before at hand."""

import collections
import contextlib
import dataclasses
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

import numpy as np

from stylezoo import images
from stylezoo.images import FloatArray
from stylezoo.video import flow
from stylezoo.video.clips import BrokenClipError, Clip, Frame
from stylezoo.video.flow import Motion
from stylezoo.video.painted import PaintedClip

STABILITY = 0.8
"""Default share of the warped painting before in a steady one."""

# Share of the warped frame before in what a network is shown of a steady one.
_STEADY_SOURCE = 0.5


@dataclasses.dataclass(frozen=True)
class Past:
    """A frame before the one to be painted, of the same scene.

    Attributes:
        source: [1, H, W, 3] in [0, 1].
        painted: Its painting, of the same shape.
    """

    source: FloatArray
    painted: FloatArray


@dataclasses.dataclass(frozen=True)
class Moment:
    """A frame to be painted, and what came before.

    Attributes:
        index: Its number, from 0.
        source: [1, H, W, 3] in [0, 1].
        past: The frames before it in its scene, the nearest last, as many as the painter looks at.
        motion: How it follows from the last of them; None for the first of a scene.
    """

    index: int
    source: FloatArray
    past: Sequence[Past] = ()
    motion: Motion | None = None


class FramePainter(Protocol):
    """What paints a frame, [1, H, W, 3] in [0, 1].

    Attributes:
        reach: How many frames before it looks at.
    """

    reach: int

    def __call__(self, moment: Moment) -> FloatArray:
        """Paint a frame."""


class Unsteady:
    """Paint each frame alone.

    Args:
        paint: What paints pictures, [1, H, W, 3] in [0, 1].
    """

    reach = 0

    def __init__(self, paint: Callable[[FloatArray], FloatArray]) -> None:
        self._paint = paint

    def __call__(self, moment: Moment) -> FloatArray:
        """Paint a frame."""
        return self._paint(moment.source)


class Steady:
    """Paint each frame, and blend it with the painting before, warped to where things are now.

    What the painter is shown is blended with the frame before alike, by half, which takes noise away. Where
    the flow can't be relied on, nothing is blended, and towards there less and less.

    Args:
        paint: What paints pictures, [1, H, W, 3] in [0, 1].
        stability: Share of the painting before, in [0, 1).

    Raises:
        ValueError: If ``stability`` is not in [0, 1).
    """

    reach = 1

    def __init__(
        self, paint: Callable[[FloatArray], FloatArray], *, stability: float = STABILITY
    ) -> None:
        if not 0 <= stability < 1:
            raise ValueError(f"`stability` must be in [0, 1). Received: stability={stability}")
        self._paint = paint
        self._stability = stability

    def __call__(self, moment: Moment) -> FloatArray:
        """Paint a frame."""
        if moment.motion is None:
            return self._paint(moment.source)
        before = moment.past[-1]
        steady = _blend(moment.source, before.source, moment.motion, _STEADY_SOURCE)
        return _blend(self._paint(steady), before.painted, moment.motion, self._stability)


def _blend(picture: FloatArray, before: FloatArray, motion: Motion, share: float) -> FloatArray:
    weights = np.float32(share) * motion.soft_weights
    return np.asarray((1 - weights) * picture + weights * flow.remap(before, motion.flow))


@dataclasses.dataclass
class Painting:
    """What came of painting a clip.

    Attributes:
        frames: The number of frames that were painted now.
        cuts: The numbers, from 0, of those of them that began a scene after another.
        seconds: Wall time of reading and painting them.
        flow_seconds: The part of it that optical flow from frame to frame took.
        broken: Why the clip ended before its end; empty if it did not.
    """

    frames: int = 0
    cuts: list[int] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    flow_seconds: float = 0.0
    broken: str = ""


def paint_clip(
    clip: Clip,
    painter: FramePainter,
    target: PaintedClip,
    *,
    size: int | None = None,
    cuts: Collection[int] | None = None,
    callback: Callable[[int], None] | None = None,
) -> Painting:
    """Paint the frames of a clip that are not painted yet, and write it.

    Args:
        clip: The clip.
        painter: What paints its frames.
        target: The painted frames; some may be there already.
        size: Longest side that frames are resized to, px; None keeps them as they are.
        cuts: The numbers, from 0, of frames that begin a scene; None looks for them.
        callback: Called with the number of painted frames after each.

    Returns:
        What was done. A broken clip is painted as far as it can be read.

    Raises:
        ValueError, OSError: As ``target.finish``.
    """
    with contextlib.closing(target):
        return _paint_clip(clip, painter, target, size, cuts, callback)


def _paint_clip(
    clip: Clip,
    painter: FramePainter,
    target: PaintedClip,
    size: int | None,
    cuts: Collection[int] | None,
    callback: Callable[[int], None] | None,
) -> Painting:
    begun = time.perf_counter()
    first = target.count
    done = Painting()
    past: collections.deque[Past] = collections.deque(maxlen=painter.reach)
    for index, frame in readable(clip, done):
        if index < first - painter.reach:
            continue
        source = sized(frame.image, size)
        started = time.perf_counter()
        motion = _motion(past, source, cuts is not None, index in (cuts or ()))
        done.flow_seconds += time.perf_counter() - started
        if motion is None:
            past.clear()
        if index < first:
            past.append(Past(source, target.painted(index)))
            continue
        if motion is None and index and painter.reach:
            done.cuts.append(index)
        painted = painter(Moment(index, source, tuple(past), motion))
        painted = target.append(dataclasses.replace(frame, image=painted)).image
        past.append(Past(source, painted))
        if callback:
            callback(index + 1)
    done.seconds, done.frames = time.perf_counter() - begun, target.count - first
    target.finish()
    return done


def readable(clip: Clip, done: Painting) -> Iterator[tuple[int, Frame]]:
    """Yield number and frame as far as a clip can be read, and tell ``done`` why it is broken."""
    try:
        yield from enumerate(clip)
    except BrokenClipError as error:
        done.broken = str(error)


def _motion(
    past: Sequence[Past], source: FloatArray, cuts_are_known: bool, is_cut: bool
) -> Motion | None:
    """Return how a frame follows from the last one; None if it begins a scene or none is looked at."""
    if not past or is_cut:
        return None
    motion = flow.motion(past[-1].source, source)
    return None if motion.is_cut and not cuts_are_known else motion


def sized(image: FloatArray, size: int | None) -> FloatArray:
    """Return a frame at the size that it is painted at: its longest side is ``size`` px."""
    if size is None or max(image.shape[1:3]) == size:
        return image
    return np.asarray(images.resize_longest_side(image, size))
