"""What a clip is: frames, their times, and what holds for all of them."""

import abc
import dataclasses
import fractions
import os
import pathlib
from collections.abc import Iterable, Iterator

from stylezoo.errors import StylezooError
from stylezoo.images import FloatArray

# The largest denominator of frame rates, as in 30000/1001.
_FINEST_RATE = 1001


class BrokenClipError(StylezooError, ValueError):
    """A clip ends before its end: what comes after the frames that were yielded can't be decoded."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """One picture of a clip.

    Attributes:
        image: [1, H, W, 3] float32 in [0, 1].
        time: When it is shown, in units of the clip's time base.
        duration: For how long, in the same units.
    """

    image: FloatArray
    time: int
    duration: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """How the times of frames are told, and what players need beside them.

    Attributes:
        time_base: The unit of times, s.
        frame_rate: Frames a second, on average.
        pixel_aspect: Width of a pixel over its height, as it is shown.
    """

    time_base: fractions.Fraction
    frame_rate: fractions.Fraction
    pixel_aspect: fractions.Fraction = fractions.Fraction(1)

    @classmethod
    def constant(cls, frame_rate: float) -> "Timing":
        """Return that of frames which all last one unit of time; see :func:`at_rate`.

        Args:
            frame_rate: Frames a second; rounded to a fraction such as 30000/1001.

        Raises:
            ValueError: If it is not in (0, 1000].
        """
        if not 0 < frame_rate <= 1000:
            raise ValueError(
                f"`frame_rate` must be in (0, 1000]. Received: frame_rate={frame_rate}"
            )
        rate = fractions.Fraction(frame_rate).limit_denominator(_FINEST_RATE)
        return cls(time_base=1 / rate, frame_rate=rate)

    def seconds(self, time: int) -> float:
        """Return a frame's time or duration in seconds."""
        return float(time * self.time_base)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipInfo(Timing):
    """What holds for all frames of a clip.

    Attributes:
        height: Height of the frames as they are shown, px.
        width: Width, px.
        num_frames: The number of frames as far as the file tells; None if it does not.
        has_sound: Whether there is sound beside the frames.
    """

    height: int
    width: int
    num_frames: int | None = None
    has_sound: bool = False


class Clip(abc.ABC):
    """A clip that can be read any number of times, frame by frame, from its beginning.

    Args:
        path: Where it is.

    Attributes:
        path: Where it is.
        info: What holds for all frames.
    """

    info: ClipInfo

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)

    @abc.abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; only those that are held elsewhere stay in memory.

        Raises:
            BrokenClipError: After the last frame that can be read, if there should be more.
        """

    def broken(self, frames_read: int, reason: str) -> BrokenClipError:
        """Return the error that says where the clip ended, and why."""
        at = frames_read / float(self.info.frame_rate)
        return BrokenClipError(
            f"`{self.path}` can be read up to frame {frames_read} ({at:.2f} s) only: {reason}"
        )


def at_rate(pictures: Iterable[FloatArray]) -> Iterator[Frame]:
    """Yield pictures [1, H, W, 3] as frames that last one unit of time each."""
    for time, picture in enumerate(pictures):
        yield Frame(picture, time, 1)
